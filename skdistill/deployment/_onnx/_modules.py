"""Networks as nodes of an ONNX graph."""

import numpy as np
from torch import nn

from skdistill._torch import module_dtype
from skdistill.deployment._onnx._graph import FLOAT64
from skdistill.deployment._onnx._layers import LAYERS, same, weights_of
from skdistill.deployment._onnx._traced import write_traced
from skdistill.students import MLP, Linear, PiecewiseLinearEmbedding, SparseMLP, TabularMLP
from skdistill.students._conv import AsImages, ConvNet
from skdistill.students._layers import FrozenNorm
from skdistill.students._members import MemberMLP
from skdistill.students._sparse import SparseLinear


def write_network(graph, module, x, n_axes):
    """Add the nodes of a network that reads rows of numbers, in evaluation mode.

    Parameters
    ----------
    graph : Graph
    module : torch.nn.Module
    x : str
        The rows, of any floating dtype.
    n_axes : int
        The number of their axes.

    Returns
    -------
    str
        Its outputs, in its own dtype.

    Raises
    ------
    ExportError
        It names a layer that has no counterpart.
    """
    dtype = str(module_dtype(module)).removeprefix("torch.")
    x = graph.cast(x, dtype)
    if n_axes == 3 and any(isinstance(part, AsImages) for part in module.modules()):
        x = graph.add("Unsqueeze", x, np.array([1]))
    return write_module(graph, module, x)


def write_module(graph, module, x):
    """Add the nodes of a module or layer; see `write_network`."""
    kind = type(module)
    if kind in BLOCKS:
        return BLOCKS[kind](graph, module, x)
    if kind in LAYERS:
        return LAYERS[kind](graph, module, x)
    return write_traced(graph, module, x, write_module)


def _write_each(graph, module, x):
    for layer in module:
        x = write_module(graph, layer, x)
    return x


def _write_frozen(graph, module, x):
    return write_module(graph, module.norm, x)


def _write_tabular(graph, module, x):
    if module.takes_sparse:
        return write_module(graph, module.mlp, x)
    n_plain = module.n_features - module.n_codes
    plain = _columns(graph, x, 0, n_plain) if module.n_codes else x
    parts = [plain] if n_plain else []
    if module.n_numeric:
        quantities = x if module.only_numeric else _columns(graph, x, 0, module.n_numeric)
        parts.append(_write_embedding(graph, module.numeric, quantities))
    if module.n_codes:
        parts.append(_write_codes(graph, module, x, n_plain))
    return write_module(graph, module.mlp, graph.join(parts))


def _write_codes(graph, module, x, n_plain):
    """Look all codes up in the embeddings of their columns, which stand below one another."""
    tables = [weights_of(embed.weight) for embed in module.categories]
    starts = np.cumsum([0, *(len(table) for table in tables)])[:-1]
    codes = graph.cast(_columns(graph, x, n_plain, module.n_features), np.int64)
    codes = graph.add("Add", codes, starts)
    table = np.concatenate(tables)
    found = graph.add("Gather", table, codes, axis=0)
    return graph.add("Reshape", found, np.array([-1, len(tables) * table.shape[1]]))


def _write_embedding(graph, module, x):
    # Columns first, then rows, then intervals. torch rounds the product and the sum once, which
    # float64 does too: a steep slope would show the difference.
    x = graph.add("Unsqueeze", graph.add("Transpose", x, perm=[1, 0]), np.array([2]))
    dtype = graph.dtypes[x]
    slope, offset = (weights_of(t).astype(FLOAT64) for t in (module.slope, module.offset))
    come = graph.add("Add", graph.add("Mul", graph.cast(x, FLOAT64), slope), offset)
    come = graph.cast(come, dtype)
    come = graph.add("Clip", come, np.array(0, dtype), np.array(1, dtype))
    come = graph.add("Sub", come, weights_of(module.center))
    weight = weights_of(module.weight)
    units = graph.add("MatMul", come, weight.transpose(0, 2, 1).copy())
    units = graph.add("Transpose", units, perm=[1, 0, 2])
    return graph.add("Reshape", units, np.array([-1, weight.shape[0] * weight.shape[1]]))


def _write_members(graph, module, x):
    x = graph.add("Unsqueeze", x, np.array([1]))
    x = graph.add("Mul", x, weights_of(module.scale))
    x = graph.add("Transpose", write_module(graph, module.shared, x), perm=[1, 0, 2])
    x = graph.add("MatMul", x, weights_of(module.heads.weight))
    x = graph.add("Add", x, weights_of(module.heads.bias))
    if module.mean == "outputs":
        return graph.add("ReduceMean", x, np.array([0]), keepdims=0)
    x = graph.add("LogSoftmax", x, axis=-1)
    x = graph.add("ReduceLogSumExp", x, np.array([0]), keepdims=0)
    return graph.add("LogSoftmax", x, axis=-1)


def _write_sparse(graph, module, x):
    x = graph.add("Div", x, weights_of(module.scale))
    return write_module(graph, module.rest, write_module(graph, module.first, x))


def _write_sparse_linear(graph, module, x):
    x = graph.add("MatMul", x, weights_of(module.weight))
    return graph.add("Add", x, weights_of(module.bias))


def _columns(graph, x, start, end):
    return graph.add("Slice", x, np.array([start]), np.array([end]), np.array([1]))


BLOCKS = {
    **dict.fromkeys((nn.Sequential, MLP, Linear, ConvNet), _write_each),
    FrozenNorm: _write_frozen,
    AsImages: same,
    TabularMLP: _write_tabular,
    PiecewiseLinearEmbedding: _write_embedding,
    MemberMLP: _write_members,
    SparseMLP: _write_sparse,
    SparseLinear: _write_sparse_linear,
}
"""Modules that hold others, or that this package alone has."""
