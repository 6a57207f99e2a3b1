"""A plain multi-layer perceptron, and the linear model that it is without hidden layers."""

import torch
from torch import nn

from skdistill.students._dropout import Dropout
from skdistill.students._settings import check_settings


class MLP(nn.Sequential):
    """Linear layers with ReLU between them, the last giving logits.

    Parameters
    ----------
    n_features : int
        Width of the rows. `StudentNet` infers it.
    n_classes : int
        Number of logits. `StudentNet` infers it.
    hidden_units : tuple of int, default=(256, 256)
        Width of each hidden layer; () is a linear model.
    dropout : float, default=0.0
        Share of hidden units that are left out of each training step.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import MLP
    >>> MLP(4, 3, hidden_units=(8,))(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """

    takes_sparse: bool = True  # the first layer is linear

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden_units: tuple[int, ...] = (256, 256),
        dropout: float = 0.0,
    ) -> None:
        check_settings(
            type(self).__name__,
            n_features=n_features,
            n_classes=n_classes,
            hidden_units=hidden_units,
            dropout=dropout,
        )
        layers = []
        for width in hidden_units:
            layers += [nn.Linear(n_features, width), nn.ReLU()]
            if dropout:
                layers.append(Dropout(dropout))
            n_features = width
        super().__init__(*layers, nn.Linear(n_features, n_classes))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return logits.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, n_features)

        Returns
        -------
        torch.Tensor of shape (n_samples, n_classes)
        """
        for layer in self:
            # Without effect in evaluation mode, and for a single row as dear as a linear layer.
            if self.training or not isinstance(layer, nn.Dropout):
                X = layer(X)
        return X


class Linear(MLP):
    """Wx + b: multinomial logistic regression as a network, dense or sparse.

    Parameters
    ----------
    n_features : int
        Width of the rows. `StudentNet` infers it.
    n_classes : int
        Number of logits. `StudentNet` infers it.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import Linear
    >>> Linear(4, 3)(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(self, n_features: int, n_classes: int) -> None:
        super().__init__(n_features, n_classes, hidden_units=())
