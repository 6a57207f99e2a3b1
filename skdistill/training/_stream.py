"""Rows that do not fit in memory: read anew in every pass, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch.utils.data import Dataset

from skdistill._generators import current_stream
from skdistill.training._packed import Packed


class Block(NamedTuple):
    """Some rows, and what is learnt of them.

    Attributes
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, ...)
        As the net reads them.
    packed : Packed
    """

    X: Any
    packed: Packed


@dataclass(frozen=True)
class Stream:
    """Rows to learn from that are read anew in every pass.

    Attributes
    ----------
    n_rows : int
        Of a pass.
    read : callable
        Begins a pass: an iterator over its `Block`s, in an order that is drawn from the training's
        generator. Each row comes once.
    held : Block or None
        Rows to choose the best epoch by, in memory.
    """

    n_rows: int
    read: Callable[[], Iterator[Block]]
    held: Block | None

    def datasets(self, make: Callable, y: Packed) -> tuple[StreamRows, Any]:
        """Return what is learnt from, and what is held back.

        Parameters
        ----------
        make : callable
            From rows and packed targets to a `Source`.
        y : Packed
            Its unit is that of all blocks.

        Returns
        -------
        train : StreamRows
        valid : Source or None
        """

        def source(block):
            return make(block.X, replace(block.packed, unit=y.unit))

        held = None if self.held is None else source(self.held)
        return StreamRows(self.n_rows, lambda: map(source, self.read())), held


class StreamRows(Dataset):
    """The data set of a stream: it has a length and batches, and no items.

    Parameters
    ----------
    n_rows : int
    sources : callable
        Begins a pass: an iterator over sources, each of them a block.
    """

    def __init__(self, n_rows, sources):
        self.n_rows = n_rows
        self.sources = sources

    def __len__(self):
        return self.n_rows

    def batches(self, size):
        """Return an iterator over batches of so many rows."""
        return StreamBatches(self, size)


class StreamBatches:
    """Batches of a stream: the rows of a block in an order of their own, block after block.

    Each pass draws its orders anew. What a block leaves over joins the first batch of the next.

    Parameters
    ----------
    dataset : StreamRows
    batch_size : int
    """

    def __init__(self, dataset, batch_size):
        self.dataset = dataset
        self.batch_size = batch_size

    def __len__(self):
        return len(self.sizes())

    def sizes(self):
        """Return the number of rows of each batch of a pass."""
        # Batch norm cannot learn from a single row: it would join the batch before it.
        n_full, left = divmod(len(self.dataset), self.batch_size)
        sizes = [self.batch_size] * n_full
        if left == 1 and sizes:
            return [*sizes[:-1], self.batch_size + 1]
        return [*sizes, left] if left else sizes

    def __iter__(self):
        sizes = iter(self.sizes())
        n_missing, waiting = next(sizes), []
        for source in self.dataset.sources():
            order = torch.randperm(len(source), generator=current_stream("order"))
            while len(order):
                batch, order = order[:n_missing], order[n_missing:]
                waiting.append(source.batch(batch))
                n_missing -= len(batch)
                if not n_missing:
                    yield _joined(waiting)
                    n_missing, waiting = next(sizes, 0), []
            del source  # before the next one is read


def _joined(batches):
    """Return parts of a batch as one."""
    if len(batches) == 1:
        return batches[0]
    rows, targets = zip(*batches, strict=True)
    names = dict.fromkeys(name for part in targets for name in part)
    return torch.cat(rows), {n: torch.cat([_entry(part, n) for part in targets]) for n in names}


def _entry(packed, name):
    """Return an entry of packed targets; weights that are left out are one."""
    return packed[name] if name in packed else torch.ones_like(packed["label"])
