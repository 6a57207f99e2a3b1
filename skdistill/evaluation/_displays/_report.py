"""The arms of a report on one scale, with what can be told from chance."""

from __future__ import annotations

from typing import Any

from skdistill.evaluation._displays._answers import check_report
from skdistill.evaluation._displays._style import get_axes, line_style, literal
from skdistill.evaluation._recipes import COMPARISONS, DISTILLED

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
    "n_parameters": "learned numbers",
    "n_bytes": "size (bytes)",
    "us_per_row": "time per row in a batch (µs)",
    "us_single_row": "time of a single row (µs)",
    "fit_seconds": "training (s)",
}


class ReportDisplay:
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
        self.report = report

    def plot(self, ax: Any = None, *, metric: str = "accuracy") -> ReportDisplay:
        """Draw one metric of the report.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : str, default="accuracy"
            A key of the report's ``rows``. Only accuracy, log_loss and brier have intervals.

        Returns
        -------
        ReportDisplay
            Itself.
        """
        if metric not in list(METRIC_LABELS):
            raise ValueError(
                f"The 'metric' parameter of ReportDisplay must be one of "
                f"{', '.join(METRIC_LABELS)}. Got {metric!r} instead."
            )
        scores = {row["arm"]: row[metric] for row in self.report.rows}
        is_new = ax is None
        ax = get_axes(ax, type(self).__name__)
        if is_new:
            ax.figure.set_size_inches(6.4, 0.9 + 0.35 * len(scores))
        own = scores[DISTILLED]
        ax.axvline(own, color=line_style(DISTILLED)["color"], linewidth=1, zorder=0)
        for y, (arm, score) in enumerate(scores.items()):
            style = line_style(arm, y)
            marker = "x" if style["marker"] == "None" else style["marker"]
            for entry in self.report.intervals:
                if entry["metric"] == metric and entry["comparison"] == COMPARISONS.get(arm):
                    # The interval is that of distilled - arm, so arm = distilled - difference.
                    ends = own - entry["high"], own - entry["low"]
                    ax.hlines(y, *ends, color="0.7", linewidth=5)
            ax.plot(score, y, linestyle="none", marker=marker, color=style["color"])
        ax.set_yticks(range(len(scores)), [literal(arm) for arm in scores])
        ax.set(ylim=(len(scores) - 0.5, -0.5), xlabel=METRIC_LABELS[metric])
        self.ax_, self.figure_ = ax, ax.figure
        return self
