"""Weights in fewer bytes than their precision takes, where these say them exactly.

`quantize` moves weights to where this holds; a file then keeps what they are, and not how they came
to be so. Weights of an ordinary training are never there, and stay as they are.
"""

from itertools import chain
from typing import NamedTuple

import numpy as np

from skdistill.deployment._header import SCALE, STATE

PRECISIONS = {"float32": np.float32, "float64": np.float64}
"""Of weights that a file keeps in fewer bytes."""

LEVELS = 127
"""Of int8 on each side of 0: the rounding is symmetric, and -128 is not used."""

SCALE_BITS = 17
"""Of a scale: times one of the levels, of 7 bits, it is a float32 of 24 without being rounded."""

FEWEST = 256
"""Numbers of an array from which on fewer bytes pay for what must be said of it besides."""

FEW = 4
"""Rows that are looked at before all are."""


class Compact(NamedTuple):
    """Weights as they are kept: `values * scale`.

    Attributes
    ----------
    values : ndarray, int8 or float16
    scale : ndarray or None
        With as many axes as the values, of the length 1 where numbers share it, in the precision of
        the weights; None for float16.
    """

    values: np.ndarray
    scale: np.ndarray | None

    def restore(self, dtype):
        """Return the weights, in the precision that they had.

        Raises
        ------
        ValueError
            For a scale that is not one of such values.
        """
        values = self.values.astype(dtype)
        if self.scale is None:
            return values
        shape = np.broadcast_shapes(self.scale.shape, values.shape)
        if self.scale.dtype != dtype or self.scale.ndim != values.ndim or shape != values.shape:
            raise ValueError(f"a scale of shape {self.scale.shape} for weights of {values.shape}")
        return values * self.scale


def to_int8(weights, axes):
    """Round weights to 127 steps on each side of 0, of a length for each row.

    Parameters
    ----------
    weights : ndarray
    axes : tuple of int
        Along which numbers share a step; the others count the rows.

    Returns
    -------
    Compact
        No weight is off by more than half a step, the scale.
    """
    scale = np.abs(weights.astype(np.float64)).max(axis=axes, keepdims=True) / LEVELS
    mantissa, exponent = np.frexp(scale)
    # Upwards, so that the largest weight of a row is one of the levels.
    scale = np.ldexp(np.ceil(np.ldexp(mantissa, SCALE_BITS)), exponent - SCALE_BITS)
    scale[scale < np.finfo(np.float32).tiny] = 0  # a row of zeros
    with np.errstate(invalid="ignore", divide="ignore"):
        levels = np.where(scale > 0, np.rint(weights / scale), 0)
    return Compact(levels.astype(np.int8), scale.astype(weights.dtype))


def find_compact(weights):
    """Return weights in fewer bytes, without a loss.

    Parameters
    ----------
    weights : ndarray

    Returns
    -------
    Compact or None
        None where only their own precision says them exactly.
    """
    is_float = weights.dtype in (np.float32, np.float64)
    if not is_float or weights.ndim < 2 or weights.size < FEWEST:
        return None
    if not weights.any() or not np.isfinite(weights).all():
        return None
    single = ((axis,) for axis in reversed(range(weights.ndim)))
    for axes in chain([tuple(range(1, weights.ndim))], single):
        few = weights[tuple(slice(None if axis in axes else FEW) for axis in range(weights.ndim))]
        if _is_exact(to_int8(few, axes), few):
            found = to_int8(weights, axes)
            if _is_exact(found, weights):
                return found
    if not _is_exact(to_float16(weights[:FEW]), weights[:FEW]):
        return None
    found = to_float16(weights)
    return found if _is_exact(found, weights) else None


def read_weights(content, arrays):
    """Return the weights of a file by their names in the network, in the precision that they had.

    Parameters
    ----------
    content : dict
        What the file says of the step that predicts.
    arrays : Arrays
    """
    dtypes, weights = content.get("compact", {}), {}
    for name, values in arrays.items():
        if name.startswith(STATE):
            key = name.removeprefix(STATE)
            if key in dtypes:
                values = Compact(values, arrays.get(SCALE + key)).restore(PRECISIONS[dtypes[key]])
            weights[key] = values
    return weights


def to_float16(weights):
    """Round weights to half precision; those beyond 65504 become infinite."""
    with np.errstate(over="ignore"):
        return Compact(weights.astype(np.float16), None)


def _is_exact(compact, weights):
    return np.array_equal(compact.restore(weights.dtype), weights)
