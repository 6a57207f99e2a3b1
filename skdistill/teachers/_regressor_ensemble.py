"""Several regressors as one teacher."""

from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill._random import draw_seeds
from skdistill._rows import as_rows
from skdistill.teachers._asks import NUMBERS
from skdistill.teachers._base_ensemble import BaseEnsemble
from skdistill.teachers._members import read_numbers


class RegressorEnsemble(RegressorMixin, BaseEnsemble):
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

    _asks = NUMBERS

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
        members = self._check()
        X = as_rows(X)
        validate_data(self, X, skip_check_array=True)
        seeds = draw_seeds(self.random_state, len(self.teachers))
        self.teachers_ = self._fit_members(members, X, y, seeds, sample_weight=sample_weight)
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
        values = read_numbers(self._ask(as_rows(X)))
        return values[:, 0] if values.shape[1] == 1 else values

    def _check_settings(self):
        if len(self.teachers) == 0:
            raise ValueError("The teacher is an empty list; expected at least one regressor in it.")

    def _panel(self):
        return None
