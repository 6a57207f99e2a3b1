"""The rows that are learnt from besides the labelled ones: unlabelled and generated."""

from skdistill.transfer._munge import Munge
from skdistill.transfer._noise import GaussianNoise
from skdistill.transfer._spunge import Spunge
from skdistill.transfer._unlabeled import Unlabeled

__all__ = ["GaussianNoise", "Munge", "Spunge", "Unlabeled"]
