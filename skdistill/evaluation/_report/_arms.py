"""The arms of a report: one recipe, fitted on different targets.

Nothing here is given a test label, so no arm can have seen one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from skdistill._fitting._alpha_choice import AUTO, AlphaChoice
from skdistill._progress import Progress
from skdistill.evaluation._arm_names import CASCADE, DISTILLED, PLAIN, SCALED, TEACHER
from skdistill.evaluation._cost import pickled_bytes
from skdistill.evaluation._engine import run
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import Cell, Problem, Record
from skdistill.evaluation._recipes import student_arms
from skdistill.evaluation._report._cascade import (
    HeldBack,
    choose_threshold,
    costs_of_cascade,
    join_answers,
)
from skdistill.evaluation._shipped import (
    KeptStudent,
    ask_once,
    costs,
    costs_of_student,
    costs_of_teacher,
    keep_student,
)
from skdistill.evaluation._split import N_FOLDS, stratified_folds
from skdistill.evaluation._teaching import AskedTeacher
from skdistill.teachers._clip import apply_temperature


class ArmRun(NamedTuple):
    """One arm with one seed.

    Attributes
    ----------
    answers : dict of str to ndarray of shape (n_test, ...)
        By test set.
    costs : dict of str to float
        ``n_parameters``, ``n_bytes``, ``us_per_row``, ``us_single_row`` and ``fit_seconds``; they
        are the same for all test sets.
    deferred : dict of str to float, or None
        By test set the share of the rows that go to the teacher; None where there is no cascade.
    """

    answers: Mapping[Any, np.ndarray]
    costs: dict[str, float]
    deferred: Mapping[Any, float] | None = None


@dataclass(frozen=True)
class Arms:
    """All arms, and what was learnt on the way.

    Attributes
    ----------
    runs : dict of str to list of ArmRun
        By arm, in the order of a report; one run for each seed, and one of the teacher. The
        cascade comes last, where there is one.
    temperature : float
        The one of "plain + temperature"; nan for numbers.
    teacher_on_train : ndarray of shape (n_train, n_classes) or None
        The teacher's answers on the training rows, where the targets are no out-of-fold ones.
    choices : list of AlphaChoice
        How each distilled student's alpha was chosen; empty where it is a number.
    """

    runs: dict[str, list[ArmRun]]
    temperature: float
    teacher_on_train: np.ndarray | None
    choices: list[AlphaChoice]


def run_arms(
    work: Work,
    model: Any,
    problem: Problem,
    *,
    seeds: list[int],
    fitted: bool,
    held_back: HeldBack | None = None,
) -> Arms:
    """Fit every arm once for each seed and let it predict the rows of all test sets.

    Parameters
    ----------
    work : Work
        Its parts are fits. What is timed is timed when all are fitted.
    model : DistilledClassifier or DistilledRegressor
        The recipe.
    problem : Problem
        Training rows, and test sets without labels. Predictions are timed on the first.
    seeds : list of int
        One fit of each student for each.
    fitted : bool
        Whether `model` is fitted and itself stands for "distilled".
    held_back : HeldBack, default=None
        Rows for the arm "cascade"; None leaves it out.

    Returns
    -------
    arms : Arms
    """
    task, tests = problem.task, {name: X for name, (X, _) in problem.tests.items()}
    thresholds = []
    students: dict[Any, KeptStudent] = {}
    names = [name for name in task.report_arms if name not in (TEACHER, SCALED)]
    given = {DISTILLED} if fitted else set()
    everything = np.arange(len(problem.y))
    thirds = _thirds(model, problem, seeds[0]) if SCALED in task.report_arms else []
    arms = student_arms(model, [name for name in names if name not in given])
    n_parts = 1 + len(thirds) + len(seeds) * len(arms)
    with Progress(work.owner, n_parts, shown=work.verbose, n_jobs=work.n_jobs) as progress:
        asked = ask_once(work, model, problem, seeds[0], fitted=fitted)
        targets = asked.targets
        teacher = AskedTeacher(model, asked.teacher, task.known(problem.y))
        # Everybody who is fitted speaks before anybody learns: what they cannot read shows early.
        of_teacher = {name: task.ask(teacher, X, TEACHER) for name, X in tests.items()}
        find_threshold = None if held_back is None else _threshold_finder(task, teacher, held_back)
        if fitted:
            answers = {name: task.ask(model, X, DISTILLED) for name, X in tests.items()}
            students[DISTILLED, seeds[0]] = KeptStudent(
                model, pickled_bytes(model.student_), answers
            )
            if find_threshold is not None:
                thresholds.append(find_threshold(model))
        progress.add(TEACHER, like=False)
        cells = thirds + [
            Cell({"arm": a.name, "seed": seed}, (replace(a, answers=targets),), seed, everything)
            for seed in seeds
            for a in arms
        ]
        records = run(work, problem, cells, keep_student, progress=progress)
    temperature, extra_seconds = np.nan, 0.0
    if SCALED in task.report_arms:
        held = [record for record in records if record.cell.test is not None]
        temperature, extra_seconds = _plain_temperature(problem, held)
        if work.verbose:
            print(f"[{work.owner}] {SCALED}: T = {temperature:.2f}")

    timed_rows = next(iter(tests.values()))
    runs: dict[str, list[ArmRun]] = {name: [] for name in task.report_arms}
    runs[TEACHER].append(ArmRun(of_teacher, costs_of_teacher(task, model, asked, timed_rows)))
    students |= {
        (record.arm, record.cell.seed): record.value
        for record in records
        if record.cell.test is None
    }
    for seed in seeds:
        for name in names:
            student = students[name, seed]
            runs[name].append(ArmRun(student.answers, costs_of_student(task, student, timed_rows)))
            if name == PLAIN and SCALED in runs:
                shipped = student.model.student_
                scaled = _scaled(runs[name][-1], shipped, temperature, timed_rows, extra_seconds)
                runs[SCALED].append(scaled)
    distilled = [students[DISTILLED, seed].model for seed in seeds]
    if find_threshold is not None:
        for name, of_arm in runs.items():
            share = dict.fromkeys(tests, 1.0 if name == TEACHER else 0.0)
            runs[name] = [run._replace(deferred=share) for run in of_arm]
        runs[CASCADE] = _cascades(thresholds or list(map(find_threshold, distilled)), runs)
    choices = [found.alpha_choice_ for found in distilled if found.alpha == AUTO]
    return Arms(runs, temperature, asked.on_train, choices)


def _threshold_finder(task: Any, teacher: AskedTeacher, held_back: HeldBack) -> Any:
    """From a student to its threshold. The teacher is asked about the held-back rows once."""
    said = task.ask(teacher, held_back.X, TEACHER)

    def find(student: Any) -> float:
        answers = task.ask(student, held_back.X, DISTILLED)
        return choose_threshold(answers, said, held_back.encoded).value

    return find


def _cascades(thresholds: list[float], runs: Mapping[str, list[ArmRun]]) -> list[ArmRun]:
    """The cascade of each seed's student."""
    (of_teacher,) = runs[TEACHER]
    found = []
    for threshold, own in zip(thresholds, runs[DISTILLED], strict=True):
        joint, deferred = join_answers(threshold, own.answers, of_teacher.answers)
        share = next(iter(deferred.values()))
        found.append(ArmRun(joint, costs_of_cascade(own.costs, of_teacher.costs, share), deferred))
    return found


def _thirds(model: Any, problem: Problem, seed: int) -> list[Cell]:
    """Cells in which a plain student that learns from two thirds of the rows predicts the third.

    None where the classes are too small for that.
    """
    folds = stratified_folds(problem.task.encode(problem.y), seed)
    if (folds < 0).all():
        return []
    arms = student_arms(model, [PLAIN])
    return [
        Cell(
            {"arm": PLAIN, "third": fold + 1},
            arms,
            seed,
            np.flatnonzero(folds != fold),
            np.flatnonzero(folds == fold),
        )
        for fold in range(N_FOLDS)
    ]


def _plain_temperature(problem: Problem, records: Sequence[Record]) -> tuple[float, float]:
    """One temperature for the plain student, and the seconds of the fits that it took."""
    if not records:
        return 1.0, 0.0
    answers = np.full((len(problem.y), records[0].value.answers["test"].shape[1]), np.nan)
    for cell, _, student in records:
        answers[cell.test] = student.answers["test"]
    seconds = sum(record.value.model.fit_seconds_["student"] for record in records)
    return problem.task.temperature(answers, problem.task.encode(problem.y)), seconds


def _scaled(
    plain: ArmRun, shipped: Any, temperature: float, X: Any, extra_seconds: float
) -> ArmRun:
    """The plain student of this seed, its probabilities sharpened or softened by one number."""

    def predict_proba(X: Any) -> np.ndarray:
        return apply_temperature(shipped.predict_proba(X).astype(np.float64), temperature)

    n_bytes, seconds = plain.costs["n_bytes"] + 8, plain.costs["fit_seconds"] + extra_seconds
    found = costs(shipped, n_bytes, predict_proba, X, seconds)
    found["n_parameters"] += 1
    answers = {name: apply_temperature(p, temperature) for name, p in plain.answers.items()}
    return ArmRun(answers, found)
