"""Robustness: corrupted rows of rising strength, and adversarial ones."""

from skdistill.evaluation._robustness._adversarial import (
    AdversarialAccuracy,
    adversarial_accuracy,
)
from skdistill.evaluation._robustness._curve import METRICS, RobustnessCurve, robustness_curve

__all__ = [
    "METRICS",
    "AdversarialAccuracy",
    "RobustnessCurve",
    "adversarial_accuracy",
    "robustness_curve",
]
