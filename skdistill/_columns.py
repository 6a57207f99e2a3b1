"""The columns of a table, whatever holds them: numbers with gaps, and categories."""

import numbers

import numpy as np

__all__ = ["FLOATS", "as_floats", "as_strings", "is_gap", "is_number", "is_table"]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def is_table(X):
    """Whether X is a DataFrame: it has columns and can be sliced by position."""
    return hasattr(X, "columns") and hasattr(X, "iloc")


def is_number(X):
    """Say which columns hold numbers or truth values; columns of objects are looked at one by one.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_features,), bool

    Raises
    ------
    TypeError
        For a column with objects that are neither numbers nor strings.
    """
    if not is_table(X) and X.dtype != object:
        return np.full(X.shape[1], X.dtype.kind in "biuf")
    return np.array([_holds_numbers(X, i) for i in range(X.shape[1])], dtype=bool)


def as_floats(X, positions):
    """Return some columns of numbers.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    positions : ndarray of int
        Which columns.

    Returns
    -------
    ndarray of shape (n_samples, n_positions)
        Gaps are NaN. float32 for an array of float32, float64 otherwise.
    """
    all_of_them = len(positions) == X.shape[1] and (positions[1:] > positions[:-1]).all()
    if is_table(X):
        X = X if all_of_them else X.take(positions, axis=1)
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    X = X if all_of_them else X[:, positions]
    if X.dtype == object:
        X = np.where(_are_gaps(X), np.nan, X)
    return X if X.dtype in FLOATS else X.astype(np.float64)


def as_strings(X, positions):
    """Return some columns of categories.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    positions : ndarray of int
        Which columns.

    Returns
    -------
    ndarray of shape (n_samples, n_positions), object
        Strings, None for a gap.
    """
    names = np.empty((X.shape[0], len(positions)), dtype=object)
    for i, position in enumerate(positions):
        names[:, i] = [None if is_gap(value) else _name(value) for value in _column(X, position)]
    return names


def _column(X, position):
    return X.iloc[:, position] if is_table(X) else X[:, position]


def _holds_numbers(X, position):
    column = _column(X, position)
    kind = getattr(column.dtype, "kind", "O")
    if kind in "biuf":
        return True
    if kind in "SU" or str(column.dtype) == "category":
        return False
    values = [value for value in column if not is_gap(value)]
    if any(isinstance(value, str | bytes) for value in values):
        return False
    for value in values:
        if not isinstance(value, numbers.Number | np.bool_):
            float(value)  # raises the TypeError that names what it is
    return True


def is_gap(value):
    """Whether a value is None, NaN, NaT or NA."""
    return value is None or type(value).__name__ == "NAType" or value != value


_are_gaps = np.frompyfunc(is_gap, 1, 1)


def _name(value):
    # A column of integers with gaps comes as floats, and 3.0 is the category 3.
    is_whole = isinstance(value, float | np.floating) and value.is_integer()
    return str(int(value)) if is_whole else str(value)
