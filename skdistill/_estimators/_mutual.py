"""Students that teach each other while they learn."""

import time
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skdistill._atomic import all_or_nothing
from skdistill._compat import Interval, copy_estimator_state, fit_context
from skdistill._estimators._classifier import DistilledClassifier
from skdistill._estimators._regressor import DistilledRegressor
from skdistill._fitting._same_rows import SameRows
from skdistill._input._rows import as_rows
from skdistill._progress import SECONDS, Progress
from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.training._mutual import check_lessons, check_mutual, learn_mutually
from skdistill.training._student import as_student


class BaseMutual(MetaEstimatorMixin, BaseEstimator):
    """Several models that are fitted side by side; see `MutualClassifier`.

    A subclass names the class of its models.
    """

    _model: type[DistilledClassifier] | type[DistilledRegressor]
    students_: list[Any]

    _parameter_constraints = {
        "models": [list],
        "peer_weight": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        models: list[Any],
        *,
        peer_weight: float = 1.0,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.models = models
        self.peer_weight = peer_weight
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_clone__(self):
        """Clone as scikit-learn does, modules and fitted teachers among the models too."""
        models = self.models
        if isinstance(models, list):
            models = [clone(model, safe=False) for model in models]
        copy = type(self)(**{**self.get_params(deep=False), "models": models})
        copy_estimator_state(self, copy)
        return copy

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        X_unlabeled: Any = None,
        groups: ArrayLike | None = None,
        X_val: Any = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit all models side by side.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes
            Rows; each student has preprocessing of its own.
        y : array-like of shape (n_samples,) or, for numbers, (n_samples, n_outputs)
            Labels, or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in all terms. Not negative, not all zero.
        X_unlabeled : array-like of shape (n_unlabeled, ...) or Unlabeled, default=None
            Rows without labels, for models with a teacher.
        groups : array-like of shape (n_samples,), default=None
            As in `DistilledClassifier.fit`.
        X_val, y_val : array-like of shape (n_val, ...) and (n_val,), default=None
            Rows, and their labels, to choose each student's best epoch by.

        Returns
        -------
        self

        Raises
        ------
        StudentError
            When the students cannot learn the same batches.
        ValueError
            For other input that does not fit; all of this before any training of a student.
        """
        with all_or_nothing(self):
            shared = self.random_state
            if not isinstance(shared, Integral):
                shared = draw_seeds(shared, 1)[0]
            models = self._fresh_models()
            for model in models:
                model.set_params(random_state=shared)
            self._check_students(models, X)
            given = {
                "sample_weight": sample_weight,
                "X_unlabeled": X_unlabeled,
                "groups": groups,
                "X_val": X_val,
                "y_val": y_val,
            }
            # All draw the same order of the rows; but for their weights, twins would stay twins.
            # The first four seeds are those that each model draws.
            weights = [None, *draw_seeds(shared, 3 + len(models))[4:]]
            same = SameRows(X, y, **given)
            fits = [same.begin(m, seed) for m, seed in zip(models, weights, strict=True)]
            check_lessons([fit.lesson for fit in fits])
            started = time.perf_counter()
            n_epochs = max(fit.lesson.learner.max_epochs for fit in fits)
            with Progress(
                type(self).__name__,
                n_epochs,
                "epochs",
                what="students",
                shown=self.verbose,
                every=SECONDS,
            ) as say:
                learn_mutually([fit.lesson for fit in fits], self.peer_weight, say)
            seconds = (time.perf_counter() - started) / len(fits)
            self.students_ = [fit.end(seconds) for fit in fits]
            for fit in fits:
                fit.warn_if_known()
        return self

    def _fresh_models(self):
        """Return clones of the models; a student alone is one without a teacher."""
        if len(self.models) < 2:
            raise ValueError(
                f"The 'models' parameter of {type(self).__name__} holds {len(self.models)}; "
                f"expected two or more, which teach each other. Give another student."
            )
        fresh: list[Any] = []
        for number, model in enumerate(self.models):
            if not isinstance(model, DistilledClassifier | DistilledRegressor):
                model = self._model(student=model, alpha=0.0)
            if not isinstance(model, self._model):
                raise ValueError(
                    f"Model {number} is a {type(model).__name__}; expected a "
                    f"{self._model.__name__}, or a student for one. The sibling of "
                    f"{type(self).__name__} takes the others."
                )
            if isinstance(model.alpha, str):
                raise ValueError(
                    f"Model {number} has alpha={shorten(model.alpha)}, which is found by fits of "
                    "its own; expected a number. Set alpha=0.5."
                )
            if fresh and repr(model.augment) != repr(fresh[0].augment):
                raise ValueError(
                    f"Model {number} has augment={shorten(model.augment)} and model 0 has "
                    f"{shorten(fresh[0].augment)}; expected the same, for all learn the same rows. "
                    "Set it alike."
                )
            fresh.append(clone(model))
        return fresh

    def _check_students(self, models, X):
        n_axes = len(as_rows(X).shape)
        learners = [as_student(m.student, m._task, n_axes=n_axes)[-1] for m in models]
        check_mutual(learners)

    def predict(self, X: Any) -> np.ndarray:
        """Return what all students together predict for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,) or, for numbers, (n_samples, n_outputs)
        """
        raise NotImplementedError

    @property
    def n_features_in_(self) -> int:
        """Number of features seen in `fit`."""
        return self._first().n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the features, where all are strings."""
        return self._first().feature_names_in_

    def _first(self):
        if not self.__sklearn_is_fitted__():
            raise AttributeError(f"This {type(self).__name__} is not fitted")
        return self.students_[0]

    def __sklearn_is_fitted__(self):
        return hasattr(self, "students_")

    def _mean(self, method, X):
        check_is_fitted(self)
        return np.mean([getattr(model, method)(X) for model in self.students_], axis=0)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if isinstance(self.models, list):
            models = [m if hasattr(m, "student") else self._model(student=m) for m in self.models]
            inner = [get_tags(model).input_tags for model in models]
            for name in ("allow_nan", "sparse", "three_d_array"):
                setattr(tags.input_tags, name, all(getattr(each, name) for each in inner))
        return tags


class MutualClassifier(ClassifierMixin, BaseMutual):
    r"""Fit several students that learn from each other: deep mutual learning.

    In each step all of them read the same rows, and student k minimises its own loss and its mean
    divergence from the K - 1 others as they are then,

    .. math:: L_k + \frac{\lambda}{K - 1} \sum_{l \neq k} \mathrm{KL}(p_l \| p_k),

    with :math:`L_k` what it would minimise alone: the cross-entropy of the labels and, for a model
    with a teacher, the teacher's term. The divergence is at temperature 1 and taken of all rows
    that carry a weight.

    Parameters
    ----------
    models : list of DistilledClassifier or student
        Two or more. A student (a `StudentNet`, a `torch.nn.Module`, a Pipeline that ends in one,
        None for the default) stands for ``DistilledClassifier(student=student, alpha=0)``, which
        has no teacher. They may differ in all but the batch size and the rows that they hold back.
        Their own `random_state` is not heard.
    peer_weight : float, default=1.0
        :math:`\lambda`; 0 trains them apart.
    random_state : int, RandomState instance or None, default=None
        Seeds them all. The first student is, at peer weight 0, that of a DistilledClassifier with
        this seed.
    verbose : int, default=0
        1 prints how many epochs are over, and the time that is left. How far a teacher is, its
        model's own `verbose` says.

    Attributes
    ----------
    students_ : list of DistilledClassifier
        The fitted models, in their order: each predicts, is saved and reported on like one that
        was fitted alone.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    References
    ----------
    Zhang et al. 2018, "Deep Mutual Learning", arXiv 1706.00384.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill import MutualClassifier, StudentNet
    >>> X, y = load_iris(return_X_y=True)
    >>> net = make_pipeline(StandardScaler(), StudentNet(max_epochs=10))
    >>> model = MutualClassifier([net, net], random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9, model.students_[1].score(X, y) > 0.9
    (True, True)
    """

    _model = DistilledClassifier
    students_: list[DistilledClassifier]

    @property
    def classes_(self) -> np.ndarray:
        """The labels, sorted."""
        return self._first().classes_

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row by the mean of the students.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        positions = self.predict_proba(X).argmax(axis=1)
        return self.classes_[positions]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the mean of the students' probabilities, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self._mean("predict_proba", X)


class MutualRegressor(RegressorMixin, BaseMutual):
    r"""Fit several students that learn numbers, from each other too.

    The sibling of `MutualClassifier`: the term between two students is the mean squared distance of
    their predictions, each output in its standard deviations.

    .. math:: L_k + \frac{\lambda}{K - 1} \sum_{l \neq k} (\hat y_k - \hat y_l)^2

    Parameters
    ----------
    models : list of DistilledRegressor or student
        Two or more; see `MutualClassifier`.
    peer_weight : float, default=1.0
        :math:`\lambda`; 0 trains them apart.
    random_state : int, RandomState instance or None, default=None
        Seeds them all.
    verbose : int, default=0
        1 prints how many epochs are over, and the time that is left.

    Attributes
    ----------
    students_ : list of DistilledRegressor
        The fitted models, in their order.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    References
    ----------
    Zhang et al. 2018, "Deep Mutual Learning", arXiv 1706.00384, for classes.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skdistill import MutualRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> MutualRegressor([None, None], random_state=0).fit(X, y).predict(X[:2]).shape
    (2,)
    """

    _model = DistilledRegressor
    students_: list[DistilledRegressor]

    def predict(self, X: Any) -> np.ndarray:
        """Return the mean of the students' numbers for each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        return self._mean("predict", X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
