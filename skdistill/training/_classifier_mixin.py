"""What makes a student, a net above all, a scikit-learn classifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from skdistill._torch import log_softmax
from skdistill.training._number_rows import NumberRowsMixin
from skdistill.training._packing import pack_targets


class StudentMixin(ClassifierMixin):
    """What every student has beside `prepare(X, classes, seed)` and `learn(X, packed, ...)`."""

    def fit(self, X, y, sample_weight=None):
        """Train on labels alone, without a teacher.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers.
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self
        """
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        check_consistent_length(X, y, sample_weight)
        classes, labels = np.unique(y, return_inverse=True)
        X = self.prepare(X, classes)
        return self.learn(X, pack_targets(labels, sample_weight=sample_weight))

    def check_settings(self, loss, alpha, temperature, *, weighted):
        """Refuse settings that the student cannot hear; here it hears all of them.

        Parameters
        ----------
        loss : Loss
            The soft term.
        alpha : float
            Weight of the soft term in [0, 1].
        temperature : float or "auto"
            As the user gave it.
        weighted : bool
            Whether rows will differ in weight.

        Raises
        ------
        StudentError
        """

    def default_temperature(self, loss, kind, n_classes):
        """Return the temperature that "auto" stands for: the loss's own.

        Parameters
        ----------
        loss : Loss
            The soft term.
        kind : {"logits", "probabilities"}
            What the teacher speaks.
        n_classes : int
            Number of classes.

        Returns
        -------
        float
        """
        return loss.default_temperature(kind, n_classes)


class NetClassifierMixin(NumberRowsMixin, StudentMixin):
    """Labels instead of positions, and probabilities instead of logits.

    A subclass has `_logits(X)`.
    """

    def predict(self, X):
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        positions = np.argmax(self.predict_log_proba(X), axis=1)
        return self.classes_[positions]

    def predict_proba(self, X):
        """Return the probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return np.exp(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        if not hasattr(self, "classes_"):
            check_is_fitted(self, "classes_")
        if not self._is_safe(X):
            X = self._check_numbers(X, reset=False)
        return log_softmax(self._logits(X))
