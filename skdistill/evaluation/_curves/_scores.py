"""What the cells of a curve are scored by, and the rows that are made of the scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._curves._input import CurveInput

METRICS = ("log_loss", "accuracy", "brier")
SCORES = tuple(f"{part}_{metric}" for metric in METRICS for part in ("train", "test"))


def check_metric(metric: Any) -> None:
    """Refuse what is none of `METRICS`."""
    if metric not in METRICS:
        raise ValueError(
            f"The 'metric' parameter must be one of {', '.join(METRICS)}. Got {metric!r} instead."
        )


def summarise(samples: list[dict[str, float]]) -> dict[str, float]:
    """Means over the splits and, with the ending "_std", standard deviations (ddof=1)."""
    row = {}
    for name in SCORES:
        values = [sample[name] for sample in samples]
        row[name] = float(np.mean(values))
        row[f"{name}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
    return row


def title(what: str, given: CurveInput) -> str:
    """What a table of means over the splits is headed with."""
    n_splits = len(given.splits)
    return f"{what}: mean ± standard deviation over {n_splits} splits" if n_splits > 1 else what
