"""The answers and labels that a calibration is fitted on, checked."""

import numpy as np
from scipy.special import log_softmax

from skdistill._compat import check_sample_weight
from skdistill._names import names_of
from skdistill._words import one_line, shorten
from skdistill.targets._value import Targets
from skdistill.teachers._align import as_labels
from skdistill.teachers._clip import EPSILON, log_probabilities
from skdistill.teachers._contract import TOLERANCE

LEAST = -1e300
"""The least logarithm, so that multiples and sums of some stay finite."""


def check_labelled(answers, y, sample_weight=None):
    """Check answers, labels and weights, and leave out the rows without a target or a weight.

    Parameters
    ----------
    answers : array-like of shape (n_samples, n_classes)
        Probabilities where all values are non-negative and all rows sum to one, each up to
        `TOLERANCE`; else log-probabilities or logits. Rows of NaN have no target.
    y : array-like of shape (n_samples,)
        Labels where the columns of `answers` have names, as those of `Targets` and of a table do;
        else positions of columns.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs all alike.

    Returns
    -------
    log_p : ndarray of shape (n_rows, n_classes), float64
        Log-probabilities.
    positions : ndarray of shape (n_rows,), int
        The columns of the true classes.
    weight : ndarray of shape (n_rows,), float64
        Positive weights that sum to one.

    Raises
    ------
    ValueError
        For anything else. The message says what to do.
    """
    classes = answers.classes if isinstance(answers, Targets) else names_of(answers)
    values = _as_matrix(answers)
    y = _as_column(y, len(values))
    weight = scale_weights(sample_weight, values)
    counts = ~np.isnan(values).all(axis=1) & (weight > 0)
    if not counts.any():
        raise ValueError(
            "No row has both an answer and a positive weight; expected one at least. Look at the "
            "rows of NaN, and at sample_weight."
        )
    log_p = _as_logarithms(values[counts])
    positions = _as_positions(y[counts], values.shape[1], classes)
    return log_p, positions, weight[counts] / weight[counts].sum()


def scale_weights(sample_weight, rows):
    """Check weights, and divide them by the greatest: the sum of large ones would overflow.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
    rows : array-like of shape (n_samples, ...)

    Returns
    -------
    ndarray of shape (n_samples,), float64
        Weights in [0, 1]; ones for None.

    Raises
    ------
    ValueError
        For another shape, and for weights that are negative, not finite or no numbers.
    """
    weight = check_sample_weight(sample_weight, rows)
    return weight / max(weight.max(initial=0), np.finfo(np.float64).tiny)


def _as_matrix(answers):
    if isinstance(answers, Targets) and answers.kind == "numbers":
        raise ValueError(
            "The answers are numbers of a regressor; expected those of a classifier. Numbers need "
            "no calibration."
        )
    try:
        values = np.asarray(answers)
        if values.dtype.kind == "c":
            raise TypeError("they are complex")
        values = values.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"The answers are of type {type(answers).__name__}, which holds other things than real "
            f"numbers ({one_line(error)}); expected an array of shape (n_samples, "
            f"n_classes). Convert it first."
        ) from error
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        hint = "numpy.column_stack([1 - p, p]) makes two columns of the probabilities of one class"
        raise ValueError(
            f"The answers have shape {values.shape}; expected (n_samples, n_classes): a row per "
            f"sample and a column per class, two at least. {hint}."
        )
    return values


def _as_column(y, n_samples):
    try:
        y = np.asarray(y)
        if y.dtype == object and y.ndim:
            y = np.asarray(y.tolist())  # integers that a library kept as objects
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"y is no array of labels ({one_line(error)}); expected one for each row "
            f"of the answers. Convert it first."
        ) from error
    if y.shape != (n_samples,):
        hint = "Pass y.argmax(axis=1) of one-hot rows, y.ravel() of a single column"
        raise ValueError(
            f"y has shape {y.shape}; expected ({n_samples},), a label for each row of the answers. "
            f"{hint if y.ndim == 2 else 'Pass the labels of these very rows'}."
        )
    return y


def _as_logarithms(values):
    partly = np.isnan(values).any(axis=1)
    if partly.any() or np.isposinf(values).any():
        raise ValueError(
            "The answers hold rows with some NaN, or with inf; expected finite numbers, and NaN in "
            "all columns of a row without an answer. Look at these rows, or leave them out."
        )
    sums = values.sum(axis=1)
    is_share = (values >= -TOLERANCE).all()
    if is_share and np.abs(sums - 1).max() <= TOLERANCE:
        return log_probabilities(values / sums[:, None])
    if is_share and (values.max() <= 1 + TOLERANCE or np.allclose(sums, sums[0], rtol=1e-6)):
        worst = sums[np.argmax(np.abs(sums - 1))]
        raise ValueError(
            f"The answers look like probabilities whose rows do not sum to one (one sums to "
            f"{worst:.4g}); expected probabilities, log-probabilities or logits. Divide each row "
            f"by its sum; of logits pass scipy.special.log_softmax(logits, axis=1)."
        )
    if np.isneginf(values).all(axis=1).any():
        raise ValueError(
            "The answers hold a row of -inf alone; expected a class that is possible in each row. "
            "Look at these rows, or leave them out."
        )
    with np.errstate(over="ignore"):
        log_p = log_softmax(values, axis=1)
    return np.maximum(np.where(np.isneginf(log_p), np.log(EPSILON), log_p), LEAST)


def _as_positions(y, n_classes, classes):
    if classes is None:
        if y.dtype.kind not in "biuf" or not (np.isfinite(y) & (y == np.rint(y))).all():
            raise ValueError(
                f"y holds {shorten(_first_odd(y))}, and the columns of the answers have no names; "
                f"expected positions of columns, 0 to {n_classes - 1}. For columns in sorted order "
                f"pass numpy.unique(y, return_inverse=True)[1]."
            )
        outside = (y < 0) | (y >= n_classes)
        if outside.any():
            raise ValueError(
                f"y holds {y[outside][0]}, and the answers have {n_classes} columns; expected "
                f"positions of columns, 0 to {n_classes - 1}. Leave rows without a label out; of "
                f"labels pass their positions."
            )
        return y.astype(np.intp)
    names = as_labels(classes, y).tolist()
    position_of = {label: i for i, label in enumerate(names)}
    if len(position_of) != n_classes:
        raise ValueError(
            f"The {n_classes} columns of the answers have {len(position_of)} different names; "
            f"expected a class for each. Rename them, or pass the array alone and positions as y."
        )
    positions = np.array([position_of.get(label, -1) for label in y.tolist()], dtype=np.intp)
    if (positions < 0).any():
        raise ValueError(
            f"y holds {shorten(y[positions < 0].tolist()[0])}, and the columns of the answers are "
            f"named {list(position_of)[:10]}; expected these labels. Pass them as y, or the array "
            "alone and positions as y."
        )
    return positions


def _first_odd(y):
    """Return the first of y that is no whole number."""
    if y.dtype.kind in "mM":  # whose values are whole numbers of nanoseconds
        return str(y[0])
    numbers = (int, float)
    return next(v for v in y.tolist() if not isinstance(v, numbers) or v != v or v % 1 != 0)
