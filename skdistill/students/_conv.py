"""A small convolutional network."""

import torch
from torch import nn

from skdistill._compat import StrOptions
from skdistill.students._dropout import Dropout
from skdistill.students._images import MOVE_CHANNELS, are_channels_last
from skdistill.students._settings import check_settings

SIZES = {"tiny": ((8, 16), 1), "small": ((16, 32, 64), 1), "medium": ((32, 64, 128), 2)}
"""The channels of each block, and the convolutions in it."""

LEAST_SIDE = 8


class AsImages(nn.Module):
    """Give images without an axis of channels one, and refuse what is no image of this net.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.n_channels = n_channels

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Return images of shape (n_samples, n_channels, height, width)."""
        if X.ndim == 3:
            X = X.unsqueeze(1)
        if X.ndim != 4 or min(X.shape[2:]) < LEAST_SIDE:
            raise ValueError(
                f"ConvNet reads images of shape (n, c, h, w), channels first, or (n, h, w), of "
                f"{LEAST_SIDE} x {LEAST_SIDE} pixels or more; got the shape {tuple(X.shape)}"
                + (f". {MOVE_CHANNELS}" if are_channels_last(X.shape) else "")
            )
        if X.shape[1] != self.n_channels:
            raise ValueError(
                f"This ConvNet was made for images of {self.n_channels} channel(s), of shape (n, "
                f"{self.n_channels}, h, w); got the shape {tuple(X.shape)}"
            )
        return X


class ConvNet(nn.Sequential):
    """Blocks of 3x3 convolutions with batch norm and ReLU, then a mean over the image.

    Between blocks the image is halved by max pooling. The mean makes the number of weights
    independent of the image's size.

    Parameters
    ----------
    n_channels : int
        Channels of the images. `StudentNet` infers it: 1 for images of shape (n, h, w), to which
        the module adds the axis itself.
    n_classes : int
        Number of logits. `StudentNet` infers it.
    size : {"tiny", "small", "medium"}, default="small"
        Channels of each block: 8 and 16; 16, 32 and 64; 32, 64 and 128 with two convolutions in
        each. With one channel and ten classes that makes 1,442, 24,058 and 288,170 weights.
    dropout : float, default=0.0
        Share of the last block's channels that are left out of each training step.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import ConvNet
    >>> ConvNet(3, n_classes=10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    >>> ConvNet(1, n_classes=10, size="tiny")(torch.zeros(2, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, n_channels: int, n_classes: int, size: str = "small", dropout: float = 0.0
    ) -> None:
        check_settings(
            type(self).__name__,
            {"size": [StrOptions(set(SIZES))]},
            n_channels=n_channels,
            n_classes=n_classes,
            size=size,
            dropout=dropout,
        )
        widths, n_convolutions = SIZES[size]
        layers: list[nn.Module] = [AsImages(n_channels)]
        for i, width in enumerate(widths):
            if i:
                layers.append(nn.MaxPool2d(2))
            for _ in range(n_convolutions):
                layers += [
                    nn.Conv2d(n_channels, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
                n_channels = width
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        if dropout:
            layers.append(Dropout(dropout))
        super().__init__(*layers, nn.Linear(n_channels, n_classes))
