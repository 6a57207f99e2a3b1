"""DistilledEnsembleClassifier: one student that keeps how far an ensemble's members differ."""

from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skdistill._atomic import all_or_nothing
from skdistill._compat import (
    Interval,
    check_names_and_width,
    fit_context,
    learn_names_and_width,
    safe_indexing,
)
from skdistill._estimators._regressor import DistilledRegressor
from skdistill._fitting._halves import try_fit
from skdistill._input._rows import as_rows
from skdistill._interrupts import whole_trainings
from skdistill._names import own_rows
from skdistill._random import draw_seeds, seed_parameters
from skdistill._unwrap import last_step, rows_before_last
from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.targets._splits import make_splits
from skdistill.targets._tasks import ClassTask
from skdistill.teachers._contract import as_probabilities, as_values
from skdistill.teachers._fit import clone_teacher, is_fitted

KINDS = (BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier, VotingClassifier)
"""Ensembles of scikit-learn whose members are classifiers that answer for themselves."""


class DistilledEnsembleClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    r"""Train one small student on an ensemble, with how far its members differ.

    A mean of the members says how likely a class is, and no longer whether all members say so.
    The student learns the mean of the members' log-probabilities,
    :math:`s_c = \frac{1}{M} \sum_m \log p_{mc}`, by the squared error. Its probabilities are their
    logarithmic pool :math:`\bar q = \mathrm{softmax}(s)`, and what is missing to one in
    :math:`\sum_c \exp s_c` is how far they differ:

    .. math:: \frac{1}{M} \sum_m \mathrm{KL}(\bar q \,\|\, p_m) = -\log \sum_c \exp s_c .

    Parameters
    ----------
    ensemble : list of classifier, or estimator
        The members, each with `predict_proba`; or a `RandomForestClassifier`,
        `ExtraTreesClassifier`, `BaggingClassifier` or `VotingClassifier`, alone or at the end of a
        Pipeline. An unfitted one is cloned and cross-fitted: each row is answered by members that
        were not fitted on it. A fitted one is asked as it is. A list is fitted.
    student : object, default=None
        What `DistilledRegressor` takes as its student: a network, a tree, a Pipeline.
    smoothing : float, default=0.01
        Share of each member's answer that is spread evenly over the classes, so that a member
        that is sure has a logarithm. In (0, 1).
    cv : int, splitter or iterable, default=None
        The folds of the cross-fitting. None is five stratified ones.
    device : str or torch.device, default="auto"
        Where a network learns.
    random_state : int, RandomState instance or None, default=None
        Seeds the student, and what of the ensemble is left unseeded.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    student_ : DistilledRegressor
        The fitted student, which predicts :math:`s`.
    ensemble_ : estimator
        The fitted ensemble.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    See Also
    --------
    skdistill.DistilledClassifier : A student of one teacher, or of the mean of several.

    References
    ----------
    Malinin et al. 2020, "Ensemble Distribution Distillation", arXiv 1905.00076: a student that
    predicts a Dirichlet distribution of the members' answers, whose likelihood depends on them
    through s alone.
    Heskes 1998, "Bias/Variance Decompositions for Likelihood-Based Estimators": the formula.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(20, min_samples_leaf=3, random_state=0)
    >>> model = DistilledEnsembleClassifier(forest, random_state=0).fit(X, y)
    >>> model.predict_proba(X).shape, model.disagreement(X).shape
    ((150, 3), (150,))
    """

    classes_: np.ndarray
    student_: DistilledRegressor
    ensemble_: Any
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints: dict = {
        "ensemble": [list, tuple, BaseEstimator],
        "student": "no_validation",
        "smoothing": [Interval(Real, 0, 1, closed="neither")],
        "cv": ["cv_object"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        ensemble: Any,
        student: Any = None,
        *,
        smoothing: float = 0.01,
        cv: Any = None,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.ensemble = ensemble
        self.student = student
        self.smoothing = smoothing
        self.cv = cv
        self.device = device
        self.random_state = random_state

    def __sklearn_clone__(self) -> Self:
        """Clone as scikit-learn does, but keep a fitted ensemble: the same object for all folds."""
        parts = self.get_params(deep=False)
        copies = {name: clone(part, safe=False) for name, part in parts.items()}
        return type(self)(**{**copies, "ensemble": clone_teacher(self.ensemble)})

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Fit the ensemble where it is not, ask its members, and train the student.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows. The members see them as they are.
        y : array-like of shape (n_samples,)
            Labels of two classes or more.

        Returns
        -------
        DistilledEnsembleClassifier
            Itself.

        Raises
        ------
        TeacherError
            When the ensemble is none, before anything is fitted.
        ValueError
            For rows and labels that do not fit.
        """
        ensemble = _as_ensemble(self.ensemble)
        X = as_rows(X)
        if y is None:
            raise ValueError(
                "This DistilledEnsembleClassifier estimator requires y to be passed, but the "
                "target y is None."
            )
        check_consistent_length(X, y)
        task = ClassTask.from_y(y)
        if len(task.classes) < 2:
            raise ValueError(
                f"y holds {len(task.classes)} class; expected at least two classes to tell apart."
            )
        with all_or_nothing(self, forget=False):
            learn_names_and_width(self, X)
            student_seed, *seeds = draw_seeds(self.random_state, 3)
            fitted = isinstance(self.ensemble, BaseEstimator) and is_fitted(self.ensemble)
            student = DistilledRegressor(
                student=self.student, alpha=0, device=self.device, random_state=student_seed
            )
            one_hot = (task.y[:, None] == task.classes).astype(np.float64)
            try_fit(student, X, one_hot)  # before an ensemble is fitted
            with whole_trainings():
                if fitted:
                    self.ensemble_ = ensemble
                    targets = self._log_means(ensemble, X, task.classes)
                else:
                    targets = self._out_of_fold(ensemble, X, task, seeds[0])
                    self.ensemble_ = _seeded(ensemble, seeds[1]).fit(own_rows(ensemble, X), task.y)
                self.student_ = student.fit(X, targets)
            self.classes_ = task.classes
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        best = self._scores(X).argmax(axis=1)
        return self.classes_[best]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        s = self._scores(X)
        return np.exp(s - logsumexp(s, axis=1, keepdims=True))

    def disagreement(self, X: Any) -> np.ndarray:
        """Return how far the members differ, as the student predicts it.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,), float64
            Mean divergence of the members from the pool, in nats; 0 where they are one.
        """
        return np.maximum(0.0, -logsumexp(self._scores(X), axis=1))

    def _scores(self, X):
        """Return what the student predicts, the mean log-probability of each class."""
        check_is_fitted(self)
        X = as_rows(X)
        check_names_and_width(self, X)
        return self.student_.predict(X)

    def _out_of_fold(self, ensemble, X, task, seed):
        """Return the mean over the splits that leave a row out."""
        splits = make_splits(task, self.cv, X, in_sample=False)
        total, count = np.zeros((X.shape[0], len(task.classes))), np.zeros(X.shape[0])
        for part_seed, (train, test) in zip(draw_seeds(seed, len(splits)), splits, strict=True):
            part = _seeded(ensemble, part_seed).fit(safe_indexing(X, train), task.y[train])
            total[test] += self._log_means(part, safe_indexing(X, test), task.classes)
            count[test] += 1
        if (count == 0).any():
            raise ValueError(
                f"cv={shorten(self.cv)} leaves {int((count == 0).sum())} of {len(count)} rows out "
                "of no fit, for which no member can answer; expected a splitter that leaves out "
                "each row. cv=5 does."
            )
        return total / count[:, None]

    def _log_means(self, ensemble, X, classes):
        """Return the mean log-probability of a fitted ensemble's members."""
        mean = np.zeros((X.shape[0], len(classes)))
        for answer, columns in _answers(ensemble, X, classes):
            p = np.full(mean.shape, self.smoothing / len(classes))
            p[:, columns] += (1 - self.smoothing) * answer
            mean += np.log(p)
        return mean / len(last_step(ensemble).estimators_)


def _as_ensemble(ensemble):
    """Return an estimator with members; a list becomes a vote."""
    if not isinstance(ensemble, list | tuple):
        if isinstance(last_step(ensemble), KINDS):
            _refuse_one_member(last_step(ensemble))
            return ensemble
        raise TeacherError(
            f"ensemble={shorten(ensemble)} has no members that can be asked one by one; expected a "
            f"list of classifiers, or one of {[kind.__name__ for kind in KINDS]}, alone or at the "
            f"end of a Pipeline. Wrap it: BaggingClassifier(classifier)."
        )
    silent = [type(member).__name__ for member in ensemble if not hasattr(member, "predict_proba")]
    if silent or len(ensemble) < 2:
        came = f"{silent} without predict_proba" if silent else f"{len(ensemble)} member"
        raise TeacherError(
            f"The list ensemble holds {came}; expected two classifiers at least, each with "
            f"predict_proba. CalibratedClassifierCV gives one to a classifier that has none."
        )
    others = [type(member).__name__ for member in ensemble if not _is_classifier(member)]
    if others:
        raise TeacherError(
            f"The list ensemble holds {others}, which cannot be fitted as a classifier; expected "
            f"two classifiers at least, each with fit and predict_proba. DistilledClassifier takes "
            f"a list of any teachers, and learns their mean."
        )
    members = [(f"member{i}", member) for i, member in enumerate(ensemble)]
    return VotingClassifier(members, voting="soft")


def _is_classifier(member):
    return hasattr(member, "__sklearn_tags__") and is_classifier(member)


def _refuse_one_member(ensemble):
    members = getattr(ensemble, "estimators", None)
    n_members = ensemble.n_estimators if members is None else len(members)
    if n_members == 1:
        raise TeacherError(
            f"{type(ensemble).__name__} has 1 member, which differs from no other; expected two "
            f"classifiers at least. DistilledClassifier learns from one."
        )


def _seeded(ensemble, seed):
    copy = clone(ensemble)
    seed_parameters(copy, seed)
    return copy


def _answers(ensemble, X, classes):
    """Give what each member says, and the columns of `classes` that it is about."""
    last = last_step(ensemble)
    rows = rows_before_last(ensemble, X)
    unknown = sorted(set(last.classes_.tolist()) - set(classes.tolist()))
    if unknown:
        raise TeacherError(
            f"The ensemble knows the classes {unknown}, of which y has no row; expected one that "
            f"was fitted on the labels of y. Leave it unfitted, or drop those rows."
        )
    columns = np.searchsorted(classes, last.classes_)
    if not isinstance(last, VotingClassifier) and not sparse.issparse(rows):
        rows = np.asarray(rows)  # as the ensemble hands them to its members
    for i, member in enumerate(last.estimators_):
        own = rows
        if hasattr(last, "estimators_features_"):
            own = safe_indexing(rows, last.estimators_features_[i], axis=1)
        known = columns[np.asarray(member.classes_, dtype=int)]
        source = f"Member {i} of the ensemble, {type(member).__name__},"
        answer = as_values(member.predict_proba(own), X.shape[0], source)
        is_alone = answer.shape[1] == 1  # of a member that has seen one class
        yield answer if is_alone else as_probabilities(answer, "probabilities", source), known
