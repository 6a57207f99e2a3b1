"""A student with more of the units that it was cut from, and the norms that it is held to."""

import torch
from torch import nn

from skdistill.exceptions import StudentError
from skdistill.students._layers import Module, copy_module
from skdistill.students._shrink import cut_units
from skdistill.students._sparse import SparseLinear


def grow(student: nn.Module, teacher: Module) -> Module:
    """Return a student with all units of the module that `shrink` cut it from.

    The units that it has keep their weights. The others come back with the weights by which they
    read the rows and each other in the teacher, but those that it has do not read them yet: at
    first the module answers as the student does, and training takes it from there. By rounds, the
    strongest units are trained first::

        half = shrink(teacher, 0.5)
        quarter = shrink(half, 0.5)     # train it, then grow(quarter, half), and train that

    Parameters
    ----------
    student : torch.nn.Module
        What `shrink` returned, trained since or not. Not changed.
    teacher : torch.nn.Module
        What it was cut from, with the weights that it had then. Not changed.

    Returns
    -------
    torch.nn.Module
        Of the teacher's class and widths.

    Raises
    ------
    StudentError
        When the student is no cut of the teacher, or this one cannot be shrunk.

    References
    ----------
    Chen et al. 2016, "Net2Net: Accelerating Learning via Knowledge Transfer", arXiv 1511.05641,
    whose wider networks also begin with the answers of the narrow ones.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import MLP, grow, shrink
    >>> teacher = MLP(4, n_classes=3, hidden_units=(8,))
    >>> student = shrink(teacher, width=0.5)
    >>> grown, row = grow(student, teacher), torch.ones(1, 4)
    >>> grown[0], bool(torch.allclose(grown(row), student(row)))
    (Linear(in_features=4, out_features=8, bias=True), True)
    """
    grown = copy_module(teacher)
    own = copy_module(student).state_dict()
    sizes = {name: _count_units(layer) for name, layer in student.named_modules()}
    cut, taken = cut_units(teacher, lambda name, n_units: min(sizes.get(name) or 1, n_units))
    expected = {name: tuple(values.shape) for name, values in cut.state_dict().items()}
    found = {name: tuple(values.shape) for name, values in own.items()}
    if found != expected:
        other = sorted(
            name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
        )[0]
        raise StudentError(
            f"{type(student).__name__} is no cut of {type(teacher).__name__}: {other!r} has the "
            f"shape {found.get(other)}; expected {expected.get(other)}. Give what "
            f"shrink(teacher, width) returned, and that teacher."
        )
    columns_are_units = {
        f"{name}.weight" for name, layer in grown.named_modules() if isinstance(layer, SparseLinear)
    }
    with torch.no_grad():
        for name, values in grown.state_dict().items():
            reads_units = 1 in taken.get(name, {}) and name not in columns_are_units
            _put(values, own[name].to(values), taken.get(name, {}), reads_units)
    return grown


def _count_units(layer):
    """Return how many units a layer has; None for what has none."""
    weight = getattr(layer, "weight", None)
    if weight is None or weight.ndim < 2:
        return None
    return weight.shape[1 if isinstance(layer, SparseLinear) else 0]


def _put(values, own, taken, reads_units):
    """Write a student's tensor to its places in the teacher's."""
    if not taken:
        values.copy_(own)
        return
    index = [
        taken.get(axis, torch.arange(size)).to(values.device)
        for axis, size in enumerate(values.shape[:2])
    ]
    if len(index) == 1:
        values[index[0]] = own
        return
    if reads_units:  # and the student's do not read one that they have not had
        values[index[0]] = 0
    values[index[0][:, None], index[1]] = own


def weight_norms(module: nn.Module) -> dict[str, float]:
    """Return the Frobenius norm of each weight of two axes or more.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    dict of str to float
        By the names of `named_parameters`. Biases, and what norms scale by, are not among them.

    Examples
    --------
    >>> import torch
    >>> from skdistill.students import weight_norms
    >>> layer = torch.nn.Linear(3, 3)
    >>> _ = torch.nn.init.eye_(layer.weight)
    >>> round(weight_norms(torch.nn.Sequential(layer))["0.weight"], 4)
    1.7321
    """
    copy_module(module)  # refuses what is none
    return {
        name: float(torch.linalg.vector_norm(weight.detach().double()))
        for name, weight in module.named_parameters()
        if weight.ndim > 1
    }
