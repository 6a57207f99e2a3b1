"""How arms and scores look: lines that can be told apart without colour, and their labels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from sklearn.isotonic import isotonic_regression

from skdistill.evaluation._arm_names import CASCADE, DISTILLED, PLAIN, SCALED, SMOOTHED, TEACHER

# The palette of Okabe and Ito, which colour-blind readers can tell apart; marker and line say the
# same once more for a grey printer.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
#: Scores, with their units.
METRIC_LABELS = {
    "log_loss": "log-loss (nats)",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "zero_one": "error rate",
    "squared": "squared error",
    "rmse": "root mean squared error",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "r2": "R² (share of the variance)",
}

HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")

_FIXED: dict[str, dict[str, Any]] = {
    TEACHER: {"color": "black", "linestyle": (0, (6, 2)), "marker": "None"},
    PLAIN: {"color": _COLORS[0], "linestyle": "--", "marker": "s"},
    DISTILLED: {"color": _COLORS[1], "linestyle": "-", "marker": "o"},
    SMOOTHED: {"color": _COLORS[2], "linestyle": "-.", "marker": "^"},
    SCALED: {"color": _COLORS[3], "linestyle": ":", "marker": "D"},
    CASCADE: {"color": _COLORS[5], "linestyle": _LINES[5], "marker": "P"},
}


def line_style(name: str, position: int = 0) -> dict[str, Any]:
    """Colour, line and marker of an arm: always the same for the well-known ones.

    Parameters
    ----------
    name : str
        The arm.
    position : int, default=0
        Where it stands among the arms of its picture; decides for other names.

    Returns
    -------
    style : dict
        Keyword arguments of `matplotlib.axes.Axes.plot`.
    """
    turn = position % len(_COLORS)
    # Seven markers for six colours: the seventh arm shares its colour with the first, and no more.
    marker = _MARKERS[position % len(_MARKERS)]
    own = {"color": _COLORS[turn], "linestyle": _LINES[turn], "marker": marker}
    return {**_FIXED.get(name, own)}


def literal(text: Any) -> str:
    """A user's label as text: matplotlib would read what stands between dollar signs as TeX."""
    return str(text).replace("$", r"\$")


def set_title(ax: Any, title: str, *, handles: Any = None, ncols: int = 2) -> None:
    """Write a title above the axes, and the legend between the two, where it hides nothing.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    title : str
    handles : list of matplotlib artists, default=None
        What the legend explains; None is all that has a label. No legend for an empty list.
    ncols : int, default=2
        Its columns.
    """
    handles = ax.get_legend_handles_labels()[0] if handles is None else handles
    room = 6.0
    if handles:
        place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0), "borderaxespad": 0.2}
        legend = ax.legend(handles=handles, ncols=ncols, frameon=False, **place)
        n_lines = sum(text.get_text().count("\n") + 1 for text in legend.get_texts())
        room += 1.7 * legend.get_texts()[0].get_fontsize() * ceil(n_lines / ncols)
    ax.set_title(title, loc="left", pad=room)


def label_lines(ax: Any, lines: Sequence[Any], names: Sequence[str]) -> None:
    """Write names at the right ends of lines, one above the other where the ends are close.

    The axes are made wider on the right, so that the names stand inside them.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    lines : sequence of matplotlib.lines.Line2D
    names : sequence of str
    """
    size = 9.0
    points = 72.0 / ax.figure.dpi
    width, left = points * ax.get_window_extent().width, ax.get_xlim()[0]
    share = min(0.45, (0.55 * size * max(map(len, names)) + 16.0) / width)
    scale = ax.xaxis.get_transform()
    low, high = scale.transform([left, max(line.get_xdata()[-1] for line in lines)])
    ax.set_xlim(left, scale.inverted().transform([low + (high - low) / (1.0 - share)])[0])
    ends = [(line.get_xdata()[-1], line.get_ydata()[-1]) for line in lines]
    heights = points * ax.transData.transform(ends)[:, 1]
    shown = [i for i in np.argsort(heights, kind="stable") if np.isfinite(heights[i])]
    # The least moves, in squares, after which each is a line of text above the one before.
    steps = 1.25 * size * np.arange(len(shown))
    places = isotonic_regression(heights[shown] - steps) + steps if shown else []
    for i, place in zip(shown, places, strict=True):
        ax.annotate(
            names[i],
            ends[i],
            (9.0, place - heights[i]),
            textcoords="offset points",
            va="center",
            fontsize=size,
            color=lines[i].get_color(),
            arrowprops={"arrowstyle": "-", "lw": 0.5, "color": "0.6", "shrinkB": 3},
        )
