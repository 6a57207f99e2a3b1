"""The numbers of a regressor: one or several for each row, none missing."""

import numpy as np
from sklearn.utils import check_array

from skdistill._input._labels import lists_of
from skdistill._input._tensors import array_of
from skdistill._words import one_line, shorten


def as_numbers(y):
    """Check numbers that are to be learnt.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), float64

    Raises
    ------
    ValueError
        For texts, what is not finite, and dates and durations, which would pass for numbers.
    """
    y = array_of(y, "y") if hasattr(y, "detach") else y
    lists = lists_of(y)
    if lists is not None:
        raise ValueError(
            f"y holds lists of different lengths, or sets, such as {shorten(lists[:3])}; expected "
            f"a number for each row, or as many of them for each. Fill up the rows, or leave out "
            f"those that lack some."
        )
    kinds = {getattr(dtype, "kind", "O") for dtype in _dtypes(y)}
    if kinds & set("mM"):
        raise ValueError(
            "y holds dates or durations; expected numbers. Derive them, such as the days since a "
            "date: (y - y.min()) / numpy.timedelta64(1, 'D')."
        )
    try:
        y = check_array(y, dtype=np.float64, ensure_2d=False, input_name="y")
    except ValueError as error:
        if "could not convert" not in str(error):
            raise
        raise ValueError(
            f"y holds what is no number ({one_line(error)}); expected numbers. Labels are learnt "
            "by classifiers, such as DistilledClassifier."
        ) from error
    if y.ndim > 2:
        raise ValueError(
            f"y has the shape {y.shape}; expected (n_samples,) or (n_samples, n_outputs)."
        )
    return y.reshape(-1, 1) if y.ndim == 1 else y


def _dtypes(y):
    dtypes = getattr(y, "dtypes", None)
    if dtypes is not None and np.ndim(y) == 2:
        return list(dtypes)
    return [np.asarray(y).dtype]


def numbers_of_width(y, n_outputs):
    """Check numbers of which there must be so many for a row; see `as_numbers`."""
    y = as_numbers(y)
    if y.shape[1] != n_outputs:
        raise ValueError(
            f"y has {y.shape[1]} columns; expected {n_outputs}, as many as were learnt."
        )
    return y
