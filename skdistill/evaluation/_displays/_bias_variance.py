"""Pictures of bias and variance: bars that sum to the loss, and differences between arms."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

import numpy as np

from skdistill._words import shorten
from skdistill.evaluation._bias_variance import (
    BiasVarianceDecomposition,
    Comparison,
    bias_variance_decomposition,
    compare,
)
from skdistill.evaluation._bias_variance._predictions import decompose_predictions
from skdistill.evaluation._bias_variance._result import PARTS
from skdistill.evaluation._displays._base import Display, check_shown
from skdistill.evaluation._plots._style import (
    HATCHES,
    METRIC_LABELS,
    line_style,
    literal,
    set_title,
)

N_SE = 2
"""How many standard errors an interval reaches to each side."""

_NUMBERS = ("bias", "variance", "loss", "bias_se", "loss_se")


class BiasVarianceDisplay(Display):
    """Bars of bias and variance, stacked to the loss.

    The variance stands on the bias; a negative net variance (zero-one loss) hangs down from the
    top of the bias. A diamond marks the loss. The intervals are two standard errors to each side:
    of the loss at the diamond, of the bias to the left of it. Above each bar stand both numbers:
    a small variance is a sliver on a large bias.

    Parameters
    ----------
    result : BiasVarianceDecomposition, dict of str to BiasVarianceDecomposition, or Comparison
        A dict gives a bar for each of its entries, a Comparison one for each arm.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    bias_variance_decomposition : The numbers.
    PairedDifferencesDisplay : Whether arms differ.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.evaluation import BiasVarianceDisplay
    >>> X, y = make_classification(300, random_state=0)
    >>> display = BiasVarianceDisplay.from_estimator(
    ...     DecisionTreeClassifier(), X[:200], y[:200], X[200:], y[200:], loss="brier"
    ... )
    >>> display.ax_.get_ylabel()
    'Brier score'
    """

    def __init__(self, result: Any) -> None:
        kinds = (BiasVarianceDecomposition, Comparison)
        is_dict = isinstance(result, dict) and len(result) > 0
        parts = result.values() if is_dict else [result]
        if not all(isinstance(part, kinds[:1] if is_dict else kinds) for part in parts):
            raise TypeError(
                f"BiasVarianceDisplay shows a BiasVarianceDecomposition, a dict of such, or a "
                f"Comparison. Got {type(result).__name__} of something else instead; pass what "
                f"bias_variance_decomposition or compare returned."
            )
        named = result.decompositions if isinstance(result, Comparison) else result
        named = named if isinstance(named, dict) else {named.metric: named}
        self.result = result
        self.rows = [
            {"arm": name, **part.rows[0]}
            for name, parts in named.items()
            for part in (parts.values() if isinstance(parts, dict) else [parts])
        ]

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        X_test: Any,
        y_test: Any,
        *,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Decompose the loss of an estimator and draw the parts.

        Parameters
        ----------
        estimator : estimator
            Any scikit-learn classifier or regressor.
        X, X_test : array-like of shape (n_samples, ...) and (n_test, ...)
            Rows to learn from, and test points.
        y, y_test : array-like of shape (n_samples,) and (n_test,)
            Their labels or values.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of `bias_variance_decomposition`.

        Returns
        -------
        BiasVarianceDisplay
        """
        compute = partial(bias_variance_decomposition, estimator, X, y, X_test, y_test, **kwargs)
        return cls._compute_and_plot(compute, ax)

    @classmethod
    def from_predictions(
        cls,
        y_test: Any,
        predictions: Any,
        *,
        loss: Any = None,
        labels: Any = None,
        ax: Any = None,
    ) -> Self:
        """Decompose the loss of predictions that are there already, and draw the parts.

        Parameters
        ----------
        y_test : array-like of shape (n_test,)
            Labels or values of the test points.
        predictions : array-like of shape (n_rounds, n_test, n_classes) or (n_rounds, n_test)
            Probabilities of at least three fits, or the values of as many regressions.
        loss : {"log_loss", "brier", "zero_one", "squared"} or list of these, default=None
            As in `bias_variance_decomposition`. "zero_one" takes the largest probability for the
            named class.
        labels : array-like of shape (n_classes,), default=None
            The label of each column. None: the sorted labels of `y_test`.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.

        Returns
        -------
        BiasVarianceDisplay
        """
        compute = partial(decompose_predictions, y_test, predictions, loss=loss, labels=labels)
        return cls._compute_and_plot(compute, ax)

    def plot(self, ax: Any = None, *, metric: str | None = None) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : str, default=None
            Of a Comparison by several losses, the one that is drawn; None is the first.

        Returns
        -------
        BiasVarianceDisplay
            Itself.
        """
        if isinstance(self.result, Comparison):
            metric = _pick_metric(self.result, metric)
        elif metric is not None:
            raise ValueError(
                f"metric={shorten(metric)} chooses one of the losses of a Comparison; expected "
                f"None for a {type(self.result).__name__}."
            )
        return self._plot(ax, metric=metric)

    def _draw(self, ax: Any, *, metric: str | None) -> None:
        bars = [row for row in self.rows if metric in (None, row["metric"])]
        x = np.arange(len(bars))
        bias, variance, loss, bias_se, loss_se = (
            np.array([row[name] for row in bars]) for name in _NUMBERS
        )
        light, dark = (line_style("", position)["color"] for position in (5, 1))
        ax.bar(x, bias, 0.6, color=light, edgecolor="black", label="bias (and noise)")
        kinds = {"variance": (variance >= 0, HATCHES[1])}
        if (variance < 0).any():
            kinds["net variance below 0: from bias down to loss"] = (variance < 0, HATCHES[3])
        look = {"facecolor": "white", "edgecolor": dark, "linewidth": 1.5}
        for label, (chosen, hatch) in kinds.items():
            parts = x[chosen], variance[chosen], 0.6, bias[chosen]
            ax.bar(*parts, hatch=hatch, label=label, **look)
        error: dict[str, Any] = {"color": "black", "capsize": 4, "linestyle": "none", "lw": 1.2}
        whiskers = f"± {N_SE} standard errors"
        ax.errorbar(x - 0.15, bias, N_SE * bias_se, **error, label=f"of the bias, {whiskers}")
        label = f"loss = bias + variance, {whiskers}"
        ax.errorbar(x, loss, N_SE * loss_se, **error, marker="D", label=label)
        ax.axhline(0.0, color="black", lw=0.8)
        # An estimator by several losses has a bar for each, called as the loss is.
        labels = {row["metric"]: METRIC_LABELS[row["metric"]] for row in bars}
        ax.set_xticks(x, [literal(labels.get(row["arm"], row["arm"])) for row in bars])
        ax.set_xlim(-0.7, len(bars) - 0.3)
        ax.set_ylabel(next(iter(labels.values())) if len(labels) == 1 else "loss")
        for place, top, b, v in zip(
            x, np.fmax(bias, loss + N_SE * loss_se), bias, variance, strict=True
        ):
            ax.annotate(
                f"bias {b:.3g}\nvariance {v:.2g}",
                (place, top),
                (0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=9 if len(bars) < 6 else 7,
            )
        ax.margins(y=0.15)
        set_title(ax, "Bias and variance add up to the loss")


class PairedDifferencesDisplay(Display):
    """The arms of a comparison less its baseline: loss, bias and variance, with intervals.

    The intervals are two standard errors of the paired difference to each side. One that lies
    left of zero shows an arm that is better there than the baseline.

    Parameters
    ----------
    comparison : Comparison
        What `compare` returned, of two arms at least.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    compare : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.evaluation import PairedDifferencesDisplay
    >>> X, y = make_classification(300, random_state=0)
    >>> arms = {"deep": DecisionTreeClassifier(), "stump": DecisionTreeClassifier(max_depth=1)}
    >>> display = PairedDifferencesDisplay.from_estimator(
    ...     arms, X[:200], y[:200], X[200:], y[200:], loss="brier"
    ... )
    >>> display.ax_.get_xlabel()
    'Brier score, difference to deep (± 2 standard errors)'
    """

    def __init__(self, comparison: Comparison) -> None:
        check_shown("PairedDifferencesDisplay", comparison, Comparison, "compare")
        self.comparison, self.rows = comparison, comparison.differences

    @classmethod
    def from_estimator(
        cls,
        estimators: dict[str, Any],
        X: Any,
        y: Any,
        X_test: Any,
        y_test: Any,
        *,
        metric: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compare estimators and draw the differences.

        Parameters
        ----------
        estimators : dict of str to estimator
            The arms by name.
        X, X_test : array-like of shape (n_samples, ...) and (n_test, ...)
            Rows to learn from, and test points.
        y, y_test : array-like of shape (n_samples,) and (n_test,)
            Their labels or values.
        metric : str, default=None
            As in `plot`.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of `compare`.

        Returns
        -------
        PairedDifferencesDisplay
        """
        if isinstance(estimators, dict):
            _check_arms(list(estimators))
        compute = partial(compare, estimators, X, y, X_test, y_test, **kwargs)
        return cls._compute_and_plot(compute, ax, metric=metric)

    from_estimators = from_estimator
    """Its name in 0.1.0."""

    def plot(self, ax: Any = None, *, metric: str | None = None) -> Self:
        """Draw the differences.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : str, default=None
            Of a comparison by several losses, the one that is drawn; None is the first.

        Returns
        -------
        PairedDifferencesDisplay
            Itself.
        """
        _check_arms(list(self.comparison.decompositions))
        return self._plot(ax, metric=_pick_metric(self.comparison, metric))

    def _draw(self, ax: Any, *, metric: str) -> None:
        rows = [row for row in self.rows if row["metric"] == metric]
        y = np.arange(len(rows))
        ax.axvline(0.0, color="black", lw=0.8)
        for position, part in enumerate(PARTS):
            style = line_style("", position)
            ax.errorbar(
                [row[part] for row in rows],
                y + 0.2 * (position - 1),
                xerr=[N_SE * row[f"{part}_se"] for row in rows],
                color=style["color"],
                marker=style["marker"],
                linestyle="none",
                capsize=4,
                label=part,
            )
        ax.set_yticks(y, [literal(row["arm"]) for row in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel(
            f"{METRIC_LABELS[metric]}, difference to {literal(self.comparison.baseline)} "
            f"(± {N_SE} standard errors)"
        )
        set_title(ax, "Left of 0: better than the baseline", ncols=3)


def _check_arms(arms: list[Any]) -> None:
    if len(arms) == 1:
        raise ValueError(
            f"PairedDifferencesDisplay needs two arms at least; compare had {arms[0]} alone. Add "
            f"the estimator that it is to be held against."
        )


def _pick_metric(comparison: Comparison, metric: str | None) -> str:
    """The metric that is drawn, the first for None; an error for one that was not computed."""
    metrics = list(dict.fromkeys(row["metric"] for row in comparison.rows))
    if metric is not None and metric not in metrics:
        raise ValueError(
            f"The 'metric' parameter must be one of the losses of the comparison, {metrics}. Got "
            f"{shorten(metric)} instead."
        )
    return metrics[0] if metric is None else metric
