"""Which nets can be trained together, and what keeps one apart."""

from collections.abc import Mapping

import torch
from scipy import sparse
from skorch.callbacks import (
    EarlyStopping,
    EpochTimer,
    LRScheduler,
    PassthroughScoring,
    PrintLog,
)
from torch.utils.data import Subset

from skdistill._generators import is_ours
from skdistill.losses._base import CallableLoss
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._batches import TensorBatches, TensorRows
from skdistill.training._callbacks import (
    CountEpochs,
    FitTemperature,
    KeepBest,
    PrintEpochs,
    StopAtNonFinite,
)
from skdistill.training._stack._optimizer import ELEMENTWISE

CALLBACKS = {
    CountEpochs,
    EarlyStopping,
    EpochTimer,
    FitTemperature,
    KeepBest,
    LRScheduler,
    PassthroughScoring,
    PrintEpochs,
    PrintLog,
    StopAtNonFinite,
}
"""Callbacks that look at a net between epochs alone, and at nothing that a stack lacks."""


def why_apart(lesson):
    """Return why a net must be trained alone, as the end of a sentence; None where it need not.

    Parameters
    ----------
    lesson : Lesson

    Returns
    -------
    str or None
    """
    net = lesson.learner
    if not isinstance(net, BaseStudentNet):
        return f"{net._given_name} trains by itself"
    if not is_ours(net):
        return f"{type(net).__name__} is a net of your own class"
    if lesson.terms or net.views:
        return "feature losses, views and adversarial rows have a set-up of their own"
    foreign = [type(c).__name__ for _, c in net.callbacks_ if type(c) not in CALLBACKS]
    if foreign:
        return f"the callback {foreign[0]} may look at batches or weights"
    if net.watches_batches():
        return "something listens to single batches"
    loss = lesson.settings["loss"]
    if isinstance(loss, CallableLoss) or not (is_ours(loss) and is_ours(net.criterion_)):
        return "the loss is of your own making"
    if type(net.optimizer_) not in ELEMENTWISE:
        return f"the optimiser {type(net.optimizer_).__name__} is none that treats weights singly"
    if len(net.optimizer_.param_groups) > 1:
        return "its optimiser has several parameter groups"
    own = (net.iterator_train, net.iterator_valid, net.dataset)
    if own != (TensorBatches, TensorBatches, TensorRows):
        return "its batches are made by an iterator or data set other than the default"
    if getattr(net, "compile", False):
        return "its module is compiled"
    if any(isinstance(part, Mapping) for part in lesson.parts):
        return "its rows are a dict of several inputs"
    if any(map(sparse.issparse, lesson.parts)) and getattr(net.module_, "takes_sparse", False):
        return "its module reads sparse rows"
    return None


def why_held_apart(training):
    """Return why batches of a net cannot be joined with others', or None; see `why_apart`.

    Parameters
    ----------
    training : Training
    """
    for part in (training.train, training.valid):
        rows = part.dataset if isinstance(part, Subset) else part
        if rows is not None and type(rows) is not TensorRows:
            return "its train_split brings a data set of its own"
    return None


def form_of(lesson):
    """Return what nets that are trained together have in common, the module apart.

    Parameters
    ----------
    lesson : Lesson

    Returns
    -------
    tuple
        Equal for two that may be.
    """
    net, packed, settings = lesson.learner, lesson.packed, lesson.settings
    loss = settings["loss"]
    return (
        type(net),
        str(net.device),
        type(net.optimizer_),
        type(net.criterion_),
        getattr(net.criterion_, "from_probabilities", None),
        settings["alpha"] == 0,
        (type(loss), repr(loss.get_params())),
        packed.hard.shape[1:],
        [part.shape[1:] for part in packed.answers[:1]],
        packed.hard_weight() is None,
        not packed.answers or packed.soft_weight() is None,
        lesson.parts[0].shape[1:],
    )


def have_one_shape(first, second):
    """Whether two modules differ in nothing but the values of their parameters and buffers.

    Parameters
    ----------
    first, second : torch.nn.Module
    """
    parts, others = list(first.named_modules()), list(second.named_modules())
    return len(parts) == len(others) and all(
        name == other_name and _are_alike(part, other)
        for (name, part), (other_name, other) in zip(parts, others, strict=True)
    )


def _are_alike(part, other):
    if type(part) is not type(other):
        return False
    for kind in ("_parameters", "_buffers"):
        tensors, those = getattr(part, kind), getattr(other, kind)
        if [_form(n, t) for n, t in tensors.items()] != [_form(n, t) for n, t in those.items()]:
            return False
    apart = ("_parameters", "_buffers", "_modules")
    own = {name: value for name, value in vars(part).items() if name not in apart}
    its = {name: value for name, value in vars(other).items() if name not in apart}
    return own.keys() == its.keys() and all(_are_equal(own[name], its[name]) for name in own)


def _form(name, tensor):
    return (name, tensor if tensor is None else (tensor.shape, tensor.dtype, tensor.requires_grad))


def _are_equal(value, other):
    """Whether two attributes are; those that cannot say so are not, unless they are one."""
    if value is other:
        return True
    if isinstance(value, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(value, other)
    try:
        return type(value) is type(other) and bool(value == other)
    except Exception:
        return False
