"""The one temperature that makes logits honest, by rows whose labels are known."""

import numpy as np
from scipy.special import log_softmax

from skdistill._input._rows import blocks_of

BOUNDS = (0.05, 20.0)
"""The temperatures that are searched."""

TOLERANCE = 1e-9
MAX_STEPS = 100


def best_temperature(logits, positions, weight=None, prior_scale=np.inf):
    r"""Return the temperature that minimises the log-loss of softmax(z / T).

    With a prior, what is minimised is the sum of the losses and
    :math:`(\log T)^2 / (2 \sigma^2)`, so that few rows stay near T = 1.

    The loss is convex in :math:`\beta = 1/T`. Its slope,
    :math:`\overline{q_\beta \cdot z} - \overline{t \cdot z}` with t the labels, is brought to zero
    by Newton's steps inside a bracket.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes), float64
        Or log-probabilities.
    positions : ndarray of shape (n_samples,), int
        The true classes.
    weight : ndarray of shape (n_samples,), default=None
        Not negative; None weighs all alike.
    prior_scale : float, default=inf
        The standard deviation of log T beforehand.

    Returns
    -------
    float
        Within `BOUNDS`; 1 where no row has a weight.
    """
    weight = np.ones(len(logits)) if weight is None else np.asarray(weight, dtype=np.float64)
    total = weight.sum()
    if not total > 0:
        return 1.0
    share = weight / total
    z = logits - logits.max(axis=1, keepdims=True)
    wanted = share @ z[np.arange(len(z)), positions]
    prior = 1 / (prior_scale**2 * np.count_nonzero(weight))

    def slope(inverse):
        """Return the slope of the mean loss, less the prior, and its own."""
        means, squares = np.empty(len(z)), np.empty(len(z))
        for rows in blocks_of(len(z)):
            q = np.exp(log_softmax(inverse * z[rows], axis=1))
            means[rows] = (q * z[rows]).sum(axis=1)
            squares[rows] = (q * z[rows] ** 2).sum(axis=1)
        variance = share @ (squares - means**2)
        pull = prior * np.log(inverse) / inverse
        return share @ means - wanted + pull, variance + prior * (1 - np.log(inverse)) / inverse**2

    return float(1 / _root(slope, 1 / BOUNDS[1], 1 / BOUNDS[0]))


def _root(slope, low, high):
    """Return where an increasing function is zero, or the end where it is nearest to that."""
    here = 1.0
    for _ in range(MAX_STEPS):
        value, rise = slope(here)
        if value < 0:
            low = here
        else:
            high = here
        following = here - value / rise if rise > 0 else np.inf
        if not low < following < high:  # a step halves the bracket, in the logarithm
            following = np.sqrt(low * high)
        if abs(following - here) <= TOLERANCE * here:
            break
        here = following
    return here
