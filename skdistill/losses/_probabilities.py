"""Bounded losses of the probabilities, safe where the teacher says exactly 0 or 1."""

import math

import torch
from torch.nn.functional import log_softmax, softmax

from skdistill.losses._base import Loss
from skdistill.losses._operands import check_logits, check_temperature


class Brier(Loss):
    r"""Squared distance of the probabilities, :math:`\sum_c (p_c - q_c)^2`, in [0, 2].

    p and q are the softmax of the teacher's and the student's logits divided by T, which is 1
    unless you set it: at 4 the gradient is all but gone.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.

    References
    ----------
    Brier 1950, "Verification of Forecasts Expressed in Terms of Probability".

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import Brier
    >>> Brier().rows(torch.zeros(1, 2), torch.tensor([[100.0, 0.0]]), None, 1.0)
    tensor([0.5000])
    """

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row."""
        check_logits(student_logits, teacher_logits)
        check_temperature(temperature, type(self).__name__)
        p = softmax(teacher_logits / temperature, dim=-1)
        return (p - softmax(student_logits / temperature, dim=-1)).square().sum(dim=-1)


class JensenShannon(Loss):
    r"""Jensen and Shannon's divergence, in [0, log 2].

    .. math:: \tfrac12 \mathrm{KL}(p \| m) + \tfrac12 \mathrm{KL}(q \| m), \qquad m = (p + q) / 2

    p and q are the softmax of the teacher's and the student's logits divided by T, 1 unless you
    set it.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.

    References
    ----------
    Lin 1991, "Divergence Measures Based on the Shannon Entropy".

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import JensenShannon
    >>> sure = torch.tensor([[100.0, 0.0]])
    >>> JensenShannon().rows(sure, sure.flip(1), None, 1.0)
    tensor([0.6931])
    """

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row."""
        check_logits(student_logits, teacher_logits)
        check_temperature(temperature, type(self).__name__)
        log_p = log_softmax(teacher_logits / temperature, dim=-1)
        log_q = log_softmax(student_logits / temperature, dim=-1)
        log_m = torch.logaddexp(log_p, log_q) - math.log(2)
        terms = log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m)
        return terms.sum(dim=-1) / 2
