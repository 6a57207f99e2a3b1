"""Distillation by correlation: the order of classes and of rows, and not their size."""

import torch
from torch.nn.functional import softmax

from skdistill.losses._base import Loss
from skdistill.losses._operands import (
    NOT_NEGATIVE,
    check_logits,
    check_not_both_zero,
    check_row_weight,
    check_temperature,
)

LEAST_VARIANCE = 1e-12
"""Of less, as of a constant, a correlation says nothing."""


def pearson_distance(a, b, weight):
    """Return 1 - Pearson's correlation along the last axis.

    Parameters
    ----------
    a, b : torch.Tensor of shape (n_series, n_values)
    weight : torch.Tensor of shape (n_values,) or (1, n_values)
        Weights that sum to one.

    Returns
    -------
    torch.Tensor of shape (n_series,)
        In [0, 2]; 0, without a gradient, where a series is constant.
    """
    a = a - (weight * a).sum(dim=-1, keepdim=True)
    b = b - (weight * b).sum(dim=-1, keepdim=True)
    variances = [(weight * x.square()).sum(dim=-1) for x in (a, b)]
    usable = (variances[0] > LEAST_VARIANCE) & (variances[1] > LEAST_VARIANCE)
    scale = torch.where(usable, variances[0] * variances[1], 1.0).sqrt()
    return torch.where(usable, 1 - (weight * a * b).sum(dim=-1) / scale, 0.0)


class DIST(Loss):
    r"""Distillation from a stronger teacher: one minus correlations of the probabilities.

    .. math:: T^2 \left( \beta \cdot \frac1N \sum_i [1 - \rho(q_{i \cdot}, p_{i \cdot})]
        + \gamma \cdot \frac1C \sum_c [1 - \rho(q_{\cdot c}, p_{\cdot c})] \right)

    over the rows i and the classes c of a batch, :math:`\rho` being Pearson's correlation. The
    student need only agree in what is more probable than what. A row or a column that is constant
    adds nothing, and neither does the second part in a batch of one row. With two classes the
    first part knows signs alone, and the second teaches. T is 1 unless you set it: at 4 its
    gradient is some 25 times kd's.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.
    inter_weight : float, default=1.0
        :math:`\beta`, of the correlations over the classes of a row.
    intra_weight : float, default=1.0
        :math:`\gamma`, of those over the rows of a class.

    References
    ----------
    Huang et al. 2022, "Knowledge Distillation from A Stronger Teacher", arXiv 2205.10536.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import DIST
    >>> p = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]])
    >>> DIST().mean(p.log(), p.log(), labels=None, row_weight=None, temperature=1.0).abs() < 1e-6
    tensor(True)
    """

    _parameter_constraints = {
        **Loss._parameter_constraints,
        "inter_weight": [NOT_NEGATIVE],
        "intra_weight": [NOT_NEGATIVE],
    }

    def __init__(
        self, weight: float = 1.0, inter_weight: float = 1.0, intra_weight: float = 1.0
    ) -> None:
        super().__init__(weight)
        self.inter_weight = inter_weight
        self.intra_weight = intra_weight

    def check_settings(self) -> None:
        """Refuse weights out of their range; see `Loss.check_settings`."""
        super().check_settings()
        check_not_both_zero(self, "inter_weight", "intra_weight")

    def mean(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None,
        row_weight: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of a batch; its rows are weighted in both parts."""
        check_logits(student_logits, teacher_logits)
        check_temperature(temperature, type(self).__name__)
        n_samples, n_classes = student_logits.shape[-2:]
        check_row_weight(row_weight, n_samples)
        q = softmax(student_logits / temperature, dim=-1)
        p = softmax(teacher_logits / temperature, dim=-1)
        row_weight = q.new_ones(n_samples) if row_weight is None else row_weight
        rows = pearson_distance(q, p, q.new_full((n_classes,), 1 / n_classes))
        total = row_weight.sum(-1)
        shares = row_weight / torch.where(total > 0, total, 1.0)
        columns = pearson_distance(q.mT, p.mT, shares)
        inter, intra = (row_weight * rows).mean(-1), row_weight.mean(-1) * columns.mean(-1)
        return temperature**2 * (self.inter_weight * inter + self.intra_weight * intra)
