"""Warnings that point at the line of the user's code."""

import sys
import warnings

__all__ = ["warn"]

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


def _is_inside(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE
