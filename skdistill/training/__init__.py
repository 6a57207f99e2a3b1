"""Training: the criterion over packed targets and the skorch net that learns from it."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill.training._criterion import DistillationCriterion, RegressionCriterion
    from skdistill.training._distributed import DistributedStudentNet
    from skdistill.training._holdout import HoldOut
    from skdistill.training._label_criterion import MultilabelCriterion
    from skdistill.training._multilabel_net import StudentNetMultilabel
    from skdistill.training._net import StudentNet
    from skdistill.training._norm_bound import NormBound
    from skdistill.training._regressor_net import StudentNetRegressor
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "DistillationCriterion": "skdistill.training._criterion",
            "DistributedStudentNet": "skdistill.training._distributed",
            "HoldOut": "skdistill.training._holdout",
            "NormBound": "skdistill.training._norm_bound",
            "MultilabelCriterion": "skdistill.training._label_criterion",
            "RegressionCriterion": "skdistill.training._criterion",
            "StudentNet": "skdistill.training._net",
            "StudentNetMultilabel": "skdistill.training._multilabel_net",
            "StudentNetRegressor": "skdistill.training._regressor_net",
        },
    )

__all__ = [
    "DistillationCriterion",
    "DistributedStudentNet",
    "HoldOut",
    "MultilabelCriterion",
    "NormBound",
    "RegressionCriterion",
    "StudentNet",
    "StudentNetMultilabel",
    "StudentNetRegressor",
]
