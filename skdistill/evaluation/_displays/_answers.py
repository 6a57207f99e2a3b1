"""Whose probabilities a picture shows: of an estimator, and of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.utils.validation import check_is_fitted

from skdistill._classifier import DistilledClassifier
from skdistill.evaluation._recipes import DISTILLED, TEACHER
from skdistill.targets import teacher_probabilities


def estimator_answers(estimator: Any, X: Any) -> dict[str, np.ndarray]:
    """Probabilities by name: of teacher and student, or of a classifier that has no teacher.

    Parameters
    ----------
    estimator : classifier
        A fitted one. Of a DistilledClassifier "teacher" (where there is one) and "distilled",
        any other under the name of its class.
    X : array-like of shape (n_samples, ...)
        Rows.

    Returns
    -------
    answers : dict of str to ndarray of shape (n_samples, n_classes)
        Columns in the order of ``estimator.classes_``.
    """
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
    if not isinstance(estimator, DistilledClassifier):
        return {type(estimator).__name__: estimator.predict_proba(X)}
    answers = {}
    if estimator.teacher_ is not None:
        answers[TEACHER] = teacher_probabilities(
            estimator.teacher_,
            X,
            estimator.classes_,
            teacher_classes=estimator.teacher_classes,
            device=estimator.device,
            memory=estimator.memory,
        )
    return {**answers, DISTILLED: estimator.predict_proba(X)}


def report_answers(report: Any, arms: Sequence[str]) -> dict[str, np.ndarray]:
    """The probabilities of some arms of a `DistillationReport`, or an error that names all."""
    unknown = [arm for arm in arms if arm not in report.probabilities]
    if isinstance(arms, str) or unknown or not arms:
        raise ValueError(
            f"'arms' must be a sequence of arms of the report. Got {arms!r}; its arms are "
            f"{', '.join(map(repr, report.probabilities))}."
        )
    return {arm: report.probabilities[arm] for arm in arms}
