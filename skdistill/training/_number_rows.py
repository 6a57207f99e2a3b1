"""The rows of a net: numbers, and nothing else; refusals in time."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse
from sklearn.utils.validation import check_consistent_length

from skdistill._compat import check_names_and_width, check_sample_weight
from skdistill._input._columns import as_floats, refuse_unreadable
from skdistill._input._frames import is_table
from skdistill._input._inputs import as_inputs, holds_dicts, map_inputs
from skdistill._input._rows import as_rows, is_plain
from skdistill._words import one_line
from skdistill.exceptions import StudentError


def check_weights(sample_weight, X, y):
    """Check weights of rows, before anything is trained.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
    X, y : array-like of shape (n_samples, ...)

    Returns
    -------
    ndarray of shape (n_samples,), float64, or None

    Raises
    ------
    ValueError
        For weights that are negative, not finite or all zero, and for other lengths.
    """
    X = as_inputs(X)
    check_consistent_length(X, y)
    if sample_weight is None:
        return None
    return check_sample_weight(sample_weight, X)


def held_back_rows(student, X, X_val, held):
    """Put rows that are held back in any case behind those to learn from.

    Parameters
    ----------
    student : object
        With `prepare_more`.
    X : array-like of shape (n_samples, ...)
        What its `prepare` returned.
    X_val : array-like of shape (n_val, ...) or None
    held : ndarray of shape (n_val, ...) or None
        Labels, or numbers, of these.

    Returns
    -------
    parts : list of array-like
    held : ndarray of shape (n_val, ...) or None
    """
    if (X_val is None) != (held is None):
        missing = "y_val" if held is None else "X_val"
        raise ValueError(f"{missing} is None; expected both X_val and y_val, or neither.")
    if X_val is None:
        return [X], None
    check_consistent_length(as_inputs(X_val), held)
    return [X, student.prepare_more(X_val)], held


class NumberRows:
    """Rows of numbers as a module reads them, compared with those of `fit`.

    Parameters
    ----------
    columns : Columns
        Those of `fit`.
    dtype : {"float32", "float64"}, default="float32"
        In which the module computes.
    """

    def __init__(self, columns, dtype="float32"):
        self.columns = columns
        self.dtype = dtype

    @property
    def form(self):
        """What those of fit are without columns; see `form_of`."""
        return self.columns.form

    def read(self, X):
        """Return an array, a CSR matrix, or rows that need no look; refuse what is no numbers.

        Raises
        ------
        StudentError or ValueError
        """
        if self._is_safe(X):
            return X
        X = as_rows(X)
        check_names_and_width(self.columns, X)
        return only_numbers(X, self.columns.owner, self.dtype)

    def _is_safe(self, X):
        """Whether rows are numbers that a module can read beyond doubt."""
        if not is_plain(X, self.columns):
            return False
        dtype = np.dtype(self.dtype)
        return X.dtype.itemsize <= dtype.itemsize or max(X.max(), -X.min()) <= np.finfo(dtype).max


def only_numbers(X, name, dtype):
    """Refuse rows that a module cannot read; return an array or a CSR matrix.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame, SliceDict}
        See `as_rows`.
    name : str
        Who reads them, as a sentence's subject.
    dtype : {"float32", "float64"}
        In which it computes.
    """
    if isinstance(X, Mapping):
        return map_inputs(lambda part: only_numbers(part, name, dtype), X)
    refuse_unreadable(X)
    if len(X.shape) == 1 and X.dtype.kind in "OSU":
        came, step = "X holds texts, and", "TfidfVectorizer"
        if holds_dicts(X):
            came, step = "X holds dicts, and", "DictVectorizer"
        raise StudentError(
            f"{came} {name} reads numbers alone. Put a step before it: make_pipeline({step}(), "
            f"student)."
        )
    if is_table(X) or X.dtype.kind not in "biuf":
        try:
            X = as_floats(X, np.arange(X.shape[1])) if is_table(X) else X.astype(float)
        except ValueError as error:
            raise StudentError(
                f"X holds values that are no numbers ({one_line(error)}), and {name} reads numbers "
                f"alone. Put a step before it: make_pipeline(TablePreprocessor(), student)."
            ) from error
    values = X.data if sparse.issparse(X) else X
    greatest = 0.0
    if values.dtype.kind == "f" and values.size:
        greatest = max(values.max(), -values.min())  # NaN where one value is
    if np.isnan(greatest):
        step = "SimpleImputer" if sparse.issparse(X) else "TablePreprocessor"
        raise StudentError(
            f"Input X contains NaN, and {name} reads numbers alone. Put a step before it "
            f"that fills the gaps: make_pipeline({step}(), student)."
        )
    if greatest > np.finfo(dtype).max:
        raise StudentError(
            f"Input X contains infinity or a value too large for dtype('{dtype}'), in which "
            f"{name} computes; expected smaller numbers. Put a step before it that scales or "
            f"clips them."
        )
    return X
