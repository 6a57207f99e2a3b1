"""Teachers: whatever can give class probabilities or numbers, brought to one contract."""

from skdistill.teachers._callable import CallableTeacher
from skdistill.teachers._class_graph import ClassGraphTeacher
from skdistill.teachers._ensemble import EnsembleTeacher
from skdistill.teachers._load import load_teacher
from skdistill.teachers._regressor_ensemble import RegressorEnsemble
from skdistill.teachers._self import SelfTeacher

__all__ = [
    "CallableTeacher",
    "ClassGraphTeacher",
    "EnsembleTeacher",
    "RegressorEnsemble",
    "SelfTeacher",
    "load_teacher",
]
