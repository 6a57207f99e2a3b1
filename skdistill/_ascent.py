"""Steps up a gradient that stay near where they began, for attacks and for training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def projected_ascent(
    gradient: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    *,
    radius: Any,
    step: Any,
    n_steps: int,
    start: np.ndarray,
    bounds: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Steps along the sign of a gradient that stay in a box around each row.

    Parameters
    ----------
    gradient : callable
        From rows to an array of their shape.
    X : ndarray of shape (n_samples, ...), float64
        The rows as they are.
    radius, step : float or ndarray of the shape of a row
        Half the width of the box, and the length of a step, in each feature.
    n_steps : int
        Number of steps. One from `X` with the length of the radius is FGSM.
    start : ndarray of shape (n_samples, ...)
        What is added to the rows before the first step.
    bounds : tuple of two floats
        The least and greatest value of a number.

    Returns
    -------
    rows : ndarray of shape (n_samples, ...), float64
    has_gradient : ndarray of shape (n_samples,), bool
        Whether the gradient was other than 0 at a step.
    """
    least = np.maximum(X - radius, bounds[0])
    most = np.minimum(X + radius, bounds[1])
    rows = np.clip(X + start, least, most)
    has_gradient = np.zeros(len(X), dtype=bool)
    for _ in range(n_steps):
        sign = np.sign(gradient(rows))
        has_gradient |= sign.reshape(len(X), -1).any(axis=1)
        rows = np.clip(rows + step * sign, least, most)
    return rows, has_gradient
