"""What came in, checked before anything is trained."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from skdistill._random import draw_seeds
from skdistill.evaluation._checks import check_classes, check_n_jobs, rows_and_labels
from skdistill.evaluation._recipes import check_distilled, check_recipe
from skdistill.targets._plan import check_teacher
from skdistill.teachers._asks import CLASSES
from skdistill.training._views import views_of


@dataclass(frozen=True)
class CurveInput:
    """Checked rows, labels and splits.

    Attributes
    ----------
    model : DistilledClassifier
        The recipe.
    X : array-like of shape (n_samples, ...)
    y : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        The sorted labels of all rows: the columns of every answer that is scored.
    y_index : ndarray of shape (n_samples,), int
        The positions of the labels in `classes`.
    splits : list of (train, test) pairs of int ndarrays
    seed : int
        The `random_state` of every fit.
    teacher_is_fitted : bool
    """

    model: Any
    X: Any
    y: np.ndarray
    classes: np.ndarray
    y_index: np.ndarray
    splits: list[tuple[np.ndarray, np.ndarray]]
    seed: int
    teacher_is_fitted: bool


def check_curve_input(
    owner: str, model: Any, X: Any, y: Any, cv: Any, n_jobs: Any = None
) -> CurveInput:
    """Check what all curves are given; `owner` is the function that the errors name.

    Raises
    ------
    TypeError
        When `model` is no DistilledClassifier.
    ValueError
        When anything else does not fit. The message says what came and what to do.
    """
    check_distilled(owner, model)
    check_n_jobs(owner, n_jobs)
    if model.teacher is None:
        raise ValueError(
            f"{owner} needs a teacher, and model.teacher is None. Pass "
            "DistilledClassifier(teacher, ...); a teacher known only by its answers can be a "
            "callable that returns the probabilities of given rows."
        )
    if model.augment is not None:
        raise ValueError(
            f"{owner} compares students on the same rows, and augment={model.augment!r} generates "
            f"others for the distilled one alone; pass clone(model).set_params(augment=None)."
        )
    if model.feature_losses:
        raise ValueError(
            f"{owner} asks the teacher once and hands its answers on, which say nothing of hidden "
            f"layers; pass clone(model).set_params(feature_losses=None)."
        )
    if views_of(model.student):
        raise ValueError(
            f"{owner} asks the teacher once and hands its answers on, which say nothing of views; "
            f"pass a model whose StudentNet has views=None."
        )
    teacher = check_teacher(model.teacher, model.cv, CLASSES)
    X, y = rows_and_labels("X", X, "y", y)
    check_classes("y", y, owner)
    splits = _splits(cv, X, y)
    check_recipe(model, X, y)
    classes, y_index = np.unique(y, return_inverse=True)
    state = model.random_state
    is_int = isinstance(state, int | np.integer)
    return CurveInput(
        model=model,
        X=X,
        y=y,
        classes=classes,
        y_index=y_index,
        splits=splits,
        seed=int(state) if is_int else draw_seeds(state, 1)[0],
        teacher_is_fitted=teacher.is_fitted,
    )


def _splits(cv: Any, X: Any, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    positions = np.arange(len(y))  # of which a split may be a list or a mask
    splitter, cv = check_cv(cv, y, classifier=True), reprlib.repr(cv)
    try:
        splits = [(positions[train], positions[test]) for train, test in splitter.split(X, y)]
    except (IndexError, TypeError) as error:
        raise ValueError(
            f"cv={cv} does not split these {len(y)} rows ({error}); expected pairs of positions "
            f"from 0 to {len(y) - 1}, or masks, such as [(train, test)]."
        ) from error
    if not splits:
        raise ValueError(f"cv={cv} gives no split; expected at least one (train, test) pair.")
    for number, (train, test) in enumerate(splits):
        if len(test) == 0:
            raise ValueError(f"Split {number} of cv={cv} has no test rows; expected some.")
        shared = np.intersect1d(train, test)
        if len(shared):
            raise ValueError(
                f"Split {number} of cv={cv} has {len(shared)} rows both for training and for "
                f"the test, such as row {shared[0]}; expected no row on both sides."
            )
        if len(np.unique(y[train])) < 2:
            raise ValueError(
                f"The training rows of split {number} of cv={cv} hold one class only; expected "
                f"at least two. Use a stratified splitter or fewer splits."
            )
    return splits
