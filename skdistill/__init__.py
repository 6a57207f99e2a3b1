"""Knowledge distillation for scikit-learn."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill._estimators._classifier import DistilledClassifier
    from skdistill._estimators._ensemble_spread import DistilledEnsembleClassifier
    from skdistill._estimators._multilabel import DistilledMultilabelClassifier
    from skdistill._estimators._mutual import MutualClassifier, MutualRegressor
    from skdistill._estimators._quantiles import DistilledQuantileRegressor
    from skdistill._estimators._regressor import DistilledRegressor
    from skdistill._fitting._alpha_choice import AlphaChoice
    from skdistill.model_selection import DistillationSearchCV
    from skdistill.training import StudentNet, StudentNetMultilabel, StudentNetRegressor
else:
    # torch and scikit-learn take seconds to import, and not every command needs them.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "AlphaChoice": "skdistill._fitting._alpha_choice",
            "DistillationSearchCV": "skdistill.model_selection",
            "DistilledClassifier": "skdistill._estimators._classifier",
            "DistilledEnsembleClassifier": "skdistill._estimators._ensemble_spread",
            "DistilledMultilabelClassifier": "skdistill._estimators._multilabel",
            "DistilledQuantileRegressor": "skdistill._estimators._quantiles",
            "DistilledRegressor": "skdistill._estimators._regressor",
            "MutualClassifier": "skdistill._estimators._mutual",
            "MutualRegressor": "skdistill._estimators._mutual",
            "StudentNet": "skdistill.training",
            "StudentNetMultilabel": "skdistill.training",
            "StudentNetRegressor": "skdistill.training",
        },
    )

__all__ = [
    "AlphaChoice",
    "DistillationSearchCV",
    "DistilledClassifier",
    "DistilledEnsembleClassifier",
    "DistilledMultilabelClassifier",
    "DistilledQuantileRegressor",
    "DistilledRegressor",
    "MutualClassifier",
    "MutualRegressor",
    "StudentNet",
    "StudentNetMultilabel",
    "StudentNetRegressor",
]
__version__ = "0.2.0.dev0"
