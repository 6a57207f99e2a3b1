"""Tensors, not items: a data set that is sliced a batch at a time."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy import sparse
from torch.utils.data import Dataset, Subset

from skdistill._generators import current_stream
from skdistill._input._inputs import map_inputs
from skdistill._torch import sparse_tensor
from skdistill.exceptions import StudentError


class TensorRows(Dataset):
    """Rows and packed targets as tensors: a source that is asked for batches by their positions.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, ...), SliceDict of them or CSR matrix, or list of these
        Rows, in one part or in several that follow each other.
    y : dict of str to torch.Tensor, default=None
        Packed targets.
    dtype : torch.dtype, default=torch.float32
        The dtype of the batches of sparse rows.
    keep_sparse : bool, default=False
        Whether sparse rows come as sparse tensors; dense a batch at a time otherwise.
    """

    def __init__(self, X, y=None, dtype=torch.float32, keep_sparse=False):
        self.parts = X if isinstance(X, list) else [X]
        self.starts = np.cumsum([0, *(part.shape[0] for part in self.parts)]).tolist()
        self.y = {} if y is None else y
        self.dtype = dtype
        self.keep_sparse = keep_sparse

    def __len__(self):
        return self.starts[-1]

    def __getitem__(self, index):
        rows, targets = self.batch(torch.as_tensor([index]))
        row = {n: part[0] for n, part in rows.items()} if isinstance(rows, Mapping) else rows[0]
        return row, {name: values[0] for name, values in targets.items()}

    def batch(self, index):
        """Return some rows and their targets.

        Parameters
        ----------
        index : torch.Tensor of int64
            Positions.

        Returns
        -------
        X : torch.Tensor of shape (n_batch, ...), or SliceDict of them
        y : dict of str to torch.Tensor
        """
        return self.rows_at(index), self.targets_at(index)

    def rows_at(self, index):
        """Return some rows; see `batch`."""
        if isinstance(self.parts[0], Mapping):
            return map_inputs(lambda *parts: TensorRows(list(parts)).rows_at(index), *self.parts)
        return self._take(self.parts[0], index) if len(self.parts) == 1 else self._gather(index)

    def targets_at(self, index):
        """Return some targets; see `batch`."""
        return {n: v.index_select(0, index.to(v.device)) for n, v in self.y.items()}

    def _take(self, part, index):
        if not sparse.issparse(part):
            return part.index_select(0, index.to(part.device))
        part = part[index.cpu().numpy()]
        if self.keep_sparse:
            return sparse_tensor(part, self.dtype)
        return torch.as_tensor(part.toarray(), dtype=self.dtype)

    def _gather(self, index):
        """Take rows from several parts, each row to its place in the batch."""
        pieces, places = [], []
        for part, start, stop in zip(self.parts, self.starts, self.starts[1:], strict=False):
            here = torch.nonzero((index >= start) & (index < stop))[:, 0]
            if len(here):
                pieces.append(self._take(part, index[here] - start))
                places.append(here)
        rows = torch.cat(pieces)
        if self.keep_sparse and rows.is_sparse:
            return rows.coalesce().index_select(0, torch.argsort(torch.cat(places))).coalesce()
        return rows.index_select(0, torch.argsort(torch.cat(places)).to(rows.device))

    def reads_as(self, other):
        """Whether it holds the very rows of another source; their targets may differ."""
        return len(self.parts) == len(other.parts) and all(
            own is its for own, its in zip(self.parts, other.parts, strict=True)
        )

    def with_weights(self, scales, rows):
        """Return the same with other weights for some of the rows.

        Parameters
        ----------
        scales : dict of str to float
            By the name of a weight, what it is multiplied by.
        rows : ndarray of int
            Which rows.

        Returns
        -------
        TensorRows
        """
        y = dict(self.y)
        rows = torch.as_tensor(rows)
        for name, scale in scales.items():
            y[name] = y[name].clone()
            y[name][rows.to(y[name].device)] *= scale
        return TensorRows(self.parts, y, self.dtype, self.keep_sparse)


class TensorBatches:
    """An iterator of batches for skorch, in place of torch's DataLoader.

    Parameters
    ----------
    dataset : Source, such as TensorRows, or torch.utils.data.Subset of one
        Rows to go through.
    batch_size : int or "auto", default="auto"
        "auto" is a 32nd of the rows, rounded down to a power of two, in [8, 256].
    shuffle : bool, default=False
        Whether each pass has an order of its own, drawn from the training's generator, or from
        torch's where that has none.
    drop_last : bool, default=False
        Whether a last batch that is not full is left out.
    sampler : iterable of int, default=None
        The positions of each pass, as torch's samplers give them; shuffle is not heard then.

    Raises
    ------
    TypeError
        For other settings of a DataLoader, which has processes of its own and is slower here; for
        these set ``iterator_train=torch.utils.data.DataLoader``.
    """

    def __init__(
        self, dataset, batch_size="auto", shuffle=False, drop_last=False, sampler=None, **others
    ):
        if others:
            raise TypeError(
                f"TensorBatches got {sorted(others)}, and makes its batches without workers; "
                f"expected batch_size, shuffle, drop_last or sampler. For settings of torch's "
                f"DataLoader set iterator_train=torch.utils.data.DataLoader."
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.sampler = sampler

    def __iter__(self):
        for index in self.positions():
            yield self.rows.batch(index)

    @property
    def rows(self):
        """The source that is asked: the data set, or what it is a part of."""
        return self.dataset.dataset if isinstance(self.dataset, Subset) else self.dataset

    def positions(self):
        """Begin a pass: return where the rows of each batch are in the source.

        Returns
        -------
        list of torch.Tensor of int64
        """
        rows, positions = self.rows, None
        if isinstance(self.dataset, Subset):
            positions = torch.as_tensor(np.asarray(self.dataset.indices))
        order = self._order()
        if positions is None:
            positions = torch.arange(len(self.dataset)) if order is None else order
        elif order is not None:
            positions = positions[order]
        if rows.y:
            positions = positions.to(next(iter(rows.y.values())).device)
        return self._split(positions)

    def _order(self):
        if self.sampler is not None:
            return torch.as_tensor(list(self.sampler), dtype=torch.int64)
        if self.shuffle:
            return torch.randperm(len(self.dataset), generator=current_stream("order"))
        return None

    def _split(self, positions):
        size = resolve_batch_size(self.batch_size, len(self.dataset))
        batches = list(positions.split(size))
        if self.drop_last and len(batches[-1]) < size:
            if len(batches) == 1:
                raise StudentError(
                    f"iterator_train__drop_last leaves no batch: there are {len(positions)} rows "
                    f"and batch_size={size}; expected a batch of no more rows than there are."
                )
            return batches[:-1]
        if self.shuffle and len(batches) > 1 and len(batches[-1]) == 1:
            # Batch norm cannot learn from a single row.
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def sizes(self):
        """Return the number of rows of each batch of a pass."""
        n_rows = len(self.dataset) if self.sampler is None else len(self.sampler)
        return [len(index) for index in self._split(torch.arange(n_rows))]

    def __len__(self):
        return len(self.sizes())


def padded(rows, n_rows):
    """Return rows with as many zeros below them as are missing.

    Parameters
    ----------
    rows : torch.Tensor of shape (n_samples, ...)
    n_rows : int
        At least as many.
    """
    missing = n_rows - len(rows)
    return torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])]) if missing else rows


def resolve_batch_size(batch_size, n_samples):
    """Return the number of rows of a batch.

    Parameters
    ----------
    batch_size : int or "auto"
        See `TensorBatches`.
    n_samples : int
        Number of rows.

    Returns
    -------
    int
    """
    if batch_size != "auto":
        return batch_size
    return int(np.clip(2 ** int(np.log2(max(n_samples / 32, 1))), 8, 256))
