"""skorch's callbacks that score or watch a net, and what they need of one on packed targets."""

import copy

from skorch.callbacks import BatchScoring, EpochScoring, ProgressBar
from skorch.utils import to_numpy

from skdistill.exceptions import StudentError
from skdistill.training._callbacks import KeepBest
from skdistill.training._norm_bound import NormBound

KNOWN = ("skorch.", "skdistill.")
"""Packages of callbacks of which is known what they record."""


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
    """
    scores = isinstance(callback, BatchScoring | EpochScoring)
    if not scores or callback.target_extractor is not to_numpy:
        return callback
    callback = copy.copy(callback)
    callback.target_extractor = extract
    return callback


def check_callbacks(net):
    """Refuse callbacks of skorch that could not find what they read.

    Parameters
    ----------
    net : skorch.NeuralNet
        With its callbacks initialised.

    Raises
    ------
    StudentError
        For one that watches what no epoch records, and for one that would read labels from the
        data set, where packed targets are.
    """
    for name, callback in net.callbacks_:
        if isinstance(callback, EpochScoring) and False in (callback.use_caching, net.use_caching):
            raise StudentError(
                f"The callback {name!r} scores with use_caching=False; expected True, the default: "
                f"it scores what each epoch has predicted, beside the labels. Leave the setting "
                f"out, of the callback and of the net."
            )
    for _, callback in net.callbacks_:
        if isinstance(callback, NormBound):
            callback.check_net(net)
    if not all(type(callback).__module__.startswith(KNOWN) for _, callback in net.callbacks_):
        return  # one of the user's may record anything
    scores = [getattr(c, "name_", getattr(c, "name", None)) for _, c in net.callbacks_]
    names = dict.fromkeys(["train_loss", "valid_loss", *scores])
    known = [name for name in names if isinstance(name, str)]
    for name, callback in net.callbacks_:
        monitor = getattr(callback, "monitor", None)
        if isinstance(monitor, str) and monitor.removesuffix("_best") not in known:
            raise StudentError(
                f"The callback {name!r} watches {monitor!r}, which no epoch records; expected one "
                f"of {known}. Add what records it, such as EpochScoring(..., name={monitor!r})."
            )


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
