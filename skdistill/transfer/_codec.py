"""A table as numbers of one scale and codes, and rows of the same kind made of such."""

import numpy as np
from scipy.special import ndtr, ndtri

from skdistill._input._columns import read_categories
from skdistill.transfer._rows_by_label import RowsByLabel
from skdistill.transfer._table import UNCHANGED, build_table, read_columns

__all__ = ["MAX_CODES", "TableCodec", "rank_categories"]

MAX_CODES = 64
"""Rarer categories of a column share a code, lest a column of names be as wide as it is long."""


class TableCodec:
    """Write the rows of a table as numbers that a density can learn, and read its draws.

    A quantity becomes its normal scores, so that its marginal is a standard normal one whatever it
    was, and is read back within its range. Categories, flags and gaps become codes, and a code is
    read back as the cell of a row that has it.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
        Kept, not changed.

    Attributes
    ----------
    numbers : ndarray of shape (n_samples, n_numbers), float64
        Normal scores; 0 for a gap. Of a table that never varies, one column of zeros.
    codes : ndarray of shape (n_samples, n_codes), int
        Of the columns that have more than one.
    cardinalities : list of int
        Number of codes of each column of `codes`.
    """

    def __init__(self, X):
        self._X, self._columns = X, list(read_columns(X))
        codes = [_read_codes(X, j, column) for j, column in enumerate(self._columns)]
        self._rows_by_code = [RowsByLabel(column) for column in codes]
        self._quantities = [j for j, column in enumerate(self._columns) if column.is_quantity]
        self._coded = [j for j, column in enumerate(codes) if column.any()]
        scores = [_normal_scores(self._columns[j].numbers) for j in self._quantities]
        if not self._quantities and not self._coded:
            scores = [np.zeros(X.shape[0])]
        self.numbers = np.stack(scores, axis=1) if scores else np.empty((X.shape[0], 0))
        self.codes = np.stack(codes, axis=1)[:, self._coded]
        self.cardinalities = [int(codes[j].max()) + 1 for j in self._coded]

    def decode(self, numbers, codes, rng):
        """Make rows of normal scores and codes.

        Parameters
        ----------
        numbers : ndarray of shape (n_rows, n_numbers)
        codes : ndarray of shape (n_rows, n_codes), int
        rng : numpy.random.Generator
            Draws the rows whose cells stand for a code.

        Returns
        -------
        {ndarray, DataFrame} of shape (n_rows, n_features)
        """
        n_rows = len(numbers)
        own = np.zeros((n_rows, len(self._columns)), dtype=int)
        own[:, self._coded] = codes
        scores = dict(zip(self._quantities, numbers.T, strict=False))
        return build_table(self._X, n_rows, self._changes(own, scores, rng))

    def _changes(self, codes, scores, rng):
        for j, column in enumerate(self._columns):
            source = self._rows_by_code[j].draw(codes[:, j], rng)
            if not column.is_quantity:
                yield source, *UNCHANGED
                continue
            cells = np.flatnonzero(codes[:, j] == 0)
            numbers = _undo_normal_scores(column.numbers, scores[j][cells])
            yield source, cells, column.keep_kind(numbers)

    def to_matrix(self):
        """Return scores and codes, these one-hot, as one array of floats.

        Returns
        -------
        ndarray of shape (n_samples, n_numbers + sum of cardinalities)
        """
        pairs = zip(self.cardinalities, self.codes.T, strict=True)
        return np.hstack([self.numbers, *(np.eye(k)[codes] for k, codes in pairs)])

    def decode_matrix(self, values, rng):
        """Make rows of what `to_matrix` gives; a code is the one of the greatest value.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_numbers + sum of cardinalities)
        rng : numpy.random.Generator

        Returns
        -------
        {ndarray, DataFrame} of shape (n_rows, n_features)
        """
        starts = self.numbers.shape[1] + np.cumsum([0, *self.cardinalities[:-1]])
        numbers, *hot = np.split(values, starts[: len(self.cardinalities)], axis=1)
        codes = np.zeros((len(values), len(hot)), dtype=int)
        for i, block in enumerate(hot):
            codes[:, i] = block.argmax(axis=1)
        return self.decode(numbers, codes, rng)


def _read_codes(X, position, column):
    """Return the code of each cell: of a quantity 1 for a gap and 0 for a number."""
    if column.is_quantity:
        return np.isnan(column.numbers).astype(int)
    if column.numbers is not None:
        return np.unique(column.numbers, return_inverse=True)[1]
    return np.minimum(rank_categories(X, position), MAX_CODES - 1)


def rank_categories(X, position):
    """Return a column of categories as numbers, 0 for the most frequent one.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    position : int

    Returns
    -------
    ndarray of shape (n_samples,), int
    """
    codes = read_categories(X, position).codes
    rank = np.empty(codes.max() + 1, dtype=int)
    rank[np.argsort(-np.bincount(codes), kind="stable")] = np.arange(len(rank))
    return rank[codes]


def _normal_scores(numbers):
    """Return the standard normal quantiles of the numbers' shares; equal ones have their middle."""
    known = np.sort(numbers[~np.isnan(numbers)])
    below, up_to = (np.searchsorted(known, numbers, side) for side in ("left", "right"))
    return np.where(np.isnan(numbers), 0, ndtri((below + up_to) / (2 * len(known))))


def _undo_normal_scores(numbers, scores):
    """Return the numbers that have such scores, in between those that are there."""
    known = np.sort(numbers[~np.isnan(numbers)])
    return np.interp(ndtr(scores) * len(known) - 0.5, np.arange(len(known)), known)
