"""How far a student's logits, its numbers or its hidden layers are from its teacher's."""

from skdistill.losses._adversarial import ARD, RSLAD, AdversarialTraining
from skdistill.losses._base import Loss
from skdistill.losses._dist import DIST
from skdistill.losses._dkd import DKD, dkd_divergence
from skdistill.losses._features import (
    FeatureLoss,
    HintLoss,
    SimilarityLoss,
    hint_error,
    similarity_distance,
)
from skdistill.losses._kd import KD, kd_divergence
from skdistill.losses._logits import MSE, Huber
from skdistill.losses._probabilities import Brier, JensenShannon
from skdistill.losses._regression import (
    HuberLoss,
    QuantileLoss,
    RegressionLoss,
    SquaredErrorLoss,
)

__all__ = [
    "ARD",
    "DIST",
    "DKD",
    "KD",
    "MSE",
    "RSLAD",
    "AdversarialTraining",
    "Brier",
    "FeatureLoss",
    "HintLoss",
    "Huber",
    "HuberLoss",
    "JensenShannon",
    "Loss",
    "QuantileLoss",
    "RegressionLoss",
    "SimilarityLoss",
    "SquaredErrorLoss",
    "dkd_divergence",
    "hint_error",
    "kd_divergence",
    "similarity_distance",
]
