"""The steps that make a student of a skorch net: initialise, probe, train, tidy."""

import contextlib
import dis
import warnings

import numpy as np
import torch
from skorch.callbacks import Callback, LRScheduler

from skdistill._generators import (
    DrawWeights,
    drawing_from,
    draws_globally,
    is_ours,
    make_generator,
    make_streams,
    seeded,
)
from skdistill._torch import as_tensor, evaluating, first_output
from skdistill.exceptions import StudentError, TrainingWarning
from skdistill.training._callbacks import CountEpochs, StopAtNonFinite
from skdistill.training._features import feature_terms
from skdistill.training._views import live_views

PROBE_ROWS = 8


def initialize_net(net, X, n_outputs, seed=None):
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

    Raises
    ------
    StudentError
        When the module cannot read the rows or returns something of another shape.
    """
    with _drawing_weights(net, seed):
        net.initialize()
    module = net.module_
    if hasattr(module, "adapt"):
        module.adapt(X)
    name = type(module).__name__
    rows = as_tensor(X[:PROBE_ROWS], module, copy=True)
    with evaluating(module):
        try:
            outputs = first_output(module(rows.to(net.device or "cpu")))
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            raise StudentError(
                f"The student's module {name} cannot read rows of shape {tuple(rows.shape[1:])} "
                f"and dtype {rows.dtype}: {error}. Check its input width (inferred when its class "
                f"is given and not an instance), or put a step before it that shapes the rows."
            ) from error
    expected = (len(rows), n_outputs)
    if not isinstance(outputs, torch.Tensor) or tuple(outputs.shape) != expected:
        came = tuple(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise StudentError(
            f"The student's module {name} returns {came} for {len(rows)} rows; expected "
            f"{net.criterion_.outputs.format(shape=expected)}. Give the module's class to have its "
            f"width inferred, or an instance with {n_outputs} outputs."
        )
    net.criterion_.look_at(outputs.detach())


def train_net(
    net,
    X,
    packed,
    *,
    loss=None,
    alpha=0.0,
    temperature=1.0,
    feature_losses=None,
    live_teacher=None,
    seed=None,
):
    """Train an initialised net on packed targets.

    Ctrl-C, a callback that ends the training or a loss that is no longer finite leave the net
    usable; the first and the last warn.

    Parameters
    ----------
    net : skorch.NeuralNet
        Initialised by `initialize_net`; trained in place.
    X : {ndarray, CSR matrix} of shape (n_samples, ...)
        Rows.
    packed : dict of str to ndarray
        See `pack_targets`.
    loss, alpha, temperature :
        See `DistillationCriterion`.
    feature_losses : list of FeatureLoss, default=None
        Terms of hidden layers, for which `packed` holds the teacher's features.
    live_teacher : LiveTeacher, default=None
        Who is asked about the views of a net that has some.
    seed : int, default=None
        Seeds the order of the rows and dropout; None draws from torch's global generator.

    Warns
    -----
    TrainingWarning
    """
    net.criterion_.loss = loss
    net.criterion_.alpha = alpha
    net.criterion_.temperature = temperature
    net.criterion_.labelled_share = float(np.mean(packed["label"] >= 0))
    guards: dict[str, Callback] = {
        "count_epochs": CountEpochs(),
        "stop_at_non_finite": StopAtNonFinite(),
    }
    net.callbacks_ += [(name, guard.initialize()) for name, guard in guards.items()]
    with (
        _drawing(net, loss, seed),
        feature_terms(net, feature_losses, X, packed),
        live_views(net, live_teacher, packed) as packed,
    ):
        net.notify("on_train_begin", X=X, y=packed)
        try:
            net.fit_loop(X, packed)
        except KeyboardInterrupt as interrupt:
            if not _raised_by_callback(interrupt):
                warnings.warn(
                    f"Interrupted in epoch {len(net.history)}; the student keeps what it has "
                    f"learnt so far.",
                    TrainingWarning,
                    stacklevel=2,
                )
        net.notify("on_train_end", X=X, y=packed)
    del net.callbacks_[-len(guards) :]
    net.module_.eval()
    # Gradients and Adam's moments are three times the module and serve training alone.
    net.module_.zero_grad(set_to_none=True)
    net.optimizer_.state.clear()
    for _, callback in net.callbacks_:
        if isinstance(callback, LRScheduler):
            callback.lr_scheduler_ = None  # holds the optimiser, and through it the module again


@contextlib.contextmanager
def _drawing_weights(net, seed):
    """Draw a net's first weights from a seed, and leave torch's own generator alone."""
    if seed is None:
        yield
        return
    # The constructor of somebody else's module may draw anything.
    is_known = net.module is None or is_ours(net.module)
    lent = contextlib.nullcontext() if is_known else seeded(seed, _device_of(net))
    with lent, DrawWeights(make_generator(seed)):
        yield


@contextlib.contextmanager
def _drawing(net, loss, seed):
    """Draw the order of the rows, dropout and views from a seed, likewise."""
    if seed is None:
        yield
        return
    device = _device_of(net)
    apart = getattr(net, "draws_apart", lambda loss: False)(loss)
    is_known = apart and not draws_globally(net.module_)
    lent = contextlib.nullcontext() if is_known else seeded(seed, device)
    with lent, drawing_from(make_streams(seed, device)):
        yield


def _device_of(net):
    return torch.device(net.device or "cpu")


def _raised_by_callback(interrupt):
    """Whether a callback asked for the end, as skorch's EarlyStopping does, and no person."""
    frame = interrupt.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    code = frame.tb_frame.f_code.co_code
    raised = code[frame.tb_lasti] == dis.opmap["RAISE_VARARGS"]  # and came from no signal
    return raised and isinstance(frame.tb_frame.f_locals.get("self"), Callback)
