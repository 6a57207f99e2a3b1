"""What a fitted teacher says of rows, as probabilities of given classes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdistill._input._rows import as_rows
from skdistill.exceptions import TeacherError
from skdistill.targets._ask import Desk, ask_fitted, check_verbose
from skdistill.targets._memory import open_memory
from skdistill.targets._plan import check_teacher
from skdistill.targets._tasks import ClassTask
from skdistill.teachers._asks import CLASSES


def teacher_probabilities(
    teacher: Any,
    X: Any,
    classes: ArrayLike,
    *,
    teacher_classes: Any = None,
    device: Any = "auto",
    memory: Any = None,
    verbose: int = 0,
) -> np.ndarray:
    """Ask a fitted teacher for the probabilities of the given classes.

    Parameters
    ----------
    teacher : object
        A fitted teacher of any kind that `DistilledClassifier` takes.
    X : array-like of shape (n_samples, ...)
        Rows, as the teacher wants them.
    classes : array-like of shape (n_classes,)
        The order of the columns.
    teacher_classes : array-like of shape (n_columns,), default=None
        The teacher's own order where it has no `classes_`.
    device : str or torch.device, default="auto"
        Where a torch teacher runs.
    memory : str or joblib.Memory, default=None
        Where the answers are kept and found again.
    verbose : int, default=0
        1 prints how far the teacher is, and the time that is left.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.targets import teacher_probabilities
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = LogisticRegression(max_iter=500).fit(X, y)
    >>> teacher_probabilities(teacher, X[:2], [2, 1, 0]).round(2)
    array([[0.  , 0.02, 0.98],
           [0.  , 0.03, 0.97]])
    """
    check_verbose(verbose, "teacher_probabilities")
    X, task = as_rows(X), ClassTask(classes)
    order = np.searchsorted(task.classes, np.asarray(classes))
    columns = None if teacher_classes is None else np.asarray(teacher_classes)
    desk = Desk(device, open_memory(memory), verbose=verbose)
    teacher = check_teacher(teacher, None, CLASSES, teacher_classes, device)
    if not teacher.is_fitted:
        raise TeacherError(
            f"The teacher {type(teacher.teacher).__name__} is not fitted; expected a fitted one, "
            f"for nothing is fitted here. Call its fit first."
        )
    known = teacher.labels if columns is None else columns
    task.check_columns(known, explicit=columns is not None)
    replies = ask_fitted(teacher, X, desk=desk)
    values, _ = task.read(replies, CLASSES.find_kinds([replies]), teacher.panel, columns)
    return values[:, order]
