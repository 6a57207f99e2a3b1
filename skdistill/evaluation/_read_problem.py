"""Rows and labels as users give them, read as a `Problem` before anything is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags

from skdistill._input._columns import NUMBERS, as_floats
from skdistill._input._frames import NUMPY_KINDS, column_kinds, column_names, is_table
from skdistill._input._inputs import form_of, name_form
from skdistill._input._rows import has_gaps
from skdistill._names import in_order_of, names_of
from skdistill._words import one_line
from skdistill.evaluation._arguments import read_rows
from skdistill.evaluation._problem import Problem
from skdistill.evaluation._tasks import Scoring, task_of
from skdistill.teachers._fit import tags_of
from skdistill.transfer._gather import check_alike
from skdistill.transfer._unlabeled import Unlabeled, plain_rows


def read_problem(
    owner: str,
    model: Any,
    X: Any,
    y: Any,
    tests: Mapping[Any, tuple[Any, Any]] | None = None,
    *,
    X_name: str = "X_train",
    y_name: str = "y_train",
) -> Problem:
    """Read what a distilled estimator learns from, and test sets.

    Parameters
    ----------
    owner : str
        The function that the errors name.
    model : DistilledClassifier or DistilledRegressor
        Says whether labels or numbers are learnt.
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    tests : dict of str to (X_test, y_test), default=None
        Test sets by name.
    X_name, y_name : str
        What the errors call the rows and labels that are learnt from.

    Returns
    -------
    Problem
        Lists and tensors are arrays.

    Raises
    ------
    ValueError
        When rows and labels do not fit. The message says what came and what to do, and with
        several test sets a note which one.
    """
    kind = task_of(model)
    X, y_read = kind.read_rows(X_name, X, y_name, y)
    names = names_of(y) if y_read.ndim > 1 else None
    task = kind.to_be_learnt(y_read, names, y_name, owner)
    tests, read = {} if tests is None else tests, {}
    for name, test in tests.items():
        try:
            read[name] = _read_test_set(model, task, X, y_read, *test)
        except ValueError as error:
            if len(tests) > 1:
                error.add_note(f"This was found with the test set {name!r}.")
            raise
    return Problem(X, y_read, task, read, None if names is None else y)


def _read_test_set(
    model: Any, task: Scoring, X: Any, y: np.ndarray, X_test: Any, y_test: Any
) -> tuple[Any, np.ndarray]:
    names = names_of(y_test)
    X_test, y_test = task.read_rows("X_test", X_test, "y_test", y_test)
    check_same_columns(X, X_test)
    check_same_kinds(model, X, X_test)
    if y.shape[1:] != y_test.shape[1:]:
        raise ValueError(
            f"y_train has the shape {y.shape} and y_test {y_test.shape}; pass the numbers of "
            f"the same outputs."
        )
    check_known(task, y_test)
    return X_test, in_order_of(task.names, y_test, names, "y_test") if y.ndim > 1 else y_test


def read_unlabelled(model: Any, X: Any, X_unlabeled: Any) -> Unlabeled:
    """Read rows without labels, or refuse them where they are not like those with labels.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        Rows with labels, read.
    X_unlabeled : array-like of shape (n_unlabeled, ...) or Unlabeled

    Returns
    -------
    Unlabeled
    """
    rows = read_rows("X_unlabeled", plain_rows(X_unlabeled))
    check_alike(rows, X)
    check_same_kinds(model, X, rows, "X_unlabeled")
    return Unlabeled(rows)


def check_same_kinds(model: Any, X: Any, X_test: Any, X_name: str = "X_test") -> None:
    """Refuse test rows that hold what no training row holds, and the model cannot read.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    X, X_test : {ndarray, CSR matrix, DataFrame} of shape (n_rows, ...)
        Of the same columns.
    X_name : str
        What the errors call the test rows.
    """
    check_numbers(X, X_test, X_name=X_name)
    readers = {"student": get_tags(model)}
    if type(model.teacher).__module__.startswith("sklearn."):  # tags of others may say too little
        readers["teacher"] = tags_of(model.teacher)
    dense = [name for name, tags in readers.items() if tags and not tags.input_tags.sparse]
    if sparse.issparse(X_test) and not sparse.issparse(X) and dense:
        raise ValueError(
            f"{X_name} is a sparse matrix, as X_train is none, and the {dense[0]} takes none; "
            f"expected rows like those of X_train. Pass {X_name}.toarray()."
        )
    check_gaps(model, X, X_test, X_name)


def check_numbers(X: Any, X_test: Any, name: str = "X_train", *, X_name: str = "X_test") -> None:
    """Refuse texts, dates and the like in the test rows where all training rows hold numbers."""
    if len(X.shape) != 2:
        return
    kinds = _kinds(X)
    numbers = np.array([i for i, kind in enumerate(kinds) if kind in NUMBERS], dtype=int)
    try:
        of_test = _kinds(X_test)
        dates = [i for i in numbers if of_test[i] == "date"]
        if dates:
            raise ValueError(f"{of_test[dates[0]]}s in the column {_column(X_test, dates[0])!r}")
        if not sparse.issparse(X_test):
            as_floats(X_test, numbers)
    except ValueError as error:
        raise ValueError(
            f"{X_name} holds values that are no numbers ({one_line(error)}), where {name} holds "
            "numbers alone; expected the same. Convert them, or leave these cells empty, as gaps."
        ) from None


def _kinds(X: Any) -> list[str]:
    return (
        column_kinds(X) if is_table(X) else [NUMPY_KINDS.get(X.dtype.kind, "object")] * X.shape[1]
    )


def _column(X: Any, position: int) -> Any:
    return column_names(X)[position] if is_table(X) else int(position)


def check_gaps(model: Any, X: Any, X_test: Any, X_name: str = "X_test") -> None:
    """Refuse gaps in the test rows that training rows without any give no answer to."""
    takes_gaps = get_tags(model).input_tags.allow_nan
    if not takes_gaps and has_gaps(X_test) and not has_gaps(X):
        raise ValueError(
            f"{X_name} contains NaN, as no row of X_train does, and the teacher or the student "
            "does not take gaps. Fill them, or train on rows with gaps and a teacher that takes "
            "them."
        )


def check_known(
    task: Scoring, y_test: np.ndarray, y_name: str = "y_train", *, name: str = "y_test"
) -> None:
    """Refuse labels of test rows that nobody has learnt."""
    try:
        task.encode(y_test)
    except ValueError as error:
        raise ValueError(f"{name} does not fit {y_name}. {error}") from None


def check_same_columns(
    X: Any, X_test: Any, name: str = "X_train", *, X_name: str = "X_test"
) -> None:
    """Refuse test rows that are not of the shape of the others, or have other columns."""
    forms = form_of(X), form_of(X_test)
    if forms[0] != forms[1]:
        raise ValueError(
            f"{name} is {name_form(forms[0])}, and {X_name} is {name_form(forms[1])}; pass test "
            f"rows with the same features."
        )
    shape, of_test = (tuple(np.shape(rows)[1:]) for rows in (X, X_test))
    if shape != of_test:
        raise ValueError(
            f"The rows of {name} have the shape {shape} and those of {X_name} {of_test}; pass "
            f"test rows with the same features."
        )
    if is_table(X) and is_table(X_test) and column_names(X) != column_names(X_test):
        raise ValueError(
            f"{name} and {X_name} have different columns, or the same in another order; pass "
            f"{X_name}[{name}.columns]."
        )
