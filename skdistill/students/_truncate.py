"""A student that is the first layers of its teacher."""

from collections import OrderedDict

from torch import fx, nn

from skdistill.exceptions import StudentError
from skdistill.students._chain import kind_of, layer_of
from skdistill.students._layers import check_name, copy_module, trace
from skdistill.students._members import MemberMLP
from skdistill.students._settings import COUNT, check_settings

POOLS = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


def truncate(
    teacher: nn.Module, upto: str, n_classes: int | None = None, *, pool: int = 4
) -> nn.Sequential:
    """Return the first layers of a module, with a linear layer after them.

    The forward pass is followed symbolically (`torch.fx`), and all that the named layer does not
    depend on is left out; residual sums and other branches before it are kept. Feature maps are
    averaged over the cells of a grid, and each number is brought to mean 0 and standard deviation 1
    by a batch norm, before the linear layer. That starts at zero: it needs no random number, and
    in the first step of training the copied layers get no gradient.

    Parameters
    ----------
    teacher : torch.nn.Module
        Not changed; the student gets copies of its weights. A decision on ``self.training`` in
        its forward pass is taken as in training.
    upto : str
        The last layer or block that is kept, as `layer_names` gives it: best an activation or a
        block that ends in one.
    n_classes : int, default=None
        Number of logits; None is that of the teacher.
    pool : int, default=4
        Cells along each axis of the grid; 1 is the mean over the image.

    Returns
    -------
    torch.nn.Sequential
        Of the ``body``, in which the layers have their names of the teacher, ``pool`` and
        ``flatten`` where the body ends in feature maps, ``norm``, and the ``head``.

    Raises
    ------
    StudentError
        When there is no such layer, when the forward pass cannot be followed or cut there, or
        when the width there, or the number of classes, cannot be read off the layers.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import ConvNet, layer_names, truncate
    >>> teacher = ConvNet(1, n_classes=10)
    >>> list(layer_names(teacher))[:5]  # the axis of channels, a block, the pooling after it
    ['0', '1', '2', '3', '4']
    >>> student = truncate(teacher, upto="7")  # up to the second block's activation
    >>> student.head
    Linear(in_features=512, out_features=10, bias=True)
    >>> student(torch.zeros(2, 28, 28)).shape
    torch.Size([2, 10])
    """
    check_settings(
        "truncate", {"n_classes": [*COUNT, None]}, upto=upto, n_classes=n_classes, pool=pool
    )
    check_name(teacher, upto)
    if any(isinstance(part, MemberMLP) for part in teacher.modules()):
        raise StudentError(
            f"{type(teacher).__name__} cannot be truncated: it has several members, and features "
            f"of each for a row; expected one vector or map. shrink(teacher) keeps the members, "
            f"and n_members=1 makes a network without."
        )
    teacher = copy_module(teacher)
    graph = trace(teacher, "truncated")
    cut = _cut_at(graph, upto)
    width, axes = _width_after(cut, teacher) or _width_before(cut, teacher) or (None, 0)
    if width is None:
        raise StudentError(
            f"The number of units after {upto!r} cannot be read off the layers around it; expected "
            f"a linear, convolutional or batch norm layer, an activation, a pooling, or a block "
            f"that ends in one. Cut at such a layer."
        )
    if n_classes is None:
        n_classes = _count_outputs(graph, teacher)
    parts: OrderedDict[str, nn.Module] = OrderedDict(body=_body(teacher, graph, cut))
    if axes:
        parts.update(pool=POOLS[axes](pool), flatten=nn.Flatten())
        width *= pool**axes
    weight = next(teacher.parameters())
    parts["norm"] = nn.BatchNorm1d(width, affine=False, device=weight.device, dtype=weight.dtype)
    head = nn.Linear(width, n_classes, device="meta", dtype=weight.dtype)  # draws no numbers
    parts["head"] = head.to_empty(device=weight.device)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    return nn.Sequential(parts).train(teacher.training)


def _cut_at(graph, name):
    """Return the one step whose value a layer or block hands on."""
    inside = {node: calls for node in graph.nodes if (calls := _calls_around(node, name))}
    handed_on = [node for node in inside if set(node.users) - inside.keys()]
    n_calls = len(set().union(*inside.values()))
    if len(handed_on) != 1 or n_calls > 1:
        raise StudentError(
            f"The teacher cannot be cut after {name!r}, which is called {n_calls} times in the "
            f"forward pass and hands on {len(handed_on)} values; expected is one value of one "
            f"call. Cut at another layer or block."
        )
    return handed_on[0]


def _calls_around(node, name):
    """Return the calls of a layer or block that a step is part of."""
    stack = node.meta.get("nn_module_stack", {})
    return {call for call, (path, _) in stack.items() if path == name}


def _width_after(node, module):
    """Read the number of units off the linear layer that takes them; None where there is none."""
    while len(node.users) == 1:
        node = next(iter(node.users))
        kind = kind_of(node, module)
        if kind == "linear":
            return layer_of(node, module).in_features, 0
        if kind not in ("per unit", "norm"):
            return None
    return None


def _width_before(node, module):
    """Read the number of units, and of a feature map's axes, off the layers before."""
    averaged = False
    while (kind := kind_of(node, module)) in ("per unit", "pool", "norm", "sum", "mean"):
        averaged |= kind == "mean"
        node = node.all_input_nodes[0]
    if kind == "linear":
        return layer_of(node, module).out_features, 0
    if kind == "convolution":
        layer = layer_of(node, module)
        return layer.out_channels, 0 if averaged else len(layer.kernel_size)
    return None


def _count_outputs(graph, module):
    result = next(node for node in graph.nodes if node.op == "output").args[0]
    found = _width_before(result, module) if isinstance(result, fx.Node) else None
    if found is None:
        raise StudentError(
            "The teacher's number of classes cannot be read off its last layer, which is no "
            "linear one; give it: truncate(teacher, upto, n_classes=10)."
        )
    return found[0]


def _body(module, graph, cut):
    """Return a module of the steps that one step depends on."""
    needed, waiting = set(), [cut]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting += node.all_input_nodes
    fixed = [node for node in needed if "training" in node.kwargs]
    if fixed:
        raise StudentError(
            f"The teacher cannot be truncated: its forward pass calls "
            f"{fixed[0].target.__name__!r} with training={fixed[0].kwargs['training']}, which a "
            f"trace would fix for good. Make it a layer, such as torch.nn.Dropout."
        )
    body = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        if node in needed or node.op == "placeholder":
            copies[node] = body.node_copy(node, copies.__getitem__)
    body.output(copies[cut])
    return fx.GraphModule(module, body, class_name=type(module).__name__)
