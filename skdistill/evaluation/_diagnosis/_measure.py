"""What a diagnosis is read from: what student, teacher and plain student say of the rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._halves import ask, learn
from skdistill._regressor import DistilledRegressor
from skdistill.evaluation._engine import SMOOTHING
from skdistill.evaluation._metrics import check_probabilities
from skdistill.evaluation._recipes import DISTILLED, PLAIN, SMOOTHED
from skdistill.evaluation._report._checks import ReportInput
from skdistill.exceptions import TeacherWarning
from skdistill.targets import Targets, fit_temperature, teacher_probabilities, teacher_targets
from skdistill.targets._calibration import fit_calibration
from skdistill.teachers._clip import log_probabilities


@dataclass(frozen=True)
class Evidence:
    """What everybody says of both sets of rows.

    These are probabilities of shape (n_rows, n_classes), or numbers of shape (n_rows,).

    Attributes
    ----------
    y_train, y_test : ndarray of shape (n_train,) and (n_test,)
        The columns of the labels, or the numbers.
    teacher_train : ndarray
        The targets, out of fold where the teacher was cross-fitted; rows of NaN have none.
    teacher_test : ndarray
        Of the teacher that is fitted on all training rows, calibrated as the targets are.
    student_train, student_test, plain_test : ndarray
        Of the model, and of its recipe with hard labels alone.
    teacher_temperature : float
        The temperature that calibrates `teacher_train`; nan for numbers.
    cross_fitted : bool
        Whether no training row was answered by a teacher that had been fitted on it.
    alpha : float
        Weight of the teacher's term.
    smooth : callable
        Fits the recipe with label smoothing and returns its probabilities of the test rows.
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

    @property
    def of_numbers(self) -> bool:
        """Whether numbers are predicted, and no classes."""
        return self.teacher_test.ndim == 1


def gather_evidence(model: Any, given: ReportInput) -> Evidence:
    """Fit what is not fitted, and let everybody answer for the training and the test rows.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
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

    def fit(arm: str, targets: Targets | None, **settings: Any) -> Any:
        # The rows that a teacher would label are out of place where nobody can.
        settings |= {"augment": None, "verbose": 0, "random_state": seed}
        fitted = learn(model, X, y, targets, **settings)
        say(f"[diagnose] {arm}: {fitted.fit_seconds_['student']:.1f} s")
        return fitted

    def smooth() -> np.ndarray:
        one_hot = np.eye(len(given.classes))[given.train_index]
        smoothed = (1.0 - SMOOTHING) * one_hot + SMOOTHING / len(given.classes)
        # Cross-entropy on soft labels is kd at T = 1, whatever loss the model itself uses.
        settings = {"loss": "kd", "alpha": 1.0, "temperature": 1.0}
        return _answer(fit(SMOOTHED, Targets(smoothed, from_labels=True), **settings), given.X_test)

    is_plain = model.alpha_ == 0 and not getattr(model, "feature_losses", None)
    plain = model if is_plain else fit(PLAIN, None, alpha=0.0)
    targets, teacher = _ask_teacher(model, X, y, seed)
    of_teacher, temperature = targets.values, np.nan
    how = {"device": model.device, "memory": model.memory}
    if isinstance(model, DistilledRegressor):
        of_teacher = of_teacher[:, 0]
        on_test = teacher_targets(teacher, given.X_test, task="numbers", **how).values[:, 0]
    else:
        calibration = fit_calibration(of_teacher, given.train_index, model.calibrate)
        of_teacher = calibration(of_teacher)
        how["teacher_classes"] = model.teacher_classes
        on_test = calibration(teacher_probabilities(teacher, given.X_test, given.classes, **how))
        temperature = fit_temperature(log_probabilities(of_teacher), given.train_index)
    return Evidence(
        y_train=given.train_index,
        y_test=given.test_index,
        teacher_train=of_teacher,
        teacher_test=on_test,
        student_train=_answer(model, X),
        student_test=_answer(model, given.X_test),
        plain_test=_answer(plain, given.X_test),
        teacher_temperature=temperature,
        cross_fitted=targets.out_of_fold,
        alpha=model.alpha_,
        smooth=smooth,
    )


def _ask_teacher(model: Any, X: Any, y: np.ndarray, seed: int) -> tuple[Targets, Any]:
    """What the teacher says of the training rows, not calibrated yet, and the fitted teacher."""
    changes: dict[str, Any] = {"augment": None, "random_state": seed}
    if not isinstance(model, DistilledRegressor):
        changes |= {"calibrate": False, "feature_losses": None}
    if model.teacher_ is not None and isinstance(model.cv, str):
        # The teacher of the fit, rather than one more fit.
        changes |= {"teacher": model.teacher_, "cv": None}
    with warnings.catch_warnings():
        # A misleading teacher is among the things that the diagnosis itself finds.
        warnings.simplefilter("ignore", TeacherWarning)
        targets, teacher = ask(model, X, y, refit=model.teacher_ is None, **changes)
    return targets, teacher if model.teacher_ is None else model.teacher_


def _silent(_: str) -> None:
    """Say nothing."""


def _answer(student: Any, X: Any) -> np.ndarray:
    if isinstance(student, DistilledRegressor):
        return np.asarray(student.predict(X), dtype=np.float64).ravel()
    return check_probabilities(student.predict_proba(X), name="The answer of the student")
