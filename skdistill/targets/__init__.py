"""Targets: what the teacher says of each row, aligned with the labels and out of fold."""

from skdistill.targets._ask import teacher_probabilities
from skdistill.targets._calibration import fit_temperature
from skdistill.targets._prior import fit_prior_offsets
from skdistill.targets._targets import teacher_targets

__all__ = ["fit_prior_offsets", "fit_temperature", "teacher_probabilities", "teacher_targets"]
