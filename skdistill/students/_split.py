"""A student that is several small cuts of its teacher, and a gate that weighs them."""

from collections.abc import Sequence
from numbers import Integral
from typing import Literal

import torch
from torch import fx, nn

from skdistill._compat import Interval, StrOptions
from skdistill.exceptions import StudentError
from skdistill.students._chain import kind_of, layer_of
from skdistill.students._gated import GatedClasses, GatedColumns
from skdistill.students._layers import copy_module, trace
from skdistill.students._members import MemberMLP
from skdistill.students._settings import check_settings
from skdistill.students._shrink import WEIGHTED, shrink

CONSTRAINTS = {
    "groups": [Interval(Integral, 2, None, closed="left"), list, tuple],
    "by": [StrOptions({"classes", "features"})],
}


def split(
    teacher: nn.Module,
    groups: int | Sequence[Sequence[int]] = 2,
    *,
    by: Literal["classes", "features"] = "classes",
    width: float = 0.25,
) -> nn.Module:
    r"""Return several small cuts of a module as one, each for some classes or columns, and a gate.

    By classes, expert k answers for the classes of group k, the gate says which group it is, and
    the module returns

    .. math:: \log p(c \mid x) = \log p(g(c) \mid x) + \log p(c \mid g(c), x),

    g(c) being the group of class c: a softmax over the classes of each expert, and the gate's
    probabilities of all classes, added up by groups. With a width of 1 these are the
    probabilities of the teacher.

    By features, expert k sees the columns :math:`x_k` of group k, the gate a sees all, and the
    module returns

    .. math:: \sum_k \mathrm{softmax}(a(x))_k \, z_k(x_k),

    with :math:`z_k` the logits, or numbers, of expert k. At first all experts count alike.

    Experts and gate are made by `shrink`, and begin with weights of the teacher; they learn
    together, as one module does. What `shrink` refuses is refused. The module's answers must come
    from a linear layer, and by features its first layer must be a linear one that reads the rows.

    Parameters
    ----------
    teacher : torch.nn.Module
        Not changed.
    groups : int or list of list of int, default=2
        The groups: positions of classes in ``classes_``, two or more in each, or of columns as the
        teacher reads them; every one in one group. An int is how many are found, of equal size as
        nearly as may be: classes whose weights in the teacher's last layer are alike are together,
        as are columns by those of its first layer. Halves are taken along the first principal
        component of these weights, and halves of the halves.
    by : {"classes", "features"}, default="classes"
        What the experts share out.
    width : float, default=0.25
        Share of the units of each hidden layer that each expert, and the gate, keeps, in (0, 1].

    Returns
    -------
    torch.nn.Module
        With ``experts`` and ``gate``. By classes it learns classes alone, by features numbers too.

    Raises
    ------
    StudentError
        For groups that are too many or too small, that overlap, or leave a class or column out, and
        where the teacher cannot be cut.

    References
    ----------
    Jacobs et al. 1991, "Adaptive Mixtures of Local Experts" (the sum over experts). Goodman 2001,
    "Classes for Fast Maximum Entropy Training", arXiv cs/0108006 (classes in groups). Hinton et al.
    2015, arXiv 1503.02531, section 5 (specialists for classes that are confused). Boley 1998,
    "Principal Direction Divisive Partitioning" (halves along a principal component).

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import MLP, split
    >>> teacher = MLP(20, n_classes=6, hidden_units=(64,))
    >>> student = split(teacher, [[0, 2, 4], [1, 3, 5]], width=0.25)
    >>> student.experts[0]
    MLP(
      (0): Linear(in_features=20, out_features=16, bias=True)
      (1): ReLU()
      (2): Linear(in_features=16, out_features=3, bias=True)
    )
    >>> round(student(torch.zeros(1, 20)).exp().sum().item(), 4)  # of the six classes
    1.0
    """
    check_settings("split", CONSTRAINTS, groups=groups, by=by, width=width)
    _refuse_members(teacher)
    whole = shrink(teacher, 1.0)  # a copy of what can be shrunk
    graph = trace(whole, "split")
    last = _find_last(graph, whole)
    if by == "classes":
        found = _make_groups(groups, whole.get_submodule(last).weight, "classes", fewest=2)
        gate = _with_outputs(whole, last, [label for group in found for label in group])
        experts = [_with_outputs(whole, last, group) for group in found]
    else:
        first = _find_first(graph, whole)
        found = _make_groups(groups, whole.get_submodule(first).weight.T, "columns", fewest=1)
        gate = _with_zeros(whole, last, len(found))
        experts = [_with_inputs(whole, first, group) for group in found]
    kind = GatedClasses if by == "classes" else GatedColumns
    gated = kind(shrink(gate, width), [shrink(expert, width) for expert in experts], found)
    return gated.train(teacher.training)


def _refuse_members(teacher):
    if isinstance(teacher, nn.Module) and any(isinstance(p, MemberMLP) for p in teacher.modules()):
        raise StudentError(
            f"{type(teacher).__name__} cannot be split: it has several members, which learn each "
            f"by itself; expected one network. n_members=1 makes one."
        )


def _find_last(graph, module):
    """Return the name of the linear layer whose output is the module's own."""
    result = next(node for node in graph.nodes if node.op == "output").args[0]
    if not isinstance(result, fx.Node) or kind_of(result, module) != "linear":
        raise StudentError(
            f"{type(module).__name__} cannot be split: its answers do not come from a linear layer "
            f"as they are; expected logits, or numbers, of one. Leave out what follows it."
        )
    return result.target


def _find_first(graph, module):
    """Return the name of the linear layer that reads the rows themselves."""
    node = next(node for node in graph.nodes if kind_of(node, module) in WEIGHTED)
    rows = next(node for node in graph.nodes if node.op == "placeholder")
    if kind_of(node, module) != "linear" or node.all_input_nodes != [rows] or len(rows.users) > 1:
        raise StudentError(
            f"{type(module).__name__} cannot be split by features: its first layer, "
            f"{node.target!r} ({type(layer_of(node, module)).__name__}), is no linear one that "
            f"reads the columns of the rows; expected a network such as an MLP. Put what comes "
            f"before it into a step of the student's Pipeline, or split by classes."
        )
    return node.target


def _make_groups(groups, weight, name, fewest):
    """Return groups of the rows of a weight: those that are given, checked, or as many of them."""
    total = len(weight)
    if isinstance(groups, Integral):
        if groups * fewest > total:
            raise StudentError(
                f"groups={groups} of {total} {name} are too many: each has {fewest} or more. "
                + (
                    f"Expected an int in [2, {total // fewest}]."
                    if total >= 2 * fewest
                    else f"To be split by them, expected {2 * fewest} {name} or more; split by "
                    f"{'features' if name == 'classes' else 'classes'}."
                )
            )
        found = _halve(weight.detach().double().cpu(), torch.arange(total), groups)
        return sorted(sorted(group.tolist()) for group in found)
    wanted = f"Expected {name} from 0 to {total - 1}, every one of them in one group"
    for group in groups:
        if not _are_ints(group):
            raise StudentError(f"The group {group!r} is no list of ints. {wanted}.")
        if len(group) < fewest:
            raise StudentError(
                f"The group {list(group)} has fewer than {fewest} {name}, and nothing to learn. "
                f"{wanted}. Put it together with another one."
            )
    given = [int(i) for group in groups for i in group]
    unknown = sorted({i for i in given if not 0 <= i < total})
    twice = sorted({i for i in given if given.count(i) > 1})
    missing = sorted(set(range(total)) - set(given))
    for found, reason in (
        (unknown, "are not there"),
        (twice, "stand in the groups more than once"),
        (missing, "are in no group"),
    ):
        if found:
            raise StudentError(f"The {name} {found} {reason}. {wanted}.")
    if len(groups) < 2:
        raise StudentError(f"There is one group. {wanted}, and two groups or more.")
    return [[int(i) for i in group] for group in groups]


def _are_ints(group):
    """Whether a group is a collection of ints, none of them a bool."""
    try:
        len(group)  # neither a number, nor an array without axes, nor a generator
    except TypeError:
        return False
    return all(isinstance(i, Integral) and not isinstance(i, bool) for i in group)


def _halve(vectors, members, n_groups):
    """Part members along the first principal component of their vectors, again and again."""
    if n_groups == 1:
        return [members]
    own = vectors[members]
    direction = torch.linalg.svd(own - own.mean(dim=0), full_matrices=False)[2][0]
    direction = direction * direction[direction.abs().argmax()].sign()  # the SVD leaves it open
    ranked = members[(own @ direction).argsort(stable=True)]
    n_first = n_groups // 2
    cut = round(len(members) * n_first / n_groups)
    return [
        *_halve(vectors, ranked[:cut], n_first),
        *_halve(vectors, ranked[cut:], n_groups - n_first),
    ]


def _with_layer(module, name, change, *, is_new=False, **sizes):
    """Return a copy in which a linear layer's weight and bias are what is made of them.

    A new layer is trained, whether the one that it stands for was frozen or not.
    """
    module = copy_module(module)
    layer = module.get_submodule(name)
    for kind, values in list(layer.named_parameters()):
        changed = change(values.detach()).clone()
        setattr(layer, kind, nn.Parameter(changed, requires_grad=is_new or values.requires_grad))
    for size, n_units in sizes.items():
        setattr(layer, size, n_units)
    return module


def _with_outputs(module, name, kept):
    return _with_layer(module, name, lambda values: values[kept], out_features=len(kept))


def _with_zeros(module, name, n_outputs):
    def change(values):
        return values.new_zeros(n_outputs, *values.shape[1:])

    return _with_layer(module, name, change, is_new=True, out_features=n_outputs)


def _with_inputs(module, name, kept):
    def change(values):
        return values[:, kept] if values.ndim == 2 else values

    return _with_layer(module, name, change, in_features=len(kept))
