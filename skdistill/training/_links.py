"""From what a module returns to what a student predicts, and from what is learnt to a module's."""

from dataclasses import replace

import numpy as np
import torch

from skdistill._input._labels import encode
from skdistill._input._numbers import numbers_of_width
from skdistill._torch import MANY_ROWS
from skdistill.training._criterion import to_logits
from skdistill.training._scoring import packed_labels


class ClassLink:
    """A column of the outputs for each class.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels in the order of the columns.
    from_probabilities : bool, default=False
        Whether the outputs are probabilities and no logits.
    temperature : float, default=1.0
        What the logits are divided by.
    """

    temperature = 1.0  # of one that was pickled without

    def __init__(self, classes, from_probabilities=False, temperature=1.0):
        self.classes = classes
        self.from_probabilities = from_probabilities
        self.temperature = temperature

    def calibrated(self, temperature):
        """Return a link with another temperature."""
        return ClassLink(self.classes, self.from_probabilities, temperature)

    def learnt(self, packed):
        """Return what is learnt in place of packed targets, and the link back from it."""
        return packed, self

    def same(self, packed):
        """Return what is learnt by this very link."""
        return packed

    def check_again(self, task):
        """Refuse to go on with other classes."""
        if not np.array_equal(self.classes, task.classes):
            raise ValueError(
                f"warm_start=True was set, and y holds the classes {task.classes.tolist()[:6]} "
                f"where an earlier fit had {self.classes.tolist()[:6]}; expected the same. Set "
                f"warm_start=False."
            )

    def check_more(self, task):
        """Further labels are of the classes; see `ClassTask`."""

    def encode(self, y):
        """Return what a module learns for labels: their positions."""
        return encode(y, self.classes)

    def labels(self, packed):
        """Return the labels of a batch, which a scoring callback holds predictions against."""
        return self.classes[packed_labels(packed)]

    def predict_log_proba(self, outputs):
        """Return log-probabilities, ndarray of shape (n_samples, n_classes), float64."""
        if self.from_probabilities:
            outputs = to_logits(torch.from_numpy(outputs)).numpy()
        return log_softmax(outputs if self.temperature == 1 else outputs / self.temperature)

    def predict(self, outputs):
        """Return the label with the greatest probability."""
        return self.classes[np.argmax(self.predict_log_proba(outputs), axis=1)]

    def predict_proba(self, outputs):
        """Return probabilities, ndarray of shape (n_samples, n_classes), float64."""
        return np.exp(self.predict_log_proba(outputs))


class ProbabilityLink:
    """A column of probabilities for each class, as an estimator predicts them.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Labels in the order of the columns.
    """

    def __init__(self, classes):
        self.classes = classes

    def predict(self, outputs):
        """Return the label with the greatest probability."""
        return self.classes[np.argmax(outputs, axis=1)]

    def predict_proba(self, outputs):
        """Return the outputs."""
        return outputs

    def predict_log_proba(self, outputs):
        """Return their logarithms, -inf for 0."""
        with np.errstate(divide="ignore"):
            return np.log(outputs)


class NumberLink:
    """A column of the outputs for each column of y, in its own unit.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_outputs,)
        Added to the outputs, and what they are multiplied by before.
    """

    def __init__(self, mean, scale):
        self.mean = mean
        self.scale = scale

    def learnt(self, packed):
        """Return standardised targets in place of packed ones, and the link back from them."""
        link = NumberLink(*standardization(packed.hard, packed.labelled_weight()))
        return link.same(packed), link

    def same(self, packed):
        """Return targets that this very link standardises."""
        return replace(packed, unit=(self.mean, self.scale))

    def check_again(self, task):
        """Refuse to go on with another number of outputs."""
        if task.n_columns != len(self.scale):
            raise ValueError(
                f"warm_start=True was set, and y has {task.n_columns} columns where an earlier fit "
                f"had {len(self.scale)}; expected the same. Set warm_start=False."
            )

    def check_more(self, task):
        """Refuse numbers of another width."""
        numbers_of_width(task.hard, len(self.scale))

    def encode(self, y):
        """Return what a module learns for numbers: standardised ones."""
        return (numbers_of_width(y, len(self.scale)) - self.mean) / self.scale

    def labels(self, packed):
        """Return the numbers of a batch, which a scoring callback holds predictions against."""
        return self.predict(packed_labels(packed))

    def predict(self, outputs):
        """Return numbers for outputs of shape (n_samples, n_outputs); one column is flat."""
        values = outputs * self.scale + self.mean
        return values[:, 0] if values.shape[1] == 1 else values


def standardization(targets, weight=None):
    r"""Return the weighted mean and standard deviation of each output.

    Parameters
    ----------
    targets : ndarray of shape (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,), default=None
        Not negative, not all zero; None weighs all alike.

    Returns
    -------
    mean, scale : ndarray of shape (n_outputs,)
        The scale is 1 where all targets of positive weight are the same.
    """
    mean = np.average(targets, axis=0, weights=weight)
    differences = targets - mean
    if weight is not None:
        differences[weight == 0] = 0
    peak = np.abs(differences).max(axis=0)
    is_constant = peak <= 10 * np.finfo(np.float64).eps * np.abs(mean)
    differences[:, is_constant], peak[is_constant] = 0, 1
    # Divided by the peak first, so that no square leaves the range of floats.
    scale = peak * np.sqrt(np.average((differences / peak) ** 2, axis=0, weights=weight))
    scale[is_constant] = 1
    return mean, scale


def log_softmax(logits):
    """Return the log-probabilities of logits.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes), float64

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
    """
    rows = torch.from_numpy(logits)
    if len(rows) < MANY_ROWS:
        return torch.log_softmax(rows, dim=1).numpy()
    return torch.log_softmax(rows.t(), dim=0).t().contiguous().numpy()
