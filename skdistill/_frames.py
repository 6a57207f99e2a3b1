"""Tables of pandas, polars, pyarrow and all else that narwhals knows, asked alike.

What has names is read by its names. Tables of pandas and its kin, which have `iloc`, are asked
themselves: a row of one takes less than its wrapping by narwhals.
"""

from collections import Counter

import narwhals.stable.v2 as nw
import numpy as np

__all__ = [
    "build_frame",
    "column_contents",
    "column_dtype",
    "column_kinds",
    "column_names",
    "frame_floats",
    "is_table",
    "library_of",
    "put_columns",
    "put_numbers",
    "read_column",
    "refuse_unknown_tables",
    "repeated_names",
    "replace_cells",
    "stack_frames",
    "take_columns",
    "writable_columns",
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
    return not type(X).__module__.startswith("narwhals") and nw.dependencies.is_into_dataframe(X)


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
    return [_narwhals_kind(dtype) for dtype in _wrap(X).schema.values()]


def column_dtype(X, position):
    """Return the dtype of a column, for a message."""
    return X.dtypes.iloc[position] if hasattr(X, "iloc") else _wrap(X).schema.dtypes()[position]


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
    column = _wrap(X).get_column(column_names(X)[position])
    return _narwhals_kind(column.dtype), column.to_list()


def frame_floats(X, positions):
    """Return columns of numbers as floats, gaps as NaN.

    Parameters
    ----------
    X : table
    positions : ndarray of int, or None for all columns

    Returns
    -------
    ndarray of shape (n_samples, n_positions), float64

    Raises
    ------
    TypeError, ValueError or OverflowError
        For a value that is no number.
    """
    if hasattr(X, "iloc"):
        X = X if positions is None else X.take(positions, axis=1)
        return X.to_numpy(dtype=np.float64, na_value=np.nan)
    frame, names = _wrap(X), column_names(X)
    positions = range(len(names)) if positions is None else positions
    values = np.empty((X.shape[0], len(positions)))
    for i, position in enumerate(positions):
        values[:, i] = _series_floats(frame.get_column(names[position]))
    return values


def take_columns(X, positions):
    """Return some columns of a table, a table of the same kind."""
    if hasattr(X, "iloc"):
        return X.take(positions, axis=1)
    names = column_names(X)
    return _wrap(X).select([names[position] for position in positions]).to_native()


def stack_frames(parts):
    """Return tables of one kind below one another.

    Parameters
    ----------
    parts : list of tables of shape (n_samples_i, n_features)
        With the same columns. The first one's categories stand for all; numbers that are whole in
        one part and floats in another become floats.

    Returns
    -------
    table of shape (sum of n_samples_i, n_features)
    """
    first = parts[0]
    if hasattr(first, "iloc"):
        kinds = {n: dtype for n, dtype in first.dtypes.items() if str(dtype) == "category"}
        concat = nw.get_native_namespace(first).concat
        return concat([part.astype(kinds) for part in parts], ignore_index=True)
    frames = [_wrap(part) for part in parts]
    common = [
        nw.col(name).cast(_common_dtype([frame.schema[name] for frame in frames]))
        for name in frames[0].columns
    ]
    return nw.concat([frame.select(common) for frame in frames], how="vertical").to_native()


def writable_columns(X):
    """Say into which columns numbers can be put by `build_frame`.

    Parameters
    ----------
    X : table

    Returns
    -------
    ndarray of shape (n_features,), bool
        False for columns of objects of other libraries than pandas.
    """
    if hasattr(X, "iloc"):
        return np.ones(X.shape[1], dtype=bool)
    return np.array([kind != "object" for kind in column_kinds(X)])


def build_frame(X, n_rows, changes):
    """Make a table of the cells of another one and of some new numbers.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        Not changed.
    n_rows : int
        Number of rows of the new table.
    changes : iterable of tuple
        For each column (source, cells, numbers): the rows of X that its cells come from, the
        positions that hold something else, and what they hold.

    Returns
    -------
    table of shape (n_rows, n_features)
        Columns and dtypes are those of X.
    """
    any_row = np.zeros(n_rows, dtype=int)
    if hasattr(X, "iloc"):
        table = X.take(any_row).reset_index(drop=True)
        for position, (source, *new) in enumerate(changes):
            table.isetitem(position, put_numbers(X.iloc[:, position].values.take(source), *new))
        return table
    frame = _wrap(X)
    columns = []
    for name, (source, cells, numbers) in zip(frame.columns, changes, strict=True):
        column = frame.get_column(name)[source]
        if len(cells):
            others, keep = np.zeros(n_rows), np.ones(n_rows, dtype=bool)
            others[cells], keep[cells] = numbers, False
            column = column.zip_with(_like(column, keep), _cast(_like(column, others), column))
        columns.append(column)
    return frame[any_row].with_columns(*columns).to_native()


def put_numbers(values, cells, numbers):
    """Write numbers into an array that is ours, and return it."""
    if len(cells) == 0:
        return values
    if hasattr(values, "sp_values"):  # a sparse column of pandas cannot be written to
        dense = np.asarray(values)
        dense[cells] = numbers
        return type(values)(dense, dtype=values.dtype)
    if values.dtype == object:
        numbers = [type(old)(new) for old, new in zip(values[cells], numbers.tolist(), strict=True)]
    values[cells] = numbers
    return values


def put_columns(X, positions, values):
    """Return a copy of a table with other numbers in some columns.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    positions : ndarray of int
    values : ndarray of shape (n_samples, n_positions)

    Returns
    -------
    table of shape (n_samples, n_features)
    """
    if hasattr(X, "iloc"):
        X = X.copy()
        for position, column in zip(positions.tolist(), values.T, strict=True):
            X.isetitem(position, column)
        return X
    frame = _wrap(X)
    names = [frame.columns[position] for position in positions]
    columns = [
        _like(frame.get_column(name), column) for name, column in zip(names, values.T, strict=True)
    ]
    return frame.with_columns(*columns).to_native()


def replace_cells(X, cells, fill=None):
    """Return a copy of a table with gaps, or another value for each column, in some cells.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    cells : ndarray of shape (n_samples, n_features), bool
    fill : array-like of shape (n_features,), default=None
        What stands there; None is a gap.

    Returns
    -------
    table of shape (n_samples, n_features)
    """
    if hasattr(X, "iloc"):
        if fill is None:
            return X.mask(cells)
        X = X.copy()
        for i, value in enumerate(fill):
            X.isetitem(i, X.iloc[:, i].mask(cells[:, i], value))
        return X
    frame = _wrap(X)
    values = [None] * X.shape[1] if fill is None else fill
    columns = [
        _replace(column, cells[:, i], values[i]) for i, column in enumerate(frame.iter_columns())
    ]
    return frame.with_columns(*columns).to_native()


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
    for column in _wrap(X).iter_columns():
        if column.dtype in NUMPY_HAS and column.null_count() == 0:
            values = column.to_numpy()
        else:
            values = np.fromiter(column.to_list(), dtype=object, count=len(column))
        contents.append((str(column.dtype), values))
    return contents


def _wrap(X):
    return nw.from_native(X, eager_only=True)


def _library(column):
    return nw.get_native_namespace(column)


def _like(column, values):
    """Return an array as a column of the same name and library."""
    values = np.ascontiguousarray(values)
    return nw.new_series(column.name, values, backend=_library(column))


def _cast(column, other):
    """Return a column in the very dtype of another one, such as a decimal's digits."""
    wanted = other.to_native()
    dtype = wanted.type if hasattr(wanted, "type") else wanted.dtype
    return nw.from_native(column.to_native().cast(dtype), series_only=True).alias(other.name)


def _replace(column, cells, value):
    """Return a column with a value, or gaps, in some cells."""
    changed, keep = column, f"{column.name}, kept"
    if column.dtype.is_numeric() and value is not None:
        changed = column.cast(nw.Float64)  # a median of whole numbers may lie between them
    elif _narwhals_kind(column.dtype) == "category":
        changed = column.cast(nw.String)
    pair = changed.to_frame().with_columns(_like(column, ~cells).alias(keep))
    kept = nw.when(nw.col(keep)).then(nw.col(column.name))
    pair = pair.select(kept if value is None else kept.otherwise(nw.lit(value)))
    found = pair.get_column(column.name)
    return _cast(found, column) if changed.dtype == nw.String else found


def _pandas_kind(dtype):
    kind = NUMPY_KINDS.get(getattr(dtype, "kind", "O"))
    return kind or EXTENSION_KINDS.get(type(dtype).__name__, "object")


def _narwhals_kind(dtype):
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
        return column.cast(nw.Float64).to_numpy()
    return [np.nan if value is None else float(value) for value in column.to_list()]


def _common_dtype(dtypes):
    """Return the dtype that a column has where its parts are stacked."""
    if all(dtype == dtypes[0] for dtype in dtypes) or not all(d.is_numeric() for d in dtypes):
        return dtypes[0]
    return nw.Int64() if all(dtype.is_integer() for dtype in dtypes) else nw.Float64()
