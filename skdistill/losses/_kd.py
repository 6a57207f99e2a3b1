"""Hinton's divergence between the softened teacher and the softened student."""

import torch
from torch.nn.functional import log_softmax

from skdistill._warn import warn
from skdistill.exceptions import DistillationWarning
from skdistill.losses._base import Loss
from skdistill.losses._operands import check_logits, check_temperature


def kd_divergence(
    student_logits: torch.Tensor, teacher_logits: torch.Tensor, temperature: float = 1.0
) -> torch.Tensor:
    r"""Return T² · KL(p‖q) for each row, p and q the softmax of the logits divided by T.

    The divergence is summed over the classes. The factor T² keeps its gradient on the scale of
    the cross-entropy's whatever the temperature.

    Parameters
    ----------
    student_logits, teacher_logits : torch.Tensor of shape (n_samples, n_classes)
        Finite numbers. Log-probabilities are logits; a shift of a row changes nothing.
    temperature : float, default=1.0
        T in [0.001, 10000].

    Returns
    -------
    torch.Tensor of shape (n_samples,)
        Not negative, 0 where both rows name the same distribution; NaN for a row with a NaN.

    Raises
    ------
    TypeError or ValueError
        For tensors that are no floats or not of one shape, and for T out of its range.

    References
    ----------
    Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import kd_divergence
    >>> teacher = torch.tensor([[0.9, 0.1]]).log()
    >>> kd_divergence(torch.zeros(1, 2), teacher)
    tensor([0.3681])
    """
    check_logits(student_logits, teacher_logits)
    check_temperature(temperature, "kd_divergence")
    return divergence(student_logits, teacher_logits, temperature)


def divergence(student_logits, teacher_logits, temperature):
    """Return what `kd_divergence` does, for logits that are known to be alike."""
    # Three operations and their gradients cost as much as a small layer. A tensor, with a
    # temperature for each of several students, is not looked at.
    softened = isinstance(temperature, torch.Tensor) or temperature != 1
    if softened:
        teacher_logits, student_logits = teacher_logits / temperature, student_logits / temperature
    log_p, log_q = log_softmax(teacher_logits, dim=-1), log_softmax(student_logits, dim=-1)
    losses = (log_p.exp() * (log_p - log_q)).sum(dim=-1)
    return temperature**2 * losses if softened else losses


def standardize_rows(logits):
    """Return (z - mean) / std of each row; a row of equal logits becomes zeros.

    Parameters
    ----------
    logits : torch.Tensor of shape (n_samples, n_classes)

    Returns
    -------
    torch.Tensor of shape (n_samples, n_classes)
    """
    centred = logits - logits.mean(dim=-1, keepdim=True)
    return centred / (centred.square().mean(dim=-1, keepdim=True) + 1e-12).sqrt()


class KD(Loss):
    r"""Knowledge distillation's own loss, T² · KL(teacher‖student).

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term, for weights that a convex alpha cannot express.
    standardize : bool, default=False
        Whether each row of logits, of both sides, is first brought to mean 0 and standard
        deviation 1, so that a small student need not reach the size of its teacher's logits
        (Sun et al. 2024, with T = 2, weight 9 and 0.1 for the labels: ``alpha=0.9, weight=10``).
    reverse : bool, default=False
        Whether it is T² · KL(student‖teacher), which lets the student pass over what the teacher
        holds possible.

    References
    ----------
    Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
    Sun et al. 2024, "Logit Standardization in Knowledge Distillation", arXiv 2403.01427.

    Examples
    --------
    >>> from skdistill.losses import KD
    >>> KD().default_temperature("logits", n_classes=10)
    4.0
    """

    _parameter_constraints = {
        **Loss._parameter_constraints,
        "standardize": ["boolean"],
        "reverse": ["boolean"],
    }

    def __init__(
        self, weight: float = 1.0, standardize: bool = False, reverse: bool = False
    ) -> None:
        super().__init__(weight)
        self.standardize = standardize
        self.reverse = reverse

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row; see `kd_divergence`."""
        check_logits(student_logits, teacher_logits)
        check_temperature(temperature, type(self).__name__)
        if self.standardize:
            student_logits = standardize_rows(student_logits)
            teacher_logits = standardize_rows(teacher_logits)
        if self.reverse:
            return divergence(teacher_logits, student_logits, temperature)
        return divergence(student_logits, teacher_logits, temperature)

    def default_temperature(self, kind: str, n_classes: int) -> float:
        """Return the temperature that "auto" stands for.

        Parameters
        ----------
        kind : {"logits", "probabilities"}
            What the teacher speaks.
        n_classes : int

        Returns
        -------
        float
            2 for standardised logits; otherwise 1 for two classes and for teachers known by their
            probabilities alone, 4 for logits of ten classes or more, 2 for fewer.
        """
        if self.standardize:
            return 2.0
        if kind == "probabilities" or n_classes == 2:
            return 1.0
        return 4.0 if n_classes >= 10 else 2.0

    def check_classes(self, n_classes: int) -> None:
        """Warn of standardised logits of two classes."""
        if self.standardize and n_classes == 2:
            warn(
                "KD(standardize=True) with two classes: a standardised row is (1, -1) or (-1, 1), "
                "so only the class that the teacher names is learnt. Leave standardize=False.",
                DistillationWarning,
            )
