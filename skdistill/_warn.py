"""Warnings that point at the line of the user's code."""

import contextlib
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar

__all__ = ["collecting", "warn", "warn_once"]

INSIDE = ("contextlib", "joblib", "skdistill", "sklearn", "skorch")
"""Packages between the user's line and the place that warns."""


def warn(message, category):
    """Warn at the line from which the packages were called.

    Parameters
    ----------
    message : str
    category : type
        A subclass of `Warning`.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_inside(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


_collected: ContextVar[list | None] = ContextVar("collected", default=None)


@contextlib.contextmanager
def collecting() -> Iterator[list]:
    """Collect what `warn_once` is told inside the block, in this thread.

    Yields
    ------
    list of (str, type)
        Messages and categories. Many fits say the same, and whoever collects says it once.
    """
    collected: list = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)


def warn_once(message, category):
    """Warn, unless somebody is `collecting`.

    Parameters
    ----------
    message : str
    category : type
        A subclass of `Warning`.
    """
    collected = _collected.get()
    if collected is None:
        warn(message, category)
    else:
        collected.append((message, category))


def _is_inside(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE
