"""Asking a fitted teacher, its columns brought into the order of the classes."""

import time

import numpy as np

from skdistill._compat import safe_indexing
from skdistill.targets._memory import open_memory, remember
from skdistill.targets._warnings import warn_of_feature_names
from skdistill.teachers._adapters import adapt_teacher
from skdistill.teachers._align import align_columns, check_classes
from skdistill.teachers._callable import CallableTeacher
from skdistill.teachers._chunks import chunk_slices, stack_answers
from skdistill.teachers._ensemble import as_teacher, members_of
from skdistill.teachers._key import teacher_key

CHUNK = 2048
"""Rows that are kept at once. A forest is a third slower in such chunks than in one go; boosted
trees and networks, which have batches of their own, are not."""


def ask_aligned(
    teacher,
    X,
    classes,
    y=None,
    *,
    teacher_classes=None,
    device="auto",
    memory=None,
    key=None,
    verbose=0,
):
    """Ask a fitted teacher, and bring its columns into the order of the classes.

    Parameters
    ----------
    teacher : object
        A fitted teacher.
    X : array-like of shape (n_samples, ...)
        Rows.
    classes : ndarray of shape (n_classes,) or None
        The labels of the columns to return. None is what the teacher knows, in sorted order.
    y : ndarray of shape (n_samples,), default=None
        Labels. A row whose class the teacher does not know becomes NaN.
    teacher_classes : array-like, default=None
        The labels of the teacher's columns, above what the teacher itself says.
    device : str or torch.device, default="auto"
        Where a torch teacher runs.
    memory : str or joblib.Memory, default=None
        Where answers are kept.
    key : str, default=None
        What the teacher is known by in memory; None is its content.
    verbose : int, default=0
        1 prints how far it is.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_classes), float64
    kind : {"logits", "probabilities"}
    """
    teacher = as_teacher(teacher, teacher_classes)
    memory = open_memory(memory)
    if memory is not None and key is None:
        key = teacher_key(teacher)
    adapter = adapt_teacher(teacher, device=device)
    explicit = teacher_classes is not None
    columns = np.asarray(teacher_classes) if explicit else adapter.classes
    if columns is not None and classes is not None:
        check_classes(columns, classes, explicit=explicit)
    for member in members_of(teacher):
        warn_of_feature_names(member, X)
    size = adapter.chunk_size if isinstance(adapter, CallableTeacher) else None
    answer, kind, named = ask_in_chunks(
        lambda: adapter, X, key, memory=memory, size=size, verbose=verbose
    )
    if columns is None and named is not None:
        columns = named
        if classes is not None:
            check_classes(columns, classes, explicit=False)
    if classes is None:
        classes = np.arange(answer.shape[1]) if columns is None else np.sort(columns)
    answer = align_columns(answer, columns, classes)
    if y is not None:
        leave_unknown_to_labels(answer, columns, y)
    return answer, kind


def ask_in_chunks(get_adapter, X, key, *, memory=None, size=None, verbose=0):
    """Ask about some rows at a time, and keep each answer as soon as it is there.

    Parameters
    ----------
    get_adapter : callable
        Returns what `adapt_teacher` returns. Not called if all answers are in memory.
    X : array-like of shape (n_samples, ...)
        Rows.
    key : str
        What the teacher is known by in memory.
    memory : joblib.Memory, default=None
        None keeps nothing, and asks about all rows at once unless there is a size.
    size : int, default=None
        Rows that the teacher takes at once; None is any number, and `CHUNK` for memory.
    verbose : int, default=0
        1 prints a line a second, and one at the end.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_columns), float64
    kind : {"logits", "probabilities"}
    columns : ndarray of shape (n_columns,) or None
        The teacher's own labels of the columns.
    """

    def ask(rows):
        adapter = get_adapter()
        answer, kind = adapter.ask(rows)
        return answer, kind, adapter.classes

    n_rows = X.shape[0]
    if size is not None:
        chunks = chunk_slices(n_rows, size)
    elif memory is not None:
        # A short chunk says too little on whether a network speaks in logits.
        chunks = chunk_slices(n_rows, CHUNK, least=CHUNK)
    else:
        chunks = [slice(0, n_rows)]
    started = printed = time.perf_counter()
    answers = []
    for chunk in chunks:
        rows = X if len(chunks) == 1 else safe_indexing(X, chunk)
        answers.append(remember(memory, lambda rows=rows: ask(rows), "answer", key, rows))
        now = time.perf_counter()
        if verbose and (chunk.stop == n_rows or now > printed + 1):
            print(f"[skdistill] teacher: {chunk.stop} of {n_rows} rows, {now - started:.0f} s")
            printed = now
    probabilities, kinds, columns = zip(*answers, strict=True)
    if len(set(kinds)) > 1:  # a network whose logits look like probabilities for some rows
        return remember(memory, lambda: ask(X), "answer", key, X)
    return stack_answers(probabilities), kinds[0], columns[0]


def leave_unknown_to_labels(answer, columns, y):
    """Make NaN, in place, of the rows whose class the teacher does not know."""
    if columns is not None:
        answer[~np.isin(y, columns)] = np.nan


def teacher_probabilities(teacher, X, classes, *, teacher_classes=None, device="auto", memory=None):
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
        teacher,
        X,
        np.asarray(classes),
        teacher_classes=teacher_classes,
        device=device,
        memory=memory,
    )[0]
