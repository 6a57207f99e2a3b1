"""The halves of a fit, for others than `fit`: try, ask and learn."""

import warnings

from sklearn.base import clone

from skdistill.exceptions import TeacherWarning
from skdistill.training._trainer import whole_trainings

ALONE = {
    "teacher": None,
    "feature_losses": None,
    "cv": None,
    "calibrate": False,
    "augment": None,
    "teacher_classes": None,
}
"""The settings of a model whose teacher has spoken; all of them are about a teacher."""


def try_fit(model, X, y, **changes):
    """Do what a fit does before it asks its teacher, and refuse what it would refuse.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    **changes
        Parameters that are others in the trial.
    """
    trial = clone(model).set_params(**changes)
    trial._validate_params()
    if isinstance(trial.alpha, str):  # some number, since the fit will find one
        trial.set_params(alpha=0.5)
    trial._prepare(X, y)


def ask(model, X, y, *, groups=None, refit=True, **changes):
    """Ask a model's teacher what its `fit` would ask: the first half of a fit.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        With a teacher, and with an int as its `random_state` where `learn` is to go on. Not
        changed.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    groups : array-like of shape (n_samples,), default=None
        As in `fit`.
    refit : bool, default=True
        Whether the fitted teacher is wanted too.
    **changes
        Parameters that are others for the question.

    Returns
    -------
    targets : Targets
    teacher : object or None
        The fitted teacher; None where none was wanted, or is.
    """
    trial = clone(model).set_params(**changes)
    trial._validate_params()
    rows, seeds = trial._read(X, y, groups=groups)
    return trial._ask(rows, None, seeds[0], refit=refit)


def learn(model, X, y, targets, *, groups=None, **changes):
    """Fit a model on what its teacher has said: the second half of a fit.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X, y, groups
        As for `ask`.
    targets : Targets or None
        What `ask` returned. None with ``alpha=0``.
    **changes
        Parameters that are others for the fit.

    Returns
    -------
    DistilledClassifier or DistilledRegressor
        The one that `fit` of the model would give, except that it knows no teacher. Ctrl-C leaves
        none that has learnt by half.
    """
    alone = {name: value for name, value in ALONE.items() if name in model.get_params(deep=False)}
    if targets is not None and targets.features:
        del alone["feature_losses"]
    student = clone(model).set_params(**alone | changes)
    with warnings.catch_warnings(), whole_trainings():
        warnings.simplefilter("ignore", TeacherWarning)  # the answers were judged when they came
        return student.fit(X, y, soft_targets=targets, groups=groups)
