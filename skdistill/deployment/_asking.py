"""A fitted student and a fitted teacher, asked about the same classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.exceptions import StudentError, TeacherError
from skdistill.targets._ask import Desk, ask_fitted
from skdistill.targets._plan import check_teacher
from skdistill.targets._tasks import ClassTask
from skdistill.teachers._align import as_labels
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._contract import looks_like_probabilities
from skdistill.teachers._fit import is_fitted


def check_student(student: Any) -> None:
    """Refuse a student that cannot be asked.

    Raises
    ------
    StudentError
    """
    name = type(student).__name__
    if isinstance(student, type) or not hasattr(student, "fit") or not is_fitted(student):
        came = f"the class {student.__name__}" if isinstance(student, type) else name
        raise StudentError(
            f"The student is {came}, which is not fitted; expected a fitted classifier, for "
            f"nothing is fitted here. Give a DistilledClassifier after its fit, or its student_."
        )
    if not hasattr(student, "predict_proba") or not hasattr(student, "classes_"):
        raise StudentError(
            f"The student {name} has no predict_proba and classes_; expected a classifier that "
            f"says how sure it is."
        )
    if isinstance(student.classes_, list):
        raise StudentError(
            f"The student {name} has several labels for each row; expected one that tells classes "
            f"apart. Give a DistilledClassifier after its fit."
        )
    if len(student.classes_) < 2:
        raise StudentError(
            f"The student {name} knows {len(student.classes_)} class; expected two or more, for it "
            f"is sure of every row. Fit it on rows of several classes."
        )


def check_teacher_of(student: Any, teacher: Any) -> Any:
    """Return what is known of a teacher that can be asked about the student's classes.

    Returns
    -------
    Examined

    Raises
    ------
    TeacherError
        When it is not fitted, no teacher, or knows other classes.
    """
    check_student(student)
    examined = check_teacher(teacher, None, CLASSES)
    if not examined.is_fitted:
        raise TeacherError(
            f"The teacher {type(teacher).__name__} is not fitted; expected a fitted one, for "
            f"nothing is fitted here. Of a DistilledClassifier it is model.teacher_."
        )
    classes, known = np.asarray(student.classes_), examined.labels
    if known is not None and set(as_labels(known, classes).tolist()) != set(classes.tolist()):
        raise TeacherError(
            f"The teacher knows the classes {np.asarray(known).tolist()[:6]} and the student "
            f"{classes.tolist()[:6]}; expected the same. Fit both on the same labels."
        )
    return examined


def ask_teacher(
    examined: Any, X: Any, classes: np.ndarray, *, few: bool = False, verbose: int = 0
) -> np.ndarray:
    """Return the teacher's probabilities in the order of the classes.

    Parameters
    ----------
    examined : Examined
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
    classes : ndarray of shape (n_classes,)
    few : bool, default=False
        Whether the rows may be too few to tell by them that a network returns neither logits nor
        probabilities, which is an error otherwise.
    verbose : int, default=0
        1 prints how far it is.

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
    """
    task = ClassTask(classes)
    replies = ask_fitted(examined, X, desk=Desk(verbose=verbose))
    if few:
        kinds = tuple(reply.kind or _likely_kind(reply.values) for reply in replies)
    else:
        kinds = CLASSES.find_kinds([replies])
    values, _ = task.read(replies, kinds, examined.panel)
    return values[:, np.searchsorted(task.classes, classes)]


def _likely_kind(values: np.ndarray) -> str:
    return "probabilities" if looks_like_probabilities(values) else "logits"
