"""Stretches of rows of Parquet files, read one after the other, a few rows at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skdistill._input._arrow import as_table
from skdistill._input._parquet import BUFFER, need_pyarrow

PAGE_BYTES = 2**21
"""What is read of a column at a time, about, where its group holds as much."""

LEAST_ROWS = 16_384
"""Groups of fewer rows are read with those that follow them: each begins with the file's footer."""


class Stretch(NamedTuple):
    """Rows of a file that follow each other: groups of rows, or part of a large one.

    Attributes
    ----------
    number : int
        Its place among all stretches.
    file : int
        The place of the file among the files.
    start, n_rows : int
        Its first row in the file, and how many there are.
    """

    number: int
    file: int
    start: int
    n_rows: int


def find_stretches(paths: Iterable[Path], n_least: int) -> list[Stretch]:
    """Return the groups of rows of files, small ones joined to `LEAST_ROWS` or more.

    Parameters
    ----------
    paths : sequence of Path
    n_least : int
        Where there are fewer groups, each is cut into parts, about so many in all. A group is read
        from its beginning, so that a part costs those before it too.

    Returns
    -------
    list of Stretch
        In the order of the rows; none is empty.
    """
    parquet = need_pyarrow("dataset")
    groups = []
    for number, path in enumerate(paths):
        with parquet.ParquetFile(path) as reader:
            start = n_rows = 0
            for size in _sizes(reader):
                n_rows += size
                if n_rows >= LEAST_ROWS:
                    groups.append((number, start, n_rows))
                    start, n_rows = start + n_rows, 0
            if n_rows:
                groups.append((number, start, n_rows))
    n_parts = -(-n_least // max(1, len(groups)))
    parts = [
        (number, start + n_rows * i // n_parts, n_rows * (i + 1) // n_parts - n_rows * i // n_parts)
        for number, start, n_rows in groups
        for i in range(n_parts)
    ]
    parts = [part for part in parts if part[-1]]
    return [Stretch(number, *part) for number, part in enumerate(parts)]


def bytes_at_a_time(paths: Iterable[Path], columns: Iterable[str]) -> int:
    """Return how many bytes of some columns are read at a time, at most, in one place of a file.

    Parameters
    ----------
    paths : sequence of Path
    columns : list of str

    Returns
    -------
    int
        Of the largest group of rows, a page of each column, or the whole column where it is less.
    """
    parquet, most, wanted = need_pyarrow("dataset"), 0, set(columns)
    for path in paths:
        with parquet.ParquetFile(path) as reader:
            about = reader.metadata
        for i in range(about.num_row_groups):
            group = about.row_group(i)
            chunks = map(group.column, range(group.num_columns))
            sizes = [c.total_uncompressed_size for c in chunks if c.path_in_schema in wanted]
            most = max(most, sum(min(PAGE_BYTES, size) for size in sizes))
    return most


def read_stretch(path: Path, columns: list[str], stretch: Stretch, at_once: int) -> Iterator[Any]:
    """Read the rows of a stretch, or those at the same places of another file.

    Parameters
    ----------
    path : Path
        The file, whose groups of rows may be others.
    columns : list of str
        In the order that is wanted.
    stretch : Stretch
    at_once : int
        The greatest number of rows at a time.

    Yields
    ------
    pyarrow.Table of shape (n_rows, n_columns)
    """
    parquet = need_pyarrow("dataset")
    # With pre_buffer, its default, pyarrow holds all that it has read of the file until the end.
    with parquet.ParquetFile(path, buffer_size=BUFFER // 16, pre_buffer=False) as reader:
        bounds = np.cumsum([0, *_sizes(reader)])
        first = int(np.searchsorted(bounds, stretch.start, side="right")) - 1
        last = int(np.searchsorted(bounds, stretch.start + stretch.n_rows, side="left"))
        skipped, left = stretch.start - int(bounds[first]), stretch.n_rows
        for batch in reader.iter_batches(
            at_once, row_groups=range(first, last), columns=columns, use_threads=False
        ):
            part = batch.slice(skipped, left)  # empty where more are to be skipped
            skipped = max(0, skipped - batch.num_rows)
            left -= part.num_rows
            if part.num_rows:
                yield as_table(part).select(columns)


def _sizes(reader):
    return [reader.metadata.row_group(i).num_rows for i in range(reader.num_row_groups)]


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
