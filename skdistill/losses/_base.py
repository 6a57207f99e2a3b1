"""What every soft term is: settings, a loss for each row, and their weighted mean."""

import torch
from sklearn.base import BaseEstimator


class Loss(BaseEstimator):
    """Base class of the soft terms.

    A subclass has `rows`. One that is no mean of rows has a `mean` of its own.

    Parameters
    ----------
    weight : float, default=1.0
        Factor of the soft term, for weights that a convex alpha cannot express.
    """

    warmup_epochs = 0
    """Epochs over which the weight of the term rises from 0 in equal steps."""

    needs_labels = False
    """Whether the labels of the rows make a difference."""

    def __init__(self, weight=1.0):
        self.weight = weight

    def rows(self, student_logits, teacher_logits, labels, temperature):
        """Return the loss of each row.

        Parameters
        ----------
        student_logits, teacher_logits : torch.Tensor of shape (n_samples, n_classes)
            Finite numbers. Log-probabilities are logits; a shift of a row changes nothing.
        labels : torch.Tensor of shape (n_samples,), int64
            The column of each row's class; -1 for a row without a label.
        temperature : float
            T > 0.

        Returns
        -------
        torch.Tensor of shape (n_samples,)
        """
        raise NotImplementedError

    def mean(self, student_logits, teacher_logits, labels, row_weight, temperature):
        """Return the weighted mean of the rows of a batch.

        Parameters
        ----------
        student_logits, teacher_logits, labels, temperature
            See `rows`.
        row_weight : torch.Tensor of shape (n_samples,) or None
            Weights whose mean over the data set is one. None weighs all rows with one.

        Returns
        -------
        torch.Tensor, a scalar
        """
        losses = self.rows(student_logits, teacher_logits, labels, temperature)
        return losses.mean() if row_weight is None else (row_weight * losses).mean()

    def default_temperature(self, kind, n_classes):
        """Return the temperature that "auto" stands for.

        Parameters
        ----------
        kind : {"logits", "probabilities"}
            What the teacher speaks.
        n_classes : int

        Returns
        -------
        float
            1, unless the class says otherwise.
        """
        return 1.0

    def check_classes(self, n_classes):
        """Warn where this loss makes no sense for so many classes."""


class CallableLoss(Loss):
    """A function `(student_logits, teacher_logits, labels, weight) -> scalar` as a soft term.

    Parameters
    ----------
    function : callable
        `weight` is a tensor of shape (n_samples,) whose mean over the data set is one; `labels`
        are -1 for rows without one. The temperature is the function's own affair.
    """

    def __init__(self, function):
        super().__init__()
        self.function = function

    def mean(self, student_logits, teacher_logits, labels, row_weight, temperature):
        """Return what the function says of a batch."""
        if row_weight is None:
            row_weight = torch.ones_like(student_logits[:, 0])
        return self.function(student_logits, teacher_logits, labels, row_weight)
