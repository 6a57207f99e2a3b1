"""What the cells of a curve are scored by, and the rows that are made of the scores."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from skdistill.evaluation._curves._input import CurveInput
from skdistill.evaluation._curves._run import Samples
from skdistill.evaluation._tasks import ClassScoring, score_names

METRICS = ClassScoring.metrics

Row = dict[str, Any]


def mean_row(samples: list[dict[str, float]], metrics: Iterable[str]) -> dict[str, float]:
    """Means over the splits and, with the ending "_std", standard deviations (ddof=1)."""
    row = {}
    for name in score_names(tuple(metrics)):
        values = [sample[name] for sample in samples]
        row[name] = float(np.mean(values))
        row[f"{name}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
    return row


def mean_rows(
    given: CurveInput, samples: Samples, arms: Iterable[str], size_name: str
) -> list[Row]:
    """A row for each arm and size."""
    sizes = sorted({size for size, _ in samples})
    return [
        {"arm": arm, size_name: size} | mean_row(samples[size, arm], given.problem.task.metrics)
        for arm in arms
        for size in sizes
    ]


def title(what: str, given: CurveInput) -> str:
    """What a table of means over the splits is headed with."""
    n_splits = len(given.splits)
    return f"{what}: mean ± standard deviation over {n_splits} splits" if n_splits > 1 else what
