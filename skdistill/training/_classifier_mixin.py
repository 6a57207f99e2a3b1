"""What makes a student, a net above all, a scikit-learn classifier."""

import numpy as np
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skdistill._columns import is_table
from skdistill._rows import as_rows, is_plain, refuse_dates
from skdistill._torch import log_softmax
from skdistill.exceptions import StudentError
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


class NetClassifierMixin(StudentMixin):
    """Labels instead of positions, probabilities instead of logits, refusals in time.

    A subclass has `_logits(X)`.
    """

    def prepare_more(self, X):
        """Check further rows of a kind that `prepare` has seen.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, ...)
            For `learn`, below the rows that `prepare` returned.
        """
        return self._check_numbers(X, reset=False)

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

    def _is_safe(self, X):
        """Whether rows are numbers that a module can read beyond doubt."""
        if not is_plain(X, self):
            return False
        dtype = np.dtype(getattr(self, "dtype", "float32"))
        return X.dtype.itemsize <= dtype.itemsize or np.abs(X).max() <= np.finfo(dtype).max

    def _check_numbers(self, X, *, reset):
        """Refuse rows that a module cannot read; return an array or a CSR matrix."""
        X = as_rows(X)
        validate_data(self, X, reset=reset, skip_check_array=True)
        refuse_dates(X)
        name = type(self).__name__
        if is_table(X) or X.dtype.kind not in "biuf":
            try:
                X = (
                    X.to_numpy(dtype=np.float64, na_value=np.nan)
                    if is_table(X)
                    else X.astype(float)
                )
            except ValueError as error:
                raise StudentError(
                    f"X holds values that are no numbers ({error}), and {name} reads numbers "
                    f"alone. Put a step before it: make_pipeline(TablePreprocessor(), student)."
                ) from error
        values = X.data if sparse.issparse(X) else X
        greatest = 0.0
        if values.dtype.kind == "f" and values.size:
            greatest = max(values.max(), -values.min())  # NaN where one value is
        if np.isnan(greatest):
            raise StudentError(
                f"Input X contains NaN, and {name} reads numbers alone. Put a step before it "
                f"that fills the gaps: make_pipeline(TablePreprocessor(), student)."
            )
        dtype = getattr(self, "dtype", "float32")
        if greatest > np.finfo(dtype).max:
            raise StudentError(
                f"Input X contains infinity or a value too large for dtype('{dtype}'), in which "
                f"{name} computes; expected smaller numbers. Put a step before it that scales or "
                f"clips them."
            )
        return X

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags
