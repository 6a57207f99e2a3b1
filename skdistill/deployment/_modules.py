"""Modules as data: of which known layers one is made, and the same made again without weights.

What may stand in a file is this table. A layer is made by its class here, never by a name that is
looked up elsewhere, on the device "meta", where nothing is drawn or allocated.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import fx, nn

from skdistill.deployment._graphs import build_graph, describe_graph
from skdistill.deployment._values import NotPlainError, decode, encode
from skdistill.students import (
    MLP,
    ConvNet,
    Linear,
    PiecewiseLinearEmbedding,
    SoftDecisionTree,
    SparseMLP,
    TabularMLP,
)
from skdistill.students._conv import AsImages
from skdistill.students._dropout import Dropout
from skdistill.students._gated import GatedClasses, GatedColumns
from skdistill.students._layers import FrozenNorm
from skdistill.students._members import MemberLinear, MemberMLP
from skdistill.students._sparse import SparseLinear

CONVOLUTION = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
POOL = ("kernel_size", "stride", "padding", "ceil_mode")
MAX_POOL = ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")
LAYERS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Linear: ("in_features", "out_features", "bias"),
    **dict.fromkeys(
        (nn.Conv1d, nn.Conv2d, nn.Conv3d), (*CONVOLUTION, "groups", "bias", "padding_mode")
    ),
    nn.Embedding: ("num_embeddings", "embedding_dim", "padding_idx"),
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), NORM),
    nn.LayerNorm: ("normalized_shape", "eps", "elementwise_affine"),
    nn.GroupNorm: ("num_groups", "num_channels", "eps", "affine"),
    **dict.fromkeys((nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d), MAX_POOL),
    **dict.fromkeys((nn.AvgPool1d,), (*POOL, "count_include_pad")),
    **dict.fromkeys((nn.AvgPool2d, nn.AvgPool3d), (*POOL, "count_include_pad", "divisor_override")),
    **dict.fromkeys(
        (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d), ("output_size",)
    ),
    **dict.fromkeys(
        (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d),
        ("output_size", "return_indices"),
    ),
    **dict.fromkeys(
        (Dropout, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d), ("p", "inplace")
    ),
    **dict.fromkeys((nn.Identity, nn.Tanh, nn.Sigmoid), ()),
    **dict.fromkeys(
        (nn.ReLU, nn.ReLU6, nn.SELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Hardsigmoid), ("inplace",)
    ),
    nn.LeakyReLU: ("negative_slope", "inplace"),
    nn.ELU: ("alpha", "inplace"),
    nn.CELU: ("alpha", "inplace"),
    nn.GELU: ("approximate",),
    nn.Softplus: ("beta", "threshold"),
    nn.Hardtanh: ("min_val", "max_val", "inplace"),
    nn.Softmax: ("dim",),
    nn.LogSoftmax: ("dim",),
    nn.Flatten: ("start_dim", "end_dim"),
    nn.Unflatten: ("dim", "unflattened_size"),
    AsImages: ("n_channels",),
}
"""Layers without others in them, and the arguments that make each, which are its attributes."""

FROM_SHAPE: dict[type[nn.Module], tuple[str, Callable]] = {
    PiecewiseLinearEmbedding: ("weight", lambda n, size, bins: (n, size, bins)),
    MemberLinear: ("weight", lambda members, width, n: (members, width, n)),
    SparseLinear: ("weight", lambda width, n: (width, n)),
}
"""Layers whose arguments are the shape of their weight."""

BLOCKS: dict[type[nn.Module], tuple[str, ...]] = {
    **dict.fromkeys((nn.Sequential, nn.ModuleList, MLP, Linear, ConvNet, SparseMLP), ()),
    TabularMLP: ("n_features", "n_numeric", "n_codes", "only_numeric", "takes_sparse"),
    MemberMLP: ("mean",),
    SoftDecisionTree: (
        *("settings", "n_features", "depth", "beta", "penalty", "mean", "n_codes"),
        "takes_sparse",
    ),
    GatedClasses: ("sizes", "takes_sparse"),
    GatedColumns: ("sizes",),
    FrozenNorm: (),
}
"""Modules with others in them, and the attributes that they have besides."""

CLASSES = {
    f"{'nn.' if kind.__module__.startswith('torch.') else ''}{kind.__name__}": kind
    for kind in (*LAYERS, *FROM_SHAPE, *BLOCKS)
}
NAMES = {kind: name for name, kind in CLASSES.items()}
TRACED = "traced"
"""What a module of torch.fx is called, whose class is made for it alone."""

STUDENTS: dict[str | None, type[nn.Module] | None] = {
    None: None,
    **{kind.__name__: kind for kind in (MLP, Linear, SparseMLP, TabularMLP, ConvNet)},
    "SoftDecisionTree": SoftDecisionTree,
}
"""What a net may have been given as its module's class."""


class Misfit(NamedTuple):
    """Where weights and a module do not fit each other."""

    name: str
    of_file: tuple[int, ...] | None
    of_module: tuple[int, ...] | None


def describe_module(module):
    """Return what a module is made of, or None where that is not known to this table.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict or None
    """
    try:
        description = _describe(module)
        copy = build_module(description)
    except (NotPlainError, AttributeError):
        return None
    # What has been changed about a module by hand shows here.
    same = str(copy) == str(module) and not find_misfits(copy, module.state_dict())
    return description if same and not any(map(_has_hooks, module.modules())) else None


def build_module(description):
    """Return a module of what `describe_module` said, on the device "meta".

    Parameters
    ----------
    description : dict

    Returns
    -------
    torch.nn.Module
        In evaluation mode.
    """
    with torch.device("meta"):
        return _build(description).eval()


def find_misfits(module, state):
    """Return where weights and a module do not fit.

    Parameters
    ----------
    module : torch.nn.Module
    state : dict of str to torch.Tensor

    Returns
    -------
    list of Misfit
    """
    shapes = {name: tuple(values.shape) for name, values in state.items()}
    own = {name: tuple(values.shape) for name, values in module.state_dict().items()}
    names = [*own, *(name for name in shapes if name not in own)]
    pairs = [Misfit(name, shapes.get(name), own.get(name)) for name in names]
    return [pair for pair in pairs if pair.of_file != pair.of_module]


def _has_hooks(module):
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _describe(module):
    kind = type(module)
    if isinstance(module, fx.GraphModule):
        return _describe_traced(module)
    if kind not in NAMES:
        raise NotPlainError(kind.__name__)
    found: dict[str, Any] = {"class": NAMES[kind]}
    if not all(p.requires_grad for p in module.parameters(recurse=False)):
        found["frozen"] = [n for n, p in module.named_parameters(recurse=False)
                           if not p.requires_grad]  # fmt: skip
    if kind in FROM_SHAPE:
        return {**found, "shape": list(getattr(module, FROM_SHAPE[kind][0]).shape)}
    settings = {name: getattr(module, name) for name in (LAYERS | BLOCKS)[kind]}
    if "bias" in settings:
        settings["bias"] = settings["bias"] is not None
    if settings:
        found["settings"] = {name: encode(value) for name, value in settings.items()}
    if kind in LAYERS:
        return found
    for kept in ("parameters", "buffers"):
        own = dict(getattr(module, f"named_{kept}")(recurse=False))
        if own:
            found[kept] = {name: list(values.shape) for name, values in own.items()}
    return {**found, "parts": {name: _describe(part) for name, part in module.named_children()}}


def _describe_traced(module):
    graph, weights = describe_graph(module), dict(module.named_parameters())
    layers, read = (
        sorted({step["target"] for step in graph["steps"] if step["op"] == op})
        for op in ("call_module", "get_attr")
    )
    if not weights.keys() >= set(read):
        raise NotPlainError("a step that reads what is no weight")
    return {
        "class": TRACED,
        "graph": graph,
        "parts": {name: _describe(module.get_submodule(name)) for name in layers},
        "parameters": {name: list(weights[name].shape) for name in read},
    }


def _build(description):
    if description["class"] == TRACED:
        parts = {name: _build(part) for name, part in description["parts"].items()}
        for name, shape in description["parameters"].items():
            parts[name] = nn.Parameter(torch.empty(shape))
        return build_graph(description["graph"], parts)
    kind = CLASSES[description["class"]]
    settings = {n: decode(value) for n, value in description.get("settings", {}).items()}
    if kind in LAYERS:
        if settings.keys() != set(LAYERS[kind]):
            raise ValueError(f"{kind.__name__} wants {LAYERS[kind]}, and has {list(settings)}")
        module = _embedding(**settings) if kind is nn.Embedding else kind(**settings)
    elif kind in FROM_SHAPE:
        module = kind(*FROM_SHAPE[kind][1](*description["shape"]))
    else:
        module = _build_block(kind, settings, description)
    own = dict(module.named_parameters(recurse=False))
    for name in description.get("frozen", ()):
        own[name].requires_grad_(False)
    return module


def _embedding(num_embeddings, embedding_dim, padding_idx):
    # Its constructor draws from the normal distribution, for which torch imports its compiler here.
    weight = torch.empty(num_embeddings, embedding_dim)
    return nn.Embedding.from_pretrained(weight, freeze=False, padding_idx=padding_idx)


def _build_block(kind, settings, description):
    """Make a block around its parts, whatever its own constructor would put there."""
    parts = OrderedDict((name, _build(part)) for name, part in description["parts"].items())
    module = kind.__new__(kind)
    nn.Module.__init__(module)
    if settings.keys() != set(BLOCKS[kind]):
        raise ValueError(f"{kind.__name__} wants {BLOCKS[kind]}, and has {list(settings)}")
    for name, value in settings.items():
        setattr(module, name, value)
    for name, part in parts.items():
        module.add_module(name, part)
    for name, shape in description.get("parameters", {}).items():
        module.register_parameter(name, nn.Parameter(torch.empty(shape)))
    for name, shape in description.get("buffers", {}).items():
        module.register_buffer(name, torch.empty(shape))
    return module
