"""The loss of a student of several labels: for each a binary term of y and of the teacher."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from skdistill.teachers._clip import EPSILON
from skdistill.training._criterion import PackedCriterion


def label_divergence(
    logits: torch.Tensor, probabilities: torch.Tensor, temperature: float = 1.0
) -> torch.Tensor:
    r"""Return the teacher's term of each row, the sum of a divergence for each label.

    .. math:: T^2 \sum_j p_j \log\frac{p_j}{q_j} + (1 - p_j) \log\frac{1 - p_j}{1 - q_j},
        \quad q = \sigma(z / T), \quad p = \sigma(\mathrm{logit}(t) / T)

    with the student's logits z and the teacher's probabilities t, taken as at least 1e-12 away from
    0 and 1. The factor keeps the gradient on the scale of the labels' term whatever T is.

    Parameters
    ----------
    logits, probabilities : torch.Tensor of shape (n_samples, n_labels)
    temperature : float, default=1.0

    Returns
    -------
    torch.Tensor of shape (n_samples,)
        Not negative, 0 where both say the same.
    """
    p = probabilities
    teacher = (p.clamp_min(EPSILON).log() - (1 - p).clamp_min(EPSILON).log()) / temperature
    student = logits / temperature
    p = torch.sigmoid(teacher)
    losses = p * (logsigmoid(teacher) - logsigmoid(student))
    losses = losses + (1 - p) * (logsigmoid(-teacher) - logsigmoid(-student))
    return temperature**2 * losses.sum(-1)


class MultilabelCriterion(PackedCriterion):
    r"""Binary terms of several labels and of a teacher's probabilities, over packed targets.

    A row costs :math:`\sum_j (1 - \alpha) \mathrm{BCE}(y_j, \sigma(z_j)) + \alpha T^2
    \mathrm{KL}(\sigma(\mathrm{logit}(t_j) / T) \| \sigma(z_j / T))`, with the teacher's
    probabilities t. In evaluation mode, on held-back rows, it is the first sum alone.

    Parameters
    ----------
    loss : object, default=None
        Not heard: there is one loss for each of the two terms.
    alpha : float, default=0.0
        Weight of the teacher's term in [0, 1].
    temperature : float, default=1.0
        Divides the logits of both sides in the teacher's term.
    terms : sequence of Term, default=()
        What is added while a net learns.

    Examples
    --------
    >>> import torch
    >>> from skdistill.training import MultilabelCriterion
    >>> MultilabelCriterion()(torch.zeros(1, 2), {"target": torch.tensor([[1.0, 0.0]])})
    tensor(1.3863)
    """

    outputs = "logits of shape {shape}, one for each label"
    member_mean = "outputs"

    def __init__(
        self,
        loss: Any = None,
        alpha: float = 0.0,
        temperature: float = 1.0,
        terms: Sequence[Any] = (),
    ) -> None:
        super().__init__()
        self.loss = loss
        self.alpha = alpha
        self.temperature = temperature
        self.terms = terms

    def _hard(self, logits, packed):
        target = packed["target"].to(logits)
        losses = binary_cross_entropy_with_logits(logits, target, reduction="none").sum(-1)
        return _mean(losses, packed.get("hard_weight"))

    def _soft(self, logits, packed):
        probabilities = packed["teacher_target"].to(logits)
        losses = label_divergence(logits, probabilities, self.temperature)
        return _mean(losses, packed.get("soft_weight"))


def _mean(losses, weight):
    return losses.mean() if weight is None else (weight.to(losses) * losses).mean()
