"""The rows X as users bring them, checked once and left as they are."""

import hashlib
import math

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skdistill._columns import FLOATS, as_floats, is_table
from skdistill._layout import EncodedTable
from skdistill.exceptions import StudentError

__all__ = [
    "as_rows",
    "has_gaps",
    "is_plain",
    "label_digest",
    "looks_plain",
    "refuse_dates",
    "stack_rows",
]

PLAIN = (np.ndarray, EncodedTable)
TEXT = (str, bytes)


def looks_plain(X, estimator):
    """Whether rows are an array of floats as wide as those of `fit`, which had no feature names.

    Parameters
    ----------
    X : object
        What the user brought.
    estimator : estimator
        A fitted one.

    Returns
    -------
    bool
    """
    return (
        type(X) in PLAIN
        and X.ndim == 2
        and X.dtype in FLOATS
        and len(X) > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
    )


def is_plain(X, estimator):
    """Whether rows need no further look: a fast lane, for a row takes less than its checks.

    Parameters
    ----------
    X : object
        What the user brought.
    estimator : estimator
        A fitted one.

    Returns
    -------
    bool
        True for finite rows that `looks_plain` takes. False says nothing: `as_rows` and
        `sklearn.utils.validation.validate_data` decide.
    """
    if not looks_plain(X, estimator):
        return False
    with np.errstate(all="ignore"):  # a sum that overflows is looked at more closely
        return math.isfinite(np.asarray(X).sum())


def as_rows(X):
    """Check that X is rows of features, and make lists and tensors arrays.

    A DataFrame stays one. Strings, gaps (NaN) and arrays of more than two dimensions may pass:
    whether the student can take them is the student's to say. Infinite numbers may not.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame, torch.Tensor} of shape (n_samples, ...) or \
list, array or Series of str
        The user's rows; not changed. Of one dimension are texts alone.

    Returns
    -------
    X : {ndarray, CSR matrix, DataFrame}
        Texts as an array of objects of shape (n_samples,).

    Raises
    ------
    ValueError
        For one-dimensional X that is no texts, and for empty, complex or infinite X.
    """
    if is_table(X):
        if 0 in X.shape:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) "
                f"(shape={X.shape}) while a minimum of 1 is required."
            )
        kinds = [getattr(dtype, "kind", "O") for dtype in X.dtypes]
        if "c" in kinds:
            raise ValueError(
                "Complex data not supported: X has a column of complex numbers; expected real "
                "ones. Split it into its real and imaginary parts."
            )
        floats = np.flatnonzero([kind == "f" for kind in kinds])
        infinite = np.isinf(as_floats(X, floats)).any(axis=0)
        if infinite.any():
            names = X.columns[floats][infinite].tolist()
            raise ValueError(
                f"Input X contains infinity in the columns {names[:5]}; expected finite "
                f"numbers or gaps. Replace it: X.replace([numpy.inf, -numpy.inf], numpy.nan)."
            )
        return X
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    if isinstance(X, list | tuple) and any(isinstance(value, TEXT) for value in X):
        return _as_texts(np.fromiter(X, dtype=object, count=len(X)))  # not as wide as the longest
    if not sparse.issparse(X):
        X = X if isinstance(X, EncodedTable) else np.asarray(X)
        if X.dtype.kind in "OUS":
            return _as_mixed_rows(X)
    checked = check_array(
        X,
        accept_sparse="csr",
        dtype=None,
        ensure_all_finite="allow-nan",
        allow_nd=True,
        input_name="X",
    )
    return X if isinstance(X, EncodedTable) else checked  # which would forget what it knows


def has_gaps(X):
    """Whether a column of numbers holds NaN.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame}
        See `as_rows`.

    Returns
    -------
    bool
    """
    if is_table(X):
        is_number = [getattr(dtype, "kind", "O") in "biuf" for dtype in X.dtypes]
        return bool(np.isnan(as_floats(X, np.flatnonzero(is_number))).any())
    values = X.data if sparse.issparse(X) else X
    # The greatest of some numbers is NaN where one of them is.
    return values.dtype.kind == "f" and values.size > 0 and bool(np.isnan(values.max()))


def label_digest(positions):
    """Return a digest of the labels of rows, the same on every machine.

    Parameters
    ----------
    positions : ndarray of shape (n_samples,), int
        Of each row's label among the sorted classes.

    Returns
    -------
    str
    """
    return hashlib.sha256(positions.astype("<i8").tobytes()).hexdigest()


def stack_rows(parts):
    """Return rows of numbers below one another.

    Parameters
    ----------
    parts : list of {ndarray, CSR matrix, DataFrame} of shape (n_samples_i, ...)
        All sparse, all dense or all tables; the first decides the dtype, and the categories of
        pandas' categorical columns.

    Returns
    -------
    {ndarray, CSR matrix, DataFrame} of shape (sum of n_samples_i, ...)
    """
    if len(parts) == 1:
        return parts[0]
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr", dtype=parts[0].dtype)
    if is_table(parts[0]):
        import pandas as pd  # it is there: these are its tables

        kinds = {n: dtype for n, dtype in parts[0].dtypes.items() if str(dtype) == "category"}
        return pd.concat([part.astype(kinds) for part in parts], ignore_index=True)
    return np.concatenate(parts, dtype=parts[0].dtype, casting="same_kind")


def refuse_dates(X):
    """Refuse dates and durations, which would pass for numbers in silence.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame}
        See `as_rows`.

    Raises
    ------
    StudentError
    """
    dtypes = X.dtypes.items() if is_table(X) else [(None, X.dtype)]
    for name, dtype in dtypes:
        if getattr(dtype, "kind", "O") in "mM":
            raise StudentError(
                f"{'X' if name is None else f'The column {name!r}'} holds dates ({dtype}); "
                f"expected numbers, truth values or categories. Derive numbers from it, such as "
                f"the days since a date."
            )


def _as_mixed_rows(X):
    if X.ndim == 1 and any(isinstance(value, TEXT) for value in X):
        return _as_texts(X.astype(object))
    if X.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got an array of shape {X.shape} and dtype {X.dtype} instead. Rows "
            f"are tables of shape (n_samples, n_features), a single column being "
            f"X.reshape(-1, 1), or texts: a list, array or Series of str."
        )
    # check_array would make numbers of them; only its refusals by shape are wanted.
    check_array(np.empty(X.shape, dtype=bool), allow_nd=True, input_name="X")
    return X


def _as_texts(X):
    others = [value for value in X if not isinstance(value, TEXT)]
    if others:
        raise ValueError(
            f"X is one-dimensional and holds {len(X) - len(others)} texts and {len(others)} other "
            f"values, such as {others[0]!r}; expected texts alone. Fill the gaps: "
            f"['' if text is None else str(text) for text in X]. A table has two dimensions."
        )
    return X
