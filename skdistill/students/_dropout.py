"""Dropout whose draws belong to the training that it is part of."""

import torch
from torch import nn

from skdistill._generators import current_stream


class Dropout(nn.Dropout):
    """Torch's dropout, drawn from the training's own generator where there is one.

    Outside of a training with a seed it is `torch.nn.Dropout`. With the same state of its
    generator it leaves out the same units.

    Parameters
    ----------
    p : float, default=0.5
        Probability of a unit to be left out.
    inplace : bool, default=False
        Not heard in a training with a seed.
    """

    def forward(self, X):
        """Return X, some of it zero and the rest larger, in training; X itself otherwise."""
        generator = current_stream("dropout")
        if not self.training or generator is None or not 0 < self.p < 1:
            return super().forward(X)
        kept = torch.empty_like(X).bernoulli_(1 - self.p, generator=generator)
        return X * kept.div_(1 - self.p)
