"""The logarithm of a probability that may be 0."""

import numpy as np

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
