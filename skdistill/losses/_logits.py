"""Losses of the logits themselves, centred, for a shift of a row says nothing."""

import torch
from torch.nn.functional import huber_loss, mse_loss

from skdistill.losses._base import Loss
from skdistill.losses._operands import POSITIVE, check_logits


def centred(logits):
    """Return logits less the mean of their row."""
    return logits - logits.mean(dim=-1, keepdim=True)


class MSE(Loss):
    r"""Squared error of centred logits, :math:`\frac{1}{C} \sum_c (z_{s,c} - z_{t,c})^2`.

    The mean over the classes, not the sum, so that it stands on the scale of kd, which tends to
    half of it as the temperature grows. It has no temperature. It suits networks as teachers: the
    logarithm of a forest's small probabilities is a large number.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.

    References
    ----------
    Ba and Caruana 2014, "Do Deep Nets Really Need to be Deep?", arXiv 1312.6184.
    Kim et al. 2021, "Comparing Kullback-Leibler Divergence and Mean Squared Error Loss in
    Knowledge Distillation", arXiv 2105.08919.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import MSE
    >>> MSE().rows(torch.tensor([[2.0, 0.0]]), torch.tensor([[5.0, 5.0]]), None, 1.0)
    tensor([1.])
    """

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row; the temperature does not matter."""
        check_logits(student_logits, teacher_logits)
        errors = mse_loss(centred(student_logits), centred(teacher_logits), reduction="none")
        return errors.mean(dim=-1)


class Huber(Loss):
    r"""Huber's error of centred logits: squared up to delta, linear beyond.

    .. math:: \frac{1}{C} \sum_c h_\delta(z_{s,c} - z_{t,c}), \qquad
        h_\delta(d) = \begin{cases} d^2 / 2 & |d| \le \delta \\
        \delta (|d| - \delta / 2) & \text{otherwise} \end{cases}

    It suits teachers with some logits that are far out, such as clipped zeros. With delta 1 it is
    torch's SmoothL1. It has no temperature.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.
    delta : float, default=1.0
        Where squared becomes linear, in units of the logits.

    References
    ----------
    Huber 1964, "Robust Estimation of a Location Parameter".

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import Huber
    >>> Huber().rows(torch.tensor([[6.0, 0.0]]), torch.tensor([[0.0, 0.0]]), None, 1.0)
    tensor([2.5000])
    """

    _parameter_constraints = {**Loss._parameter_constraints, "delta": [POSITIVE]}

    def __init__(self, weight: float = 1.0, delta: float = 1.0) -> None:
        super().__init__(weight)
        self.delta = delta

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row; the temperature does not matter."""
        check_logits(student_logits, teacher_logits)
        errors = huber_loss(
            centred(student_logits), centred(teacher_logits), reduction="none", delta=self.delta
        )
        return errors.mean(dim=-1)
