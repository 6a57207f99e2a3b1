"""The rows that are learnt from besides the labelled ones, and the views of all of them."""

from skdistill.transfer._munge import Munge
from skdistill.transfer._noise import GaussianNoise
from skdistill.transfer._spunge import Spunge
from skdistill.transfer._unlabeled import Unlabeled
from skdistill.transfer._views import Flip, Mixup, Shift, View

__all__ = ["Flip", "GaussianNoise", "Mixup", "Munge", "Shift", "Spunge", "Unlabeled", "View"]
