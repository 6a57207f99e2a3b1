"""Errors and warnings of skdistill, each a subclass of Python's or scikit-learn's own."""

from sklearn.exceptions import ConvergenceWarning

__all__ = [
    "ColumnError",
    "DistillationWarning",
    "ExportError",
    "LabelEncodingError",
    "StudentError",
    "TeacherError",
    "TeacherWarning",
    "TrainingWarning",
]


class TeacherError(ValueError):
    """The teacher, or what it answers, does not meet the contract."""


class LabelEncodingError(TeacherError):
    """The labels were encoded anew between the fit of the teacher and this fit."""


class StudentError(ValueError):
    """The student cannot be trained on these rows and classes."""


class ColumnError(StudentError, TypeError):
    """A column of the rows holds what no student reads: dates, lists, objects of other classes."""


class ExportError(ValueError):
    """The student cannot be written in another format, or answers otherwise there."""


class DistillationWarning(UserWarning):
    """Base class of all warnings of skdistill."""


class TeacherWarning(DistillationWarning):
    """The teacher's answers look as if they would mislead the student."""


class TrainingWarning(DistillationWarning, ConvergenceWarning):
    """The training of the student ended early; the student is usable."""
