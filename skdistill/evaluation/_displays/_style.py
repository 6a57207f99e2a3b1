"""How arms and scores look: lines that can be told apart without colour, and their labels."""

from __future__ import annotations

from typing import Any

from skdistill.evaluation._arm_names import CASCADE, DISTILLED, PLAIN, SCALED, SMOOTHED, TEACHER

# The palette of Okabe and Ito, which colour-blind readers can tell apart; marker and line say the
# same once more for a grey printer.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
#: Scores, with their units.
METRIC_LABELS = {
    "log_loss": "log-loss (nats)",
    "accuracy": "accuracy",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "zero_one": "error rate",
    "squared": "squared error",
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
    own = {"color": _COLORS[turn], "linestyle": _LINES[turn], "marker": _MARKERS[turn]}
    return {**_FIXED.get(name, own)}


def literal(text: Any) -> str:
    """A user's label as text: matplotlib would read what stands between dollar signs as TeX."""
    return str(text).replace("$", r"\$")
