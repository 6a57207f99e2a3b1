"""The contract that every teacher's answer is held to."""

import numpy as np
from scipy.special import log_softmax

from skdistill.exceptions import TeacherError

SUM_TOLERANCE = 1e-3
"""How far a row of probabilities may be from summing to one (single precision, rounding)."""


def looks_like_probabilities(values):
    """Whether all rows are non-negative and sum to one.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    bool
    """
    return bool((values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=SUM_TOLERANCE))


def check_shape(values, n_samples, source):
    """Check that an answer has one row of numbers per sample.

    Parameters
    ----------
    values : array-like
        What the teacher answered.
    n_samples : int
        The rows that it was asked about.
    source : str
        Who answered, as a sentence's subject.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), float64
    """
    if isinstance(values, list) and values and np.ndim(values[0]) == 2:
        raise TeacherError(
            f"{source} gave a list of {len(values)} arrays, as multi-output classifiers do; "
            f"expected one array of shape (n_samples, n_classes). Distil one output at a time."
        )
    try:
        values = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TeacherError(
            f"{source} gave {type(values).__name__}, which is no array of numbers ({error}); "
            f"expected an array of shape (n_samples, n_classes)."
        ) from error
    if values.ndim != 2 or values.shape[0] != n_samples:
        raise TeacherError(
            f"{source} gave an array of shape {values.shape} for {n_samples} rows; expected "
            f"({n_samples}, n_classes): one row of class probabilities per row of X."
        )
    return values


def check_probabilities(values, n_samples, source):
    """Check and normalise rows of class probabilities.

    Parameters
    ----------
    values : array-like of shape (n_samples, n_classes)
        What the teacher answered.
    n_samples : int
        The rows that it was asked about.
    source : str
        Who answered, as a sentence's subject.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        Rows that sum to one.

    Raises
    ------
    TeacherError
        For another shape, values that are not finite or negative, rows that do not sum to one.
    """
    values = check_shape(values, n_samples, source)
    check_finite(values, source)
    if (values < 0).any():
        raise TeacherError(
            f"{source} gave negative values (the least is {values.min():.4g}); expected "
            f"probabilities. If these are logits, apply scipy.special.softmax(logits, axis=1)."
        )
    sums = values.sum(axis=1)
    if not np.allclose(sums, 1, atol=SUM_TOLERANCE):
        worst = sums[np.argmax(np.abs(sums - 1))]
        raise TeacherError(
            f"{source} gave rows that do not sum to one (one sums to {worst:.4g}); expected "
            f"probabilities. Divide each row by its sum, or apply softmax if these are logits."
        )
    return values / sums[:, None]


def check_network_outputs(values, n_samples, source):
    """Read a network's outputs, which may be logits or probabilities.

    A single column is the logit of the second class, or its probability where all values lie
    in [0, 1].

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_columns)
        What the network returned.
    n_samples : int
        The rows that it was asked about.
    source : str
        Who answered, as a sentence's subject.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), float64
    kind : {"logits", "probabilities"}
    """
    values = check_shape(values[:, None] if np.ndim(values) == 1 else values, n_samples, source)
    check_finite(values, source)
    if values.shape[1] == 1:
        if ((values >= 0) & (values <= 1)).all():
            return np.hstack([1 - values, values]), "probabilities"
        values = np.hstack([np.zeros_like(values), values])
    if looks_like_probabilities(values):
        return values / values.sum(axis=1, keepdims=True), "probabilities"
    if (values >= 0).all() and (values <= 1).all():
        raise TeacherError(
            f"{source} gave values between 0 and 1 whose rows do not sum to one, as independent "
            f"sigmoids do; expected logits or probabilities. Return the logits of one softmax."
        )
    return np.exp(log_softmax(values, axis=1)), "logits"


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
