"""The arms of a report on one scale, with what can be told from chance."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._displays._base import Display
from skdistill.evaluation._displays._probabilities import check_report
from skdistill.evaluation._plots._scores import SCORE_LABELS, draw_scores, score_bars
from skdistill.evaluation._report import distillation_report


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
        self.report, self.rows = report, score_bars(report.rows, report.intervals)

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
        if isinstance(y_test, Mapping):
            raise ValueError(
                f"X_test holds the test sets {list(X_test)}, and a ReportDisplay shows one; "
                "expected its rows. Pass one of them, or ReportDisplay.from_result(reports[name]) "
                "for each of the reports that distillation_report returns."
            )
        if metric is not None:
            check_metric(cls.__name__, metric, SCORE_LABELS)
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
        draw_scores(ax, self.rows, metric)
