"""The halves of a fit, for others than `fit`: try, ask and learn."""

import warnings
from contextlib import contextmanager
from functools import partial

import numpy as np
from sklearn.base import clone

from skdistill._compat import check_names_and_width
from skdistill._fitting._begun import Clock, Prepared
from skdistill._input._rows import as_rows
from skdistill._interrupts import whole_trainings
from skdistill._unwrap import rows_before_last
from skdistill.exceptions import TeacherWarning
from skdistill.training._all_terms import check_terms

ALONE = {
    "teacher": None,
    "feature_losses": None,
    "cv": None,
    "calibrate": False,
    "augment": None,
    "teacher_classes": None,
}
"""The settings of a model whose teacher has spoken; all of them are about a teacher."""


def try_fit(model, X, y, asked=None, **changes):
    """Do what a fit does before it asks its teacher, and refuse what it would refuse.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    asked : dict of str to array-like of shape (n_rows, ...), default=None
        By what errors call them, rows that the student is to be asked about: they go through its
        steps too.
    **changes
        Parameters that are others in the trial.
    """
    trial = clone(model).set_params(**changes)
    trial._validate_params()
    if isinstance(trial.alpha, str):  # some number, since the fit will find one
        trial.set_params(alpha=0.5)
    student = trial._prepare(trial._read(X, y)).student
    for name, part in (asked or {}).items():
        with called(name):
            check_names_and_width(trial, as_rows(part))
            student[-1].prepare_more(rows_before_last(student, part))


@contextmanager
def called(name):
    """Let an error within the block say with which rows it was found."""
    try:
        yield
    except Exception as error:  # whatever a step of the user's raises
        error.add_note(f"This was found with {name}.")
        raise


def ask(model, X, y, *, groups=None, X_unlabeled=None, refit=True, **changes):
    """Ask a model's teacher what its `fit` would ask: the first half of a fit.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        With a teacher, and with an int as its `random_state` where `learn` is to go on. Not
        changed.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    groups : array-like of shape (n_samples,), default=None
    X_unlabeled : array-like of shape (n_unlabeled, ...), default=None
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
    rows = trial._read(X, y, groups=groups, X_unlabeled=X_unlabeled)
    return trial._ask(rows, refit=refit)


def fit_told(model, X, y):
    """Fit a clone of a model, and hand on what it was told.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X, y
        As for `ask`.

    Returns
    -------
    model : DistilledClassifier or DistilledRegressor
        The one that `fit` gives. Ctrl-C leaves none that has learnt by half.
    targets : Targets or None
        What its teacher has said; None where none was asked.
    """
    model = clone(model)
    model._validate_params()
    with whole_trainings():
        return model, model._fit(X, y, None)


def learn(model, X, y, targets, *, groups=None, X_unlabeled=None, **changes):
    """Fit a model on what its teacher has said: the second half of a fit.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Not changed.
    X, y, groups, X_unlabeled
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
    student = clone(model).set_params(**_alone(model, targets) | changes)
    with warnings.catch_warnings(), whole_trainings():
        warnings.simplefilter("ignore", TeacherWarning)  # the answers were judged when they came
        return student.fit(X, y, soft_targets=targets, groups=groups, X_unlabeled=X_unlabeled)


def learn_more(model, student, X, y, *, soft_targets=None, **given):
    """Train a student further, on what `fit` of a model would teach it.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        Fitted; not changed.
    student : Pipeline
        Fitted, with a net that can go on learning, which is changed in place. Its other steps are
        not fitted again.
    X, y, soft_targets, **given
        As in `fit`; soft targets stand for the model's teacher.
    """
    replaced = soft_targets is not None and model.teacher is not None
    changes = _alone(model, soft_targets) if replaced else {}
    trial = clone(model).set_params(**changes, alpha=model.alpha_)
    rows = trial._read(X, y, soft_targets, **given)
    net = student[-1]
    _check_same(net.link_, rows.task)
    parts = [rows_before_last(student, part) for part in rows.parts]
    parts = [net.prepare_again(parts[0]), *(net.prepare_more(part) for part in parts[1:])]
    check_terms(trial, net, rows, parts)
    ask = partial(trial._ask, rows, refit=False)
    lesson = trial._begin(Prepared(rows, student, parts), ask, Clock()).lesson
    lesson._replace(settings={**lesson.settings, "keep_link": True}).learn()


def _alone(model, targets):
    """Return the settings of a model for a fit in which targets stand for its teacher."""
    alone = {name: value for name, value in ALONE.items() if name in model.get_params(deep=False)}
    if getattr(targets, "features", None):
        del alone["feature_losses"]
    return alone


def _check_same(link, task):
    """Refuse other classes, or numbers of another width, than a student has learnt."""
    if task.classes is None:
        link.check_more(task)
    elif not np.array_equal(link.classes, task.classes):
        raise ValueError(
            f"y holds the classes {task.classes.tolist()[:6]} and the student has learnt "
            f"{link.classes.tolist()[:6]}; expected the same. Give rows of each class."
        )
