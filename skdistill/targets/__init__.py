"""Targets: what the teacher says of each row, aligned with the labels and out of fold."""

from skdistill.targets._calibration import fit_temperature
from skdistill.targets._label_dataset import LabelledDataset, label_dataset
from skdistill.targets._prior import fit_prior_offsets
from skdistill.targets._probabilities import teacher_probabilities
from skdistill.targets._targets import teacher_targets
from skdistill.targets._value import Targets

__all__ = [
    "LabelledDataset",
    "Targets",
    "fit_prior_offsets",
    "fit_temperature",
    "label_dataset",
    "teacher_probabilities",
    "teacher_targets",
]
