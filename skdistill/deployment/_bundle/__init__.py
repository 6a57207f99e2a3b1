"""Folders that serve a student without torch and scikit-learn."""

from skdistill.deployment._bundle._export import export

__all__ = ["export"]
