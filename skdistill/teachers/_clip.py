"""The logarithm of a probability that may be 0, and a temperature on it."""

import numpy as np
from scipy.special import log_softmax

EPSILON = 1e-12
"""The least probability whose logarithm is taken."""


def log_probabilities(probabilities):
    """Return log(max(p, `EPSILON`)).

    At temperature 1 the clip changes no target that anybody could see. At temperature T an
    exact 0 becomes `EPSILON` ** (1/T) before the row is scaled: .001 for T = 4.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows of NaN stay NaN.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    return np.log(np.maximum(probabilities, EPSILON))


def apply_temperature(probabilities, temperature):
    """Return p^(1/T) / sum p^(1/T) for each row.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows that sum to one; rows of NaN stay NaN.
    temperature : float
        T > 0.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    return np.exp(log_softmax(log_probabilities(probabilities) / temperature, axis=1))
