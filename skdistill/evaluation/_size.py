"""How large a student is, and by which of its parameters."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from sklearn.base import clone
from skorch import NeuralNet

from skdistill._input._inputs import form_of
from skdistill._unwrap import unwrap
from skdistill.students import ConvNet, SparseMLP, TabularMLP
from skdistill.students._conv import SIZES
from skdistill.students._default import is_default
from skdistill.training._student import as_student

WIDTH, LEAVES, NAMED_SIZE = "hidden_units", "max_leaf_nodes", "size"


class Size(NamedTuple):
    """The parameter of a student that says how large it is.

    Attributes
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe, its student named.
    param_name : str
        A parameter of it.
    values : tuple
        Values that are worth a try.
    now : object
        Its value.
    """

    model: Any
    param_name: str
    values: tuple[Any, ...]
    now: Any

    @property
    def kind(self) -> str:
        """The last part of the name: `WIDTH`, `LEAVES` or `NAMED_SIZE`."""
        return self.param_name.rsplit("__", 1)[-1]


def net_module(net: Any, n_axes: int = 2) -> Any:
    """The module of a net, the default one for rows of that many axes where it names none."""
    if net.module is not None:
        return net.module
    return {1: SparseMLP, 2: TabularMLP}.get(n_axes, ConvNet)


def find_size(model: Any, X: Any, owner: str) -> Size:
    """Find the parameter of a model's student that says how large it is.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        The rows, which decide what a student of None is.
    owner : str
        The function that the error names.

    Returns
    -------
    size : Size

    Raises
    ------
    ValueError
        When the student has no such parameter.
    """
    student, n_axes = model.student, len(X.shape)
    if is_default(student) or inspect.isclass(student):
        student = as_student(student, type(model)._task, n_axes=n_axes, form=form_of(X))
        model = clone(model).set_params(student=student)
    last, _, path = unwrap(student)
    name = f"student__{path}" if path else "student"
    params = last.get_params() if hasattr(last, "get_params") else {}
    if isinstance(last, NeuralNet):
        module = net_module(last, n_axes)
        own = inspect.signature(module).parameters if inspect.isclass(module) else {}
        for key, values in ((WIDTH, (4, 16, 64, 256)), (NAMED_SIZE, tuple(SIZES))):
            if key in own and (key == WIDTH or module is ConvNet):
                now = params.get(f"module__{key}", own[key].default)
                return Size(model, f"{name}__module__{key}", values, now)
        hint = f"its module has no '{WIDTH}'. Name a parameter: {owner}(..., "
        raise _unknown(last, f"{hint}param_name='{name}__module__...', param_range=[...])")
    if LEAVES in params:
        return Size(model, f"{name}__{LEAVES}", (4, 16, 64, 256), params[LEAVES])
    known = ", ".join(key for key in sorted(params) if "__" not in key) or "none"
    hint = (
        f"it is no network and has no '{LEAVES}'. Name a parameter of it ({known}): {owner}(..., "
    )
    raise _unknown(last, f"{hint}param_name='{name}__...', param_range=[...])")


def _unknown(last: Any, hint: str) -> ValueError:
    return ValueError(f"The width of the student {type(last).__name__} is not known: {hint}.")
