"""What every student is: an estimator that learns alone too, and predicts by what is left."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skdistill._atomic import all_or_nothing
from skdistill.targets._labels_task import LabelsMixin, LabelsTask
from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.training._criterion import (
    DistillationCriterion,
    PackedCriterion,
    RegressionCriterion,
)
from skdistill.training._fitted import FittedStudent
from skdistill.training._label_criterion import MultilabelCriterion
from skdistill.training._label_links import LabelLink
from skdistill.training._links import ClassLink, NumberLink
from skdistill.training._number_rows import check_weights, held_back_rows
from skdistill.training._packed import Packed


class BaseStudent(BaseEstimator):
    """A student of either kind; see `Student` for what it must offer."""

    _task: ClassVar[type[ClassTask] | type[NumberTask]]
    _own_criterion: ClassVar[type[PackedCriterion]]
    """What a net of its kind minimises."""
    _settings_of: ClassVar[str]
    """The estimator that holds its settings."""
    link_: Any
    """A `ClassLink`, `NumberLink` or `ProbabilityLink`."""

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Train on labels, or numbers, alone, without a teacher.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...), or dict of array-like
            Rows of finite numbers; of several inputs by the names of the arguments of `forward`.
        y : array-like of shape (n_samples,) or, for a regressor, (n_samples, n_outputs)
            Labels of any kind; finite numbers for a regressor.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. Not negative, not all zero.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val,), default=None
            Rows, and their labels or numbers, to choose the best epoch by, in place of some of X.

        Returns
        -------
        self
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                f"is None."
            )
        task = self._task.from_y(y)
        sample_weight = check_weights(sample_weight, X, task.y)
        with all_or_nothing(self, forget=False):
            X = self._prepare_or_go_on(X, task)
            held = None if y_val is None else task.encode(y_val, "y_val")
            X, held = held_back_rows(self, X, X_val, held)
            return self.learn(X, Packed(task.hard, weight=sample_weight, held=held))

    @property
    def _given_name(self):
        """What the user calls the student, for errors: the name of what it was made of."""
        return type(self).__name__

    def _prepare_or_go_on(self, X, task):
        return self.prepare(X, task)

    def check_settings(
        self, loss: Any, alpha: float, temperature: float | str = "auto", *, weighted: bool
    ) -> None:
        """Refuse settings that the student cannot hear; here it hears all of them.

        Parameters
        ----------
        loss : Loss or RegressionLoss
            The teacher's term.
        alpha : float
            Its weight in [0, 1].
        temperature : float or "auto", default="auto"
            As the user gave it.
        weighted : bool
            Whether rows will differ in weight.

        Raises
        ------
        StudentError
        """

    def check_among_others(self) -> None:
        """Refuse to be one of several students that begin on the same rows; here it may be."""

    def hear(self, ask: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
        """Let a teacher be asked.

        Parameters
        ----------
        ask : callable
            Without arguments.

        Returns
        -------
        targets : Targets
        teacher : object or None
            What it returns, here; see `DistributedStudentNet.hear`.
        """
        return ask()

    def default_temperature(self, loss: Any, kind: str, n_classes: int) -> float:
        """Return the temperature that "auto" stands for: the loss's own.

        Parameters
        ----------
        loss : Loss
            The soft term.
        kind : {"logits", "probabilities"}
            What the teacher speaks.
        n_classes : int
            Number of classes.

        Returns
        -------
        float
        """
        return loss.default_temperature(kind, n_classes)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row, or the number or numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,) or, for a regressor, (n_samples, n_outputs)
        """
        return self._answer("predict", X)

    @property
    def fitted_(self) -> FittedStudent:
        """What is left of the student when it has learnt, by which it predicts."""
        if not hasattr(self, "link_"):
            check_is_fitted(self, "link_")
        return FittedStudent(self._body(), self.link_)

    def _answer(self, method, X):
        return getattr(self.fitted_, method)(X)


class ClassifierStudentMixin(ClassifierMixin, BaseStudent):
    """A student that learns classes."""

    _task = ClassTask
    _own_criterion = DistillationCriterion
    _settings_of = "DistilledClassifier"

    @property
    def classes_(self) -> np.ndarray:
        """Labels in the order of the columns of `predict_proba`."""
        return self.link_.classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self._answer("predict_proba", X)

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self._answer("predict_log_proba", X)

    def _make_link(self, task, criterion=None):
        return ClassLink(task.classes, criterion.from_probabilities)


class RegressorStudentMixin(RegressorMixin, BaseStudent):
    """A student that learns numbers, one or several for a row."""

    _task = NumberTask
    _own_criterion = RegressionCriterion
    _settings_of = "DistilledRegressor"

    @property
    def target_mean_(self) -> np.ndarray:
        """What is added to its outputs, ndarray of shape (n_outputs,)."""
        return self.link_.mean

    @property
    def target_scale_(self) -> np.ndarray:
        """What they are multiplied by before, ndarray of shape (n_outputs,)."""
        return self.link_.scale

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _make_link(self, task, criterion=None):
        return NumberLink(np.zeros(task.n_columns), np.ones(task.n_columns))


class MultilabelStudentMixin(LabelsMixin, BaseStudent):
    """A student that learns several labels for each row."""

    _task = LabelsTask
    _own_criterion = MultilabelCriterion
    _settings_of = "DistilledMultilabelClassifier"

    @property
    def classes_(self) -> list[np.ndarray]:
        """The values of each label, 0 and 1."""
        return self.link_.classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each label.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_labels), float64
        """
        return self._answer("predict_proba", X)

    def _make_link(self, task, criterion=None):
        return LabelLink(task.n_columns, task.names)
