"""What makes a student, a net above all, a scikit-learn regressor of one output or several."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skdistill._compat import check_sample_weight
from skdistill.targets._tasks import as_numbers
from skdistill.training._number_rows import NumberRowsMixin
from skdistill.training._packing import pack_values


def standardization(targets, weight=None):
    r"""Return the weighted mean and standard deviation of each output.

    Parameters
    ----------
    targets : ndarray of shape (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,), default=None
        Not negative, not all zero; None weighs all alike.

    Returns
    -------
    mean, scale : ndarray of shape (n_outputs,)
        The scale is 1 where all targets of positive weight are the same.
    """
    mean = np.average(targets, axis=0, weights=weight)
    differences = targets - mean
    if weight is not None:
        differences[weight == 0] = 0
    peak = np.abs(differences).max(axis=0)
    is_constant = peak <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    differences[:, is_constant], peak[is_constant] = 0, 1
    # Divided by the peak first, so that no square leaves the range of floats.
    scale = peak * np.sqrt(np.average((differences / peak) ** 2, axis=0, weights=weight))
    scale[is_constant] = 1
    return mean, scale


class RegressorStudentMixin(RegressorMixin):
    """What every student has beside `prepare(X, n_outputs, seed)` and `learn(X, packed, ...)`."""

    def fit(self, X, y, sample_weight=None):
        """Train on targets alone, without a teacher, by the squared error.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        y = as_numbers(y)
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, ensure_non_negative=True)
        X = self.prepare(X, y.shape[1])
        return self.learn(X, pack_values(y, sample_weight=sample_weight))

    def check_settings(self, loss, alpha, *, weighted):
        """Refuse settings that the student cannot hear; here it hears all of them.

        Parameters
        ----------
        loss : RegressionLoss
            Of both terms.
        alpha : float
            Weight of the teacher's term in [0, 1].
        weighted : bool
            Whether rows will differ in weight.

        Raises
        ------
        StudentError
        """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class NetRegressorMixin(NumberRowsMixin, RegressorStudentMixin):
    """Targets in any unit: the module learns standardised ones.

    A subclass has `_outputs(X)`, and `learn` from a class after this one.
    """

    def learn(self, X, packed, **settings):
        """Train on packed targets.

        Parameters
        ----------
        X : {ndarray, CSR matrix} of shape (n_samples, ...)
            What `prepare` returned.
        packed : dict of str to ndarray
            See `pack_values`.
        **settings
            loss, alpha and seed.

        Returns
        -------
        self
        """
        labelled = packed["label"] >= 0
        weight = packed.get("hard_weight")
        mean, scale = standardization(
            packed["target"][labelled], None if weight is None else weight[labelled]
        )
        names = {"target", "teacher_target"} & packed.keys()
        packed = packed | {name: (packed[name] - mean) / scale for name in names}
        super().learn(X, packed, **settings)
        self.target_mean_, self.target_scale_ = mean, scale
        return self

    def predict(self, X):
        """Return the prediction for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        if not hasattr(self, "target_scale_"):
            check_is_fitted(self, "target_scale_")
        if not self._is_safe(X):
            X = self._check_numbers(X, reset=False)
        values = self._outputs(X) * self.target_scale_ + self.target_mean_
        return values[:, 0] if values.shape[1] == 1 else values
