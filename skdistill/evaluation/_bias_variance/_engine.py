"""From estimators and rows to decompositions: what both public functions share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdistill._random import draw_seeds
from skdistill.evaluation._bias_variance._checks import (
    check_arm,
    check_data,
    check_kind,
    check_metrics,
    check_rounds,
    check_settings,
)
from skdistill.evaluation._bias_variance._designs import draw_rounds
from skdistill.evaluation._bias_variance._losses import PREDICTION_KINDS
from skdistill.evaluation._bias_variance._result import BiasVarianceDecomposition, summarise
from skdistill.evaluation._bias_variance._rounds import Plan, run_rounds, seeded_clone
from skdistill.evaluation._bias_variance._teaching import (
    ask_for_targets,
    find_distilled,
    reference_probabilities,
    takes_targets,
)
from skdistill.evaluation._checks import check_n_jobs, check_random_state
from skdistill.evaluation._recipes import check_recipe
from skdistill.targets import Targets
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
    owner: str,
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
    n_jobs: Any,
    random_state: Any,
    verbose: Any,
    with_train: bool = False,
) -> Decomposed:
    """Fit all arms on the same rows with the same seeds, and decompose their losses.

    Parameters
    ----------
    owner : str
        The function that errors and lines of progress name.
    estimators : dict of str to estimator
        The arms.
    X, y, X_test, y_test, loss, design, n_rounds, refit_teacher, against, n_jobs, random_state, \
verbose
        As in `bias_variance_decomposition`.
    with_train : bool, default=False
        Whether the losses on the rows of the rounds are wanted too.

    Returns
    -------
    Decomposed
    """
    kinds = {name: check_kind(name, estimator) for name, estimator in estimators.items()}
    if len(set(kinds.values())) > 1:
        raise ValueError(f"{owner} got classifiers and regressors; expected one kind: {kinds}.")
    classifier = set(kinds.values()) == {True}
    metrics = check_metrics(loss, owner, classifier=classifier)
    check_settings(owner, design, n_rounds, refit_teacher)
    check_random_state(owner, random_state)
    check_n_jobs(owner, n_jobs)
    for name, estimator in estimators.items():
        check_arm(name, estimator, metrics, refit_teacher=refit_teacher)
    data = check_data(X, y, X_test, y_test, classifier=classifier)
    _check_against(owner, against, estimators)

    rounds_seed, teacher_seed, *seeds = draw_seeds(random_state, 2 + n_rounds)
    rounds = draw_rounds(design, len(data.y), data.labels, n_rounds, rounds_seed)
    check_rounds(rounds, data.labels, design)
    for estimator in estimators.values():
        check_recipe(estimator, data.X, data.y)
    refitted = {
        name: None if model is None else bool(refit_teacher) and not is_fitted(model.teacher)
        for name, model in ((name, find_distilled(e)) for name, e in estimators.items())
    }
    models = {name: seeded_clone(estimator, teacher_seed) for name, estimator in estimators.items()}
    known: dict[Any, Targets] = {}
    fixed = {
        name: ask_for_targets(model, data.X, data.y, known=known)
        for name, model in models.items()
        if refitted[name] is False and takes_targets(model)
    }
    targets = dict.fromkeys(models, data.target)
    if against == "teacher":
        for name, model in models.items():
            targets[name] = reference_probabilities(
                model, data.X, data.y, data.X_test, data.classes
            )
    plan = Plan(
        estimators=estimators,
        X=data.X,
        y=data.y,
        X_test=data.X_test,
        classes=data.classes,
        metrics=metrics,
        grouped=design == "bootstrap",
        fixed=fixed,
        with_train=with_train,
    )
    answers = run_rounds(plan, rounds, seeds, n_jobs=n_jobs, say=owner if verbose else None)
    results = {
        name: {
            metric: summarise(
                metric,
                targets[name],
                answer.predictions[PREDICTION_KINDS[metric]],
                classes=data.classes,
                design=design,
                n_train=min(map(len, rounds)),
                refit_teacher=refitted[name],
                against=against,
            )
            for metric in metrics
        }
        for name, answer in answers.items()
    }
    return Decomposed(results, {name: answer.train_loss for name, answer in answers.items()})


def _check_against(owner: str, against: Any, estimators: dict[str, Any]) -> None:
    if against not in ("labels", "teacher"):
        raise ValueError(
            f"The 'against' parameter of {owner} must be 'labels' or 'teacher'. Got {against!r} "
            f"instead."
        )
    without = [name for name, e in estimators.items() if find_distilled(e) is None]
    if against == "teacher" and without:
        raise ValueError(
            f"against='teacher' needs a teacher, and {type(estimators[without[0]]).__name__} has "
            f"none that is asked; pass a DistilledClassifier with a teacher and alpha above 0, or "
            f"a Pipeline that ends in one, or use against='labels'."
        )
