"""Hard labels, soft targets and weights packed as the one `y` of a skorch net."""

import warnings

import numpy as np

from skdistill.exceptions import TeacherWarning
from skdistill.teachers._clip import log_probabilities


def pack_targets(
    labels,
    probabilities=None,
    sample_weight=None,
    alpha=0.0,
    groups=None,
    unlabeled=(),
    unlabeled_weight=1.0,
    features=None,
):
    """Pack what the criterion needs to know of each row.

    The weights are scaled so that their mean is one: for the hard term over the labelled rows,
    for the soft term over all. With the criterion's `labelled_share`, the mean over a full batch
    is then the loss over the data set,

        (1 - alpha) * sum_L w CE / sum_L w  +  alpha * sum_A w soft / sum_A w,

    with L the labelled rows and A those with a soft target.

    Parameters
    ----------
    labels : ndarray of shape (n_labelled,), int
        The position of each row's class.
    probabilities : ndarray of shape (n_labelled, n_classes), default=None
        Soft targets. A row of NaN has none and carries the hard term alone.
    sample_weight : ndarray of shape (n_labelled,), default=None
        Not negative, not all zero.
    alpha : float, default=0.0
        Weight of the soft term. 1 leaves the labels out, and a row must carry the soft term.
    groups : array-like of shape (n_labelled,), default=None
        Rows of one group are held back together.
    unlabeled : sequence of ndarray of shape (n_unlabeled_i, n_classes), default=()
        Soft targets of rows that follow the labelled ones and carry the soft term alone.
    unlabeled_weight : float, default=1.0
        Weight of each, where 1 is the mean weight of a labelled row.
    features : dict of str to list of ndarray, default=None
        What layers of the teacher make of all rows, part by part.

    Returns
    -------
    dict of str to ndarray
        "label" (n_samples,) int64, -1 for rows without one; with soft targets "teacher_logits"
        (n_samples, n_classes); "hard_weight" and "soft_weight" (n_samples,), each left out where
        it is one for all rows; "teacher_features.NAME" (n_samples, ...) for each layer; with
        groups "group" (n_labelled,), which the split into held-back rows reads and the criterion
        does not.

    Raises
    ------
    ValueError
        When there is nothing to learn: alpha is 1 and no row has a soft target and a weight.

    Warns
    -----
    TeacherWarning
        When no row has a soft target and a weight, and the labels alone teach.
    """
    packed = {"label": np.asarray(labels, dtype=np.int64)}
    for name, parts in (features or {}).items():
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        packed[f"teacher_features.{name}"] = values
    _pack_weights(packed, sample_weight, groups)
    if probabilities is not None:
        _pack_answers(
            packed,
            "teacher_logits",
            probabilities,
            log_probabilities,
            alpha,
            unlabeled,
            unlabeled_weight,
        )
    return packed


def pack_values(
    targets,
    answers=None,
    sample_weight=None,
    alpha=0.0,
    groups=None,
    unlabeled=(),
    unlabeled_weight=1.0,
):
    """Pack what the criterion of a regressor needs to know of each row; see `pack_targets`.

    Parameters
    ----------
    targets : ndarray of shape (n_labelled, n_outputs)
        The numbers to learn.
    answers : ndarray of shape (n_labelled, n_outputs), default=None
        What the teacher predicts. A row of NaN carries the term of its target alone.
    sample_weight, alpha, groups, unlabeled_weight
        As in `pack_targets`.
    unlabeled : sequence of ndarray of shape (n_unlabeled_i, n_outputs), default=()
        The teacher's numbers for rows that follow the labelled ones.

    Returns
    -------
    dict of str to ndarray
        "label" (n_samples,) int64, 0, or -1 for rows without a target; "target" and, with answers,
        "teacher_target" (n_samples, n_outputs), 0 where there is none; the weights and "group" of
        `pack_targets`.

    Raises
    ------
    ValueError
        See `pack_targets`.

    Warns
    -----
    TeacherWarning
        See `pack_targets`.
    """
    n_labelled, n_outputs = targets.shape
    packed = {"label": np.zeros(n_labelled, dtype=np.int64)}
    _pack_weights(packed, sample_weight, groups)
    if answers is not None:
        _pack_answers(
            packed, "teacher_target", answers, np.asarray, alpha, unlabeled, unlabeled_weight
        )
    packed["target"] = np.zeros((len(packed["label"]), n_outputs))
    packed["target"][:n_labelled] = targets
    return packed


def _pack_weights(packed, sample_weight, groups):
    if sample_weight is not None:
        packed["hard_weight"] = _scaled(np.asarray(sample_weight, dtype=np.float64))
    if groups is not None:
        packed["group"] = np.unique(groups, return_inverse=True)[1]


def _pack_answers(packed, name, answers, convert, alpha, unlabeled, unlabeled_weight):
    """Add what the teacher says, brought into the criterion's form, and the weights of it."""
    weight = packed.get("hard_weight", np.ones(len(answers)))
    if unlabeled:
        answers = np.vstack([answers, *unlabeled])
        n_more = len(answers) - len(weight)
        packed["label"] = np.pad(packed["label"], (0, n_more), constant_values=-1)
        packed["hard_weight"] = np.pad(weight, (0, n_more))
        weight = np.append(weight, np.full(n_more, unlabeled_weight))
    told = ~np.isnan(answers).any(axis=1)
    packed[name] = np.zeros(answers.shape)
    packed[name][told] = convert(answers[told])
    if not told.all() or (weight != 1).any():
        packed["soft_weight"] = _scaled(told * weight)
        if not packed["soft_weight"].any():
            _refuse_or_warn(len(told), alpha)


def _scaled(weight):
    """Scale weights to a mean of one; all-zero ones stay."""
    return weight / (weight.mean() or 1.0)


def _refuse_or_warn(n_samples, alpha):
    nobody = f"None of the {n_samples} rows has both a soft target and a positive weight"
    if alpha == 1:
        raise ValueError(
            f"{nobody}, and alpha=1 leaves the labels out; expected at least one. Lower alpha, or "
            f"give soft targets to the rows that count."
        )
    warnings.warn(
        f"{nobody}: the student learns from the labels alone. Look at the rows of NaN in the "
        f"targets, or set alpha=0.",
        TeacherWarning,
        stacklevel=2,
    )
