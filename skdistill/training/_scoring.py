"""skorch's callbacks that score or watch a net, and what they need of one on packed targets."""

import copy

from skorch.callbacks import BatchScoring, EpochScoring, ProgressBar
from skorch.utils import to_numpy

from skdistill.exceptions import StudentError
from skdistill.training._callbacks import KeepBest


def with_labels(callback, extract):
    """Return a callback that scores with labels in place of packed targets.

    Parameters
    ----------
    callback : skorch.callbacks.Callback
        Not changed.
    extract : callable
        From the packed targets of a batch to its labels, or numbers.

    Returns
    -------
    skorch.callbacks.Callback
        A copy of a scoring callback that reads its targets in skorch's own way; any other itself.

    Raises
    ------
    StudentError
        For one that would read the labels from the data set, where packed targets are.
    """
    if isinstance(callback, EpochScoring) and callback.use_caching is False:
        raise StudentError(
            f"The callback {callback.name!r} has use_caching=False; expected True, its default: it "
            f"scores what each epoch has predicted, beside the labels. Leave the setting out."
        )
    scores = isinstance(callback, BatchScoring | EpochScoring)
    if not scores or callback.target_extractor is not to_numpy:
        return callback
    callback = copy.copy(callback)
    callback.target_extractor = extract
    return callback


def counting_batches(callback):
    """Return a callback that needs no number of rows in a batch.

    Parameters
    ----------
    callback : skorch.callbacks.Callback
        Not changed.

    Returns
    -------
    skorch.callbacks.Callback
        A copy of a progress bar that counts the batches of the epoch before; any other itself.
    """
    if not isinstance(callback, ProgressBar) or callback.batches_per_epoch != "auto":
        return callback
    callback = copy.copy(callback)
    callback.batches_per_epoch = "count"
    return callback


def packed_labels(packed):
    """Return the positions of the classes, or the targets, of a batch as an array."""
    return to_numpy(packed.get("target", packed["label"]))


def who_wants_held_rows(callbacks):
    """Return the names of callbacks that make no sense without held-back rows.

    Parameters
    ----------
    callbacks : list of (str, Callback)

    Returns
    -------
    list of str
        Those that score held-back rows, and those that monitor something else than the training.
    """
    found = []
    for name, callback in callbacks:
        scores = isinstance(callback, BatchScoring | EpochScoring) and not callback.on_train
        monitor = getattr(callback, "monitor", None)
        watches = isinstance(monitor, str) and monitor.startswith("valid")
        if scores or (watches and not isinstance(callback, KeepBest)):
            found.append(name)
    return found
