"""The losses by name."""

import difflib

from skdistill.losses._kd import KD

LOSSES = {"kd": KD}


def get_loss(loss):
    """Return the loss that a name stands for, or the instance itself.

    Parameters
    ----------
    loss : str or object
        "kd", or an instance of a class of `skdistill.losses`.

    Returns
    -------
    object
        With `rows(student_logits, teacher_logits, labels, temperature)`, `weight` and
        `default_temperature(kind, n_classes)`.

    Raises
    ------
    ValueError
        When there is no loss of that name.

    Examples
    --------
    >>> from skdistill.losses._registry import get_loss
    >>> get_loss("kd")
    KD()
    """
    if not isinstance(loss, str):
        if isinstance(loss, type) or not hasattr(loss, "rows"):
            raise ValueError(
                f"The 'loss' parameter must be one of {sorted(LOSSES)} or an instance of a class "
                f"of skdistill.losses, such as KD(). Got {loss!r} instead."
            )
        return loss
    if loss not in LOSSES:
        near = difflib.get_close_matches(loss.lower(), LOSSES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"The 'loss' parameter must be one of {sorted(LOSSES)} or an instance of a class of "
            f"skdistill.losses. Got {loss!r} instead.{hint}"
        )
    return LOSSES[loss]()
