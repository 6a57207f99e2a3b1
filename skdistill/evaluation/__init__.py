"""What was kept and what was lost: metrics, and teacher and students side by side."""

from skdistill.evaluation._metrics import agreement, expected_calibration_error, kl_to_teacher
from skdistill.evaluation._report import DistillationReport, distillation_report

__all__ = [
    "DistillationReport",
    "agreement",
    "distillation_report",
    "expected_calibration_error",
    "kl_to_teacher",
]
