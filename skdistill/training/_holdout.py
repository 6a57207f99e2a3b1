"""Rows held back from training, to choose the best epoch by."""

import inspect
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from torch.utils.data import Subset

from skdistill._compat import Interval, StrOptions, validate_parameter_constraints

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

    def __init__(
        self,
        size: int | float | str = "auto",
        min_samples: int = 100,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.size = size
        self.min_samples = min_samples
        self.random_state = random_state

    def check_settings(self) -> None:
        """Raise a ValueError where a setting is out of its range."""
        allowed = {
            "size": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="neither")],
            "min_samples": [Interval(Integral, 2, None, closed="left")],
            "random_state": [Interval(Integral, 0, None, closed="left")],
        }
        validate_parameter_constraints(allowed, vars(self), "HoldOut")

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
        n_valid = self.count(len(labels))
        split = StratifiedShuffleSplit if _can_stratify(labels, n_valid) else ShuffleSplit
        train, valid = next(
            split(1, test_size=n_valid, random_state=self.random_state).split(labels, labels)
        )
        if units is not None:
            train, valid = (np.flatnonzero(np.isin(units, part)) for part in (train, valid))
        return Subset(dataset, train), Subset(dataset, valid)

    def count(self, n_units: int) -> int:
        """Return how many of so many rows, or groups, are held back."""
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


def hold_back(split, dataset, packed, **fit_params):
    """Split rows into those to learn from and those to choose the best epoch by.

    Rows that are held back in any case are all that is held back. A net's own split otherwise
    chooses among the labelled rows; those without a label are all learnt from, for no label says
    which epoch is best.

    Parameters
    ----------
    split : callable or None
        A net's `train_split`. It gets the labels, or the targets of a regressor, for y, and the
        groups where it asks for them.
    dataset : torch.utils.data.Dataset
        Labelled rows first, those held back in any case last.
    packed : Packed
    **fit_params
        Handed on.

    Returns
    -------
    train : torch.utils.data.Dataset
        `dataset` itself, or a Subset of it.
    valid : torch.utils.data.Dataset or None
        Any other, where the split brings its own.
    """
    if packed.n_held:
        n_all = packed.n_rows + packed.n_held
        return Subset(dataset, range(packed.n_rows)), Subset(dataset, range(packed.n_rows, n_all))
    if not split or not packed.has_labels:
        return dataset, None
    if packed.groups is not None and "groups" in inspect.signature(split).parameters:
        fit_params = {"groups": packed.groups, **fit_params}
    labels = packed.hard
    if labels.shape[1:] == (1,):
        labels = labels[:, 0]
    labelled = dataset
    if packed.n_labelled < packed.n_rows:
        labelled = Subset(dataset, range(packed.n_labelled))
    with warnings.catch_warnings():
        # skorch hands the groups to any splitter, and scikit-learn's say that they do not listen.
        warnings.filterwarnings("ignore", message="The groups parameter is ignored")
        train, valid = split(labelled, labels, **fit_params)
    kept, held = positions_in(train, dataset), positions_in(valid, dataset)
    if held is not None:
        valid = Subset(dataset, held)
    if kept is not None and labelled is not dataset:
        kept = np.append(kept, np.arange(packed.n_labelled, packed.n_rows))
    return train if kept is None else Subset(dataset, kept), valid


def positions_in(part, dataset):
    """Return which rows of a data set a part of it is.

    Parameters
    ----------
    part : torch.utils.data.Dataset or None
    dataset : torch.utils.data.Dataset

    Returns
    -------
    ndarray of int or None
        None for what is no Subset of it.
    """
    if not isinstance(part, Subset):
        return None
    rows = np.asarray(part.indices)
    if part.dataset is dataset:
        return rows
    outer = positions_in(part.dataset, dataset)
    return None if outer is None else outer[rows]
