"""The names that the columns of an answer bring with them, and copies for those who write."""

import numpy as np

__all__ = ["copy_rows", "names_of"]


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
    same = len({type(name) for name in names}) == 1
    return np.asarray(names) if same else labels


def copy_rows(X):
    """Return a copy of rows, for what may write into them.

    Parameters
    ----------
    X : {ndarray, sparse matrix, table} of shape (n_samples, ...)

    Returns
    -------
    object of the type of X
        Itself where it cannot be written to.
    """
    if hasattr(X, "clone") and not hasattr(X, "copy"):
        return X.clone()  # polars
    return X.copy() if hasattr(X, "copy") else X
