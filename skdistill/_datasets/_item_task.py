"""What is learnt of the items of a data set: classes or numbers, their answers read already."""

import math

import numpy as np

from skdistill._datasets._dataset_task import MANY, DatasetTask
from skdistill._words import shorten


class ItemTask(DatasetTask):
    """Labels, or numbers, that come as arrays."""

    expected: str
    """A label, for errors."""

    n_axes: int
    """Axes of an array of labels."""

    @staticmethod
    def as_array(labels):
        """Return labels of a list as an array."""
        raise NotImplementedError

    @staticmethod
    def is_label(value):
        """Whether a scalar of Python, or an array of one axis, is a label."""
        raise NotImplementedError

    @staticmethod
    def look_at(y, seen):
        """Check labels, and return the different ones seen so far; None for numbers.

        Parameters
        ----------
        y : ndarray of shape (n_rows, ...)
        seen : ndarray or None
            Those of the rows before.
        """
        raise NotImplementedError

    @staticmethod
    def values(y):
        """Return labels or numbers as they are."""
        return y

    def answers(self, values):
        """Return the answers: they are in the order of what is learnt."""
        return values


class ItemClasses(ItemTask):
    """Labels are learnt."""

    expected = "a number or a text, one for each row (a whole number of at most 64 bits)"
    n_axes = 1

    @staticmethod
    def as_array(labels):
        """Return labels as an array of shape (n_rows,)."""
        texts = [isinstance(label, str) for label in labels]
        if any(texts) and not all(texts):
            _refuse_two_kinds(labels[texts.index(True)], labels[texts.index(False)])
        return np.array(labels)

    @staticmethod
    def is_label(value):
        """Whether a value is a label."""
        return isinstance(value, str) or _is_number(value)

    @staticmethod
    def look_at(y, seen):
        """Return the different labels; see `ItemTask.look_at`."""
        if seen is not None and (seen.dtype.kind == "U") != (y.dtype.kind == "U"):
            _refuse_two_kinds(seen.tolist()[0], y.tolist()[0])
        known = np.unique(y) if seen is None else np.union1d(seen, y)
        if len(known) > MANY:
            raise ValueError(
                f"dataset has more than {MANY} different labels; expected those of classes. "
                f"Numbers are learnt by a DistilledRegressor."
            )
        return known

    def hard(self, y):
        """Return the positions of the classes, ndarray of shape (n_rows,), int64."""
        classes = self.task.classes
        positions = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        unknown = y[classes[positions] != y]
        if len(unknown):
            raise ValueError(
                f"dataset has the label {shorten(unknown.tolist()[0])}, which it did not have when "
                f"it was looked through ({classes.tolist()[:6]}); expected the same labels each "
                "time."
            )
        return positions


class ItemNumbers(ItemTask):
    """Numbers are learnt, one or several for a row."""

    expected = "a finite number, or an array of some of shape (n_outputs,), of at most 64 bits"
    n_axes = 2

    @staticmethod
    def as_array(labels):
        """Return numbers as an array of shape (n_rows, n_outputs), float64."""
        return np.array(labels, dtype=np.float64).reshape(len(labels), -1)

    @staticmethod
    def is_label(value):
        """Whether a value is a finite number, or an array of them."""
        if isinstance(value, np.ndarray):
            return value.ndim == 1 and value.dtype.kind in "biuf" and bool(np.isfinite(value).all())
        return _is_number(value)

    @staticmethod
    def look_at(y, seen):
        """Return None; see `ItemTask.look_at`."""

    def hard(self, y):
        """Return the numbers, ndarray of shape (n_rows, n_outputs), float64."""
        return y


def _is_number(value):
    """Whether a scalar of Python is a number that an array holds."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return isinstance(value, float) and math.isfinite(value)


def _refuse_two_kinds(label, other):
    raise ValueError(
        f"dataset has labels such as {shorten(label)} and {shorten(other)}, which have no order; "
        "expected numbers or texts. Make them all texts in the data set: str(label)."
    )
