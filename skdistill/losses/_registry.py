"""The losses by name."""

import difflib

from skdistill._words import shorten
from skdistill.losses._base import CallableLoss, Loss
from skdistill.losses._dist import DIST
from skdistill.losses._dkd import DKD
from skdistill.losses._kd import KD
from skdistill.losses._logits import MSE, Huber
from skdistill.losses._probabilities import Brier, JensenShannon
from skdistill.losses._regression import REGRESSION_LOSSES, RegressionLoss

LOSSES = {
    "kd": KD(),
    "reverse_kl": KD(reverse=True),
    "mse": MSE(),
    "huber": Huber(),
    "brier": Brier(),
    "js": JensenShannon(),
    "dkd": DKD(),
    "dist": DIST(),
}


def get_loss(loss):
    """Return the loss that a name or a callable stands for, or the instance itself.

    Parameters
    ----------
    loss : str, callable or object
        A name, an instance of a class of `skdistill.losses`, or a function `(student_logits,
        teacher_logits, labels, weight) -> scalar`.

    Returns
    -------
    Loss

    Raises
    ------
    ValueError
        When it is none of these, or a setting is out of its range.

    Examples
    --------
    >>> from skdistill.losses._registry import get_loss
    >>> get_loss("kd")
    KD()
    """
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]
    if not isinstance(loss, str | type | RegressionLoss):
        is_one = hasattr(loss, "mean") and hasattr(loss, "default_temperature")
        if is_one or callable(loss):
            loss = loss if is_one else CallableLoss(loss)
            if isinstance(loss, Loss):
                loss.check_settings()
            return loss
    near = difflib.get_close_matches(str(loss).lower(), LOSSES, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    if isinstance(loss, RegressionLoss) or (isinstance(loss, str) and loss in REGRESSION_LOSSES):
        hint = " That is a loss of numbers: DistilledRegressor takes it."
    raise ValueError(
        f"The 'loss' parameter must be one of {sorted(LOSSES)}, an instance of a class of "
        f"skdistill.losses, such as KD(), or a callable (student_logits, teacher_logits, labels, "
        f"weight) -> scalar. Got {shorten(loss)} instead.{hint}"
    )
