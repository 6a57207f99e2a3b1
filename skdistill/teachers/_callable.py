"""A function as a teacher."""

from numbers import Integral

from sklearn.base import BaseEstimator

from skdistill._compat import Interval, safe_indexing
from skdistill._rows import as_rows
from skdistill.teachers._adapters import _CallableTeacher
from skdistill.teachers._chunks import chunk_slices, stack_answers


class CallableTeacher(BaseEstimator):
    """A function from rows to probabilities, such as a call of an API, as a fitted teacher.

    A bare function is a teacher too. This one is asked a chunk of rows at a time, knows its
    labels, and can be used with `memory`.

    Parameters
    ----------
    function : callable
        Gets rows as `fit` got them, at most `chunk_size` of them, and returns their
        probabilities, an array of shape (n_rows, n_classes).
    classes : array-like of shape (n_classes,), default=None
        The labels of the columns. None is the sorted labels of y.
    cache_key : str or other plain value, default=None
        Names all that the answers depend on, such as the model and its version: with `memory`,
        answers are found again under the same key, whatever the function. None cannot be used
        with `memory`.
    chunk_size : int, default=1000
        Rows that the function gets at once. With `memory`, these are what is kept at once.

    See Also
    --------
    skdistill.targets.teacher_targets : Asks a teacher, and keeps what it says.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import teacher_targets
    >>> from skdistill.teachers import CallableTeacher
    >>> def ask(rows):
    ...     return np.column_stack([1 - rows[:, 0], rows[:, 0]])
    >>> teacher = CallableTeacher(ask, classes=["no", "yes"], cache_key="oracle 1.0")
    >>> teacher_targets(teacher, [[0.25], [0.75]], ["no", "yes"])
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """

    _parameter_constraints = {
        "function": [callable],
        "classes": [None, "array-like"],
        "cache_key": "no_validation",
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, function, *, classes=None, cache_key=None, chunk_size=1000):
        self.function = function
        self.classes = classes
        self.cache_key = cache_key
        self.chunk_size = chunk_size

    def predict_proba(self, X):
        """Return what the function says, a chunk of rows at a time.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self._adapter("auto").ask(as_rows(X))[0]

    def ask(self, X):
        """Return probabilities and kind; see `adapt_teacher`.

        Parameters
        ----------
        X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, ...)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float64
        kind : "probabilities"
        """
        function = _CallableTeacher(self.function)
        chunks = chunk_slices(X.shape[0], self.chunk_size)
        answers = [function.ask(safe_indexing(X, chunk))[0] for chunk in chunks]
        return stack_answers(answers), "probabilities"

    def _adapter(self, device):
        self._validate_params()
        return self
