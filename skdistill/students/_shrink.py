"""A student that is its teacher with fewer units in every hidden layer."""

from collections import Counter
from functools import partial
from typing import NamedTuple

import torch
from torch import fx, nn

from skdistill.exceptions import StudentError
from skdistill.students._chain import describe, kind_of, layer_of
from skdistill.students._layers import Module, check_finite, copy_module, trace
from skdistill.students._settings import check_settings
from skdistill.students._soft_tree import SoftDecisionTree
from skdistill.students._sparse import SparseLinear

WEIGHTED = ("linear", "sparse linear", "convolution")
"""Kinds of layers that have units."""


class Units(NamedTuple):
    """The units that are kept of a value in the forward pass."""

    kept: torch.Tensor
    total: int
    form: str  # "flat", "map", or "flattened map"


def shrink(teacher: Module, width: float = 0.5) -> Module:
    """Return a copy of a module that has kept only the strongest units of each hidden layer.

    A unit's strength is the sum of the absolute weights by which it reads the units that are left
    before it. Where a unit goes, its
    row of weights and its bias go, its entries in the batch norm after it, and the columns of the
    next layer that read it. The kept units are those of the teacher, and with a width of 1 the
    copy is the teacher.

    The forward pass is followed symbolically (`torch.fx`). It must be a chain of linear and
    convolutional layers, the first of which may read sparse rows, with batch norm, dropout,
    pooling, flattening and activations that take each number by itself; what comes before the first
    of these layers, and after the last, matters not. The last layer keeps all its units.

    Parameters
    ----------
    teacher : torch.nn.Module
        Not changed.
    width : float, default=0.5
        Share of the units of each hidden layer that is kept, in (0, 1]; at least one unit.

    Returns
    -------
    torch.nn.Module
        Of the teacher's class.

    Raises
    ------
    StudentError
        Where units cannot be left out soundly: at branches and residual sums, layers that are
        used twice or share weights, groups, norms over units, recurrent and unknown layers; and
        for weights that are NaN, infinite or not there yet.

    References
    ----------
    Li et al. 2017, "Pruning Filters for Efficient ConvNets", arXiv 1608.08710 (the strength).

    Examples
    --------
    >>> from skdistill.students import MLP, shrink
    >>> shrink(MLP(20, n_classes=3, hidden_units=(64, 32)), width=0.25)
    MLP(
      (0): Linear(in_features=20, out_features=16, bias=True)
      (1): ReLU()
      (2): Linear(in_features=16, out_features=8, bias=True)
      (3): ReLU()
      (4): Linear(in_features=8, out_features=3, bias=True)
    )
    """
    check_settings("shrink", width=width)
    return cut_units(teacher, lambda name, n_units: max(1, round(width * n_units)))[0]


def cut_units(teacher, count):
    """Return a copy of a module without some of its units, and what was taken of each tensor.

    Parameters
    ----------
    teacher : torch.nn.Module
        Not changed.
    count : callable
        From the name of a layer and its number of units to how many are kept.

    Returns
    -------
    student : torch.nn.Module
    taken : dict of str to dict of int to torch.Tensor
        By the name of a parameter or buffer and its axis, the positions that are left.

    Raises
    ------
    StudentError
    """
    student = copy_module(teacher)
    check_finite(student, "shrunk")
    if any(isinstance(part, SoftDecisionTree) for part in student.modules()):
        raise StudentError(
            f"{type(teacher).__name__} cannot be shrunk: each unit of a soft tree is a node or a "
            f"leaf, and none can go; expected a network of layers. Train a tree of a smaller depth."
        )
    graph = trace(student, "shrunk")
    steps = [node for node in graph.nodes if kind_of(node, student) in WEIGHTED]
    if len(steps) < 2:
        raise StudentError(
            f"{type(teacher).__name__} cannot be shrunk: it has {len(steps)} linear and "
            f"convolutional layers that are called as such; expected two or more, for the last "
            f"keeps its units."
        )
    _refuse_sharing(student, graph)
    units: dict[fx.Node, Units] = {}
    taken = _Taken(student)
    for node in graph.nodes:
        given = _units_given(node, units, student)
        if node in steps:
            layer = _own_layer(node, student)
            _cut_inputs(node, layer, given, student, taken)
            if node is not steps[-1]:
                units[node] = _cut_outputs(layer, partial(count, node.target), taken)
        elif given is not None:
            units[node] = _pass_on(node, given, student, taken)
    return student, taken.positions


class _Taken:
    """Cuts tensors of a module's layers, and remembers what was left of each."""

    def __init__(self, module):
        self.names = {id(layer): name for name, layer in module.named_modules()}
        self.positions = {}

    def __call__(self, layer, name, positions, axis):
        """Leave the entries at some positions of a layer's tensor along an axis."""
        values = getattr(layer, name)
        if values is None:
            return
        left = values.detach().index_select(axis, positions.to(values.device))
        if isinstance(values, nn.Parameter):
            left = nn.Parameter(left, requires_grad=values.requires_grad)
        setattr(layer, name, left)
        self.positions.setdefault(f"{self.names[id(layer)]}.{name}", {})[axis] = positions


def _refuse_sharing(module, graph):
    """Refuse layers that are called twice, and weights that several layers have."""
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    shared = [
        name for name, n in calls.items() if n > 1 and module.get_submodule(name).state_dict()
    ]
    seen: dict[int, str] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        if seen.setdefault(id(parameter), name) != name:
            shared.append(name)
    read = [n.target for n in graph.nodes if n.op == "get_attr"]
    shared += [name for name in read if name.rpartition(".")[0] in calls]
    if shared:
        raise StudentError(
            f"{type(module).__name__} cannot be shrunk: {shared[0]!r} is used in several places "
            f"of the forward pass, which may want different units; expected a use of its own for "
            f"each layer and its weights."
        )


def _units_given(node, units, module):
    """Return the units of the value that a step reads; None where all are there."""
    cut = [source for source in node.all_input_nodes if source in units]
    if not cut or kind_of(node, module) == "size":
        return None
    readers = [user for source in cut for user in source.users if kind_of(user, module) != "size"]
    if len(readers) > 1:
        _refuse(node, module, "branches meet or part there, as in a residual block")
    return units[cut[0]]


def _own_layer(node, module):
    """Return the layer of a step; refuse one whose rows and columns cannot be left out."""
    layer = layer_of(node, module)
    if "weight" not in dict(layer.named_parameters(recurse=False)):
        _refuse(node, module, "its weight is computed from others, as by pruning or weight norm")
    if getattr(layer, "groups", 1) != 1:
        _refuse(node, module, "its units read groups of the units before")
    return layer


def _cut_inputs(node, layer, given, module, take):
    """Leave out the columns of a layer that read units which are gone."""
    if given is None:
        return
    is_linear = isinstance(layer, nn.Linear)
    size = "in_features" if is_linear else "in_channels"
    forms = ("flat", "flattened map") if is_linear else ("map",)
    columns = _positions(given, getattr(layer, size))
    if given.form not in forms or columns is None:
        _refuse(node, module, f"it does not read the {given.total} units before one by one")
    take(layer, "weight", columns, axis=1)
    setattr(layer, size, len(columns))


def _cut_outputs(layer, count, take):
    """Leave out the weakest units of a layer."""
    axis = 1 if isinstance(layer, SparseLinear) else 0
    strengths = layer.weight.detach().abs().transpose(0, axis).flatten(1).sum(dim=1)
    n_kept = count(len(strengths))
    kept = torch.argsort(strengths, descending=True, stable=True)[:n_kept].sort().values
    take(layer, "weight", kept, axis)
    take(layer, "bias", kept, axis=0)
    for size in ("out_features", "out_channels"):
        if hasattr(layer, size):
            setattr(layer, size, n_kept)
    is_map = hasattr(layer, "out_channels")
    return Units(kept, len(strengths), "map" if is_map else "flat")


def _pass_on(node, given, module, take):
    """Return the units of what a step makes of a value; cut a batch norm to them."""
    kind = kind_of(node, module)
    match kind, given.form:
        case "per unit", _:
            return given
        case "pool", "map":
            return given
        case "mean", "map":
            return given._replace(form="flat")
        case (("flatten" | "reshape"), "map"):
            return given._replace(form="flattened map")
        case (("flatten" | "reshape"), _):
            return given
        case "norm", _:
            layer = layer_of(node, module)
            kept = _positions(given, layer.num_features)
            if kept is not None:
                for name in ("weight", "bias", "running_mean", "running_var"):
                    take(layer, name, kept, axis=0)
                layer.num_features = len(kept)
                return given
    reason = "units may be mixed there, or are no longer to be told apart"
    return _refuse(node, module, reason)


def _positions(given, size):
    """Return where the kept units stand among `size` numbers; None where that is not known."""
    block, rest = divmod(size, given.total)
    if rest or (block != 1 and given.form != "flattened map"):
        return None
    return (given.kept[:, None] * block + torch.arange(block, device=given.kept.device)).flatten()


def _refuse(node, module, reason):
    raise StudentError(
        f"{type(module).__name__} cannot be shrunk at {describe(node, module)}: {reason}. Expected "
        f"a chain of linear and convolutional layers; truncate(teacher, upto) cuts others."
    )
