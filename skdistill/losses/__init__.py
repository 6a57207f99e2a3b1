"""Soft terms: how far a student's logits are from its teacher's."""

from skdistill.losses._kd import KD, kd_divergence
from skdistill.losses._registry import get_loss

__all__ = ["KD", "get_loss", "kd_divergence"]
