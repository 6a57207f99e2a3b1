"""One temperature that makes probabilities honest, and which calibration is wanted."""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from skdistill._temperature import best_temperature
from skdistill.targets._labelled import check_labelled
from skdistill.targets._prior import apply_offsets, fit_prior_offsets
from skdistill.teachers._clip import apply_temperature, log_probabilities

CALIBRATIONS = ("temperature", "prior")
"""What `calibrate` may be beside True and False."""


def fit_temperature(
    answers: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    r"""Find the temperature that minimises the log-loss of softmax(log p / T).

    The loss is convex in 1/T, so its minimum between 0.05 and 20 is found by Newton's method.

    Parameters
    ----------
    answers : array-like of shape (n_samples, n_classes)
        Probabilities, log-probabilities or logits. They are taken for probabilities where all
        values are non-negative and all rows sum to one, up to 0.001 each: log-probabilities cannot
        be so, and logits that are so by chance may be shifted by a constant, which changes nothing.
        Rows of NaN are left out.
    y : array-like of shape (n_samples,)
        The true classes: labels where the columns of `answers` have names, as what
        `teacher_targets` returns and a DataFrame have; else positions of columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs all alike.

    Returns
    -------
    float
        Above 1 for over-confident probabilities, below 1 for timid ones.

    Raises
    ------
    ValueError
        When answers, classes or weights are no such thing, or no row has all of them.

    References
    ----------
    Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv 1706.04599.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import fit_temperature
    >>> honest = np.log([[0.75, 0.25]] * 4)
    >>> round(fit_temperature(3 * honest, [0, 0, 0, 1]), 3)
    3.0
    >>> round(fit_temperature([[0.9, 0.1]] * 4, [0, 0, 0, 1]), 3)
    2.0
    """
    return best_temperature(*check_labelled(answers, y, sample_weight))


def check_calibrate(calibrate):
    """Refuse what is no calibration.

    Parameters
    ----------
    calibrate : bool or {"temperature", "prior"}

    Raises
    ------
    ValueError
    """
    named = isinstance(calibrate, str) and calibrate in CALIBRATIONS
    if not named and not isinstance(calibrate, bool | np.bool_):
        raise ValueError(
            f"The 'calibrate' parameter must be a bool or a str among {set(CALIBRATIONS)}. Got "
            f"{calibrate!r} instead."
        )


def fit_calibration(probabilities, y, calibrate, sample_weight=None):
    """Fit the wanted calibration.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        The teacher's answers; rows of NaN are left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    calibrate : bool or {"temperature", "prior"}
        True is "temperature".
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows; None weighs all alike.

    Returns
    -------
    callable
        Takes probabilities of shape (n_rows, n_classes) and returns calibrated ones.

    Raises
    ------
    ValueError
        For another value of `calibrate`.
    """
    check_calibrate(calibrate)
    if not calibrate:
        return np.asarray
    log_p = log_probabilities(probabilities)
    if calibrate == "prior":
        return partial(apply_offsets, offsets=fit_prior_offsets(log_p, y, sample_weight))
    return partial(apply_temperature, temperature=fit_temperature(log_p, y, sample_weight))
