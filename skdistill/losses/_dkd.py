"""Decoupled distillation: how sure of the class, and what else it might be."""

from numbers import Integral

import torch
from torch.nn.functional import log_softmax

from skdistill._compat import Interval
from skdistill._warn import warn
from skdistill.exceptions import DistillationWarning
from skdistill.losses._base import Loss
from skdistill.losses._kd import divergence
from skdistill.losses._operands import (
    NOT_NEGATIVE,
    check_labels,
    check_logits,
    check_not_both_zero,
    check_temperature,
)


def dkd_divergence(
    student_logits: torch.Tensor,
    teacher_logits: torch.Tensor,
    labels: torch.Tensor,
    temperature: float = 1.0,
    target_weight: float | torch.Tensor = 1.0,
    other_weight: float | torch.Tensor = 2.0,
) -> torch.Tensor:
    r"""Return a · T² · KL(u_p‖u_q) + b · T² · KL(p̂‖q̂) for each row.

    With p and q the softmax of the logits divided by T and y the label, :math:`u_p = (p_y, 1 -
    p_y)` and :math:`\hat p` is p over the other classes, scaled to sum to one. For a = 1 and b =
    1 - p_y the sum is kd's T² · KL(p‖q).

    Parameters
    ----------
    student_logits, teacher_logits : torch.Tensor of shape (n_samples, n_classes)
        Finite numbers.
    labels : torch.Tensor of shape (n_samples,), int64
        The column of each row's class. A row of -1 has no label and takes kd.
    temperature : float, default=1.0
        T in [0.001, 10000].
    target_weight : float or torch.Tensor of shape (n_samples,), default=1.0
        a.
    other_weight : float or torch.Tensor of shape (n_samples,), default=2.0
        b.

    Returns
    -------
    torch.Tensor of shape (n_samples,)
        NaN for a row with a NaN.

    Raises
    ------
    TypeError or ValueError
        For tensors that are no floats or not of one shape, labels that are none of the columns,
        and T out of its range.

    References
    ----------
    Zhao et al. 2022, "Decoupled Knowledge Distillation", arXiv 2203.08679.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import dkd_divergence
    >>> teacher, label = torch.tensor([[0.7, 0.2, 0.1]]).log(), torch.tensor([0])
    >>> dkd_divergence(torch.zeros(1, 3), teacher, label)
    tensor([0.3931])
    """
    check_logits(student_logits, teacher_logits)
    check_temperature(temperature, "dkd_divergence")
    n_samples, n_classes = student_logits.shape
    check_labels(labels, n_samples, n_classes)
    for name, value in (("target_weight", target_weight), ("other_weight", other_weight)):
        shape = tuple(getattr(value, "shape", ()))
        if shape not in ((), (n_samples,)):
            raise ValueError(
                f"{name} has the shape {shape}; expected a float or a tensor of shape "
                f"({n_samples},), one for each row."
            )
    return _decoupled(
        student_logits, teacher_logits, labels, temperature, target_weight, other_weight
    )


def _decoupled(student_logits, teacher_logits, labels, temperature, target_weight, other_weight):
    labelled = labels >= 0
    column = labels.clamp_min(0).unsqueeze(-1)
    target = column == torch.arange(student_logits.shape[-1], device=labels.device)
    of_target, of_others = [], []
    for logits in (teacher_logits / temperature, student_logits / temperature):
        # Far below all others, and still finite: its probability is an exact 0.
        others = logits.masked_fill(target, torch.finfo(logits.dtype).min / 4)
        own, rest = logits.gather(-1, column), torch.logsumexp(others, dim=-1, keepdim=True)
        of_target.append(log_softmax(torch.cat([own, rest], dim=-1), dim=-1))
        of_others.append(log_softmax(others, dim=-1))
    decoupled = target_weight * _kl(*of_target) + other_weight * _kl(*of_others)
    # A tensor, with a temperature for each of several students, comes with labels that cannot be
    # looked at.
    if not isinstance(temperature, torch.Tensor) and labelled.all():
        return temperature**2 * decoupled
    coupled = divergence(student_logits, teacher_logits, temperature)
    return torch.where(labelled, temperature**2 * decoupled, coupled)


def _kl(log_p, log_q):
    return (log_p.exp() * (log_p - log_q)).sum(dim=-1)


class DKD(Loss):
    """Decoupled knowledge distillation; see `dkd_divergence`.

    For ten classes or more and a confident teacher, whose view of the other classes kd weighs by
    the little that it leaves them. Rows without a label take kd.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term.
    target_weight : float, default=1.0
        Weight of how sure the teacher is of the true class.
    other_weight : float, default=2.0
        Weight of its view of the other classes. The paper's own range is 2 to 8, and grows with
        the distance between teacher and student.
    warmup_epochs : int, default=20
        Epochs over which the term's weight rises from 0 in equal steps.

    References
    ----------
    Zhao et al. 2022, "Decoupled Knowledge Distillation", arXiv 2203.08679.

    Examples
    --------
    >>> from skdistill.losses import DKD
    >>> DKD(other_weight=8.0).default_temperature("logits", n_classes=100)
    4.0
    """

    needs_labels = True
    _parameter_constraints = {
        **Loss._parameter_constraints,
        "target_weight": [NOT_NEGATIVE],
        "other_weight": [NOT_NEGATIVE],
        "warmup_epochs": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        weight: float = 1.0,
        target_weight: float = 1.0,
        other_weight: float = 2.0,
        warmup_epochs: int = 20,
    ) -> None:
        super().__init__(weight)
        self.target_weight = target_weight
        self.other_weight = other_weight
        self.warmup_epochs = warmup_epochs

    def check_settings(self) -> None:
        """Refuse settings out of their range; see `Loss.check_settings`."""
        super().check_settings()
        check_not_both_zero(self, "target_weight", "other_weight")

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row; that its labels are columns is believed."""
        check_logits(student_logits, teacher_logits)
        check_temperature(temperature, type(self).__name__)
        check_labels(labels, len(student_logits))
        return _decoupled(
            student_logits,
            teacher_logits,
            labels,
            temperature,
            self.target_weight,
            self.other_weight,
        )

    def default_temperature(self, kind: str, n_classes: int) -> float:
        """Return 4 for logits, and 1 for teachers known by their probabilities alone."""
        return 4.0 if kind == "logits" else 1.0

    def check_classes(self, n_classes: int) -> None:
        """Warn of two classes."""
        if n_classes == 2:
            warn(
                f"DKD with two classes is {self.target_weight:g} times kd: of a single other "
                f"class there is nothing to say. Use loss='kd'.",
                DistillationWarning,
            )
