"""The last step: a student, and where need be its teacher, at work."""

from skdistill.deployment._cascade import CascadeClassifier
from skdistill.deployment._tuned_cascade import TunedCascadeClassifier

__all__ = ["CascadeClassifier", "TunedCascadeClassifier"]
