"""What a step of a traced forward pass does to the units that go through it."""

import operator

import torch
from torch import fx, nn
from torch.nn import functional as F

from skdistill.students._dropout import Dropout
from skdistill.students._layers import FrozenNorm
from skdistill.students._sparse import SparseLinear

LAYERS = {
    "linear": (nn.Linear,),
    "sparse linear": (SparseLinear,),
    "convolution": (nn.Conv1d, nn.Conv2d, nn.Conv3d),
    "norm": (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d),
    "pool": (
        *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d),
        *(nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
        *(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
        *(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
    ),
    "per unit": (
        *(nn.Identity, Dropout, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d),
        *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
        *(nn.Tanh, nn.Sigmoid, nn.Softplus, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid),
    ),
    "flatten": (nn.Flatten,),
}
FUNCTIONS = {
    "pool": (
        *(F.max_pool1d, F.max_pool2d, F.max_pool3d, F.avg_pool1d, F.avg_pool2d, F.avg_pool3d),
        *(F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d),
    ),
    "per unit": (
        *(F.dropout, F.dropout1d, F.dropout2d, F.dropout3d),
        *(torch.relu, torch.tanh, torch.sigmoid, F.relu, F.relu6, F.leaky_relu, F.elu, F.selu),
        *(F.gelu, F.silu, F.mish, F.tanh, F.sigmoid, F.softplus, F.hardswish),
    ),
    "flatten": (torch.flatten,),
    "mean": (torch.mean,),
    "sum": (operator.add, operator.iadd, torch.add),
}
METHODS = {
    "per unit": ("relu", "relu_", "tanh", "sigmoid", "contiguous"),
    "flatten": ("flatten",),
    "reshape": ("view", "reshape"),
    "mean": ("mean",),
    "size": ("size",),
}
KINDS: dict[object, str] = {
    what: kind
    for known in (LAYERS, FUNCTIONS, METHODS)
    for kind, those in known.items()
    for what in those
}
OVER_THE_IMAGE = ([(2, 3)], [[2, 3]], [(-2, -1)], [[-2, -1]], [(-1, -2)], [[-1, -2]])


def kind_of(node, module):
    """Name what a step does.

    Parameters
    ----------
    node : torch.fx.Node
    module : torch.nn.Module
        The one that was traced.

    Returns
    -------
    str
        "linear", "sparse linear", "convolution", "norm", "pool" (over the places of a map, unit by
        unit), "per unit" (number by number), "flatten" (of a map, unit after unit), "mean" (over a
        map), "sum" (of two values), "size" (the shape alone is asked), or "other". Layers of a
        class of their own, such as parametrised ones, are others.
    """
    if node.op not in ("call_module", "call_function", "call_method"):
        return "other"
    if node.target is getattr and node.args[1] == "shape":
        return "size"
    what = type(layer_of(node, module)) if node.op == "call_module" else node.target
    kind = KINDS.get(what, "other")
    return kind if _is_ordinary(kind, node, module) else "other"


def layer_of(node, module):
    """Return the layer that a step calls; of a frozen batch norm the batch norm itself."""
    layer = module.get_submodule(node.target)
    return layer.norm if isinstance(layer, FrozenNorm) else layer


def describe(node, module):
    """Name a step for an error."""
    if node.op == "call_module":
        return f"the layer {node.target!r} ({type(layer_of(node, module)).__name__})"
    return f"the step {getattr(node.target, '__name__', node.target)!r}"


def _is_ordinary(kind, node, module):
    """Whether a step does what its kind says, with the settings that it has."""
    rest = [*node.args[1:], *node.kwargs.values()]
    match kind, node.op:
        case ("flatten", "call_module"):
            layer = layer_of(node, module)
            return (layer.start_dim, layer.end_dim) == (1, -1)
        case ("flatten", _):
            return rest in ([1], [1, -1])
        case ("reshape", _):
            return len(rest) == 2 and isinstance(rest[0], fx.Node) and rest[1] == -1
        case ("mean", _):
            return rest in OVER_THE_IMAGE
        case ("pool", "call_module"):
            return not getattr(layer_of(node, module), "return_indices", False)
        case ("pool", _):
            return not node.kwargs.get("return_indices")
        case _:
            return True
