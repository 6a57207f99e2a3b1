"""Intervals for the difference of two arms that were scored on the same rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

N_RESAMPLES = 2000
CONFIDENCE = 0.95

#: Counts that are held at once, so that the memory stays near 8 MB for any number of rows.
_CHUNK = 2**20


class BootstrapInterval(NamedTuple):
    """A mean difference and the ends of its interval."""

    difference: float
    low: float
    high: float


def paired_bootstrap(
    differences: np.ndarray,
    *,
    n_resamples: int = N_RESAMPLES,
    confidence: float = CONFIDENCE,
    random_state: int = 0,
) -> list[BootstrapInterval]:
    """Percentile intervals of means of per-row differences.

    The rows are drawn with replacement, n out of n, and every column is averaged over the same
    draw. The ends are the ``(1 - confidence) / 2`` and ``(1 + confidence) / 2`` quantiles over
    the draws. They tell how the difference would vary over other test sets of that size; the
    randomness of the training is not in them.

    Parameters
    ----------
    differences : ndarray of shape (n_samples, n_metrics)
        Term of one arm minus term of the other, for each row.
    n_resamples : int, default=2000
        Number of draws.
    confidence : float, default=0.95
        Probability content of the interval.
    random_state : int, default=0
        Seed of the draws.

    Returns
    -------
    intervals : list of BootstrapInterval, of length n_metrics
        Mean difference and interval of each column.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile).
    """
    drawn = resampled_means(differences, np.random.default_rng(random_state), n_resamples)
    low, high = percentile_ends(drawn, confidence)
    return [
        BootstrapInterval(float(d), float(lo), float(hi))
        for d, lo, hi in zip(differences.mean(axis=0), low, high, strict=True)
    ]


def resampled_means(
    values: np.ndarray, rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> np.ndarray:
    """Means over rows drawn with replacement, n out of n, the same for all columns.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
    rng : numpy.random.Generator
    n_resamples : int, default=2000
        Number of draws.

    Returns
    -------
    ndarray of shape (n_resamples, n_columns)
    """
    n, n_columns = values.shape
    means = np.empty((n_resamples, n_columns))
    step = max(1, _CHUNK // n)
    for start in range(0, n_resamples, step):
        size = min(step, n_resamples - start)
        # A resample as counts of its rows: row r of the draws owns the numbers [r*n, (r+1)*n).
        drawn = rng.integers(0, n, size=(size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means[start : start + size] = counts @ values / n
    return means


def percentile_ends(drawn: np.ndarray, confidence: float = CONFIDENCE) -> np.ndarray:
    """The two ends of a percentile interval over the first axis, of shape (2, ...)."""
    tail = (1.0 - confidence) / 2.0
    return np.quantile(drawn, [tail, 1.0 - tail], axis=0)
