"""An arm of a report that has both: the student where it is sure, its teacher elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from skdistill._cascade_threshold import (
    Threshold,
    check_enough_rows,
    find_threshold,
    margin,
)
from skdistill.evaluation._bootstrap import CONFIDENCE
from skdistill.evaluation._problem import Problem
from skdistill.evaluation._read_problem import check_known, check_same_columns, check_same_kinds
from skdistill.evaluation._verdict import MARGIN
from skdistill.teachers._key import content_key


class HeldBack(NamedTuple):
    """Rows that choose where a cascade asks its teacher.

    Attributes
    ----------
    X : array-like of shape (n_samples, ...)
    encoded : ndarray of shape (n_samples,), int
        Their labels, as the task encodes them.
    """

    X: Any
    encoded: np.ndarray


def read_held_back(model: Any, problem: Problem, given: Any) -> HeldBack:
    """Read the rows and labels of `cascade`, or refuse them before anything is fitted.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    problem : Problem
        With its training rows and test sets.
    given : (X, y)

    Raises
    ------
    TypeError
        When it is no pair.
    ValueError
        For a model of numbers, rows and labels that do not fit those of the problem, too few, and
        those that a student learns from or is tested on.
    """
    if problem.task.classes is None:
        raise ValueError(
            "cascade was given, and the model predicts numbers; a cascade goes by the "
            "probabilities of a classifier. Leave cascade out."
        )
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise TypeError(
            f"cascade must be rows and labels (X, y) that are in no other part of the report, "
            f"which say where the teacher is asked. Got {type(given).__name__} instead; pass "
            f"cascade=(X_held_back, y_held_back)."
        )
    names = "cascade[0]", "cascade[1]"
    X, y = problem.task.read_rows(names[0], given[0], names[1], given[1])
    check_same_columns(problem.X, X, X_name=names[0])
    check_same_kinds(model, problem.X, X, names[0])
    check_known(problem.task, y, name=names[1])
    check_enough_rows(names[0], len(y), MARGIN, CONFIDENCE, "Hold more rows back.")
    others = {"the training rows": problem.X}
    others |= {f"the test set {name!r}": rows for name, (rows, _) in problem.tests.items()}
    for what, rows in others.items():
        if rows.shape == X.shape and content_key(rows) == content_key(X):
            raise ValueError(
                f"The rows of cascade are {what}; expected rows that no student learns from and "
                f"none is tested on. Split them off first."
            )
    return HeldBack(X, problem.task.encode(y))


class Cascade(NamedTuple):
    """A cascade of which student and teacher have spoken.

    Attributes
    ----------
    answers : dict of str to ndarray of shape (n_test, n_classes)
        By test set.
    deferred : dict of str to float
        By test set the share of the rows that went to the teacher.
    """

    answers: dict[Any, np.ndarray]
    deferred: dict[Any, float]


def choose_threshold(student: np.ndarray, teacher: np.ndarray, encoded: np.ndarray) -> Threshold:
    """The least deferral that is shown to lose no more accuracy than the report's margin.

    Parameters
    ----------
    student, teacher : ndarray of shape (n_samples, n_classes)
        Of rows that neither has learnt from.
    encoded : ndarray of shape (n_samples,), int
    """
    right = [answers.argmax(axis=1) == encoded for answers in (student, teacher)]
    return find_threshold(margin(student), *right, tolerance=MARGIN, confidence=CONFIDENCE)


def join_answers(
    threshold: float, student: Mapping[Any, np.ndarray], teacher: Mapping[Any, np.ndarray]
) -> Cascade:
    """The student's answers, and those of the teacher for rows below the threshold."""
    unsure = {name: margin(answers) < threshold for name, answers in student.items()}
    return Cascade(
        {
            name: np.where(rows[:, None], teacher[name], student[name])
            for name, rows in unsure.items()
        },
        {name: float(rows.mean()) for name, rows in unsure.items()},
    )


def costs_of_cascade(
    student: Mapping[str, float], teacher: Mapping[str, float], deferred: float
) -> dict[str, float]:
    """Both are shipped, each row pays the student, and a share of the rows the teacher too.

    Parameters
    ----------
    student, teacher : dict of str to float
        See `skdistill.evaluation._shipped.costs`.
    deferred : float
        The share.
    """
    found = {name: student[name] + teacher[name] for name in ("n_parameters", "n_bytes")}
    for name in ("us_per_row", "us_single_row"):
        found[name] = student[name] + deferred * teacher[name]
    return {**found, "fit_seconds": student["fit_seconds"]}
