"""Sparse columns brought to units that do not drown one another."""

import numpy as np
from scipy import sparse

LEAST_ROWS = 2
"""A column that one row alone fills says nothing of other rows: half the words of texts do."""

SPREAD = 10.0
"""How far from the usual one the unit of a column may be and still be kept."""


def sum_duplicates(X):
    """Return sparse rows in which a cell has one entry.

    Parameters
    ----------
    X : CSR matrix of shape (n_samples, n_features)
        Not changed.

    Returns
    -------
    CSR matrix of shape (n_samples, n_features)
    """
    X = sparse.csr_matrix((X.data, X.indices, X.indptr), shape=X.shape)  # keeps what it finds out
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    return X


class SparseScaler:
    """Leave out the columns that a single row fills, and scale the others.

    The unit of a column is the greatest absolute value in it. All columns whose unit lies within a
    factor of ten of the median one are divided by that median, which keeps the weights that tf-idf
    gave them; every other column is divided by its own unit.

    Attributes
    ----------
    kept_ : ndarray of shape (n_kept,), int32
        The columns that are filled by `LEAST_ROWS` rows at least; all, where none is.
    scale_ : ndarray of shape (n_kept,)
        What each of them is divided by.
    """

    def fit(self, X):
        """Learn columns and scales.

        Parameters
        ----------
        X : CSR matrix of shape (n_samples, n_features)

        Returns
        -------
        SparseScaler
        """
        X = sum_duplicates(X)
        counts = np.bincount(X.indices, minlength=X.shape[1])
        least = min(LEAST_ROWS, counts.max())
        self.kept_ = np.flatnonzero(counts >= least).astype(np.int32)
        units = np.zeros(X.shape[1])
        np.fmax.at(units, X.indices, np.abs(X.data))
        units = units[self.kept_]
        filled = units[units > 0]
        usual = np.median(filled) if filled.size else 1.0
        is_near = (units <= SPREAD * usual) & (units * SPREAD >= usual)
        self.scale_ = np.where(is_near | (units == 0), usual, units)
        return self

    def transform(self, X):
        """Return the kept columns, scaled.

        Parameters
        ----------
        X : CSR matrix of shape (n_samples, n_features)

        Returns
        -------
        CSR matrix of shape (n_samples, n_kept), float64
        """
        places = np.searchsorted(self.kept_, X.indices)
        places[places == len(self.kept_)] = 0
        is_kept = self.kept_[places] == X.indices
        places = places[is_kept].astype(np.int32)
        ends = np.concatenate([[0], np.cumsum(is_kept)])[X.indptr]
        return sparse.csr_matrix(
            (X.data[is_kept] / self.scale_[places], places, ends),
            shape=(X.shape[0], len(self.kept_)),
        )
