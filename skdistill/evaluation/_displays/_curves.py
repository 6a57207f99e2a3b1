"""Pictures of the curves: score against rows, labels, and the size of the student."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Self

import numpy as np

from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._curves import (
    CapacityCurve,
    LearningCurves,
    capacity_curve,
    learning_curves,
)
from skdistill.evaluation._displays._base import Display, check_shown
from skdistill.evaluation._plots._style import (
    HATCHES,
    METRIC_LABELS,
    label_lines,
    line_style,
    literal,
    set_title,
)
from skdistill.evaluation._tasks import ClassScoring, NumberScoring, task_of

HIGHER_IS_BETTER = (*ClassScoring.higher_is_better, *NumberScoring.higher_is_better)

_SIZE_LABELS = {"n_train": "training rows", "n_labels": "labelled training rows"}
_TITLES = {"n_train": "Would more rows help?", "n_labels": "Would more labels help?"}


class CurveDisplay(Display):
    """Base class of the pictures of curves: a subclass has `_compute`, which gives the numbers."""

    _compute: Callable[..., Any]

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        y: Any,
        *,
        metric: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Compute the scores and draw them.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
            The recipe.
        X : array-like of shape (n_samples, ...)
            Rows.
        y : array-like of shape (n_samples,)
            Labels, or numbers.
        metric : {"log_loss", "accuracy", "brier", "rmse", "mse", "mae", "r2"}, default=None
            What is drawn; the last four of a regressor. None is log-loss, or rmse.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of the function that gives the numbers; see "See Also".

        Returns
        -------
        display : object of this class
        """
        if metric is not None:
            check_metric(cls.__name__, metric, task_of(model).metrics)
        compute = partial(cls._compute, model, X, y, **kwargs)
        return cls._compute_and_plot(compute, ax, metric=metric)

    def plot(self, ax: Any = None, *, metric: str | None = None) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        metric : {"log_loss", "accuracy", "brier", "rmse", "mse", "mae", "r2"}, default=None
            What is drawn; the last four of a regressor. None is log-loss, or rmse.

        Returns
        -------
        self
        """
        spreads = (key for key in self.rows[0] if key.startswith("test_") and key.endswith("_std"))
        known = [key.removeprefix("test_").removesuffix("_std") for key in spreads]
        metric = known[0] if metric is None else metric
        check_metric(type(self).__name__, metric, known)
        return self._plot(ax, metric=metric)


class LearningCurvesDisplay(CurveDisplay):
    """Learning curves of teacher and students, the gain of distillation shaded.

    Each arm has its name at the right end of its line. Test scores are bold, with bars of one
    standard deviation over the splits for plain and distilled; scores on the training rows are
    thin. Where distilled is better than plain the gap between their test curves is grey, where it
    is worse the gap is hatched.

    Parameters
    ----------
    curves : LearningCurves
        What `learning_curves` or `label_budget_curve` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    learning_curves : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import LearningCurvesDisplay
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> display = LearningCurvesDisplay.from_estimator(model, X, y, train_sizes=[50, 100], cv=2)
    >>> display.ax_.get_xlabel()
    'training rows'
    """

    _compute = staticmethod(learning_curves)

    def __init__(self, curves: LearningCurves) -> None:
        source = "learning_curves or label_budget_curve"
        check_shown("LearningCurvesDisplay", curves, LearningCurves, source)
        self.curves, self.rows = curves, curves.rows

    def _draw(self, ax: Any, *, metric: str) -> None:
        x_name = self.curves.size_name
        arms = _group_by_arm(self.rows)
        test, train = f"test_{metric}", f"train_{metric}"
        bold = []
        for position, (arm, rows) in enumerate(arms.items()):
            x = [row[x_name] for row in rows]
            style = line_style(arm, position)
            bold += ax.plot(x, [row[test] for row in rows], **style, lw=2.4, ms=6, label=arm)
            ax.plot(x, [row[train] for row in rows], **style, lw=0.8, ms=2.5)
        x = [row[x_name] for row in arms[PLAIN]]
        gaps = np.diff(x)
        if len(gaps) and gaps.max() > 5 * gaps.min():  # scikit-learn's rule
            _put_on_log_axis(ax, x)
        _draw_spread(ax, x, arms, test)
        _shade_gain(ax, x, arms, metric)
        ax.plot([], [], color="0.3", lw=2.4, label="bold: test rows")
        ax.plot([], [], color="0.3", lw=0.8, label="thin: training rows")
        ax.set_xlabel(_SIZE_LABELS[x_name])
        ax.set_ylabel(METRIC_LABELS[metric])
        _explain(ax, _TITLES[x_name], bold)


class CapacityCurveDisplay(CurveDisplay):
    """Test scores of plain and distilled student against the student's size.

    The teacher is a dashed line across. Bars are one standard deviation over the splits. Where
    distilled is better than plain the gap is grey, where it is worse the gap is hatched. Positive
    numbers stand on a logarithmic axis, other values side by side.

    Parameters
    ----------
    curve : CapacityCurve
        What `capacity_curve` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    capacity_curve : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import CapacityCurveDisplay
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> display = CapacityCurveDisplay.from_estimator(model, X, y, param_range=[2, 8], cv=2)
    >>> display.ax_.get_xlabel()
    'hidden units of the student'
    """

    _compute = staticmethod(capacity_curve)

    def __init__(self, curve: CapacityCurve) -> None:
        check_shown("CapacityCurveDisplay", curve, CapacityCurve, "capacity_curve")
        self.curve, self.rows = curve, curve.rows

    def _draw(self, ax: Any, *, metric: str) -> None:
        arms = _group_by_arm(self.rows)
        test = f"test_{metric}"
        values = [row["value"] for row in arms[PLAIN]]
        if all(isinstance(v, tuple | list) and len(v) == 1 for v in values):  # widths of one layer
            values = [value for (value,) in values]
        is_scale = all(isinstance(v, int | float | np.number) and v > 0 for v in values)
        x = values if is_scale else list(range(len(values)))
        if is_scale:
            _put_on_log_axis(ax, x)
        else:
            ax.set_xticks(x, [literal(value) for value in values])
        level = arms[TEACHER][0][test]
        lines = ax.plot(x, [level] * len(x), **line_style(TEACHER), lw=2.4, label=TEACHER)
        for arm in (PLAIN, DISTILLED):
            scores = [row[test] for row in arms[arm]]
            lines += ax.plot(x, scores, **line_style(arm), lw=2.4, ms=6, label=arm)
        _draw_spread(ax, x, arms, test)
        _shade_gain(ax, x, arms, metric)
        name = self.curve.param_name.rsplit("__", 1)[-1].replace("_", " ")
        ax.set_xlabel(f"{name} of the student")
        ax.set_ylabel(f"test {METRIC_LABELS[metric]}")
        _explain(ax, "How small may the student be?", lines)


def _explain(ax: Any, title: str, lines: list[Any]) -> None:
    """The title, the names of the lines beside them, and of all else in the legend."""
    label_lines(ax, lines, [line.get_label() for line in lines])
    others = [h for h in ax.get_legend_handles_labels()[0] if h not in lines]
    set_title(ax, title, handles=others)


def _group_by_arm(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each arm, in their order."""
    arms: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        arms.setdefault(row["arm"], []).append(row)
    return arms


def _put_on_log_axis(ax: Any, x: list[Any]) -> None:
    """A logarithmic axis with a tick at each value."""
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(x, [str(value) for value in x])


def _draw_spread(ax: Any, x: list[Any], arms: dict[str, list[dict[str, Any]]], name: str) -> None:
    """Bars of one standard deviation, those of plain with the wider ends."""
    if np.isfinite([row[f"{name}_std"] for row in arms[PLAIN]]).any():
        label = "bars: ± 1 standard deviation over the splits"
        ax.plot([], [], ls="none", marker="|", ms=10, mew=1.5, color="0.3", label=label)
    for arm, capsize in ((PLAIN, 6), (DISTILLED, 3)):
        scores = [row[name] for row in arms[arm]]
        spread = [row[f"{name}_std"] for row in arms[arm]]
        color = line_style(arm)["color"]
        ax.errorbar(x, scores, spread, fmt="none", ecolor=color, elinewidth=1.0, capsize=capsize)


def _shade_gain(ax: Any, x: list[Any], arms: dict[str, list[dict[str, Any]]], metric: str) -> None:
    """Fill between the test curves: grey where distilled is better, hatched where it is worse."""
    before, after = (
        np.array([row[f"test_{metric}"] for row in arms[arm]]) for arm in (PLAIN, DISTILLED)
    )
    places, before, after = _with_crossings(ax, x, before, after)
    gain = after - before if metric in HIGHER_IS_BETTER else before - after
    looks = (
        (gain, "better with distillation", {"color": "0.8"}),
        (-gain, "worse with distillation", {"fc": "none", "ec": "0.5", "hatch": HATCHES[1]}),
    )
    for better, label, look in looks:
        if (better > 0).any():
            area = {"where": better >= 0, "lw": 0, "zorder": 0}
            ax.fill_between(places, before, after, **area, **look, label=label)


def _with_crossings(
    ax: Any, x: Any, before: np.ndarray, after: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two curves with the points at which they cross, as they are drawn on the axis."""
    axis = ax.xaxis.get_transform()
    places = axis.transform(np.asarray(x, dtype=float))
    gap = after - before
    left = np.flatnonzero(gap[:-1] * gap[1:] < 0)
    share = gap[left] / (gap[left] - gap[left + 1])

    def insert(values: np.ndarray) -> np.ndarray:
        between = values[left] + share * (values[left + 1] - values[left])
        return np.insert(values, left + 1, between)

    crossed = insert(before)
    at = np.insert(np.zeros(len(gap), dtype=bool), left + 1, True)
    return axis.inverted().transform(insert(places)), crossed, np.where(at, crossed, insert(after))
