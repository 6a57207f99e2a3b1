"""The students of a leaderboard: those that are given, or one of each kind for tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skdistill._words import shorten
from skdistill.evaluation._arm_names import TEACHER
from skdistill.evaluation._tasks import task_of
from skdistill.students import Linear, SoftDecisionTree, TablePreprocessor

OWNER = "leaderboard"


def recipes_of(model: Any, students: Any, X: Any) -> dict[str, Any]:
    """A clone of the model with each student, by the student's name.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    students : dict of str to student, or None
        None is one of each kind, for rows of a table.
    X : array-like of shape (n_samples, ...)
        The rows that are learnt from.

    Raises
    ------
    TypeError
        For what is no dict, or has names that are no text.
    ValueError
        For an empty one, for the name of the teacher, and where None stands for nothing.
    """
    if students is None:
        if sparse.issparse(X) or len(X.shape) != 2:
            raise ValueError(
                f"students=None stands for students of tables, and X_train has the shape "
                f"{tuple(X.shape)}{' and is sparse' * sparse.issparse(X)}; expected a dict of "
                f"students that read such rows. Pass students={{'net': None, ...}}."
            )
        students = _of_each_kind(model)
    if not isinstance(students, Mapping) or not all(isinstance(name, str) for name in students):
        raise TypeError(
            f"The 'students' parameter of {OWNER} must be a dict of names and students. Got "
            f"{shorten(students)} instead; pass students={{'tree': DecisionTreeClassifier(), ...}}."
        )
    if not students:
        raise ValueError(
            f"The 'students' parameter of {OWNER} is empty; expected one student at least. Pass "
            f"students={{'net': None}}, or leave it out."
        )
    if TEACHER in students:
        raise ValueError(
            f"A student is called {TEACHER!r}, as the row of the teacher is; expected another "
            f"name. Rename it."
        )
    return {name: clone(model).set_params(student=student) for name, student in students.items()}


def _of_each_kind(model: Any) -> dict[str, Any]:
    task = task_of(model)
    return {
        "linear": make_pipeline(TablePreprocessor(), task.net(Linear)),
        "tree": make_pipeline(TablePreprocessor(), task.tree(max_leaf_nodes=32)),
        "boosting": make_pipeline(TablePreprocessor(), task.boosting(early_stopping=False)),
        "soft tree": SoftDecisionTree(depth=4),
        "net": None,
    }
