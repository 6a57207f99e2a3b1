"""A fitted teacher that is asked about some rows at a time, whoever brings them."""

from functools import partial

import numpy as np

from skdistill.exceptions import TeacherError
from skdistill.targets._ask import Desk, ask_fitted, ask_one
from skdistill.targets._value import Targets
from skdistill.teachers._panel import common_kind


def check_fitted(teacher, owner):
    """Refuse a teacher that is not fitted, or that has nothing to say about rows.

    Parameters
    ----------
    teacher : Examined
    owner : str
        The function that asks about rows, for the error.

    Raises
    ------
    TeacherError
    """
    name = type(teacher.teacher).__name__
    if any(member.answers_from_labels for member in (teacher, *teacher.members)):
        raise TeacherError(
            f"The teacher {name} answers from labels, and {owner} asks about rows; expected "
            f"a teacher that answers for rows."
        )
    if not teacher.is_fitted:
        raise TeacherError(
            f"The teacher {name} is not fitted; expected a fitted one, for nothing is fitted here. "
            f"Call its fit first."
        )


def begin_asking(teacher, X, task, columns):
    """Ask about a sample of the rows, by which the teacher is judged; see `compute_targets`.

    Parameters
    ----------
    teacher : Examined
        Fitted.
    X : {ndarray, DataFrame} of shape (n_samples, ...)
        The sample.
    task : ClassTask or NumberTask
        With the labels, or numbers, of the sample.
    columns : array-like of shape (n_columns,) or None
        The labels of the teacher's columns by the user.

    Returns
    -------
    targets : Targets
        For the sample.
    ask : callable
        From other rows, and their labels or numbers, to answers like `targets.values`. What the
        teacher speaks was found out by the sample.

    Warns
    -----
    TeacherWarning
        When the labels of the sample speak against the teacher's answers.
    """
    check_fitted(teacher, "fit_dataset")
    columns = None if columns is None else np.asarray(columns)
    values, kinds = ask_one(teacher, task, X, partial(ask_fitted, teacher, desk=Desk()), columns)
    targets = Targets(values, common_kind(kinds), task.classes)
    task.warn(targets, None)

    def ask(rows, y):
        values, named = task.read(teacher.ask(rows), kinds, teacher.panel, columns)
        task.without_strangers(values, y, named)
        return values

    return targets, ask
