"""The views by name."""

import difflib

from skdistill._words import shorten
from skdistill.transfer._base import BaseAugmenter
from skdistill.transfer._views import Flip, Mixup, Shift, View

VIEWS = {"flip": Flip, "mixup": Mixup, "shift": Shift}


def get_views(views):
    """Return the views that names stand for, their settings checked.

    Parameters
    ----------
    views : None, str, View or list of str and View
        "flip", "mixup", "shift", or instances of classes of `skdistill.transfer`.

    Returns
    -------
    list of View
        In the order in which they are applied; empty for None.

    Raises
    ------
    ValueError
        When there is none of that name, a setting is out of its range, or rows would be mixed
        twice.

    Examples
    --------
    >>> from skdistill.transfer._get_views import get_views
    >>> get_views(["flip", "mixup"])
    [Flip(), Mixup()]
    """
    if views is None:
        return []
    views = list(views) if isinstance(views, list | tuple) else [views]
    found = [_get_view(view) for view in views]
    for view in found:
        view.check_settings()
    if sum(isinstance(view, Mixup) for view in found) > 1:
        raise ValueError(
            f"The 'views' parameter holds Mixup more than once; expected it once, for a row is "
            f"mixed of two. Got {shorten(views)}."
        )
    return found


def _get_view(view):
    if isinstance(view, View):
        return view
    if isinstance(view, str) and view in VIEWS:
        return VIEWS[view]()
    near = difflib.get_close_matches(str(view).lower(), VIEWS, n=1)
    hint = f" Did you mean {near[0]!r}?" if isinstance(view, str) and near else ""
    if isinstance(view, BaseAugmenter):
        hint = f" It generates rows, once: augment={shorten(view)} of the DistilledClassifier."
    raise ValueError(
        f"The 'views' parameter must be None, one of {sorted(VIEWS)}, an instance of a class of "
        f"skdistill.transfer, such as Shift(pixels=2), or a list of these. Got {shorten(view)} "
        f"instead.{hint}"
    )
