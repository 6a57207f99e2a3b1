"""The warning against a teacher of numbers that a constant beats."""

import numpy as np

from skdistill._warn import warn
from skdistill.exceptions import TeacherWarning


def warn_of_poor_values(values, y, sample_weight=None, level=None, names=None):
    """Warn when the best constant prediction is nearer to the targets than the teacher is.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_outputs)
        What the teacher predicts; rows of NaN are left out.
    y : ndarray of shape (n_samples, n_outputs)
        Targets.
    sample_weight : ndarray of shape (n_samples,), default=None
    level : float or ndarray of shape (n_outputs,), default=None
        The quantile that is learnt, judged by the pinball loss; None is the mean, judged by the
        squared error.
    names : ndarray of shape (n_outputs,), default=None
        Those of y's columns.

    Warns
    -----
    TeacherWarning
    """
    told = ~np.isnan(values).any(axis=1)
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    told &= weight > 0
    if not told.any():
        return
    values, y, weight = values[told], y[told], weight[told]
    constant = _best_constant(y, weight, level)
    of_teacher = np.average(_errors(values, y, level), axis=0, weights=weight)
    of_constant = np.average(_errors(constant, y, level), axis=0, weights=weight)
    poor = (of_teacher > of_constant) & (of_constant > 0)
    if not poor.any():
        return
    worst = int(np.argmax(of_teacher / np.where(poor, of_constant, np.inf)))
    name = "squared error" if level is None else "pinball loss"
    level = None if level is None else np.broadcast_to(level, y.shape[1])[worst]
    best = "mean" if level is None else f"quantile {level:g}"
    which = worst if names is None else repr(names.tolist()[worst])
    column = f" in column {which} of y" if y.shape[1] > 1 else ""
    reason = (
        "it would teach nonsense. Was it fitted on rows prepared otherwise, or on targets in "
        "another unit? Put the preprocessing into the teacher's own Pipeline, a change of unit "
        "into a TransformedTargetRegressor."
    )
    if level not in (None, 0.5):
        reason = (
            f"a teacher of the mean does not teach a quantile. Give one of that quantile, such as "
            f"HistGradientBoostingRegressor(loss='quantile', quantile={level:g})."
        )
    warn(
        f"The teacher's {name} on the labelled rows is {of_teacher[worst]:.4g}{column}, worse than "
        f"the {of_constant[worst]:.4g} of the {best} of y alone: {reason}",
        TeacherWarning,
    )


def _errors(values, y, level):
    if level is None:
        return (y - values) ** 2
    return np.maximum(level * (y - values), (level - 1) * (y - values))


def _best_constant(y, weight, level):
    if level is None:
        return np.average(y, axis=0, weights=weight)
    order = np.argsort(y, axis=0)
    shares = np.cumsum(weight[order], axis=0) / weight.sum()
    position = (shares < level).sum(axis=0).clip(max=len(y) - 1)
    return np.take_along_axis(y, order, axis=0)[position, np.arange(y.shape[1])]
