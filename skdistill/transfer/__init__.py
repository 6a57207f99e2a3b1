"""The rows that are learnt from besides the labelled ones, and the views of all of them."""

from skdistill.transfer._gibbs import Gibbs
from skdistill.transfer._munge import Munge
from skdistill.transfer._noise import GaussianNoise
from skdistill.transfer._sampler import Sampler
from skdistill.transfer._schema import SchemaSampler
from skdistill.transfer._spunge import Spunge
from skdistill.transfer._unlabeled import Unlabeled
from skdistill.transfer._vae import VAE
from skdistill.transfer._views import Flip, Mixup, Shift, View

__all__ = [
    "VAE",
    "Flip",
    "GaussianNoise",
    "Gibbs",
    "Mixup",
    "Munge",
    "Sampler",
    "SchemaSampler",
    "Shift",
    "Spunge",
    "Unlabeled",
    "View",
]
