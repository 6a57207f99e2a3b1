"""Losses of numbers: how far a student's values are from the targets, labels or teacher's alike."""

import difflib
from collections.abc import Sequence
from numbers import Real

import numpy as np
import torch
from sklearn.base import BaseEstimator
from torch.nn.functional import huber_loss

from skdistill._compat import Interval
from skdistill._words import shorten
from skdistill.losses._operands import POSITIVE, check_numbers, check_row_weight


def squared_error(values, targets):
    r"""Return :math:`(s - t)^2`.

    Parameters
    ----------
    values, targets : torch.Tensor of one shape

    Returns
    -------
    torch.Tensor of that shape
    """
    check_numbers(values, targets)
    return (values - targets).square()


def pinball_error(values, targets, quantile):
    r"""Return :math:`\max(q (t - s), (q - 1)(t - s))`.

    Parameters
    ----------
    values, targets : torch.Tensor of one shape
    quantile : float or torch.Tensor
        q in (0, 1); a tensor has one for each column.

    Returns
    -------
    torch.Tensor of that shape
    """
    check_numbers(values, targets)
    differences = targets - values
    return torch.maximum(quantile * differences, (quantile - 1) * differences)


class RegressionLoss(BaseEstimator):
    """Base class of the losses of `DistilledRegressor`.

    A subclass has `errors`. The student learns standardised targets, so an error of 1 is one
    standard deviation of y, output by output.
    """

    level: float | np.ndarray | None = None
    """The quantile of the targets that is the best constant prediction; None is the mean.

    An array has one for each output.
    """

    _parameter_constraints: dict = {}

    @property
    def is_mean_of_rows(self) -> bool:
        """Whether `mean` is what it is here; see `Loss`."""
        return type(self).mean is RegressionLoss.mean

    def errors(self, values: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the error of each value.

        Parameters
        ----------
        values, targets : torch.Tensor of shape (n_samples, n_outputs)
            What the student predicts, and the labels or what the teacher predicts.

        Returns
        -------
        torch.Tensor of shape (n_samples, n_outputs)
        """
        raise NotImplementedError

    def mean(
        self, values: torch.Tensor, targets: torch.Tensor, row_weight: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the weighted mean over the rows, and the plain one over the outputs.

        Parameters
        ----------
        values, targets : torch.Tensor of shape (n_samples, n_outputs)
        row_weight : torch.Tensor of shape (n_samples,), default=None
            Weights whose mean over the data set is one. None weighs all rows with one.

        Returns
        -------
        torch.Tensor, a scalar
        """
        errors = self.errors(values, targets)
        check_row_weight(row_weight, len(errors))
        if row_weight is not None:
            errors = row_weight.unsqueeze(-1) * errors
        return errors.mean((-2, -1))

    def check_settings(self) -> None:
        """Refuse settings out of their range.

        Raises
        ------
        ValueError
        """
        self._validate_params()


class SquaredErrorLoss(RegressionLoss):
    r"""Squared error, :math:`(s - t)^2`; the student learns the mean.

    Where each row carries both terms, learning from y and from the teacher is learning the one
    target :math:`(1 - \alpha) y + \alpha t`, up to a constant.

    References
    ----------
    Saputra et al. 2019, "Distilling Knowledge From a Deep Pose Regressor Network",
    arXiv 1908.00858.

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import SquaredErrorLoss
    >>> SquaredErrorLoss().mean(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [4.0]]))
    tensor(2.)
    """

    def errors(self, values: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the error of each value; see `RegressionLoss`."""
        return squared_error(values, targets)


class HuberLoss(RegressionLoss):
    r"""Huber's error: squared up to delta, linear beyond, for labels that are far out.

    .. math:: h_\delta(d) = \begin{cases} d^2 / 2 & |d| \le \delta \\
        \delta (|d| - \delta / 2) & \text{otherwise} \end{cases}, \qquad d = s - t

    For the logits of a classifier see `Huber`.

    Parameters
    ----------
    delta : float, default=0.5
        Where squared becomes linear, in standard deviations of y: whatever the unit of y, and
        for each output its own. Far labels widen that deviation, so that many of them want a
        smaller delta.

    References
    ----------
    Huber 1964, "Robust Estimation of a Location Parameter".

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import HuberLoss
    >>> HuberLoss(delta=1.0).mean(torch.tensor([[6.0]]), torch.tensor([[0.0]]))
    tensor(5.5000)
    """

    level = 0.5
    _parameter_constraints = {"delta": [POSITIVE]}

    def __init__(self, delta: float = 0.5) -> None:
        self.delta = delta

    def errors(self, values: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the error of each value; see `RegressionLoss`."""
        check_numbers(values, targets)
        return huber_loss(values, targets, reduction="none", delta=self.delta)


class QuantileLoss(RegressionLoss):
    r"""The pinball loss, :math:`\max(q (t - s), (q - 1)(t - s))`; the student learns a quantile.

    The teacher should predict the same quantile: its term asks the student for the quantile of
    what the teacher says, which for a teacher of the mean is that mean.

    Parameters
    ----------
    quantile : float or array-like of shape (n_outputs,), default=0.5
        q in (0, 1), for all outputs or one for each. 0.5 is half the absolute error, and the
        median.

    See Also
    --------
    skdistill.DistilledQuantileRegressor : One student of several quantiles of y.

    References
    ----------
    Koenker and Bassett 1978, "Regression Quantiles", Econometrica 46(1).

    Examples
    --------
    >>> import torch
    >>> from skdistill.losses import QuantileLoss
    >>> QuantileLoss(quantile=0.9).mean(torch.tensor([[0.0]]), torch.tensor([[1.0]]))
    tensor(0.9000)
    """

    _parameter_constraints = {
        "quantile": [Interval(Real, 0, 1, closed="neither"), "array-like"],
    }

    def __init__(self, quantile: float | Sequence[float] | np.ndarray = 0.5) -> None:
        self.quantile = quantile

    @property
    def level(self) -> float | np.ndarray:  # type: ignore[override]
        """The quantile itself, or those of the outputs; see `RegressionLoss`."""
        return self.quantile if isinstance(self.quantile, float) else np.asarray(self.quantile)

    def check_settings(self) -> None:
        """Refuse what are no quantiles; see `RegressionLoss`."""
        super().check_settings()
        if not isinstance(self.quantile, Real):
            check_quantiles(self.quantile)

    def errors(self, values: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the error of each value; see `RegressionLoss`."""
        each = torch.as_tensor(self.quantile, dtype=values.dtype, device=values.device)
        return pinball_error(values, targets, each if each.ndim else self.quantile)


def check_quantiles(quantiles):
    """Return several quantiles as an array.

    Parameters
    ----------
    quantiles : array-like of shape (n_quantiles,)

    Returns
    -------
    ndarray of shape (n_quantiles,), float64

    Raises
    ------
    ValueError
        Where they are no numbers in (0, 1).
    """
    try:
        found = np.asarray(quantiles, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 1 or not found.size or not ((found > 0) & (found < 1)).all():
        raise ValueError(
            f"The quantiles are {shorten(quantiles)}; expected numbers between 0 and 1, such as "
            f"[0.05, 0.5, 0.95]."
        )
    return found


REGRESSION_LOSSES = {
    "squared_error": SquaredErrorLoss(),
    "huber": HuberLoss(),
    "quantile": QuantileLoss(),
}


def get_regression_loss(loss):
    """Return the loss of numbers that a name stands for, or the instance itself.

    Parameters
    ----------
    loss : str or RegressionLoss

    Returns
    -------
    RegressionLoss

    Raises
    ------
    ValueError
        When it is neither, or a setting is out of its range.

    Examples
    --------
    >>> from skdistill.losses._regression import get_regression_loss
    >>> get_regression_loss("quantile")
    QuantileLoss()
    """
    if isinstance(loss, str) and loss in REGRESSION_LOSSES:
        return REGRESSION_LOSSES[loss]
    if isinstance(loss, RegressionLoss):
        loss.check_settings()
        return loss
    near = difflib.get_close_matches(str(loss).lower(), REGRESSION_LOSSES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"The 'loss' parameter must be one of {sorted(REGRESSION_LOSSES)} or an instance of a "
        f"RegressionLoss, such as HuberLoss(delta=0.5) or QuantileLoss(quantile=0.9), for a "
        f"regressor learns numbers and no logits. Got {shorten(loss)} instead.{hint}"
    )
