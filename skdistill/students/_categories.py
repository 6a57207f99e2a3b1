"""Categories made into columns where they are few and into codes where they are many."""

import numpy as np


class CategoryEncoder:
    """The category columns of a `TablePreprocessor`.

    Parameters
    ----------
    max_one_hot : int
        Greatest number of categories that get a column each.

    Attributes
    ----------
    n_flags_ : int
        How many columns of 0 and 1 there are.
    cardinalities_ : tuple of int
        Number of codes of each column with more categories; code 0 is unknown.
    """

    def __init__(self, max_one_hot):
        self.max_one_hot = max_one_hot

    def fit(self, columns):
        """Learn the categories of columns, and return self.

        Parameters
        ----------
        columns : list of Categories
        """
        # In alphabetical order, the gap last.
        self._learn([sorted(c.names, key=lambda name: (name is None, name or "")) for c in columns])
        return self

    @classmethod
    def of_categories(cls, known, max_one_hot):
        """Return an encoder that has learnt some categories.

        Parameters
        ----------
        known : list of list
            For each column its strings, and None for a gap, in order.
        max_one_hot : int
        """
        encoder = cls(max_one_hot)
        encoder._learn(known)
        return encoder

    def _learn(self, known):
        self._positions = [{name: i for i, name in enumerate(those)} for those in known]
        counts = np.array([len(those) for those in self._positions], dtype=int)
        self._few = np.flatnonzero(counts <= self.max_one_hot)
        self._many = np.flatnonzero(counts > self.max_one_hot)
        self.n_flags_ = int(counts[self._few].sum())
        self.cardinalities_: tuple[int, ...] = tuple((counts[self._many] + 1).tolist())

    @property
    def known_(self):
        """The categories of each column, a list in the order of their positions."""
        return [list(positions) for positions in self._positions]

    def write(self, columns, flags, codes):
        """Encode categories.

        Parameters
        ----------
        columns : list of Categories
        flags : ndarray of shape (n_samples, n_flags_)
            All zeros; gets a 1 for each category that is known.
        codes : ndarray of shape (n_samples, len(cardinalities_))
            Gets a code for each of the others.
        """
        start = 0
        for column in self._few:
            positions = self._look_up(columns[column], column)
            rows = np.flatnonzero(positions >= 0)
            flags[rows, start + positions[rows]] = 1
            start += len(self._positions[column])
        for i, column in enumerate(self._many):
            codes[:, i] = self._look_up(columns[column], column) + 1

    def names_of(self, columns):
        """Name what `transform` makes of the columns.

        Parameters
        ----------
        columns : sequence of str
            Their names.

        Returns
        -------
        flags : list of str
            Of the columns of 0 and 1: "job=clerk", or "job is missing" for that of a gap.
        codes : dict of str to list of str
            Of each column of codes what they stand for, from code 1 on.
        """
        named = [
            [f"{column} is missing" if name is None else f"{column}={name}" for name in known]
            for column, known in zip(columns, self._positions, strict=True)
        ]
        flags = [name for i in self._few for name in named[i]]
        return flags, {columns[i]: named[i] for i in self._many}

    def _look_up(self, categories, column):
        """Return the position of each category among the known ones; -1 where it is none."""
        known = self._positions[column]
        return np.array([known.get(name, -1) for name in categories.names])[categories.codes]
