"""Several regressors as one teacher."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.model_selection import KFold, check_cv
from sklearn.utils.validation import check_consistent_length, validate_data

from skdistill._atomic import all_or_nothing
from skdistill._compat import StrOptions, check_sample_weight
from skdistill._input._rows import as_rows
from skdistill._random import draw_seeds
from skdistill.teachers._asks import NUMBERS, Classes, Numbers
from skdistill.teachers._base_ensemble import BaseEnsemble
from skdistill.teachers._panel import read_numbers
from skdistill.teachers._weights import (
    DEFAULT_FOLDS,
    MeanAnswers,
    ask_out_of_fold,
    fit_mean_weights,
)


class RegressorEnsemble(RegressorMixin, BaseEnsemble):
    r"""The mean of several regressors, which `DistilledRegressor` makes of a list.

    The members may be of different kinds. A fitted member is used as it is and kept by `clone`; an
    unfitted one is cloned and fitted. An ensemble of fitted members is fitted.

    Parameters
    ----------
    teachers : list of object
        The members, of any kind that `DistilledRegressor` takes as a teacher.
    weights : array-like of shape (n_teachers,) or "oof", default=None
        Of the mean :math:`\sum_m w_m t_m`, scaled to sum to one; None weighs all alike. "oof"
        finds those whose mean has the least squared error on out-of-fold answers, with the prior of
        an `EnsembleTeacher`; the members must be unfitted.
    cv : int or splitter, default=None
        The folds of "oof"; None is five of shuffled rows. As an unfitted teacher it takes those of
        the cross-fitting in their place.
    device : str or torch.device, default="auto"
        Where torch members run in `predict`; a DistilledRegressor's own device goes first.
    random_state : int, RandomState instance or None, default=None
        Seeds each unfitted member where its own `random_state` is None.

    Attributes
    ----------
    teachers_ : list of object
        The fitted members, in the order of `teachers`.
    weights_ : ndarray of shape (n_teachers,)
        The weights, summing to one.
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
        "weights": [None, StrOptions({"oof"}), "array-like"],
        "cv": ["cv_object"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }
    _asks: Numbers | Classes = NUMBERS
    _pool_settings = {"weights": "oof"}

    teachers_: list[Any]
    weights_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray

    def __init__(
        self,
        teachers: Any,
        *,
        weights: ArrayLike | str | None = None,
        cv: Any = None,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.teachers = teachers
        self.weights = weights
        self.cv = cv
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
        return self._fit_known(self._check(), X, y, sample_weight)

    def _fit_known(self, members, X, y, sample_weight=None):
        """Fit the members that are not, of which all is known."""
        X = as_rows(X)
        with all_or_nothing(self, forget=False):
            validate_data(self, X, skip_check_array=True)
            check_consistent_length(X, y)
            if sample_weight is not None:
                sample_weight = check_sample_weight(sample_weight, X)
            *seeds, weights_seed = draw_seeds(self.random_state, len(self.teachers) + 1)
            answers, values = None, None
            if self._learns_pool:
                settings = {"sample_weight": sample_weight, "seed": weights_seed}
                answers, values = self._ask_out_of_fold(members, X, np.asarray(y), **settings)
            found = self._find_pool(answers, values, sample_weight)
            self.teachers_ = self._fit_members(members, X, y, seeds, sample_weight=sample_weight)
            self.__dict__.update(found)
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

    def _find_pool(
        self, answers: Any, y: Any, sample_weight: np.ndarray | None = None
    ) -> dict[str, Any]:
        """Return the weights of the members.

        Parameters
        ----------
        answers : ndarray of shape (n_teachers, n_samples, n_outputs) or None
            Out-of-fold numbers; a row of NaN is none. None where nothing is to be found.
        y : ndarray of shape (n_samples, n_outputs) or None
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        dict of str to object
            "weights_".
        """
        weights = self._read_weights()
        if isinstance(weights, str):
            weights = fit_mean_weights(answers, y, sample_weight)
        return {"weights_": weights}

    def _pool_answers(self, answers: np.ndarray, found: dict[str, Any]) -> np.ndarray:
        """Return the mean of the members' answers.

        Parameters
        ----------
        answers : ndarray of shape (n_teachers, n_samples, n_outputs)
        found : dict of str to object
            See `_find_pool`.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
        """
        return np.average(answers, axis=0, weights=found["weights_"])

    def _unpooled(self) -> Self:
        """Return an unfitted copy whose members count alike."""
        return self._clone_with(self.teachers, weights=None)

    @property
    def _learns_pool(self):
        return isinstance(self.weights, str)

    def _ask_out_of_fold(self, members, X, y, *, sample_weight, seed):
        """Return each member's out-of-fold answers, and the numbers of y as columns."""
        cv = DEFAULT_FOLDS if self.cv is None else self.cv
        if isinstance(cv, Integral):
            cv = KFold(cv, shuffle=True, random_state=0)
        splits, groups = ask_out_of_fold(
            members, X, y, check_cv(cv), sample_weight=sample_weight, seed=seed
        )
        values = y.reshape(len(y), -1)
        answers = MeanAnswers(len(members), *values.shape)
        for (_, test), replies in zip(splits, groups, strict=True):
            for member, reply in enumerate(replies):
                answers.add(member, test, read_numbers([reply], values.shape[1]))
        return answers.mean(), values

    def _check(self, device="auto"):
        members = super()._check(device)
        self._refuse_seen_rows(members)
        return members

    def _read_weights(self):
        """Return the weights, summing to one; "oof" where they are to be found."""
        return self.weights if isinstance(self.weights, str) else super()._read_weights()

    def _check_settings(self):
        self._validate_params()
        if len(self.teachers) == 0:
            raise ValueError("The teacher is an empty list; expected at least one regressor in it.")
        self._read_weights()

    def _panel(self):
        if hasattr(self, "weights_"):
            return None if self.weights is None else self.weights_
        return None if self.weights is None else self._read_weights()
