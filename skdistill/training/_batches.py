"""Tensors, not items: a data set that is sliced a batch at a time."""

import numpy as np
import torch
from scipy import sparse
from torch.utils.data import Dataset, Subset

from skdistill._generators import current_stream
from skdistill._torch import sparse_tensor


class TensorRows(Dataset):
    """Rows and packed targets as tensors.

    Parameters
    ----------
    X : torch.Tensor of shape (n_samples, ...) or CSR matrix
        Rows.
    y : dict of str to torch.Tensor, default=None
        Packed targets.
    dtype : torch.dtype, default=torch.float32
        The dtype of the batches of sparse rows.
    keep_sparse : bool, default=False
        Whether sparse rows come as sparse tensors; dense a batch at a time otherwise.
    """

    def __init__(self, X, y=None, dtype=torch.float32, keep_sparse=False):
        self.X = X
        self.y = y
        self.dtype = dtype
        self.keep_sparse = keep_sparse

    def __len__(self):
        return self.X.shape[0]

    def __getitem__(self, index):
        rows, targets = self.batch(torch.as_tensor([index]))
        return rows[0], {name: values[0] for name, values in targets.items()}

    def batch(self, index):
        """Return some rows and their targets.

        Parameters
        ----------
        index : torch.Tensor of int64
            Positions.

        Returns
        -------
        X : torch.Tensor of shape (n_batch, ...)
        y : dict of str to torch.Tensor
        """
        if sparse.issparse(self.X):
            X = self.X[index.cpu().numpy()]
            if self.keep_sparse:
                X = sparse_tensor(X, self.dtype)
            else:
                X = torch.as_tensor(X.toarray(), dtype=self.dtype)
        else:
            X = self.X.index_select(0, index.to(self.X.device))
        return X, {n: v.index_select(0, index.to(v.device)) for n, v in self.y.items()}


class TensorBatches:
    """An iterator of batches for skorch, in place of torch's DataLoader.

    Parameters
    ----------
    dataset : TensorRows or torch.utils.data.Subset of one
        Rows to go through.
    batch_size : int or "auto", default="auto"
        "auto" is a 32nd of the rows, rounded down to a power of two, in [8, 256].
    shuffle : bool, default=False
        Whether each pass has an order of its own, drawn from the training's generator, or from
        torch's where that has none.
    """

    def __init__(self, dataset, batch_size="auto", shuffle=False):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __iter__(self):
        rows, positions = self.dataset, None
        if isinstance(rows, Subset):
            positions = torch.as_tensor(np.asarray(rows.indices))
            rows = rows.dataset
        order = None
        if self.shuffle:
            order = torch.randperm(len(self.dataset), generator=current_stream("order"))
        if positions is None:
            positions = torch.arange(len(self.dataset)) if order is None else order
        elif order is not None:
            positions = positions[order]
        positions = positions.to(next(iter(rows.y.values())).device)
        for index in self._split(positions):
            yield rows.batch(index)

    def _split(self, positions):
        size = resolve_batch_size(self.batch_size, len(self.dataset))
        batches = list(positions.split(size))
        if self.shuffle and len(batches) > 1 and len(batches[-1]) == 1:
            # Batch norm cannot learn from a single row.
            batches[-2:] = [torch.cat(batches[-2:])]
        return batches

    def __len__(self):
        return len(self._split(torch.arange(len(self.dataset))))


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
