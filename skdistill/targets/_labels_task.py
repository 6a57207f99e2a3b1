"""Several labels for each row: what is learnt, and what a teacher is asked for."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import check_is_fitted

from skdistill._input._labels import lists_of
from skdistill._input._tensors import array_of
from skdistill._names import in_order_of, names_of
from skdistill._words import shorten
from skdistill.targets._poor_labels import warn_of_poor_labels
from skdistill.targets._tasks import SOURCE, NumberTask
from skdistill.teachers._labels import LABELS, check_shares

LONG_WORD = 40
"""So many characters are no word that stands for a truth value."""


def read_indicators(y, source="y"):
    """Check indicators: 1 for each label that a row has, 0 for the others.

    Parameters
    ----------
    y : {array-like, sparse matrix} of shape (n_samples, n_labels)
    source : str, default="y"
        Its name.

    Returns
    -------
    ndarray of shape (n_samples, n_labels), int64

    Raises
    ------
    ValueError
        When it is no such array.
    """
    y = array_of(y, source) if hasattr(y, "detach") else y
    lists = None if sparse.issparse(y) else lists_of(y)
    if lists is not None:
        raise ValueError(
            f"{source} holds lists or sets of labels, such as {shorten(lists[:3])}; expected 0 and "
            f"1 in an array of shape (n_samples, n_labels), 1 for each label that a row has. "
            f"MultiLabelBinarizer().fit_transform({source}) makes it of them."
        )
    values = y.toarray() if sparse.issparse(y) else np.asarray(y)
    others = []
    if values.dtype.kind == "O" and values.ndim == 2:  # of columns of several kinds, or with <NA>
        others = [value for value in values.ravel() if not isinstance(value, Real | np.bool_)]
        values = values if others else values.astype(np.float64)
    if values.ndim == 2 and values.shape[1] > 1 and values.dtype.kind in "biuf":
        assert_all_finite(values, input_name=source)
        if ((values == 0) | (values == 1)).all():
            return values.astype(np.int64)
        others = values[(values != 0) & (values != 1)].tolist()
    came = (others or values.ravel().tolist())[:3]
    hint = "" if values.ndim == 2 else " A label for each row is for DistilledClassifier;"
    words = [value for value in others if isinstance(value, str)]  # not the gaps among them
    if values.ndim == 2 and words and len(max(words)) < LONG_WORD:
        hint = f" (y == {max(words)!r}).astype(int) makes it of columns of two words;"
    raise ValueError(
        f"{source} has the shape {values.shape}, and values such as {shorten(came)}; "
        f"expected 0 and 1 in an array of shape (n_samples, n_labels), with two labels at least: a "
        f"row [1, 0, 1] has the first and the last of three labels.{hint} "
        f"MultiLabelBinarizer().fit_transform(sets of labels) makes such an array."
    )


class LabelsTask(NumberTask):
    """Several labels of a row are to be learnt: the teacher is asked for the probability of each.

    They are numbers between 0 and 1, independent of each other. What differs from a `NumberTask` is
    how y and answers are read.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_labels), int
        Indicators.
    names : ndarray of shape (n_labels,), default=None
        The names of y's columns.
    """

    asks = LABELS
    pools = False
    named_members = "teacher=member"

    def __init__(self, y, names=None):
        super().__init__(y.astype(np.float64), names=names)
        self.y = y

    @classmethod
    def from_y(cls, y):  # type: ignore[override]
        """Return the task of y as a user gives it; see `read_indicators`."""
        return cls(read_indicators(y), names_of(y))

    @staticmethod
    def check_settings(calibrate, columns):
        """Refuse what belongs to classes alone."""
        given = ["calibrate"] * bool(calibrate) + ["teacher_classes"] * (columns is not None)
        if given:
            raise ValueError(
                f"{given} were given where several labels of a row are asked for; expected none: "
                f"they are about classes, of which a row has one."
            )

    def encode(self, y, source):
        """Return further indicators as numbers, their columns in the order of y."""
        values = read_indicators(y, source)
        if values.shape[1] != self.n_columns:
            raise ValueError(
                f"{source} has {values.shape[1]} columns; expected {self.n_columns}, as many as y."
            )
        return in_order_of(self.names, values.astype(np.float64), names_of(y), source)

    def read(self, replies, kinds, panel=None, columns=None):
        """Read replies as the probability of each label; see `ClassTask.read`."""
        return LABELS.read_in_order(replies, kinds, panel, self.names, self.n_columns), None

    def read_given(self, values, names, columns):
        """Check an array of probabilities; see `ClassTask.read_given`."""
        return super().read_given(values, names, columns).replace(kind="probabilities")

    def warn(self, targets, sample_weight):
        """Warn of a teacher that the shares of the labels beat."""
        warn_of_poor_labels(targets.values, self.targets, sample_weight, self.names)

    def align_given(self, targets):
        """Return given targets that have a probability for each label."""
        values, *more = (
            check_shares(part, SOURCE)
            for part in [targets.values, *super().align_given(targets).more]
        )
        return targets.replace(values=values, more=more)


class LabelsMixin(ClassifierMixin):
    """What answers with several labels of a row: how it is scored, and its tags."""

    def score(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of rows of which all labels are right.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes
        y : {array-like, sparse matrix} of shape (n_samples, n_labels)
            0 and 1, in the forms that `fit` takes; a table where `fit` had one by its names.
        sample_weight : array-like of shape (n_samples,), default=None

        Returns
        -------
        float

        Raises
        ------
        ValueError
            For y that is none of these, and for a table whose columns have other names.
        """
        check_is_fitted(self)
        return super().score(X, self.fitted_.link.read(y), sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.single_output = False
        tags.target_tags.multi_output = True
        return tags
