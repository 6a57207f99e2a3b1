"""A function as a teacher."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdistill._compat import Interval, StrOptions
from skdistill.teachers._adapters import FunctionAdapter
from skdistill.teachers._asks import CLASSES, NUMBERS
from skdistill.teachers._says_kind import SaysKind


class CallableTeacher(SaysKind, BaseEstimator):
    """A function from rows to probabilities or numbers, as a call of an API, as a fitted teacher.

    A bare function is a teacher too. This one is asked a chunk of rows at a time, knows its
    labels, says what its numbers are, and can be used with `memory`.

    Parameters
    ----------
    function : callable
        Gets a copy of rows as `fit` got them, at most `chunk_size` of them, and returns an array
        of shape (n_rows, n_classes). For two classes one column, or an array of shape (n_rows,),
        will do: that of the second class. A table whose columns are named by the labels is read
        by the names.
    classes : array-like of shape (n_classes,), default=None
        The labels of the columns. None is the sorted labels of y.
    kind : {"probabilities", "logits", "numbers"}, default="probabilities"
        What the function returns. Of logits a softmax is taken, and a loss chooses its "auto"
        temperature accordingly. "numbers" makes it a regressor: it has `predict`, and is refused
        where classes are learnt. A `DistilledRegressor` takes the numbers as they are, of any kind.
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
    >>> np.asarray(teacher_targets(teacher, [[0.25], [0.75]], ["no", "yes"]))
    array([[0.75, 0.25],
           [0.25, 0.75]])
    """

    _parameter_constraints = {
        "function": [callable],
        "classes": [None, "array-like"],
        "kind": [StrOptions({*CLASSES.kinds, *NUMBERS.kinds})],
        "cache_key": "no_validation",
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        classes: ArrayLike | None = None,
        kind: str = "probabilities",
        cache_key: str | None = None,
        chunk_size: int | None = 1000,
    ) -> None:
        self.function = function
        self.classes = classes
        self.kind = kind
        self.cache_key = cache_key
        self.chunk_size = chunk_size

    def _make_adapter(self, asks):
        self._validate_params()
        columns = asks.labels(self.classes, type(self).__name__)
        return FunctionAdapter(self.function, asks, columns, self.kind, self.chunk_size)
