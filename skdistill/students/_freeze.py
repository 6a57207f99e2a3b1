"""Layers that are not trained."""

from collections.abc import Sequence

from torch import nn

from skdistill._words import shorten
from skdistill.students._layers import FrozenNorm, Module, check_name, copy_module
from skdistill.students._settings import check_settings

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def freeze(module: Module, names: str | Sequence[str]) -> Module:
    """Return a copy of a module in which some layers are not trained.

    Their parameters get ``requires_grad=False``, and their batch norms keep to the running
    statistics that they have: each stands in a small module that stays in evaluation mode. Their
    dropout goes on.

    Parameters
    ----------
    module : torch.nn.Module
        Not changed.
    names : str or list of str
        Layers or blocks, as `layer_names` gives them.

    Returns
    -------
    torch.nn.Module
        For ``StudentNet(module)``, which copies it for every fit, frozen layers and all.

    Raises
    ------
    StudentError
        For a name that is none of its layers.
    ValueError
        For no name at all.

    Examples
    --------
    >>> from torch import nn
    >>> from skdistill.students import freeze
    >>> module = freeze(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), "0")
    >>> [name for name, weight in module.named_parameters() if weight.requires_grad]
    ['2.weight', '2.bias']
    """
    check_settings("freeze", names=names)
    if not names:
        raise ValueError(
            f"The 'names' parameter of freeze is empty; expected the name of a layer or block, or "
            f"a list of names. layer_names(module) lists them. Got {shorten(names)}."
        )
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        check_name(module, name)
    module = copy_module(module)
    for name in names:
        module.get_submodule(name).requires_grad_(False)
        _freeze_norms(module, name)
    return module


def _freeze_norms(module, name):
    parent, _, last = name.rpartition(".")
    parent, layer = module.get_submodule(parent), module.get_submodule(name)
    if isinstance(layer, BATCH_NORMS) and not isinstance(parent, FrozenNorm):
        setattr(parent, last, FrozenNorm(layer))
    for child, _ in layer.named_children():
        _freeze_norms(module, f"{name}.{child}")
