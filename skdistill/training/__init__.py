"""Training: the criterion over packed targets and the skorch net that learns from it."""

from skdistill.training._criterion import DistillationCriterion, RegressionCriterion
from skdistill.training._holdout import HoldOut
from skdistill.training._net import StudentNet
from skdistill.training._regressor_net import StudentNetRegressor

__all__ = [
    "DistillationCriterion",
    "HoldOut",
    "RegressionCriterion",
    "StudentNet",
    "StudentNetRegressor",
]
