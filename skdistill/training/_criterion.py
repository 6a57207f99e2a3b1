"""The loss of a distillation as a criterion that any skorch net can train with."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill._torch import first_output
from skdistill.teachers._contract import looks_like_probabilities


class DistillationCriterion(nn.CrossEntropyLoss):
    """Cross-entropy of the labels and a soft term of the teacher, over packed targets.

    It is a CrossEntropyLoss to skorch, which therefore turns the module's logits into
    probabilities at predict. In evaluation mode, on held-back rows, it is the log-loss of the
    true labels alone.

    Parameters
    ----------
    loss : object, default=None
        The soft term, an instance of a class of `skdistill.losses`. Not needed for alpha 0.
    alpha : float, default=0.0
        Weight of the soft term in [0, 1].
    temperature : float, default=1.0
        Handed to the soft term.
    from_probabilities : bool, default=False
        Whether the module returns probabilities and no logits.
    labelled_share : float, default=1.0
        Share of the rows that carry a label, by which the hard term is divided in training: the
        others count as zeros in its mean.

    Examples
    --------
    >>> import torch
    >>> from skdistill.training import DistillationCriterion
    >>> DistillationCriterion()(torch.zeros(1, 2), {"label": torch.tensor([1])})
    tensor(0.6931)
    """

    outputs = "logits of shape {shape}, one for each class of y"

    def __init__(
        self, loss=None, alpha=0.0, temperature=1.0, from_probabilities=False, labelled_share=1.0
    ):
        super().__init__()
        self.loss = loss
        self.alpha = alpha
        self.temperature = temperature
        self.from_probabilities = from_probabilities
        self.labelled_share = labelled_share
        self.epoch = 1
        self.features = None  # a FeatureTerms while a net learns hidden layers too

    def forward(self, outputs, packed):
        """Return the mean loss of a batch.

        Parameters
        ----------
        outputs : torch.Tensor of shape (n_samples, n_classes)
            What the module returned; or a tuple that starts with it, or an object with `.logits`.
        packed : dict of str to torch.Tensor
            See `pack_targets`.

        Returns
        -------
        torch.Tensor, a scalar
        """
        logits = self.to_logits(first_output(outputs))
        alpha = self.alpha if self.training else 0.0
        hard = soft = None
        if alpha < 1:
            hard = _hard_term(logits, packed["label"], packed.get("hard_weight"))
            if "mixed_label" in packed:  # of the row that each was mixed with
                hard = hard + _hard_term(logits, packed["mixed_label"], packed["mixed_hard_weight"])
            if self.training and self.labelled_share != 1:
                hard = hard / self.labelled_share
        if alpha > 0:
            teacher_logits = packed["teacher_logits"].to(logits)
            weight = packed.get("soft_weight")
            weight = None if weight is None else weight.to(logits)
            label, temperature = packed["label"], self.temperature
            if "mixed_label" in packed:
                label = torch.full_like(label, -1)  # no row is of one class
            soft = self.loss.mean(logits, teacher_logits, label, weight, temperature)
            factor = self.soft_factor
            if factor != 1:
                soft = factor * soft
        if hard is None or soft is None:
            loss = hard if soft is None else soft
        else:
            # (1 - alpha) * hard + alpha * soft in one operation: each costs a small layer's time.
            loss = torch.lerp(hard, soft, alpha)
        if self.features is None or not self.training:
            return loss
        return loss + self.features(packed)

    @property
    def soft_factor(self):
        """What the soft term is multiplied by: the loss's weight, less while it warms up."""
        warmup = self.loss.warmup_epochs
        return self.loss.weight * (min(1.0, self.epoch / warmup) if warmup else 1.0)

    def look_at(self, outputs):
        """Find out whether the module returns probabilities.

        Parameters
        ----------
        outputs : torch.Tensor of shape (n_samples, n_classes)
            What the module makes of a few rows.
        """
        self.from_probabilities = looks_like_probabilities(outputs.cpu().numpy())

    def to_logits(self, outputs):
        """Return logits: the outputs themselves, or their logarithm."""
        if not self.from_probabilities:
            return outputs
        return torch.log(outputs.clamp_min(torch.finfo(outputs.dtype).tiny))


def _hard_term(logits, labels, weight):
    if weight is None:
        return cross_entropy(logits, labels)  # one operation for two
    losses = cross_entropy(logits, labels, reduction="none", ignore_index=-1)
    return (weight.to(losses) * losses).mean()
