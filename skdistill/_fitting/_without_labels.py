"""A fit without y: what it needs in place of the labels, and what it cannot do."""

from skdistill._words import shorten
from skdistill.targets._plan import check_teacher
from skdistill.targets._without_labels import UnlabeledTask, classes_of_targets

ALPHA = 0.5
"""The default, which says nothing against learning from the teacher alone."""


def check_without_labels(model, soft_targets):
    """Refuse a fit without y that labels would be needed for.

    Parameters
    ----------
    model : DistilledClassifier
    soft_targets : object or None
        As given to `fit`.

    Raises
    ------
    ValueError

    Returns
    -------
    Examined or None
        What is known of the teacher by then; None where soft targets stand for it.
    """
    name, teacher = type(model).__name__, None
    if soft_targets is None and model.teacher is not None:
        columns, asks = model.teacher_classes, model._task.asks
        teacher = check_teacher(model.teacher, None, asks, columns, model.device)
    if soft_targets is None and not _answers_alone(teacher):
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None. Without y "
            f"expected a fitted teacher or fit(X, None, soft_targets=...), of which there is "
            f"none; pass one of them, or y."
        )
    if model.alpha not in (ALPHA, 1):
        raise ValueError(
            f"alpha={shorten(model.alpha)} weighs labels against the teacher, and there are no "
            "labels: y is None; expected 1. Leave alpha out, which then is 1, or pass y."
        )
    if model.calibrate not in (False, "auto"):
        raise ValueError(
            f"calibrate={shorten(model.calibrate)} needs labels and y is None; pass y."
        )
    return teacher


def unlabeled_task(model, n_samples, soft_targets, teacher):
    """Return what is learnt of rows without a label.

    Parameters
    ----------
    model : DistilledClassifier
        One that `check_without_labels` lets pass.
    n_samples : int
    soft_targets : Targets or array-like of shape (n_samples, n_classes), or None
    teacher : Examined or None
        What `check_without_labels` knows of it.

    Returns
    -------
    UnlabeledTask
        Of the labels in `teacher_classes`, or those that soft targets or the teacher name.

    Raises
    ------
    ValueError
        When nobody names the classes.
    """
    classes = model.teacher_classes
    if classes is None and soft_targets is not None:
        classes = classes_of_targets(soft_targets)
    elif classes is None:
        classes = teacher.labels
    if classes is None:
        raise ValueError(
            f"The teacher {type(model.teacher).__name__} names no classes and y is None; expected "
            f"their labels, in the order of the teacher's columns. Set teacher_classes=[...]."
        )
    return UnlabeledTask(n_samples, classes)


def _answers_alone(teacher):
    """Whether a teacher answers for rows, and without a label."""
    if teacher is None or not teacher.is_fitted:
        return False
    return not any(member.answers_from_labels for member in teacher.members or (teacher,))
