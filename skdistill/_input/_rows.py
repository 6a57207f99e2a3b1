"""The rows X as users bring them, checked once and left as they are."""

import hashlib
import math
import os
from collections.abc import Mapping

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from skdistill._input._columns import FLOATS, NUMBERS, as_floats
from skdistill._input._frames import (
    column_kinds,
    column_names,
    is_table,
    refuse_unknown_tables,
    repeated_names,
)
from skdistill._input._inputs import as_inputs, map_inputs
from skdistill._input._layout import EncodedTable
from skdistill._input._new_frames import stack_frames
from skdistill._input._tensors import array_of
from skdistill._words import shorten

__all__ = [
    "BLOCK_ROWS",
    "as_rows",
    "blocks_of",
    "has_gaps",
    "is_plain",
    "label_digest",
    "looks_plain",
    "refuse_datasets",
    "refuse_files",
    "stack_rows",
]

BLOCK_ROWS = 8192
"""So many rows are worked on at a time: what that takes beside them stays small."""

PLAIN = (np.ndarray, EncodedTable)
TEXT = (str, bytes)
ALONE = (*TEXT, Mapping)
"""What is a row by itself."""


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
    if type(X) not in PLAIN or X.ndim != 2 or X.dtype not in FLOATS:
        return False
    n_rows, width = X.shape
    seen = vars(estimator)  # an attribute that is not there costs more than all else
    return n_rows > 0 and width == seen.get("n_features_in_") and "feature_names_in_" not in seen


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
        return math.isfinite(np.add.reduce(np.asarray(X), axis=None))


def as_rows(X):
    """Check that X is rows of features, and make lists and tensors arrays.

    A table of pandas, polars, pyarrow or another library stays one. Strings, gaps (NaN) and arrays
    of more than two dimensions may pass: whether the student can take them is the student's to
    say. Infinite numbers may not.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame, torch.Tensor} of shape (n_samples, ...), list, \
array or Series of str or of dicts, or dict of array-like
        The user's rows; not changed. Of one dimension are texts and dicts alone.

    Returns
    -------
    X : {ndarray, CSR matrix, DataFrame, SliceDict}
        Texts, and dicts, as an array of objects of shape (n_samples,). Of a dict of inputs see
        `skdistill._input._inputs.as_inputs`.

    Raises
    ------
    TypeError
        For a table that is not in memory, or of a library that is not known, for a data set of
        torch, and for a dict whose values are no arrays.
    ValueError
        For one-dimensional X that is neither texts nor dicts, for empty, complex or infinite X,
        for inputs of different lengths, and for a table that has a name twice.
    """
    if is_table(X):
        return _check_table(X)
    X = as_inputs(X)
    if isinstance(X, Mapping) and not sparse.issparse(X):
        return X
    if hasattr(X, "detach"):
        X = array_of(X, "X")
    if isinstance(X, list | tuple) and any(isinstance(value, ALONE) for value in X):
        return _as_objects(np.fromiter(X, dtype=object, count=len(X)))  # not as wide as the longest
    if not sparse.issparse(X):
        if not isinstance(X, np.ndarray):
            refuse_files(X)
            refuse_unknown_tables(X)
            refuse_datasets(X)
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


def blocks_of(n_rows):
    """Return slices that go through so many rows, `BLOCK_ROWS` each but the last."""
    return [slice(start, start + BLOCK_ROWS) for start in range(0, n_rows, BLOCK_ROWS)]


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
    if isinstance(X, Mapping):
        return any(map(has_gaps, X.values()))
    if is_table(X):
        are_numbers = [kind in NUMBERS for kind in column_kinds(X)]
        return bool(np.isnan(as_floats(X, np.flatnonzero(are_numbers))).any())
    values = X.data if sparse.issparse(X) else X
    # The greatest of some numbers is NaN where one of them is.
    return values.dtype.kind == "f" and values.size > 0 and bool(np.isnan(values.max()))


def label_digest(values):
    """Return a digest of the labels of rows, the same on every machine.

    Parameters
    ----------
    values : ndarray of shape (n_samples,), int, or (n_samples, n_outputs), float
        The position of each row's label among the sorted classes, or its numbers.

    Returns
    -------
    str
    """
    return hashlib.sha256(values.astype(f"<{values.dtype.kind}8").tobytes()).hexdigest()


def stack_rows(parts):
    """Return rows of numbers below one another.

    Parameters
    ----------
    parts : sequence of {ndarray, CSR matrix, DataFrame, SliceDict} of shape (n_samples_i, ...)
        All of one kind; the first decides the dtype, and the categories of categorical columns.

    Returns
    -------
    {ndarray, CSR matrix, DataFrame, SliceDict} of shape (sum of n_samples_i, ...)
    """
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], Mapping):
        return map_inputs(lambda *inputs: stack_rows(inputs), *parts)
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr", dtype=parts[0].dtype)
    if is_table(parts[0]):
        return stack_frames(parts)
    return np.concatenate(parts, dtype=parts[0].dtype, casting="same_kind")


def refuse_files(X, name="X"):
    """Refuse the name of a file, and a dataset of pyarrow: what is no rows in memory.

    Parameters
    ----------
    X : object
        What the user brought.
    name : str
        Of the argument.

    Raises
    ------
    TypeError
    """
    if isinstance(X, str | os.PathLike) or type(X).__module__.startswith("pyarrow._dataset"):
        raise TypeError(
            f"{name} is a {type(X).__name__}, and the rows are in files; expected rows in memory. "
            f"Parquet files are learnt by fit_dataset({name}, target=...) of a DistilledClassifier "
            f"or DistilledRegressor, and a fitted one answers for them by "
            f"targets.label_dataset(model, {name}, out). A search, a report, a cross-validation or "
            f"a Pipeline slices or changes all its rows: give it a sample of them."
        )


def refuse_datasets(X):
    """Refuse data sets and loaders of torch, whose items are rows and labels together.

    Parameters
    ----------
    X : object
        What the user brought.

    Raises
    ------
    TypeError
    """
    if not any(kind.__module__.startswith("torch.utils.data") for kind in type(X).__mro__):
        return
    items = "X.dataset" if hasattr(X, "batch_size") else "X"
    # Not zip(*X): an item beyond the last need not be an error, and the loop would never end.
    step = f"map(numpy.stack, zip(*({items}[i] for i in range(len({items})))))"
    if hasattr(X, "tensors"):
        step = "X.tensors"
    raise TypeError(
        f"X is a {type(X).__name__} of torch, which holds rows and labels together; expected an "
        f"array or a tensor of the rows alone. Take them apart: X, y = {step}. Or fit on them as "
        f"they come: fit_dataset({items}) of a DistilledClassifier or DistilledRegressor; a search "
        f"or a cross-validation, which slices its rows, gets a sample of them."
    )


def _check_table(X):
    if 0 in X.shape:
        raise ValueError(
            f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) "
            f"(shape={X.shape}) while a minimum of 1 is required."
        )
    twice = repeated_names(X)
    if twice:
        raise ValueError(
            f"X has several columns of one name ({twice[:5]}), which tells none of them; expected "
            f"each name once. Rename them or drop all but one."
        )
    kinds = column_kinds(X)
    if "complex" in kinds:
        raise ValueError(
            "Complex data not supported: X has a column of complex numbers; expected real "
            "ones. Split it into its real and imaginary parts."
        )
    floats = np.array([i for i, kind in enumerate(kinds) if kind == "float"], dtype=int)
    infinite = np.isinf(as_floats(X, floats)).any(axis=0)
    if infinite.any():
        infinite = [column_names(X)[position] for position in floats[infinite]]
        raise ValueError(
            f"Input X contains infinity in the columns {infinite[:5]}; expected finite numbers or "
            f"gaps. Replace it by one or the other."
        )
    return X


def _as_mixed_rows(X):
    if X.ndim == 1 and any(isinstance(value, ALONE) for value in X):
        return _as_objects(X.astype(object))
    if X.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got an array of shape {X.shape} and dtype {X.dtype} instead. Rows "
            f"are tables of shape (n_samples, n_features), a single column being "
            f"X.reshape(-1, 1), or texts: a list, array or Series of str. Dicts come in a list too."
        )
    # check_array would make numbers of them; only its refusals by shape are wanted.
    check_array(np.empty(X.shape, dtype=bool), allow_nd=True, input_name="X")
    return X


def _as_objects(X):
    are_texts = any(isinstance(value, TEXT) for value in X)
    kind, name = (TEXT, "texts") if are_texts else (Mapping, "dicts")
    others = [value for value in X if not isinstance(value, kind)]
    if others:
        filled = "['' if text is None else str(text) for text in X]"
        raise ValueError(
            f"X is one-dimensional and holds {len(X) - len(others)} {name} and {len(others)} other "
            f"values, such as {shorten(others[0])}; expected {name} alone. Fill the gaps: "
            f"{filled if are_texts else '[row or {} for row in X]'}. A table has two dimensions."
        )
    return X
