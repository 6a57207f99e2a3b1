r"""Is one classifier within a tolerance of another? An exact test, for any number of rows.

On n independent rows the first classifier alone is right :math:`n_+` times, the second alone
:math:`n_-` times. Let :math:`\pi` be the probability that one alone is right, and :math:`\delta`
the difference of the accuracies: each row adds 1, -1 or 0 to :math:`D = n_+ - n_-`, with
probabilities :math:`(\pi + \delta)/2`, :math:`(\pi - \delta)/2` and the rest. If
:math:`\pi \le 1/2`, the generating function of such a step has real roots, so that D is the
difference of two independent binomial numbers, of n trials with probabilities a and b:

.. math:: a, b = \tfrac12 \left(1 \pm \delta - \sqrt{1 + \delta^2 - 2\pi}\right).

The law of the steps of all rows but one is then one of sums of Bernoulli variables, whose mode lies
within one of its mean (Darroch 1964), and this makes :math:`P(D \le d)` grow with :math:`\pi` for
:math:`d \le (n - 1)\delta - 2`. So its greatest value for all :math:`\pi` up to the upper bound of
Clopper and Pearson by :math:`n_+ + n_-`, at a part :math:`\gamma` of the error probability, is that
at the bound; it plus :math:`\gamma` is a p-value (Berger & Boos 1994) of the hypothesis that the
difference is :math:`\delta` or more. If the upper bound is above 1/2, Hoeffding's inequality (1963)
takes the place of the law, for all :math:`\pi`:
:math:`P(D \le d) \le \exp(-(n\delta - d)^2 / 2n)`.
"""

import math

import numpy as np
from scipy.special import bdtr, betaincinv

PART = 0.1
"""The part of the error probability that the bound on the rate of differences gets."""

N_HALVINGS = 40


def gap_p_value(n_worse, n_better, n_rows, gap, risk):
    """Return a p-value of the hypothesis that two accuracies differ by `gap` or more.

    Parameters
    ----------
    n_worse, n_better : int
        Rows on which the first classifier alone is right, and the second alone.
    n_rows : int
    gap : float
        The first's accuracy less the second's, in (0, 1).
    risk : float
        The error probability that it will be held against, in (0, 1).

    Returns
    -------
    float

    References
    ----------
    Berger & Boos 1994, "P values maximized over a confidence set for the nuisance parameter",
    Journal of the American Statistical Association 89. Darroch 1964, "On the distribution of the
    number of successes in independent trials", Annals of Mathematical Statistics 35.
    """
    rate = greatest_rate(n_worse + n_better, n_rows, risk)
    if rate <= gap:
        return PART * risk
    difference = n_worse - n_better
    if difference > (n_rows - 1) * gap - 2:
        return 1.0
    if rate > 0.5:
        return min(1.0, math.exp(-((n_rows * gap - difference) ** 2) / (2 * n_rows)) + PART * risk)
    root = math.sqrt(1 + gap**2 - 2 * rate)
    a, b = (1 + gap - root) / 2, (1 - gap - root) / 2
    most = int(n_rows * b + 10 * math.sqrt(n_rows * b)) + 40
    better = np.arange(min(most, n_rows) + 1)
    up_to = bdtr(better, n_rows, b)
    worse = np.clip(difference + better, -1, n_rows)
    below = np.where(worse < 0, 0.0, bdtr(np.maximum(worse, 0), n_rows, a))
    tail = np.diff(up_to, prepend=0.0) @ below + (1 - up_to[-1])
    return min(1.0, float(tail) + PART * risk)


def gap_bound(n_worse, n_better, n_rows, risk):
    """Return what the first's accuracy is above the second's at most; see `gap_p_value`.

    Returns
    -------
    float
        The least difference that is refuted with the error probability `risk`.
    """
    low, high = 0.0, greatest_rate(n_worse + n_better, n_rows, risk)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        if gap_p_value(n_worse, n_better, n_rows, middle, risk) <= risk:
            high = middle
        else:
            low = middle
    return high


def rows_needed(gap, risk):
    """Return the least number of rows on which two that never differ are shown to be so close."""
    too_few, enough = 0, math.ceil(math.log(PART * risk) / math.log1p(-gap))
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if gap_p_value(0, 0, middle, gap, risk) <= risk:
            enough = middle
        else:
            too_few = middle
    return enough


def greatest_rate(n_hits, n_rows, risk):
    """Return the bound of Clopper and Pearson, at a part of the error probability."""
    if n_hits == n_rows:
        return 1.0
    return float(betaincinv(n_hits + 1, n_rows - n_hits, 1 - PART * risk))
