"""DistilledQuantileRegressor: one student of several quantiles."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone, is_classifier
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill._atomic import all_or_nothing
from skdistill._compat import check_names_and_width, fit_context, learn_names_and_width
from skdistill._estimators._regressor import DistilledRegressor
from skdistill._input._numbers import as_numbers
from skdistill._input._rows import as_rows
from skdistill._names import own_rows
from skdistill._random import draw_seeds, seed_parameters
from skdistill._unwrap import last_step
from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.losses._regression import QuantileLoss, check_quantiles
from skdistill.students._default import named_default
from skdistill.teachers._fit import clone_teacher, is_fitted
from skdistill.training._estimator_regressor import own_loss

OBJECTIVES = {"quantile": "alpha", "reg:quantileerror": "quantile_alpha"}
"""The parameter that says which quantile is learnt, by the objective of LightGBM and XGBoost."""


class DistilledQuantileRegressor(RegressorMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Train one small student on several quantiles of y.

    A number of scikit-learn's kind has no spread. Quantiles have: between those of 0.05 and 0.95
    lie nine tenths of the values. Strong regressors learn one quantile each, so that three
    quantiles are three models. Here one network learns all of them, each by its pinball loss
    :math:`\ell_q` of `losses.QuantileLoss`,

    .. math:: \frac{1}{K} \sum_q
        (1 - \alpha) \cdot \ell_q(y, s_q) + \alpha \cdot \ell_q(t_q, s_q),

    from y and from the quantiles :math:`t_q` of a teacher.

    Parameters
    ----------
    teacher : regressor, list of regressor, or None, default=None
        An unfitted regressor that learns a quantile, such as
        ``HistGradientBoostingRegressor(loss="quantile")``, alone or at the end of a Pipeline: it
        is cloned for each quantile and cross-fitted. Or a list with one regressor for each
        quantile: all fitted, and asked as they are, or all unfitted. None is labels alone.
    quantiles : array-like of shape (n_quantiles,), default=(0.05, 0.5, 0.95)
        In (0, 1), ascending.
    student : object, default=None
        A network, as `DistilledRegressor` takes it. None is its default.
    alpha : float, default=0.5
        Weight of the teacher's term in [0, 1].
    cv : int, splitter or iterable, default=None
        The folds of the cross-fitting, as in `DistilledRegressor`.
    device : str or torch.device, default="auto"
        Where the network learns.
    random_state : int, RandomState instance or None, default=None
        Seeds the student, the folds, and what of the teacher is left unseeded.

    Attributes
    ----------
    quantiles_ : ndarray of shape (n_quantiles,)
        Those that are predicted.
    student_ : DistilledRegressor
        The fitted student, which predicts a column for each quantile.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    skdistill.DistilledRegressor : A student of one number, or of one quantile.

    Notes
    -----
    Quantiles that are predicted apart may cross. Those of teacher and student are sorted in each
    row, which never raises the sum of their pinball losses (Chernozhukov et al. 2010).

    References
    ----------
    Koenker and Bassett 1978, "Regression Quantiles", Econometrica 46(1).
    Chernozhukov, Fernández-Val and Galichon 2010, "Quantile and Probability Curves Without
    Crossing", Econometrica 78(3).

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import GradientBoostingRegressor
    >>> from skdistill import DistilledQuantileRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = GradientBoostingRegressor(loss="quantile", n_estimators=20)
    >>> model = DistilledQuantileRegressor(teacher, cv=3, random_state=0).fit(X, y)
    >>> low, median, high = model.predict_quantiles(X).T
    >>> bool((low <= median).all() and (median <= high).all())
    True
    """

    quantiles_: np.ndarray
    student_: DistilledRegressor
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints: dict = {
        "teacher": "no_validation",
        "quantiles": ["array-like"],
        "student": "no_validation",
        "alpha": DistilledRegressor._parameter_constraints["alpha"][1:],
        "cv": DistilledRegressor._parameter_constraints["cv"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        teacher: Any = None,
        quantiles: Sequence[float] | np.ndarray = (0.05, 0.5, 0.95),
        student: Any = None,
        *,
        alpha: float = 0.5,
        cv: Any = None,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.teacher = teacher
        self.quantiles = quantiles
        self.student = student
        self.alpha = alpha
        self.cv = cv
        self.device = device
        self.random_state = random_state

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of the student ``None`` too, as DistilledRegressor does.

        Parameters
        ----------
        **params
            By name; ``student__lr=0.01`` is the default network's learning rate, and makes a
            `skdistill.students.DefaultStudent` of None.

        Returns
        -------
        self : object

        Raises
        ------
        StudentError
            For a name that the default network does not know.
        ValueError
            For a parameter that there is not.

        Examples
        --------
        >>> from skdistill import DistilledQuantileRegressor
        >>> DistilledQuantileRegressor().set_params(student__max_epochs=5).student
        DefaultStudent(max_epochs=5)
        """
        return super().set_params(**named_default(self.student, params))

    def __sklearn_clone__(self) -> Self:
        """Clone as scikit-learn does, but keep fitted teachers: the same objects for all folds."""
        parts = self.get_params(deep=False)
        copies = {name: clone(part, safe=False) for name, part in parts.items()}
        several = isinstance(self.teacher, list | tuple)
        teacher = list(map(clone_teacher, self.teacher)) if several else copies["teacher"]
        return type(self)(**{**copies, "teacher": teacher})

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_unlabeled: Any = None,
    ) -> Self:
        """Fit the teacher where it is not, ask it, and train the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows in both terms.
        X_unlabeled : array-like of shape (n_unlabeled, n_features), default=None
            Rows for the teacher's term alone.

        Returns
        -------
        DistilledQuantileRegressor
            Itself.

        Raises
        ------
        TeacherError
            When the teacher learns no quantile, or a list has other than one for each.
        ValueError
            For quantiles, rows and numbers that cannot be used.
        """
        quantiles = check_quantiles(self.quantiles)
        if (np.diff(quantiles) <= 0).any():
            raise ValueError(
                f"The quantiles are {shorten(self.quantiles)}; expected each greater than the one "
                "before."
            )
        teacher = _as_teacher(self.teacher, quantiles)
        X = as_rows(X)
        if y is None:
            raise ValueError(
                "This DistilledQuantileRegressor estimator requires y to be passed, but the target "
                "y is None."
            )
        numbers = as_numbers(column_or_1d(y, warn=True))
        with all_or_nothing(self, forget=False):
            learn_names_and_width(self, X)
            self.student_ = DistilledRegressor(
                teacher,
                self.student,
                loss=QuantileLoss(quantile=quantiles),
                alpha=0 if teacher is None else self.alpha,
                cv=self.cv,
                device=self.device,
                random_state=self.random_state,
            ).fit(
                X,
                np.repeat(numbers, len(quantiles), axis=1),
                sample_weight=sample_weight,
                X_unlabeled=X_unlabeled,
            )
            self.quantiles_ = quantiles
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the quantile that is nearest to the median, of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
        """
        found = self.predict_quantiles(X)
        return found[:, np.abs(self.quantiles_ - 0.5).argmin()]

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return all quantiles of each row, in the order of `quantiles_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles), float64
            Ascending in each row.
        """
        check_is_fitted(self)
        X = as_rows(X)
        check_names_and_width(self, X)
        return np.sort(self.student_.predict(X).reshape(-1, len(self.quantiles_)), axis=1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(DistilledRegressor(student=self.student, alpha=0)).input_tags
        return tags


class OneForEach(RegressorMixin, BaseEstimator):
    """A teacher of several numbers: a regressor for each column of y, its answers sorted."""

    def __init__(self, regressors, random_state=None):
        self.regressors = regressors
        self.random_state = random_state

    def __sklearn_is_fitted__(self):
        return hasattr(self, "regressors_")

    def fit(self, X, y, sample_weight=None):
        """Fit a clone of each regressor on its column of y."""
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.regressors_ = []
        seeds = draw_seeds(self.random_state, len(self.regressors))
        columns = np.reshape(y, (len(y), -1)).T
        for regressor, column, seed in zip(self.regressors, columns, seeds, strict=True):
            copy = clone(regressor)
            seed_parameters(copy, seed)
            self.regressors_.append(copy.fit(own_rows(copy, X), column, **given))
        return self

    def predict(self, X):
        """Return the numbers of all regressors, an array of shape (n_samples, n_regressors)."""
        columns = [np.asarray(one.predict(own_rows(one, X))).ravel() for one in self.regressors_]
        return np.sort(np.column_stack(columns), axis=1)


def _as_teacher(teacher, quantiles):
    """Return what predicts all quantiles, fitted where it is given so; None without a teacher."""
    if teacher is None:
        return None
    members = list(teacher) if isinstance(teacher, list | tuple) else [teacher]
    known = [one for one in members if hasattr(one, "__sklearn_tags__")]
    classifiers = [type(one).__name__ for one in known if is_classifier(one)]
    if classifiers:
        raise TeacherError(
            f"The teacher {classifiers[0]} is a classifier; expected a regressor that learns a "
            f"quantile, such as HistGradientBoostingRegressor(loss='quantile'), or a list of one "
            f"for each quantile. For classes use DistilledClassifier."
        )
    if not isinstance(teacher, list | tuple):
        if not isinstance(teacher, BaseEstimator):
            raise TeacherError(
                f"The teacher {type(teacher).__name__} is no estimator; expected a regressor of "
                f"scikit-learn that learns a quantile, such as "
                f"HistGradientBoostingRegressor(loss='quantile'), or a list of one for each "
                f"quantile."
            )
        if is_fitted(teacher):
            raise TeacherError(
                f"The teacher {type(teacher).__name__} is fitted, and predicts one number; "
                f"expected a list with a fitted regressor for each of {len(quantiles)} quantiles, "
                f"or one that is not fitted."
            )
        return OneForEach([_of_quantile(teacher, quantile) for quantile in quantiles])
    silent = [type(one).__name__ for one in teacher if not hasattr(one, "predict")]
    fitted = {bool(is_fitted(one)) for one in teacher}
    if len(teacher) != len(quantiles) or silent or len(fitted) > 1:
        came = f"{len(teacher)} teachers"
        if silent:
            came += f", of which {silent} have no predict"
        elif len(fitted) > 1:
            came += ", some of them fitted and some not"
        raise TeacherError(
            f"The list teacher has {came}; expected a regressor for each of {len(quantiles)} "
            f"quantiles, all of them fitted or none."
        )
    whole = OneForEach(list(teacher))
    if fitted == {True}:
        whole.regressors_ = list(teacher)
    return whole


def _of_quantile(teacher, quantile):
    """Return a clone that learns a quantile."""
    whole = clone(teacher)
    last = last_step(whole)
    params = last.get_params(deep=False)
    found = OBJECTIVES.get(params.get("objective"))
    for name in [found] if found else [n for n in ("quantile", "alpha") if n in params]:
        last.set_params(**{name: float(quantile)})
        if repr(own_loss(last)) == repr(QuantileLoss(quantile=float(quantile))):
            return whole
    level = getattr(own_loss(last), "quantile", None)
    learnt = "the mean" if level is None else f"the quantile {level:g} alone"
    raise TeacherError(
        f"The teacher {type(last).__name__} learns {learnt}; expected a regressor that learns any "
        f"quantile, such as HistGradientBoostingRegressor(loss='quantile'), or a list of one for "
        f"each quantile."
    )
