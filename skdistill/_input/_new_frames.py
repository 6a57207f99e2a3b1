"""Tables made of others: stacked, of some of their cells, with other numbers or gaps in them."""

import narwhals.stable.v2 as nw
import numpy as np

from skdistill._input._frames import column_kinds, kind_of_dtype, wrap

__all__ = [
    "build_frame",
    "put_columns",
    "put_numbers",
    "replace_cells",
    "stack_frames",
    "writable_columns",
]


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
    frames = [wrap(part) for part in parts]
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
    frame = wrap(X)
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
    frame = wrap(X)
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
    frame = wrap(X)
    values = [None] * X.shape[1] if fill is None else fill
    columns = [
        _replace(column, cells[:, i], values[i]) for i, column in enumerate(frame.iter_columns())
    ]
    return frame.with_columns(*columns).to_native()


def _like(column, values):
    """Return an array as a column of the same name and library."""
    values = np.ascontiguousarray(values)
    return nw.new_series(column.name, values, backend=nw.get_native_namespace(column))


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
    elif kind_of_dtype(column.dtype) == "category":
        changed = column.cast(nw.String)
    pair = changed.to_frame().with_columns(_like(column, ~cells).alias(keep))
    kept = nw.when(nw.col(keep)).then(nw.col(column.name))
    pair = pair.select(kept if value is None else kept.otherwise(nw.lit(value)))
    found = pair.get_column(column.name)
    return _cast(found, column) if changed.dtype == nw.String else found


def _common_dtype(dtypes):
    """Return the dtype that a column has where its parts are stacked."""
    if all(dtype == dtypes[0] for dtype in dtypes) or not all(d.is_numeric() for d in dtypes):
        return dtypes[0]
    return nw.Int64() if all(dtype.is_integer() for dtype in dtypes) else nw.Float64()
