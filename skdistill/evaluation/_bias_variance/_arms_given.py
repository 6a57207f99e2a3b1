"""What came in, checked before anything is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import indexable
from sklearn.utils.multiclass import check_classification_targets

from skdistill._input._inputs import as_inputs
from skdistill._input._labels import refuse_amounts, refuse_fractions
from skdistill._words import shorten
from skdistill.evaluation._arguments import (
    check_bool,
    check_int,
    check_some_rows,
    read_labels,
    read_values,
)
from skdistill.evaluation._bias_variance._designs import DESIGNS
from skdistill.evaluation._bias_variance._losses import CLASSIFIER_METRICS, REGRESSOR_METRICS
from skdistill.evaluation._problem import Problem
from skdistill.evaluation._read_problem import check_known, check_numbers, check_same_columns
from skdistill.evaluation._tasks import ClassScoring, NumberScoring
from skdistill.evaluation._teaching import has_unreachable_teacher

MIN_ROUNDS = 3
"""The jackknife leaves one round out, and the variance of the others needs two."""


def check_metrics(loss: Any, owner: str, *, classifier: bool) -> list[str]:
    """The names of the losses, the default for None."""
    known = CLASSIFIER_METRICS if classifier else REGRESSOR_METRICS
    metrics = [known[0]] if loss is None else [loss] if isinstance(loss, str) else loss
    if not isinstance(metrics, list | tuple) or not metrics or any(m not in known for m in metrics):
        kind = "classifiers" if classifier else "regressors"
        raise ValueError(
            f"The 'loss' parameter of {owner} must be one of {known} or a list of them for "
            f"{kind}. Got {shorten(loss)} instead."
        )
    return list(dict.fromkeys(metrics))


def check_settings(owner: str, design: Any, n_rounds: Any, refit_teacher: Any) -> None:
    """Refuse an unknown design, too few rounds, and what is no truth value."""
    if design not in DESIGNS:
        raise ValueError(
            f"The 'design' parameter of {owner} must be one of {DESIGNS}. Got {shorten(design)} "
            "instead."
        )
    why = "; the standard errors leave one round out, and a variance needs two."
    check_int(owner, "n_rounds", n_rounds, MIN_ROUNDS, why)
    check_bool(owner, "refit_teacher", refit_teacher)


def check_arm(name: str, estimator: Any, metrics: list[str], *, refit_teacher: bool) -> None:
    """Refuse what cannot be fitted in rounds, or not be asked for what the metrics need."""
    if not refit_teacher and has_unreachable_teacher(estimator):
        raise ValueError(
            f"refit_teacher=False reaches the teacher of a DistilledClassifier, and of one that "
            f"ends a Pipeline, but not one that lies deeper or labels the rows of augment, as in "
            f"'{name}' ({type(estimator).__name__}); pass a fitted teacher there: "
            f"FrozenEstimator(teacher.fit(X, y))."
        )
    needs_probabilities = [m for m in metrics if m in ("log_loss", "brier")]
    # A StackingClassifier, for one, has no methods to look at before its fit.
    undecided = not hasattr(estimator, "predict")
    if needs_probabilities and not undecided and not hasattr(estimator, "predict_proba"):
        raise ValueError(
            f"The loss {needs_probabilities[0]!r} needs probabilities, and '{name}' "
            f"({type(estimator).__name__}) has no predict_proba; wrap it in "
            f"CalibratedClassifierCV, or use loss='zero_one'."
        )


def check_kind(name: str, estimator: Any) -> bool:
    """Whether an estimator is a classifier; an error where it is no regressor either."""
    has_methods = all(hasattr(estimator, method) for method in ("fit", "get_params"))
    if isinstance(estimator, type) or not has_methods:
        raise TypeError(
            f"'{name}' must be a scikit-learn estimator, to be cloned and fitted in every round. "
            f"Got {shorten(estimator)} instead."
        )
    if not is_classifier(estimator) and not is_regressor(estimator):
        raise TypeError(
            f"'{name}' must be a classifier or a regressor. Got {type(estimator).__name__} instead."
        )
    return is_classifier(estimator)


def check_data(X: Any, y: Any, X_test: Any, y_test: Any, *, classifier: bool) -> Problem:
    """Check rows and labels; bring labels into their one form."""
    read = read_labels if classifier else read_values
    for part, rows in {"X": X, "X_test": X_test}.items():
        check_some_rows(part, rows)
    X, y = indexable(as_inputs(X), read("y", y))
    X_test, y_test = indexable(as_inputs(X_test), read("y_test", y_test))
    if not isinstance(X, list) and not isinstance(X_test, list):
        if np.shape(X)[1:] != np.shape(X_test)[1:]:
            raise ValueError(
                f"X has the shape {np.shape(X)} and X_test {np.shape(X_test)}; expected the same "
                f"features."
            )
        check_same_columns(X, X_test, "X")
        check_numbers(X, X_test, "X")
    if classifier:
        refuse_fractions(y)
        refuse_amounts(np.unique(y), len(y))
        check_classification_targets(y)
    task = ClassScoring(y) if classifier else NumberScoring(y)
    check_known(task, y_test, "y")
    return Problem(X, y, task, {"test": (X_test, y_test)})


def check_rounds(rounds: list[np.ndarray], labels: np.ndarray | None, design: str) -> None:
    """Refuse rounds with too few rows or classes to learn from."""
    smallest = min(len(rows) for rows in rounds)
    if smallest < 2:
        raise ValueError(
            f"design={shorten(design)} leaves {smallest} row for a round; expected more rows in X, "
            "or fewer rounds."
        )
    if labels is None:
        return
    for number, rows in enumerate(rounds, 1):
        if len(np.unique(labels[rows])) < 2:
            raise ValueError(
                f"The rows of round {number} of design={shorten(design)} hold one class only; "
                "expected at least two. Use design='subsample', fewer rounds, or more rows of "
                "each class."
            )
