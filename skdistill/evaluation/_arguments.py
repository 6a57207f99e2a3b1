"""What the functions of this folder are given, checked in one way before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, column_or_1d

from skdistill._input._inputs import as_inputs
from skdistill._input._labels import refuse_amounts, refuse_fractions
from skdistill._input._rows import as_rows, refuse_files
from skdistill._words import one_line, shorten


def check_int(owner: str, name: str, value: Any, least: int = 1, why: str = "") -> None:
    """Refuse what is no int from `least` on; `why` is added to the error."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(
            f"The {name!r} parameter of {owner} must be an int in the range [{least}, inf). Got "
            f"{shorten(value)} instead{why or '.'}"
        )


def check_bool(owner: str, name: str, value: Any) -> None:
    """Refuse what is no truth value."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(
            f"The {name!r} parameter of {owner} must be a bool. Got {shorten(value)} instead."
        )


def check_random_state(owner: str, random_state: Any) -> None:
    """Refuse what seeds nothing."""
    is_int = isinstance(random_state, int | np.integer) and 0 <= random_state < 2**32
    if not is_int and not isinstance(random_state, np.random.RandomState | None):
        raise ValueError(
            f"The 'random_state' parameter of {owner} must be an int in the range [0, 2**32), a "
            f"numpy.random.RandomState or None. Got {shorten(random_state)} instead."
        )


def check_n_jobs(owner: str, n_jobs: Any) -> None:
    """Refuse what is no number of workers."""
    is_int = isinstance(n_jobs, int | np.integer) and not isinstance(n_jobs, bool)
    if n_jobs is not None and (not is_int or n_jobs == 0):
        raise ValueError(
            f"The 'n_jobs' parameter of {owner} must be an int other than 0 (-1 is all processors) "
            f"or None. Got {shorten(n_jobs)} instead."
        )


def check_metric(owner: str, metric: Any, known: Iterable[str], name: str = "metric") -> None:
    """Refuse a metric, or what else `name` says, that `owner` has no scores of."""
    known = list(known)
    if metric not in known:
        raise ValueError(
            f"The {name!r} parameter of {owner} must be one of {', '.join(known)}. Got "
            f"{shorten(metric)} instead."
        )


def check_some_rows(name: str, X: Any) -> None:
    """Refuse what is no collection of rows, and one without any."""
    refuse_files(X, name)
    shape: tuple[int, ...] = ()
    if isinstance(X, Mapping):
        X = as_inputs(X)
    if hasattr(X, "shape"):
        shape = tuple(X.shape)
    elif isinstance(X, Sized) and not isinstance(X, str | bytes):
        shape = (len(X),)
    if not shape:
        raise ValueError(
            f"{name} is of type {type(X).__name__}; expected rows: an array of shape (n_samples, "
            f"n_features), a DataFrame, a list of texts or of dicts, or a dict of arrays."
        )
    if shape[0] == 0:
        raise ValueError(
            f"{name} has no rows; expected at least one. Look at how it was made: a split of size "
            f"0, or a filter that no row passes."
        )


def read_rows(name: str, X: Any) -> Any:
    """Rows as `as_rows` brings them, one at least, or an error."""
    check_some_rows(name, X)
    return as_rows(X)


def read_labels(name: str, y: Any) -> np.ndarray:
    """Class labels as an array of shape (n_samples,), or an error.

    Raises
    ------
    ValueError
        For another shape, missing labels, and labels of several kinds.
    """
    y = _read_column(name, y)
    gaps = [is_missing(label) for label in y] if y.dtype == object else y != y
    if np.any(gaps):
        raise ValueError(
            f"{name} has {np.sum(gaps)} missing labels, the first in row {np.argmax(gaps)}; "
            f"expected one for each row. Leave these rows out; DistilledClassifier.fit takes them "
            f"as X_unlabeled."
        )
    if y.dtype == object:
        kinds = sorted({type(label).__name__ for label in y})
        try:
            np.unique(y)
        except TypeError:
            raise ValueError(
                f"{name} holds labels of the types {', '.join(kinds)}, which cannot be sorted; "
                f"expected one type. Write them all as text: [str(label) for label in {name}]."
            ) from None
    return y


def rows_and_labels(X_name: str, X: Any, y_name: str, y: Any) -> tuple[Any, np.ndarray]:
    """Rows and labels, one for each row, or an error; see `read_rows` and `read_labels`."""
    X, y = read_rows(X_name, X), read_labels(y_name, y)
    if X.shape[0] != len(y):
        raise ValueError(
            f"{X_name} has {X.shape[0]} rows and {y_name} has {len(y)} labels; pass one label for "
            "each row."
        )
    return X, y


def check_classes(name: str, y: np.ndarray, owner: str) -> None:
    """Refuse labels to learn from that are the numbers of a regression, or of one class."""
    refuse_fractions(y, name)
    classes = np.unique(y)
    refuse_amounts(classes, len(y), name)
    if len(classes) < 2:
        raise ValueError(
            f"{name} has one class only, {shorten(classes.tolist()[0])}; {owner} needs at least "
            "two."
        )


def read_values(name: str, y: Any) -> np.ndarray:
    """The numbers of a regression as floats of shape (n_samples,), or an error."""
    return _as_floats(name, _read_column(name, y))


def read_outputs(name: str, y: Any) -> np.ndarray:
    """Numbers of one output or several, of shape (n_samples,) or (n_samples, n_outputs)."""
    shape = _shape_of_labels(name, y)
    if len(shape) > 2:
        raise ValueError(
            f"{name} has the shape {shape}; expected (n_samples,) or (n_samples, n_outputs)."
        )
    y = _as_floats(name, np.asarray(y))
    return y[:, 0] if shape[1:] == (1,) else y


def _as_floats(name: str, y: np.ndarray) -> np.ndarray:
    if y.dtype.kind in "mM" or y.dtype.kind == "c":
        raise ValueError(
            f"{name} holds values of the type {y.dtype}; expected real numbers. Derive them, such "
            f"as the days since a date."
        )
    try:
        values = y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} holds what is no number ({one_line(error)}); a regressor needs numbers. For "
            "labels pass a classifier."
        ) from None
    assert_all_finite(values, input_name=name)
    return values


def read_class_names(name: str, labels: Any) -> np.ndarray:
    """The labels of columns, each once, as an array of shape (n_columns,), or an error."""
    names = None if isinstance(labels, str | bytes) else np.asarray(labels)
    if names is None or names.ndim != 1 or len(set(names.tolist())) < len(names):
        raise ValueError(
            f"{name!r} must name each column once, in an array of shape (n_classes,). Got "
            f"{labels!r}; pass the classes_ of the model that gave the probabilities."
        )
    return names


def is_missing(value: Any) -> bool:
    """Whether a single value stands for none: None, NaN, NaT, pandas.NA."""
    # pandas.NA compares to neither true nor false.
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def _shape_of_labels(name: str, y: Any) -> tuple[int, ...]:
    try:
        shape = np.shape(y)
    except ValueError:  # lists of different lengths
        shape = ()
    if len(shape) == 0:
        raise ValueError(
            f"{name} is of type {type(y).__name__}; expected a label or value for each row, an "
            f"array of shape (n_samples,)."
        )
    return shape


def _read_column(name: str, y: Any) -> np.ndarray:
    shape = _shape_of_labels(name, y)
    if len(shape) > 1 and shape[1:] != (1,):
        raise ValueError(
            f"{name} has shape {shape}; expected a label or value for each row, shape "
            f"(n_samples,). Of one-hot rows take {name}.argmax(axis=1); several outputs go one at "
            f"a time."
        )
    return column_or_1d(y, warn=True)
