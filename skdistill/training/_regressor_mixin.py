"""What makes a student, a net above all, a scikit-learn regressor of one output or several."""

from dataclasses import replace

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted
from torch.utils.data import Dataset

from skdistill._atomic import all_or_nothing
from skdistill._names import in_order_of, names_of
from skdistill.targets._tasks import as_numbers
from skdistill.training._number_rows import NumberRowsMixin, check_weights, held_back_rows
from skdistill.training._packed import Packed
from skdistill.training._scoring import packed_labels


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


def numbers_of_width(y, n_outputs):
    """Check targets of which there must be so many for a row; see `as_numbers`."""
    y = as_numbers(y)
    if y.shape[1] != n_outputs:
        raise ValueError(
            f"y has {y.shape[1]} columns; expected {n_outputs}, as many as were learnt."
        )
    return y


class RegressorStudentMixin(RegressorMixin):
    """What every student has beside `prepare(X, n_outputs, seed)` and `learn(X, packed, ...)`."""

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        """Train on targets alone, without a teacher, by the squared error.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val,), default=None
            Rows, and their targets, to choose the best epoch by, in place of some of X.

        Returns
        -------
        self
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        names, y = names_of(y), as_numbers(y)
        sample_weight = check_weights(sample_weight, X, y)
        with all_or_nothing(self, forget=False):
            X = self._prepare_or_go_on(X, y.shape[1])
            held = None
            if y_val is not None:
                held = numbers_of_width(y_val, y.shape[1])
                held = in_order_of(names, held, names_of(y_val), "y_val")
            X, held = held_back_rows(self, X, X_val, held)
            return self.learn(X, Packed(y, weight=sample_weight, held=held))

    def _prepare_or_go_on(self, X, n_outputs):
        return self.prepare(X, n_outputs)

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

    def partial_fit(self, X, y, sample_weight=None):
        """Go on training from the weights that are there, on targets alone.

        Each call trains for `max_epochs` epochs, with an optimiser and a schedule of their own,
        and keeps the best of these. The unit of the targets stays that of the first fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers, with the columns of the first fit.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.

        Returns
        -------
        self
        """
        y = as_numbers(y)
        sample_weight = check_weights(sample_weight, X, y)
        with all_or_nothing(self, forget=False):
            if hasattr(self, "target_scale_"):
                y, X = numbers_of_width(y, len(self.target_scale_)), self.prepare_again(X)
                return self.learn([X], Packed(y, weight=sample_weight), keep_unit=True)
            X = self.prepare(X, y.shape[1])
            return self.learn([X], Packed(y, weight=sample_weight))

    def _prepare_or_go_on(self, X, n_outputs):
        if not self.goes_on() or not hasattr(self, "target_scale_"):
            return self.prepare(X, n_outputs)
        if n_outputs != len(self.target_scale_):
            raise ValueError(
                f"warm_start=True was set, and y has {n_outputs} columns where an earlier fit had "
                f"{len(self.target_scale_)}; expected the same. Set warm_start=False."
            )
        return self.prepare_again(X)

    def learn(self, X, packed, *, keep_unit=False, **settings):
        """Train on packed targets.

        Parameters
        ----------
        X : list of {ndarray, CSR matrix} of shape (n_i, ...)
            What `prepare` and `prepare_more` returned.
        packed : Packed
        keep_unit : bool, default=False
            Whether the targets are standardised as those of an earlier fit were.
        **settings
            loss, alpha and seed.

        Returns
        -------
        self
        """
        if not keep_unit:
            unit = standardization(packed.hard, packed.labelled_weight())
            self.target_mean_, self.target_scale_ = unit
        mean, scale = self.target_mean_, self.target_scale_
        packed = replace(
            packed,
            hard=(packed.hard - mean) / scale,
            answers=[(part - mean) / scale for part in packed.answers],
            held=None if packed.held is None else (packed.held - mean) / scale,
        )
        super().learn(X, packed, **settings)
        return self

    def _encode(self, y):
        y = numbers_of_width(y, len(self.target_scale_))
        return (y - self.target_mean_) / self.target_scale_

    def _labels_of(self, packed):
        values = packed_labels(packed) * self.target_scale_ + self.target_mean_
        return values[:, 0] if values.shape[1] == 1 else values

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
        if not self._is_safe(X) and not isinstance(X, Dataset):
            X = self._check_numbers(X, reset=False)
        values = self._outputs(X) * self.target_scale_ + self.target_mean_
        return values[:, 0] if values.shape[1] == 1 else values
