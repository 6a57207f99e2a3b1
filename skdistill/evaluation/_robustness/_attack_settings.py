"""The settings of an attack, checked before anybody is asked."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill._words import shorten
from skdistill.evaluation._arguments import check_bool, check_int

OWNER = "adversarial_accuracy"


def check_settings(attack: Any, epsilon: Any, step: Any, n_steps: Any, random_start: Any) -> None:
    if attack not in ("fgsm", "pgd"):
        raise ValueError(
            "The 'attack' parameter of adversarial_accuracy must be 'fgsm' or 'pgd'. Got "
            f"{shorten(attack)} instead."
        )
    for name, value in (("epsilon", epsilon), ("step", step)):
        is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        if not (is_number and 0 < value < np.inf) and not (name == "step" and value is None):
            raise ValueError(
                f"The {name!r} parameter of adversarial_accuracy must be a float in the range "
                f"(0, inf). Got {shorten(value)} instead."
            )
    check_int(OWNER, "n_steps", n_steps)
    check_bool(OWNER, "random_start", random_start)


def check_scale(scale: Any, X: np.ndarray) -> np.ndarray:
    """The unit of each feature, an array that fits a row."""
    try:
        unit = np.asarray(scale, dtype=np.float64)
    except (TypeError, ValueError):
        unit = np.array(np.nan)
    try:
        np.broadcast_to(unit, X.shape[1:])
    except ValueError:
        raise ValueError(
            f"scale has shape {unit.shape} and a row has shape {X.shape[1:]}; pass a number, or "
            "one for each feature, such as X_train.std(axis=0)."
        ) from None
    if not (np.isfinite(unit) & (unit >= 0)).all():
        raise ValueError(
            "The 'scale' parameter of adversarial_accuracy must hold finite numbers from 0 on. Got "
            f"{shorten(scale)} instead; pass a number, or X_train.std(axis=0)."
        )
    return unit


def check_bounds(bounds: Any, X: np.ndarray) -> tuple[float, float]:
    """The ends of the range that every number lies in."""
    if bounds is None:
        return -np.inf, np.inf
    try:
        low, high = (float("nan" if isinstance(end, str) else end) for end in bounds)
    except (TypeError, ValueError):
        low, high = np.nan, np.nan
    if not low < high:
        raise ValueError(
            "The 'bounds' parameter of adversarial_accuracy must be None or (low, high), two "
            f"numbers with the lower one first. Got {shorten(bounds)} instead."
        )
    if not low <= X.min() <= X.max() <= high:
        raise ValueError(
            f"X_test has values from {X.min():.4g} to {X.max():.4g}, and bounds is "
            f"{shorten(bounds)}; expected rows within their bounds. Scale the rows, or pass their "
            "own range."
        )
    return low, high
