"""What makes a student, a net above all, a scikit-learn classifier."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted
from torch.utils.data import Dataset

from skdistill._atomic import all_or_nothing
from skdistill._labels import read_labels
from skdistill._torch import log_softmax
from skdistill.training._number_rows import NumberRowsMixin, check_weights, held_back_rows
from skdistill.training._packed import Packed


def encode(y, classes):
    """Return the position of each label among the classes.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    ndarray of shape (n_samples,), int

    Raises
    ------
    ValueError
        For a label that is none of them.
    """
    y = read_labels(y)
    unknown = np.unique(y[~np.isin(y, classes)])
    if len(unknown):
        raise ValueError(
            f"y holds the labels {unknown.tolist()[:6]}, and the classes are "
            f"{classes.tolist()[:6]}; expected labels among them. Leave these rows out, or fit "
            f"anew; a first partial_fit takes all classes that will come, classes=[...]."
        )
    return np.searchsorted(classes, y)


class StudentMixin(ClassifierMixin):
    """What every student has beside `prepare(X, classes, seed)` and `learn(X, packed, ...)`."""

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        """Train on labels alone, without a teacher.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers.
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val,), default=None
            Rows, and their labels, to choose the best epoch by, in place of some of X.

        Returns
        -------
        self
        """
        y = read_labels(y)
        sample_weight = check_weights(sample_weight, X, y)
        classes, labels = np.unique(y, return_inverse=True)
        with all_or_nothing(self, forget=False):
            X = self._prepare_or_go_on(X, classes)
            held = None if y_val is None else encode(y_val, classes)
            X, held = held_back_rows(self, X, X_val, held)
            return self.learn(X, Packed(labels, weight=sample_weight, held=held))

    def _prepare_or_go_on(self, X, classes):
        return self.prepare(X, classes)

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

    A subclass has `_logits(X)`, and `prepare_again(X)`.
    """

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Go on training from the weights that are there, on labels alone.

        Each call trains for `max_epochs` epochs, with an optimiser and a schedule of their own,
        and keeps the best of these. The first one of all begins as `fit` does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers, with the columns of the first fit.
        y : array-like of shape (n_samples,)
            Labels, each one of `classes_`.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come, for the first call. None is those of y.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.

        Returns
        -------
        self
        """
        y = read_labels(y)
        sample_weight = check_weights(sample_weight, X, y)
        with all_or_nothing(self, forget=False):
            if hasattr(self, "classes_"):
                if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
                    raise ValueError(
                        f"classes={np.unique(classes).tolist()[:6]} were given to a student that "
                        f"has learnt {self.classes_.tolist()[:6]}; expected the same. Leave them "
                        f"out, or fit anew."
                    )
                labels, X = encode(y, self.classes_), self.prepare_again(X)
            else:
                classes = np.unique(y if classes is None else read_labels(classes))
                labels, X = encode(y, classes), self.prepare(X, classes)
            return self.learn([X], Packed(labels, weight=sample_weight))

    def _prepare_or_go_on(self, X, classes):
        known = getattr(self, "classes_", None)
        if not self.goes_on() or known is None:
            return self.prepare(X, classes)
        if not np.array_equal(known, classes):
            raise ValueError(
                f"warm_start=True was set, and y holds the classes {classes.tolist()[:6]} where an "
                f"earlier fit had {known.tolist()[:6]}; expected the same. Set warm_start=False."
            )
        return self.prepare_again(X)

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
        if not self._is_safe(X) and not isinstance(X, Dataset):
            X = self._check_numbers(X, reset=False)
        return log_softmax(self._logits(X))
