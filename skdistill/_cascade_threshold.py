"""The least deferral for which a cascade is shown to be nearly as accurate as its teacher."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from skdistill._gap_test import gap_bound, gap_p_value, rows_needed


def margin(probabilities: np.ndarray) -> np.ndarray:
    """The difference of the two greatest probabilities of each row."""
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return two[:, 1] - two[:, 0]


SCORES = {"margin": margin, "max_probability": lambda probabilities: probabilities.max(axis=1)}
"""How sure a student is of each row, by its probabilities of shape (n_samples, n_classes)."""

SHARES = np.linspace(0, 1, 51)
"""The shares of rows to defer that are tried. They do not depend on the rows."""

EVERY = 10
"""Every so many rows one tells where the thresholds lie, and the others test them."""


class AccuracyGap(NamedTuple):
    """The teacher's accuracy less that of the cascade.

    Attributes
    ----------
    estimate : float
        On the rows that tested the threshold.
    upper : float
        What it is at most, with the confidence that was asked for.
    """

    estimate: float
    upper: float


class Threshold(NamedTuple):
    """What was found; see the attributes of `TunedCascadeClassifier`."""

    value: float
    deferred_share: float
    gap: AccuracyGap
    curve: dict[str, np.ndarray]
    n_testing: int


def check_enough_rows(
    name: str, n_rows: int, tolerance: float, confidence: float, advice: str
) -> None:
    """Refuse rows of which not even a student that never differs from its teacher passes a test.

    Parameters
    ----------
    name : str
        What the error calls them.
    n_rows : int
    tolerance, confidence : float
    advice : str
        The last sentence of the error.

    Raises
    ------
    ValueError
        With the number that is needed.
    """
    n_placing = math.ceil(n_rows / EVERY)
    needed = rows_needed(tolerance, 1 - confidence)
    if n_rows - n_placing < needed:
        raise ValueError(
            f"{name} has {n_rows} rows; expected {needed + math.ceil(needed / (EVERY - 1))} or "
            f"more: of fewer not even a student that never differs from its teacher can be "
            f"shown to be within tolerance={tolerance} with confidence={confidence}. {advice}"
        )


def find_threshold(
    scores: np.ndarray,
    is_right: np.ndarray,
    teacher_is_right: np.ndarray,
    *,
    tolerance: float,
    confidence: float,
) -> Threshold:
    """Find the threshold; the notes of `TunedCascadeClassifier` say how.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        How sure the student is of each row.
    is_right, teacher_is_right : ndarray of shape (n_samples,), bool
    tolerance, confidence : float

    Returns
    -------
    Threshold
    """
    is_testing = np.arange(len(scores)) % EVERY > 0
    thresholds = np.quantile(scores[~is_testing], SHARES)
    thresholds[0], thresholds[-1] = 0.0, np.inf
    tested = [values[is_testing] for values in (scores, is_right, teacher_is_right)]
    curve = _curve(thresholds, *tested)
    n_testing = len(tested[0])
    curve["p_value"], chosen, upper = _choose(curve, n_testing, tolerance, 1 - confidence)
    return Threshold(
        value=float(thresholds[chosen]),
        deferred_share=float(curve["deferred_share"][chosen]),
        gap=AccuracyGap(float(curve["gap"][chosen]), upper),
        curve=curve,
        n_testing=n_testing,
    )


def _curve(thresholds, scores, is_right, teacher_is_right):
    """Return what each threshold brings on the testing rows."""
    kept = scores >= thresholds[:, None]
    n_worse = np.count_nonzero(kept & teacher_is_right & ~is_right, axis=1)
    n_better = np.count_nonzero(kept & is_right & ~teacher_is_right, axis=1)
    gap = (n_worse - n_better) / len(scores)
    return {
        "threshold": thresholds,
        "deferred_share": 1 - kept.mean(axis=1),
        "n_worse": n_worse,
        "n_better": n_better,
        "accuracy": teacher_is_right.mean() - gap,
        "gap": gap,
    }


def _choose(curve, n_rows, tolerance, risk):
    """Test one threshold after the other, from all rows deferred on, until one fails.

    Returns
    -------
    p_values : ndarray of shape (n_thresholds,)
        NaN where none was made.
    chosen : int
        The last threshold before the failure.
    upper : float
        The bound on what is lost there.
    """
    counts = list(zip(curve["n_worse"], curve["n_better"], strict=True))
    p_values, chosen = np.full(len(counts), np.nan), len(counts) - 1
    p_values[chosen], upper = 0.0, 0.0  # all are deferred: the two are one and the same
    for i in reversed(range(len(counts) - 1)):
        p_values[i] = gap_p_value(*counts[i], n_rows, tolerance, risk)
        if p_values[i] > risk:
            break
        chosen = i
    if chosen < len(counts) - 1:
        upper = gap_bound(*counts[chosen], n_rows, risk)
    return p_values, chosen, upper
