"""The arms of a report on one scale, with what can be told from chance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
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

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.evaluation import ReportDisplay
    >>> X, y = make_classification(300, random_state=0)
    >>> forest = RandomForestClassifier(10, random_state=0)
    >>> model = DistilledClassifier(forest, DecisionTreeClassifier(max_depth=3), random_state=0)
    >>> display = ReportDisplay.from_estimator(
    ...     model, X[:200], y[:200], X[200:], y[200:], metric="log_loss"
    ... )
    >>> display.ax_.get_xlabel()
    'log-loss (nats)'
    """

    def __init__(self, report: Any) -> None:
        check_report("ReportDisplay", report)
        self.report, self.rows = report, _bars(report)

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X_train: Any,
        y_train: Any,
        X_test: Any,
        y_test: Any,
        *,
        metric: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Make a report on a model and draw it.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
            With a teacher, fitted or not.
        X_train, y_train : array-like of shape (n_train, ...) and (n_train,)
            Rows, and labels or numbers, that every student learns from.
        X_test, y_test : array-like of shape (n_test, ...) and (n_test,)
            Those that are scored. Of several test sets draw the reports one by one.
        metric : str, default=None
            As in `plot`.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of `distillation_report`.

        Returns
        -------
        display : ReportDisplay
        """
        # A report's page has pictures: it is above this file, and there when it is called.
        from skdistill.evaluation._report import distillation_report

        if isinstance(X_test, Mapping):
            raise ValueError(
                f"X_test holds the test sets {list(X_test)}, and a ReportDisplay shows one; "
                "expected its rows. Pass one of them, or ReportDisplay.from_result(reports[name]) "
                "for each of the reports that distillation_report returns."
            )
        if metric is not None:
            check_metric(cls.__name__, metric, METRIC_LABELS)
        compute = partial(distillation_report, model, X_train, y_train, X_test, y_test, **kwargs)
        return cls._compute_and_plot(compute, ax, metric=metric)

    def plot(self, ax: Any = None, *, metric: str | None = None) -> Self:
        """Draw one metric of the report.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : str, default=None
            A key of the report's ``rows``; None is the first, accuracy or R². Only accuracy,
            log_loss, brier, r2, mse and mae have intervals.

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
