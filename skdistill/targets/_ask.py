"""Asking a fitted teacher, its columns brought into the order of the classes."""

import numpy as np
from sklearn.utils.validation import check_memory

from skdistill.targets._align import align_columns, check_classes
from skdistill.targets._warnings import warn_of_feature_names
from skdistill.teachers._adapters import adapt_teacher


def ask_aligned(teacher, X, classes, y=None, *, teacher_classes=None, device="auto", memory=None):
    """Ask a fitted teacher, and bring its columns into the order of the classes.

    Parameters
    ----------
    teacher : object
        A fitted teacher.
    X : array-like of shape (n_samples, ...)
        Rows.
    classes : ndarray of shape (n_classes,)
        The labels of the columns to return.
    y : ndarray of shape (n_samples,), default=None
        Labels. A row whose class the teacher does not know becomes NaN.
    teacher_classes : array-like, default=None
        The labels of the teacher's columns, above what the teacher itself says.
    device : str or torch.device, default="auto"
        Where a torch teacher runs.
    memory : joblib.Memory, default=None
        Where answers are kept.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), float64
    kind : {"logits", "probabilities"}
    """
    adapter = adapt_teacher(teacher, device=device)
    explicit = teacher_classes is not None
    columns = np.asarray(teacher_classes) if explicit else adapter.classes
    if columns is not None:
        check_classes(columns, classes, explicit=explicit)
    warn_of_feature_names(teacher, X)
    answer, kind, named = check_memory(memory).cache(ask)(teacher, X, device)
    columns = columns if columns is not None else named
    answer = align_columns(answer, columns, classes)
    if y is not None:
        leave_unknown_to_labels(answer, columns, y)
    return answer, kind


def ask(teacher, X, device):
    """Ask a fitted teacher, with nothing but its answer in mind: what `memory` keeps.

    Parameters
    ----------
    teacher : object
        A fitted teacher.
    X : array-like of shape (n_samples, ...)
        Rows.
    device : str or torch.device
        Where a torch teacher runs.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_columns), float64
    kind : {"logits", "probabilities"}
    columns : ndarray of shape (n_columns,) or None
        The teacher's own labels of the columns.
    """
    adapter = adapt_teacher(teacher, device=device)
    answer, kind = adapter.ask(X)
    return answer, kind, adapter.classes


def leave_unknown_to_labels(answer, columns, y):
    """Make NaN, in place, of the rows whose class the teacher does not know."""
    if columns is not None:
        answer[~np.isin(y, columns)] = np.nan


def teacher_probabilities(teacher, X, classes, *, teacher_classes=None, device="auto"):
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
    return ask_aligned(
        teacher, X, np.asarray(classes), teacher_classes=teacher_classes, device=device
    )[0]
