"""The arms of a report: one recipe, fitted on different targets.

Nothing here is given a test label, so no arm can have seen one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from skdistill._compat import safe_indexing
from skdistill.evaluation._cost import count_parameters, pickled_bytes, prediction_times
from skdistill.evaluation._metrics import check_probabilities
from skdistill.evaluation._recipes import (
    ARM_NAMES,
    DISTILLED,
    PLAIN,
    SCALED,
    TEACHER,
    ask_for_targets,
    fit_student,
    student_recipes,
)
from skdistill.evaluation._split import N_FOLDS, stratified_folds
from skdistill.targets import fit_temperature, teacher_probabilities
from skdistill.targets._calibration import apply_temperature
from skdistill.teachers._align import align_columns
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._clip import log_probabilities
from skdistill.teachers._ensemble import as_teacher
from skdistill.teachers._examined import examine
from skdistill.teachers._fit import is_fitted


@dataclass(frozen=True)
class ArmRun:
    """One arm with one seed: its answers on the rows of one test set, and its costs."""

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
    runs : dict of str to dict of str to list of ArmRun
        By test set and arm, these in the order of `ARM_NAMES`; one run for each seed, and one of
        the teacher.
    temperature : float
        The one of "plain + temperature".
    teacher_on_train : ndarray of shape (n_train, n_classes) or None
        The teacher's answers on the training rows, where the targets are no out-of-fold ones.
    """

    runs: dict[Any, dict[str, list[ArmRun]]]
    temperature: float
    teacher_on_train: np.ndarray | None


def run_arms(
    model: Any,
    X_train: Any,
    y_train: np.ndarray,
    y_index: np.ndarray,
    X_test: Mapping[Any, Any],
    classes: np.ndarray,
    *,
    seeds: list[int],
    fitted: bool,
) -> Arms:
    """Fit every arm once for each seed and let it predict the rows of all test sets.

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
    X_test : dict of str to array-like of shape (n_test, ...)
        Test sets by name. Predictions are timed on the first.
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
    targets, teacher, teacher_seconds = ask_teacher(model, X_train, y_train, seeds[0], fitted)

    def teach(X: Any) -> np.ndarray:
        return teacher_probabilities(
            teacher,
            X,
            classes,
            teacher_classes=model.teacher_classes,
            device=model.device,
            memory=model.memory,
        )

    runs: dict[Any, dict[str, list[ArmRun]]]
    runs = {test_set: {name: [] for name in ARM_NAMES} for test_set in X_test}

    def keep(name: str, found: dict[Any, ArmRun]) -> None:
        for test_set, run in found.items():
            runs[test_set][name].append(run)

    # What is timed are the bare answers, without the order of the columns.
    def ask(X: Any) -> Any:
        return examine(as_teacher(teacher), CLASSES, model.device).ask(X)

    keep(TEACHER, _run(TEACHER, teacher, teach, ask, X_test, teacher_seconds))
    say(f"[distillation_report] {TEACHER}: {teacher_seconds:.1f} s")

    temperature, extra_seconds = _plain_temperature(
        model, X_train, y_train, y_index, classes, seeds[0]
    )
    recipes = dict(student_recipes(model, y_index, targets, len(classes)))
    for seed in seeds:
        for name, (parameters, soft_targets) in recipes.items():
            if name == DISTILLED and fitted:
                student = model
            else:
                student = fit_student(model, seed, X_train, y_train, soft_targets, **parameters)
            seconds = student.fit_seconds_["student"]
            shipped = student.student_
            found = _run(
                name, shipped, student.predict_proba, shipped.predict_proba, X_test, seconds
            )
            keep(name, found)
            say(f"[distillation_report] {name}, seed {seed}: {seconds:.1f} s")
            if name == PLAIN:
                keep(SCALED, _scaled(found, student, temperature, X_test, extra_seconds))
                say(f"[distillation_report] {SCALED}, seed {seed}: T = {temperature:.2f}")
    return Arms(runs, temperature, None if targets.out_of_fold else teach(X_train))


def ask_teacher(
    model: Any, X: Any, y: np.ndarray, seed: int, fitted: bool
) -> tuple[Any, Any, float]:
    """The targets, the fitted teacher, and the seconds of its fits (nan if it came fitted)."""
    has_teacher = fitted and model.teacher_ is not None
    is_in_sample = isinstance(model.cv, str)
    ask_it = has_teacher and is_in_sample  # the teacher of the fit, rather than one more fit
    start = perf_counter()
    found = {"teacher": model.teacher_, "cv": None} if ask_it else {}
    targets, teacher = ask_for_targets(model, X, y, seed, refit=not has_teacher, **found)
    seconds = perf_counter() - start
    if is_fitted(model.teacher):
        seconds = float("nan")
    elif has_teacher:
        seconds = model.fit_seconds_["teacher"]
    return targets, model.teacher_ if has_teacher else teacher, seconds


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
        student = fit_student(model, seed, safe_indexing(X, kept), y[kept], alpha=0.0)
        answer = _check_answer(PLAIN, student.predict_proba(safe_indexing(X, held)))
        answers[held] = align_columns(answer, student.classes_, classes)
        seconds += student.fit_seconds_["student"]
    return fit_temperature(log_probabilities(answers), y_index), seconds


def _run(
    name: str,
    shipped: Any,
    predict_proba: Callable[[Any], Any],
    timed: Callable[[Any], Any],
    X_test: Mapping[Any, Any],
    fit_seconds: float,
) -> dict[Any, ArmRun]:
    """The answers on each test set; the costs are the same for all."""
    us_per_row, us_single_row = prediction_times(timed, next(iter(X_test.values())))
    n_parameters, n_bytes = count_parameters(shipped), pickled_bytes(shipped)
    return {
        test_set: ArmRun(
            probabilities=_check_answer(name, predict_proba(X)),
            n_parameters=n_parameters,
            n_bytes=n_bytes,
            us_per_row=us_per_row,
            us_single_row=us_single_row,
            fit_seconds=fit_seconds,
        )
        for test_set, X in X_test.items()
    }


def _scaled(
    plain: dict[Any, ArmRun],
    model: Any,
    temperature: float,
    X_test: Mapping[Any, Any],
    extra_seconds: float,
) -> dict[Any, ArmRun]:
    """The plain student of this seed, its probabilities sharpened or softened by one number."""

    def predict_proba(X: Any) -> np.ndarray:
        answer = model.student_.predict_proba(X).astype(np.float64)
        return apply_temperature(answer, temperature)

    us_per_row, us_single_row = prediction_times(predict_proba, next(iter(X_test.values())))
    return {
        test_set: replace(
            run,
            probabilities=apply_temperature(run.probabilities, temperature),
            n_parameters=run.n_parameters + 1,
            n_bytes=run.n_bytes + 8,
            us_per_row=us_per_row,
            us_single_row=us_single_row,
            fit_seconds=run.fit_seconds + extra_seconds,
        )
        for test_set, run in plain.items()
    }


def _check_answer(name: str, probabilities: Any) -> np.ndarray:
    return check_probabilities(probabilities, name=f"The answer of '{name}'")


def _silent(_: str) -> None:
    """Say nothing."""
