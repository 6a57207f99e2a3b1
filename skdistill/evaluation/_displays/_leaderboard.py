"""The picture of a leaderboard: loss against cost, with the front of the best choices."""

from __future__ import annotations

from functools import partial
from typing import Any, Self

import numpy as np

from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._arm_names import DISTILLED, TEACHER
from skdistill.evaluation._displays._base import Display, check_shown
from skdistill.evaluation._leaderboard import COSTS, Leaderboard, leaderboard
from skdistill.evaluation._plots._scores import SCORE_LABELS
from skdistill.evaluation._plots._style import line_style, literal, set_title

WIDE = 4.0
"""Where the greatest loss is more than so many times the least, its axis is logarithmic too."""


class LeaderboardDisplay(Display):
    """Loss of each student against its time or its size, cost on a logarithmic axis.

    The axis of the loss is logarithmic too where one is more than four times another.

    A student has a colour and a marker of its own: hollow on labels alone, filled where it is
    distilled, and a line between the two. The teacher is a black star. The front, those that no
    other beats in both, is joined by a grey line of steps that goes on to the edges.

    Parameters
    ----------
    board : Leaderboard
        What `leaderboard` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    leaderboard : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.evaluation import LeaderboardDisplay
    >>> X, y = make_classification(300, random_state=0)
    >>> model = DistilledClassifier(RandomForestClassifier(20, random_state=0), random_state=0)
    >>> trees = {f"{n} leaves": DecisionTreeClassifier(max_leaf_nodes=n) for n in (4, 16)}
    >>> display = LeaderboardDisplay.from_estimator(
    ...     model, X[:200], y[:200], X[200:], y[200:], students=trees, cost="n_bytes"
    ... )
    >>> display.ax_.get_xlabel()
    'size (bytes)'
    """

    def __init__(self, board: Leaderboard) -> None:
        check_shown("LeaderboardDisplay", board, Leaderboard, "leaderboard")
        self.board, self.rows = board, board.rows

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X_train: Any,
        y_train: Any,
        X_test: Any,
        y_test: Any,
        *,
        cost: str = "us_per_row",
        ax: Any = None,
        **kwargs: Any,
    ) -> Self:
        """Fit the students and draw them.

        Parameters
        ----------
        model : DistilledClassifier or DistilledRegressor
            The recipe.
        X_train, y_train : array-like of shape (n_train, ...) and (n_train,)
            Rows, and labels or numbers, that every student learns from.
        X_test, y_test : array-like of shape (n_test, ...) and (n_test,)
            Those that are scored.
        cost : {"us_per_row", "n_bytes"}, default="us_per_row"
            What the loss is drawn against.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        **kwargs
            Further arguments of `leaderboard`.

        Returns
        -------
        display : LeaderboardDisplay
        """
        check_metric(cls.__name__, cost, COSTS, "cost")
        compute = partial(leaderboard, model, X_train, y_train, X_test, y_test, **kwargs)
        return cls._compute_and_plot(compute, ax, cost=cost)

    def plot(self, ax: Any = None, *, cost: str = "us_per_row") -> Self:
        """Draw the students.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.
        cost : {"us_per_row", "n_bytes"}, default="us_per_row"
            What the loss is drawn against.

        Returns
        -------
        self
        """
        check_metric(type(self).__name__, cost, COSTS, "cost")
        return self._plot(ax, cost=cost)

    def _draw(self, ax: Any, *, cost: str) -> None:
        loss = self.board.loss
        front = self.board.front(cost)
        x, y = [row[cost] for row in front], [row[loss] for row in front]
        ax.step(x, y, where="post", color="0.7", lw=4, zorder=0, label="front")
        students = sorted({row["student"] for row in self.rows} - {TEACHER})
        for position, student in enumerate(students):
            arms = {row["arm"]: row for row in self.rows if row["student"] == student}
            style = line_style("", position)
            look = {"marker": style["marker"], "color": style["color"], "ms": 7}
            ax.plot(
                [row[cost] for row in arms.values()],
                [row[loss] for row in arms.values()],
                color=style["color"],
                lw=0.8,
            )
            for arm, row in arms.items():
                fill = style["color"] if arm == DISTILLED else "white"
                label = literal(student) if arm == DISTILLED else None
                ax.plot(row[cost], row[loss], ls="none", mfc=fill, label=label, **look)
        (teacher,) = (row for row in self.rows if row["student"] == TEACHER)
        ax.plot(teacher[cost], teacher[loss], "k*", ms=12, label=TEACHER)
        ax.plot([], [], "o", color="0.3", mfc="white", label="hollow: on labels alone")
        costs = np.array([row[cost] for row in self.rows], dtype=np.float64)
        if (costs[np.isfinite(costs)] > 0).all():
            ax.set_xscale("log")
            _thin_out(ax.xaxis)
        losses = np.array([row[loss] for row in self.rows], dtype=np.float64)
        if losses.min() > 0 and losses.max() > WIDE * losses.min():
            ax.set_yscale("log")
            _thin_out(ax.yaxis)
        ax.set(xlabel=SCORE_LABELS[cost], ylabel=f"test {SCORE_LABELS[loss]}")
        if front:
            _draw_on(ax, x, y)
        set_title(ax, "Which student? Lower is better, left is cheaper", ncols=3)


def _draw_on(ax: Any, x: list[float], y: list[float]) -> None:
    """Let the front go on: nothing is cheaper than its first, and nothing better than its last."""
    right, top = ax.get_xlim()[1], ax.get_ylim()[1]
    ax.plot([x[0], x[0]], [y[0], top], [x[-1], right], [y[-1], y[-1]], color="0.7", lw=4, zorder=0)
    ax.set(xlim=(None, right), ylim=(None, top))


def _thin_out(axis: Any) -> None:
    """Let a logarithmic axis name 1, 2, 5, 10 and so on, or tens alone where these are many."""
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1,) if high > 1000 * low else (1, 2, 5)))
    thousands = EngFormatter(sep="")  # 20k, 5M
    axis.set_major_formatter(FuncFormatter(lambda v, _: thousands(v) if v >= 1000 else f"{v:g}"))
    axis.set_minor_formatter(NullFormatter())
