"""Several regressors as one teacher."""

from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill._compat import copy_estimator_state
from skdistill._random import draw_seeds
from skdistill._rows import as_rows
from skdistill.teachers._adapters import MethodAdapter
from skdistill.teachers._fit import check_kind, clone_teacher, fit_teacher, is_fitted
from skdistill.teachers._members import ask_each, read_numbers


class RegressorEnsemble(RegressorMixin, BaseEstimator):
    """The mean of several regressors, which `DistilledRegressor` makes of a list.

    A fitted member is used as it is and kept by `clone`; an unfitted one is cloned and fitted. An
    ensemble of fitted members is fitted.

    Parameters
    ----------
    teachers : list of object
        The members, of any kind that `DistilledRegressor` takes as a teacher.
    random_state : int, RandomState instance or None, default=None
        Seeds each unfitted member where its own `random_state` is None.

    Attributes
    ----------
    teachers_ : list of object
        The fitted members, in the order of `teachers`.
    n_features_in_ : int
        Number of features seen in `fit`.
    """

    def __init__(self, teachers, *, random_state=None):
        self.teachers = teachers
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
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
        self._check()
        X = as_rows(X)
        validate_data(self, X, skip_check_array=True)
        seeds = draw_seeds(self.random_state, len(self.teachers))
        self.teachers_ = [
            teacher
            if is_fitted(teacher)
            else fit_teacher(teacher, X, y, seed=seed, sample_weight=sample_weight)
            for teacher, seed in zip(self.teachers, seeds, strict=True)
        ]
        return self

    def predict(self, X):
        """Return the mean of what the members predict.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        check_is_fitted(self)
        values = read_numbers(
            ask_each(getattr(self, "teachers_", self.teachers), as_rows(X), regresses=True)
        )
        return values[:, 0] if values.shape[1] == 1 else values

    def _check(self):
        if len(self.teachers) == 0:
            raise ValueError("The teacher is an empty list; expected at least one regressor in it.")
        for teacher in self.teachers:
            check_kind(teacher, regresses=True)

    def _adapter(self, regresses):
        """Return what `adapt` returns for an ensemble that is asked as one."""
        self._check()
        return MethodAdapter(self, regresses=True)

    def __sklearn_clone__(self):
        """Clone the unfitted members and keep the fitted ones."""
        copy = type(self)(
            clone_teacher(self.teachers), random_state=clone(self.random_state, safe=False)
        )
        copy_estimator_state(self, copy)
        return copy

    def __sklearn_is_fitted__(self):
        return hasattr(self, "teachers_") or is_fitted(self.teachers)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        known = [
            get_tags(teacher)
            for teacher in self.teachers
            if hasattr(teacher, "__sklearn_tags__") and not isinstance(teacher, type)
        ]
        tags.input_tags.allow_nan = all(member.input_tags.allow_nan for member in known)
        tags.input_tags.sparse = all(member.input_tags.sparse for member in known)
        return tags
