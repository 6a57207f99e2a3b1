"""The engine of all curves: on every subset a teacher is asked once and students are fitted."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from skdistill._compat import safe_indexing
from skdistill.evaluation._curves._input import CurveInput
from skdistill.evaluation._curves._scores import METRICS, SCORES
from skdistill.evaluation._curves._subsets import Subset
from skdistill.evaluation._metrics import check_probabilities, row_terms
from skdistill.evaluation._recipes import TEACHER, ask_for_targets, fit_student
from skdistill.evaluation._report._cost import count_parameters
from skdistill.evaluation._report._scoring import warn_if_memorised
from skdistill.exceptions import TeacherWarning
from skdistill.targets import Targets, teacher_probabilities, teacher_targets
from skdistill.targets._given import given_targets
from skdistill.targets._tasks import ClassTask
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._align import align_columns
from skdistill.teachers._base_ensemble import members_of
from skdistill.teachers._ensemble import as_teacher
from skdistill.transfer import Unlabeled

Samples = dict[tuple[int, Hashable], list[dict[str, float]]]
"""The scores of each (size, key), one dict for each split."""


class Student(NamedTuple):
    """One student to fit on a subset.

    Attributes
    ----------
    key : hashable
        What its scores are kept under.
    model : DistilledClassifier
        The recipe.
    parameters : dict
        Set before the fit.
    soft_targets : Targets or None
    takes_rest : bool, default=False
        Whether it learns from the other training rows of the split too, without their labels. The
        model then brings its teacher, and there are no soft targets.
    """

    key: Hashable
    model: Any
    parameters: dict[str, Any]
    soft_targets: Targets | None
    takes_rest: bool = False


Plan = Callable[[Any, np.ndarray, Targets, int], Iterable[Student]]
"""From model, positions of the labels, targets and the number of classes to the students."""


def run_curve(
    owner: str,
    given: CurveInput,
    subsets: list[Subset],
    plan: Plan,
    *,
    n_jobs: int | None,
    verbose: int,
) -> Samples:
    """Fit the students of the plan on every subset, and score them and the teacher.

    Parameters
    ----------
    owner : str
        The function that progress is reported for.
    given : CurveInput
    subsets : list of Subset
    plan : callable
        See `Plan`.
    n_jobs : int or None
        Subsets at a time.
    verbose : int
        1 prints a line for every subset.

    Returns
    -------
    samples : dict
        See `Samples`; the teacher's key is `TEACHER`.

    Warns
    -----
    TeacherWarning
        When a fitted teacher has memorised the training rows of the splits.
    """
    fitted = None
    members = members_of(as_teacher(given.model.teacher))
    if given.teacher_is_fitted and not any(map(answers_from_labels, members)):
        fitted = _ask_fitted(given)
        train = np.concatenate([train for train, _ in given.splits])
        test = np.concatenate([test for _, test in given.splits])
        answers = align_columns(fitted.values, fitted.classes, given.classes)
        terms = row_terms(given.y_index[test], answers[test], answers[test])
        warn_if_memorised(answers[train], given.y_index[train], terms["log_loss"])
        # The workers need its answers, not the teacher itself.
        given = replace(given, model=clone(given.model).set_params(teacher=None))
    tasks = (delayed(_run_subset)(given, fitted, subset, plan) for subset in subsets)
    samples: Samples = {}
    replies = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    for number, (subset, (scores, seconds)) in enumerate(zip(subsets, replies, strict=True), 1):
        for key, sample in scores.items():
            samples.setdefault((subset.size, key), []).append(sample)
        if verbose:
            print(
                f"[{owner}] split {subset.split}, {len(subset.train)} rows: {seconds:.1f} s "
                f"({number} of {len(subsets)})"
            )
    return samples


def _ask_fitted(given: CurveInput) -> Targets:
    """What a fitted teacher says of all rows, in the order of its own classes."""
    model = given.model
    targets = teacher_targets(
        model.teacher,
        given.X,
        teacher_classes=model.teacher_classes,
        device=model.device,
        memory=model.memory,
    )
    return targets if targets.classes is not None else targets.replace(classes=given.classes)


def _run_subset(
    given: CurveInput, fitted: Targets | None, subset: Subset, plan: Plan
) -> tuple[dict[Hashable, dict[str, float]], float]:
    """The scores of teacher and students by their keys, and the seconds that it took."""
    started = perf_counter()
    X, X_test = (safe_indexing(given.X, rows) for rows in (subset.train, subset.test))
    y = given.y[subset.train]
    classes, y_index = np.unique(y, return_inverse=True)
    score = partial(_score, given, subset)
    scores: dict[Hashable, dict[str, float]] = {}
    with warnings.catch_warnings():
        if not subset.is_largest:
            # That few rows make a poor teacher is what the curve shows.
            _ignore_doubts()
        targets, teacher = _targets(given, fitted, subset.train, X, y)
    if targets.from_labels:
        scores[TEACHER] = dict.fromkeys(SCORES, np.nan)
    elif fitted is None:
        teach = partial(_teach, given.model, teacher, classes)
        scores[TEACHER] = score(TEACHER, classes, teach(X), teach(X_test))
    else:
        answers = (fitted.values[rows] for rows in (subset.train, subset.test))
        scores[TEACHER] = score(TEACHER, np.asarray(fitted.classes), *answers)
    for student in plan(given.model, y_index, targets, len(classes)):
        key, model, parameters, soft_targets, takes_rest = student
        if takes_rest:
            fit = _fit_with_rest(given, subset, model, X, y)
        else:
            fit = fit_student(model, given.seed, X, y, soft_targets, **parameters)
        answers = (fit.predict_proba(rows) for rows in (X, X_test))
        scores[key] = score(key, fit.classes_, *answers)
        scores[key]["n_parameters"] = count_parameters(fit.student_)
    return scores, perf_counter() - started


def _fit_with_rest(given: CurveInput, subset: Subset, model: Any, X: Any, y: np.ndarray) -> Any:
    """The model with its teacher, which labels the rest of the split's training rows."""
    rest = np.setdiff1d(given.splits[subset.split][0], subset.train)
    X_unlabeled = Unlabeled(safe_indexing(given.X, rest)) if len(rest) else None
    with warnings.catch_warnings():
        _ignore_doubts()  # the targets were judged once
        fit = clone(model).set_params(random_state=given.seed, verbose=0)
        return fit.fit(X, y, X_unlabeled=X_unlabeled)


def _ignore_doubts() -> None:
    """Let a teacher be poor, and let scikit-learn not take few rows of many classes for numbers."""
    warnings.simplefilter("ignore", TeacherWarning)
    warnings.filterwarnings("ignore", message="The number of unique classes")


def _score(
    given: CurveInput,
    subset: Subset,
    key: Hashable,
    columns: np.ndarray,
    on_train: np.ndarray,
    on_test: np.ndarray,
) -> dict[str, float]:
    """Hold answers, whose columns are the given labels, against the labels of the rows."""
    scores: dict[str, float] = {}
    parts = {"train": (subset.train, on_train), "test": (subset.test, on_test)}
    for part, (rows, answer) in parts.items():
        p = check_probabilities(answer, name=f"The answer of {key!r}")
        p = align_columns(p, columns, given.classes)
        terms = row_terms(given.y_index[rows], p, p)
        scores |= {f"{part}_{metric}": float(terms[metric].mean()) for metric in METRICS}
    return scores


def _targets(
    given: CurveInput, fitted: Targets | None, train: np.ndarray, X: Any, y: np.ndarray
) -> tuple[Targets, Any]:
    """The targets that `fit` would use on these rows, and the teacher that it would fit."""
    if fitted is None:
        return ask_for_targets(given.model, X, y, given.seed)
    return given_targets(fitted[train], ClassTask(y), calibrate=given.model.calibrate), None


def _teach(model: Any, teacher: Any, classes: np.ndarray, X: Any) -> np.ndarray:
    return teacher_probabilities(
        teacher,
        X,
        classes,
        teacher_classes=model.teacher_classes,
        device=model.device,
        memory=model.memory,
    )
