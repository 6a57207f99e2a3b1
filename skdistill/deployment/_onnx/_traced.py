"""Modules with a forward pass of their own, followed step by step by torch.fx."""

import operator

import torch
from torch.nn import functional as F

from skdistill.deployment._onnx._layers import no_layer
from skdistill.exceptions import ExportError, StudentError
from skdistill.students._layers import trace

UNARY: dict[object, str] = {
    **dict.fromkeys((torch.relu, F.relu, "relu"), "Relu"),
    **dict.fromkeys((torch.tanh, F.tanh, "tanh"), "Tanh"),
    **dict.fromkeys((torch.sigmoid, F.sigmoid, "sigmoid"), "Sigmoid"),
}
BINARY: dict[object, str] = {
    **dict.fromkeys((operator.add, torch.add), "Add"),
    **dict.fromkeys((operator.mul, torch.mul), "Mul"),
}
NOTHING = (F.dropout, F.dropout1d, F.dropout2d, "contiguous")
FLATTEN = (torch.flatten, "flatten")


def write_traced(graph, module, x, write_module):
    """Add the nodes of a module with a forward pass of its own.

    Parameters
    ----------
    graph : Graph
    module : torch.nn.Module
    x : str
        What it reads.
    write_module : callable
        Writes the layers that it calls.

    Returns
    -------
    str

    Raises
    ------
    ExportError
        It names a step that has no counterpart.
    """
    if not any(True for _ in module.children()):
        raise no_layer(module)
    try:
        steps = trace(module, "written as ONNX").nodes
    except StudentError as error:
        raise ExportError(f"{error} skdistill.deployment.save keeps every module.") from error
    values: dict = {}
    for step in steps:
        values[step] = _write(graph, module, step, values, x, write_module)
        if step.op == "output":
            return values[step]
    raise no_layer(module)  # which returns nothing


def _write(graph, module, step, values, x, write_module):
    given = [values.get(one) for one in step.all_input_nodes]
    rest = [one for one in (*step.args, *step.kwargs.values()) if one not in step.all_input_nodes]
    is_of_one = len(given) == 1 and len(step.args) > 0 and step.args[0] in values
    if step.op == "placeholder" and not values:
        return x
    if step.op == "output" and is_of_one:
        return given[0]
    if step.op == "call_module" and is_of_one:
        return write_module(graph, module.get_submodule(step.target), given[0])
    if step.op in ("call_function", "call_method"):
        if step.target in NOTHING and is_of_one:
            return given[0]
        if step.target in UNARY and is_of_one:
            return graph.add(UNARY[step.target], given[0])
        if step.target in FLATTEN and rest in ([1], [1, -1]):
            return graph.add("Flatten", given[0], axis=1)
        if step.target in BINARY and not rest:
            both = [values[one] for one in step.args]
            return graph.add(BINARY[step.target], *both)
    raise no_layer(module, f": its step {step.target!r} has no counterpart here")
