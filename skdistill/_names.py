"""The names of columns, how they differ, and copies for those who write."""

import copy
from collections.abc import Mapping

import numpy as np

__all__ = [
    "Columns",
    "are_other_names",
    "columns_of",
    "compare_names",
    "copy_rows",
    "in_order_of",
    "names_of",
    "own_rows",
]

IN_PLACE = ("copy", "copy_X")
"""Parameters of scikit-learn's that, if False, let a step write into what it reads."""


class Columns:
    """Which columns an estimator has seen in `fit`, and what it is called: all that is compared.

    Parameters
    ----------
    estimator : estimator
        Knows its width, if its rows have one.
    names : list, default=None
        Those of a table, strings or not.
    form : object, default=None
        That of rows without columns; see `skdistill._input._inputs.form_of`.
    """

    def __init__(self, estimator, names=None, form=None):
        self.owner = type(estimator).__name__
        self.names = names
        self.form = form
        for name in ("n_features_in_", "feature_names_in_"):
            if name in vars(estimator):
                setattr(self, name, getattr(estimator, name))


def columns_of(estimator):
    """Return the `Columns` of an estimator, made once in `fit`: a single row takes less time."""
    kept = vars(estimator).get("_columns_in_")
    return Columns(estimator) if kept is None else kept


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


def in_order_of(names, values, named, source, wanted_by="y"):
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
    wanted_by : str, default="y"
        Whose names `names` are, for the error.

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
            f"{source} has the columns {came[:6]} and {wanted_by} has {wanted[:6]}; expected the "
            f"same names. Rename them, or pass an array in the order of y's columns."
        )
    return values[:, [came.index(name) for name in wanted]]


def are_other_names(names, of_fit):
    """Whether names contradict each other; the positions that pandas counts contradict none."""
    counted = list(range(len(of_fit)))
    if counted in (names, of_fit):
        return set(names) == set(of_fit)
    kinds = [all(isinstance(name, str) for name in those) for those in (names, of_fit)]
    return kinds[0] == kinds[1]


def compare_names(names, of_fit):
    """Say how names of columns differ from those of `fit`, in scikit-learn's words."""
    lines = ["The feature names should match those that were passed during fit."]
    unseen = sorted(set(names) - set(of_fit), key=str)
    missing = sorted(set(of_fit) - set(names), key=str)
    for title, those in (
        ("Feature names unseen at fit time:", unseen),
        ("Feature names seen at fit time, yet now missing:", missing),
    ):
        if those:
            lines += [title, *(f"- {name}" for name in those[:5]), *["- ..."][: len(those) > 5]]
    if not unseen and not missing:
        lines.append("Feature names must be in the same order as they were in fit.")
    return "\n".join([*lines, f"Pass the columns of fit in their order: {of_fit[:5]}..."])


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
