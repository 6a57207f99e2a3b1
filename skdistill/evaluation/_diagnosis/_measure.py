"""What a diagnosis is read from: the answers of student, teacher and plain student."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill.evaluation._metrics import check_probabilities
from skdistill.evaluation._recipes import DISTILLED, PLAIN, SMOOTHED, fit_student, student_recipes
from skdistill.evaluation._report._arms import ask_teacher
from skdistill.evaluation._report._checks import ReportInput
from skdistill.exceptions import TeacherWarning
from skdistill.targets import fit_temperature, teacher_probabilities
from skdistill.targets._calibration import fit_calibration
from skdistill.teachers._clip import log_probabilities


@dataclass(frozen=True)
class Evidence:
    """Probabilities of everybody on both sets of rows, each of shape (n_rows, n_classes).

    Attributes
    ----------
    y_train, y_test : ndarray of shape (n_train,) and (n_test,), int
        The columns of the labels.
    teacher_train : ndarray
        The targets, out of fold where the teacher was cross-fitted; rows of NaN have none.
    teacher_test : ndarray
        Of the teacher that is fitted on all training rows, calibrated as the targets are.
    student_train, student_test, plain_test : ndarray
        Of the model, and of its recipe with hard labels alone.
    teacher_temperature : float
        The temperature that calibrates `teacher_train`.
    cross_fitted : bool
        Whether no training row was answered by a teacher that had been fitted on it.
    alpha : float
        Weight of the teacher's term.
    smooth : callable
        Fits the recipe with label smoothing and returns its answers on the test rows.
    """

    y_train: np.ndarray
    y_test: np.ndarray
    teacher_train: np.ndarray
    teacher_test: np.ndarray
    student_train: np.ndarray
    student_test: np.ndarray
    plain_test: np.ndarray
    teacher_temperature: float
    cross_fitted: bool
    alpha: float
    smooth: Callable[[], np.ndarray]


def gather_evidence(model: Any, given: ReportInput) -> Evidence:
    """Fit what is not fitted, and let everybody answer for the training and the test rows.

    Parameters
    ----------
    model : DistilledClassifier
        Fitted or not; it is left as it is.
    given : ReportInput
        Checked rows and labels.

    Returns
    -------
    evidence : Evidence
    """
    X, y = given.X_train, given.y_train
    seed = int(model.random_state) if isinstance(model.random_state, int | np.integer) else 0
    say = print if model.verbose else _silent
    if not given.fitted:
        model = clone(model).fit(X, y)
        say(f"[diagnose] {DISTILLED}: {sum(model.fit_seconds_.values()):.1f} s")
    targets, teacher, calibration = _teach(model, given, seed)
    recipes = dict(student_recipes(model, given.train_index, targets, len(given.classes)))

    def fit(arm: str) -> Any:
        parameters, soft_targets = recipes[arm]
        # The rows that a teacher would label are out of place where nobody can.
        fitted = fit_student(model, seed, X, y, soft_targets, augment=None, **parameters)
        say(f"[diagnose] {arm}: {fitted.fit_seconds_['student']:.1f} s")
        return fitted

    plain = model if model.alpha_ == 0 and not model.feature_losses else fit(PLAIN)
    answer = teacher_probabilities(
        teacher,
        given.X_test,
        given.classes,
        teacher_classes=model.teacher_classes,
        device=model.device,
        memory=model.memory,
    )
    return Evidence(
        y_train=given.train_index,
        y_test=given.test_index,
        teacher_train=targets.values,
        teacher_test=calibration(answer),
        student_train=_ask(model, X),
        student_test=_ask(model, given.X_test),
        plain_test=_ask(plain, given.X_test),
        teacher_temperature=fit_temperature(log_probabilities(targets.values), given.train_index),
        cross_fitted=targets.out_of_fold,
        alpha=model.alpha_,
        smooth=lambda: _ask(fit(SMOOTHED), given.X_test),
    )


def _teach(
    model: Any, given: ReportInput, seed: int
) -> tuple[Any, Any, Callable[[np.ndarray], np.ndarray]]:
    """The student's targets, the fitted teacher, and the calibration of its answers.

    The report asks for targets as the student learns them; here the calibration itself is wanted
    too, for the teacher's answers on the test rows.
    """
    raw = copy(model)
    raw.calibrate = False
    with warnings.catch_warnings():
        # A misleading teacher is among the things that the diagnosis itself finds.
        warnings.simplefilter("ignore", TeacherWarning)
        targets, teacher, _ = ask_teacher(raw, given.X_train, given.y_train, seed, True)
    calibration = fit_calibration(targets.values, given.train_index, model.calibrate)
    return targets.replace(values=calibration(targets.values)), teacher, calibration


def _silent(_: str) -> None:
    """Say nothing."""


def _ask(student: Any, X: Any) -> np.ndarray:
    return check_probabilities(student.predict_proba(X), name="The answer of the student")
