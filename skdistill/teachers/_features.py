"""What hidden layers of a teacher make of the rows."""

import contextlib
import difflib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from skdistill._compat import safe_indexing
from skdistill._input._inputs import name_rows
from skdistill._torch import (
    as_tensor,
    evaluating,
    first_output,
    forward_in_batches,
    resolve_device,
    run_module,
)
from skdistill._unwrap import unwrap
from skdistill._words import one_line
from skdistill.exceptions import TeacherError
from skdistill.teachers._fit import is_fitted

PROBE_ROWS = 8


@contextlib.contextmanager
def capturing(module: nn.Module, layers) -> Iterator[dict[str, torch.Tensor]]:
    """Keep what layers return whenever a module runs, by hooks that go when the block ends.

    Parameters
    ----------
    module : torch.nn.Module
    layers : iterable of str
        Names of its layers.

    Yields
    ------
    dict of str to torch.Tensor
        What each layer returned last.
    """
    outputs: dict[str, torch.Tensor] = {}
    hooks = {name: partial(_keep, outputs, name) for name in layers}
    handles = [module.get_submodule(n).register_forward_hook(hook) for n, hook in hooks.items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()
        outputs.clear()


def _keep(outputs, name, layer, inputs, output):
    outputs[name] = first_output(output)


def probe_layers(module, layers, X, owner, error):
    """Run a few rows through a module and see what its layers return.

    Parameters
    ----------
    module : torch.nn.Module
        Run where it is; its mode is put back.
    layers : iterable of str
        Names of its layers.
    X : array-like of shape (n_samples, ...)
        Rows that it can read, all of which are run.
    owner : str
        Whose module it is, as a sentence's subject.
    error : type
        The class of the refusals.

    Returns
    -------
    dict of str to tuple of int
        Shape of the features of a row, for each layer.

    Raises
    ------
    TeacherError or StudentError
        When a layer does not exist or does not return a tensor with one entry per row.
    """
    if isinstance(module, torch.jit.ScriptModule):
        raise error(
            f"{_sentence(owner)} is scripted, and calls no layers that could be read; expected a "
            f"torch.nn.Module in Python. Give the module that it was made from."
        )
    for name in layers:
        _check_layer_exists(module, name, owner, error)
    shapes = {}
    with evaluating(module), capturing(module, layers) as outputs:
        run_module(module, as_tensor(X, module, copy=True), _device_of(module))
        for name in layers:
            output = outputs.get(name)
            if output is None:
                raise error(
                    f"The layer {name!r} of {owner} was not called when rows went through it; "
                    f"expected a layer that every forward pass calls. Name another."
                )
            if not isinstance(output, torch.Tensor) or output.shape[:1] != (X.shape[0],):
                came = (
                    f"a tensor of shape {tuple(output.shape)}"
                    if isinstance(output, torch.Tensor)
                    else f"an object of type {type(output).__name__}"
                )
                raise error(
                    f"The layer {name!r} of {owner} returns {came} for {X.shape[0]} rows; expected "
                    f"a tensor with one entry per row. Name another layer."
                )
            shapes[name] = tuple(output.shape[1:])
    return shapes


def _check_layer_exists(module, name, owner, error):
    try:
        module.get_submodule(name)
    except AttributeError as missing:
        names = [known for known, _ in module.named_modules() if known]
        near = difflib.get_close_matches(str(name), names, n=3)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else f"It has {names[:12]}."
        raise error(
            f"{_sentence(owner)} has no layer {name!r}; expected a name that its "
            f"named_modules() lists. {hint}"
        ) from missing


def _sentence(owner):
    return owner[0].upper() + owner[1:]


def _device_of(module):
    return next(module.parameters(), torch.empty(0)).device


@dataclass
class TeacherNet:
    """The network that a teacher is, and what comes before it.

    Parameters
    ----------
    module : torch.nn.Module
        The user's own; left as it is.
    steps : list of callable
        They bring rows to what the module reads, one after another.
    device : torch.device
        Where it is to run.
    link : object, default=None
        Of a student, from what its module returns to what it predicts.
    """

    module: nn.Module
    steps: list[Callable]
    device: torch.device
    link: Any = None

    def rows(self, X):
        """Return rows as the module reads them."""
        with warnings.catch_warnings():
            # Names that differ are compared, and warned of, once by the targets.
            warnings.filterwarnings("ignore", message="X (has|does not have) .*feature names")
            for step in self.steps:
                X = step(X)
        return X

    def shapes(self, layers, X):
        """Return the shape of a row's features for each layer; see `probe_layers`."""
        rows = self.rows(safe_indexing(X, np.arange(min(X.shape[0], PROBE_ROWS))))
        owner = f"the teacher {type(self.module).__name__}"
        try:
            return probe_layers(self.module, layers, rows, owner, TeacherError)
        except (RuntimeError, IndexError, TypeError) as error:
            raise TeacherError(
                f"{_sentence(owner)} cannot read {name_rows(rows)}: {one_line(error)}. "
                f"Check that it was fitted on rows like these, preprocessed alike."
            ) from error

    def features(self, layers, parts):
        """Return what layers make of all rows, each row once.

        Parameters
        ----------
        layers : iterable of str
            Names of layers.
        parts : list of array-like of shape (n_samples_i, ...)
            Rows as the teacher gets them.

        Returns
        -------
        dict of str to ndarray of shape (sum of n_samples_i, ...)
            float32, or float64 of a network in double precision.

        Raises
        ------
        TeacherError
            When one of them is not finite.
        """
        n_rows = sum(part.shape[0] for part in parts)
        found: dict[str, np.ndarray] = {}
        done = 0

        def store(module, inputs, output):
            nonlocal done
            for name, batch in outputs.items():
                values = batch.to("cpu", torch.promote_types(batch.dtype, torch.float32)).numpy()
                if name not in found:
                    found[name] = np.empty((n_rows, *values.shape[1:]), dtype=values.dtype)
                found[name][done : done + len(values)] = values
            done += len(values)

        with evaluating(self.module, self.device), capturing(self.module, layers) as outputs:
            handle = self.module.register_forward_hook(store)
            try:
                for part in parts:
                    forward_in_batches(self.module, self.rows(part), self.device)
            finally:
                handle.remove()
        for name, values in found.items():
            if not np.isfinite(values).all():
                raise TeacherError(
                    f"The layer {name!r} of the teacher {type(self.module).__name__} gave NaN or "
                    f"infinite values; expected finite numbers. Name another layer, or look at "
                    f"the rows."
                )
        return found


REASONS = {
    "feature_losses": "those of a cross-fitting have no layers in common",
    "layers": "those of a cross-fitting have no layers in common",
    "views": "the clones of a cross-fitting cannot be kept for the views of their own rows",
}
"""Why the network that settings of this name need must be fitted."""


def find_net(teacher, device="auto", need="feature_losses"):
    """Find the network in a fitted teacher, whose layers can be read.

    Parameters
    ----------
    teacher : object
        A torch module, a fitted skorch net, StudentNet or DistilledClassifier, a Pipeline that
        ends in one of these, each also in a FrozenEstimator.
    device : str or torch.device, default="auto"
        Where a torch module runs. A net stays on its own device.
    need : {"feature_losses", "layers", "views"}, default="feature_losses"
        What it is needed for.

    Returns
    -------
    TeacherNet

    Raises
    ------
    TeacherError
        When there is no such network, or no fitted one.
    """
    core, steps, _ = unwrap(teacher)
    steps = [step.transform for step in steps]
    if isinstance(core, nn.Module):
        return TeacherNet(core, steps, resolve_device(device))
    if not isinstance(getattr(core, "module_", None), nn.Module):
        if not is_fitted(teacher):
            raise TeacherError(
                f"{need} were given with the teacher {type(teacher).__name__}, which is not "
                f"fitted; expected a fitted network, for {REASONS[need]}. Fit it first: "
                f"FrozenEstimator(teacher.fit(X, y))."
            )
        raise TeacherError(
            f"{need} were given with the teacher {type(core).__name__}, which has no layers; "
            f"expected one network: a torch.nn.Module, a fitted skorch net or StudentNet, or "
            f"a Pipeline that ends in one. Leave {need} out, or give the network itself."
        )
    steps += [core.prepare_more] if hasattr(core, "prepare_more") else []
    link = getattr(core, "link_", None)
    return TeacherNet(core.module_, steps, _device_of(core.module_), link)
