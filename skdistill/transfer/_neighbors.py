"""The nearest neighbour of each row of a table of mixed columns."""

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder

from skdistill._input._columns import read_categories

__all__ = ["encode_distances", "find_neighbors"]

MAX_CATEGORIES = 64
"""Rarer categories of a column count as one, lest a column of names be as wide as it is long."""

TIE_BREAK = 1e-3
"""Greatest offset of a row in a dimension of its own, squared some 1e-6 of a unit."""


def encode_distances(X, columns):
    """Write rows as numbers whose Euclidean distance is that of mixed columns.

    Numbers are scaled to [0, 1]. Two different categories are at distance 1, and so are a gap and
    a number, the gap being taken for the mean besides.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    columns : list of Column
        See `skdistill.transfer._table.read_columns`.

    Returns
    -------
    ndarray of shape (n_samples, n_encoded), float64
    """
    parts = [np.zeros((X.shape[0], 1))]  # a table without a column that varies has distances, all 0
    for column in columns:
        if column.numbers is not None and column.high > column.low:
            scaled = (column.numbers - column.low) / (column.high - column.low)
            gaps = np.isnan(scaled)
            parts.append(np.where(gaps, np.nanmean(scaled), scaled)[:, None])
            if gaps.any():
                parts.append(gaps[:, None])
    categories = np.flatnonzero([column.numbers is None for column in columns])
    if len(categories):
        encoder = OneHotEncoder(max_categories=MAX_CATEGORIES, sparse_output=False)
        # One differing category changes two of its columns.
        names = [read_categories(X, position) for position in categories]
        names = [np.array(column.names, dtype=object)[column.codes] for column in names]
        parts.append(encoder.fit_transform(np.stack(names, axis=1)) / np.sqrt(2))
    return np.hstack(parts)


def find_neighbors(encoded, rows, max_neighbors, rng):
    """Find the nearest other row of some rows.

    Parameters
    ----------
    encoded : ndarray of shape (n_samples, n_encoded)
        See `encode_distances`.
    rows : ndarray of shape (n_rows,), int
        Those whose neighbour is wanted.
    max_neighbors : int
        Rows, drawn at random, among which neighbours are looked for; two or more.
    rng : numpy.random.Generator
        Draws those, and decides between rows at the same distance.

    Returns
    -------
    ndarray of shape (n_rows,), int
        Positions in `encoded`; a row's own where there is no other.
    """
    if len(encoded) == 1:
        return rows
    pool = rng.permutation(len(encoded))[:max_neighbors]
    offsets = TIE_BREAK * rng.random((len(pool), 1))
    index = NearestNeighbors(algorithm="brute").fit(np.hstack([encoded[pool], offsets]))
    asked = np.hstack([encoded[rows], np.zeros((len(rows), 1))])
    first, second = pool[index.kneighbors(asked, 2, return_distance=False)].T
    return np.where(first == rows, second, first)
