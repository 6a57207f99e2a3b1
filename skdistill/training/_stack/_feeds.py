"""Batches of several trainings at once."""

from typing import Any

import torch

BLOCK_BYTES = 2**25
"""Rows are gathered for as many steps at a time as take this much memory, and for one at least."""


class Feed:
    """The batches of one pass for trainings whose batches have the same sizes.

    Parameters
    ----------
    trainings : list of Training
        They follow each other in a stack.
    iterators : list of TensorBatches
        Of each, for this pass.
    device : torch.device
        Where the batches are wanted.

    Attributes
    ----------
    sizes : list of int
        Number of rows of each batch.
    """

    def __init__(self, trainings, iterators, device):
        self.device = device
        self._sources = [iterator.rows for iterator in iterators]
        self._positions = [
            training.positions(iterator)
            for training, iterator in zip(trainings, iterators, strict=True)
        ]
        self.sizes = [len(index) for index in self._positions[0]]
        self._shared = _all_alike(self._sources, self._positions)
        self._first = self._last = 0

    def batch(self, step):
        """Return the batch of a step.

        Returns
        -------
        X : torch.Tensor of shape (n_trainings, n_batch, ...), or (1, n_batch, ...) for all
        y : dict of str to torch.Tensor of shape (n_trainings, n_batch, ...)
        """
        if not self._first <= step < self._last:
            self._gather(step)
        begin = sum(self.sizes[self._first : step])
        rows = slice(begin, begin + self.sizes[step])
        return self._X[:, rows], {name: values[:, rows] for name, values in self._y.items()}

    def _gather(self, step):
        """Gather the rows of this step, and of further ones."""
        self._first, self._last, found = step, step + 1, self._rows(step, step + 1)
        n_bytes = sum(part.nbytes for part in (found[0], *found[1].values()))
        last = min(len(self.sizes), step + max(1, BLOCK_BYTES // max(1, n_bytes)))
        if last > step + 1:
            self._last, found = last, self._rows(step, last)
        self._X, self._y = found

    def _rows(self, first, last):
        each = [
            (source, torch.cat(positions[first:last]))
            for source, positions in zip(self._sources, self._positions, strict=True)
        ]
        X = torch.stack([s.rows_at(index) for s, index in (each[:1] if self._shared else each)])
        targets = [source.targets_at(index) for source, index in each]
        y = {name: torch.stack([packed[name] for packed in targets]) for name in targets[0]}
        return X.to(self.device), {n: values.to(self.device) for n, values in y.items()}


def side_by_side(parts, numbers):
    """Return tensors, each for one or for several trainings, as one.

    Parameters
    ----------
    parts : list of torch.Tensor of shape (n_trainings, ...), or (1, ...) for all
    numbers : list of int
        For how many trainings each is.

    Returns
    -------
    torch.Tensor of shape (n_trainings, ...), or (1, ...) for all
    """
    if len(parts) == 1:
        return parts[0]
    each = zip(parts, numbers, strict=True)
    return torch.cat([part.expand(number, *part.shape[1:]) for part, number in each])


def together(members: list[Any], sizes: list[list[int]]) -> list[tuple[int, list]]:
    """Return, step by step, which of some members take it as one.

    Parameters
    ----------
    members : list of object
        In the order of a stack.
    sizes : list of list of int
        Of each, the number of rows of its batches.

    Returns
    -------
    list of (step, list of object)
    """
    steps = []
    for step in range(max(map(len, sizes), default=0)):
        before = None
        for member, mine in zip(members, sizes, strict=True):
            n_rows = mine[step] if step < len(mine) else None
            if n_rows is not None and n_rows != before:
                steps.append((step, [member]))
            elif n_rows is not None:
                steps[-1][1].append(member)
            before = n_rows
    return steps


def _all_alike(sources, positions):
    """Whether all read the same rows in the same order."""
    first, order = sources[0], torch.cat(positions[0])
    return all(
        source.reads_as(first) and torch.equal(torch.cat(index), order)
        for source, index in zip(sources, positions, strict=True)
    )
