"""Teachers: whatever can give class probabilities or numbers, brought to one contract."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill.teachers._callable import CallableTeacher
    from skdistill.teachers._class_graph import ClassGraphTeacher
    from skdistill.teachers._ensemble import EnsembleTeacher
    from skdistill.teachers._in_context import InContextTeacher
    from skdistill.teachers._load import load_teacher
    from skdistill.teachers._paid import PaidTeacher
    from skdistill.teachers._regressor_ensemble import RegressorEnsemble
    from skdistill.teachers._self import SelfTeacher
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "CallableTeacher": "skdistill.teachers._callable",
            "ClassGraphTeacher": "skdistill.teachers._class_graph",
            "EnsembleTeacher": "skdistill.teachers._ensemble",
            "InContextTeacher": "skdistill.teachers._in_context",
            "PaidTeacher": "skdistill.teachers._paid",
            "RegressorEnsemble": "skdistill.teachers._regressor_ensemble",
            "SelfTeacher": "skdistill.teachers._self",
            "load_teacher": "skdistill.teachers._load",
        },
    )

__all__ = [
    "CallableTeacher",
    "ClassGraphTeacher",
    "EnsembleTeacher",
    "InContextTeacher",
    "PaidTeacher",
    "RegressorEnsemble",
    "SelfTeacher",
    "load_teacher",
]
