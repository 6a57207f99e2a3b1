"""A student whose layers are products of smaller ones, made of its teacher's weights."""

from numbers import Integral, Real

import torch
from torch import nn

from skdistill._compat import Interval, StrOptions
from skdistill._words import shorten
from skdistill.exceptions import StudentError
from skdistill.students._layers import Module, check_finite, copy_module
from skdistill.students._settings import check_settings

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
RANK = [Interval(Real, 0, 1, closed="right"), Interval(Integral, 1, None, closed="left")]
KIND = [StrOptions({"low-rank", "depthwise"})]


def factorize(teacher: Module, rank: float = 0.25, *, kind: str = "low-rank") -> Module:
    r"""Return a copy of a module whose layers are each two layers with fewer weights.

    The two are the best that there are of their form for the weights of the teacher's layer, by the
    singular value decomposition

    .. math:: W \approx U_r \,\mathrm{diag}(s_r)\, V_r^\top.

    With kind "low-rank", a linear layer becomes one to r units and one from them, and a convolution
    one of its own size to r channels and one of size 1 from them: W has a row for each channel,
    and a column for each weight by which it reads. With "depthwise", a convolution becomes one
    filter for each of its input channels (``groups=in_channels``) and one of size 1 that mixes
    them, the best product of rank one for each input channel; linear layers become products of low
    rank.

    A layer that would not get fewer weights by it stays as it is, as do layers with groups, those
    of other classes, and the last of all in the module's order, which gives the answers. Unlike
    `shrink`, it asks nothing of the forward pass but that layers are called.

    Parameters
    ----------
    teacher : torch.nn.Module
        Not changed.
    rank : float or int, default=0.25
        r: a float in (0, 1] is a share of the layer's full rank, an int the same number for all.
    kind : {"low-rank", "depthwise"}, default="low-rank"
        What a convolution becomes.

    Returns
    -------
    torch.nn.Module
        Of the teacher's class. In place of a layer stands a `torch.nn.Sequential` of two, the
        second with its bias.

    Raises
    ------
    StudentError
        When no layer would get fewer weights, or one is a part of the module under two names, and
        for weights that are NaN, infinite or not there yet.

    References
    ----------
    Denton et al. 2014, "Exploiting Linear Structure Within Convolutional Networks", arXiv
    1404.0736. Guo et al. 2018, "Network Decoupling", arXiv 1808.05517 (the depthwise form).

    Examples
    --------
    >>> from skdistill.students import MLP, factorize
    >>> factorize(MLP(20, n_classes=3, hidden_units=(64,)), rank=4)
    MLP(
      (0): Sequential(
        (0): Linear(in_features=20, out_features=4, bias=False)
        (1): Linear(in_features=4, out_features=64, bias=True)
      )
      (1): ReLU()
      (2): Linear(in_features=64, out_features=3, bias=True)
    )
    """
    check_settings("factorize", {"rank": RANK, "kind": KIND}, rank=rank, kind=kind)
    student = copy_module(teacher)
    check_finite(student, "factorized")
    n_before = _count(student)
    seen: dict[int, str] = {}
    for name, layer in student.named_modules(remove_duplicate=False):
        if type(layer) in (nn.Linear, *CONVOLUTIONS) and seen.setdefault(id(layer), name) != name:
            raise StudentError(
                f"{type(teacher).__name__} cannot be factorized: the layer {name!r} is "
                f"{seen[id(layer)]!r} too; expected a layer of its own in each place."
            )
    known = [n for n, layer in student.named_modules() if type(layer) in (nn.Linear, *CONVOLUTIONS)]
    for name in known[:-1]:
        parent, _, last = name.rpartition(".")
        product = _product(student.get_submodule(name), rank, kind)
        setattr(student.get_submodule(parent), last, product)
    if _count(student) == n_before:
        raise StudentError(
            f"{type(teacher).__name__} cannot be factorized with rank={rank!r} and "
            f"kind={shorten(kind)}: no linear or convolutional layer before the last would have "
            "fewer weights; expected one at least. Lower the rank, or shrink(teacher)."
        )
    return student.train(teacher.training)


def _count(module):
    return sum(weight.numel() for weight in module.parameters())


def _product(layer, rank, kind):
    """Return two layers in a Sequential, or the layer itself where that has fewer weights."""
    if getattr(layer, "groups", 1) != 1 or not isinstance(layer.weight, nn.Parameter):
        return layer
    weight = layer.weight.detach()
    if kind == "depthwise" and isinstance(layer, CONVOLUTIONS) and weight[0, 0].numel() > 1:
        first, second = _depthwise(weight.flatten(2))
        n_groups = layer.in_channels
    else:
        matrix = weight.flatten(1)
        full = min(matrix.shape)
        r = min(full, rank if isinstance(rank, Integral) else max(1, round(rank * full)))
        first, second = _low_rank(matrix, r)
        n_groups = 1
    if first.numel() + second.numel() >= weight.numel():
        return layer
    made = _make_layers(layer, len(first), n_groups)
    with torch.no_grad():
        made[0].weight.copy_(first.view_as(made[0].weight))
        made[1].weight.copy_(second.view_as(made[1].weight))
        if layer.bias is not None:
            made[1].bias.copy_(layer.bias)
    for part in made:
        part.requires_grad_(layer.weight.requires_grad)
    return made


def _low_rank(matrix, rank):
    """Return the factors of the best matrix of a rank, each with the roots of singular values."""
    u, s, vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    root = s[:rank].sqrt()
    return root[:, None] * vh[:rank], u[:, :rank] * root


def _depthwise(weight):
    """Return a filter for each input channel, and how much of each an output channel takes."""
    u, s, vh = torch.linalg.svd(weight.double().transpose(0, 1), full_matrices=False)
    root = s[:, :1].sqrt()
    return vh[:, 0] * root, (u[:, :, 0] * root).T


def _make_layers(layer, n_between, n_groups):
    """Return two untrained layers of that width between them, drawing no numbers."""
    place = {"device": "meta", "dtype": layer.weight.dtype}
    has_bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        parts = [
            nn.Linear(layer.in_features, n_between, bias=False, **place),
            nn.Linear(n_between, layer.out_features, bias=has_bias, **place),
        ]
    else:
        form = {
            name: getattr(layer, name) for name in ("stride", "padding", "dilation", "padding_mode")
        }
        kind, size = type(layer), layer.kernel_size
        parts = [
            kind(layer.in_channels, n_between, size, groups=n_groups, bias=False, **form, **place),
            kind(n_between, layer.out_channels, 1, bias=has_bias, **place),
        ]
    return nn.Sequential(*(part.to_empty(device=layer.weight.device) for part in parts))
