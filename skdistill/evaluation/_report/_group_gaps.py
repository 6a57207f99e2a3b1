"""How far groups of rows are apart, of teacher and of students, and whether that has changed."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._bootstrap import percentile_ends, resampled_means

ARMS = (TEACHER, PLAIN, DISTILLED)
"""The arms that are looked at."""


def group_gaps(
    members: list[list[int]],
    rates: dict[str, tuple[dict[str, np.ndarray], np.ndarray]],
    seed: int,
) -> list[dict[str, Any]]:
    """The gap between groups of each rate, of teacher, plain and distilled student.

    Parameters
    ----------
    members : list of list of int
        The rows of each group.
    rates : dict of str to tuple (terms, among)
        `terms` has for each arm an array of shape (n_samples,) whose mean over the rows where
        `among`, of shape (n_samples,), is true is the rate of a group.
    seed : int
        Of the resamples.

    Returns
    -------
    gaps : list of dict
        ``metric``, the gap of each arm, and ``difference``, ``low`` and ``high``: how much larger
        the distilled student's is than the teacher's, with its 95 % interval.
    """
    return [
        _gap_of(metric, members, terms, among, seed) for metric, (terms, among) in rates.items()
    ]


def _gap_of(metric, members, terms, among, seed):
    columns = np.column_stack([among, *(among * terms[arm] for arm in ARMS)]).astype(float)
    rng = np.random.default_rng(seed)
    observed = _gaps([columns[rows].mean(axis=0, keepdims=True) for rows in members])[0]
    drawn = _gaps([resampled_means(columns[rows], rng) for rows in members])
    teacher, distilled = ARMS.index(TEACHER), ARMS.index(DISTILLED)
    changes = drawn[:, distilled] - drawn[:, teacher]
    changes = changes[np.isfinite(changes)]  # a draw may hold no row of the kind that is looked at
    low, high = percentile_ends(changes) if len(changes) else (np.nan, np.nan)
    return {
        "metric": metric,
        **dict(zip(ARMS, observed.tolist(), strict=True)),
        "difference": float(observed[distilled] - observed[teacher]),
        "low": float(low),
        "high": float(high),
    }


def _gaps(means):
    """Largest less smallest rate over the groups, of shape (n_draws, n_arms).

    A group that has no row of the kind that is looked at has no rate and is left out; nan where
    fewer than two groups have one.
    """
    with np.errstate(invalid="ignore"):
        rates = np.stack([mean[:, 1:] / mean[:, :1] for mean in means])
    known = np.isfinite(rates)
    largest = np.where(known, rates, -np.inf).max(axis=0)
    smallest = np.where(known, rates, np.inf).min(axis=0)
    enough = known.sum(axis=0) > 1
    return np.where(enough, largest - np.where(enough, smallest, 0.0), np.nan)
