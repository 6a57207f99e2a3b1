"""Which rows each round learns from."""

from __future__ import annotations

import numpy as np
from sklearn.model_selection import (
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
)

DESIGNS = ("subsample", "split", "bootstrap", "seed")


def draw_rounds(
    design: str, n_rows: int, labels: np.ndarray | None, n_rounds: int, seed: int
) -> list[np.ndarray]:
    """Draw the rows of every round.

    Parameters
    ----------
    design : {"subsample", "split", "bootstrap", "seed"}
        Halves of the rows without replacement; disjoint parts of all rows; as many rows as there
        are, with replacement; all rows every time.
    n_rows : int
        Rows to draw from.
    labels : ndarray of shape (n_rows,) or None
        Positions of the classes. Subsamples hold the classes in proportion where each has two
        rows, splits where each has one row for every round. None is no stratification.
    n_rounds : int
        Number of rounds.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of ndarray of int
        Positions in ascending order, so that the rows of a round keep the order of the data.
    """
    if design == "seed":
        return [np.arange(n_rows)] * n_rounds
    if design == "bootstrap":
        drawn = np.random.default_rng(seed).integers(n_rows, size=(n_rounds, n_rows))
        return list(np.sort(drawn, axis=1))
    smallest = 0 if labels is None else np.bincount(labels).min()
    rows = np.zeros(n_rows)
    if design == "split":
        fold = StratifiedKFold if smallest >= n_rounds else KFold
        splitter = fold(n_rounds, shuffle=True, random_state=seed)
        return [np.sort(part) for _, part in splitter.split(rows, labels)]
    half = n_rows // 2
    stratify = labels is not None and smallest >= 2 and half > labels.max()
    halves = (StratifiedShuffleSplit if stratify else ShuffleSplit)(
        n_rounds, train_size=half, test_size=n_rows - half, random_state=seed
    )
    return [np.sort(part) for part, _ in halves.split(rows, labels)]
