"""The layers of a module: their names, and the way that data take through them."""

import copy
import difflib
from typing import TypeVar

from torch import fx, nn
from torch.nn.parameter import is_lazy

from skdistill._words import one_line
from skdistill.exceptions import StudentError

Module = TypeVar("Module", bound=nn.Module)


def layer_names(module: nn.Module) -> dict[str, dict[str, tuple[int, ...]]]:
    """Name the layers and blocks of a module, with the shapes of their parameters.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict of str to dict
        For each name, in the module's order, the shapes of the parameters that the layer itself
        holds; none for a block, whose layers follow it with its name and a dot before theirs.

    Examples
    --------
    >>> from torch import nn
    >>> from skdistill.students import layer_names
    >>> body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    >>> for name, shapes in layer_names(nn.Sequential(body, nn.Linear(8, 3))).items():
    ...     print(name, shapes)
    0 {}
    0.0 {'weight': (8, 4), 'bias': (8,)}
    0.1 {}
    1 {'weight': (3, 8), 'bias': (3,)}
    """
    _check_module(module)
    return {
        name: {
            kind: tuple(parameter.shape)
            for kind, parameter in layer.named_parameters(recurse=False)
        }
        for name, layer in module.named_modules()
        if name
    }


def copy_module(module: Module) -> Module:
    """Return a deep copy of a module; refuse what is none, without values, or cannot be copied."""
    _check_module(module)
    _refuse_without_values(module, lambda weight: weight.is_meta)
    try:
        return copy.deepcopy(module)
    except RuntimeError as error:
        raise StudentError(
            f"{type(module).__name__} cannot be copied ({str(error).splitlines()[0]}). Expected "
            f"weights that are parameters: torch.nn.utils.prune.remove(layer, 'weight') makes them "
            f"so after pruning."
        ) from error


def check_finite(module, action):
    """Refuse a module with weights that cannot be compared.

    Parameters
    ----------
    module : torch.nn.Module
    action : str
        What is done to it, for the error.

    Raises
    ------
    StudentError
    """
    for name, weight in module.named_parameters():
        if not weight.isfinite().all():
            raise StudentError(
                f"{type(module).__name__} cannot be {action}: its weight {name!r} holds NaN or "
                f"infinite values; expected finite numbers. Did its training diverge? Lower lr."
            )


def check_name(module, name):
    """Refuse a name that is none of the module's layers, and suggest near ones.

    Parameters
    ----------
    module : torch.nn.Module
    name : str

    Raises
    ------
    StudentError
    """
    names = list(layer_names(module))
    if name in names:
        return
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5) or names[:10]
    raise StudentError(
        f"{type(module).__name__} has no layer {name!r}; expected a name such as {near}. "
        f"layer_names(module) lists them all."
    )


def trace(module, action):
    """Return the graph of a module's forward pass, its layers uncut.

    Parameters
    ----------
    module : torch.nn.Module
        Traced in training mode, so that layers which matter in training alone are seen, and put
        back into its own.
    action : str
        What the graph is for, for the error.

    Returns
    -------
    torch.fx.Graph

    Raises
    ------
    StudentError
        When the forward pass depends on values, so that no one graph says it.
    """
    modes = [(part, part.training) for part in module.modules()]
    try:
        return _Tracer().trace(module.train())
    except Exception as error:  # whatever the forward pass of a user raises over a symbol
        raise StudentError(
            f"{type(module).__name__} cannot be {action}: its forward pass cannot be followed "
            f"symbolically by torch.fx ({type(error).__name__}: {one_line(error)}). Expected "
            "layers that are called without a decision on the data; give a module of this form, "
            "or a part of it that has it."
        ) from error
    finally:
        for part, training in modes:
            part.training = training


class _Tracer(fx.Tracer):
    """Sees torch's layers, and modules without layers in them, as one step each."""

    def is_leaf_module(self, m, module_qualified_name):
        is_block = any(True for _ in m.children()) and not isinstance(m, FrozenNorm)
        return not is_block or super().is_leaf_module(m, module_qualified_name)


class FrozenNorm(nn.Module):
    """A batch norm that keeps to its running statistics, in training too.

    Parameters
    ----------
    norm : torch.nn.Module
        A batch norm; not copied.
    """

    def __init__(self, norm):
        super().__init__()
        self.norm = norm
        self.train(False)

    def train(self, mode=True):
        """Stay in evaluation mode, whatever is asked for."""
        return super().train(False)

    def forward(self, X):
        """Normalise by the running statistics."""
        return self.norm(X)


def _check_module(module):
    if not isinstance(module, nn.Module):
        raise StudentError(
            f"Expected a torch.nn.Module, got {type(module).__name__}. Of a fitted net it is "
            f"net.module_, of a fitted DistilledClassifier model.student_.module_."
        )
    _refuse_without_values(module, is_lazy)  # they have no shape either


def _refuse_without_values(module, has_none):
    for name, weight in module.named_parameters():
        if has_none(weight):
            raise StudentError(
                f"The weight {name!r} of {type(module).__name__} has no values yet; expected a "
                f"module with weights. Load them, or let a lazy layer see some rows."
            )
