"""What was kept and what was lost: metrics, and teacher and students side by side."""

from skdistill.evaluation._bias_variance import (
    BiasVarianceDecomposition,
    Comparison,
    bias_variance_decomposition,
    compare,
)
from skdistill.evaluation._curves import (
    CapacityCurve,
    LearningCurves,
    TemperatureAlphaMap,
    capacity_curve,
    label_budget_curve,
    learning_curves,
    temperature_alpha_map,
)
from skdistill.evaluation._diagnosis import Diagnosis, diagnose
from skdistill.evaluation._displays._agreement import AgreementDisplay
from skdistill.evaluation._displays._bias_variance import (
    BiasVarianceDisplay,
    PairedDifferencesDisplay,
)
from skdistill.evaluation._displays._curves import CapacityCurveDisplay, LearningCurvesDisplay
from skdistill.evaluation._displays._leaderboard import LeaderboardDisplay
from skdistill.evaluation._displays._loss_curve import LossCurveDisplay
from skdistill.evaluation._displays._map import TemperatureAlphaDisplay
from skdistill.evaluation._displays._reliability import ReliabilityDisplay
from skdistill.evaluation._displays._report import ReportDisplay
from skdistill.evaluation._displays._robustness import RobustnessDisplay
from skdistill.evaluation._displays._tree import TreeDisplay
from skdistill.evaluation._explain_tree import TreeExplanation, explain_tree
from skdistill.evaluation._leaderboard import Leaderboard, leaderboard
from skdistill.evaluation._metrics import agreement, expected_calibration_error, kl_to_teacher
from skdistill.evaluation._plots._agreement import agreement_by_class
from skdistill.evaluation._plots._reliability import reliability_bins
from skdistill.evaluation._report import (
    DistillationReport,
    DistillationReports,
    distillation_report,
)
from skdistill.evaluation._robustness import (
    AdversarialAccuracy,
    RobustnessCurve,
    adversarial_accuracy,
    robustness_curve,
)

__all__ = [
    "AdversarialAccuracy",
    "AgreementDisplay",
    "BiasVarianceDecomposition",
    "BiasVarianceDisplay",
    "CapacityCurve",
    "CapacityCurveDisplay",
    "Comparison",
    "Diagnosis",
    "DistillationReport",
    "DistillationReports",
    "Leaderboard",
    "LeaderboardDisplay",
    "LearningCurves",
    "LearningCurvesDisplay",
    "LossCurveDisplay",
    "PairedDifferencesDisplay",
    "ReliabilityDisplay",
    "ReportDisplay",
    "RobustnessCurve",
    "RobustnessDisplay",
    "TemperatureAlphaDisplay",
    "TemperatureAlphaMap",
    "TreeDisplay",
    "TreeExplanation",
    "adversarial_accuracy",
    "agreement",
    "agreement_by_class",
    "bias_variance_decomposition",
    "capacity_curve",
    "compare",
    "diagnose",
    "distillation_report",
    "expected_calibration_error",
    "explain_tree",
    "kl_to_teacher",
    "label_budget_curve",
    "leaderboard",
    "learning_curves",
    "reliability_bins",
    "robustness_curve",
    "temperature_alpha_map",
]
