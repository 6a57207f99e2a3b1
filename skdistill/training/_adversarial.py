"""Adversarial rows in training: what they are, and the terms that read them."""

from collections.abc import Mapping

import torch
from scipy import sparse
from torch import nn

from skdistill._ascent import error_margin, projected_ascent
from skdistill._generators import current_stream
from skdistill._torch import evaluating, first_output
from skdistill.exceptions import StudentError
from skdistill.losses._adversarial import AdversarialLoss
from skdistill.students._members import MemberOutputs
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._packed import LOGITS
from skdistill.training._terms import Term
from skdistill.transfer._get_views import get_views
from skdistill.transfer._views import Mixup


def check_adversarial(loss, net, parts):
    """Refuse a student, or rows, that a loss of adversarial rows cannot be for.

    Parameters
    ----------
    loss : Loss or RegressionLoss
    net : Student
        Prepared.
    parts : list of {ndarray, CSR matrix}
        Its rows.

    Raises
    ------
    StudentError or ValueError
        Which says why.
    """
    if not isinstance(loss, AdversarialLoss):
        return
    owner = type(loss).__name__
    if not isinstance(net, BaseStudentNet):
        raise StudentError(
            f"The loss {owner} was given with a student that is no StudentNet, and rows are moved "
            f"by the gradient of one while it learns; expected one. Wrap the module: "
            f"StudentNet(module), or choose another loss."
        )
    if isinstance(parts[0], Mapping):
        raise StudentError(
            f"The loss {owner} moves every number of a row, and the rows are a dict of several "
            f"inputs; expected one array of numbers. Choose another loss."
        )
    if any(map(sparse.issparse, parts)):
        raise StudentError(
            f"The loss {owner} moves every number of a row, and the rows are sparse; expected "
            f"dense ones. Choose another loss, or make them dense."
        )
    if any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in net.module_.modules()):
        raise StudentError(
            f"The loss {owner} moves rows along a gradient, and the student's module "
            f"{type(net.module_).__name__} reads codes of categories, by which there is none; "
            f"expected numbers alone. Leave the categories out, or choose another loss."
        )
    if loss.moves_all_terms and any(isinstance(view, Mixup) for view in get_views(net.views)):
        raise ValueError(
            f"The loss {owner} reads the label of each row, and Mixup gives a row two; expected "
            f"one. Leave Mixup out of views."
        )
    low, high = loss.range_of_numbers()
    least, most = min(part.min() for part in parts), max(part.max() for part in parts)
    if least < low or most > high:
        raise ValueError(
            f"The rows that the student reads have values from {least:.4g} to {most:.4g}, and "
            f"{owner} has bounds={loss.bounds!r}; expected rows within their bounds. Scale them "
            f"(the student's own preprocessing comes first), or give their own range."
        )


def adversarial_terms(loss):
    """Return the term of a loss, in a list; an empty one for a loss of rows as they are.

    Parameters
    ----------
    loss : Loss or RegressionLoss
    """
    if not isinstance(loss, AdversarialLoss):
        return []
    return [MovedRows(loss) if loss.moves_all_terms else MovedTerm(loss)]


class MovedRows(Term):
    """Batches of which each row is moved: all terms read them.

    Parameters
    ----------
    attack : AdversarialLoss
    """

    def __init__(self, attack):
        self.attack = attack

    def batches(self, batches, net):
        """Return the batches with their rows moved."""
        return _MovedBatches(batches, self.attack, net)


class _MovedBatches:
    """Batches, each moved on its way by the net as it is then."""

    def __init__(self, batches, attack, net):
        self.inner, self.attack, self.net = batches, attack, net

    def __iter__(self):
        for X, packed in self.inner:
            yield moved_rows(self.attack, self.net, X, packed), packed

    def __len__(self):
        return len(self.inner)


class MovedTerm(Term):
    """The teacher's term of the moved rows, beside all that is said of the rows as they are.

    Parameters
    ----------
    attack : AdversarialLoss
    """

    def __init__(self, attack):
        self.attack = attack

    def loss(self, net, X, outputs, packed):
        """Return the term; None where no teacher is heard."""
        objective = net.criterion_
        if objective.alpha == 0:
            return None
        teachers = objective.with_settings(
            loss=self.attack.of_moved_rows(), alpha=1.0, temperature=objective.temperature
        )
        outputs = net.infer(moved_rows(self.attack, net, X, packed))
        if not isinstance(outputs, MemberOutputs):
            outputs = first_output(outputs)  # a penalty counts once
        return objective.alpha * teachers(outputs, packed)


def moved_rows(attack, net, X, packed):
    """Return the worst rows near those of a batch that steps up the student's gradient find.

    Parameters
    ----------
    attack : AdversarialLoss
    net : BaseStudentNet
        That learns; its module computes in evaluation mode, and is put back.
    X : torch.Tensor of shape (n_samples, ...)
    packed : dict of str to torch.Tensor

    Returns
    -------
    torch.Tensor of the shape of X
    """
    X = X.to(net.device or "cpu").detach()
    drawn = torch.rand(X.shape, generator=current_stream("views"), dtype=X.dtype).to(X.device)
    step = attack.epsilon / 4 if attack.step is None else attack.step
    criterion, own = net.criterion_, _own_classes(packed)

    def gradient(rows):
        rows = rows.detach().requires_grad_()
        outputs = first_output(net.module_(rows))
        if attack.needs_labels:
            kind = "probabilities" if criterion.from_probabilities else "logits"
            climbed, _ = error_margin(outputs, own, kind)
        else:
            logits = criterion._read(outputs).double()
            climbed = attack.rows(logits, packed[LOGITS].double(), None, criterion.temperature)
        return torch.autograd.grad(climbed.sum(), rows)[0]

    with evaluating(net.module_), torch.enable_grad():
        return projected_ascent(
            gradient,
            X,
            radius=attack.epsilon,
            step=step,
            n_steps=attack.n_steps,
            start=attack.epsilon * (2 * drawn - 1),
            bounds=attack.range_of_numbers(),
        )[0].detach()


def _own_classes(packed):
    """Return the class of each row; that which the teacher names where there is no label."""
    labels = packed["label"]
    if LOGITS not in packed:
        return labels
    return torch.where(labels < 0, packed[LOGITS].argmax(dim=1), labels)
