"""The network inside a model, and its gradient by the rows that the user has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from torch import nn

from skdistill._ascent import error_margin
from skdistill._input._columns import NUMBERS, as_floats
from skdistill._input._frames import column_kinds, is_table
from skdistill._input._inputs import form_of, name_form
from skdistill._input._rows import has_gaps
from skdistill._torch import evaluating, first_output, forward_in_batches, module_dtype
from skdistill._unwrap import unwrap
from skdistill._words import one_line
from skdistill.evaluation._robustness._corruptions import replace_columns
from skdistill.teachers._contract import as_values, find_kind
from skdistill.teachers._last_step import kind_of_module

_AFFINE = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)


class NoGradientError(ValueError):
    """Why no gradient can be taken through a model: a clause that goes on after its name."""


@dataclass(frozen=True)
class Network:
    """A torch module behind ``x * slope + offset``.

    Attributes
    ----------
    module : torch.nn.Module
        Reads rows of numbers.
    kind : {"logits", "probabilities"}
        What it returns.
    slope, offset : ndarray of shape (n_features,) or float
        What scalers before it do to each column.
    """

    module: nn.Module
    kind: str
    slope: Any = 1.0
    offset: Any = 0.0

    def input_gradient(self, X: torch.Tensor, target: np.ndarray) -> torch.Tensor:
        """The gradient, by the row itself, of each row's margin of error; see `error_margin`.

        The module computes in evaluation mode, where it is; neither its parameters nor their
        gradients are touched.

        Parameters
        ----------
        X : torch.Tensor of shape (n_samples, ...), float64
            Rows.
        target : ndarray of shape (n_samples,), int
            The column of each row's true class.

        Returns
        -------
        gradient : torch.Tensor of shape (n_samples, ...), float64
            0 where the probabilities of all other classes round to 0.
        """
        with evaluating(self.module), torch.enable_grad():
            x = X.clone().requires_grad_()
            outputs = self._outputs(x * torch.as_tensor(self.slope) + torch.as_tensor(self.offset))
            own = torch.as_tensor(target, device=outputs.device)
            margin, is_lost = error_margin(outputs, own, self.kind)
            gradient = torch.autograd.grad(margin.sum(), x)[0]
        gradient[is_lost.cpu()] = 0.0
        return gradient

    def _outputs(self, rows: torch.Tensor) -> torch.Tensor:
        """Outputs of shape (n_samples, n_classes), of the module's kind."""
        outputs = first_output(self.module(rows.to(_home(self.module), module_dtype(self.module))))
        outputs = outputs.reshape(len(outputs), -1)
        if outputs.shape[1] > 1:
            return outputs
        # That of the second class, see as_probabilities.
        first = 1 - outputs if self.kind == "probabilities" else torch.zeros_like(outputs)
        return torch.cat([first, outputs], dim=1)


def find_network(model: Any, X: Any) -> Network:
    """Find the network of a fitted model, behind scalers of columns at most.

    Parameters
    ----------
    model : object
        A torch module, a skorch net, a DistilledClassifier, a Pipeline that ends in one of these.
    X : {ndarray, DataFrame} of shape (n_samples, ...)
        Rows of finite numbers that the model takes.

    Returns
    -------
    network : Network

    Raises
    ------
    NoGradientError
        When the model is none of these, or another step comes before its network.
    """
    core, steps, _ = unwrap(model)
    for step in steps:
        if not isinstance(step, _AFFINE) or getattr(step, "clip", False):
            raise NoGradientError(
                f"has the step {type(step).__name__} before its network, and no gradient goes "
                "through it; attack the network alone, on the rows that it reads: "
                "adversarial_accuracy({'net': pipeline[-1]}, pipeline[:-1].transform(X_test), "
                "y_test), where the pipeline of a DistilledClassifier is its student_"
            )
    module = getattr(core, "module_", core)
    if not isinstance(module, nn.Module):
        raise NoGradientError(
            f"is no network ({getattr(core, '_given_name', type(core).__name__)})"
        )
    if any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in module.modules()):
        raise NoGradientError("reads codes of categories, by which there is no gradient")
    rows = finite_numbers(_scaled(steps, X))
    name = type(module).__name__
    try:
        with evaluating(module):
            outputs = forward_in_batches(module, rows, _home(module))
    except (RuntimeError, TypeError) as error:
        raise NoGradientError(
            f"cannot read rows of shape {rows.shape[1:]} ({one_line(error)})"
        ) from error
    outputs = as_values(outputs, len(rows), name)
    kind = kind_of_module(module, rows) if outputs.shape[1] == 1 else None
    kind = kind or find_kind(outputs, name)
    network = Network(module, kind, *_slope_and_offset(steps, X))
    try:
        Network(module, kind).input_gradient(torch.tensor(rows[:1]), np.zeros(1, dtype=np.int64))
    except RuntimeError as error:
        raise NoGradientError(
            f"has a module that no gradient goes through ({one_line(error)})"
        ) from error
    return network


def finite_numbers(X: Any) -> np.ndarray:
    """Rows as float64 of the same shape, or an error for all that is no finite number."""
    if sparse.issparse(X):
        raise ValueError("X_test is sparse, and every number of a row is attacked; pass an array.")
    if form := form_of(X):
        raise ValueError(f"X_test is {name_form(form)}, and an array is attacked; pass one.")
    of_table = is_table(X)
    all_numbers = set(column_kinds(X)) <= {*NUMBERS} if of_table else X.dtype.kind in "biuf"
    if not all_numbers:
        raise ValueError(
            "X_test has columns that are no numbers, and a gradient moves numbers alone; attack "
            "the network behind the preprocessing, on the rows that it reads."
        )
    values = as_floats(X, np.arange(X.shape[1])) if of_table else X
    if has_gaps(X):
        raise ValueError("X_test contains NaN, which no gradient moves; fill it or drop the rows.")
    return values.astype(np.float64)


def _scaled(steps: list[Any], X: Any) -> Any:
    """Rows behind scalers of columns."""
    for step in steps:
        X = step.transform(X)
    return np.asarray(X) if steps else X


def _slope_and_offset(steps: list[Any], X: Any) -> tuple[Any, Any]:
    """What scalers do to each column, folded into one slope and offset."""
    if not steps:
        return 1.0, 0.0
    every = np.arange(X.shape[1])
    at_zero, at_one = (
        _scaled(steps, replace_columns(X[:1], every, np.full((1, len(every)), value)))
        for value in (0.0, 1.0)
    )
    offset = at_zero[0].astype(np.float64)
    return at_one[0] - offset, offset


def _home(module: nn.Module) -> torch.device:
    """Where a module is."""
    return next((p.device for p in module.parameters()), torch.device("cpu"))
