"""The teacher of a DistilledClassifier: found, asked once, and its answers shared."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from skdistill._classifier import DistilledClassifier
from skdistill._halves import ask
from skdistill._rows import as_rows
from skdistill.targets import Targets, teacher_probabilities
from skdistill.teachers._fit import is_fitted, is_kept
from skdistill.teachers._key import content_key
from skdistill.training._views import views_of


def find_distilled(estimator: Any) -> Any:
    """The DistilledClassifier that asks a teacher: the estimator, or the last step of a Pipeline.

    None where there is none, and where alpha is 0.
    """
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    asks = isinstance(last, DistilledClassifier) and last.teacher is not None and last.alpha > 0
    return last if asks else None


def takes_targets(estimator: Any) -> bool:
    """Whether soft targets can stand for it: not for generated rows, hidden layers or views."""
    model = find_distilled(estimator)
    if model is None or model.augment is not None or model.feature_losses:
        return False
    return not views_of(model.student)


def has_unreachable_teacher(estimator: Any) -> bool:
    """Whether an estimator fits a teacher for which soft targets cannot stand."""
    reached = find_distilled(estimator) if takes_targets(estimator) else None
    return any(
        part is not reached and find_distilled(part) is part and not is_fitted(part.teacher)
        for part in (estimator, *estimator.get_params(deep=True).values())
        if isinstance(part, DistilledClassifier)
    )


def ask_for_targets(
    estimator: Any,
    X: Any,
    y: np.ndarray,
    groups: np.ndarray | None = None,
    known: dict[Any, Targets] | None = None,
) -> Targets:
    """Ask the teacher of an estimator for the soft targets that its `fit` would use.

    Parameters
    ----------
    estimator : estimator
        A seeded clone that `takes_targets`.
    X : array-like of shape (n_samples, ...)
        Rows, as the estimator gets them.
    y : ndarray of shape (n_samples,)
        Their labels.
    groups : ndarray of shape (n_samples,), default=None
        Rows that stay together in the cross-fitting.
    known : dict, default=None
        What was asked about these rows before: an estimator with the same teacher, the same
        settings of it and the same steps before it finds the answer here, or adds its own.

    Returns
    -------
    Targets
    """
    known = {} if known is None else known
    key = _key(estimator)
    if key not in known:
        model = find_distilled(estimator)
        rows = _before(estimator, X, y)[0]
        known[key] = ask(model, rows, y, groups=groups, refit=False)[0]
    return known[key]


def replace_teacher(estimator: Any) -> None:
    """Make an estimator, a clone that is changed in place, learn from `soft_targets` alone."""
    alone: dict[str, Any] = {"teacher": None, "cv": None, "teacher_classes": None}
    find_distilled(estimator).set_params(**alone)


def reference_probabilities(
    estimator: Any, X: Any, y: np.ndarray, X_test: Any, classes: Any
) -> np.ndarray:
    """What a teacher that is fitted, or was fitted on all rows, says about the test rows.

    Parameters
    ----------
    estimator : estimator
        A seeded clone in which `find_distilled` finds something.
    X, X_test : array-like of shape (n_samples, ...) and (n_test, ...)
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        The order of the columns.

    Returns
    -------
    ndarray of shape (n_test, n_classes), float64
    """
    model = find_distilled(estimator)
    X, steps = _before(estimator, X, y)
    X_test = X_test if steps is None else steps.transform(X_test)
    teacher = model.teacher
    if not is_fitted(teacher):
        # One fit: what it says about its own rows is not looked at.
        once: dict[str, Any] = {"cv": "in-sample", "calibrate": False}
        teacher = ask(model, X, y, **once)[1]
    return teacher_probabilities(
        teacher,
        as_rows(X_test),
        classes,
        teacher_classes=model.teacher_classes,
        device=model.device,
        memory=model.memory,
    )


def _before(estimator: Any, X: Any, y: np.ndarray) -> tuple[Any, Any]:
    """Rows as they reach the last step of a Pipeline, and the fitted steps before it."""
    if not isinstance(estimator, Pipeline) or len(estimator) == 1:
        return X, None
    steps = clone(estimator[:-1])
    return steps.fit_transform(X, y), steps


def _key(estimator: Any) -> Any:
    """Equal for estimators that get the same targets for the same rows."""
    model = find_distilled(estimator)
    steps = estimator[:-1].steps if isinstance(estimator, Pipeline) else []
    settings = (model.cv, model.calibrate, model.teacher_classes, str(model.device))
    try:
        return content_key(_identity(model.teacher), steps, settings, model.random_state)
    except (pickle.PicklingError, AttributeError, TypeError):
        return object()  # a lambda among them, say: equal to nothing else


def _identity(teacher: Any) -> Any:
    """What tells teachers apart: which object a fitted one is, what any other holds."""
    if isinstance(teacher, list | tuple):
        return [_identity(member) for member in teacher]
    if isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    return id(teacher) if is_kept(teacher) else teacher
