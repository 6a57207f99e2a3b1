"""The report: teacher and students of one recipe side by side, with a verdict."""

from skdistill.evaluation._report._report import (
    DistillationReport,
    DistillationReports,
    distillation_report,
)

__all__ = ["DistillationReport", "DistillationReports", "distillation_report"]
