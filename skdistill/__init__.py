"""Knowledge distillation for scikit-learn."""

from typing import TYPE_CHECKING

from skdistill._lazy import lazy_names

if TYPE_CHECKING:
    from skdistill._alpha_choice import AlphaChoice
    from skdistill._classifier import DistilledClassifier
    from skdistill._ensemble_spread import DistilledEnsembleClassifier
    from skdistill._multilabel import DistilledMultilabelClassifier
    from skdistill._mutual import MutualClassifier, MutualRegressor
    from skdistill._quantiles import DistilledQuantileRegressor
    from skdistill._regressor import DistilledRegressor
    from skdistill.model_selection import DistillationSearchCV
    from skdistill.training import StudentNet, StudentNetMultilabel, StudentNetRegressor
else:
    # torch and scikit-learn take seconds to import, and not every command needs them.
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "AlphaChoice": "skdistill._alpha_choice",
            "DistillationSearchCV": "skdistill.model_selection",
            "DistilledClassifier": "skdistill._classifier",
            "DistilledEnsembleClassifier": "skdistill._ensemble_spread",
            "DistilledMultilabelClassifier": "skdistill._multilabel",
            "DistilledQuantileRegressor": "skdistill._quantiles",
            "DistilledRegressor": "skdistill._regressor",
            "MutualClassifier": "skdistill._mutual",
            "MutualRegressor": "skdistill._mutual",
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
