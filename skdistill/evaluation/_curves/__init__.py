"""Scores against rows, labels, capacity, temperature and alpha."""

from skdistill.evaluation._curves._capacity import CapacityCurve, capacity_curve
from skdistill.evaluation._curves._learning import (
    LearningCurves,
    label_budget_curve,
    learning_curves,
)
from skdistill.evaluation._curves._temperature_alpha import (
    TemperatureAlphaMap,
    temperature_alpha_map,
)

__all__ = [
    "CapacityCurve",
    "LearningCurves",
    "TemperatureAlphaMap",
    "capacity_curve",
    "label_budget_curve",
    "learning_curves",
    "temperature_alpha_map",
]
