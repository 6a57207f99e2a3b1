"""What all pictures share: axes to draw on, and lines that can be told apart without colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skdistill.evaluation._recipes import DISTILLED, PLAIN, SCALED, SMOOTHED, TEACHER

# The palette of Okabe and Ito, which colour-blind readers can tell apart; marker and line say the
# same once more for a grey printer.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")

_FIXED: dict[str, dict[str, Any]] = {
    TEACHER: {"color": "black", "linestyle": (0, (6, 2)), "marker": "None"},
    PLAIN: {"color": _COLORS[0], "linestyle": "--", "marker": "s"},
    DISTILLED: {"color": _COLORS[1], "linestyle": "-", "marker": "o"},
    SMOOTHED: {"color": _COLORS[2], "linestyle": "-.", "marker": "^"},
    SCALED: {"color": _COLORS[3], "linestyle": ":", "marker": "D"},
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


def check_axes(ax: Any, owner: str) -> Any:
    """Refuse what cannot be drawn on, before anything is computed for `owner`.

    Parameters
    ----------
    ax : matplotlib.axes.Axes or None
    owner : str
        The display that the errors name.

    Returns
    -------
    module
        `matplotlib.pyplot`, which is imported here alone.

    Raises
    ------
    ImportError
        When matplotlib is missing.
    TypeError
        When `ax` is something else.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f"{owner} needs matplotlib, which is not installed: pip install skdistill[plot]. The "
            f"numbers can be had without it."
        ) from error
    if ax is not None and not isinstance(ax, pyplot.Axes):
        raise TypeError(
            f"The 'ax' parameter of {owner} must be matplotlib.axes.Axes or None. Got "
            f"{type(ax).__name__} instead; of a figure pass figure.subplots()."
        )
    return pyplot


def get_axes(ax: Any, owner: str) -> Any:
    """Return the axes to draw on, new ones for None; see `check_axes`."""
    pyplot = check_axes(ax, owner)
    return pyplot.subplots(layout="constrained")[1] if ax is None else ax


def check_shown(owner: str, value: Any, kind: type, source: str) -> None:
    """Refuse what a display cannot show.

    Parameters
    ----------
    owner : str
        The display that the error names.
    value : object
        What it was given.
    kind : type
        What it shows.
    source : str
        Where such a thing comes from.
    """
    if isinstance(value, kind):
        return
    several = isinstance(value, Mapping) and any(isinstance(part, kind) for part in value.values())
    advice = f"pass one of {list(value)} from it" if several else f"pass what {source} returned"
    raise TypeError(
        f"{owner} shows a {kind.__name__}. Got {type(value).__name__} instead; {advice}."
    )


def check_table(owner: str, rows: Any, keys: tuple[str, ...], source: str) -> None:
    """Refuse what is no list of dicts with these keys; see `check_shown`."""
    is_list = isinstance(rows, list | tuple) and len(rows) > 0
    if not is_list or not all(isinstance(row, dict) and row.keys() >= set(keys) for row in rows):
        raise TypeError(
            f"{owner} shows a list of dicts with the keys {', '.join(keys)}. Got "
            f"{type(rows).__name__} of something else instead; pass what {source} returned, or "
            f"take {owner}.from_predictions, from_estimator or from_report."
        )


def literal(text: Any) -> str:
    """A user's label as text: matplotlib would read what stands between dollar signs as TeX."""
    return str(text).replace("$", r"\$")
