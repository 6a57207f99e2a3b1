"""Who answers for which rows: one fitted teacher for all, or a clone for each split."""

import numpy as np

from skdistill._words import shorten
from skdistill.targets._labels_task import LabelsTask
from skdistill.targets._splits import make_splits
from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.teachers._adapters import gives_numbers
from skdistill.teachers._as_teacher import as_teacher
from skdistill.teachers._examined import examine

IN_SAMPLE = "in-sample"

TASKS: dict[str, type] = {kind.asks.name: kind for kind in (ClassTask, NumberTask, LabelsTask)}


def check_teacher(teacher, cv, asks, columns=None, device="auto", *, pooling=True):
    """Refuse what cannot be a teacher, or not with this `cv`, before anything is fitted.

    Parameters
    ----------
    teacher : object
        The teacher as given.
    cv : None, int, splitter, iterable or "in-sample"
        The cross-fitting as given.
    asks : Classes or Numbers
        What it is asked for.
    columns : array-like of shape (n_columns,), default=None
        The labels of the columns of a list.
    device : str or torch.device, default="auto"
        Where a torch teacher runs.
    pooling : bool, default=True
        Whether out-of-fold answers may say how the members of a list are made one.

    Returns
    -------
    Examined

    Raises
    ------
    TeacherError
        See `adapt`.
    ValueError
        When a fitted teacher is to be cross-fitted.
    """
    examined = examine(as_teacher(teacher, columns, asks), asks, device)
    if pooling and isinstance(teacher, list | tuple) and not _is_in_sample(cv):
        examined = examined.pooling()
    if examined.is_fitted and cv is not None:
        raise ValueError(
            f"cv={shorten(cv)} was given with a fitted teacher, which is used as it is; expected "
            f"cv=None. For out-of-fold targets give an unfitted one: clone(teacher)."
        )
    return examined


def plan_splits(fitted, task, X, cv, groups=None):
    """Return the splits of a teacher's cross-fitting.

    Parameters
    ----------
    fitted : bool
        Whether the teacher is; see `check_teacher`.
    task : ClassTask or NumberTask
        With y.
    X : array-like of shape (n_samples, ...)
    cv : None, int, splitter, iterable or "in-sample"
        The cross-fitting as given.
    groups : array-like of shape (n_samples,), default=None
        Rows of one group may not stand on both sides of a split.

    Returns
    -------
    list of (train, test) or None
        See `make_splits`; None where one teacher answers for all rows.
    """
    return None if fitted or _is_in_sample(cv) else make_splits(task, cv, X, groups)


def _is_in_sample(cv):
    return isinstance(cv, str) and cv == IN_SAMPLE


def assign_rows(splits, n_samples):
    """Give each row to the first split that leaves it out.

    Parameters
    ----------
    splits : list of (train, test)
        See `make_splits`.
    n_samples : int
        Number of rows.

    Returns
    -------
    dict of int to ndarray of shape (n_rows,), int
        For each split that gets rows, their positions. A row that no split leaves out is nobody's.
    """
    free = np.ones(n_samples, dtype=bool)
    parts = {}
    for number, (_, test) in enumerate(splits):
        mine = test[free[test]]
        free[mine] = False
        if len(mine):
            parts[number] = mine
    return parts


def kind_of_task(teacher, task, owner):
    """Return the class of the task that is meant.

    Parameters
    ----------
    teacher : object
        As given; a list of regressors is asked for numbers.
    task : {"auto", "classes", "numbers", "labels"}
        As given to the function `owner`.
    owner : str
    """
    known = ["auto", *TASKS]
    if task not in known:
        raise ValueError(
            f"The 'task' parameter of {owner} must be one of {known}. Got {shorten(task)} instead."
        )
    if task != "auto":
        return TASKS[task]
    members = teacher if isinstance(teacher, list | tuple) and len(teacher) else [teacher]
    return TASKS["numbers" if all(map(gives_numbers, members)) else "classes"]
