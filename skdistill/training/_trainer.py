"""The steps that make a student of a skorch net: initialise, probe, train, tidy."""

import contextlib
import copy
import linecache
import threading
import traceback
from functools import cache

import torch
from skorch.callbacks import Callback, LRScheduler
from torch.optim.lr_scheduler import CosineAnnealingLR, ReduceLROnPlateau

from skdistill._compat import callback_names
from skdistill._input._inputs import name_rows
from skdistill._interrupts import only_whole
from skdistill._token_ids import refuse_ids
from skdistill._torch import as_tensor, evaluating, first_output, run_module
from skdistill._warn import warn
from skdistill._words import one_line
from skdistill.exceptions import StudentError, TrainingWarning
from skdistill.students._gated import GatedClasses
from skdistill.students._images import ADD_CHANNEL, MOVE_CHANNELS, are_channels_last
from skdistill.students._members import MemberMLP
from skdistill.students._soft_tree import SoftDecisionTree
from skdistill.training._callbacks import CountEpochs, FitTemperature, StopAtNonFinite
from skdistill.training._compiled import uncompiled
from skdistill.training._draws import drawing, drawing_weights
from skdistill.training._scoring import (
    check_callbacks,
    counting_batches,
    packed_labels,
    with_labels,
)

PROBE_ROWS = 8

GUARDS = [("count_epochs", CountEpochs), ("stop_at_non_finite", StopAtNonFinite)]
"""Callbacks that every net has beside its own while it is trained."""

FAULTS = (AttributeError, IndexError, KeyError, NotImplementedError, RuntimeError, TypeError)
"""What a setting that torch or skorch does not know raises, besides a ValueError."""


@cache
def import_what_training_needs():
    """Let torch import what it imports, hundreds of modules, in a process's first training step.

    Ctrl-C in the middle of that leaves modules that are imported by half, for as long as the
    process lives. It does not reach a thread of its own.
    """
    thread = threading.Thread(target=_take_a_step)
    thread.start()
    thread.join()


def _take_a_step():
    with with_gradients():
        parameter = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.AdamW([parameter])
        CosineAnnealingLR(optimizer, T_max=1)
        parameter.sum().backward()
        optimizer.step()


@contextlib.contextmanager
def with_gradients():
    """Let gradients be computed inside the block, also within `torch.inference_mode`."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def initialize_net(net, X, n_outputs, seed=None, labels=packed_labels):
    """Initialise a net and try it on a few rows, before anything long is started.

    Parameters
    ----------
    net : skorch.NeuralNet
        With a `DistillationCriterion` or `RegressionCriterion`; changed in place.
    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        Rows that it will learn from.
    n_outputs : int
        Number of logits, or numbers, that it must return.
    seed : int, default=None
        Seeds its weights; None draws them from torch's global generator.
    labels : callable, default=packed_labels
        From packed targets to what a callback that scores holds predictions against.

    Raises
    ------
    StudentError
        When a setting is none of what it is for, or when the module cannot read the rows or
        returns something of another shape.
    """
    import_what_training_needs()
    with with_gradients():
        try:
            _check_names_of_callbacks(net)
            if net.history_ is not None:
                net.history_ = type(net.history_)()  # skorch would clear that of an earlier fit
            with drawing_weights(net, seed):
                net.initialize()
        except StudentError:
            raise
        except (*FAULTS, ValueError) as error:
            raise StudentError(
                f"The {type(net).__name__} cannot be made with these settings: "
                f"{one_line(error)}. Check its module__, optimizer__ and callbacks__ settings."
            ) from error
        check_callbacks(net)
        check_trainable(net.module_)
        _check_members(net)
        with drawing_weights(net, seed):
            outputs = _probe(net, X, n_outputs)
    net.criterion_.look_at(outputs)
    _add_guards(net, labels)


def initialize_again(net, labels=packed_labels):
    """Let the training of a net go on: new optimiser, new callbacks, schedules from their start.

    A copy of the module goes on, and the history in a copy too: what the net held is as it was if
    the training breaks off. What has been set since the last training is heard: the learning rate,
    the number of epochs.

    Parameters
    ----------
    net : skorch.NeuralNet
        Initialised by `initialize_net`; changed in place.
    labels : callable, default=packed_labels
        See `initialize_net`.
    """
    with with_gradients():  # a copy that is made in inference mode could not be trained
        net.module_ = net.torch_compile(copy.deepcopy(net.module_), name="module")
    net.history_ = copy.copy(net.history_)
    net.initialize_optimizer()
    if net.callbacks != "disable":
        net.initialize_callbacks()
        net.callbacks_ = [(name, _from_its_start(callback)) for name, callback in net.callbacks_]
    _add_guards(net, labels)


def _from_its_start(callback):
    """Return a callback whose schedule, if it has one, does not go on from the history's end."""
    if isinstance(callback, LRScheduler) and callback.policy_ is not ReduceLROnPlateau:
        callback = copy.copy(callback)
        callback.last_epoch = -1
    return callback


def _add_guards(net, labels):
    own = [(name, with_labels(callback, labels)) for name, callback in net.callbacks_]
    if net.batch_size == "auto":
        own = [(name, counting_batches(callback)) for name, callback in own]
    guards = [(name, guard()) for name, guard in GUARDS]
    # A temperature is that of the weights which all others have left.
    net.callbacks_ = sorted([*own, *guards], key=lambda pair: isinstance(pair[1], FitTemperature))


def _check_names_of_callbacks(net):
    """Refuse a setting of a callback that is not there, which skorch would not hear."""
    if net.callbacks == "disable":
        return
    known, settings = callback_names(net), [n for n in vars(net) if n.startswith("callbacks__")]
    unheard = [name for name in settings if name.split("__")[1] not in known]
    if unheard:
        raise ValueError(f"{unheard} set a callback that is not among {known}")


def _probe(net, X, n_outputs):
    """Run a few rows through a net's module; return what it makes of them, checked."""
    module = net.module_
    if hasattr(module, "adapt"):
        module.adapt(X)
    refuse_ids(uncompiled(module), X)
    name, rows = type(module).__name__, as_tensor(X[:PROBE_ROWS], module, copy=True)
    with evaluating(module):
        try:
            outputs = first_output(run_module(module, rows, net.device or "cpu"))
        except (*FAULTS, ValueError) as error:
            step = (
                "Check its input width (inferred when its class is given and not an instance), or "
                "put a step before it that shapes the rows."
            )
            if len(rows.shape) == 1:
                step = "Its forward takes them by these names: check names and shapes."
            elif are_channels_last(rows.shape) and MOVE_CHANNELS not in str(error):
                step = f"{MOVE_CHANNELS}. {step}"
            elif rows.ndim == 3:
                step = f"{ADD_CHANNEL}. {step}"
            raise StudentError(
                f"The student's module {name} cannot read {name_rows(rows)}: "
                f"{one_line(error)}. {step}"
            ) from error
    expected = (len(rows), n_outputs)
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) != expected:
        came = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise StudentError(
            f"The student's module {name} returns {came} for {len(rows)} rows; expected "
            f"{net.criterion_.outputs.format(shape=expected)}. Give the module's class to have its "
            f"width inferred, or an instance with {n_outputs} outputs."
        )
    return outputs.detach()


def check_trainable(module):
    """Refuse a module of which nothing can be trained.

    Parameters
    ----------
    module : torch.nn.Module

    Raises
    ------
    StudentError
    """
    if any(parameter.is_complex() for parameter in module.parameters()):
        raise StudentError(
            f"The student's module {type(module).__name__} has complex weights; expected real "
            f"ones. Hold their real and imaginary parts as two."
        )
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise StudentError(
            f"The student's module {type(module).__name__} has no weight that is trained: all are "
            f"frozen, or there are none. Leave some with requires_grad=True."
        )


def _check_members(net):
    """Refuse answers that sum to 1 by their form, and are 1 if there is one, for numbers."""
    if net.criterion_.member_mean != "outputs":
        return
    for part in net.module_.modules():
        if isinstance(part, GatedClasses):
            raise StudentError(
                "The student's module is split by classes, whose probabilities sum to 1, and "
                "numbers are learnt; expected split(teacher, groups, by='features')."
            )
        if isinstance(part, MemberMLP | SoftDecisionTree) and part.mean != "outputs":
            is_tree = isinstance(part, SoftDecisionTree)
            averaged, setting = ("leaves", "leaf_mean") if is_tree else ("members", "member_mean")
            raise StudentError(
                f"The student's module {type(net.module_).__name__} averages the probabilities of "
                f"its {averaged}, and numbers are learnt; expected {setting}='outputs'. Give it "
                f"so, or give the module's class to have it inferred."
            )


@contextlib.contextmanager
def training_copy(net, **changes):
    """Lend a net that differs from another in what training alone needs, and shares the rest.

    Parameters
    ----------
    net : skorch.NeuralNet
        Gets what the training sets on the copy, these attributes apart.
    **changes
        Attributes that are others.

    Yields
    ------
    skorch.NeuralNet
    """
    copy_of_net = object.__new__(type(net))  # a copy by copy.copy would copy the weights
    vars(copy_of_net).update(vars(net) | changes)
    own = {name: vars(net)[name] for name in changes}
    try:
        yield copy_of_net
    finally:
        vars(copy_of_net).update(own)  # a callback may keep it
    vars(net).update(vars(copy_of_net))


def train_net(net, X, y, *, seed=None):
    """Train an initialised net.

    Ctrl-C, a callback that ends the training or a loss that is no longer finite leave the net
    usable; the first and the last warn. In its first epoch there is nothing to keep, and Ctrl-C
    ends the program's work as it does elsewhere.

    Parameters
    ----------
    net : skorch.NeuralNet
        Initialised by `initialize_net`, with the criterion to minimise, whose terms are set up
        and taken down; trained in place.
    X, y : object
        What its `fit_loop` takes.
    seed : int, default=None
        Seeds the order of the rows and dropout; None draws from torch's global generator.

    Raises
    ------
    KeyboardInterrupt
        In the first epoch, and inside `whole_trainings` in any.

    Warns
    -----
    TrainingWarning
    """
    n_before = len(net.history)
    with contextlib.ExitStack() as stack:
        stack.enter_context(with_gradients())
        stack.enter_context(drawing(net, seed))
        for term in net.criterion_.terms:
            stack.enter_context(term.running(net, X))
        net.notify("on_train_begin", X=X, y=y)
        try:
            net.fit_loop(X, y)
        except KeyboardInterrupt as interrupt:
            if not raised_by_callback(interrupt):
                if len(net.history) <= n_before + 1 or only_whole():
                    raise
                warn(
                    f"Interrupted in epoch {len(net.history)}; the student keeps what it has "
                    f"learnt so far.",
                    TrainingWarning,
                )
        net.notify("on_train_end", X=X, y=y)
    tidy(net)


def tidy(net):
    """Leave a net as one that has learnt: in evaluation mode, without what training alone needs.

    Parameters
    ----------
    net : skorch.NeuralNet
        Changed in place.
    """
    net.module_ = uncompiled(net.module_)  # is saved and exported as any, and asked anywhere
    net.module_.eval()
    # Gradients and Adam's moments are three times the module and serve training alone.
    net.module_.zero_grad(set_to_none=True)
    net.optimizer_.state.clear()
    for _, callback in net.callbacks_:
        if isinstance(callback, LRScheduler):
            callback.lr_scheduler_ = None  # holds the optimiser, and through it the module again


def raised_by_callback(interrupt):
    """Whether a callback asked for the end, as skorch's EarlyStopping does, and no person.

    Parameters
    ----------
    interrupt : KeyboardInterrupt

    Returns
    -------
    bool
    """
    frame, line = list(traceback.walk_tb(interrupt.__traceback__))[-1]
    says_so = linecache.getline(frame.f_code.co_filename, line).lstrip().startswith("raise")
    return says_so and isinstance(frame.f_locals.get("self"), Callback)
