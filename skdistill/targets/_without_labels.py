"""Rows of which nobody knows the label: what the teacher says is all that is learnt."""

import numpy as np

from skdistill._names import names_of
from skdistill.targets._tasks import ClassTask
from skdistill.targets._value import Targets


class UnlabeledTask(ClassTask):
    """Classes are to be learnt of rows without a label, by a fitted teacher or soft targets.

    Parameters
    ----------
    n_samples : int
        Number of rows.
    classes : array-like of shape (n_classes,)
        The labels that answers are about, in any order.

    Attributes
    ----------
    y : None
    positions, hard : ndarray of shape (n_samples,), int
        -1 for each row.
    """

    def __init__(self, n_samples, classes):
        self.y = None
        self.classes = np.unique(classes)
        self.positions = self.hard = np.full(n_samples, -1)
        self.n_columns = len(self.classes)

    def without_strangers(self, values, y, known):
        """No row has a label that could be a stranger."""

    def fit_calibration(self, values, calibrate, sample_weight, *, out_of_fold):
        """Return None: no label judges the answers."""
        return None

    def warn(self, targets, sample_weight):
        """No label speaks against the answers."""

    def warn_if_known(self, targets, history):
        """No label is known by heart."""


def classes_of_targets(soft_targets):
    """Return the labels that soft targets have for their columns, in the order of these.

    Parameters
    ----------
    soft_targets : Targets or array-like of shape (n_samples, n_classes)

    Returns
    -------
    ndarray of shape (n_classes,)
        Those of `Targets` or of a table; else 0, 1 and so on.

    Raises
    ------
    ValueError
        When there are not two columns at least.
    """
    shape = np.shape(soft_targets)
    if len(shape) != 2 or shape[1] < 2:
        raise ValueError(
            f"soft_targets has shape {shape} and y is None; expected (n_samples, n_classes): a "
            f"column for each of at least two classes. Of two, [1 - p, p] are the columns."
        )
    named = soft_targets.classes if isinstance(soft_targets, Targets) else names_of(soft_targets)
    return np.arange(shape[1]) if named is None else np.asarray(named)
