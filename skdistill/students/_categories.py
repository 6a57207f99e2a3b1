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
    cardinalities_ : tuple of int
        Number of codes of each column with more categories; code 0 is unknown.
    """

    def __init__(self, max_one_hot):
        self.max_one_hot = max_one_hot

    def fit_transform(self, names):
        """Learn the categories, and encode them; see `transform`."""
        seen = [set(column) for column in names.T]
        # In alphabetical order, the gap last.
        self._learn([sorted(those, key=lambda name: (name is None, name or "")) for those in seen])
        return self.transform(names)

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
        self._ends = np.cumsum(counts[self._few])
        self.cardinalities_: tuple[int, ...] = tuple((counts[self._many] + 1).tolist())

    @property
    def known_(self):
        """The categories of each column, a list in the order of their positions."""
        return [list(positions) for positions in self._positions]

    def transform(self, names):
        """Encode categories.

        Parameters
        ----------
        names : ndarray of shape (n_samples, n_columns), object
            Strings, None for a gap.

        Returns
        -------
        list of ndarray, float64
            A block of 0 and 1, then a block of codes; each left out where it has no columns.
        """
        blocks = []
        if len(self._few):
            flags = np.zeros((len(names), self._ends[-1]))
            for column, end in zip(self._few, self._ends, strict=True):
                positions = self._look_up(names, column)
                rows = np.flatnonzero(positions >= 0)
                start = end - len(self._positions[column])
                flags[rows, start + positions[rows]] = 1
            blocks.append(flags)
        if len(self._many):
            codes = [self._look_up(names, column) + 1 for column in self._many]
            blocks.append(np.stack(codes, axis=1).astype(np.float64))
        return blocks

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

    def _look_up(self, names, column):
        """Return the position of each category among the known ones; -1 where it is none."""
        known = self._positions[column]
        found = (known.get(name, -1) for name in names[:, column])
        return np.fromiter(found, dtype=int, count=len(names))
