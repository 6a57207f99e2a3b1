"""Tables of pandas, polars, pyarrow and all else that narwhals knows, asked alike.

What has names is read by its names. Tables of pandas and its kin, which have `iloc`, are asked
themselves: a row of one takes less than its wrapping by narwhals.
"""

from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np

__all__ = [
    "column_contents",
    "column_dtype",
    "column_kinds",
    "column_names",
    "frame_floats",
    "is_table",
    "kind_of_dtype",
    "library_of",
    "read_column",
    "refuse_unknown_tables",
    "repeated_names",
    "take_columns",
    "wrap",
]

NUMPY_KINDS = {
    **{"b": "boolean", "i": "integer", "u": "integer", "f": "float", "c": "complex"},
    **{"m": "date", "M": "date", "S": "text", "U": "text"},
}
EXTENSION_KINDS = {"CategoricalDtype": "category", "StringDtype": "text"}
NUMPY_HAS = (
    *(nw.Int8, nw.Int16, nw.Int32, nw.Int64, nw.UInt8, nw.UInt16, nw.UInt32, nw.UInt64),
    *(nw.Float32, nw.Float64),
)


def is_table(X):
    """Whether X is a table in memory, its columns known by their names.

    Parameters
    ----------
    X : object

    Returns
    -------
    bool
        False for a table whose rows are still to be computed; see `refuse_unknown_tables`.
    """
    if isinstance(X, np.ndarray):
        return False
    if hasattr(X, "iloc"):
        return hasattr(X, "columns") and not type(X).__module__.startswith("dask")
    home = str(type(X).__module__)  # which is no string for functions of Cython 3.1.0
    return not home.startswith("narwhals") and nw.dependencies.is_into_dataframe(X)


def refuse_unknown_tables(X):
    """Refuse what has columns and is no table in memory: they would be read by position.

    Parameters
    ----------
    X : object
        What the user brought.

    Raises
    ------
    TypeError
    """
    name, library = type(X).__name__, type(X).__module__.partition(".")[0]
    if isinstance(nw.from_native(X, pass_through=True), nw.LazyFrame):
        call = "compute" if library == "dask" else "collect"
        raise TypeError(
            f"X is a {name} of {library}, whose rows are still to be computed; expected a table in "
            f"memory. {call}() it first: X.{call}()."
        )
    if not is_table(X) and (hasattr(X, "columns") or hasattr(X, "column_names")):
        raise TypeError(
            f"X is a {name}, whose columns have names that cannot be read here; expected an array, "
            f"or a table of pandas, polars, pyarrow or another library that narwhals knows. Make "
            f"it one: pyarrow.Table.from_batches([X]) of a RecordBatch, X.to_native() of a table "
            f"of narwhals."
        )


def library_of(X):
    """Return the name of the library that a table is of, such as "polars"."""
    return nw.get_native_namespace(X).__name__


def column_names(X):
    """Return the names of a table's columns.

    Parameters
    ----------
    X : table
        See `is_table`.

    Returns
    -------
    list
        Of strings; of anything that can be hashed for pandas.
    """
    if hasattr(X, "iloc"):
        return X.columns.tolist()
    return list(X.column_names if hasattr(X, "column_names") else X.columns)


def repeated_names(X):
    """Return the names that more than one column of a table has."""
    if hasattr(X, "iloc") and X.columns.is_unique:
        return []
    return [name for name, count in Counter(column_names(X)).items() if count > 1]


def column_kinds(X):
    """Name what the columns of a table hold, by their dtypes.

    Parameters
    ----------
    X : table

    Returns
    -------
    list of {"boolean", "integer", "float", "complex", "text", "category", "date", "nested", \
"object"}
        Dates are times and durations too, floats decimals too. Of "object" only the values can
        tell.
    """
    if hasattr(X, "iloc"):
        return [_pandas_kind(dtype) for dtype in X.dtypes.tolist()]
    return [kind_of_dtype(dtype) for dtype in wrap(X).schema.values()]


def column_dtype(X, position):
    """Return the dtype of a column, for a message."""
    return X.dtypes.iloc[position] if hasattr(X, "iloc") else wrap(X).schema.dtypes()[position]


def read_column(X, position):
    """Return what a column holds, see `column_kinds`, and its values.

    Parameters
    ----------
    X : table
    position : int

    Returns
    -------
    kind : str
    values : list of length n_samples
        As Python has them, gaps among them.
    """
    if hasattr(X, "iloc"):
        column = X.iloc[:, position]
        return _pandas_kind(column.dtype), column.tolist()
    column = wrap(X).get_column(column_names(X)[position])
    return kind_of_dtype(column.dtype), column.to_list()


def frame_floats(X, positions):
    """Return columns of numbers as floats, gaps as NaN.

    Parameters
    ----------
    X : table
    positions : ndarray of int, or None for all columns

    Returns
    -------
    ndarray of shape (n_samples, n_positions)
        float32 where all of them are, float64 otherwise.

    Raises
    ------
    TypeError, ValueError or OverflowError
        For a value that is no number.
    """
    if hasattr(X, "iloc"):
        X = X if positions is None else X.take(positions, axis=1)
        are_single = X.shape[1] and all(dtype == np.float32 for dtype in X.dtypes.tolist())
        return X.to_numpy(dtype=np.float32 if are_single else np.float64, na_value=np.nan)
    frame, names = wrap(X), column_names(X)
    positions = range(len(names)) if positions is None else positions
    dtypes = frame.schema.dtypes()
    are_single = len(positions) and all(dtypes[position] == nw.Float32 for position in positions)
    values = np.empty((X.shape[0], len(positions)), np.float32 if are_single else np.float64)
    for i, position in enumerate(positions):
        values[:, i] = _series_floats(frame.get_column(names[position]))
    return values


def take_columns(X, positions):
    """Return some columns of a table, a table of the same kind."""
    if hasattr(X, "iloc"):
        return X.take(positions, axis=1)
    names = column_names(X)
    return wrap(X).select([names[position] for position in positions]).to_native()


def column_contents(X):
    """Return the dtype of each column, as text, and all that it holds, as an array.

    Parameters
    ----------
    X : table

    Returns
    -------
    list of (str, ndarray of shape (n_samples,))
    """
    if hasattr(X, "iloc"):
        return [(str(kind), X.iloc[:, i].to_numpy()) for i, kind in enumerate(X.dtypes)]
    contents = []
    for column in wrap(X).iter_columns():
        if column.dtype in NUMPY_HAS and column.null_count() == 0:
            values = column.to_numpy()
        else:
            values = np.fromiter(column.to_list(), dtype=object, count=len(column))
        contents.append((str(column.dtype), values))
    return contents


def wrap(X):
    """Return a table as narwhals' own, to ask it by one set of names."""
    return nw.from_native(X, eager_only=True)


def _pandas_kind(dtype):
    kind = NUMPY_KINDS.get(getattr(dtype, "kind", "O"))
    return kind or EXTENSION_KINDS.get(type(dtype).__name__, "object")


def kind_of_dtype(dtype):
    """Return what a column of narwhals holds; see `column_kinds`."""
    if dtype.is_numeric():
        return "integer" if dtype.is_integer() else "float"
    if dtype.is_temporal():
        return "date"
    if dtype.is_nested():
        return "nested"
    if dtype == nw.Boolean:
        return "boolean"
    if dtype in (nw.Categorical, nw.Enum):
        return "category"
    return "text" if dtype == nw.String else "object"


def _series_floats(column):
    if column.dtype.is_integer() and column.implementation.is_pyarrow():
        # Its own cast refuses whole numbers that a float must round.
        values = column.fill_null(0).to_numpy().astype(np.float64)
        values[column.is_null().to_numpy()] = np.nan
        return values
    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        return column.cast(nw.Float64).to_numpy()  # NaN for a gap
    return [np.nan if value is None else float(value) for value in column.to_list()]
