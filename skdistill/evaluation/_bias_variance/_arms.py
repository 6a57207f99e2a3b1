"""From estimators and rows to decompositions: what both public functions share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.evaluation._arguments import check_random_state
from skdistill.evaluation._bias_variance._arms_given import (
    check_arm,
    check_data,
    check_kind,
    check_metrics,
    check_rounds,
    check_settings,
)
from skdistill.evaluation._bias_variance._designs import draw_rounds
from skdistill.evaluation._bias_variance._losses import PREDICTION_KINDS, mean_loss
from skdistill.evaluation._bias_variance._result import BiasVarianceDecomposition, summarise
from skdistill.evaluation._engine import run, seeded_clone
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import OWN, TARGETS, Arm, Cell, Fit, Problem
from skdistill.evaluation._recipes import check_recipe
from skdistill.evaluation._teaching import (
    Placed,
    find_distilled,
    takes_targets,
    teacher_key,
    with_memory,
)
from skdistill.teachers._fit import is_fitted


@dataclass(frozen=True)
class Decomposed:
    """The results of all arms.

    Attributes
    ----------
    results : dict of str to dict of str to BiasVarianceDecomposition
        By arm and metric.
    train_loss : dict of str to dict of str to ndarray of shape (n_rounds,)
        By arm and metric; empty within where it was not asked for.
    """

    results: dict[str, dict[str, BiasVarianceDecomposition]]
    train_loss: dict[str, dict[str, np.ndarray]]


def decompose_arms(
    work: Work,
    estimators: dict[str, Any],
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    *,
    loss: Any,
    design: Any,
    n_rounds: Any,
    refit_teacher: Any,
    against: Any = "labels",
    random_state: Any,
    with_train: bool = False,
) -> Decomposed:
    """Fit all arms on the same rows with the same seeds, and decompose their losses.

    Parameters
    ----------
    work : Work
        Its parts are the rounds.
    estimators : dict of str to estimator
        The arms.
    X, y, X_test, y_test, loss, design, n_rounds, refit_teacher, against, random_state
        As in `bias_variance_decomposition`.
    with_train : bool, default=False
        Whether the losses on the rows of the rounds are wanted too.

    Returns
    -------
    Decomposed
    """
    owner = work.owner
    kinds = {name: check_kind(name, estimator) for name, estimator in estimators.items()}
    if len(set(kinds.values())) > 1:
        raise ValueError(f"{owner} got classifiers and regressors; expected one kind: {kinds}.")
    classifier = set(kinds.values()) == {True}
    metrics = check_metrics(loss, owner, classifier=classifier)
    check_settings(owner, design, n_rounds, refit_teacher)
    check_random_state(owner, random_state)
    for name, estimator in estimators.items():
        check_arm(name, estimator, metrics, refit_teacher=refit_teacher)
    problem = check_data(X, y, X_test, y_test, classifier=classifier)
    _check_against(owner, against, estimators)

    rounds_seed, teacher_seed, *seeds = draw_seeds(random_state, 2 + n_rounds)
    labels = problem.task.encode(problem.y) if classifier else None
    rounds = draw_rounds(design, len(problem.y), labels, n_rounds, rounds_seed)
    check_rounds(rounds, labels, design)
    for estimator in estimators.values():
        check_recipe(estimator, problem.X, problem.y, problem.asked)
    refitted = {
        name: None if model is None else bool(refit_teacher) and not is_fitted(model.teacher)
        for name, model in ((name, find_distilled(e)) for name, e in estimators.items())
    }
    placed = {
        name: Placed(seeded_clone(with_memory(e, work.memory), teacher_seed), problem.X, problem.y)
        for name, e in estimators.items()
        if refitted[name] is False or against == "teacher"
    }
    fixed: dict[Any, Any] = {}
    arms = {}
    for name, estimator in estimators.items():
        taught, answers = takes_targets(estimator), None
        if refitted[name] is False and taught:
            key = teacher_key(placed[name].estimator)
            answers = fixed[key] if key in fixed else placed[name].ask()[0]
            fixed[key] = answers
        arms[name] = Arm(name, estimator, TARGETS if taught else OWN, answers=answers)
    test_X, test_y = problem.tests["test"]
    targets = dict.fromkeys(estimators, problem.task.target(test_y))
    if against == "teacher":
        targets = {
            name: place.reference(test_X, problem.task.known(problem.y))
            for name, place in placed.items()
        }
    cells = [
        Cell(
            {"round": number},
            tuple(_of_round(arm, rows) for arm in arms.values()),
            seed,
            rows,
            grouped=design == "bootstrap",
        )
        for number, (rows, seed) in enumerate(zip(rounds, seeds, strict=True), 1)
    ]
    records = run(
        work,
        problem,
        cells,
        partial(_measure, metrics=tuple(metrics), with_train=with_train),
        seeding=seeded_clone,
    )
    results: dict[str, dict[str, BiasVarianceDecomposition]] = {}
    train_loss: dict[str, dict[str, np.ndarray]] = {}
    for name in estimators:
        values = [record.value for record in records if record.arm == name]
        train_loss[name] = {
            metric: np.array([value.train_loss[metric] for value in values])
            for metric in values[0].train_loss
        }
        results[name] = {
            metric: summarise(
                metric,
                targets[name],
                np.stack([value.predictions[PREDICTION_KINDS[metric]] for value in values]),
                classes=problem.task.classes,
                design=design,
                n_train=min(map(len, rounds)),
                refit_teacher=refitted[name],
                against=against,
            )
            for metric in metrics
        }
    return Decomposed(results, train_loss)


class RoundValues(NamedTuple):
    """What is kept of one arm in one round.

    Attributes
    ----------
    predictions : dict of str to ndarray of shape (n_test, n_classes) or (n_test,)
        For the test points, by their kind: "probabilities", "classes" (one-hot), or "numbers".
    train_loss : dict of str to float
        By metric the mean loss on the rows of the round; empty where it was not asked for.
    """

    predictions: dict[str, np.ndarray]
    train_loss: Mapping[str, float]


def _measure(
    problem: Problem, cell: Cell, fit: Fit, *, metrics: tuple[str, ...], with_train: bool
) -> RoundValues:
    kinds = dict.fromkeys(PREDICTION_KINDS[metric] for metric in metrics)

    def predict(part: str) -> dict[str, np.ndarray]:
        return {kind: fit.answer(part, kind) for kind in kinds}

    train_loss = {}
    if with_train:
        target, predictions = problem.task.target(problem.y[cell.train]), predict("train")
        train_loss = {
            metric: mean_loss(metric, target, predictions[PREDICTION_KINDS[metric]])
            for metric in metrics
        }
    return RoundValues(predict("test"), train_loss)


def _of_round(arm: Arm, rows: np.ndarray) -> Arm:
    return arm if arm.answers is None else replace(arm, answers=arm.answers[rows])


def _check_against(owner: str, against: Any, estimators: dict[str, Any]) -> None:
    if against not in ("labels", "teacher"):
        raise ValueError(
            f"The 'against' parameter of {owner} must be 'labels' or 'teacher'. Got "
            f"{shorten(against)} instead."
        )
    without = [name for name, e in estimators.items() if find_distilled(e) is None]
    if against == "teacher" and without:
        raise ValueError(
            f"against='teacher' needs a teacher, and {type(estimators[without[0]]).__name__} has "
            f"none that is asked; pass a DistilledClassifier with a teacher and alpha above 0, or "
            f"a Pipeline that ends in one, or use against='labels'."
        )
