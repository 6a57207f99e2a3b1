"""What is wrong, and what to do about it."""

from skdistill.evaluation._diagnosis._diagnose import Diagnosis, diagnose

__all__ = ["Diagnosis", "diagnose"]
