"""What is refused before anything is fitted: parts that do not go together."""

from skdistill._torch import resolve_device
from skdistill.losses._registry import get_loss
from skdistill.targets._targets import check_teacher
from skdistill.training._features import check_feature_losses
from skdistill.transfer._registry import get_augmenter


def check_parts(model, soft_targets, X_unlabeled):
    """Check losses, augmenter, device, teacher and cv of a classifier.

    Parameters
    ----------
    model : DistilledClassifier
        With `classes_`.
    soft_targets, X_unlabeled : object or None
        As given to `fit`.

    Raises
    ------
    ValueError
        When one of them is no such thing, or does not go with another.
    """
    get_loss(model.loss).check_classes(len(model.classes_))
    get_augmenter(model.augment)
    resolve_device(model.device)
    if model.teacher is not None and soft_targets is not None:
        raise ValueError(
            "Both a teacher and soft_targets were given; expected one of them. Pass "
            "teacher=None with soft_targets, or leave soft_targets out."
        )
    if model.teacher is not None:
        check_teacher(model.teacher, model.cv)
    elif model.cv is not None and not (soft_targets is None and model.alpha == 0):
        raise ValueError(
            f"cv={model.cv!r} was given with soft_targets, which are used as they are; "
            f"expected cv=None. cv cross-fits an unfitted teacher."
        )
    if model.teacher is None and soft_targets is None and model.alpha > 0:
        raise ValueError(
            f"There is no teacher and no soft_targets, and alpha={model.alpha} asks for their "
            f"term; pass teacher=..., fit(..., soft_targets=...), or alpha=0 for the plain "
            f"student."
        )
    if soft_targets is not None and (X_unlabeled is not None or model.augment is not None):
        name = "augment" if X_unlabeled is None else "X_unlabeled"
        raise ValueError(
            f"{name} was given with soft_targets, and nobody to label its rows; expected a "
            f"teacher. Pass teacher=..., or leave {name} out."
        )
    check_feature_losses(model.feature_losses, model.teacher)
