"""Any scikit-learn regressor as the student of a regressor, a tree for one."""

import numpy as np

from skdistill._words import shorten
from skdistill.exceptions import StudentError
from skdistill.losses._regression import QuantileLoss, SquaredErrorLoss
from skdistill.training._base_student import RegressorStudentMixin
from skdistill.training._estimator_base import BaseEstimatorStudent
from skdistill.training._soft_values import double_rows, mix_values

ABSOLUTE_ERROR = ("regression_l1", "l1", "mae", "mean_absolute_error", "reg:absoluteerror")
"""What LightGBM and XGBoost call the absolute error."""


class EstimatorRegressorStudent(RegressorStudentMixin, BaseEstimatorStudent):
    """A regressor around a regressor that knows nothing of distillation.

    It learns the mixture of targets and teacher's numbers (see `mix_values`). One that minimises a
    quantile's loss learns both as rows of their own (see `double_rows`).

    Parameters
    ----------
    estimator : estimator
        A regressor. Cloned for every fit. One that predicts one number is fitted once for each
        column of y.

    Raises
    ------
    StudentError
        When the estimator's own loss is not the one that is asked for.
    """

    def check_settings(self, loss, alpha, temperature="auto", *, weighted):
        """Refuse settings that the estimator cannot hear; see `Student`."""
        own = own_loss(self.estimator)
        if repr(own) != repr(loss):
            raise StudentError(
                f"The student {type(self.estimator).__name__} cannot learn with "
                f"loss={shorten(loss)}: its fit minimises a loss of its own. Expected "
                f"loss={shorten(own)}, which it minimises as its parameters say, or a "
                "StudentNetRegressor, which takes every loss."
            )
        doubled = isinstance(own, QuantileLoss) and alpha not in (0, 0.5, 1)
        self._refuse_weights(weighted or doubled)

    def _learn(self, X, packed, *, alpha=0.0, **_):
        convert = double_rows if isinstance(own_loss(self.estimator), QuantileLoss) else mix_values
        rows, targets, row_weights = convert(packed, alpha)
        targets = targets[:, 0] if targets.shape[1] == 1 else targets
        self._fit_weighted(X, rows, targets, row_weights)

    def _ask(self):
        return _ask_numbers


def _ask_numbers(estimator, X):
    values = np.asarray(estimator.predict(X), dtype=np.float64)
    return values.reshape(-1, 1) if values.ndim == 1 else values


def own_loss(estimator):
    """Return the loss that an estimator minimises, as its parameters name it.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    RegressionLoss
        `QuantileLoss` for a quantile or the absolute error; `SquaredErrorLoss` for others, whose
        best constant is the mean.

    Examples
    --------
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from skdistill.training._estimator_regressor import own_loss
    >>> own_loss(HistGradientBoostingRegressor(loss="quantile", quantile=0.9))
    QuantileLoss(quantile=0.9)
    """
    params = estimator.get_params(deep=False)
    name = params.get("loss", params.get("criterion"))
    objective = params.get("objective")  # of LightGBM and XGBoost
    if name == "absolute_error" or objective in ABSOLUTE_ERROR:
        return QuantileLoss(quantile=0.5)
    if objective == "quantile":
        return QuantileLoss(quantile=params.get("alpha", 0.9))  # as LightGBM without one
    if objective == "reg:quantileerror" and np.ndim(params.get("quantile_alpha")) == 0:
        return QuantileLoss(quantile=params.get("quantile_alpha"))
    if name == "quantile" or (name is None and "quantile" in params):
        return QuantileLoss(quantile=params.get("quantile", params.get("alpha")))
    return SquaredErrorLoss()
