"""What every soft term is: settings, a loss for each row, and their weighted mean."""

import copy
import inspect
from collections.abc import Callable

import torch
from sklearn.base import BaseEstimator

from skdistill._words import one_line
from skdistill.losses._operands import POSITIVE, check_row_weight


class Loss(BaseEstimator):
    """Base class of the soft terms.

    A subclass has `rows`. One that is no mean of rows has a `mean` of its own.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term, for weights that a convex alpha cannot express.
    """

    warmup_epochs: int = 0
    """Epochs over which the weight of the term rises from 0 in equal steps."""

    needs_labels: bool = False
    """Whether the labels of the rows make a difference."""

    _parameter_constraints: dict = {"weight": [POSITIVE]}

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    @property
    def is_mean_of_rows(self) -> bool:
        """Whether `mean` is what it is here: what a row adds depends on no other row."""
        return type(self).mean is Loss.mean

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row.

        Parameters
        ----------
        student_logits, teacher_logits : torch.Tensor of shape (n_samples, n_classes)
            Finite numbers. Log-probabilities are logits; a shift of a row changes nothing.
        labels : torch.Tensor of shape (n_samples,), int64
            The column of each row's class; -1 for a row without a label.
        temperature : float
            T > 0.

        Returns
        -------
        torch.Tensor of shape (n_samples,)
        """
        raise NotImplementedError

    def mean(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor,
        row_weight: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return the weighted mean of the rows of a batch.

        Parameters
        ----------
        student_logits, teacher_logits, labels, temperature
            See `rows`.
        row_weight : torch.Tensor of shape (n_samples,) or None
            Weights whose mean over the data set is one. None weighs all rows with one.

        Returns
        -------
        torch.Tensor, a scalar
        """
        losses = self.rows(student_logits, teacher_logits, labels, temperature)
        check_row_weight(row_weight, len(losses))
        return losses.mean(-1) if row_weight is None else (row_weight * losses).mean(-1)

    def default_temperature(self, kind: str, n_classes: int) -> float:
        """Return the temperature that "auto" stands for.

        Parameters
        ----------
        kind : {"logits", "probabilities"}
            What the teacher speaks.
        n_classes : int

        Returns
        -------
        float
            1, unless the class says otherwise.
        """
        return 1.0

    def check_settings(self) -> None:
        """Refuse settings that are out of their range, or that do not go together.

        Raises
        ------
        ValueError
        """
        if not hasattr(self, "weight"):
            name = type(self).__name__
            raise ValueError(
                f"The loss {name} has no weight; expected that its __init__ calls that of Loss. "
                f"Write super().__init__(weight=1.0) there."
            )
        self._validate_params()

    def check_classes(self, n_classes: int) -> None:
        """Refuse, or warn of, what makes no sense for so many classes."""


class CallableLoss(Loss):
    """A function `(student_logits, teacher_logits, labels, weight) -> scalar` as a soft term.

    Parameters
    ----------
    function : callable
        `weight` is a tensor of shape (n_samples,) whose mean over the data set is one; `labels`
        are -1 for rows without one. The temperature is the function's own affair.
    """

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def check_settings(self) -> None:
        """Refuse a function that takes other arguments; see `Loss.check_settings`."""
        called = self.function
        if isinstance(called, torch.nn.Module):
            called = called.forward  # a call takes anything
        try:
            inspect.signature(called).bind(*range(4))
        except TypeError as error:
            raise ValueError(
                f"The loss {_name(self.function)} takes no four arguments ({one_line(error)}); "
                "expected a callable (student_logits, teacher_logits, labels, weight) -> scalar."
            ) from error
        except ValueError:  # a function of C does not say
            return

    def check_classes(self, n_classes: int) -> None:
        """Refuse a function that returns no scalar, tried on two rows.

        An object is copied first, and torch's generator put back. One that fails is left alone: it
        may read what goes with the rows of training.
        """
        logits = torch.eye(2, n_classes, requires_grad=True)
        with torch.random.fork_rng(devices=[]):
            try:
                loss = CallableLoss(copy.deepcopy(self.function))
                found = loss.mean(logits, logits.detach().flip(0), torch.arange(2), None, 1.0)
            except Exception:
                return
        is_tensor = isinstance(found, torch.Tensor)
        if not is_tensor or found.numel() != 1 or not found.requires_grad:
            came = f"tensor of shape {tuple(found.shape)}" if is_tensor else type(found).__name__
            raise ValueError(
                f"The loss {_name(self.function)} returned a {came} for a batch of two rows; "
                f"expected a scalar tensor with a gradient with respect to student_logits. Return "
                f"the mean over the rows: (weight * losses).mean()."
            )

    def mean(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor,
        row_weight: torch.Tensor | None,
        temperature: float,
    ) -> torch.Tensor:
        """Return what the function says of a batch."""
        if row_weight is None:
            row_weight = torch.ones_like(student_logits[:, 0])
        return self.function(student_logits, teacher_logits, labels, row_weight)


def _name(function):
    return getattr(function, "__name__", type(function).__name__)
