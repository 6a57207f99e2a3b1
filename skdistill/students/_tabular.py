"""The default network for columns of all kinds."""

import numpy as np
import torch
from torch import nn

from skdistill.students._embedding import MAX_FEATURES, PiecewiseLinearEmbedding
from skdistill.students._members import MemberMLP, MemberOutputs
from skdistill.students._mlp import MLP
from skdistill.students._settings import check_columns, check_settings


class TabularMLP(nn.Module):
    r"""A multi-layer perceptron over embedded numbers, flags and embedded categories.

    Parameters
    ----------
    n_features : int
        Width of the rows: quantities first, category codes last, between them columns that are
        taken as they are. `StudentNet` infers it.
    n_classes : int
        Number of logits. `StudentNet` infers it.
    n_numeric : int, default=0
        Leading columns that hold quantities. `StudentNet` infers it from rows that come from
        `TablePreprocessor`.
    cardinalities : tuple of int, default=()
        Number of codes of each trailing column, code 0 being "unknown". Inferred likewise.
    hidden_units : tuple of int, default=(256, 256)
        Width of each hidden layer; () is linear in what the embeddings give.
    dropout : float, default=0.2
        Share of hidden units that are left out of each training step.
    numeric_embedding : {"piecewise-linear", None}, default="piecewise-linear"
        What quantities get besides themselves; see `PiecewiseLinearEmbedding`. More than 2048 of
        them get nothing: each would have a single interval, and nine times the weights.
    embedding_size : int, default=8
        Units of each embedded column.
    n_bins : int, default=32
        Greatest number of intervals of a quantity.
    n_members : int, default=1
        How many networks there are in this one (TabM-mini). They share all weights but those of
        the last layer and a scaling of what the first layer reads. 1 is a network without it.
    member_mean : {"probabilities", "outputs"}, default="probabilities"
        What of the members is averaged in evaluation mode. `StudentNet` infers "probabilities",
        `StudentNetRegressor` "outputs".

    Notes
    -----
    Let k be the number of members, x what the first layer reads (columns and their embeddings)
    and f all hidden layers. Then

    .. math:: z_m = W_m f(r_m \odot x) + b_m, \qquad
        p = \frac1k \sum_{m=1}^{k} \mathrm{softmax}(z_m),

    and in evaluation mode the module returns log p, or for numbers the mean of z. Each
    :math:`r_m` begins as draws from the standard normal distribution, one for each column and one
    for all units of an embedding. The loss of a training step is the mean of the members' losses,
    so that each learns to answer alone.

    References
    ----------
    Gorishniy et al. 2025, "TabM: Advancing Tabular Deep Learning with Parameter-Efficient
    Ensembling", arXiv 2410.24210.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import TabularMLP
    >>> rows = torch.tensor([[0.3, 1.0, 2.0], [-1.2, 0.0, 0.0]])  # a number, a flag, a code
    >>> module = TabularMLP(3, n_classes=2, n_numeric=1, cardinalities=(4,))
    >>> module(rows).shape
    torch.Size([2, 2])

    Four members are one module, and answer as one:

    >>> module = TabularMLP(3, n_classes=2, n_numeric=1, cardinalities=(4,), n_members=4).eval()
    >>> module(rows).exp().sum(dim=1).allclose(torch.ones(2))
    True
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        n_numeric: int = 0,
        cardinalities: tuple[int, ...] = (),
        hidden_units: tuple[int, ...] = (256, 256),
        dropout: float = 0.2,
        numeric_embedding: str | None = "piecewise-linear",
        embedding_size: int = 8,
        n_bins: int = 32,
        n_members: int = 1,
        member_mean: str = "probabilities",
    ) -> None:
        super().__init__()
        check_settings(
            type(self).__name__,
            n_features=n_features,
            n_classes=n_classes,
            n_numeric=n_numeric,
            cardinalities=cardinalities,
            hidden_units=hidden_units,
            dropout=dropout,
            numeric_embedding=numeric_embedding,
            embedding_size=embedding_size,
            n_bins=n_bins,
            n_members=n_members,
            member_mean=member_mean,
        )
        check_columns(type(self).__name__, n_features, n_numeric, cardinalities)
        self.n_features = n_features
        embeds_numbers = numeric_embedding and n_numeric <= MAX_FEATURES
        self.n_numeric = n_numeric if embeds_numbers else 0
        self.n_codes = len(cardinalities)
        n_embedded = self.n_numeric + self.n_codes
        # Of what the first layer reads: each column itself, then each embedding.
        widths = [1] * (n_features - self.n_codes) + [embedding_size] * n_embedded
        if self.n_numeric:
            self.numeric = PiecewiseLinearEmbedding(n_numeric, embedding_size, n_bins)
        self.categories = nn.ModuleList(
            nn.Embedding(n, embedding_size, padding_idx=0) for n in cardinalities
        )
        self.mlp: MLP | MemberMLP
        if n_members == 1:
            self.mlp = MLP(sum(widths), n_classes, hidden_units, dropout)
        else:
            self.mlp = MemberMLP(widths, n_classes, hidden_units, dropout, n_members, member_mean)
        self.only_numeric = self.n_numeric == n_features
        self.takes_sparse = n_embedded == 0 and n_members == 1  # the first layer is then linear

    def adapt(self, X: np.ndarray) -> None:
        """Let the embeddings see the rows that they will learn from; `StudentNet` does it.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        """
        if self.n_numeric:
            self.numeric.adapt(X[:, : self.n_numeric])

    def read(self, X: torch.Tensor) -> torch.Tensor | None:
        """Return what needs no parameter: the same for modules that have adapted to one X.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_numeric, n_samples, n_bins), or None
            None where nothing is embedded as a number.
        """
        return self.numeric.encode(X[:, : self.n_numeric]) if self.n_numeric else None

    def forward(
        self, X: torch.Tensor, encoded: torch.Tensor | None = None
    ) -> torch.Tensor | MemberOutputs:
        """Return logits.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)
        encoded : torch.Tensor of shape (n_numeric, n_samples, n_bins), default=None
            What `read` has made of them, which is computed otherwise.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_classes)
            In training mode a module of several members returns a tuple of it and of the members'
            logits, of shape (n_samples, n_members, n_classes).
        """
        if self.takes_sparse:
            return self.mlp(X)
        parts = [X[:, : -self.n_codes] if self.n_codes else X]
        if self.n_numeric:
            numbers = X if self.only_numeric else X[:, : self.n_numeric]
            parts.append(self.numeric(numbers, encoded))
        if self.n_codes:
            codes = X[:, -self.n_codes :].long()
            parts += [embed(codes[:, i]) for i, embed in enumerate(self.categories)]
        return self.mlp(torch.cat(parts, dim=1))
