"""Teachers that may say what their numbers are."""

from abc import ABC, abstractmethod

from sklearn.utils.metaestimators import available_if

from skdistill._input._rows import as_rows
from skdistill.teachers._asks import CLASSES, NUMBERS
from skdistill.teachers._chunks import ask_each


def _of_numbers(teacher):
    return teacher.kind in NUMBERS.kinds


def _of_classes(teacher):
    return not _of_numbers(teacher)


class SaysKind(ABC):
    """A teacher of numbers where its `kind` is "numbers", and of whatever it is asked for else."""

    kind: str | None

    @abstractmethod
    def _make_adapter(self, asks):
        """Return the adapter by which it answers."""

    def _adapter(self, asks):
        """Return what `adapt` returns for this teacher."""
        if _of_numbers(self):
            asks.refuse(self)
        return self._make_adapter(asks)

    @available_if(_of_classes)
    def predict_proba(self, X):
        """Return the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self._read(X, CLASSES)

    @available_if(_of_numbers)
    def predict(self, X):
        """Return the number or numbers of each row; there where `kind` is "numbers".

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs), float64
        """
        values = self._read(X, NUMBERS)
        return values[:, 0] if values.shape[1] == 1 else values

    def _read(self, X, asks):
        replies = ask_each([self._adapter(asks)], as_rows(X))
        return asks.read(replies, asks.find_kinds([replies]))[0]
