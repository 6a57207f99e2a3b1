"""The rows of Parquet files, for a fit whose memory does not grow with them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from skdistill._datasets._dataset_parts import Part, Seen
from skdistill._generators import current_stream
from skdistill._input._arrow import Tables, as_floats, as_schema, below, beside, gaps_of
from skdistill._input._parquet import (
    MAX_CELLS,
    ParquetFile,
    as_named_rows,
    read_pieces,
    refuse_changed,
)
from skdistill._input._rows import as_rows
from skdistill._input._scratch import ScratchRows

SAMPLE_ROWS = 100_000
"""Rows, about, by which a student's preprocessing is fitted."""

HELD_ROWS = 100_000
"""The greatest number of rows, about, that are held back: they stay in memory."""


@dataclass(frozen=True)
class DatasetRows:
    """Where the rows of a dataset are, and which of them are held back.

    Attributes
    ----------
    files : list of ParquetFile
    answers : list of ParquetFile or None
        With the answers for the rows of each; None where the files themselves hold them.
    features, target, given : list of str
        The columns of each kind.
    schema : pyarrow.Schema
        What the columns of `files` are read as.
    held_share, sample_share : float
        Of all rows.
    seed : int
        Seeds which rows are held back, and which are in the sample.
    """

    files: list[ParquetFile]
    answers: list[ParquetFile] | None
    features: list[str]
    target: list[str]
    given: list[str]
    schema: Any
    held_share: float
    sample_share: float
    seed: int

    @property
    def n_at_once(self) -> int:
        """How many rows are in memory at a time while a student learns."""
        return max(1024, MAX_CELLS // self.width)

    @property
    def width(self) -> int:
        """Number of columns that are read."""
        return len(self.features) + len(self.target) + len(self.given)

    def look_through(self, task: Any, scratch: ScratchRows | None = None) -> Seen:
        """Read all rows once: find labels and gaps, take the sample and the rows held back.

        Parameters
        ----------
        task : type of DatasetTask
            It checks targets and answers.
        scratch : ScratchRows, default=None
            Gets the rows that are not held back. None is for a look alone, with no blocks.

        Raises
        ------
        ValueError
            For infinite numbers, a gap in the target, answers that are none, and a file that has
            changed since it was found; the error names the file. Where all rows are held back.
        OSError
            Where the scratch file cannot be written.
        """
        samples, held, with_gaps, labels, n_learnt = [], [], set(), None, 0
        generator = np.random.default_rng(self.seed)
        for i, file in enumerate(self.files):
            for table in self._tables(i):
                try:
                    part = self.part(table)
                    as_rows(part.X)
                    labels = task.look_at(part, self.target, labels)
                except ValueError as error:
                    error.add_note(f"This was found in {str(file.path)!r}.")
                    raise
                drawn = generator.random(table.num_rows)
                are_held = drawn < self.held_share
                samples.append(table.filter(drawn >= 1 - self.sample_share))
                held.append(table.filter(are_held))
                n_learnt += table.num_rows - int(np.sum(are_held))
                if scratch is not None:
                    scratch.write(table.filter(~are_held) if are_held.any() else table)
                with_gaps |= _gaps_of(table.select(self.features))
        if scratch is not None:
            scratch.finish()
        if not n_learnt:
            raise ValueError(
                "All rows of dataset are held back; expected some to learn from. Lower the size "
                "of train_split, or give more rows."
            )
        sample, held_back = self.part(below(samples)), self.part(below(held))
        some_held = held_back if len(held_back.answers) else None
        if labels is not None:
            labels = labels.to_numpy(zero_copy_only=False)
        blocks = None if scratch is None else partial(self._blocks, scratch)
        return Seen(sample, some_held, n_learnt, labels, sorted(with_gaps), blocks)

    def _blocks(self, scratch):
        return map(self.part, scratch.blocks(_drawn))

    def part(self, table: Any) -> Part:
        """Take rows apart."""
        first = len(self.features)
        y = table.columns[first : first + len(self.target)]
        answers = table.columns[first + len(self.target) :]
        values = np.empty((table.num_rows, len(answers)))
        for i, column in enumerate(answers):
            values[:, i] = column.to_numpy()
        return Part(as_named_rows(table.select(self.features)), y, values)

    def _tables(self, i):
        """Read all columns of the file at a place, some rows at a time."""
        own = [*self.features, *self.target, *([] if self.answers else self.given)]
        read = [self.files[i], *([self.answers[i]] if self.answers else [])]
        refuse_changed(read)
        tables = (as_schema(t, self.schema) for t in read_pieces(self.files[i].path, own))
        if self.answers is None:
            yield from tables
        else:
            answers = Tables(map(as_floats, read_pieces(self.answers[i].path, self.given)))
            for table in tables:
                yield beside(table, below(answers.take(table.num_rows)), "answer of skdistill ")
        refuse_changed(read)


def _drawn(n):
    """Return an order of so many that the training's stream draws."""
    return torch.randperm(n, generator=current_stream("order")).numpy()


def _gaps_of(table):
    """Return the names of the columns with gaps."""
    named = zip(table.column_names, table.columns, strict=True)
    return {name for name, column in named if gaps_of(column).any()}
