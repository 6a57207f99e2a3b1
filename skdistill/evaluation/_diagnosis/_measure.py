"""What a diagnosis is read from: what student, teacher and plain student say of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._fitting._alpha_choice import AUTO
from skdistill._progress import Progress
from skdistill.evaluation._arm_names import DISTILLED, PLAIN, SMOOTHED, TEACHER
from skdistill.evaluation._engine import doubts, run
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import TOLD, Arm, Cell, Fit, Problem
from skdistill.evaluation._recipes import seed_of, student_arms
from skdistill.evaluation._tasks import Scoring
from skdistill.evaluation._teaching import ask_teacher, teacher_answer


@dataclass(frozen=True)
class Evidence:
    """What everybody says of both sets of rows.

    These are probabilities of shape (n_rows, n_classes), or numbers of shape (n_rows,).

    Attributes
    ----------
    task : ClassScoring or NumberScoring
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
    taught : bool
        Whether the teacher has a say, by that term or by its features.
    smooth : callable
        Fits the recipe with label smoothing and returns its probabilities of the test rows.
    """

    task: Scoring
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
    taught: bool
    smooth: Callable[[], np.ndarray]


def gather_evidence(
    work: Work, model: Any, problem: Problem, progress: Progress, *, fitted: bool
) -> Evidence:
    """Fit what is not fitted, and let everybody answer for the training and the test rows.

    Parameters
    ----------
    work : Work
        Its parts are fits.
    model : DistilledClassifier or DistilledRegressor
        Fitted or not; it is left as it is.
    problem : Problem
        With one test set, "test".
    progress : Progress
        Of three parts: the student, the plain one, the teacher's answers.
    fitted : bool
        Whether the model is.

    Returns
    -------
    evidence : Evidence
    """
    X, y, task = problem.X, problem.y, problem.task
    X_test, y_test = problem.tests["test"]
    seed = seed_of(model)
    has_features = bool(getattr(model, "feature_losses", None))
    recipe = clone(model)

    def fit(arms: Iterable[Arm], work: Work, progress: Progress | None = None) -> dict[Any, Any]:
        cells = [Cell({"arm": arm.name}, (arm,), seed, np.arange(len(y))) for arm in arms]
        records = run(work, problem, cells, _measure, seeding=_as_it_is, progress=progress)
        return {record.arm: record.value for record in records}

    def alone(name: str) -> tuple[Arm, ...]:
        return student_arms(recipe, [name], random_state=seed)

    alpha = model.alpha_ if fitted else model.alpha  # "auto" until a fit has chosen
    arms = [] if fitted else [Arm(DISTILLED, recipe, TOLD)]
    if alpha != AUTO and (alpha or has_features):
        arms += alone(PLAIN)
    if fitted:
        progress.add(DISTILLED)
    found = fit(arms, work, progress)
    targets = None
    if not fitted:
        model, targets = found[DISTILLED]
    if alpha == AUTO and (model.alpha_ or has_features):
        found |= fit(alone(PLAIN), work, progress)
    taught = PLAIN in found
    if not taught:
        progress.add(PLAIN)
    student_test = task.ask(model, X_test, DISTILLED)
    teacher = model.teacher_
    if targets is None:  # of a fit before this, or of a student that heard no teacher
        with doubts(wanted=False):  # a misleading teacher is among what the diagnosis itself finds
            targets, teacher = ask_teacher(model, X, y, seed, of_fit=True, feature_losses=None)
    progress.add(TEACHER)
    said = targets.values if targets.said is None else targets.said
    calibrate = getattr(model, "calibrate", False)
    calibration = task.to_learn(y).fit_calibration(
        said, calibrate, None, out_of_fold=targets.out_of_fold
    )
    as_learnt = np.asarray if calibration is None else calibration
    of_teacher = targets.values if targets.has_target.any() else as_learnt(said)
    of_teacher, y_index = task.as_answers(of_teacher), task.encode(y)
    return Evidence(
        task=task,
        y_train=y_index,
        y_test=task.encode(y_test),
        teacher_train=of_teacher,
        teacher_test=as_learnt(teacher_answer(model, teacher, X_test, task.known(y))),
        student_train=task.ask(model, X, DISTILLED),
        student_test=student_test,
        plain_test=found[PLAIN] if taught else student_test,
        teacher_temperature=task.temperature(of_teacher, y_index),
        cross_fitted=targets.out_of_fold,
        alpha=model.alpha_,
        taught=taught,
        smooth=lambda: fit(alone(SMOOTHED), replace(work, verbose=0))[SMOOTHED],
    )


def _measure(problem: Problem, cell: Cell, fit: Fit) -> Any:
    """The model and what it was told, of others what they say of the test rows."""
    return (fit.model, fit.told) if fit.name == DISTILLED else fit.answer("test")


def _as_it_is(estimator: Any, seed: int) -> Any:
    """A clone; the arms that have a seed set it themselves."""
    return clone(estimator)
