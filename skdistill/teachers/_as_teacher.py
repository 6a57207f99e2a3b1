"""Whatever was given as a teacher, made one object."""

from skdistill.teachers._adapters import adapt
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._base_ensemble import BaseEnsemble
from skdistill.teachers._ensemble import EnsembleTeacher
from skdistill.teachers._label_ensemble import LabelEnsemble
from skdistill.teachers._regressor_ensemble import RegressorEnsemble
from skdistill.teachers._self import SelfTeacher

ENSEMBLES = {
    ensemble._asks: ensemble for ensemble in (EnsembleTeacher, RegressorEnsemble, LabelEnsemble)
}


def as_teacher(teacher, teacher_classes=None, asks=CLASSES):
    """Make one teacher of a list of teachers; leave others as they are.

    Parameters
    ----------
    teacher : object
    teacher_classes : array-like, default=None
        The order of the columns of an `EnsembleTeacher`.
    asks : Classes or Numbers, default=CLASSES
        What it is asked for.

    Returns
    -------
    object
    """
    if not isinstance(teacher, list | tuple):
        return teacher
    settings = {} if teacher_classes is None else {"teacher_classes": teacher_classes}
    return ENSEMBLES[asks](teacher, **settings)


def bind_student(teacher, make_student):
    """Return a teacher in which a student stands for every `SelfTeacher`.

    Parameters
    ----------
    teacher : object
        A teacher as given, a list, or an ensemble of ours.
    make_student : callable
        Returns the student, unfitted; not called where there is no `SelfTeacher`.

    Returns
    -------
    object
        The teacher itself where there is none.
    """
    if isinstance(teacher, SelfTeacher):
        return make_student()
    members = teacher.teachers if isinstance(teacher, BaseEnsemble) else teacher
    if not isinstance(members, list | tuple):
        return teacher
    bound = type(members)(bind_student(member, make_student) for member in members)
    if all(one is other for one, other in zip(bound, members, strict=True)):
        return teacher
    return teacher._clone_with(bound) if isinstance(teacher, BaseEnsemble) else bound


def labels_of(teacher):
    """Return the labels of a fitted teacher's columns, None where it does not know them."""
    if isinstance(teacher, EnsembleTeacher):
        return getattr(teacher, "classes_", None)
    return adapt(teacher, CLASSES).columns
