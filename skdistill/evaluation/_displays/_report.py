"""The arms of a report on one scale, with what can be told from chance."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._arm_names import COMPARISONS, DISTILLED
from skdistill.evaluation._displays._base import Display
from skdistill.evaluation._displays._probabilities import check_report
from skdistill.evaluation._displays._style import line_style, literal, set_title

#: What can be drawn, with its unit.
METRIC_LABELS = {
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


class ReportDisplay(Display):
    """One metric of all arms of a report, with the intervals of their distance to distilled.

    The line is the distilled student's score. A bar is the 95 % interval of the paired difference
    to it, drawn around the other arm's score: where bar and line do not touch, the difference is
    more than the draw of the test rows.

    Parameters
    ----------
    report : DistillationReport
        What `distillation_report` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`: arms against scores.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    distillation_report : The numbers.
    """

    def __init__(self, report: Any) -> None:
        check_report("ReportDisplay", report)
        self.report, self.rows = report, _bars(report)

    def plot(self, ax: Any = None, *, metric: str | None = None) -> Self:
        """Draw one metric of the report.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : str, default=None
            A key of the report's ``rows``; None is the first, accuracy or R². Only accuracy,
            log_loss, brier, mse and mae have intervals.

        Returns
        -------
        ReportDisplay
            Itself.
        """
        known = list(dict.fromkeys(row["metric"] for row in self.rows))
        metric = known[0] if metric is None else metric
        check_metric(type(self).__name__, metric, known)
        return self._plot(ax, metric=metric)

    def _figsize(self) -> tuple[float, float]:
        return 6.4, 0.9 + 0.35 * len(self.report.rows)

    def _draw(self, ax: Any, *, metric: str) -> None:
        shown = [row for row in self.rows if row["metric"] == metric]
        (own,) = (row["score"] for row in shown if row["arm"] == DISTILLED)
        color = line_style(DISTILLED)["color"]
        ax.axvline(own, color=color, linewidth=1, zorder=0, label="the distilled student's score")
        bars = [(y, row["low"], row["high"]) for y, row in enumerate(shown)]
        bars = [bar for bar in bars if np.isfinite(bar[1])]
        if bars:
            look = {
                "color": "0.7",
                "linewidth": 5,
                "label": "95 % interval of the difference to it",
            }
            ax.hlines(*zip(*bars, strict=True), **look)
        for y, row in enumerate(shown):
            style = line_style(row["arm"], y)
            marker = "x" if style["marker"] == "None" else style["marker"]
            ax.plot(row["score"], y, linestyle="none", marker=marker, color=style["color"])
        ax.set_yticks(range(len(shown)), [literal(row["arm"]) for row in shown])
        ax.set(ylim=(len(shown) - 0.5, -0.5), xlabel=METRIC_LABELS[metric])
        set_title(ax, "A bar that misses the line: more than chance", ncols=1)


def _bars(report: Any) -> list[dict[str, Any]]:
    """Each score of each arm, and the bar around it, nan where there is none."""
    scores = {row["arm"]: row for row in report.rows}
    differences = {(entry["comparison"], entry["metric"]): entry for entry in report.intervals}
    rows = []
    for metric in (key for key in METRIC_LABELS if key in scores[DISTILLED]):
        own = scores[DISTILLED][metric]
        for arm, score in scores.items():
            # The interval is that of distilled - arm, so arm = distilled - difference.
            comparison = COMPARISONS.get((DISTILLED, arm))
            found = differences.get((comparison, metric), {"low": np.nan, "high": np.nan})
            rows.append(
                {
                    "arm": arm,
                    "metric": metric,
                    "score": score[metric],
                    "low": own - found["high"],
                    "high": own - found["low"],
                }
            )
    return rows
