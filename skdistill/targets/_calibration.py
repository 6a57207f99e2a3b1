"""One temperature that makes probabilities honest, and which calibration is wanted."""

from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from skdistill._temperature import best_temperature
from skdistill._words import shorten
from skdistill.targets._labelled import check_labelled
from skdistill.targets._prior import apply_offsets, fit_prior_offsets
from skdistill.teachers._clip import apply_temperature, log_probabilities

CALIBRATIONS = ("temperature", "prior", "auto")
"""What `calibrate` may be beside True and False."""

ROUNDING = 1e-12
"""A log-loss lowered by less is not lower: a temperature of one does as much, by rounding."""


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
    calibrate : bool or {"temperature", "prior", "auto"}

    Raises
    ------
    ValueError
    """
    named = isinstance(calibrate, str) and calibrate in CALIBRATIONS
    if not named and not isinstance(calibrate, bool | np.bool_):
        raise ValueError(
            f"The 'calibrate' parameter must be a bool or a str among {set(CALIBRATIONS)}. Got "
            f"{shorten(calibrate)} instead."
        )


def fit_calibration(probabilities, y, calibrate, sample_weight=None, *, out_of_fold=False):
    """Fit the wanted calibration.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        The teacher's answers; rows of NaN are left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    calibrate : bool or {"temperature", "prior", "auto"}
        True is "temperature". "auto" is that where the answers are out of fold and it lowers their
        log-loss by more than a standard error over the rows.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows; None weighs all alike.
    out_of_fold : bool, default=False
        Whether each row was answered by a teacher that had not been fitted on it. Beside labels
        that it knows a teacher looks timid, and "auto" leaves it alone.

    Returns
    -------
    callable or None
        Takes probabilities of shape (n_rows, n_classes) and returns calibrated ones. None leaves
        them as they are.

    Raises
    ------
    ValueError
        For another value of `calibrate`.
    """
    check_calibrate(calibrate)
    if not calibrate or (calibrate == "auto" and not out_of_fold):
        return None
    log_p = log_probabilities(probabilities)
    if calibrate == "prior":
        return partial(apply_offsets, offsets=fit_prior_offsets(log_p, y, sample_weight))
    found = partial(apply_temperature, temperature=fit_temperature(log_p, y, sample_weight))
    if calibrate == "auto" and not _surely_better(found(probabilities), log_p, y, sample_weight):
        return None
    return found


def _surely_better(calibrated, log_p, y, sample_weight):
    """Whether the log-loss is lower, by more than a standard error over the rows."""
    told = ~np.isnan(log_p).any(axis=1)
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    share = weight[told] / weight[told].sum()
    true = np.flatnonzero(told), y[told]
    gains = log_probabilities(calibrated)[true] - log_p[true]
    gain = share @ gains
    return bool(gain > max(np.sqrt(share**2 @ (gains - gain) ** 2), ROUNDING))
