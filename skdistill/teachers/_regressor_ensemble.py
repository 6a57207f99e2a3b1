"""Several regressors as one teacher."""

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_consistent_length, validate_data

from skdistill._random import draw_seeds
from skdistill._rows import as_rows
from skdistill.teachers._asks import NUMBERS
from skdistill.teachers._base_ensemble import BaseEnsemble


class RegressorEnsemble(RegressorMixin, BaseEnsemble):
    r"""The mean of several regressors, which `DistilledRegressor` makes of a list.

    The members may be of different kinds. A fitted member is used as it is and kept by `clone`; an
    unfitted one is cloned and fitted. An ensemble of fitted members is fitted.

    Parameters
    ----------
    teachers : list of object
        The members, of any kind that `DistilledRegressor` takes as a teacher.
    weights : array-like of shape (n_teachers,), default=None
        Of the mean :math:`\sum_m w_m t_m`, scaled to sum to one; None weighs all alike.
    device : str or torch.device, default="auto"
        Where torch members run in `predict`; a DistilledRegressor's own device goes first.
    random_state : int, RandomState instance or None, default=None
        Seeds each unfitted member where its own `random_state` is None.

    Attributes
    ----------
    teachers_ : list of object
        The fitted members, in the order of `teachers`.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    EnsembleTeacher : The same for classes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skdistill.teachers import RegressorEnsemble
    >>> X, y = load_diabetes(return_X_y=True)
    >>> members = [Ridge(), DecisionTreeRegressor(max_depth=4, random_state=0)]
    >>> RegressorEnsemble(members, weights=[1, 3]).fit(X, y).predict(X).shape
    (442,)
    """

    _parameter_constraints = {
        "teachers": [list, tuple],
        "weights": [None, "array-like"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }
    _asks = NUMBERS

    teachers_: list[Any]
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        teachers: Any,
        *,
        weights: ArrayLike | None = None,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.teachers = teachers
        self.weights = weights
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike, sample_weight: Any = None) -> Self:
        """Fit the members that are not.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes
            Rows; each member gets them as they are.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members whose `fit` takes weights.

        Returns
        -------
        RegressorEnsemble
            Itself.
        """
        members = self._check()
        X = as_rows(X)
        validate_data(self, X, skip_check_array=True)
        check_consistent_length(X, y)
        seeds = draw_seeds(self.random_state, len(self.teachers))
        self.teachers_ = self._fit_members(members, X, y, seeds, sample_weight=sample_weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the mean of what the members predict.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        values = self._ask(X)
        return values[:, 0] if values.shape[1] == 1 else values

    def _check_settings(self):
        self._validate_params()
        if len(self.teachers) == 0:
            raise ValueError("The teacher is an empty list; expected at least one regressor in it.")
        self._read_weights()

    def _panel(self):
        return None if self.weights is None else self._read_weights()
