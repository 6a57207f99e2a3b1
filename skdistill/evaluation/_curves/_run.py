"""The fits of a curve: of the arms on the rows of every split, with one teacher for each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill.evaluation._arm_names import TEACHER
from skdistill.evaluation._cost import count_parameters
from skdistill.evaluation._curves._input import CurveInput
from skdistill.evaluation._curves._subsets import RowSubset
from skdistill.evaluation._engine import doubts, run
from skdistill.evaluation._memorised import warn_if_memorised
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import NOTHING, OWN, Arm, Cell, Fit, Problem, Record
from skdistill.evaluation._tasks import score_names
from skdistill.evaluation._teaching import layers_of, with_memory
from skdistill.targets import Targets
from skdistill.targets._given import given_targets
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._as_teacher import as_teacher
from skdistill.teachers._base_ensemble import members_of

Samples = dict[tuple[int, Hashable], list[dict[str, float]]]
"""The scores of each (size, arm), one dict for each split."""


def run_curve(
    work: Work, given: CurveInput, subsets: list[RowSubset], arms: Iterable[Arm]
) -> Samples:
    """Fit the arms on every subset, and score them and the teacher.

    Parameters
    ----------
    work : Work
    given : CurveInput
    subsets : list of RowSubset
    arms : iterable of Arm
        Students; those that learn from `OWN` get the other rows of the split without their labels.

    Returns
    -------
    samples : dict
        See `Samples`; the teacher's arm is `TEACHER`.

    Warns
    -----
    TeacherWarning
        When a fitted teacher has memorised the training rows of the splits.
    """
    arms, records = tuple(arms), []
    teacher = as_teacher(given.model.teacher, asks=given.problem.task.asks)
    if given.teacher_is_fitted and not any(map(answers_from_labels, members_of(teacher))):
        answers = _ask_fitted(given, work.memory)
        records = _judge_teacher(given, subsets, answers)
        cells = [
            _cell(given, subset, _with_answers(arms, given, subset, answers)) for subset in subsets
        ]
    else:
        arms = (Arm(TEACHER, given.model, NOTHING), *arms)
        cells = [_cell(given, subset, arms) for subset in subsets]
    records += run(work, given.problem, cells, _measure)
    samples: Samples = {}
    unknown = dict.fromkeys(score_names(given.problem.task.metrics), np.nan)
    for cell, arm, scores in records:
        samples.setdefault((cell.tags["size"], arm), []).append(scores or unknown)
    return samples


def _cell(given: CurveInput, subset: RowSubset, arms: tuple[Arm, ...]) -> Cell:
    wants_rest = any(arm.learns == OWN for arm in arms)
    return Cell(
        {"split": subset.split, "size": subset.size},
        arms,
        given.seed,
        subset.train,
        subset.test,
        rest=np.setdiff1d(given.splits[subset.split][0], subset.train) if wants_rest else None,
        doubts=subset.is_largest,  # that few rows make a poor teacher is what the curve shows
    )


def _ask_fitted(given: CurveInput, memory: Any) -> Targets:
    """What a fitted teacher says of all rows, in the order of its own classes."""
    model, problem = with_memory(given.model, memory), given.problem
    return problem.task.ask_teacher(model, problem.X, problem.y, layers_of(model))


def _with_answers(
    arms: tuple[Arm, ...], given: CurveInput, subset: RowSubset, answers: Targets
) -> tuple[Arm, ...]:
    """The arms with what a fitted teacher says of the rows of a subset, and without itself."""
    y = given.problem.y[subset.train]
    with doubts(wanted=subset.is_largest):
        targets = given_targets(
            answers[subset.train],
            given.problem.task.to_learn(y),
            calibrate=given.model.calibrate,
        )

    def silent(arm: Arm) -> Arm:
        # The workers need its answers, not the teacher itself.
        alone = (
            arm.model if arm.learns == OWN else clone(arm.model).set_params(teacher=None, cv=None)
        )
        return replace(arm, model=alone, answers=targets)

    return tuple(map(silent, arms))


def _judge_teacher(given: CurveInput, subsets: list[RowSubset], answers: Targets) -> list[Record]:
    """The records of a fitted teacher, which has learnt from no row of the problem."""
    problem = given.problem
    encoded = problem.task.encode(problem.y)
    read = problem.task.read(answers.values, answers.classes, TEACHER)
    train, test = (np.concatenate(rows) for rows in zip(*given.splits, strict=True))
    warn_if_memorised(
        problem.task, *(problem.task.losses(encoded[rows], read[rows]) for rows in (train, test))
    )
    records = []
    for subset in subsets:
        scores: dict[str, float] = {}
        for part, rows in (("train", subset.train), ("test", subset.test)):
            scores |= _named(part, problem.task.scores(encoded[rows], read[rows]))
        records.append(Record(_cell(given, subset, ()), TEACHER, scores))
    return records


def _measure(problem: Problem, cell: Cell, fit: Fit) -> dict[str, float]:
    """The scores of an arm on the rows that it learnt from and on the others, and its size."""
    scores: dict[str, float] = {}
    for part in ("train", "test"):
        encoded = problem.task.encode(problem.rows(cell, part)[1])
        scores |= _named(part, problem.task.scores(encoded, fit.answer(part)))
    if fit.name != TEACHER:
        scores["n_parameters"] = count_parameters(fit.model.student_)
    return scores


def _named(part: str, scores: dict[str, float]) -> dict[str, float]:
    return {f"{part}_{metric}": score for metric, score in scores.items()}
