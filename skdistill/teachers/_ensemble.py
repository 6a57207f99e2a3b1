"""Several teachers as one."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skdistill._compat import StrOptions, check_sample_weight
from skdistill._random import draw_seeds
from skdistill._rows import as_rows
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import adapt, answers_from_labels
from skdistill.teachers._align import check_classes
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._base_ensemble import BaseEnsemble, members_of
from skdistill.teachers._members import Panel, all_labels
from skdistill.teachers._pool import pool
from skdistill.teachers._regressor_ensemble import RegressorEnsemble
from skdistill.teachers._weights import out_of_fold_weights


class EnsembleTeacher(ClassifierMixin, BaseEnsemble):
    r"""Several teachers as one classifier.

    The members may be of different kinds: whatever `DistilledClassifier` takes as a teacher. A
    fitted member is used as it is and kept by `clone`; an unfitted one is cloned and fitted. An
    ensemble of fitted members is fitted. Their classes are aligned by label.

    Parameters
    ----------
    teachers : list of object
        The members. A `ClassGraphTeacher` takes part in the soft targets of labelled rows and is
        silent about others.
    weights : array-like of shape (n_teachers,) or "oof", default=None
        None weighs all alike; an array is scaled to sum to one. "oof" finds the weights whose
        pool has the least log-loss on out-of-fold answers, with one more row for each member on
        which it alone is right (a Dirichlet prior, so that few rows leave nobody out). The members
        must be unfitted: there is no telling which rows a fitted one has seen.
    combine : {"probability", "logit"}, default="probability"
        "probability" is the weighted mean :math:`\sum_m w_m p_m`; a class is ruled out only if
        all members rule it out. "logit" is :math:`\mathrm{softmax}(\sum_m w_m \log p_m)`, for
        networks the softmax of the mean logits; one member can rule out a class, so it suits
        members without exact zeros.
    cv : int or splitter, default=None
        The folds of "oof"; None is five stratified ones, fewer where a class has fewer rows.
    teacher_classes : array-like of shape (n_classes,), default=None
        The order of the columns, and that of members which have no `classes_` (modules,
        functions). None is the sorted labels.
    device : str or torch.device, default="auto"
        Where torch members run in `predict_proba`; a DistilledClassifier's own device goes first.
    random_state : int, RandomState instance or None, default=None
        Seeds each unfitted member where its own `random_state` is None.

    Attributes
    ----------
    teachers_ : list of object
        The fitted members, in the order of `teachers`.
    weights_ : ndarray of shape (n_teachers,)
        The weights, summing to one.
    classes_ : ndarray of shape (n_classes,)
        The labels of the columns. An ensemble that comes fitted has all labels of its members.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where all are strings.

    References
    ----------
    Genest and Zidek 1986, "Combining Probability Distributions: A Critique and an Annotated
    Bibliography", Statistical Science 1(1): both pools.
    Yao et al. 2018, "Using Stacking to Average Bayesian Predictive Distributions",
    arXiv 1704.02030: the weights of "oof", without the prior.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdistill.teachers import EnsembleTeacher
    >>> X, y = load_iris(return_X_y=True)
    >>> members = [RandomForestClassifier(20), GaussianNB()]
    >>> teacher = EnsembleTeacher(members, weights="oof", random_state=0).fit(X, y)
    >>> teacher.predict_proba(X).shape
    (150, 3)
    >>> float(teacher.weights_.sum())
    1.0
    """

    teachers_: list[Any]
    weights_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        "teachers": [list, tuple],
        "weights": [None, StrOptions({"oof"}), "array-like"],
        "combine": [StrOptions({"probability", "logit"})],
        "cv": ["cv_object"],
        "teacher_classes": [None, "array-like"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }
    _asks = CLASSES

    def __init__(
        self,
        teachers: Sequence[Any],
        *,
        weights: ArrayLike | str | None = None,
        combine: str = "probability",
        cv: Any = None,
        teacher_classes: ArrayLike | None = None,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.teachers = teachers
        self.weights = weights
        self.combine = combine
        self.cv = cv
        self.teacher_classes = teacher_classes
        self.device = device
        self.random_state = random_state

    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the members that are not.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes
            Rows; each member gets them as they are.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Handed to the members whose `fit` takes weights, and weighs the log-loss of "oof".

        Returns
        -------
        EnsembleTeacher
            Itself.
        """
        members = self._check()
        if y is None:
            raise ValueError(
                "This EnsembleTeacher estimator requires y to be passed, but the target y is None."
            )
        X = as_rows(X)
        validate_data(self, X, skip_check_array=True)
        y = column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        check_consistent_length(X, y)
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X)
        classes = self._check_labels(np.unique(y), members)
        *seeds, weights_seed = draw_seeds(self.random_state, len(self.teachers) + 1)
        weights = self._read_weights()
        if isinstance(weights, str):
            weights = out_of_fold_weights(
                members,
                X,
                y,
                classes,
                combine=self.combine,
                cv=self.cv,
                sample_weight=sample_weight,
                seed=weights_seed,
            )
        self.teachers_ = self._fit_members(
            members, X, y, seeds, classes=np.sort(classes), sample_weight=sample_weight
        )
        self.weights_ = weights
        self._classes = classes
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the pooled probability of each class, in the order of `classes_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
        """
        return self._ask(X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels; column numbers where no member names its classes.
        """
        best = self.predict_proba(X).argmax(axis=1)
        classes = getattr(self, "classes_", None)
        return best if classes is None else classes[best]

    @property
    def classes_(self) -> np.ndarray:
        """The labels of the columns."""
        if hasattr(self, "_classes"):
            return self._classes
        check_is_fitted(self)
        classes = self._panel().classes
        if classes is None:
            classes = all_labels(adapter.columns for adapter in self._adapters())
        if classes is None:
            raise AttributeError("No member of this EnsembleTeacher names its classes.")
        return classes

    def add_answers_from_labels(
        self, answer: np.ndarray, y: np.ndarray, classes: np.ndarray
    ) -> np.ndarray:
        """Mix in what members know from the labels alone.

        Parameters
        ----------
        answer : ndarray of shape (n_samples, n_classes)
            What the members that read rows answered together.
        y : ndarray of shape (n_samples,)
            Labels.
        classes : ndarray of shape (n_classes,)
            The labels of the columns.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        weights = self._member_weights()
        silent = np.array([answers_from_labels(teacher) for teacher in self.teachers])
        graphs = [teacher for teacher in self.teachers if answers_from_labels(teacher)]
        answers = np.stack([answer, *(graph.soft_targets(y, classes) for graph in graphs)])
        return pool(answers, [weights[~silent].sum(), *weights[silent]], self.combine)

    def _check_settings(self):
        self._validate_params()
        if all(map(answers_from_labels, self.teachers)):
            raise ValueError(
                f"An EnsembleTeacher got teachers={self.teachers!r}; expected at least one teacher "
                f"that answers for rows."
            )

    def _check(self, device="auto"):
        members = super()._check(device)
        known = [type(member.teacher).__name__ for member in members if member.is_fitted]
        if isinstance(self.weights, str) and known:
            raise ValueError(
                f"weights='oof' was given with members that are not fitted here ({known}): "
                f"no answer of theirs is known to be out of fold. Give unfitted members, "
                f"clone(teacher), or the weights themselves."
            )
        self._read_weights()
        return members

    def _read_weights(self):
        """Return the weights, summing to one; "oof" where they are to be found."""
        return self.weights if isinstance(self.weights, str) else super()._read_weights()

    def _check_labels(self, found, members):
        """Compare the labels of y with those that the user and the fitted members name."""
        if len(found) < 2:
            raise ValueError(
                f"y holds {len(found)} class ({found.tolist()}); expected at least two classes to "
                f"tell apart."
            )
        explicit = self.teacher_classes is not None
        classes = np.asarray(self.teacher_classes) if explicit else found
        if not np.isin(found, classes).all():
            raise TeacherError(
                f"y holds the labels {found.tolist()} and teacher_classes names "
                f"{classes.tolist()}; expected all labels of y among them."
            )
        for member in members:
            if member.is_fitted and not member.answers_from_labels and member.labels is not None:
                check_classes(member.labels, classes, explicit=explicit)
        return classes

    def _member_weights(self):
        if hasattr(self, "weights_"):
            return self.weights_
        self._check_settings()
        return self._read_weights()

    def _panel(self):
        asked = [not answers_from_labels(teacher) for teacher in members_of(self)]
        classes = getattr(self, "_classes", self.teacher_classes)
        classes = None if classes is None else np.asarray(classes)
        return Panel(self._member_weights()[asked], self.combine, classes)


ENSEMBLES = {ensemble._asks: ensemble for ensemble in (EnsembleTeacher, RegressorEnsemble)}


def as_teacher(teacher, teacher_classes=None, asks=CLASSES):
    """Make one teacher of a list of teachers; leave others as they are.

    Parameters
    ----------
    teacher : object
    teacher_classes : array-like, default=None
        The order of the columns of an `EnsembleTeacher`.
    asks : Classes or Numbers, default=CLASSES
        What it is asked for.

    Returns
    -------
    object
    """
    if not isinstance(teacher, list | tuple):
        return teacher
    settings = {} if teacher_classes is None else {"teacher_classes": teacher_classes}
    return ENSEMBLES[asks](teacher, **settings)


def labels_of(teacher):
    """Return the labels of a fitted teacher's columns, None where it does not know them."""
    if isinstance(teacher, EnsembleTeacher):
        return getattr(teacher, "classes_", None)
    return adapt(teacher, CLASSES).columns
