"""Numbers spread over several units before the first layer."""

import math

import numpy as np
import torch
from torch import nn

from skdistill.students._settings import COUNT, check_settings

MAX_UNITS = 4096
MAX_FEATURES = MAX_UNITS // 2
"""Of more columns each would have a single interval, and an embedding that is all but linear."""

MAX_ROWS = 20_000
CLOSEST = 1e-6  # knots nearer to each other are one


class PiecewiseLinearEmbedding(nn.Module):
    r"""Spread each number over the intervals of its column.

    A column's value x lies in one of K intervals between knots :math:`t_0 < \dots < t_K`. It is
    first encoded by how far it has come through each,

    .. math:: e_k = \mathrm{clip}\left(\frac{x - t_{k-1}}{t_k - t_{k-1}}, 0, 1\right),

    then :math:`W (e - \bar e)` with weights W of the column's own and the mean of e over the rows
    that it learns from: any piecewise linear function of the column, which ReLU units alone find
    slowly where it has steps. Without the mean, many columns would add up to one large offset.

    Parameters
    ----------
    n_features : int
        Number of columns.
    size : int, default=8
        Units of each column.
    n_bins : int, default=32
        Greatest number K of intervals; less where columns are so many that they would make more
        than 4096 together.

    References
    ----------
    Gorishniy et al. 2022, "On Embeddings for Numerical Features in Tabular Deep Learning",
    arXiv 2203.05556.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skdistill.students import PiecewiseLinearEmbedding
    >>> module = PiecewiseLinearEmbedding(n_features=1, size=2, n_bins=3)
    >>> module.adapt(np.array([[0.0], [1.0], [10.0], [11.0]]))
    >>> module.encode(torch.tensor([[5.5]])) + module.center
    tensor([[[1.0000, 0.5000, 0.0000]]])
    >>> module(torch.tensor([[5.5]])).shape
    torch.Size([1, 2])
    """

    slope: torch.Tensor
    offset: torch.Tensor
    center: torch.Tensor

    def __init__(self, n_features: int, size: int = 8, n_bins: int = 32) -> None:
        super().__init__()
        owner = type(self).__name__
        check_settings(owner, {"size": COUNT}, n_features=n_features, size=size, n_bins=n_bins)
        n_bins = max(1, min(n_bins, MAX_UNITS // n_features))
        # e = clip(slope * x + offset): an interval that is not there has slope and offset 0.
        self.register_buffer("slope", torch.zeros(n_features, 1, n_bins))
        self.register_buffer("offset", torch.zeros(n_features, 1, n_bins))
        self.register_buffer("center", torch.zeros(n_features, 1, n_bins))
        bound = 1 / math.sqrt(n_bins)
        weight = torch.empty(n_features, n_bins, size).uniform_(-bound, bound)
        # Each column's W, whose product takes two thirds of the time of its transpose's.
        self.weight = nn.Parameter(weight.mT.contiguous())

    def adapt(self, X: np.ndarray) -> None:
        """Place the knots at quantiles of each column's distinct values.

        Of distinct values, so that a column which holds one number in most rows is told apart
        where it differs.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Rows to learn from; of many, some 20,000 evenly spaced ones are looked at.

        Raises
        ------
        ValueError
            For rows of another width, for none, and for NaN and infinity.
        """
        n_features = len(self.slope)
        if np.ndim(X) != 2 or len(X) == 0 or X.shape[1] != n_features:
            raise ValueError(
                f"X has the shape {np.shape(X)}; expected finite numbers of shape (n_samples, "
                f"{n_features}), one column for each that is embedded."
            )
        X = X[:: -(-len(X) // MAX_ROWS)]
        if not np.isfinite(X).all():
            raise ValueError(
                f"X has NaN or infinity among them; expected finite numbers of shape (n_samples, "
                f"{n_features}). Fill the gaps, as TablePreprocessor does."
            )
        for buffer in self.buffers():
            buffer.zero_()
        shares = np.linspace(0, 1, self.slope.shape[2] + 1)
        for i, column in enumerate(X.T):
            knots = np.quantile(np.unique(column), shares).astype(np.float32)
            knots = knots[np.append(True, np.diff(knots) > CLOSEST)]
            slope = torch.from_numpy(1 / np.diff(knots))
            self.slope[i, 0, : len(slope)] = slope
            self.offset[i, 0, : len(slope)] = -slope * torch.from_numpy(knots[:-1])
        rows = torch.as_tensor(np.asarray(X), dtype=self.slope.dtype, device=self.slope.device)
        sums = [self.encode(part).sum(dim=1, keepdim=True) for part in rows.split(1024)]
        self.center.copy_(torch.stack(sums).sum(dim=0) / len(rows))

    def encode(self, X: torch.Tensor) -> torch.Tensor:
        """Return how far each number has come through each interval, less the mean.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_features, n_samples, n_bins)
        """
        come = torch.addcmul(self.offset, X.t().unsqueeze(2), self.slope)
        return come.clamp_(0, 1).sub_(self.center)

    def forward(self, X: torch.Tensor, encoded: torch.Tensor | None = None) -> torch.Tensor:
        """Embed rows.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
        encoded : torch.Tensor of shape (n_features, n_samples, n_bins), default=None
            What `encode` has made of them.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_features * size)
        """
        encoded = self.encode(X) if encoded is None else encoded
        return torch.bmm(self.weight, encoded.mT).flatten(0, 1).t()
