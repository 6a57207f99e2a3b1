"""The loss of a distillation as a criterion that any skorch net can train with."""

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill._torch import first_output
from skdistill.losses._regression import SquaredErrorLoss
from skdistill.students._members import MemberOutputs
from skdistill.students._soft_tree import PenalizedOutputs
from skdistill.teachers._contract import looks_like_probabilities
from skdistill.training._packed import FEATURES


class PackedCriterion(nn.Module):
    """What the criteria over packed targets share: two terms, weighed, and further ones beside.

    A subclass has `_hard` and `_soft`, and `_read` for what the module returned. In evaluation
    mode, on held-back rows, only the term of the true labels counts. Of a module of several members
    the loss is the mean of the members' losses; a module's own penalty is added.

    Parameters
    ----------
    alpha : float
        Weight of the teacher's term in [0, 1].
    terms : sequence of Term
        What is added while a net learns; see `Term`.
    """

    alpha: float
    loss: Any
    terms: Sequence[Any]
    member_mean: str
    """What members are to bring together for an answer; a key of `students._members.MEANS`."""

    @classmethod
    def known_means(cls) -> dict[str, str]:
        """Return the arguments of modules that say what of members, or of leaves, is averaged."""
        return dict.fromkeys(("member_mean", "leaf_mean"), cls.member_mean)

    def forward(
        self, outputs: Any, packed: dict[str, Any], net: Any = None, X: Any = None
    ) -> torch.Tensor:
        """Return the mean loss of a batch.

        Parameters
        ----------
        outputs : torch.Tensor of shape (n_samples, n_outputs)
            What the module returned; or a tuple or dict that holds it (see `first_output`); or
            MemberOutputs, or PenalizedOutputs.
        packed : dict of str to torch.Tensor
            See `Packed.arrays`.
        net : skorch.NeuralNet, default=None
            The net that learns, for further terms; None where skorch alone calls.
        X : torch.Tensor of shape (n_samples, ...), default=None
            The rows, likewise.

        Returns
        -------
        torch.Tensor, a scalar
        """
        if isinstance(outputs, MemberOutputs):
            outputs = self._read(outputs.members)
            loss = self._of_members(outputs, packed)
        else:
            penalty = outputs.penalty if isinstance(outputs, PenalizedOutputs) else None
            outputs = self._read(first_output(outputs))
            loss = self._both(outputs, packed)
            loss = loss if penalty is None else loss + penalty
        if self.training:
            for term in self.terms:
                more = term.loss(net, X, outputs, packed)
                loss = loss if more is None else loss + more
        return loss

    def _both(self, outputs, packed):
        """Return both terms, weighed."""
        alpha = self.alpha if self.training else 0.0
        # A tensor, with an alpha for each of several students, is not looked at.
        if not isinstance(alpha, torch.Tensor):
            if alpha == 0:
                return self._hard(outputs, packed)
            if alpha == 1:
                return self._soft(outputs, packed)
        # (1 - alpha) * hard + alpha * soft in one operation: each costs a small layer's time.
        return torch.lerp(self._hard(outputs, packed), self._soft(outputs, packed), alpha)

    def _of_members(self, members, packed):
        """Return the mean of the losses of members, of shape (n_samples, n_members, n_outputs)."""
        if self.loss is None or getattr(self.loss, "is_mean_of_rows", False):
            # All rows of all members at once: with small batches a third of the time.
            packed = {
                name: values.repeat_interleave(members.shape[1], dim=0)
                for name, values in packed.items()
                if not name.startswith(FEATURES)
            }
            return self._both(members.flatten(0, 1), packed)
        return torch.stack([self._both(member, packed) for member in members.unbind(1)]).mean()

    def _read(self, outputs):
        """Return outputs as the terms read them."""
        return outputs

    def _hard(self, outputs, packed):
        """Return the mean of the labels' term over a batch."""
        raise NotImplementedError

    def _soft(self, outputs, packed):
        """Return the mean of the teacher's term over a batch."""
        raise NotImplementedError

    def set_epoch(self, epoch: int) -> None:
        """Tell which epoch of the training it is, counted from one."""

    def look_at(self, outputs: Any) -> None:
        """See what a module makes of a few rows, an array of shape (n_samples, n_outputs)."""

    def with_settings(self, **settings: Any) -> Self:
        """Return a criterion of the same class with other settings."""
        return type(self)(**settings)


class DistillationCriterion(PackedCriterion, nn.CrossEntropyLoss):  # type: ignore[misc]
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
    terms : sequence of Term, default=()
        What is added while a net learns, such as the terms of hidden layers.

    Examples
    --------
    >>> import torch
    >>> from skdistill.training import DistillationCriterion
    >>> DistillationCriterion()(torch.zeros(1, 2), {"label": torch.tensor([1])})
    tensor(0.6931)
    """

    outputs = "logits of shape {shape}, one for each class of y"
    member_mean = "probabilities"

    def __init__(
        self,
        loss: Any = None,
        alpha: float = 0.0,
        temperature: float = 1.0,
        from_probabilities: bool = False,
        terms: Sequence[Any] = (),
    ) -> None:
        super().__init__()
        self.loss = loss
        self.alpha = alpha
        self.temperature = temperature
        self.from_probabilities = from_probabilities
        self.terms = terms
        self.epoch = 1

    def set_epoch(self, epoch: int) -> None:
        """Tell which epoch of the training it is, counted from one, for losses that warm up."""
        self.epoch = epoch

    @property
    def soft_factor(self) -> float:
        """What the soft term is multiplied by: the loss's weight, less while it warms up.

        Of a loss that reads moved rows too, it is the share that it leaves to these ones.
        """
        warmup, share = self.loss.warmup_epochs, getattr(self.loss, "clean_share", 1.0)
        return self.loss.weight * share * (min(1.0, self.epoch / warmup) if warmup else 1.0)

    def look_at(self, outputs: Any) -> None:
        """Find out whether the module returns probabilities; see `PackedCriterion.look_at`."""
        self.from_probabilities = looks_like_probabilities(outputs.cpu().numpy())

    def with_settings(self, **settings: Any) -> Self:
        """Return a criterion of the same class and the same reading, with other settings."""
        return type(self)(from_probabilities=self.from_probabilities, **settings)

    def _read(self, outputs):
        return to_logits(outputs) if self.from_probabilities else outputs

    def _hard(self, logits, packed):
        hard = _cross_entropy(logits, packed["label"], packed.get("hard_weight"))
        if "mixed_label" in packed:  # of the row that each was mixed with
            mixed = _cross_entropy(logits, packed["mixed_label"], packed["mixed_hard_weight"])
            hard = hard + mixed
        return hard

    def _soft(self, logits, packed):
        label, weight = packed["label"], packed.get("soft_weight")
        if "mixed_label" in packed:
            label = torch.full_like(label, -1)  # no row is of one class
        soft = self.loss.mean(
            logits,
            packed["teacher_logits"].to(logits),
            label,
            None if weight is None else weight.to(logits),
            self.temperature,
        )
        factor = self.soft_factor
        return soft if factor == 1 else factor * soft


class RegressionCriterion(PackedCriterion):
    """One loss of the targets and of the teacher's numbers, over packed targets.

    In evaluation mode, on held-back rows, it is the loss of the true targets alone.

    Parameters
    ----------
    loss : RegressionLoss, default=None
        What both terms are measured by; None is the squared error.
    alpha : float, default=0.0
        Weight of the teacher's term in [0, 1].
    terms : sequence of Term, default=()
        What is added while a net learns.

    Examples
    --------
    >>> import torch
    >>> from skdistill.training import RegressionCriterion
    >>> RegressionCriterion()(torch.zeros(2, 1), {"target": torch.tensor([[1.0], [3.0]])})
    tensor(5.)
    """

    outputs = "numbers of shape {shape}, one for each column of y"
    member_mean = "outputs"

    def __init__(self, loss: Any = None, alpha: float = 0.0, terms: Sequence[Any] = ()) -> None:
        super().__init__()
        self.loss = loss
        self.alpha = alpha
        self.terms = terms

    def _hard(self, values, packed):
        return self._term(values, packed["target"], packed.get("hard_weight"))

    def _soft(self, values, packed):
        return self._term(values, packed["teacher_target"], packed.get("soft_weight"))

    def _term(self, values, targets, weight):
        loss = SquaredErrorLoss() if self.loss is None else self.loss
        return loss.mean(values, targets.to(values), None if weight is None else weight.to(values))


def to_logits(probabilities):
    """Return the logarithm of probabilities, finite for zeros too."""
    return torch.log(probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny))


def _cross_entropy(logits, labels, weight):
    if weight is None:
        return cross_entropy(logits, labels)  # one operation for two
    losses = cross_entropy(logits, labels, reduction="none", ignore_index=-1)
    return (weight.to(losses) * losses).mean()
