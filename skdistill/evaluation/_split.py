"""Rows drawn class by class."""

from __future__ import annotations

import numpy as np

N_FOLDS = 3


def stratified_folds(y_index: np.ndarray, random_state: int) -> np.ndarray:
    """The fold of each row, drawn class by class.

    Unlike scikit-learn's stratified splitters this accepts classes of one or two rows: they are
    in no fold, so no held-back row has a class that the others lack.

    Parameters
    ----------
    y_index : ndarray of shape (n_samples,)
        The class position of each row.
    random_state : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_samples,), int
        From 0 to `N_FOLDS` - 1, and -1 for a row that is never held back.
    """
    rng = np.random.default_rng(random_state)
    folds = np.full(len(y_index), -1)
    for c in np.unique(y_index):
        members = rng.permutation(np.flatnonzero(y_index == c))
        if len(members) >= N_FOLDS:
            folds[members] = np.arange(len(members)) % N_FOLDS
    return folds


def stratified_order(y_index: np.ndarray, random_state: int) -> np.ndarray:
    """An order of rows of which every beginning has the classes in proportion.

    The i-th drawn row of a class of n rows stands at i / n, so that a beginning holds the same
    share of each class, rounded up: first one row of every class.

    Parameters
    ----------
    y_index : ndarray of shape (n_samples,), int
        The class of each row.
    random_state : int
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n_samples,), int
        Positions.
    """
    rng = np.random.default_rng(random_state)
    place = np.empty(len(y_index))
    for c in np.unique(y_index):
        members = rng.permutation(np.flatnonzero(y_index == c))
        place[members] = np.arange(len(members)) / len(members)
    return np.lexsort((rng.random(len(y_index)), place))
