"""Categories made into columns where they are few and into codes where they are many."""

import numpy as np
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder


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
        counts = np.array([len(set(column)) for column in names.T], dtype=int)
        self._few = np.flatnonzero(counts <= self.max_one_hot)
        self._many = np.flatnonzero(counts > self.max_one_hot)
        self._one_hot = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
        self._ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        if len(self._few):
            self._one_hot.fit(names[:, self._few])
        self.cardinalities_: tuple[int, ...] = ()
        if len(self._many):
            self._ordinal.fit(names[:, self._many])
            self.cardinalities_ = tuple(len(c) + 1 for c in self._ordinal.categories_)
        return self.transform(names)

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
            blocks.append(self._one_hot.transform(names[:, self._few]))
        if len(self._many):
            blocks.append(self._ordinal.transform(names[:, self._many]) + 1)
        return blocks
