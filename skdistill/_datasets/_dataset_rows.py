"""The rows of Parquet files, for a fit whose memory does not grow with them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch

from skdistill._datasets._dataset_parts import Part, Seen
from skdistill._generators import current_stream
from skdistill._input._arrow import below, beside, gaps_of, give_back
from skdistill._input._parquet import MAX_CELLS, ParquetFile, as_named_rows
from skdistill._input._row_groups import Stretch, Tables, bytes_at_a_time, read_stretch
from skdistill._input._rows import as_rows

SAMPLE_ROWS = 100_000
"""Rows, about, by which a student's preprocessing is fitted."""

HELD_ROWS = 100_000
"""The greatest number of rows, about, that are held back: they stay in memory."""

LANES = 16
"""Stretches that are read at a time; see `DatasetRows.look_through`."""

OPEN_COLUMNS = 192
"""Columns that are read at a time, in all lanes together: each may hold pages of 2 MB."""

OPEN_BYTES = 2**27
"""More of them where groups of rows are small, until about so much is read at a time."""


@dataclass(frozen=True)
class DatasetRows:
    """Where the rows of a dataset are, and which of them are held back.

    Attributes
    ----------
    files : list of ParquetFile
    answers : list of ParquetFile or None
        With the answers for the rows of each; None where the files themselves hold them.
    stretches : list of Stretch
        Of `files`.
    features, target, given : list of str
        The columns of each kind.
    schema : pyarrow.Schema
        What the columns of `files` are read as.
    held_share, sample_share : float
        Of the rows of each stretch.
    seed : int
        Seeds which rows are held back, and which are in the sample.
    """

    files: list[ParquetFile]
    answers: list[ParquetFile] | None
    stretches: list[Stretch]
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

    @cached_property
    def n_lanes(self) -> int:
        """How many stretches are read at a time."""
        own = [*self.features, *self.target, *([] if self.answers else self.given)]
        each = bytes_at_a_time([file.path for file in self.files], own)
        if self.answers is not None:
            each += bytes_at_a_time([file.path for file in self.answers], self.given)
        of_small_groups = OPEN_BYTES // max(1, each)
        return int(np.clip(max(OPEN_COLUMNS // self.width, of_small_groups), 2, LANES))

    def look_through(self, task: Any) -> Seen:
        """Read all rows once: find labels and gaps, take the sample and the rows held back.

        Parameters
        ----------
        task : type of DatasetTask
            It checks targets and answers.

        Raises
        ------
        ValueError
            For infinite numbers, a gap in the target, and answers that are none; the error names
            the file.
        """
        samples, held, n_learnt, with_gaps, labels = [], [], [], set(), None
        for stretch in self.stretches:
            draws = Draws(self, stretch)
            n_learnt.append(0)
            for table in self._tables(stretch, self.n_at_once):
                try:
                    part = self.part(table)
                    as_rows(part.X)
                    labels = task.look_at(part, self.target, labels)
                except ValueError as error:
                    error.add_note(f"This was found in {str(self.files[stretch.file].path)!r}.")
                    raise
                are_held, are_sample = draws.next(table.num_rows)
                samples.append(table.filter(are_sample))
                held.append(table.filter(are_held))
                n_learnt[-1] += table.num_rows - int(np.sum(are_held))
                with_gaps |= _gaps_of(table.select(self.features))
        sample, held_back = self.part(below(samples)), self.part(below(held))
        some_held = held_back if len(held_back.answers) else None
        if labels is not None:
            labels = labels.to_numpy(zero_copy_only=False)
        blocks = partial(self._blocks, n_learnt)
        return Seen(sample, some_held, sum(n_learnt), labels, sorted(with_gaps), blocks)

    def _blocks(self, n_learnt: list) -> Iterator[Part]:
        """Go through all rows that are not held back, in an order drawn from the training's stream.

        The stretches make lanes, one behind the other in the dataset and of about as many rows.
        Within a lane their order is drawn; a block has the same share of every lane. So each block
        holds rows from all over the dataset, though the files may be sorted, and each lane is read
        from its beginning to its end.

        Parameters
        ----------
        n_learnt : list of int
            The rows of each stretch that are not held back.

        Yields
        ------
        Part
            Of about `n_at_once` rows.
        """
        lanes = self._lanes(n_learnt)
        sizes = [sum(n_learnt[s.number] for s in lane) for lane in lanes]
        readers = [Tables(self._learnt(_shuffled(lane))) for lane in lanes]
        n_blocks = -(-sum(sizes) // self.n_at_once)
        for i in range(n_blocks):
            bounds = [n * (i + 1) // n_blocks - n * i // n_blocks for n in sizes]
            shares = zip(readers, bounds, strict=True)
            give_back()  # what the block before has taken
            yield self.part(below([t for reader, share in shares for t in reader.take(share)]))

    def part(self, table: Any) -> Part:
        """Take rows apart."""
        first = len(self.features)
        y = table.columns[first : first + len(self.target)]
        answers = table.columns[first + len(self.target) :]
        values = np.empty((table.num_rows, len(answers)))
        for i, column in enumerate(answers):
            values[:, i] = column.to_numpy()
        return Part(as_named_rows(table.select(self.features)), y, values)

    def _tables(self, stretch, at_once):
        """Read all columns of a stretch."""
        own = [*self.features, *self.target, *([] if self.answers else self.given)]
        tables = read_stretch(self.files[stretch.file].path, own, stretch, at_once)
        if self.answers is None:
            yield from (table.cast(self.schema) for table in tables)
            return
        answers = Tables(
            read_stretch(self.answers[stretch.file].path, self.given, stretch, at_once)
        )
        for table in tables:
            table = table.cast(self.schema)
            yield beside(table, below(answers.take(table.num_rows)), "answer of skdistill ")

    def _learnt(self, lane):
        """Read the rows of stretches that are not held back."""
        at_once = max(1024, self.n_at_once // LANES)
        for stretch in lane:
            draws = Draws(self, stretch)
            for table in self._tables(stretch, at_once):
                are_held, _ = draws.next(table.num_rows)
                yield table.filter(~are_held) if are_held.any() else table

    def _lanes(self, n_learnt):
        """Deal the stretches out, those that follow each other to one lane."""
        n_lanes = self.n_lanes
        ends = np.cumsum(n_learnt)
        middles = ends - np.array(n_learnt) / 2
        lane_of = np.minimum(middles * n_lanes // max(1, ends[-1]), n_lanes - 1).astype(int)
        return [
            [self.stretches[i] for i in np.flatnonzero(lane_of == lane)]
            for lane in np.unique(lane_of)
        ]


class Draws:
    """Which rows of a stretch are held back, and which are in the sample: always the same.

    Parameters
    ----------
    rows : DatasetRows
    stretch : Stretch
    """

    def __init__(self, rows, stretch):
        self.rows = rows
        self.generator = np.random.default_rng([rows.seed, stretch.number])

    def next(self, n_rows):
        """Return two arrays of bool, for so many rows more."""
        drawn = self.generator.random(n_rows)
        return drawn < self.rows.held_share, drawn >= 1 - self.rows.sample_share


def _shuffled(lane):
    order = torch.randperm(len(lane), generator=current_stream("order"))
    return [lane[i] for i in order.tolist()]


def _gaps_of(table):
    """Return the names of the columns with gaps."""
    named = zip(table.column_names, table.columns, strict=True)
    return {name for name, column in named if gaps_of(column).any()}
