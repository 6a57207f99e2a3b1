"""One recipe, fitted on different targets: what the arms of every comparison are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import clone, is_regressor

from skdistill._classifier import DistilledClassifier
from skdistill._random import draw_seeds
from skdistill.exceptions import TeacherWarning
from skdistill.targets import Targets
from skdistill.targets._ask import Desk, Fitting
from skdistill.targets._memory import open_memory
from skdistill.targets._targets import compute_targets
from skdistill.targets._tasks import ClassTask
from skdistill.training._views import views_of

TEACHER = "teacher"
PLAIN = "plain"
SCALED = "plain + temperature"
SMOOTHED = "label smoothing"
TEACHER_LABELS = "teacher's hard labels"
DISTILLED = "distilled"

#: The order of the rows of a report.
ARM_NAMES = (TEACHER, PLAIN, SCALED, SMOOTHED, TEACHER_LABELS, DISTILLED)

#: What the intervals of a report compare distilled with.
COMPARISONS = {
    PLAIN: "distilled - plain",
    SCALED: "distilled - (plain + temperature)",
    TEACHER: "distilled - teacher",
}

SMOOTHING = 0.1

#: The settings of a student whose targets are given; all of them are about a teacher.
ALONE: dict[str, Any] = {
    "teacher": None,
    "feature_losses": None,
    "cv": None,
    "calibrate": False,
    "augment": None,
    "teacher_classes": None,
}


def check_distilled(owner: str, model: Any) -> None:
    """Refuse what is no DistilledClassifier; `owner` is the function that the error names.

    Raises
    ------
    TypeError
        The message says what came and what to do.
    """
    if isinstance(model, DistilledClassifier):
        return
    if is_regressor(model):
        advice = (
            "a regressor, and what is compared here are class probabilities. "
            "evaluation.bias_variance_decomposition and compare take regressors, and so do "
            "sklearn.model_selection.cross_validate and learning_curve."
        )
    else:
        advice = "of a Pipeline or a search pass its distilled step."
    raise TypeError(
        f"The 'model' parameter of {owner} must be a DistilledClassifier. Got "
        f"{type(model).__name__} instead; {advice}"
    )


def student_recipes(
    model: Any, y_index: np.ndarray, targets: Any, n_classes: int
) -> Iterator[tuple[str, tuple[dict[str, Any], Targets | None]]]:
    """Yield the name, the parameters and the soft targets of each arm that is fitted."""
    one_hot = np.eye(n_classes)
    # Cross-entropy on soft labels is kd at T = 1, whatever loss the model itself uses.
    cross_entropy = {"loss": "kd", "alpha": 1.0, "temperature": 1.0}
    yield PLAIN, ({"alpha": 0.0}, None)
    smoothed = (1.0 - SMOOTHING) * one_hot[y_index] + SMOOTHING / n_classes
    yield SMOOTHED, (cross_entropy, Targets(smoothed, from_labels=True))
    labels = one_hot[targets.values.argmax(axis=1)]
    labels[~targets.has_target] = np.nan
    yield TEACHER_LABELS, (cross_entropy, Targets(labels, from_labels=True))
    if model.augment is None and not model.feature_losses and not views_of(model.student):
        yield DISTILLED, ({}, targets)
    else:  # generated rows, hidden layers and views need the teacher itself
        yield DISTILLED, ({name: getattr(model, name) for name in ALONE}, None)


def ask_for_targets(
    model: Any,
    X: Any,
    y: np.ndarray,
    seed: int,
    *,
    groups: Any = None,
    fit_params: Any = None,
    refit: bool = True,
    **settings: Any,
) -> tuple[Targets, Any]:
    """The targets that the model's `fit` would use on these rows, and the fitted teacher.

    Parameters
    ----------
    model : DistilledClassifier
        With a teacher.
    X : array-like of shape (n_samples, ...)
    y : ndarray of shape (n_samples,)
    seed : int
        What the `random_state` of the model is.
    groups : array-like of shape (n_samples,), default=None
    fit_params : dict, default=None
        What metadata routing brings for the teacher's `fit`.
    refit : bool, default=True
        Whether the teacher is wanted too.
    **settings
        Of the teacher, above those of the model: teacher, cv, calibrate.
    """
    chosen = {name: getattr(model, name) for name in ("teacher", "cv", "calibrate")} | settings
    return compute_targets(
        chosen["teacher"],
        X,
        ClassTask(y),
        cv=chosen["cv"],
        calibrate=chosen["calibrate"],
        groups=groups,
        columns=model.teacher_classes,
        fitting=Fitting(draw_seeds(seed, 1)[0], None, fit_params),  # the first that fit draws
        desk=Desk(model.device, open_memory(model.memory), model.n_jobs, model.verbose),
        refit=refit,
    )


def fit_student(
    model: Any,
    seed: int,
    X: Any,
    y: np.ndarray,
    soft_targets: Targets | None = None,
    **parameters: Any,
) -> Any:
    """Fit the model's recipe without its teacher: the same student, the same budget."""
    settings = {**ALONE, "verbose": 0, "random_state": seed, **parameters}
    student = clone(model).set_params(**settings)
    with warnings.catch_warnings():
        # The teacher's answers were judged once; hard labels and smoothed ones are no answers.
        warnings.simplefilter("ignore", TeacherWarning)
        return student.fit(X, y, soft_targets=soft_targets)
