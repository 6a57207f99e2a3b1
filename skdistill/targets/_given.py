"""Soft targets that the user brings in place of a teacher."""

import numpy as np

from skdistill._names import in_order_of, names_of
from skdistill.targets._value import Targets
from skdistill.teachers._align import align_columns, as_labels, check_classes
from skdistill.teachers._contract import as_probabilities, check_finite

SOURCE = "soft_targets"

EXACT = 1e-12
"""How far a sum of probabilities in double precision is from one by rounding alone."""


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
    calibrate : bool or {"temperature", "prior"}, default=False
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
    if targets.classes is None and columns is not None:
        targets = targets.replace(classes=columns)
    if not task.regresses:
        targets = _aligned(targets, task)
    if not targets.calibrated:
        calibration = task.fit_calibration(targets.values, calibrate, sample_weight)
        values, *more = (calibration(part) for part in [targets.values, *targets.more])
        targets = targets.replace(values=values, more=more)
    task.warn(targets, sample_weight)
    return targets


def _from_array(soft_targets, task, columns):
    names = None if task.regresses else names_of(soft_targets)
    try:
        values = np.array(soft_targets, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        wanted = "n_outputs" if task.regresses else "n_classes"
        raise ValueError(
            f"soft_targets is of type {type(soft_targets).__name__}, which is no array of numbers "
            f"({error}); expected an array of shape (n_samples, {wanted})."
        ) from error
    came = values.shape
    if task.regresses and values.ndim == 1:
        values = values[:, None]
    known = task.classes if columns is None else np.asarray(columns)
    n_columns = task.n_columns if task.regresses else len(known)
    if values.shape != (len(task.y), n_columns):
        what = "column of y" if task.regresses else "class"
        order = "" if task.regresses else ", in sorted order or in that of teacher_classes"
        raise ValueError(
            f"soft_targets has shape {came}; expected ({len(task.y)}, {n_columns}): a row per row "
            f"of X and a column per {what}{order}."
        )
    if task.regresses:
        values = in_order_of(task.names, values, names_of(soft_targets), SOURCE)
        return Targets(values, "numbers")
    told = ~np.isnan(values).all(axis=1)
    check_finite(values[told], SOURCE)
    values[told] = as_probabilities(values[told], "probabilities", SOURCE)
    if names is not None:
        labels = as_labels(names, known)
        if set(labels.tolist()) != set(known.tolist()):
            raise ValueError(
                f"soft_targets is a table with the columns {names.tolist()}, and the classes are "
                f"{known.tolist()}; expected a column for each of them, named by it. Rename the "
                f"columns, or pass an array in the order of the classes."
            )
        known = labels
    return Targets(values, classes=known)


def _refuse_two_orders(columns, classes):
    columns = as_labels(columns, classes)
    if not np.array_equal(columns, classes):
        raise ValueError(
            f"teacher_classes={columns.tolist()} was given with soft_targets of the classes "
            f"{classes.tolist()}; expected None, for these Targets name their columns."
        )


def _check_kind(targets, task):
    if (targets.kind == "numbers") == task.regresses:
        return
    come, wanted = ("numbers", "classes") if targets.kind == "numbers" else ("classes", "numbers")
    raise ValueError(
        f"soft_targets are Targets of kind {targets.kind!r}, for {come}, and {wanted} are learnt "
        f"here; expected those of a teacher of {wanted}."
    )


def _check_lengths(targets, task, X_more):
    if len(targets) != len(task.y):
        raise ValueError(
            f"soft_targets has {len(targets)} rows; expected {len(task.y)}: a row per row of X."
        )
    if task.regresses and targets.shape[1] != task.n_columns:
        raise ValueError(
            f"soft_targets has {targets.shape[1]} columns; expected {task.n_columns}: a column per "
            f"column of y."
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


def _aligned(targets, task):
    """Return targets whose columns are the classes of y, their values checked."""
    columns = task.classes if targets.classes is None else targets.classes
    if len(columns) != targets.shape[1]:
        raise ValueError(
            f"soft_targets has shape {targets.shape}; expected ({len(task.y)}, {len(columns)}): a "
            f"column per class, in sorted order or in that of teacher_classes."
        )
    check_classes(columns, task.classes, explicit=True)
    columns = as_labels(columns, task.classes)
    values, *more = (
        align_columns(_checked(part), columns, task.classes)
        for part in [targets.values, *targets.more]
    )
    task.without_strangers(values, slice(None), columns)
    return targets.replace(values=values, classes=task.classes, more=more)


def _checked(values):
    """Return probabilities that sum to one; those that do so already, bit for bit."""
    told = ~np.isnan(values).all(axis=1)
    check_finite(values[told], SOURCE)
    if (values[told] >= 0).all() and (np.abs(values[told].sum(axis=1) - 1) <= EXACT).all():
        return values
    values = values.copy()
    values[told] = as_probabilities(values[told], "probabilities", SOURCE)
    return values
