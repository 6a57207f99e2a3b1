"""The forward pass of a truncated module, step by step, as data and back.

torch writes a function of such steps, so each of them, and each name in them, is one of a table or
of the plainest form: what a file says becomes no other code.
"""

import keyword
import operator
from typing import Any

import torch
from torch import fx
from torch.nn import functional

from skdistill.deployment._values import NotPlainError, decode, encode
from skdistill.students._chain import FUNCTIONS, METHODS

KNOWN_METHODS = {name for names in METHODS.values() for name in names} | {"permute", "transpose"}
KNOWN_FUNCTIONS = {
    f"{where}.{name}": getattr(home, name)
    for where, home in (("torch", torch), ("operator", operator), ("functional", functional))
    for name in {
        *(function.__name__ for functions in FUNCTIONS.values() for function in functions),
        *("mul", "sub", "truediv", "cat", "softmax", "log_softmax"),
    }
    if hasattr(home, name)
}
NAMES = {function: name for name, function in KNOWN_FUNCTIONS.items()}


def describe_graph(module: fx.GraphModule) -> dict[str, Any]:
    """Return the steps of a module that torch.fx has made.

    Parameters
    ----------
    module : torch.fx.GraphModule

    Returns
    -------
    dict

    Raises
    ------
    NotPlainError
        For a step that the table lacks.
    """
    nodes: dict[fx.Node, int] = {}
    steps = []
    for node in module.graph.nodes:
        target = node.target
        if node.op == "call_function":
            if target not in NAMES:
                raise NotPlainError(f"the function {target}")
            target = NAMES[target]
        step = {"op": node.op, "target": target, "name": node.name}
        step["args"] = [_encode(value, nodes) for value in node.args]
        step["kwargs"] = {name: _encode(value, nodes) for name, value in node.kwargs.items()}
        nodes[node] = len(nodes)
        _check(step)
        steps.append(step)
    return {"name": type(module).__name__, "steps": steps}


def build_graph(description: dict[str, Any], parts: dict[str, Any]) -> fx.GraphModule:
    """Return the module that `describe_graph` was given.

    Parameters
    ----------
    description : dict
    parts : dict of str to Module or Tensor
        What its steps name.
    """
    graph = fx.Graph()
    nodes: list[fx.Node] = []
    for step in description["steps"]:
        _check(step)
        target = step["target"]
        nodes.append(
            graph.create_node(
                step["op"],
                KNOWN_FUNCTIONS[target] if step["op"] == "call_function" else target,
                tuple(_decode(value, nodes) for value in step["args"]),
                {name: _decode(value, nodes) for name, value in step["kwargs"].items()},
                name=step["name"],
            )
        )
    _check_names(description["name"])
    return fx.GraphModule(parts, graph, class_name=description["name"])


def _encode(value, nodes):
    if isinstance(value, fx.Node):
        return {"node": nodes[value]}
    if type(value) in (list, fx.immutable_collections.immutable_list):
        return [_encode(part, nodes) for part in value]
    if type(value) is tuple:
        return {"tuple": [_encode(part, nodes) for part in value]}
    return encode(value)


def _decode(value, nodes):
    if isinstance(value, list):
        return [_decode(part, nodes) for part in value]
    if isinstance(value, dict) and value.keys() == {"node"}:
        return nodes[value["node"]]
    if isinstance(value, dict) and value.keys() == {"tuple"}:
        return tuple(_decode(part, nodes) for part in value["tuple"])
    return decode(value)


def _check(step):
    """Refuse a step that is none of the table, and names that are more than names."""
    op, target = step["op"], step["target"]
    known = {
        "call_function": lambda: target in KNOWN_FUNCTIONS,
        "call_method": lambda: target in KNOWN_METHODS,
        "placeholder": lambda: not step["args"],
        "output": lambda: target == "output",
        "call_module": lambda: True,
        "get_attr": lambda: True,
    }
    if op not in known or not known[op]():
        raise NotPlainError(f"the step {str(op)[:40]} {str(target)[:40]}")
    _check_names(step["name"], *step["kwargs"])
    if op != "call_function":
        _check_names(*(part for part in target.split(".") if not part.isdecimal()))


def _check_names(*names):
    for name in names:
        if not name.isidentifier() or keyword.iskeyword(name) or not name.isascii():
            raise NotPlainError(f"the name {name[:40]!r}")
