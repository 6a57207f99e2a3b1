"""Whose probabilities a picture shows: of an estimator, and of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from skdistill._estimators._classifier import DistilledClassifier
from skdistill._words import shorten
from skdistill.evaluation._arguments import rows_and_labels
from skdistill.evaluation._arm_names import DISTILLED, TEACHER
from skdistill.evaluation._displays._base import check_shown
from skdistill.evaluation._metrics import class_index
from skdistill.evaluation._report import DistillationReport
from skdistill.evaluation._teaching import teacher_answer


def estimator_probabilities(estimator: Any, X: Any, y: Any) -> dict[str, np.ndarray]:
    """Probabilities by name: of teacher and student, or of a classifier that has no teacher.

    Parameters
    ----------
    estimator : classifier
        A fitted one. Of a DistilledClassifier "teacher" (where there is one) and "distilled",
        any other under the name of its class.
    X : array-like of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,)
        Their labels; looked at before anybody is asked.

    Returns
    -------
    answers : dict of str to ndarray of shape (n_samples, n_classes)
        Columns in the order of ``estimator.classes_``.
    """
    if isinstance(estimator, type) or not hasattr(estimator, "__sklearn_tags__"):
        is_class = isinstance(estimator, type)
        came = f"the class {estimator.__name__}" if is_class else shorten(estimator)
        raise TypeError(
            f"The estimator must be a fitted classifier of scikit-learn's kind. Got {came} "
            f"instead; from_predictions takes the probabilities of any other."
        )
    check_is_fitted(estimator)
    if is_regressor(estimator):
        raise TypeError(
            f"The estimator must be a classifier. Got {type(estimator).__name__} instead, a "
            f"regressor; this picture shows class probabilities."
        )
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"The estimator must have predict_proba, and {type(estimator).__name__} has none. "
            "CalibratedClassifierCV gives it one; from_predictions takes probabilities."
        )
    if isinstance(estimator.classes_, list):
        raise TypeError(
            f"The estimator must give one label to each row. Got {type(estimator).__name__} "
            f"instead, which gives several; from_predictions takes the probabilities of one."
        )
    X, y = rows_and_labels("X", X, "y", y)
    try:
        class_index(y, np.asarray(estimator.classes_))
    except ValueError as error:
        raise ValueError(f"y does not fit the estimator. {error}") from None
    if not isinstance(estimator, DistilledClassifier):
        return {type(estimator).__name__: estimator.predict_proba(X)}
    answers = {}
    if estimator.teacher_ is not None:
        answers[TEACHER] = teacher_answer(estimator, estimator.teacher_, X, estimator.classes_)
    return {**answers, DISTILLED: estimator.predict_proba(X)}


def check_report(owner: str, report: Any) -> None:
    """Refuse what is no `DistillationReport`."""
    check_shown(owner, report, DistillationReport, "distillation_report")


def report_probabilities(owner: str, report: Any, arms: Sequence[str]) -> dict[str, np.ndarray]:
    """The probabilities of some arms of a `DistillationReport`, or an error that names all."""
    check_report(owner, report)
    if report.probabilities is None:
        raise TypeError(
            f"{owner} shows class probabilities, and this is a report on numbers. ReportDisplay "
            f"draws its scores."
        )
    is_list = isinstance(arms, Sequence) and not isinstance(arms, str) and len(arms) > 0
    if not is_list or any(arm not in list(report.probabilities) for arm in arms):
        raise ValueError(
            f"'arms' must be a sequence of arms of the report. Got {shorten(arms)}; its arms are "
            f"{', '.join(map(repr, report.probabilities))}."
        )
    return {arm: report.probabilities[arm] for arm in arms}
