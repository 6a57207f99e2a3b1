"""Reliability diagram: is a probability of 0.8 right in 8 cases of 10?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._displays._base import Display, check_axes, check_table
from skdistill.evaluation._displays._probabilities import (
    estimator_probabilities,
    report_probabilities,
)
from skdistill.evaluation._plots._reliability import draw_reliability, reliability_bins


class ReliabilityDisplay(Display):
    """Reliability diagram: confidence against accuracy, and how often each confidence occurs.

    Above the diagonal an arm is too timid, below it too sure. Larger marks stand for more rows.
    The histogram takes the lower part of the axes. Make one with `from_estimator`,
    `from_predictions`, `from_report` or `from_result`.

    Parameters
    ----------
    rows : list of dict
        What `reliability_bins` returns.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Accuracy against confidence.
    histogram_ax_ : matplotlib.axes.Axes
        The share of the rows in each bin, below it.
    figure_ : matplotlib.figure.Figure
        The figure of both.

    See Also
    --------
    skdistill.evaluation.reliability_bins : The numbers alone; needs no matplotlib.
    sklearn.calibration.CalibrationDisplay : The same for the probability of one class.

    Examples
    --------
    >>> from skdistill.evaluation import ReliabilityDisplay
    >>> y_proba = [[0.2, 0.8], [0.3, 0.7], [0.6, 0.4], [0.2, 0.8]]
    >>> display = ReliabilityDisplay.from_predictions([1, 1, 0, 0], y_proba)
    >>> display.ax_.get_ylabel()
    'accuracy'
    """

    histogram_ax_: Any

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        keys = ("arm", "low", "high", "n", "confidence", "accuracy")
        check_table("ReliabilityDisplay", rows, keys, "reliability_bins")
        self.rows = rows

    @classmethod
    def from_predictions(
        cls, y_true: Any, y_proba: Any, *, labels: Any = None, n_bins: int = 15, ax: Any = None
    ) -> Self:
        """Draw the diagram of given probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        y_proba : array-like of shape (n_samples, n_classes), or dict of str to such
            Predicted probabilities, of several arms by name in a dict.
        labels : array-like of shape (n_classes,), default=None
            The label of each column. None: the sorted labels of `y_true`.
        n_bins : int, default=15
            Number of bins.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        display : ReliabilityDisplay
        """
        compute = partial(reliability_bins, y_true, y_proba, labels=labels, n_bins=n_bins)
        return cls._compute_and_plot(compute, ax)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, *, n_bins: int = 15, ax: Any = None
    ) -> Self:
        """Draw the diagram of a fitted classifier, of a DistilledClassifier beside its teacher.

        Parameters
        ----------
        estimator : classifier
            A fitted one, with `predict_proba`.
        X : array-like of shape (n_samples, ...)
            Rows that neither teacher nor student was fitted on.
        y : array-like of shape (n_samples,)
            Their labels.
        n_bins : int, default=15
            Number of bins.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        display : ReliabilityDisplay
        """
        check_axes(ax, cls.__name__)
        answers = estimator_probabilities(estimator, X, y)
        return cls.from_predictions(y, answers, labels=estimator.classes_, n_bins=n_bins, ax=ax)

    @classmethod
    def from_report(
        cls,
        report: Any,
        *,
        arms: Sequence[str] = (TEACHER, PLAIN, DISTILLED),
        n_bins: int = 15,
        ax: Any = None,
    ) -> Self:
        """Draw the diagram of arms of a report, on its test rows.

        Parameters
        ----------
        report : DistillationReport
            What `distillation_report` returns.
        arms : sequence of str, default=("teacher", "plain", "distilled")
            Which of its arms.
        n_bins : int, default=15
            Number of bins.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        display : ReliabilityDisplay
        """
        answers = report_probabilities("ReliabilityDisplay", report, arms)
        y_true = report.classes[report.y_index]
        return cls.from_predictions(y_true, answers, labels=report.classes, n_bins=n_bins, ax=ax)

    def _draw(self, ax: Any) -> None:
        self.histogram_ax_ = draw_reliability(ax, self.rows)
