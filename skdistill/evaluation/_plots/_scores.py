"""The arms of a report on one scale, with what can be told from chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._arm_names import COMPARISONS, DISTILLED
from skdistill.evaluation._plots._style import line_style, literal, set_title

#: What can be drawn, with its unit.
SCORE_LABELS = {
    "accuracy": "accuracy (share of the rows)",
    "log_loss": "log-loss (nats)",
    "brier": "Brier score (0 to 2)",
    "ece": "calibration error (15 bins)",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "agreement": "agreement with the teacher (share of the rows)",
    "kl": "KL divergence from the teacher (nats)",
    "r2": "R² (share of the variance)",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "rmse_to_teacher": "root mean squared distance to the teacher",
    "n_parameters": "learned numbers",
    "n_bytes": "size (bytes)",
    "us_per_row": "time per row in a batch (µs)",
    "us_single_row": "time of a single row (µs)",
    "fit_seconds": "training (s)",
}


def score_bars(rows: list[dict[str, Any]], intervals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each score of each arm, and the bar around it, nan where there is none.

    Parameters
    ----------
    rows, intervals : list of dict
        Those of a `DistillationReport`.

    Returns
    -------
    bars : list of dict
        ``arm``, ``metric``, ``score``, ``low``, ``high``.
    """
    scores = {row["arm"]: row for row in rows}
    differences = {(entry["comparison"], entry["metric"]): entry for entry in intervals}
    bars = []
    for metric in (key for key in SCORE_LABELS if key in scores[DISTILLED]):
        own = scores[DISTILLED][metric]
        for arm, score in scores.items():
            # The interval is that of distilled - arm, so arm = distilled - difference.
            comparison = COMPARISONS.get((DISTILLED, arm))
            found = differences.get((comparison, metric), {"low": np.nan, "high": np.nan})
            bars.append(
                {
                    "arm": arm,
                    "metric": metric,
                    "score": score[metric],
                    "low": own - found["high"],
                    "high": own - found["low"],
                }
            )
    return bars


def draw_scores(ax: Any, bars: list[dict[str, Any]], metric: str) -> None:
    """Draw one metric of what `score_bars` returns, an arm on each line."""
    shown = [row for row in bars if row["metric"] == metric]
    (own,) = (row["score"] for row in shown if row["arm"] == DISTILLED)
    color = line_style(DISTILLED)["color"]
    ax.axvline(own, color=color, linewidth=1, zorder=0, label="the distilled student's score")
    known = [(y, row["low"], row["high"]) for y, row in enumerate(shown)]
    known = [bar for bar in known if np.isfinite(bar[1])]
    if known:
        look = {
            "color": "0.7",
            "linewidth": 5,
            "label": "95 % interval of the difference to it",
        }
        ax.hlines(*zip(*known, strict=True), **look)
    for y, row in enumerate(shown):
        style = line_style(row["arm"], y)
        marker = "x" if style["marker"] == "None" else style["marker"]
        ax.plot(row["score"], y, linestyle="none", marker=marker, color=style["color"])
    ax.set_yticks(range(len(shown)), [literal(row["arm"]) for row in shown])
    ax.set(ylim=(len(shown) - 0.5, -0.5), xlabel=SCORE_LABELS[metric])
    set_title(ax, "A bar that misses the line: more than chance", ncols=1)
