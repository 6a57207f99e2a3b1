"""Networks as nodes of an ONNX graph."""

from itertools import groupby
from operator import itemgetter

import numpy as np
from scipy.special import softmax

from skdistill.deployment._compact import find_compact
from skdistill.deployment._onnx._graph import FLOAT64
from skdistill.deployment._onnx._layers import LAYERS, same
from skdistill.deployment._plain_modules import kind_of, weights_of


def write_network(graph, module, rows, n_axes, dtype):
    """Add the nodes of a network that reads rows of numbers, in evaluation mode.

    Parameters
    ----------
    graph : Graph
    module : torch.nn.Module or PlainModule
    rows : GraphRows
    n_axes : int
        The number of their axes.
    dtype : str
        Of the module's weights.

    Returns
    -------
    str
        Its outputs, in its own dtype.

    Raises
    ------
    ExportError
        It names a layer that has no counterpart.
    """
    if kind_of(module) == "TabularMLP" and rows.codes is not None and module.n_codes:
        plain = None if rows.array is None else graph.cast(rows.array, dtype)
        return _write_columns(graph, module, plain, rows.codes)
    x = graph.cast(rows.whole(graph), dtype)
    if n_axes == 3 and any(kind_of(part) == "AsImages" for part in module.modules()):
        x = graph.add("Unsqueeze", x, np.array([1]))
    return write_module(graph, module, x)


def write_module(graph, module, x):
    """Add the nodes of a module or layer; see `write_network`."""
    kind = kind_of(module)
    if kind in BLOCKS:
        return BLOCKS[kind](graph, module, x)
    if kind in LAYERS:
        return LAYERS[kind](graph, module, x)
    from skdistill.deployment._onnx._traced import write_traced  # which imports torch

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
    if not module.n_codes:
        return _write_columns(graph, module, x, None)
    n_plain = module.n_features - module.n_codes
    codes = graph.cast(_slice(graph, x, n_plain, module.n_features), np.int64)
    return _write_columns(graph, module, _slice(graph, x, 0, n_plain) if n_plain else None, codes)


def _write_columns(graph, module, plain, codes):
    """Add the nodes of a TabularMLP behind its columns and its codes, either of which may lack."""
    parts = [] if plain is None else [plain]
    if module.n_numeric:
        is_all = module.n_numeric == module.n_features - module.n_codes
        quantities = plain if is_all else _slice(graph, plain, 0, module.n_numeric)
        parts.append(_write_embedding(graph, module.numeric, quantities))
    if codes is not None:
        parts.append(_write_codes(graph, module, codes))
    return write_module(graph, module.mlp, graph.join(parts))


def _write_codes(graph, module, codes):
    """Look all codes up in the embeddings of their columns, which stand below one another."""
    tables = [weights_of(embed.weight) for embed in module.categories]
    starts = np.cumsum([0, *(len(table) for table in tables)])[:-1]
    if len(tables) > 1:
        codes = graph.add("Add", codes, starts)
    found = graph.add("Gather", _joined(graph, tables), codes, axis=0)
    return graph.add("Reshape", found, np.array([-1, len(tables) * tables[0].shape[1]]))


def _joined(graph, tables):
    """Return tables below one another, those that are alike in what they are kept in as one."""
    kinds = [find_compact(table) is not None for table in tables]
    runs = [list(run) for _, run in groupby(zip(kinds, tables, strict=True), key=itemgetter(0))]
    parts = [graph.weights(np.concatenate([table for _, table in run])) for run in runs]
    return graph.join(parts, axis=0)


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
    units = graph.add("MatMul", come, graph.weights(weight.transpose(0, 2, 1).copy()))
    units = graph.add("Transpose", units, perm=[1, 0, 2])
    return graph.add("Reshape", units, np.array([-1, weight.shape[0] * weight.shape[1]]))


def _write_members(graph, module, x):
    x = graph.add("Unsqueeze", x, np.array([1]))
    x = graph.add("Mul", x, weights_of(module.scale))
    x = graph.add("Transpose", write_module(graph, module.shared, x), perm=[1, 0, 2])
    x = graph.add("MatMul", x, graph.weights(weights_of(module.heads.weight)))
    x = graph.add("Add", x, weights_of(module.heads.bias))
    if module.mean == "outputs":
        return graph.add("ReduceMean", x, np.array([0]), keepdims=0)
    x = graph.add("LogSoftmax", x, axis=-1)
    x = graph.add("ReduceLogSumExp", x, np.array([0]), keepdims=0)
    return graph.add("LogSoftmax", x, axis=-1)


def _write_gated_classes(graph, module, x):
    shares = graph.add("LogSoftmax", write_module(graph, module.gate, x), axis=1)
    answers = []
    for expert, start, end in _ranges(module):
        share = _slice(graph, shares, start, end)
        share = graph.add("ReduceLogSumExp", share, np.array([1]), keepdims=1)
        own = graph.add("LogSoftmax", write_module(graph, expert, x), axis=1)
        answers.append(graph.add("Add", own, share))
    return graph.add("Gather", graph.join(answers), weights_of(module.places), axis=1)


def _write_gated_columns(graph, module, x):
    weights = graph.add("Softmax", write_module(graph, module.gate, x), axis=1)
    columns = graph.add("Gather", x, weights_of(module.places), axis=1)
    total = None
    for i, (expert, start, end) in enumerate(_ranges(module)):
        own = write_module(graph, expert, _slice(graph, columns, start, end))
        own = graph.add("Mul", own, _slice(graph, weights, i, i + 1))
        total = own if total is None else graph.add("Add", total, own)
    return total


def _ranges(module):
    """Return the experts of a gated module, each with where its group begins and ends."""
    ends = np.cumsum(module.sizes).tolist()
    return zip(module.experts, [0, *ends[:-1]], ends, strict=True)


def _write_sparse(graph, module, x):
    x = graph.add("Div", x, weights_of(module.scale))
    return write_module(graph, module.rest, write_module(graph, module.first, x))


def _write_sparse_linear(graph, module, x):
    x = graph.add("MatMul", x, graph.weights(weights_of(module.weight)))
    return graph.add("Add", x, weights_of(module.bias))


def _write_soft_tree(graph, module, x):
    dtype, n_plain = graph.dtypes[x], module.n_features - module.n_codes
    plain = _slice(graph, x, 0, n_plain) if module.n_codes else x
    odds = graph.add("MatMul", plain, graph.weights(weights_of(module.weight).T.copy()))
    odds = graph.add("Add", odds, weights_of(module.bias))
    for i, embed in enumerate(module.categories, start=n_plain):
        code = graph.cast(_slice(graph, x, i, i + 1), np.int64)
        found = graph.add("Gather", graph.weights(weights_of(embed.weight)), code, axis=0)
        found = graph.add("Squeeze", found, np.array([1]))
        odds = graph.add("Add", odds, found)
    odds = graph.add("Mul", odds, np.array(module.beta, dtype))
    lefts, rights = _ways_to_leaves(module.depth)
    # Less the log-probability of a way is the sum of softplus over its turns.
    left = graph.add("MatMul", graph.add("Softplus", odds), lefts.astype(dtype))
    right = graph.add("Softplus", graph.add("Neg", odds))
    against = graph.add("Add", left, graph.add("MatMul", right, rights.astype(dtype)))
    reached = graph.add("Exp", graph.add("Neg", against))
    answers = (module.beta * weights_of(module.leaves)).astype(dtype)
    if module.mean == "outputs":
        return graph.add("MatMul", reached, answers)
    p = graph.add("MatMul", reached, softmax(answers, axis=1))
    return graph.add("Log", graph.add("Max", p, np.array(np.finfo(dtype).tiny, dtype)))


def _ways_to_leaves(depth):
    """Return at which nodes the way to each leaf turns left, and at which right.

    Parameters
    ----------
    depth : int

    Returns
    -------
    lefts, rights : ndarray of shape (2**depth - 1, 2**depth), bool
        The nodes level by level, each from left to right.
    """
    lefts = np.zeros((2**depth - 1, 2**depth), dtype=bool)
    rights = lefts.copy()
    for leaf in range(2**depth):
        for level in range(depth):
            node = 2**level - 1 + (leaf >> (depth - level))
            turns_right = leaf >> (depth - level - 1) & 1
            (rights if turns_right else lefts)[node, leaf] = True
    return lefts, rights


def _slice(graph, x, start, end):
    return graph.add("Slice", x, np.array([start]), np.array([end]), np.array([1]))


BLOCKS = {
    **dict.fromkeys(("nn.Sequential", "MLP", "Linear", "ConvNet"), _write_each),
    "FrozenNorm": _write_frozen,
    "AsImages": same,
    "TabularMLP": _write_tabular,
    "PiecewiseLinearEmbedding": _write_embedding,
    "MemberMLP": _write_members,
    "SoftDecisionTree": _write_soft_tree,
    "GatedClasses": _write_gated_classes,
    "GatedColumns": _write_gated_columns,
    "SparseMLP": _write_sparse,
    "SparseLinear": _write_sparse_linear,
}
"""Modules that hold others, or that this package alone has, by the names of their classes."""
