"""The loss of a regressor's distillation as a criterion that any skorch net can train with."""

import torch
from torch import nn

from skdistill._torch import first_output
from skdistill.losses._regression import SquaredErrorLoss


class RegressionCriterion(nn.Module):
    """One loss of the targets and of the teacher's numbers, over packed targets.

    In evaluation mode, on held-back rows, it is the loss of the true targets alone.

    Parameters
    ----------
    loss : RegressionLoss, default=None
        What both terms are measured by; None is the squared error.
    alpha : float, default=0.0
        Weight of the teacher's term in [0, 1].
    labelled_share : float, default=1.0
        Share of the rows that carry a target, by which the term of the targets is divided in
        training: the others count as zeros in its mean.

    Examples
    --------
    >>> import torch
    >>> from skdistill.training import RegressionCriterion
    >>> RegressionCriterion()(torch.zeros(2, 1), {"target": torch.tensor([[1.0], [3.0]])})
    tensor(5.)
    """

    outputs = "numbers of shape {shape}, one for each column of y"

    def __init__(self, loss=None, alpha=0.0, labelled_share=1.0):
        super().__init__()
        self.loss = loss
        self.alpha = alpha
        self.labelled_share = labelled_share

    def forward(self, outputs, packed):
        """Return the mean loss of a batch.

        Parameters
        ----------
        outputs : torch.Tensor of shape (n_samples, n_outputs)
            What the module returned; or a tuple that starts with it.
        packed : dict of str to torch.Tensor
            See `pack_values`.

        Returns
        -------
        torch.Tensor, a scalar
        """
        values = first_output(outputs)
        loss = SquaredErrorLoss() if self.loss is None else self.loss
        alpha = self.alpha if self.training else 0.0

        def term(name, weight):
            weight = packed.get(weight)
            weight = None if weight is None else weight.to(values)
            return loss.mean(values, packed[name].to(values), weight)

        if alpha == 1:
            return term("teacher_target", "soft_weight")
        hard = term("target", "hard_weight")
        if self.training and self.labelled_share != 1:
            hard = hard / self.labelled_share
        if alpha == 0:
            return hard
        return torch.lerp(hard, term("teacher_target", "soft_weight"), alpha)

    def look_at(self, outputs):
        """Take the outputs as they are; those of a classifier may be probabilities.

        Parameters
        ----------
        outputs : torch.Tensor of shape (n_samples, n_outputs)
            What the module makes of a few rows.
        """
