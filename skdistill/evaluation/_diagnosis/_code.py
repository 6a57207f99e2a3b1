"""Lines of code that change a model, in its own parameters' names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline
from skorch import NeuralNet
from torch import nn

from skdistill.evaluation._size import NAMED_SIZE, net_module
from skdistill.students import ConvNet
from skdistill.students._conv import SIZES
from skdistill.training._net import StudentNet
from skdistill.training._student import as_student

#: Arguments of a module that say how wide its hidden layers are.
WIDTH_NAMES = (
    "hidden_units",
    "hidden_sizes",
    "hidden_size",
    "hidden_dims",
    "hidden_dim",
    "hidden_channels",
    "n_hidden",
    "num_hidden",
    "n_units",
    "num_units",
    "hidden",
    "width",
)
MIN_WIDTH = 64


def refit_line(
    model: Any, changes: Mapping[str, str], student: Mapping[str, str], n_axes: int = 2
) -> str:
    """Lines that clone `model`, set parameters, and fit it on `X_train` and `y_train`.

    Parameters
    ----------
    model : DistilledClassifier
        The very model that the line is for.
    changes : dict of str to str
        Parameters of the model, and the source of their new values.
    student : dict of str to str
        Parameters of the student's net, likewise.
    n_axes : int, default=2
        Number of axes of the rows, which decides what a student of None is.

    Returns
    -------
    code : str
        The imports that it needs, a line each, and the line.

    Examples
    --------
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation._diagnosis._code import refit_line
    >>> model = DistilledClassifier(student=StudentNet())
    >>> print(refit_line(model, {"alpha": "0.5"}, {"max_epochs": "80"}))
    from sklearn.base import clone
    model = clone(model).set_params(alpha=0.5, student__max_epochs=80).fit(X_train, y_train)
    """
    imports, of_student = _student_settings(model.student, student, n_axes)
    settings = {**changes, **of_student}
    if all(name.isidentifier() for name in settings):
        arguments = ", ".join(f"{name}={value}" for name, value in settings.items())
    else:  # the steps of a Pipeline may have any names
        arguments = "**{" + ", ".join(f"{n!r}: {v}" for n, v in settings.items()) + "}"
    line = f"model = clone(model).set_params({arguments}).fit(X_train, y_train)"
    return "\n".join(["from sklearn.base import clone", *imports, line])


def is_network(student: Any) -> bool:
    """Whether a student as given is trained as a network, and is no scikit-learn estimator."""
    last = student[-1] if isinstance(student, Pipeline) else student
    return last is None or isinstance(last, NeuralNet | nn.Module | type)


def student_net(student: Any) -> Any:
    """The net of a student as given, with the settings that it will have.

    Parameters
    ----------
    student : None, skorch.NeuralNet, torch.nn.Module, type or Pipeline

    Returns
    -------
    net : skorch.NeuralNet
    """
    last = student[-1] if isinstance(student, Pipeline) else student
    if last is None:
        return StudentNet()
    return last if isinstance(last, NeuralNet) else StudentNet(last)


def wider(net: Any, n_axes: int = 2) -> dict[str, str]:
    """The parameter that widens the hidden layers of a net; empty where none is known.

    Parameters
    ----------
    net : skorch.NeuralNet
        Hidden layers become twice as wide, and `MIN_WIDTH` at least; a ConvNet gets the next size.
    n_axes : int, default=2
        Number of axes of the rows.

    Returns
    -------
    changes : dict of str to str
        A parameter of the net and the source of its new value.
    """
    module = net_module(net, n_axes)
    if isinstance(module, nn.Module):
        return {}
    defaults = inspect.signature(module).parameters
    if module is ConvNet:
        name, sizes = f"module__{NAMED_SIZE}", list(SIZES)
        now = net.get_params(deep=False).get(name, defaults[NAMED_SIZE].default)
        larger = sizes[sizes.index(now) + 1 :]
        return {name: repr(larger[0])} if larger else {}
    for name in WIDTH_NAMES:
        if name in defaults:
            now = net.get_params(deep=False).get(f"module__{name}", defaults[name].default)
            value = _widened(now)
            if value is not None:
                return {f"module__{name}": repr(value)}
    return {}


def _widened(now: Any) -> Any:
    if isinstance(now, int):
        return max(2 * now, MIN_WIDTH)
    if isinstance(now, tuple | list) and all(isinstance(width, int) for width in now):
        return type(now)(max(2 * width, MIN_WIDTH) for width in now or [0])
    return None


def _student_settings(
    student: Any, changes: Mapping[str, str], n_axes: int
) -> tuple[list[str], dict[str, str]]:
    """Imports and parameters of the model that give its student's net new settings."""
    if not changes:
        return [], {}
    imports = ["from skdistill.training import HoldOut"] if "train_split" in changes else []
    if student is None:
        preprocess = type(as_student(None, n_axes=n_axes)[0]).__name__
        return [
            "from sklearn.pipeline import make_pipeline",
            "from skdistill import StudentNet",
            f"from skdistill.students import {preprocess}",
            *imports,
        ], {"student": f"make_pipeline({preprocess}(), {_new_net('', changes)})"}
    name, source, last = "student", "model.student", student
    if isinstance(student, Pipeline):
        name, source, last = f"student__{student.steps[-1][0]}", "model.student[-1]", student[-1]
    if isinstance(last, NeuralNet):
        return imports, {f"{name}__{key}": value for key, value in changes.items()}
    return ["from skdistill import StudentNet", *imports], {name: _new_net(source, changes)}


def _new_net(module: str, changes: Mapping[str, str]) -> str:
    arguments = [module] if module else []
    return f"StudentNet({', '.join([*arguments, *(f'{k}={v}' for k, v in changes.items())])})"
