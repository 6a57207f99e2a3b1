"""The fits of the rounds: each on its rows, with its seed, all arms side by side."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from skdistill._compat import safe_indexing
from skdistill._generators import seeded
from skdistill._torch import resolve_device
from skdistill.evaluation._bias_variance._fit_params import fit_keyword
from skdistill.evaluation._bias_variance._losses import PREDICTION_KINDS, mean_loss
from skdistill.evaluation._bias_variance._teaching import (
    ask_for_targets,
    replace_teacher,
    takes_targets,
)
from skdistill.evaluation._metrics import check_probabilities, class_index
from skdistill.exceptions import TeacherWarning
from skdistill.targets import Targets
from skdistill.teachers._adapters import holds_net
from skdistill.teachers._align import align_columns
from skdistill.teachers._fit import is_fitted


@dataclass(frozen=True)
class Plan:
    """What all rounds share.

    Attributes
    ----------
    estimators : dict of str to estimator
        The arms, unfitted.
    X : array-like of shape (n_samples, ...)
    y : ndarray of shape (n_samples,)
    X_test : array-like of shape (n_test, ...)
    classes : ndarray of shape (n_classes,) or None
        The labels, sorted; None for regressors.
    metrics : list of str
        The losses that are decomposed.
    grouped : bool
        Whether a row can come more than once, so that its copies are kept together.
    fixed : dict of str to Targets
        The soft targets for all rows of the arms whose teacher is held fixed.
    with_train : bool
        Whether the rows of the round are predicted too.
    """

    estimators: dict[str, Any]
    X: Any
    y: np.ndarray
    X_test: Any
    classes: np.ndarray | None
    metrics: list[str]
    grouped: bool
    fixed: dict[str, Targets]
    with_train: bool


@dataclass(frozen=True)
class Answers:
    """What one arm said, in one round, or in all of them along a first axis.

    Attributes
    ----------
    predictions : dict of str to ndarray of shape (n_test, n_classes) or (n_test,)
        By kind: "probabilities", one-hot "named" classes, or "values".
    train_loss : dict of str to float or ndarray of shape (n_rounds,)
        By metric the mean loss on the rows of the round; empty where it was not asked for.
    """

    predictions: dict[str, np.ndarray]
    train_loss: dict[str, Any]


def run_rounds(
    plan: Plan,
    rounds: list[np.ndarray],
    seeds: list[int],
    *,
    n_jobs: int | None,
    say: str | None,
) -> dict[str, Answers]:
    """Fit every arm in every round.

    Parameters
    ----------
    plan : Plan
    rounds : list of ndarray of int
        The rows of each round.
    seeds : list of int
        The seed of each round.
    n_jobs : int or None
        Rounds at a time.
    say : str or None
        Who prints a line for every round; None is silence.

    Returns
    -------
    dict of str to Answers
    """
    started = time.perf_counter()
    tasks = (
        delayed(_run_round)(plan, rows, seed) for rows, seed in zip(rounds, seeds, strict=True)
    )
    answers: dict[str, list[Answers]] = {name: [] for name in plan.estimators}
    for number, reply in enumerate(Parallel(n_jobs=n_jobs, return_as="generator")(tasks), 1):
        for name, answer in reply.items():
            answers[name].append(answer)
        if say is not None:
            seconds = time.perf_counter() - started
            print(f"[{say}] round {number} of {len(rounds)}, {seconds:.1f} s")
    return {name: _stack(of_rounds) for name, of_rounds in answers.items()}


def seeded_clone(estimator: Any, seed: int) -> Any:
    """A clone whose every `random_state`, those of its parts too, is set anew.

    The value depends on the seed and on the name of the parameter alone, so that two estimators
    with the same part get it with the same seed. The inside of a fitted teacher is left alone.
    """
    copy = clone(estimator)
    parameters = copy.get_params(deep=True)
    fitted = tuple(
        f"{name}__"
        for name, part in parameters.items()
        if hasattr(part, "get_params") and is_fitted(part)
    )
    for name in sorted(parameters):
        if name.rpartition("__")[2] == "random_state" and not name.startswith(fitted):
            state = np.random.SeedSequence([seed, *name.encode()]).generate_state(1)[0]
            copy.set_params(**{name: int(state % np.iinfo(np.int32).max)})
    return copy


def _run_round(plan: Plan, rows: np.ndarray, seed: int) -> dict[str, Answers]:
    X, y = safe_indexing(plan.X, rows), plan.y[rows]
    groups = rows if plan.grouped else None
    known: dict[Any, Targets] = {}
    answers = {}
    for name, estimator in plan.estimators.items():
        model = seeded_clone(estimator, seed)
        given: dict[str, Any] = {} if groups is None else {"groups": groups}
        if takes_targets(model):
            if name in plan.fixed:
                targets = plan.fixed[name][rows]
            else:
                targets = ask_for_targets(model, X, y, groups, known)
            replace_teacher(model)
            given["soft_targets"] = targets
        _fit(model, X, y, given, seed)
        train_loss = {}
        if plan.with_train:
            target, predictions = target_of(y, plan.classes), _predict(model, name, X, plan)
            train_loss = {
                metric: mean_loss(metric, target, predictions[PREDICTION_KINDS[metric]])
                for metric in plan.metrics
            }
        answers[name] = Answers(_predict(model, name, plan.X_test, plan), train_loss)
    return answers


def _fit(model: Any, X: Any, y: np.ndarray, given: dict[str, Any], seed: int) -> None:
    keywords = {fit_keyword(model, name): value for name, value in given.items()}
    fit_params = {name: value for name, value in keywords.items() if name is not None}
    with warnings.catch_warnings():
        if "soft_targets" in given:  # the teacher's answers were judged when they were made
            warnings.simplefilter("ignore", TeacherWarning)
        if not holds_net(model):
            model.fit(X, y, **fit_params)
            return
        with seeded(seed, resolve_device("auto")):
            model.fit(X, y, **fit_params)


def target_of(y: np.ndarray, classes: np.ndarray | None) -> np.ndarray:
    """One-hot labels of shape (n_samples, n_classes), or the values of a regression."""
    return y if classes is None else np.eye(len(classes))[class_index(y, classes)]


def _predict(model: Any, name: str, X: Any, plan: Plan) -> dict[str, np.ndarray]:
    """Predictions of each kind that the metrics read, columns in the order of the classes."""
    answers = {}
    kinds = {PREDICTION_KINDS[metric] for metric in plan.metrics}
    if "values" in kinds:
        values = np.asarray(model.predict(X), dtype=np.float64).ravel()
        if not np.isfinite(values).all():
            raise ValueError(f"The answer of '{name}' has values that are not finite.")
        answers["values"] = values
    if "named" in kinds:
        answers["named"] = target_of(np.asarray(model.predict(X)), plan.classes)
    if "probabilities" in kinds:
        answer = check_probabilities(model.predict_proba(X), name=f"The answer of '{name}'")
        answers["probabilities"] = align_columns(answer, model.classes_, plan.classes)
    return answers


def _stack(of_rounds: list[Answers]) -> Answers:
    first = of_rounds[0]
    return Answers(
        {kind: np.stack([a.predictions[kind] for a in of_rounds]) for kind in first.predictions},
        {
            metric: np.array([a.train_loss[metric] for a in of_rounds])
            for metric in first.train_loss
        },
    )
