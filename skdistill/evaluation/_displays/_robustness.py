"""Picture of robustness: score against the strength of a corruption."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

import numpy as np

from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._displays._base import Display, check_shown
from skdistill.evaluation._plots._style import (
    METRIC_LABELS,
    label_lines,
    line_style,
    literal,
    set_title,
)
from skdistill.evaluation._robustness import METRICS, RobustnessCurve, robustness_curve


class RobustnessDisplay(Display):
    """A line for each model: its score on rows of rising strength of a corruption.

    The bands are one standard deviation over the repeats to either side.

    Parameters
    ----------
    curve : RobustnessCurve
        What `robustness_curve` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    robustness_curve : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.evaluation import RobustnessDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> linear = LogisticRegression(max_iter=500).fit(X[::2], y[::2])
    >>> display = RobustnessDisplay.from_estimator(
    ...     {"linear": linear}, X[1::2], y[1::2], random_state=0
    ... )
    >>> display.ax_.get_xlabel()
    'gaussian noise (standard deviations of each column)'
    """

    def __init__(self, curve: RobustnessCurve) -> None:
        check_shown("RobustnessDisplay", curve, RobustnessCurve, "robustness_curve")
        self.curve, self.rows = curve, curve.rows

    @classmethod
    def from_estimator(
        cls,
        models: Any,
        X_test: Any,
        y_test: Any,
        *,
        metric: str = "accuracy",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compute the curve and draw it.

        Parameters
        ----------
        models : dict of str to object, or DistilledClassifier
            Fitted models.
        X_test : array-like of shape (n_samples, ...)
            Rows.
        y_test : array-like of shape (n_samples,)
            Labels.
        metric : {"accuracy", "log_loss", "ece"}, default="accuracy"
            What is drawn.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of `robustness_curve`.

        Returns
        -------
        RobustnessDisplay
        """
        check_metric(cls.__name__, metric, METRICS)
        compute = partial(robustness_curve, models, X_test, y_test, **kwargs)
        return cls._compute_and_plot(compute, ax, metric=metric)

    def plot(self, ax: Any = None, *, metric: str = "accuracy") -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : {"accuracy", "log_loss", "ece"}, default="accuracy"
            What is drawn.

        Returns
        -------
        RobustnessDisplay
            Itself.
        """
        check_metric(type(self).__name__, metric, METRICS)
        return self._plot(ax, metric=metric)

    def _draw(self, ax: Any, *, metric: str) -> None:
        rows, lines, bands = self.rows, [], []
        for position, name in enumerate(dict.fromkeys(row["model"] for row in rows)):
            own = sorted((r for r in rows if r["model"] == name), key=lambda r: r["strength"])
            x, score, spread = (
                np.array([row[key] for row in own]) for key in ("strength", metric, f"{metric}_std")
            )
            style = line_style(name, position)
            lines += ax.plot(x, score, **style, label=literal(name))
            look = {"color": style["color"], "alpha": 0.15, "lw": 0}
            label = "band: ± 1 standard deviation over the repeats"
            bands.append(ax.fill_between(x, score - spread, score + spread, **look, label=label))
        what = literal(rows[0]["corruption"]).replace("_", " ")
        ax.set_xlabel(f"{what} ({self.curve.unit})" if self.curve.unit else f"{what} (strength)")
        ax.set_ylabel(METRIC_LABELS[metric])
        label_lines(ax, lines, [line.get_label() for line in lines])
        set_title(ax, "What if the rows get worse?", handles=bands[:1])
