"""What came in, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from skdistill._columns import is_table
from skdistill._rows import as_rows
from skdistill.evaluation._metrics import class_index
from skdistill.evaluation._recipes import check_distilled
from skdistill.teachers._fit import is_fitted


@dataclass(frozen=True)
class ReportInput:
    """Checked rows and labels.

    Attributes
    ----------
    X_train, X_test : array-like of shape (n_train, ...) and (n_test, ...)
        Made arrays where they were lists or tensors.
    y_train : ndarray of shape (n_train,)
        Training labels.
    train_index, test_index : ndarray of shape (n_train,) and (n_test,), int
        The positions of the labels in `classes`.
    classes : ndarray of shape (n_classes,)
        The sorted training labels.
    groups : list of length n_test or None
        The segment of each test row.
    fitted : bool
        Whether the model itself stands for the distilled student.
    """

    X_train: Any
    y_train: np.ndarray
    train_index: np.ndarray
    X_test: Any
    test_index: np.ndarray
    classes: np.ndarray
    groups: list[Any] | None
    fitted: bool


def check_report_input(
    model: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    n_seeds: Any = 1,
    groups: Any = None,
    *,
    caller: str = "distillation_report",
) -> ReportInput:
    """Check the arguments of `distillation_report`, or of another `caller` that takes such.

    Raises
    ------
    TypeError
        When `model` is no DistilledClassifier.
    ValueError
        When anything else does not fit. The message says what came and what to do.
    """
    check_distilled(caller, model)
    if model.teacher is None:
        raise ValueError(
            f"{caller} needs a teacher to compare with, and model.teacher is None. Pass "
            "DistilledClassifier(teacher, ...); a teacher known only by its answers can be a "
            "callable that returns the probabilities of given rows."
        )
    if isinstance(n_seeds, bool) or not isinstance(n_seeds, int | np.integer) or n_seeds < 1:
        raise ValueError(
            "The 'n_seeds' parameter of distillation_report must be an int in the range "
            f"[1, inf). Got {n_seeds!r} instead."
        )
    X_train, y_train = rows_and_labels("train", X_train, y_train)
    X_test, y_test = rows_and_labels("test", X_test, y_test)
    check_same_columns(X_train, X_test)
    classes = np.unique(y_train)
    if len(classes) < 2:
        raise ValueError(
            f"y_train has one class only, {classes.tolist()[0]!r}; a report needs at least two."
        )
    fitted = n_seeds == 1 and is_fitted(model)
    if fitted and not np.array_equal(model.classes_, classes):
        raise ValueError(
            f"The model was fitted with the classes {_listed(model.classes_)} and y_train has "
            f"{_listed(classes)}. Pass the training rows of that fit, or clone(model) to fit anew."
        )
    try:
        test_index = class_index(y_test, classes)
    except ValueError as error:
        raise ValueError(f"y_test does not fit y_train. {error}") from None
    return ReportInput(
        X_train=X_train,
        y_train=y_train,
        train_index=class_index(y_train, classes),
        X_test=X_test,
        test_index=test_index,
        classes=classes,
        groups=None if groups is None else _check_groups(groups, len(y_test)),
        fitted=fitted,
    )


def check_test_sets(
    model: Any, X_train: Any, y_train: Any, X_test: Any, y_test: Any, n_seeds: Any, groups: Any
) -> dict[Any, ReportInput]:
    """Check the arguments of `distillation_report` for each test set.

    Returns
    -------
    sets : dict of str to ReportInput
        By the names of the test sets; a single one that has no name is under "test".
    """
    if not isinstance(X_test, Mapping) and not isinstance(y_test, Mapping):
        X_test, y_test = {"test": X_test}, {"test": y_test}
        groups = None if groups is None else {"test": groups}
    elif not isinstance(X_test, Mapping) or not isinstance(y_test, Mapping) or not X_test:
        raise ValueError(
            "Several test sets are a dict of rows and a dict of labels. Got X_test of type "
            f"{type(X_test).__name__} and y_test of type {type(y_test).__name__}; pass "
            "X_test={'clean': X_clean, ...}, y_test={'clean': y_clean, ...}."
        )
    elif not isinstance(groups, Mapping | None):
        raise ValueError(
            f"X_test has {len(X_test)} test sets, and groups is of type {type(groups).__name__}; "
            "pass a dict with the groups of each set, or of some of them."
        )
    groups = {} if groups is None else groups
    unknown = [name for name in groups if name not in X_test]
    if set(X_test) != set(y_test) or unknown:
        raise ValueError(
            f"X_test has the test sets {list(X_test)}, y_test {list(y_test)} and groups "
            f"{list(groups)}; pass the same names."
        )
    sets = {}
    for name, X in X_test.items():
        try:
            sets[name] = check_report_input(
                model, X_train, y_train, X, y_test[name], n_seeds, groups.get(name)
            )
        except ValueError as error:
            if len(X_test) > 1:
                error.add_note(f"This was found with the test set {name!r}.")
            raise
    return sets


def rows_and_labels(part: str, X: Any, y: Any) -> tuple[Any, np.ndarray]:
    X, y = as_rows(X), column_or_1d(y, warn=True)
    if X.shape[0] != len(y):
        raise ValueError(
            f"X_{part} has {X.shape[0]} rows and y_{part} has {len(y)} labels; pass one label for "
            "each row."
        )
    return X, y


def check_same_columns(X_train: Any, X_test: Any) -> None:
    if X_train.shape[1:] != X_test.shape[1:]:
        raise ValueError(
            f"The rows of X_train have the shape {tuple(X_train.shape[1:])} and those of X_test "
            f"{tuple(X_test.shape[1:])}; pass test rows with the same features."
        )
    if is_table(X_train) and is_table(X_test) and list(X_train.columns) != list(X_test.columns):
        raise ValueError(
            "X_train and X_test have different columns, or the same in another order; pass "
            "X_test[X_train.columns]."
        )


def _check_groups(groups: Any, n_test: int) -> list[Any]:
    values = np.asarray(groups)
    if values.shape != (n_test,):
        raise ValueError(
            f"groups has shape {values.shape}, but there are {n_test} test rows; pass one value "
            f"for each test row, shape ({n_test},)."
        )
    return values.tolist()


def _listed(classes: np.ndarray, limit: int = 10) -> str:
    shown = ", ".join(map(repr, classes.tolist()[:limit]))
    return shown if len(classes) <= limit else f"{shown}, ... ({len(classes)} in all)"
