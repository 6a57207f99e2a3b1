"""Teachers: whatever can give class probabilities, brought to one contract."""

from skdistill.teachers._callable import CallableTeacher
from skdistill.teachers._class_graph import ClassGraphTeacher
from skdistill.teachers._ensemble import EnsembleTeacher
from skdistill.teachers._load import load_teacher

__all__ = ["CallableTeacher", "ClassGraphTeacher", "EnsembleTeacher", "load_teacher"]
