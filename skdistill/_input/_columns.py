"""The columns of a table or an array: numbers with gaps, and categories."""

import datetime
from typing import NamedTuple

import numpy as np

from skdistill._input._frames import (
    column_dtype,
    column_kinds,
    column_names,
    frame_floats,
    is_table,
    read_column,
)
from skdistill._warn import warn
from skdistill._words import one_line, shorten
from skdistill.exceptions import ColumnError, DistillationWarning

__all__ = [
    "FLOATS",
    "NUMBERS",
    "Categories",
    "as_floats",
    "is_gap",
    "is_number",
    "read_categories",
    "refuse_unreadable",
    "warn_of_numbers_in_text",
]

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))

NUMBERS = ("boolean", "integer", "float")
"""The kinds of columns, see `column_kinds`, that are numbers by their dtype."""

TEXT = (str, bytes)
DATES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
NESTED = (list, tuple, dict, set, frozenset, np.ndarray)

UNREADABLE = {"date": "dates", "nested": "nested values"}
"""What a column holds that no student reads, by its kind."""

MANY = 100
"""Fewer rows say nothing of how often a text comes back."""

EQUAL_BY_NAME = {str, int, float, type(None)}
"""Classes of which two values that are equal have one name; True and 1 would have two."""

READABLE = {str, bytes, int, float, bool, type(None)}
"""Classes of values that need no closer look."""

ADVICE = {
    "dates": "Derive numbers from it, such as the days since a date, or of a duration.",
    "nested values": "Spread it over columns of their own, or leave it out.",
    "complex numbers": "Split it into its real and imaginary parts.",
    "objects": "Write them as strings, or leave the column out.",
}


def is_number(X):
    """Say which columns hold numbers or truth values; columns of objects are looked at one by one.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)

    Returns
    -------
    ndarray of shape (n_features,), bool
        True for objects that are gaps alone, as for numbers that are.

    Raises
    ------
    ColumnError
        For objects that are neither numbers nor strings; it names the column.
    """
    if not is_table(X) and X.dtype != object:
        return np.full(X.shape[1], X.dtype.kind in "biuf")
    kinds = column_kinds(X) if is_table(X) else ["object"] * X.shape[1]
    found = [
        kind in NUMBERS or (kind == "object" and not _holds_text(X, position))
        for position, kind in enumerate(kinds)
    ]
    return np.array(found, dtype=bool)


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

    Raises
    ------
    ValueError
        For a value that is no number, with it and its column, and no advice: what else may stand
        there is for the caller to say.
    """
    all_of_them = len(positions) == X.shape[1] and (positions[1:] > positions[:-1]).all()
    try:
        if is_table(X):
            return frame_floats(X, None if all_of_them else positions)
        columns = X if all_of_them else X[:, positions]
        if columns.dtype == object:
            with np.errstate(invalid="ignore"):  # of NaN, which some processors signal
                columns = np.where(_are_gaps(columns), np.nan, columns)
        return columns if columns.dtype in FLOATS else columns.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise _no_number(X, positions, error) from error


class Categories(NamedTuple):
    """A column of categories.

    Attributes
    ----------
    names : list of (str or None)
        Those that occur, each once; None is a gap.
    codes : ndarray of shape (n_samples,), int32
        Where among them that of each row is.
    """

    names: list
    codes: np.ndarray


def read_categories(X, position):
    """Return a column of categories.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_features)
    position : int
        Which column.

    Returns
    -------
    Categories

    Raises
    ------
    ColumnError
        For objects that are neither numbers nor strings; it names the column.
    """
    kind, values = _read_column(X, position)
    if kind == "object":  # categories may be of anything, such as intervals
        _refuse_objects(values, X, position)
    kinds = set(map(type, values)) - EQUAL_BY_NAME
    if any(kind.__name__ != "NAType" for kind in kinds):
        values = list(map(_name, values))
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    codes = np.fromiter(map(places.__getitem__, values), dtype=np.int32, count=len(values))
    names = list(map(_name, places))
    kept = {name: place for place, name in enumerate(dict.fromkeys(names))}
    if len(kept) < len(names):  # 3 and "3", or gaps of several kinds
        codes = np.array([kept[name] for name in names], dtype=np.int32)[codes]
    return Categories(list(kept), codes)


def refuse_unreadable(X):
    """Refuse dates, durations and nested columns, some of which would pass for numbers in silence.

    Parameters
    ----------
    X : {ndarray, CSR matrix, DataFrame}
        See `skdistill._input._rows.as_rows`. At the values of objects `is_number` and
        `read_categories` look.

    Raises
    ------
    ColumnError
        It names the column.
    """
    if not is_table(X):
        if X.dtype.kind in "mM":
            raise _unreadable("X", "dates", X.dtype)
        return
    for position, kind in enumerate(column_kinds(X)):
        if kind in UNREADABLE:
            label = f"The {_name_column(X, position)}"
            raise _unreadable(label, UNREADABLE[kind], one_line(column_dtype(X, position), 60))


def warn_of_numbers_in_text(X, positions, columns):
    """Warn of columns of texts that are numbers, most of them different from row to row.

    Parameters
    ----------
    X : {ndarray, DataFrame} of shape (n_samples, n_columns)
    positions : array-like of int
        The columns that are read as categories.
    columns : list of Categories
        What they hold.

    Warns
    -----
    DistillationWarning
        It names the first such column. Postal codes and the like, which repeat, are categories.
    """
    for position, (names, codes) in zip(positions, columns, strict=True):
        kinds = [name for name in names if name is not None]
        if 2 * len(kinds) <= max(len(codes), MANY) or not all(map(_is_written_number, kinds)):
            continue
        warn(
            f"The {_name_column(X, position)} holds numbers as texts, {len(kinds)} different ones "
            f"in {len(codes)} rows, and is read as categories, of which a new row is none; "
            f"expected numbers. Convert the column, by pandas.to_numeric or the like, or leave it "
            f"out if it numbers the rows.",
            DistillationWarning,
        )
        return


def _is_written_number(text):
    try:
        return float(text) is not None
    except ValueError:
        return False


def _read_column(X, position):
    if is_table(X):
        return read_column(X, position)
    return "object" if X.dtype == object else "text", X[:, position].tolist()


def _holds_text(X, position):
    """Whether a column of objects holds strings among its values."""
    classes = _refuse_objects(_read_column(X, position)[1], X, position)
    return any(issubclass(kind, TEXT) for kind in classes)


def _refuse_objects(values, X, position):
    """Refuse values that are neither numbers nor strings; return the classes of all."""
    classes = dict.fromkeys(map(type, values))
    for kind in [kind for kind in classes if kind not in READABLE]:
        example = next((v for v in values if type(v) is kind and not is_gap(v)), None)
        if example is None or issubclass(kind, (*TEXT, np.bool_)):
            continue
        what, reason = _name_kind(kind), _why_no_number(example)
        if reason or what in ("dates", "nested values"):  # a duration of numpy is a number to it
            seen = shorten(example) + reason
            raise _unreadable(f"The {_name_column(X, position)}", what, seen)
    return classes


def _why_no_number(value):
    """Return what Python says of a value that is no number; nothing of one that is."""
    try:
        isinstance(value, np.ndarray) or float(value)
    except (TypeError, ValueError, OverflowError) as error:
        return f": {one_line(error)}"
    return ""


def _name_kind(kind):
    if issubclass(kind, DATES) or kind.__name__ == "Period":
        return "dates"
    if issubclass(kind, NESTED):
        return "nested values"
    return "complex numbers" if issubclass(kind, complex | np.complexfloating) else "objects"


def _unreadable(label, what, seen):
    return ColumnError(
        f"{label} holds {what} ({seen}); expected numbers, truth values or categories. "
        f"{ADVICE[what]}"
    )


def _no_number(X, positions, error):
    """Say which value is no number, for an error of those who wanted numbers."""
    for position in positions:
        for value in _read_column(X, position)[1]:
            if not is_gap(value) and _why_no_number(value):
                return ValueError(f"{shorten(value)} in the {_name_column(X, position)}")
    return ValueError(str(error))


def _name_column(X, position):
    return f"column {column_names(X)[position] if is_table(X) else int(position)!r}"


def is_gap(value):
    """Whether a value is None, NaN, NaT or NA."""
    try:
        return value is None or type(value).__name__ == "NAType" or bool(value != value)
    except ValueError:  # an array in a cell
        return False


_are_gaps = np.frompyfunc(is_gap, 1, 1)


def _name(value):
    """Return what a value is called among categories, None for a gap."""
    if is_gap(value):
        return None
    # A column of integers with gaps comes as floats, and 3.0 is the category 3.
    is_whole = isinstance(value, float | np.floating) and value.is_integer()
    return str(int(value)) if is_whole else str(value)
