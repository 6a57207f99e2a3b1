"""Nets that learn several labels of a row."""

from typing import Any, Self

from numpy.typing import ArrayLike

from skdistill.targets._labels_task import LabelsTask
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._base_student import MultilabelStudentMixin
from skdistill.training._label_criterion import MultilabelCriterion
from skdistill.training._skorch_student import BaseSkorchStudent


class StudentNetMultilabel(MultilabelStudentMixin, BaseStudentNet):
    """A small network to distil into, for several labels of a row: a sibling of `StudentNet`.

    It has the settings of a `StudentNet` with the same defaults, and chooses the best epoch by the
    log-loss of all labels on held-back rows. Alone, `fit(X, y)` trains it on indicators;
    `DistilledMultilabelClassifier` trains it on a teacher's probabilities too.

    Parameters
    ----------
    module : type or instance of torch.nn.Module, default=None
        Returns a logit for each label. None is `students.TabularMLP` for tables and
        `students.ConvNet` for images. Of a class the widths are inferred from the data by the
        names of its arguments; an instance is copied for every fit.
    criterion : type, default=MultilabelCriterion
        The loss over packed targets.
    **kwargs
        Further settings of `StudentNet` and `skorch.NeuralNet`, such as `max_epochs=80` or
        `module__hidden_units=(64,)`.

    Attributes
    ----------
    classes_ : list of ndarray
        The values of each label, 0 and 1.
    module_ : torch.nn.Module
        The trained module.
    history_ : skorch.history.History
        What each epoch gave.
    n_features_in_ : int
        Size of the rows' first axis.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdistill import StudentNetMultilabel
    >>> X, digits = load_digits(n_class=4, return_X_y=True)
    >>> y = np.column_stack([digits % 2 == 1, digits >= 2])
    >>> student = StudentNetMultilabel(max_epochs=5).fit(X / 16, y)
    >>> student.predict(X[:1] / 16).shape
    (1, 2)
    """

    def __init__(
        self, module: Any = None, *, criterion: Any = MultilabelCriterion, **kwargs: Any
    ) -> None:
        super().__init__(module, criterion=criterion, **kwargs)

    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Go on training from the weights that are there, on labels alone.

        Each call trains for `max_epochs` epochs, with an optimiser and a schedule of their own,
        and keeps the best of these.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers, with the columns of the first fit.
        y : array-like of shape (n_samples, n_labels)
            0 and 1.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.

        Returns
        -------
        self
        """
        return self._go_on(X, LabelsTask.from_y(y), sample_weight)


class SkorchMultilabelStudent(MultilabelStudentMixin, BaseSkorchStudent):
    """A classifier of several labels around a skorch net whose module returns a logit for each.

    Parameters
    ----------
    net : skorch.NeuralNet
        Cloned for every fit.
    """
