"""Knowledge distillation for scikit-learn."""

from skdistill._classifier import DistilledClassifier
from skdistill.training import StudentNet

__all__ = ["DistilledClassifier", "StudentNet"]
__version__ = "0.1.0.dev0"
