"""Dropout whose draws belong to the training that it is part of."""

from torch import nn

from skdistill._generators import draw_kept


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
        kept = draw_kept(X, self.p) if self.training and 0 < self.p < 1 else None
        return super().forward(X) if kept is None else X * kept
