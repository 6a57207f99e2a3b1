"""What the cells of a curve are scored by, and the rows that are made of the scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skdistill.evaluation._curves._input import CurveInput
from skdistill.evaluation._curves._run import Samples
from skdistill.evaluation._tables import means
from skdistill.evaluation._tasks import ClassScoring, score_names

METRICS = ClassScoring.metrics

Row = dict[str, Any]


def mean_rows(
    given: CurveInput, samples: Samples, arms: Iterable[str], size_name: str
) -> list[Row]:
    """A row for each arm and size, with the means over the splits."""
    sizes = sorted({size for size, _ in samples})
    names = score_names(given.problem.task.metrics)
    return [
        {"arm": arm, size_name: size} | means(samples[size, arm], names)
        for arm in arms
        for size in sizes
    ]


def without_squares(rows: list[Row]) -> list[Row]:
    """The rows as they are printed: the root of a squared error tells the same in units of y."""
    return [{key: row[key] for key in row if "_mse" not in key} for row in rows]


def title(what: str, given: CurveInput) -> str:
    """What a table of means over the splits is headed with."""
    n_splits = len(given.splits)
    return f"{what}: mean ± standard deviation over {n_splits} splits" if n_splits > 1 else what
