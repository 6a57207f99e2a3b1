"""Targets: what the teacher says of each row, aligned with the labels and out of fold."""

from skdistill.targets._calibration import fit_temperature
from skdistill.targets._clip import log_probabilities
from skdistill.targets._targets import (
    Targets,
    check_teacher,
    compute_targets,
    targets_from_array,
    teacher_probabilities,
    teacher_targets,
)

__all__ = [
    "Targets",
    "check_teacher",
    "compute_targets",
    "fit_temperature",
    "log_probabilities",
    "targets_from_array",
    "teacher_probabilities",
    "teacher_targets",
]
