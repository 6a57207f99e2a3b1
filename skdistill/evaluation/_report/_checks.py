"""What came in, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils import get_tags

from skdistill._compat import check_names_and_width
from skdistill._frames import column_names, is_table
from skdistill._regressor import DistilledRegressor
from skdistill._rows import has_gaps, label_digest
from skdistill.evaluation._checks import check_classes, check_int
from skdistill.evaluation._metrics import class_index
from skdistill.evaluation._recipes import check_distilled, check_has_teacher, check_recipe
from skdistill.evaluation._tasks import ClassScoring, NumberScoring, Scoring, task_of
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
        The positions of the labels in `classes`; of numbers these themselves.
    classes : ndarray of shape (n_classes,)
        The sorted training labels; empty for numbers.
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

    @property
    def task(self) -> Scoring:
        """What is learnt from the training rows."""
        return (ClassScoring if len(self.classes) else NumberScoring)(self.y_train)


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
    numbers: bool = False,
) -> ReportInput:
    """Check the arguments of `distillation_report`, or of another `caller` that takes such.

    A DistilledRegressor is refused unless `numbers` are taken.

    Raises
    ------
    TypeError
        When `model` is no DistilledClassifier.
    ValueError
        When anything else does not fit. The message says what came and what to do.
    """
    check_distilled(caller, model, numbers=numbers)
    check_int(caller, "n_seeds", n_seeds)
    check_has_teacher(caller, model)
    kind = task_of(model)
    X_train, y_train = kind.read_rows("X_train", X_train, "y_train", y_train)
    X_test, y_test = kind.read_rows("X_test", X_test, "y_test", y_test)
    check_same_columns(X_train, X_test)
    if not kind.regresses:
        check_classes("y_train", y_train, caller)
    elif y_train.shape[1:] != y_test.shape[1:]:
        raise ValueError(
            f"y_train has the shape {y_train.shape} and y_test {y_test.shape}; pass the numbers of "
            f"the same outputs."
        )
    task = kind(y_train)
    fitted = n_seeds == 1 and is_fitted(model)
    if fitted:
        check_rows_of_fit(model, X_train, y_train)
    check_gaps(model, X_train, X_test)
    try:
        test_index = task.encode(y_test)
    except ValueError as error:
        raise ValueError(f"y_test does not fit y_train. {error}") from None
    return ReportInput(
        X_train=X_train,
        y_train=y_train,
        train_index=task.encode(y_train),
        X_test=X_test,
        test_index=test_index,
        classes=np.empty(0) if task.classes is None else task.classes,
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
                model, X_train, y_train, X, y_test[name], n_seeds, groups.get(name), numbers=True
            )
        except ValueError as error:
            if len(X_test) > 1:
                error.add_note(f"This was found with the test set {name!r}.")
            raise
    if not sets[name].fitted:
        check_recipe(model, sets[name].X_train, sets[name].y_train)
    return sets


def check_rows_of_fit(model: Any, X_train: Any, y_train: np.ndarray) -> None:
    """Refuse training rows that are not those which a model was fitted on.

    The features are compared with those of the fit, the classes, and the labels row by row where
    the model has kept a digest of them.

    Parameters
    ----------
    model : DistilledClassifier
        A fitted one.
    X_train : array-like of shape (n_train, ...)
        Checked rows.
    y_train : ndarray of shape (n_train,)
        Their labels.
    """
    advice = "Pass the training rows of that fit, in their order, or clone(model) to fit anew."
    if isinstance(model, DistilledRegressor):  # which keeps nothing of y
        check_names_and_width(model, X_train)
        return
    classes = np.unique(y_train)
    if not np.array_equal(model.classes_, classes):
        raise ValueError(
            f"The model was fitted with the classes {_listed(model.classes_)} and y_train has "
            f"{_listed(classes)}. {advice}"
        )
    are_texts = len(X_train.shape) == 1
    if are_texts == hasattr(model, "n_features_in_"):
        others = "a table" if are_texts else "texts"
        raise ValueError(
            f"The model was fitted on {others}, and X_train has the shape "
            f"{tuple(X_train.shape)}. {advice}"
        )
    if not are_texts:
        check_names_and_width(model, X_train)
    if model.label_digest_ != label_digest(class_index(y_train, classes)):
        raise ValueError(
            f"The {len(y_train)} labels in y_train are not those that the model was fitted on, or "
            f"come in another order. {advice}"
        )


def check_gaps(model: Any, X_train: Any, X_test: Any) -> None:
    """Refuse gaps in the test rows that training rows without any give no answer to."""
    takes_gaps = get_tags(model).input_tags.allow_nan
    if not takes_gaps and has_gaps(X_test) and not has_gaps(X_train):
        raise ValueError(
            "X_test contains NaN, as no row of X_train does, and the teacher or the student does "
            "not take gaps. Fill them, or train on rows with gaps and a teacher that takes them."
        )


def check_same_columns(X_train: Any, X_test: Any) -> None:
    if X_train.shape[1:] != X_test.shape[1:]:
        raise ValueError(
            f"The rows of X_train have the shape {tuple(X_train.shape[1:])} and those of X_test "
            f"{tuple(X_test.shape[1:])}; pass test rows with the same features."
        )
    of_tables = is_table(X_train) and is_table(X_test)
    if of_tables and column_names(X_train) != column_names(X_test):
        raise ValueError(
            "X_train and X_test have different columns, or the same in another order; pass "
            "X_test[X_train.columns]."
        )


def _check_groups(groups: Any, n_test: int) -> list[Any]:
    try:
        values = np.asarray(groups)
    except ValueError as error:
        raise ValueError(
            f"groups holds sequences of different lengths ({error}); pass one value for each test "
            f"row, shape ({n_test},)."
        ) from None
    if values.shape != (n_test,):
        raise ValueError(
            f"groups has shape {values.shape}, but there are {n_test} test rows; pass one value "
            f"for each test row, shape ({n_test},)."
        )
    odd = [value for value in values.tolist() if not isinstance(value, Hashable)]
    if odd:
        raise ValueError(
            f"groups holds {odd[0]!r}; expected names, numbers or other values that can be the key "
            f"of a dict. Write them as text: [str(group) for group in groups]."
        )
    return values.tolist()


def _listed(classes: np.ndarray, limit: int = 10) -> str:
    shown = ", ".join(map(repr, classes.tolist()[:limit]))
    return shown if len(classes) <= limit else f"{shown}, ... ({len(classes)} in all)"
