"""The rows X as users bring them, checked once and left as they are."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skdistill.exceptions import StudentError

__all__ = ["as_rows", "has_gaps", "is_table", "refuse_dates"]


def is_table(X):
    """Whether X is a DataFrame: it has columns and can be sliced by position."""
    return hasattr(X, "columns") and hasattr(X, "iloc")


def as_rows(X):
    """Check that X is rows of features, and make lists and tensors arrays.

    A DataFrame stays one. Strings, gaps (NaN) and arrays of more than two dimensions may pass:
    whether the student can take them is the student's to say. Infinite numbers may not.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame, torch.Tensor} of shape (n_samples, ...)
        The user's rows; not changed.

    Returns
    -------
    X : {ndarray, CSR matrix, DataFrame}

    Raises
    ------
    ValueError
        For one-dimensional, empty, complex or infinite X.
    """
    if is_table(X):
        if 0 in X.shape:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) "
                f"(shape={X.shape}) while a minimum of 1 is required."
            )
        numbers = X.select_dtypes(include="number")
        if any(dtype.kind == "c" for dtype in numbers.dtypes):
            raise ValueError(
                "Complex data not supported: X has a column of complex numbers; expected real "
                "ones. Split it into its real and imaginary parts."
            )
        infinite = [c for c in numbers if np.isinf(numbers[c].to_numpy(float, na_value=0)).any()]
        if infinite:
            raise ValueError(
                f"Input X contains infinity in the columns {infinite[:5]}; expected finite "
                f"numbers or gaps. Replace it: X.replace([numpy.inf, -numpy.inf], numpy.nan)."
            )
        return X
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    if not sparse.issparse(X):
        X = np.asarray(X)
        if X.dtype.kind in "OUS":
            return _as_mixed_rows(X)
    return check_array(
        X,
        accept_sparse="csr",
        dtype=None,
        ensure_all_finite="allow-nan",
        allow_nd=True,
        input_name="X",
    )


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
        return bool(X.select_dtypes(include="number").isna().to_numpy().any())
    values = X.data if sparse.issparse(X) else X
    return values.dtype.kind == "f" and bool(np.isnan(values).any())


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
    if X.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got an array of shape {X.shape} and dtype {X.dtype} instead. Rows "
            f"are tables of shape (n_samples, n_features): a single column is X.reshape(-1, 1), "
            f"and texts become numbers first, TfidfVectorizer().fit_transform(X)."
        )
    # check_array would make numbers of them; only its refusals by shape are wanted.
    check_array(np.empty(X.shape, dtype=bool), allow_nd=True, input_name="X")
    return X
