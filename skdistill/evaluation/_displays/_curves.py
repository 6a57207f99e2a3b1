"""Pictures of the curves: score against rows, labels, and the size of the student."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._curves import (
    CapacityCurve,
    LearningCurves,
    capacity_curve,
    learning_curves,
)
from skdistill.evaluation._displays._curve_display import CurveDisplay
from skdistill.evaluation._displays._curve_parts import (
    METRIC_LABELS,
    draw_spread,
    group_by_arm,
    put_on_log_axis,
    shade_gain,
)
from skdistill.evaluation._displays._style import check_shown, line_style, literal
from skdistill.evaluation._recipes import DISTILLED, PLAIN, TEACHER

_SIZE_LABELS = {"n_train": "training rows", "n_labels": "labelled training rows"}


class LearningCurvesDisplay(CurveDisplay):
    """Learning curves of teacher and students, the gain of distillation shaded.

    Test scores are bold, with bars of one standard deviation over the splits for plain and
    distilled; scores on the training rows are thin. Where distilled is better than plain the gap
    between their test curves is grey, where it is worse the gap is hatched.

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
    >>> X, y = make_classification(300, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(20, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=10),
    ...     random_state=0,
    ... )
    >>> display = LearningCurvesDisplay.from_estimator(model, X, y, train_sizes=[50, 200], cv=3)
    >>> display.ax_.get_xlabel()
    'training rows'
    """

    _compute = staticmethod(learning_curves)

    def __init__(self, curves: LearningCurves) -> None:
        source = "learning_curves or label_budget_curve"
        check_shown("LearningCurvesDisplay", curves, LearningCurves, source)
        self.curves = curves

    def _draw(self, ax: Any, metric: str) -> None:
        x_name = self.curves.size_name
        arms = group_by_arm(self.curves.rows)
        test, train = f"test_{metric}", f"train_{metric}"
        for position, (arm, rows) in enumerate(arms.items()):
            x = [row[x_name] for row in rows]
            style = line_style(arm, position)
            ax.plot(x, [row[test] for row in rows], **style, lw=2.4, ms=6, label=arm)
            ax.plot(x, [row[train] for row in rows], **style, lw=0.8, ms=2.5)
        x = [row[x_name] for row in arms[PLAIN]]
        draw_spread(ax, x, arms, test)
        shade_gain(ax, x, arms, metric)
        ax.plot([], [], color="0.3", lw=2.4, label="bold: test rows")
        ax.plot([], [], color="0.3", lw=0.8, label="thin: training rows")
        gaps = np.diff(x)
        if len(gaps) and gaps.max() > 5 * gaps.min():  # scikit-learn's rule
            put_on_log_axis(ax, x)
        ax.set_xlabel(_SIZE_LABELS[x_name])
        ax.set_ylabel(METRIC_LABELS[metric])
        # Above the axes: within them so many entries would hide curves.
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)


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
    >>> X, y = make_classification(300, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(20, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=10),
    ...     random_state=0,
    ... )
    >>> display = CapacityCurveDisplay.from_estimator(model, X, y, param_range=[2, 8], cv=3)
    >>> display.ax_.get_xlabel()
    'hidden units of the student'
    """

    _compute = staticmethod(capacity_curve)

    def __init__(self, curve: CapacityCurve) -> None:
        check_shown("CapacityCurveDisplay", curve, CapacityCurve, "capacity_curve")
        self.curve = curve

    def _draw(self, ax: Any, metric: str) -> None:
        arms = group_by_arm(self.curve.rows)
        test = f"test_{metric}"
        values = [row["value"] for row in arms[PLAIN]]
        is_scale = all(isinstance(v, int | float | np.number) and v > 0 for v in values)
        x = values if is_scale else list(range(len(values)))
        if is_scale:
            put_on_log_axis(ax, x)
        else:
            ax.set_xticks(x, [literal(value) for value in values])
        ax.axhline(arms[TEACHER][0][test], **line_style(TEACHER), lw=2.4, label=TEACHER)
        for arm in (PLAIN, DISTILLED):
            scores = [row[test] for row in arms[arm]]
            ax.plot(x, scores, **line_style(arm), lw=2.4, ms=6, label=arm)
        draw_spread(ax, x, arms, test)
        shade_gain(ax, x, arms, metric)
        name = self.curve.param_name.rsplit("__", 1)[-1].replace("_", " ")
        ax.set_xlabel(f"{name} of the student")
        ax.set_ylabel(f"test {METRIC_LABELS[metric]}")
        ax.legend()
