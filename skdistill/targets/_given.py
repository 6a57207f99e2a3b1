"""Soft targets that the user brings in place of a teacher."""

import numpy as np

from skdistill._input._tensors import array_of
from skdistill._names import names_of
from skdistill._words import one_line, shorten
from skdistill.targets._value import Targets
from skdistill.teachers._align import as_labels
from skdistill.teachers._asks import CLASSES, NUMBERS


def given_targets(
    soft_targets, task, *, columns=None, calibrate=False, sample_weight=None, X_more=()
):
    """Check soft targets, and bring them into the order of the classes.

    Parameters
    ----------
    soft_targets : Targets or array-like of shape (n_samples, n_columns)
        A row of NaN has no target. A table whose columns are named by the labels is read by them.
    task : ClassTask or NumberTask
        With y.
    columns : array-like of shape (n_columns,), default=None
        The labels of the columns; None means the sorted classes of y.
    calibrate : bool or {"temperature", "prior", "auto"}, default=False
        See `teacher_targets`. Not done again to targets that are calibrated.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.
    X_more : sequence of array-like, default=()
        Rows without labels, to which `Targets.more` must answer.

    Returns
    -------
    Targets

    Raises
    ------
    ValueError
        When the shape, the names or the values are not those of targets for these rows.
    """
    targets = soft_targets if isinstance(soft_targets, Targets) else None
    if targets is None:
        targets = _from_array(soft_targets, task, columns)
    elif columns is not None and targets.classes is not None:
        _refuse_two_orders(columns, targets.classes)
    _check_kind(targets, task)
    _check_lengths(targets, task, X_more)
    _check_calibration(targets, calibrate)
    if targets.classes is None and columns is not None:
        targets = targets.replace(classes=columns)
    targets = task.align_given(targets)
    if not targets.calibrated:
        calibration = task.fit_calibration(
            targets.values, calibrate, sample_weight, out_of_fold=targets.out_of_fold
        )
        if calibration is not None:
            values, *more = map(calibration, [targets.values, *targets.more])
            targets = targets.replace(values=values, more=more)
    task.warn(targets, sample_weight)
    return targets


def _from_array(soft_targets, task, columns):
    if hasattr(soft_targets, "detach"):
        soft_targets = array_of(soft_targets, "soft_targets")
    try:
        values = np.array(soft_targets, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(
            f"soft_targets is of type {type(soft_targets).__name__}, which is no array of numbers "
            f"({one_line(error)}); expected an array of shape (n_samples, {task.asks.width})."
        ) from error
    return task.read_given(values, names_of(soft_targets), columns)


def _refuse_two_orders(columns, classes):
    columns = as_labels(columns, classes)
    if not np.array_equal(columns, classes):
        raise ValueError(
            f"teacher_classes={columns.tolist()} was given with soft_targets of the classes "
            f"{classes.tolist()}; expected None, for these Targets name their columns."
        )


def _check_kind(targets, task):
    wanted = task.asks
    if targets.kind not in wanted.kinds:
        (come,) = (asks.name for asks in (CLASSES, NUMBERS) if targets.kind in asks.kinds)
        raise ValueError(
            f"soft_targets are Targets of kind {targets.kind!r}, for {come}, and {wanted.name} are "
            f"learnt here; expected those of a teacher of {wanted.name}."
        )


def _check_calibration(targets, calibrate):
    """Refuse to calibrate answers of which some come from the labels."""
    mixed = targets.said is not None and not targets.calibrated
    if calibrate and (targets.from_labels or mixed):
        raise ValueError(
            f"calibrate={shorten(calibrate)} was given with soft_targets that hold answers made "
            "from the labels, on which nothing can be calibrated; expected calibrate=False. What "
            "the teacher itself says is calibrated where it is asked: teacher_targets(..., "
            f"calibrate={calibrate!r})."
        )


def _check_lengths(targets, task, X_more):
    if len(targets) != len(task.hard):
        raise ValueError(
            f"soft_targets has {len(targets)} rows; expected {len(task.hard)}: a row per row of X."
        )
    came, wanted = [len(part) for part in targets.more], [part.shape[0] for part in X_more]
    if came != wanted:
        raise ValueError(
            f"soft_targets answers for {sum(came)} rows without labels, and X_unlabeled has "
            f"{sum(wanted)}; expected an answer for each. Ask with the same rows: "
            f"teacher_targets(..., X_unlabeled=X_unlabeled)."
        )
    if np.isinf(targets.values).any():
        raise ValueError(
            "soft_targets holds infinite values; expected finite numbers, and NaN for a row that "
            "has none."
        )
