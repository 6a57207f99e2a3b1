"""The report: teacher and students of one recipe side by side, with a verdict."""

from skdistill.evaluation._report._report import distillation_report
from skdistill.evaluation._report._result import DistillationReport, DistillationReports

__all__ = ["DistillationReport", "DistillationReports", "distillation_report"]
