"""Rows held back from training, to choose the best epoch by."""

import inspect
import warnings

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from torch.utils.data import Subset

ENOUGH = 100
"""Held-back rows that tell a good epoch from a lucky one; fewer are worth a fifth of the rows."""


class HoldOut:
    """Hold back a share of the rows, in proportion to the classes where that can be done.

    Rows of one group, as the copies of a row in a bootstrap sample, stay on one side.

    Parameters
    ----------
    size : float or "auto", default="auto"
        Share of the rows. "auto" is a tenth, and of fewer than 1,000 rows 100, but no more than a
        fifth of them: with 200 labels the best of 40 epochs by 20 rows is a lucky one.
    min_samples : int, default=100
        With fewer rows than this none is held back, and the last epoch counts.
    random_state : int, default=0
        Which rows: the same for each net that is trained on the same rows, so that nets can be
        compared.

    Examples
    --------
    >>> from skdistill import StudentNet
    >>> from skdistill.training import HoldOut
    >>> StudentNet(train_split=HoldOut(size=0.2)).train_split
    HoldOut(size=0.2, min_samples=100)
    """

    def __init__(self, size="auto", min_samples=100, random_state=0):
        self.size = size
        self.min_samples = min_samples
        self.random_state = random_state

    def __call__(self, dataset, labels, groups=None):
        """Split a data set.

        Parameters
        ----------
        dataset : torch.utils.data.Dataset
        labels : ndarray of shape (n_samples,), int, or of shape (n_samples, ...), float
            Classes, or a regressor's targets, by which nothing is stratified.
        groups : ndarray of shape (n_samples,), default=None
            The share is then one of groups, each taken for the class of its first row.

        Returns
        -------
        train : torch.utils.data.Dataset
        valid : torch.utils.data.Dataset or None
        """
        if len(dataset) < self.min_samples:
            return dataset, None
        labels, units = np.asarray(labels), None
        if groups is not None:
            _, first, units = np.unique(groups, return_index=True, return_inverse=True)
            labels = labels[first]
            if len(labels) < 2:
                return dataset, None
        n_valid = self._count(len(labels))
        split = StratifiedShuffleSplit if _can_stratify(labels, n_valid) else ShuffleSplit
        train, valid = next(
            split(1, test_size=n_valid, random_state=self.random_state).split(labels, labels)
        )
        if units is not None:
            train, valid = (np.flatnonzero(np.isin(units, part)) for part in (train, valid))
        return Subset(dataset, train), Subset(dataset, valid)

    def _count(self, n_units):
        if self.size != "auto":
            return int(np.ceil(self.size * n_units))
        tenth, fifth = -(-n_units // 10), -(-n_units // 5)
        return max(tenth, min(ENOUGH, fifth))

    def __repr__(self):
        return f"HoldOut(size={self.size!r}, min_samples={self.min_samples})"


def _can_stratify(labels, n_valid):
    if labels.dtype.kind == "f":
        return False
    counts = np.unique(labels, return_counts=True)[1]
    return counts.min() >= 2 and n_valid >= len(counts)


def split_packed(split, dataset, packed, **fit_params):
    """Let a net's split hold labelled rows back; rows without a label are all trained on.

    Parameters
    ----------
    split : callable
        A net's `train_split`. It gets the labels, or the targets of a regressor, for y, and the
        groups where it asks for them.
    dataset : torch.utils.data.Dataset
        Labelled rows first.
    packed : dict of str to ndarray
        See `pack_targets` and `pack_values`.
    **fit_params
        Handed on.

    Returns
    -------
    train : torch.utils.data.Dataset
    valid : torch.utils.data.Dataset or None
    """
    if "group" in packed and "groups" in inspect.signature(split).parameters:
        fit_params = {"groups": packed["group"], **fit_params}
    n_labelled = int((packed["label"] >= 0).sum())
    labels = packed.get("target", packed["label"])[:n_labelled]
    if labels.shape[1:] == (1,):
        labels = labels[:, 0]
    if n_labelled == len(dataset):
        return _split_quietly(split, dataset, labels, fit_params)
    labelled = Subset(dataset, range(n_labelled))
    train, valid = _split_quietly(split, labelled, labels, fit_params)
    if isinstance(valid, Subset) and valid.dataset is labelled:
        valid = Subset(dataset, valid.indices)
    if train is labelled:
        return dataset, valid
    unlabeled = range(n_labelled, len(dataset))
    return Subset(dataset, [*train.indices, *unlabeled]), valid


def _split_quietly(split, dataset, labels, fit_params):
    with warnings.catch_warnings():
        # skorch hands the groups to any splitter, and scikit-learn's say that they do not listen.
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        return split(dataset, labels, **fit_params)
