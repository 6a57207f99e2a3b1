"""The arms of a report: one recipe, fitted on different targets.

Nothing here is given a test label, so no arm can have seen one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._compat import safe_indexing
from skdistill._random import draw_seeds
from skdistill.evaluation._cost import count_parameters, pickled_bytes, prediction_times
from skdistill.evaluation._metrics import check_probabilities
from skdistill.evaluation._split import N_FOLDS, stratified_folds
from skdistill.exceptions import TeacherWarning
from skdistill.losses._registry import get_loss
from skdistill.targets import fit_temperature, teacher_probabilities
from skdistill.targets._align import align_columns
from skdistill.targets._calibration import apply_temperature
from skdistill.targets._clip import log_probabilities
from skdistill.targets._targets import compute_targets
from skdistill.teachers._adapters import adapt_teacher
from skdistill.teachers._fit import is_fitted

TEACHER = "teacher"
PLAIN = "plain"
SCALED = "plain + temperature"
SMOOTHED = "label smoothing"
TEACHER_LABELS = "teacher's hard labels"
DISTILLED = "distilled"

#: The order of the rows of a report.
ARM_NAMES = (TEACHER, PLAIN, SCALED, SMOOTHED, TEACHER_LABELS, DISTILLED)

SMOOTHING = 0.1


@dataclass(frozen=True)
class ArmRun:
    """One arm with one seed: its answers on the test rows and its costs."""

    probabilities: np.ndarray
    n_parameters: float
    n_bytes: float
    us_per_row: float
    us_single_row: float
    fit_seconds: float


@dataclass(frozen=True)
class Arms:
    """All arms, and what was learnt on the way.

    Attributes
    ----------
    runs : dict of str to list of ArmRun
        In the order of `ARM_NAMES`; one run for each seed, and one of the teacher.
    temperature : float
        The one of "plain + temperature".
    teacher_on_train : ndarray of shape (n_train, n_classes) or None
        The teacher's answers on the training rows, where the targets are no out-of-fold ones.
    """

    runs: dict[str, list[ArmRun]]
    temperature: float
    teacher_on_train: np.ndarray | None


def run_arms(
    model: Any,
    X_train: Any,
    y_train: np.ndarray,
    y_index: np.ndarray,
    X_test: Any,
    classes: np.ndarray,
    *,
    seeds: list[int],
    fitted: bool,
) -> Arms:
    """Fit every arm and let it predict the test rows.

    Parameters
    ----------
    model : DistilledClassifier
        The recipe.
    X_train : array-like of shape (n_train, ...)
        Training rows.
    y_train : ndarray of shape (n_train,)
        Their labels.
    y_index : ndarray of shape (n_train,)
        The positions of these labels in `classes`.
    X_test : array-like of shape (n_test, ...)
        Test rows.
    classes : ndarray of shape (n_classes,)
        The sorted labels.
    seeds : list of int
        One fit of each student for each.
    fitted : bool
        Whether `model` is fitted and itself stands for "distilled".

    Returns
    -------
    arms : Arms
    """
    say = print if model.verbose else _silent
    targets, teacher, teacher_seconds = _ask_teacher(model, X_train, y_train, seeds[0], fitted)

    def teach(X: Any) -> np.ndarray:
        return teacher_probabilities(
            teacher, X, classes, teacher_classes=model.teacher_classes, device=model.device
        )

    runs: dict[str, list[ArmRun]] = {name: [] for name in ARM_NAMES}
    # What is timed are the bare answers, without the checks and the order of the columns.
    times = prediction_times(adapt_teacher(teacher, device=model.device).ask, X_test)
    runs[TEACHER].append(_run(TEACHER, teacher, teach(X_test), times, teacher_seconds))
    say(f"[distillation_report] {TEACHER}: {teacher_seconds:.1f} s")

    temperature, extra_seconds = _plain_temperature(
        model, X_train, y_train, y_index, classes, seeds[0]
    )
    recipes = dict(_student_recipes(model, y_index, targets, len(classes)))
    for seed in seeds:
        for name, (parameters, soft_targets) in recipes.items():
            if name == DISTILLED and fitted:
                student = model
            else:
                student = _fit_student(model, seed, X_train, y_train, soft_targets, **parameters)
            run = _run_student(name, student, X_test)
            runs[name].append(run)
            say(f"[distillation_report] {name}, seed {seed}: {run.fit_seconds:.1f} s")
            if name == PLAIN:
                runs[SCALED].append(_scaled_run(run, student, temperature, X_test, extra_seconds))
                say(f"[distillation_report] {SCALED}, seed {seed}: T = {temperature:.2f}")
    return Arms(runs, temperature, None if targets.cross_fitted else teach(X_train))


def _ask_teacher(
    model: Any, X: Any, y: np.ndarray, seed: int, fitted: bool
) -> tuple[Any, Any, float]:
    """The targets, the fitted teacher, and the seconds of its fits (nan if it came fitted)."""
    has_teacher = fitted and model.teacher_ is not None
    is_in_sample = isinstance(model.cv, str)
    ask_it = has_teacher and is_in_sample  # the teacher of the fit, rather than one more fit
    start = perf_counter()
    targets = compute_targets(
        model.teacher_ if ask_it else model.teacher,
        X,
        y,
        cv=None if ask_it else model.cv,
        calibrate=model.calibrate,
        teacher_classes=model.teacher_classes,
        memory=model.memory,
        device=model.device,
        n_jobs=model.n_jobs,
        random_state=draw_seeds(seed, 3)[0],  # the first of the three that fit draws
        verbose=model.verbose,
        refit=not has_teacher,
    )
    seconds = perf_counter() - start
    if is_fitted(model.teacher):
        seconds = float("nan")
    elif has_teacher:
        seconds = model.fit_seconds_["teacher"]
    return targets, model.teacher_ if has_teacher else targets.teacher, seconds


def _student_recipes(
    model: Any, y_index: np.ndarray, targets: Any, n_classes: int
) -> Iterator[tuple[str, tuple[dict[str, Any], np.ndarray | None]]]:
    """Yield the name, the parameters and the soft targets of each arm that is fitted."""
    one_hot = np.eye(n_classes)
    # Cross-entropy on soft labels is kd at T = 1, whatever loss the model itself uses.
    cross_entropy = {"loss": "kd", "alpha": 1.0, "temperature": 1.0}
    temperature = model.temperature
    if isinstance(temperature, str):
        temperature = get_loss(model.loss).default_temperature(targets.kind, n_classes)

    yield PLAIN, ({"alpha": 0.0}, None)
    smoothed = (1.0 - SMOOTHING) * one_hot[y_index] + SMOOTHING / n_classes
    yield SMOOTHED, (cross_entropy, smoothed)
    labels = one_hot[targets.probabilities.argmax(axis=1)]
    labels[np.isnan(targets.probabilities).any(axis=1)] = np.nan
    yield TEACHER_LABELS, (cross_entropy, labels)
    yield DISTILLED, ({"temperature": temperature}, targets.probabilities)


def _fit_student(
    model: Any,
    seed: int,
    X: Any,
    y: np.ndarray,
    soft_targets: np.ndarray | None = None,
    **parameters: Any,
) -> Any:
    """Fit the model's recipe without its teacher: the same student, the same budget."""
    alone = {"teacher": None, "cv": None, "calibrate": False, "teacher_classes": None, "verbose": 0}
    student = clone(model).set_params(**alone, random_state=seed, **parameters)
    with warnings.catch_warnings():
        # The teacher's answers were judged once; hard labels and smoothed ones are no answers.
        warnings.simplefilter("ignore", TeacherWarning)
        return student.fit(X, y, soft_targets=soft_targets)


def _plain_temperature(
    model: Any, X: Any, y: np.ndarray, y_index: np.ndarray, classes: np.ndarray, seed: int
) -> tuple[float, float]:
    """One temperature for the plain student, and the seconds of the fits that it took.

    It is fitted on out-of-fold answers for the training rows: each third is predicted by a plain
    student that was trained on the other two. 1.0 when the classes are too small for that.
    """
    folds = stratified_folds(y_index, seed)
    answers = np.full((len(y), len(classes)), np.nan)
    if (folds < 0).all():
        return 1.0, 0.0
    seconds = 0.0
    for fold in range(N_FOLDS):
        kept, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        student = _fit_student(model, seed, safe_indexing(X, kept), y[kept], alpha=0.0)
        answer = _check_answer(PLAIN, student.predict_proba(safe_indexing(X, held)))
        answers[held] = align_columns(answer, student.classes_, classes)
        seconds += student.fit_seconds_["student"]
    return fit_temperature(log_probabilities(answers), y_index), seconds


def _run_student(name: str, model: Any, X_test: Any) -> ArmRun:
    student = model.student_
    times = prediction_times(student.predict_proba, X_test)
    seconds = model.fit_seconds_["student"]
    return _run(name, student, model.predict_proba(X_test), times, seconds)


def _scaled_run(
    plain: ArmRun, model: Any, temperature: float, X_test: Any, extra_seconds: float
) -> ArmRun:
    """The plain student of this seed, its probabilities sharpened or softened by one number."""

    def predict_proba(X: Any) -> np.ndarray:
        answer = model.student_.predict_proba(X).astype(np.float64)
        return apply_temperature(answer, temperature)

    us_per_row, us_single_row = prediction_times(predict_proba, X_test)
    return ArmRun(
        probabilities=apply_temperature(plain.probabilities, temperature),
        n_parameters=plain.n_parameters + 1,
        n_bytes=plain.n_bytes + 8,
        us_per_row=us_per_row,
        us_single_row=us_single_row,
        fit_seconds=plain.fit_seconds + extra_seconds,
    )


def _run(
    name: str,
    shipped: Any,
    probabilities: np.ndarray,
    times: tuple[float, float],
    fit_seconds: float,
) -> ArmRun:
    return ArmRun(
        probabilities=_check_answer(name, probabilities),
        n_parameters=count_parameters(shipped),
        n_bytes=pickled_bytes(shipped),
        us_per_row=times[0],
        us_single_row=times[1],
        fit_seconds=fit_seconds,
    )


def _check_answer(name: str, probabilities: Any) -> np.ndarray:
    return check_probabilities(probabilities, name=f"The answer of '{name}'")


def _silent(_: str) -> None:
    """Say nothing."""
