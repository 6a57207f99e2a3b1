"""Training: the criterion over packed targets and the skorch net that learns from it."""

from skdistill.training._criterion import DistillationCriterion
from skdistill.training._net import StudentNet
from skdistill.training._packing import pack_targets
from skdistill.training._student import as_student

__all__ = ["DistillationCriterion", "StudentNet", "as_student", "pack_targets"]
