"""A bound on how much accuracy is lost, for any number of rows."""

import math

import numpy as np
from scipy.stats import beta

PART_OF_RATE = 0.1
"""The part of the error probability that goes to the rate at which the two differ."""


def gap_bound(n_worse, n_better, n_rows, confidence):
    r"""Return an upper confidence bound on the difference of two accuracies on the same rows.

    Of n independent rows, the first classifier alone is right on :math:`n_+`, the second alone on
    :math:`n_-`. The difference of their accuracies is :math:`\pi (2 \theta - 1)`, with
    :math:`\pi` the probability that one alone is right and :math:`\theta` that it is then the
    first. :math:`n_+ + n_-` is binomial, and given it :math:`n_+` is; both get the exact upper
    bound of Clopper and Pearson, at a tenth and at nine tenths of the error probability
    :math:`1 - c`, and

    .. math:: \pi_U \max(0, 2 \theta_U - 1)

    is above the difference with probability c or more: no approximation, whatever n is.

    Parameters
    ----------
    n_worse, n_better : ndarray of int
        Rows on which the first alone is right, and the second alone.
    n_rows : int
    confidence : float
        In (0, 1).

    Returns
    -------
    ndarray of float
        In [0, 1].

    References
    ----------
    Clopper & Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of
    the binomial", Biometrika 26.
    """
    risk = 1 - confidence
    rate = _upper(n_worse + n_better, n_rows, PART_OF_RATE * risk)
    share = _upper(n_worse, n_worse + n_better, (1 - PART_OF_RATE) * risk)
    return rate * np.maximum(0, 2 * share - 1)


def rows_needed(tolerance, confidence):
    """Return the least number of rows by which two that never differ are shown to be as close.

    Parameters
    ----------
    tolerance : float
        The greatest difference of accuracies, in (0, 1).
    confidence : float

    Returns
    -------
    int
    """
    return math.ceil(math.log(PART_OF_RATE * (1 - confidence)) / math.log1p(-tolerance))


def _upper(n_hits, n_rows, risk):
    """Return the exact upper bound on a probability, of so many hits."""
    n_misses = np.maximum(n_rows - n_hits, 1)
    return np.where(n_hits == n_rows, 1.0, beta.ppf(1 - risk, n_hits + 1, n_misses))
