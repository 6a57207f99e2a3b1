"""What the Display classes of curves share: computing, drawing, and where it was drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from skdistill.evaluation._curves._scores import check_metric
from skdistill.evaluation._displays._style import check_axes, get_axes


class CurveDisplay:
    """Base class: a subclass has `_compute`, and `_draw(ax, metric)` for what it keeps of it."""

    _compute: Callable[..., Any]
    ax_: Any
    figure_: Any

    def __init__(self, result: Any) -> None:
        raise NotImplementedError

    def _draw(self, ax: Any, metric: str) -> None:
        raise NotImplementedError

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: Any,
        *,
        metric: str = "log_loss",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compute the scores and draw them.

        Parameters
        ----------
        model : DistilledClassifier
            The recipe.
        X : array-like of shape (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,)
            Labels.
        metric : {"log_loss", "accuracy", "brier"}, default="log_loss"
            What is drawn.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of the function that gives the numbers; see "See Also".

        Returns
        -------
        display : object of this class
        """
        check_metric(metric)
        check_axes(ax, cls.__name__)
        return cls(cls._compute(model, X, y, **kwargs)).plot(ax, metric=metric)

    def plot(self, ax: Any = None, *, metric: str = "log_loss") -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : {"log_loss", "accuracy", "brier"}, default="log_loss"
            What is drawn.

        Returns
        -------
        self
        """
        check_metric(metric)
        ax = get_axes(ax, type(self).__name__)
        self._draw(ax, metric)
        self.ax_, self.figure_ = ax, ax.figure
        return self
