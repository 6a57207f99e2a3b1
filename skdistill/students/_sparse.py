"""A network whose first layer reads sparse rows without making them dense."""

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.nn import functional

from skdistill.students._dropout import Dropout
from skdistill.students._mlp import MLP
from skdistill.students._settings import check_settings
from skdistill.students._sparse_scaling import sum_duplicates


class SparseLinear(nn.Module):
    """Wx + b for sparse rows: a weighted sum of the rows of a table, one for each filled column.

    The table is stored a row for each feature, as an embedding's, so that a batch touches the
    features that it holds and no others, forwards and backwards. Dense rows may come too.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    n_units : int
        Width of the output.
    """

    def __init__(self, n_features: int, n_units: int) -> None:
        super().__init__()
        bound = max(n_features, 1) ** -0.5  # as nn.Linear starts
        self.weight = nn.Parameter(torch.empty(n_features, n_units).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_units).uniform_(-bound, bound))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return Wx + b.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
            Dense, or sparse in the coordinate format and coalesced.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_units), dense
        """
        if not X.is_sparse:
            return X @ self.weight + self.bias
        rows, columns = X.indices()
        starts = torch.searchsorted(rows, torch.arange(X.shape[0], device=rows.device))
        sums = functional.embedding_bag(
            columns, self.weight, starts, mode="sum", per_sample_weights=X.values()
        )
        return sums + self.bias


class SparseMLP(nn.Module):
    """A multi-layer perceptron for sparse rows, such as texts as tf-idf or hashed words.

    Rows are divided by one number, the root mean square of what the filled cells held in training,
    so that their unit does not matter and the weights that tf-idf gave to words stay.

    Parameters
    ----------
    n_features : int
        Width of the rows. `StudentNet` infers it.
    n_classes : int
        Number of logits. `StudentNet` infers it.
    hidden_units : tuple of int, default=(64,)
        Width of each hidden layer; () is a linear model.
    dropout : float, default=0.5
        Share of hidden units that are left out of each training step.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import SparseMLP
    >>> rows = torch.eye(3, 1000).to_sparse()
    >>> SparseMLP(1000, n_classes=2)(rows).shape
    torch.Size([3, 2])
    """

    takes_sparse: bool = True

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden_units: tuple[int, ...] = (64,),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        check_settings(
            type(self).__name__,
            n_features=n_features,
            n_classes=n_classes,
            hidden_units=hidden_units,
            dropout=dropout,
        )
        widths = (*hidden_units, n_classes)
        self.register_buffer("scale", torch.ones(()))
        self.first = SparseLinear(n_features, widths[0])
        self.rest = nn.Sequential()
        if hidden_units:
            self.rest.append(nn.ReLU())
            if dropout:
                self.rest.append(Dropout(dropout))
            self.rest.append(MLP(widths[0], n_classes, hidden_units[1:], dropout))

    def adapt(self, X: Any) -> None:
        """Learn the scale of the filled cells; `StudentNet` does it.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, n_features)

        Raises
        ------
        ValueError
            For NaN and infinity.
        """
        values = sum_duplicates(X).data if sparse.issparse(X) else X[X != 0]
        size = np.sqrt(np.mean(np.square(values, dtype=np.float64))) if values.size else 0.0
        if not np.isfinite(size):
            raise ValueError(
                "X has NaN or infinity among them; expected finite numbers. Fill the gaps."
            )
        self.scale: torch.Tensor
        self.scale.fill_(size or 1.0)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_samples, n_classes)
        """
        return self.rest(self.first(X / self.scale))
