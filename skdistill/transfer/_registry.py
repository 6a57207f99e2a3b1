"""The generators of rows by name."""

import difflib

from sklearn.base import clone

from skdistill._words import shorten
from skdistill.transfer._base import BaseAugmenter
from skdistill.transfer._gibbs import Gibbs
from skdistill.transfer._munge import Munge
from skdistill.transfer._noise import GaussianNoise
from skdistill.transfer._sampler import Sampler, is_to_be_fitted
from skdistill.transfer._spunge import Spunge
from skdistill.transfer._views import View

AUGMENTERS = {"gaussian_noise": GaussianNoise, "gibbs": Gibbs, "munge": Munge, "spunge": Spunge}


def get_augmenter(augment):
    """Return the generator of rows that a name stands for, or the instance itself.

    Parameters
    ----------
    augment : str, object or None
        "gaussian_noise", "gibbs", "munge", "spunge", an instance of a class of
        `skdistill.transfer`, or what a `Sampler` takes and has `sample`.

    Returns
    -------
    object or None
        With `rows(X, *, random_state)`.

    Raises
    ------
    ValueError
        When there is none of that name, or a setting is out of its range.

    Examples
    --------
    >>> from skdistill.transfer._registry import get_augmenter
    >>> get_augmenter("spunge")
    Spunge()
    """
    is_object = augment is not None and not isinstance(augment, str | type)
    if is_object and hasattr(augment, "sample") and not hasattr(augment, "rows"):
        augment = Sampler(augment)
    if isinstance(augment, BaseAugmenter):
        augment.check_settings()
    if augment is None or (is_object and hasattr(augment, "rows")):
        return augment
    if isinstance(augment, str) and augment in AUGMENTERS:
        return AUGMENTERS[augment]()
    near = difflib.get_close_matches(str(augment).lower(), AUGMENTERS, n=1)
    hint = f" Did you mean {near[0]!r}?" if isinstance(augment, str) and near else ""
    if isinstance(augment, View):
        hint = f" It is a view, drawn anew for every batch: StudentNet(views={shorten(augment)})."
    raise ValueError(
        f"The 'augment' parameter must be None, one of {sorted(AUGMENTERS)} or an instance of a "
        f"class of skdistill.transfer, such as Spunge(), or an object with sample(n), such as "
        f"GaussianMixture(). Got {shorten(augment)} instead.{hint}"
    )


def clone_augmenter(augment):
    """Clone a generator of rows, but keep one with `sample` that is fitted.

    Parameters
    ----------
    augment : object
        See `get_augmenter`.

    Returns
    -------
    object
    """
    is_sampler = hasattr(augment, "sample") and not is_to_be_fitted(augment)
    return augment if is_sampler else clone(augment, safe=False)
