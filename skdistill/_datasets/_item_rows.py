"""The rows of a data set of torch, for a fit whose memory does not grow with them."""

from collections.abc import Iterator
from functools import partial
from itertools import count, islice
from typing import Any

import numpy as np
import torch
from torch.utils.data import IterableDataset

from skdistill._datasets._dataset_parts import Part, Seen
from skdistill._datasets._dataset_rows import SAMPLE_ROWS
from skdistill._datasets._items import Items, KeptItems, below, cells_of, read_items
from skdistill._generators import all_seeded, current_stream
from skdistill._input._rows import as_rows

AT_ONCE = 8_000_000
"""Numbers that are read at a time: of float32 they are 32 MB."""

KEPT = 12_000_000
"""Numbers of the sample, and of the rows held back, at most: of float32 48 MB each."""

LEAST_KEPT, MOST_KEPT = 1_000, SAMPLE_ROWS
"""Rows of each, whatever `KEPT` says."""


def look_through(dataset: Any, split: Any, task: Any) -> Seen:
    """Read all rows of a data set once: find labels and gaps, take the sample and the rows held.

    Each row has a number that is drawn for its place. The rows of the least numbers are held back,
    those of the greatest are the sample.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Its items are pairs of a row and a label.
    split : HoldOut or None
        How many rows are held back.
    task : type of ItemTask
        It reads the labels.

    Returns
    -------
    Seen

    Raises
    ------
    TypeError or ValueError
        For items that are no pairs of a row and a label, rows of several shapes, infinite numbers,
        no rows, and a data set that can be gone through only once.
    """
    kind = RowsInTurn if isinstance(dataset, IterableDataset) else RowsByPlace
    return kind(dataset, 0 if split is None else split.random_state, task).look_through(split)


class ItemRows:
    """The rows of a data set; a subclass knows in what order they can be had.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
    seed : int
        Seeds the numbers of the rows.
    task : type of ItemTask
    """

    def __init__(self, dataset: Any, seed: int, task: Any) -> None:
        self.dataset = dataset
        self.seed = seed
        self.task = task
        self.source = f"dataset, a {type(dataset).__name__},"
        self.first: Any = None
        self.n_at_once = 1

    def look_through(self, split: Any) -> Seen:
        """See `look_through`."""
        numbers = np.random.default_rng(self.seed)
        self.first = self._read_first()
        cells = cells_of(self.first.X[0])
        self.n_at_once = max(1, AT_ONCE // cells)
        n_most = int(np.clip(KEPT // cells, LEAST_KEPT, MOST_KEPT))
        held, sample = KeptItems(0 if split is None else n_most), KeptItems(n_most)
        n_rows, labels, with_gaps = 0, None, set()
        for items in self.parts(self.all_items(), self.seed):
            try:
                as_rows(items.X)
                labels = self.task.look_at(items.y, labels)
            except ValueError as error:
                stop = n_rows + len(items.y) - 1
                error.add_note(f"This was found in the items {n_rows} to {stop} of dataset.")
                raise
            drawn = numbers.random(len(items.y))
            held.add(items, drawn)
            sample.add(items, 1 - drawn)
            n_rows += len(items.y)
            with_gaps |= _gaps_of(items.X)
        are_few = split is None or n_rows < split.min_samples
        n_held = 0 if are_few else min(split.count(n_rows), n_most)
        held_back, bound = held.leave(n_held)
        learnt, _ = sample.leave(n_most)
        blocks = self.begin(n_rows, bound, held_back)
        return Seen(
            _as_part(learnt),
            None if held_back is None else _as_part(held_back),
            n_rows - n_held,
            labels,
            sorted(with_gaps),
            blocks,
        )

    def all_items(self) -> Iterator[Any]:
        """Return an iterator over all items, in their order."""
        raise NotImplementedError

    def begin(self, n_rows: int, bound: float, held: Items | None) -> Any:
        """Return what begins a pass; see `Seen.blocks`.

        Parameters
        ----------
        n_rows : int
            Of the data set.
        bound : float
            Rows whose number is no greater are held back.
        held : Items or None
            These.
        """
        raise NotImplementedError

    def parts(self, items: Iterator[Any], seed: int) -> Iterator[Items]:
        """Yield items, a quarter of `n_at_once` at a time; what they draw is seeded."""
        start, n_rows = 0, max(1, self.n_at_once // 4)
        for own in _seeds(seed):
            with all_seeded(own):
                some = list(islice(items, n_rows))
            if not some:
                return
            places = range(start, start + len(some))
            start += len(some)
            read = read_items(some, places, self.task, self.first)
            del some  # while others work with the arrays
            yield read

    def _read_first(self):
        with all_seeded(self.seed):
            some = list(islice(self.all_items(), 1))
        if not some:
            raise ValueError(f"{self.source} holds no rows; expected some to learn from.")
        return read_items(some, [0], self.task)


class RowsByPlace(ItemRows):
    """Rows of which each can be had at any time."""

    def all_items(self):
        """Return an iterator over all items, in their order."""
        if not hasattr(self.dataset, "__len__"):
            raise TypeError(
                f"{self.source} has no length; expected len(dataset) and dataset[i], or a "
                f"torch.utils.data.IterableDataset. Give it a __len__."
            )
        return map(self._item, range(len(self.dataset)))

    def begin(self, n_rows, bound, held):
        """Return what begins a pass: the places of a block are drawn, and read in their order."""
        numbers = np.random.default_rng(self.seed).random(n_rows)
        return partial(self._drawn, np.flatnonzero(numbers > bound))

    def _item(self, place):
        try:
            return self.dataset[place]
        except Exception as error:
            n_items = len(self.dataset)
            error.add_note(f"This came of item {place} of dataset, whose len is {n_items}.")
            raise

    def _drawn(self, learnt):
        seed = _draw_seed()
        order = np.random.default_rng(seed).permutation(learnt)
        blocks = np.array_split(order, -(-len(order) // self.n_at_once))
        for block, own in zip(map(np.sort, blocks), _seeds(seed), strict=False):
            with all_seeded(own):
                some = [self._item(place) for place in block.tolist()]
            read = read_items(some, block, self.task, self.first)
            del some
            yield _as_part(read)


class RowsInTurn(ItemRows):
    """Rows that come one after the other, each time from the first."""

    def all_items(self):
        """Return an iterator over all items, in their order."""
        return iter(self.dataset)

    def begin(self, n_rows, bound, held):
        """Return what begins a pass, in which rows are drawn from those that wait in a buffer."""
        with all_seeded(self.seed):
            if not list(islice(self.all_items(), 1)):
                raise ValueError(
                    f"{self.source} gives no rows when it is gone through again; expected all of "
                    f"them each time. Let its __iter__ make a new iterator: one that it keeps is "
                    f"used up."
                )
        return partial(self._drawn, n_rows, bound, held)

    def _drawn(self, n_rows, bound, held):
        seed = _draw_seed()
        numbers, order = np.random.default_rng(self.seed), np.random.default_rng(seed)
        n_seen, n_held = 0, 0
        waiting: Any = self.first.take(np.zeros(1, dtype=bool))
        for items in self.parts(self.all_items(), seed):
            are_held = numbers.random(len(items.y)) <= bound
            n_seen += len(items.y)
            if n_seen > n_rows:
                self._refuse_length(n_rows, f"more than {n_rows}")
            if are_held.any():
                self._check_order(items.y[are_held], held.y[n_held:])
                n_held += int(are_held.sum())
            waiting = below([waiting, items.take(~are_held)])
            n_more = len(waiting.y) - self.n_at_once
            if n_more > 0:
                goes = np.zeros(len(waiting.y), dtype=bool)
                goes[order.permutation(len(goes))[:n_more]] = True
                yield _as_part(waiting.take(goes))
                waiting = waiting.take(~goes)
        if n_seen < n_rows:
            self._refuse_length(n_rows, n_seen)
        yield _as_part(waiting)

    def _refuse_length(self, n_rows, n_seen):
        raise ValueError(
            f"{self.source} gave {n_rows} rows in its first pass and {n_seen} in a later one; "
            f"expected the same rows each time. Let its __iter__ begin anew, and leave what it "
            f"draws to the values of the rows."
        )

    def _check_order(self, labels, expected):
        """Compare labels of rows that are held back with those of the first pass."""
        other = np.flatnonzero((labels != expected[: len(labels)]).reshape(len(labels), -1).any(1))
        if len(other):
            raise ValueError(
                f"{self.source} gave a row the label {expected[other[0]].tolist()!r} in its first "
                f"pass, and {labels[other[0]].tolist()!r} at the same place of a later one; "
                f"expected the same order each time, by which rows are held back. Leave its own "
                f"shuffling out, for rows are shuffled here, or hold none back: "
                f"StudentNet(train_split=None)."
            )


def _as_part(items):
    return Part(items.X, items.y, np.empty((len(items.y), 0)))


def _gaps_of(X):
    """Return the places of axis 1 at which a value is missing somewhere."""
    if X.dtype.kind != "f":
        return set()
    return set(np.flatnonzero(np.isnan(X).any(axis=(0, *range(2, X.ndim)))).tolist())


def _seeds(seed):
    """Yield seeds without end."""
    for number in count():
        yield int(np.random.SeedSequence([seed, number]).generate_state(1)[0])


def _draw_seed():
    return int(torch.randint(2**31 - 1, (1,), generator=current_stream("order")))
