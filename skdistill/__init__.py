"""Knowledge distillation for scikit-learn."""

from skdistill._alpha_choice import AlphaChoice
from skdistill._classifier import DistilledClassifier
from skdistill._regressor import DistilledRegressor
from skdistill.training import StudentNet, StudentNetRegressor

__all__ = [
    "AlphaChoice",
    "DistilledClassifier",
    "DistilledRegressor",
    "StudentNet",
    "StudentNetRegressor",
]
__version__ = "0.1.0.dev0"
