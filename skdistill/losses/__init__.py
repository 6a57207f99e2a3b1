"""Soft terms: how far a student's logits are from its teacher's."""

from skdistill.losses._kd import KD, kd_divergence

__all__ = ["KD", "kd_divergence"]
