"""Warnings against teachers that would mislead the student in silence."""

import re
import warnings

import numpy as np

from skdistill.exceptions import TeacherWarning
from skdistill.targets._prior import apply_offsets, fit_prior_offsets
from skdistill.teachers._clip import log_probabilities

FLOOR = 1e-3
"""Probabilities are taken as at least this much when a teacher is held against the class prior,
so that a forest's exact zeros do not decide."""

PRIOR_SHIFT = 0.1
"""The total variation distance between mean probabilities and class rates that is warned of."""


def warn_of_misleading_targets(probabilities, y, sample_weight=None):
    """Warn when the labels speak against the teacher's answers.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        The targets; rows of NaN are left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    sample_weight : ndarray of shape (n_samples,), default=None

    Warns
    -----
    TeacherWarning
        When the log-loss, probabilities taken as at least `FLOOR`, is above that of the class
        rates, with another text where `fit_prior_offsets` would cure it; or when the mean
        probabilities are further than `PRIOR_SHIFT` from the class rates in total variation,
        half the sum of the absolute differences. Answers that are uniform for all rows mislead
        nobody: they smooth the labels.
    """
    told = ~np.isnan(probabilities).any(axis=1)
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    told &= weight > 0
    if not told.any():
        return
    p, y, weight = probabilities[told], y[told], weight[told] / weight[told].sum()
    if np.allclose(p, 1 / p.shape[1]):
        return
    rates = np.bincount(y, weights=weight, minlength=p.shape[1])
    means = weight @ p
    is_shifted = np.abs(means - rates).sum() / 2 > PRIOR_SHIFT
    loss = _floored_loss(p, y, weight)
    prior = -(weight * np.log(rates[y])).sum()
    if loss > prior:
        start = (
            f"The teacher's log-loss on the labelled rows is {loss:.3f}, worse than the "
            f"{prior:.3f} of the class rates alone"
        )
        if is_shifted:
            offsets = fit_prior_offsets(log_probabilities(p), y, weight)
            loss = _floored_loss(apply_offsets(p, offsets), y, weight)
        if loss > prior:
            reason = (
                ": it would teach nonsense. Was it fitted on rows prepared otherwise, or on other "
                "labels? Put the preprocessing into the teacher's own Pipeline, or set "
                "teacher_classes."
            )
        else:
            reason = (
                f", and {loss:.3f} once its mean probabilities agree with them: it was fitted with "
                f"class weights or on resampled rows. Use calibrate='prior', or a teacher without "
                f"class weights."
            )
        warnings.warn(start + reason, TeacherWarning, stacklevel=2)
    elif is_shifted:
        worst = int(np.argmax(np.abs(means - rates)))
        warnings.warn(
            f"The teacher's mean probabilities are far from the class rates (class number "
            f"{worst}: {means[worst]:.3f} on average, {rates[worst]:.3f} of the rows), as after "
            f"class weights or resampling: the student will inherit the shift. Use "
            f"calibrate='prior', or a teacher without class weights.",
            TeacherWarning,
            stacklevel=2,
        )


def _floored_loss(p, y, weight):
    return -(weight * np.log(np.maximum(p[np.arange(len(y)), y], FLOOR))).sum()


def warn_of_feature_names(teacher, X):
    """Warn when the teacher was fitted with other feature names than X has.

    Parameters
    ----------
    teacher : object
        A fitted teacher; nothing is compared unless it has `feature_names_in_`.
    X : array-like of shape (n_samples, n_features)
        The rows that it will be asked about.

    Warns
    -----
    TeacherWarning
    """
    names = getattr(teacher, "feature_names_in_", None)
    if names is None:
        return
    names = [_plain(name) for name in names]
    columns = [_plain(name) for name in getattr(X, "columns", [])]
    if columns == names:
        return
    if columns:
        odd = [name for name in columns if name not in names][:3]
        difference = (
            f"X has columns that it does not know ({odd})"
            if odd
            else ("X has other columns, or the same in another order")
        )
    else:
        difference = "X has none"
    warnings.warn(
        f"The teacher was fitted with the feature names {names[:3]}... and {difference}: a teacher "
        f"that is asked about rows prepared otherwise answers nonsense. Give fit the rows that "
        f"the teacher was fitted on; the student's preprocessing belongs inside the student.",
        TeacherWarning,
        stacklevel=2,
    )


def _plain(name):
    # LightGBM writes an underscore for each sign that is no letter.
    return re.sub(r"\W", "_", str(name))
