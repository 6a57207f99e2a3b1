"""Columns and tables of pyarrow: put together, looked through."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

__all__ = [
    "Tables",
    "as_floats",
    "as_messages",
    "as_schema",
    "below",
    "beside",
    "common_schema",
    "different_values",
    "from_messages",
    "gaps_of",
    "give_back",
    "positions_among",
    "without_type",
]


def as_messages(table: Any, n_rows: int) -> Iterator[Any]:
    """Write a table as bytes, so many rows at a time; `from_messages` reads them."""
    for batch in table.combine_chunks().to_batches(max_chunksize=n_rows):
        yield batch.serialize()


def from_messages(spans: Sequence[tuple[int, int]], read: Callable, schema: Any) -> Any:
    """Read messages as one table.

    Parameters
    ----------
    spans : sequence of (start, end)
        Where the bytes of each are.
    read : callable
        From a start and a memoryview, which it fills with the bytes from there.
    schema : pyarrow.Schema

    Returns
    -------
    pyarrow.Table
    """
    import pyarrow

    # One buffer for all: as many small ones would break the heap into pieces.
    buffer = pyarrow.allocate_buffer(sum(end - start for start, end in spans))
    view, batches, first = memoryview(buffer), [], 0
    for start, end in spans:
        last = first + end - start
        read(start, view[first:last])
        message = buffer.slice(first, last - first)
        batches.append(pyarrow.ipc.read_record_batch(message, schema))
        first = last
    return pyarrow.Table.from_batches(batches)


def below(tables: Sequence[Any]) -> Any:
    """Return tables of the same columns as one, their rows below one another."""
    import pyarrow

    return pyarrow.concat_tables(tables)


def beside(table: Any, other: Any, prefix: str) -> Any:
    """Return a table with the columns of another behind its own, under a prefix and numbers."""
    for i, column in enumerate(other.columns):
        table = table.append_column(f"{prefix}{i}", column)
    return table


class Tables:
    """Tables that follow each other, taken as many rows at a time as are asked for.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
    """

    def __init__(self, tables: Iterable[Any]) -> None:
        self._tables = iter(tables)
        self._rest: Any = None

    def take(self, n_rows: int) -> list[Any]:
        """Return the next rows, as tables of `n_rows` together."""
        parts = []
        while n_rows:
            if self._rest is None or not self._rest.num_rows:
                self._rest = next(self._tables)
            part = self._rest.slice(0, n_rows)
            self._rest = self._rest.slice(part.num_rows)
            parts.append(part)
            n_rows -= part.num_rows
        return parts


def gaps_of(column: Any) -> np.ndarray:
    """Return which values of a column are missing, NaN among them, ndarray of bool."""
    import pyarrow.compute

    gaps = pyarrow.compute.is_null(column, nan_is_null=True).to_numpy()
    return np.asarray(gaps)


def give_back() -> None:
    """Give the memory of columns that are no more back to the system, which pyarrow would keep."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()


def without_type(table: Any) -> list[str]:
    """Return the names of the columns that hold gaps alone, and have no type."""
    import pyarrow

    return [field.name for field in table.schema if pyarrow.types.is_null(field.type)]


def common_schema(schemas: Sequence[Any], columns: Sequence[str]) -> Any:
    """Return a schema that some columns of all schemas can be read as, without dictionaries.

    Parameters
    ----------
    schemas : sequence of pyarrow.Schema
    columns : sequence of str

    Returns
    -------
    pyarrow.Schema

    Raises
    ------
    ValueError
        For a column whose types have nothing in common. It names the column.
    """
    import pyarrow

    return pyarrow.schema(
        [(n, _common_type(n, [s.field(n).type for s in schemas])) for n in columns]
    )


def _common_type(name, found):
    import pyarrow
    from pyarrow import types

    kinds = list(dict.fromkeys(map(_plain, found)))
    if len(kinds) == 1:
        return kinds[0]
    asked = [pyarrow.uint8() if types.is_boolean(kind) else kind for kind in kinds]
    has_wide = pyarrow.uint64() in asked and any(map(types.is_signed_integer, asked))
    if has_wide or any(map(types.is_decimal, asked)):
        asked.append(pyarrow.float64())
        # It holds all of them, rounded.
        asked = [k for k in asked if not (types.is_integer(k) or types.is_decimal(k))]
    schemas = [pyarrow.schema([(name, kind)]) for kind in asked]
    try:
        return pyarrow.unify_schemas(schemas, promote_options="permissive").field(0).type
    except pyarrow.ArrowTypeError as error:
        raise ValueError(
            f"The column {name!r} is of the types {', '.join(map(str, kinds))} in several files; "
            f"expected one type. Write some of them again."
        ) from error


def _plain(kind):
    import pyarrow
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    # Views of texts cannot be filtered.
    if kind == pyarrow.string_view():
        return pyarrow.large_string()
    return pyarrow.large_binary() if kind == pyarrow.binary_view() else kind


def as_schema(table: Any, schema: Any) -> Any:
    """Return a table whose columns are of the types of a `common_schema`, in its order.

    Whole numbers and decimals that become floats are rounded, as in NumPy.
    """
    import pyarrow
    from pyarrow import types

    columns = [
        table.column(field.name).cast(field.type, safe=not types.is_floating(field.type))
        for field in schema
    ]
    return pyarrow.Table.from_arrays(columns, schema=schema)


def as_floats(table: Any) -> Any:
    """Return a table of numbers in double precision."""
    import pyarrow

    return as_schema(table, pyarrow.schema([(n, pyarrow.float64()) for n in table.column_names]))


def different_values(column: Any, known: Any = None) -> Any:
    """Return the different values of a column, and of those known from others.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
    known : pyarrow.Array, default=None

    Returns
    -------
    pyarrow.Array
    """
    import pyarrow

    chunks = [*([] if known is None else [known]), *column.chunks]
    return pyarrow.chunked_array(chunks, column.type).unique()


def positions_among(column: Any, values: np.ndarray) -> np.ndarray:
    """Return where each value of a column is among some, ndarray of shape (n_rows,), int64.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
    values : ndarray
        All that the column holds.
    """
    import pyarrow
    import pyarrow.compute

    known = pyarrow.array(values.tolist(), type=column.type)
    positions = pyarrow.compute.index_in(column, known).to_numpy()
    return np.asarray(positions, dtype=np.int64)
