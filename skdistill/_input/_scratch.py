"""Rows of any order, written once into a scratch file, from which any few of them can be read."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from skdistill._input._arrow import as_messages, below, from_messages, give_back

CHUNKS = 256
"""Rows that are read together come from so many places, about."""

LEAST_ROWS = 64
"""Of a chunk: each costs some microseconds a column."""

MAX_BYTES = 2**26
"""Of the rows that are read together: texts may be long."""


class ScratchRows:
    """A file of rows in chunks of a few, which are read in a drawn order.

    The file has no name, or is deleted as it is closed, so that nothing of it is left whatever
    ends the program.

    Parameters
    ----------
    n_at_once : int
        How many rows are read at a time, about; fewer where they would take more than `MAX_BYTES`.
    folder : Path or None
        Where the file is; None is the system's folder for such files.
    """

    def __init__(self, n_at_once: int, folder: Any) -> None:
        self.n_at_once = n_at_once
        self.folder = folder
        self.n_rows = 0
        self.ends = [0]
        self._file: Any = None
        self._waiting: Any = None
        self._schema: Any = None

    def __enter__(self) -> Self:
        with self._saying_why():
            self._file = tempfile.TemporaryFile(prefix="skdistill-", dir=self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # of bytes for which there was no room, as was said
            self._file.close()

    def write(self, table: Any) -> None:
        """Write rows behind those before. Some wait, for others that fill a chunk with them.

        Parameters
        ----------
        table : pyarrow.Table
            Of the columns of the first.

        Raises
        ------
        OSError
            Where they cannot be written; it says what to do.
        """
        self._schema = table.schema
        waiting = table if self._waiting is None else below([self._waiting, table])
        n_whole = waiting.num_rows - waiting.num_rows % self._n_together(waiting)
        self._append(waiting.slice(0, n_whole))
        self._waiting = waiting.slice(n_whole)

    def finish(self) -> None:
        """Write the rows that wait, behind which none come.

        Raises
        ------
        OSError
            See `write`.
        """
        self._append(self._waiting)
        self._waiting = None

    def blocks(self, drawn: Callable[[int], np.ndarray]) -> Iterator[Any]:
        """Go through all rows, in a drawn order.

        With `n` blocks, every `n` chunks that follow each other are dealt out to the blocks, one to
        each, in a drawn order. So each block has rows from all over the file, and as many of every
        stretch of it, however the rows are sorted.

        Parameters
        ----------
        drawn : callable
            From a number `n` to a drawn order of 0, ..., `n` - 1.

        Yields
        ------
        pyarrow.Table of shape (n_rows, n_columns)
            Of about `n_at_once` rows, or fewer.
        """
        n_chunks = len(self.ends) - 1
        n_needed = max(-(-self.n_rows // self.n_at_once), -(-self.ends[-1] // MAX_BYTES))
        n_blocks = min(n_chunks, n_needed)
        n_deals = -(-n_chunks // n_blocks)
        block_of = np.concatenate([drawn(n_blocks) for _ in range(n_deals)])[:n_chunks]
        for block in range(n_blocks):
            give_back()  # what the block before has taken
            chunks = np.flatnonzero(block_of == block).tolist()
            spans = [(self.ends[i], self.ends[i + 1]) for i in chunks]
            yield from_messages(spans, self._read, self._schema)

    def _n_together(self, table):
        """Return how many rows make a chunk."""
        n_of_bytes = table.num_rows * MAX_BYTES // max(1, CHUNKS * table.nbytes)
        return max(LEAST_ROWS, min(self.n_at_once // CHUNKS, n_of_bytes))

    def _append(self, table):
        with self._saying_why():
            for chunk in as_messages(table, self._n_together(table)):
                self._file.write(chunk)
                self.ends.append(self.ends[-1] + len(chunk))
            self._file.flush()  # so that a disk without room is told of here
        self.n_rows += table.num_rows

    def _read(self, start, view):
        self._file.seek(start)
        self._file.readinto(view)

    @contextlib.contextmanager
    def _saying_why(self):
        try:
            yield
        except OSError as error:
            where = self.folder or tempfile.tempdir  # None where no folder can be written to
            raise OSError(
                error.errno,
                f"The rows could not be kept in a scratch file in {where or 'any folder'} "
                f"({error.strerror or error}), after {self.n_rows} rows; expected room for all "
                f"that are learnt from. Make room there, or name a folder that has it: memory=..., "
                f"or the environment variable TMPDIR",
            ) from error
