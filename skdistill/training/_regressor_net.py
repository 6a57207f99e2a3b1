"""StudentNetRegressor: a skorch net that learns from packed targets and answers as a regressor."""

from typing import Any, NoReturn, Self

from numpy.typing import ArrayLike

from skdistill.targets._tasks import NumberTask
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._base_student import RegressorStudentMixin
from skdistill.training._criterion import RegressionCriterion


class StudentNetRegressor(RegressorStudentMixin, BaseStudentNet):
    """A small network to distil into, for numbers: the sibling of `StudentNet`.

    It has the settings of a `StudentNet` with the same defaults, and chooses the best epoch by the
    loss on held-back true targets. The module learns standardised targets (less their weighted
    mean, divided by their standard deviation, output by output), so that no unit matters. Alone,
    `fit(X, y)` trains it by the squared error; `DistilledRegressor` trains it on a teacher's
    numbers too, by any of its losses.

    Parameters
    ----------
    module : type or instance of torch.nn.Module, default=None
        Returns a number for each output. None is `students.TabularMLP` for tables and
        `students.ConvNet` for images. Of a class the widths are inferred from the data by the
        names of its arguments; an instance is copied for every fit.
    criterion : type, default=RegressionCriterion
        The loss over packed targets.
    **kwargs
        Further settings of `StudentNet` and `skorch.NeuralNet`, such as `max_epochs=80` or
        `module__hidden_units=(64,)`.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained module.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        What the module's outputs are multiplied by, and what is added.
    n_outputs_ : int
        Number of columns of y.
    history_ : skorch.history.History
        What each epoch gave.
    n_features_in_ : int
        Size of the rows' first axis.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill import StudentNetRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = make_pipeline(StandardScaler(), StudentNetRegressor(module__hidden_units=(16,)))
    >>> student.fit(X, y).score(X, y) > 0.4
    True
    """

    def __init__(
        self, module: Any = None, *, criterion: Any = RegressionCriterion, **kwargs: Any
    ) -> None:
        super().__init__(module, criterion=criterion, **kwargs)

    def partial_fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Go on training from the weights that are there, on numbers alone.

        Each call trains for `max_epochs` epochs, with an optimiser and a schedule of their own,
        and keeps the best of these. The unit of the numbers stays that of the first fit.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)
            Rows of finite numbers, with the columns of the first fit.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Finite numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.

        Returns
        -------
        self
        """
        return self._go_on(X, NumberTask.from_y(y), sample_weight)

    @property
    def predict_proba(self) -> NoReturn:
        """Numbers have no probabilities, though a `skorch.NeuralNet` has this method."""
        raise AttributeError("A StudentNetRegressor predicts numbers and has no predict_proba.")
