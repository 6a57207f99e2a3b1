"""What differs between the evaluation of models of classes and of models of numbers.

It stands in the methods and attributes of two objects. No other file asks which of them it has; at
most it asks for `classes`, of which numbers have none.
"""

from __future__ import annotations

from typing import Any

from skdistill._estimators._regressor import DistilledRegressor
from skdistill.evaluation._class_scoring import ClassScoring
from skdistill.evaluation._number_scoring import NumberScoring

Scoring = ClassScoring | NumberScoring


def task_of(model: Any) -> type[Scoring]:
    """The task of a distilled estimator."""
    return NumberScoring if isinstance(model, DistilledRegressor) else ClassScoring


def score_names(metrics: tuple[str, ...]) -> list[str]:
    """The names of the metrics on the rows that were learnt from, and on others."""
    return [f"{part}_{metric}" for metric in metrics for part in ("train", "test")]
