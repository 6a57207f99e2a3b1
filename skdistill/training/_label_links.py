"""From what a module, or a regressor, says of several labels to what a student predicts."""

import numpy as np
from scipy.special import expit

from skdistill._names import in_order_of, names_of
from skdistill.targets._labels_task import read_indicators
from skdistill.training._links import NumberLink


class LabelLink(NumberLink):
    """A logit for each label; `NumberLink` without another unit.

    Parameters
    ----------
    n_labels : int
    names : ndarray of shape (n_labels,), default=None
        Those of y's columns. None, and names of which two are the same, count them.

    Attributes
    ----------
    threshold : float
        An output above it is a label that the row has.
    """

    threshold = 0.0
    _names = None  # of one that was pickled without

    def __init__(self, n_labels, names=None):
        super().__init__(np.zeros(n_labels), np.ones(n_labels))
        are_names = names is not None and len(set(names.tolist())) == n_labels
        self._names = names if are_names else None

    @property
    def names(self):
        """Those of y's columns, or their numbers."""
        return np.arange(len(self.scale)) if self._names is None else self._names

    def read(self, y):
        """Return indicators, the columns of a table in the order of fit's, by their names."""
        values = read_indicators(y)
        return in_order_of(self._names, values, names_of(y), "y here", "the y of fit")

    @property
    def classes(self):
        """The values of each label, as scikit-learn's own classifiers name them."""
        return [np.array([0, 1])] * len(self.scale)

    def learnt(self, packed):
        """Return the packed targets, and the link back from what is learnt: this one."""
        return packed, self

    def same(self, packed):
        """Return what is learnt by this very link."""
        return packed

    def encode(self, y):
        """Return what a module learns for indicators: the same as numbers."""
        return super().encode(read_indicators(y))

    def predict(self, outputs):
        """Return an indicator of each label that is more probable than not."""
        return (outputs > self.threshold).astype(np.int64)

    def predict_proba(self, outputs):
        """Return the probability of each label, ndarray of shape (n_samples, n_labels)."""
        return expit(outputs)


class LabelShareLink(LabelLink):
    """A probability for each label, as a regressor predicts it."""

    threshold = 0.5

    def predict_proba(self, outputs):
        """Return the outputs."""
        return outputs
