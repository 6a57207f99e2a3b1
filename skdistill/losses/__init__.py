"""Soft terms: how far a student's logits are from its teacher's."""

from skdistill.losses._base import Loss
from skdistill.losses._dist import DIST
from skdistill.losses._dkd import DKD, dkd_divergence
from skdistill.losses._kd import KD, kd_divergence
from skdistill.losses._logits import MSE, Huber
from skdistill.losses._probabilities import Brier, JensenShannon

__all__ = [
    "DIST",
    "DKD",
    "KD",
    "MSE",
    "Brier",
    "Huber",
    "JensenShannon",
    "Loss",
    "dkd_divergence",
    "kd_divergence",
]
