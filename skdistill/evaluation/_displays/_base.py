"""What all pictures share: the numbers behind them, the axes, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from skdistill.evaluation._tables import rows_to_frame

if TYPE_CHECKING:
    import pandas as pd


class Display:
    """Base class of the pictures, in the manner of scikit-learn's Displays.

    The constructor takes what is shown, which a function has computed, and draws nothing;
    `from_result` takes the same and draws it; `from_estimator` computes it first. Some pictures
    have `from_predictions` or `from_report` too, of answers that are there already. What was drawn
    is drawn again by `plot`, and `frame` gives the numbers, without matplotlib too.

    A subclass checks what it takes, keeps the numbers as `rows`, a list of dicts with the same
    keys, draws them with `_draw`, and has a `from_estimator`.
    """

    rows: list[dict[str, Any]]
    ax_: Any
    figure_: Any

    def __init__(self, result: Any) -> None:
        raise NotImplementedError

    @classmethod
    def from_result(cls, result: Any, *, ax: Any = None, **kwargs: Any) -> Self:
        """Draw what the function that gives the numbers has returned; see "See Also".

        Parameters
        ----------
        result : object
            What the constructor takes.
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.
        **kwargs
            Choices of `plot`, where it has some, such as ``metric="accuracy"``.

        Returns
        -------
        display : object of this class
        """
        return cls(result).plot(ax, **kwargs)

    @classmethod
    def from_estimator(cls, *args: Any, **kwargs: Any) -> Self:
        """Compute what is shown of an estimator and rows, and draw it.

        It takes what the function that gives the numbers takes, and `ax`, which is looked at before
        anything is computed; most take the choices of `plot` too.
        """
        raise NotImplementedError

    def _draw(self, ax: Any, *args: Any, **kwargs: Any) -> None:
        """Draw on axes that are there, with the choices of `plot`."""
        raise NotImplementedError

    def _figsize(self) -> tuple[float, float] | None:
        """Inches of a new figure; None is matplotlib's own size."""
        return None

    def frame(self) -> pd.DataFrame:
        """The numbers behind the picture as a data frame (needs pandas).

        Returns
        -------
        frame : pandas.DataFrame
            A line for each point, bar or cell, and the columns that any choice of `plot` draws.
        """
        return rows_to_frame(self.rows, type(self).__name__, "frame")

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None
            Where to draw. None: a new figure.

        Returns
        -------
        self
        """
        return self._plot(ax)

    def _plot(self, ax: Any, **choice: Any) -> Self:
        pyplot = check_axes(ax, type(self).__name__)
        if ax is None:
            ax = pyplot.subplots(layout="constrained", figsize=self._figsize())[1]
        self._draw(ax, **choice)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def _compute_and_plot(cls, compute: Callable[[], Any], ax: Any, **choice: Any) -> Self:
        """Compute what is shown, after a look at whether it can be drawn."""
        check_axes(ax, cls.__name__)
        return cls.from_result(compute(), ax=ax, **choice)


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
            f'{owner} needs matplotlib, which is not installed: pip install "skdistill[plot]". The '
            f"numbers can be had without it."
        ) from error
    if ax is not None and not isinstance(ax, pyplot.Axes):
        raise TypeError(
            f"The 'ax' parameter of {owner} must be matplotlib.axes.Axes or None. Got "
            f"{type(ax).__name__} instead; of a figure pass figure.subplots()."
        )
    return pyplot


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
