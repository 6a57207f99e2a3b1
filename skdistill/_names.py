"""The names that the columns of an answer bring with them, and copies for those who write."""

import copy
from collections.abc import Mapping

import numpy as np

__all__ = ["copy_rows", "in_order_of", "names_of", "own_rows"]

IN_PLACE = ("copy", "copy_X")
"""Parameters of scikit-learn's that, if False, let a step write into what it reads."""


def names_of(answer):
    """Return the names of an answer's columns.

    Parameters
    ----------
    answer : object
        An array, or a table of any kind.

    Returns
    -------
    ndarray of shape (n_columns,) or None
        None for what is no table, and for the numbers by which pandas counts columns that nobody
        has named.
    """
    if isinstance(answer, np.ndarray):
        return None
    names = getattr(answer, "column_names", getattr(answer, "columns", None))
    if names is None or not hasattr(answer, "shape"):
        return None
    if type(names).__name__ == "RangeIndex" and names[0] == 0:
        return None
    names = list(names)
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    same = len({type(name) for name in names}) == 1 and not isinstance(names[0], tuple)
    return np.asarray(names) if same else labels


def in_order_of(names, values, named, source):
    """Return columns of numbers in the order of the columns of y.

    Parameters
    ----------
    names : ndarray of shape (n_columns,) or None
        The names of the columns of y, see `names_of`.
    values : ndarray of shape (n_samples, n_columns)
    named : ndarray of shape (n_columns,) or None
        The names of the columns of `values`; where either names none, columns keep their places.
    source : str
        Whose columns they are, for the error.

    Returns
    -------
    ndarray of shape (n_samples, n_columns)

    Raises
    ------
    ValueError
        When the names are not the same.
    """
    if names is None or named is None or values.shape[1] < 2:
        return values
    wanted, came = names.tolist(), named.tolist()
    if sorted(map(str, wanted)) != sorted(map(str, came)):
        raise ValueError(
            f"{source} has the columns {came[:6]} and y has {wanted[:6]}; expected the same names. "
            f"Rename them, or pass an array in the order of y's columns."
        )
    return values[:, [came.index(name) for name in wanted]]


def copy_rows(X):
    """Return a copy of rows, for what may write into them.

    Parameters
    ----------
    X : {ndarray, sparse matrix, table, SliceDict} of shape (n_samples, ...)

    Returns
    -------
    object of the type of X
        Itself where it cannot be written to.
    """
    if isinstance(X, Mapping) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1):
        return copy.deepcopy(X)  # arrays by their names, and rows that are dicts
    if hasattr(X, "clone") and not hasattr(X, "copy"):
        return X.clone()  # polars
    return X.copy() if hasattr(X, "copy") else X


def own_rows(estimator, X):
    """Return rows that an estimator may change: a copy where a part of it is told not to make one.

    Parameters
    ----------
    estimator : object
        Such as a Pipeline with a ``StandardScaler(copy=False)``.
    X : {ndarray, CSR matrix, DataFrame}
        The rows that others will read too.

    Returns
    -------
    {ndarray, CSR matrix, DataFrame}
    """
    settings: dict = getattr(estimator, "get_params", dict)()
    in_place = any(
        name.rpartition("__")[2] in IN_PLACE and value is False for name, value in settings.items()
    )
    return copy_rows(X) if in_place else X
