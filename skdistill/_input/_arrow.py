"""Columns and tables of pyarrow: put together, looked through."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "as_table",
    "below",
    "beside",
    "common_schema",
    "different_values",
    "gaps_of",
    "give_back",
    "positions_among",
]


def as_table(batch: Any) -> Any:
    """Return a record batch as a table."""
    import pyarrow

    return pyarrow.Table.from_batches([batch])


def below(tables: Sequence[Any]) -> Any:
    """Return tables of the same columns as one, their rows below one another."""
    import pyarrow

    return pyarrow.concat_tables(tables)


def beside(table: Any, other: Any, prefix: str) -> Any:
    """Return a table with the columns of another behind its own, under a prefix and numbers."""
    for i, column in enumerate(other.columns):
        table = table.append_column(f"{prefix}{i}", column)
    return table


def gaps_of(column: Any) -> np.ndarray:
    """Return which values of a column are missing, NaN among them, ndarray of bool."""
    import pyarrow.compute

    gaps = pyarrow.compute.is_null(column, nan_is_null=True).to_numpy()
    return np.asarray(gaps)


def give_back() -> None:
    """Give the memory of columns that are no more back to the system, which pyarrow would keep."""
    import pyarrow

    pyarrow.default_memory_pool().release_unused()


def common_schema(schemas: Sequence[Any], columns: Sequence[str]) -> Any:
    """Return a schema that some columns of all schemas can be cast to, without dictionaries."""
    import pyarrow

    plain = [pyarrow.schema([_plain(s.field(name)) for name in columns]) for s in schemas]
    return pyarrow.unify_schemas(plain, promote_options="permissive")


def _plain(field):
    import pyarrow

    is_coded = pyarrow.types.is_dictionary(field.type)
    return pyarrow.field(field.name, field.type.value_type if is_coded else field.type)


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
