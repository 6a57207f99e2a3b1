"""The contract that every teacher's answer is held to."""

import numpy as np
from scipy.special import log_softmax

from skdistill._words import one_line
from skdistill.exceptions import TeacherError

KINDS = ("logits", "probabilities")

TOLERANCE = 1e-3
"""How far below zero a probability may be, and a row of them from summing to one.

Sums in single precision leave such differences: an exported forest of two classes gives one minus
the sum of its leaves for the second one, and a zero comes as -1e-7."""


def looks_like_probabilities(values):
    """Whether no row has a negative value and all rows sum to one, within `TOLERANCE`.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    bool
    """
    sums = values.sum(axis=1)
    return bool((values >= -TOLERANCE).all() and (np.abs(sums - 1) <= TOLERANCE).all())


def as_values(answer, n_samples, source):
    """Check an answer about classes, which may not be a label; see `as_numbers_of_rows`."""
    values = as_numbers_of_rows(answer, n_samples, source, "n_classes", "class probabilities")
    given = np.asarray(answer)
    if given.dtype.kind in "biu" and values.shape[1] == 1:
        raise TeacherError(
            f"{source} gave a whole number for each row, such as {given.ravel()[0]}, which is a "
            f"label and no probability; expected an array of floats of shape ({n_samples}, "
            f"n_classes). Pass predict_proba in place of predict."
        )
    return values


def as_numbers_of_rows(answer, n_samples, source, width="n_outputs", row="numbers"):
    """Check that an answer is a row of finite numbers for each row that was asked about.

    Parameters
    ----------
    answer : array-like of shape (n_samples,) or (n_samples, n_columns)
        What the teacher answered.
    n_samples : int
        The rows that it was asked about.
    source : str
        Who answered, as a sentence's subject.
    width, row : str
        What the columns are counted by, and what a row of them is, for errors.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), float64
        One column of an answer of one dimension.

    Raises
    ------
    TeacherError
    """
    wanted = f"({n_samples}, {width})"
    if isinstance(answer, list) and answer and np.ndim(answer[0]) == 2:
        raise TeacherError(
            f"{source} gave a list of {len(answer)} arrays, as multi-output classifiers do; "
            f"expected one array of shape {wanted}. Distil one output at a time."
        )
    try:
        values = np.asarray(answer).astype(np.float64, copy=False)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TeacherError(
            f"{source} gave {type(answer).__name__}, which is no array of numbers "
            f"({one_line(error)}); expected an array of shape {wanted}."
        ) from error
    came = values.shape
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) != n_samples or values.shape[1] == 0:
        raise TeacherError(
            f"{source} gave an array of shape {came} for {n_samples} rows; expected {wanted}: one "
            f"row of {row} per row of X."
        )
    check_finite(values, source)
    return values


def check_finite(values, source):
    """Check that an answer holds finite numbers alone.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        What the teacher answered.
    source : str
        Who answered, as a sentence's subject.

    Raises
    ------
    TeacherError
    """
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise TeacherError(
            f"{source} gave NaN or infinite values for {bad.sum()} of {len(values)} rows (the "
            f"first is row {int(np.argmax(bad))}); expected finite numbers. Look at these rows, "
            f"or leave them out."
        )


def find_kind(values, source):
    """Find out whether a network speaks logits or probabilities, by all that it said.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Finite numbers. A single column is of the second class.
    source : str
        Who answered, as a sentence's subject.

    Returns
    -------
    {"logits", "probabilities"}

    Raises
    ------
    TeacherError
        For columns of which each is a probability of its own.
    """
    if values.shape[1] == 1:
        inside = (values >= -TOLERANCE) & (values <= 1 + TOLERANCE)
        return "probabilities" if inside.all() else "logits"
    if looks_like_probabilities(values):
        return "probabilities"
    if (values >= 0).all() and (values <= 1).all():
        raise TeacherError(
            f"{source} gave values between 0 and 1 whose rows do not sum to one, as independent "
            f"sigmoids do; expected logits or probabilities. Return the logits of one softmax."
        )
    return "logits"


def is_of_second(values, columns):
    """Whether a single column is of the second class of two: it is, unless it names its own."""
    return values.shape[1] == 1 and (columns is None or len(columns) != 1)


def as_probabilities(values, kind, source, columns=None):
    """Read an answer as class probabilities.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        Finite numbers. A single column is of the second class: its logit, or its probability.
    kind : {"logits", "probabilities"}
        What they are.
    source : str
        Who answered, as a sentence's subject.
    columns : ndarray of shape (n_columns,), default=None
        Their labels. A column that has the only one is of that class, and not of a second one.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        Rows that sum to one.

    Raises
    ------
    TeacherError
        For probabilities that are negative, or rows of them that do not sum to one.
    """
    is_single = is_of_second(values, columns)
    if kind == "logits":
        values = np.hstack([np.zeros_like(values), values]) if is_single else values
        return np.exp(log_softmax(values, axis=1))
    if (values < -TOLERANCE).any():
        raise TeacherError(
            f"{source} gave negative values (the least is {values.min():.4g}); expected "
            f"probabilities. If these are logits, apply scipy.special.softmax(logits, axis=1)."
        )
    if is_single:
        if (values > 1 + TOLERANCE).any():
            raise TeacherError(
                f"{source} gave one column with values up to {values.max():.4g}; expected the "
                f"probability of the second class. If these are logits, apply "
                f"scipy.special.expit(logits)."
            )
        values = np.hstack([1 - values, values])
    sums = values.sum(axis=1)
    if (np.abs(sums - 1) > TOLERANCE).any():
        worst = sums[np.argmax(np.abs(sums - 1))]
        raise TeacherError(
            f"{source} gave rows that do not sum to one (one sums to {worst:.4g}); expected "
            f"probabilities. Divide each row by its sum, or apply softmax if these are logits."
        )
    if (values < 0).any():
        values = np.maximum(values, 0)
        sums = values.sum(axis=1)
    return values / sums[:, None]
