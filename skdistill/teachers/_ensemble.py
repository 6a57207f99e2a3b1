"""Several teachers as one."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.model_selection import check_cv
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    validate_data,
)

from skdistill._atomic import all_or_nothing
from skdistill._compat import StrOptions, check_sample_weight
from skdistill._input._labels import label_column
from skdistill._input._rows import as_rows
from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import answers_from_labels
from skdistill.teachers._align import align_columns, check_classes
from skdistill.teachers._asks import CLASSES
from skdistill.teachers._base_ensemble import BaseEnsemble, members_of
from skdistill.teachers._panel import Panel, all_labels, find_kinds, read_classes
from skdistill.teachers._pool import pool
from skdistill.teachers._weights import (
    DEFAULT_FOLDS,
    MeanAnswers,
    ask_out_of_fold,
    calibrate_members,
    fit_member_temperatures,
    fit_pool_weights,
    pool_loss,
)


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
    calibrate : bool, default=False
        Whether the probabilities of each member get a temperature of its own first, the one with
        the least log-loss on its out-of-fold answers. The members must be unfitted, likewise. With
        "oof" all stay at 1 where the pool is better so.
    combine : {"probability", "logit"}, default="probability"
        "probability" is the weighted mean :math:`\sum_m w_m p_m`; a class is ruled out only if
        all members rule it out. "logit" is :math:`\mathrm{softmax}(\sum_m w_m \log p_m)`, for
        networks the softmax of the mean logits; one member can rule out a class, so it suits
        members without exact zeros.
    cv : int or splitter, default=None
        The folds of "oof" and calibrate; None is five stratified ones, fewer where a class has
        fewer rows. As an unfitted teacher it takes those of the cross-fitting in their place.
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
    temperatures_ : ndarray of shape (n_teachers,) or None
        By which the members are calibrated.
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
    temperatures_: np.ndarray | None
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        "teachers": [list, tuple],
        "weights": [None, StrOptions({"oof"}), "array-like"],
        "calibrate": ["boolean"],
        "combine": [StrOptions({"probability", "logit"})],
        "cv": ["cv_object"],
        "teacher_classes": [None, "array-like"],
        "device": [str, torch.device],
        "random_state": ["random_state"],
    }
    _asks = CLASSES
    _pool_settings = {"weights": "oof", "calibrate": True}

    def __init__(
        self,
        teachers: Sequence[Any],
        *,
        weights: ArrayLike | str | None = None,
        calibrate: bool = False,
        combine: str = "probability",
        cv: Any = None,
        teacher_classes: ArrayLike | None = None,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.teachers = teachers
        self.weights = weights
        self.calibrate = calibrate
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
        return self._fit_known(self._check(), X, y, sample_weight)

    def _fit_known(self, members, X, y, sample_weight=None):
        """Fit the members that are not, of which all is known."""
        if y is None:
            raise ValueError(
                "This EnsembleTeacher estimator requires y to be passed, but the target y is None."
            )
        X = as_rows(X)
        with all_or_nothing(self, forget=False):
            validate_data(self, X, skip_check_array=True)
            y = label_column(y)
            check_consistent_length(X, y)
            if sample_weight is not None:
                sample_weight = np.asarray(check_sample_weight(sample_weight, X))
            classes = self._check_labels(np.unique(y), members)
            *seeds, weights_seed = draw_seeds(self.random_state, len(self.teachers) + 1)
            answers, positions = None, None
            if self._learns_pool:
                settings = {"sample_weight": sample_weight, "seed": weights_seed}
                answers, positions = self._ask_out_of_fold(members, X, y, classes, **settings)
            found = self._find_pool(answers, positions, sample_weight)
            self.teachers_ = self._fit_members(
                members, X, y, seeds, classes=np.sort(classes), sample_weight=sample_weight
            )
            self.__dict__.update(found)
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

    def _find_pool(
        self, answers: Any, y: Any, sample_weight: np.ndarray | None = None
    ) -> dict[str, Any]:
        """Return the weights and temperatures of the members.

        Parameters
        ----------
        answers : ndarray of shape (n_teachers, n_samples, n_classes) or None
            Out-of-fold probabilities; a row of NaN is none. None where nothing is to be found.
        y : ndarray of shape (n_samples,), int, or None
            The position of each row's class.
        sample_weight : ndarray of shape (n_samples,), default=None

        Returns
        -------
        dict of str to object
            "weights_" and "temperatures_".
        """
        weights: Any = self._read_weights()
        choices: list[Any] = [None]
        if self.calibrate:
            choices = [fit_member_temperatures(answers, y, sample_weight)]
            choices += [np.ones(len(self.teachers))] * isinstance(weights, str)
        pools = []
        for temperatures in choices:
            found = {"weights_": weights, "temperatures_": temperatures}
            if isinstance(weights, str):
                calibrated = calibrate_members(answers, temperatures)
                found["weights_"] = fit_pool_weights(calibrated, y, self.combine, sample_weight)
            pools.append(found)
        if len(pools) == 1:
            return pools[0]
        # What is best for each alone is not always best for the pool.
        losses = [pool_loss(self._pool_answers(answers, one), y, sample_weight) for one in pools]
        return pools[int(np.argmin(losses))]

    def _pool_answers(self, answers: np.ndarray, found: dict[str, Any]) -> np.ndarray:
        """Return one answer for those of all members.

        Parameters
        ----------
        answers : ndarray of shape (n_teachers, n_samples, n_classes)
        found : dict of str to object
            See `_find_pool`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        calibrated = calibrate_members(answers, found["temperatures_"])
        return pool(calibrated, found["weights_"], self.combine)

    def _unpooled(self) -> Self:
        """Return an unfitted copy whose members count alike, and as they are."""
        return self._clone_with(self.teachers, weights=None, calibrate=False)

    @property
    def _learns_pool(self):
        return isinstance(self.weights, str) or bool(self.calibrate)

    def _ask_out_of_fold(self, members, X, y, classes, *, sample_weight, seed):
        """Return each member's out-of-fold answers, and the positions of the labels."""
        cv = self.cv
        if cv is None:
            cv = int(np.clip(np.unique(y, return_counts=True)[1].min(), 2, DEFAULT_FOLDS))
        splitter = check_cv(cv, y, classifier=True)
        splits, groups = ask_out_of_fold(
            members, X, y, splitter, classes=classes, sample_weight=sample_weight, seed=seed
        )
        answers = MeanAnswers(len(members), len(y), len(classes))
        kinds = find_kinds(groups)
        for (train, test), replies in zip(splits, groups, strict=True):
            is_unknown = ~np.isin(y[test], y[train])
            for member, (reply, kind) in enumerate(zip(replies, kinds, strict=True)):
                read, columns = read_classes([reply], [kind])
                answer = align_columns(read, columns, classes)
                answer[is_unknown] = np.nan
                answers.add(member, test, answer)
        position = {label: i for i, label in enumerate(classes.tolist())}
        return answers.mean(), np.array([position[label] for label in y.tolist()])

    def _check_settings(self):
        self._validate_params()
        if all(map(answers_from_labels, self.teachers)):
            raise ValueError(
                f"An EnsembleTeacher got teachers={shorten(self.teachers)}; expected at least one "
                "teacher that answers for rows."
            )

    def _check(self, device="auto"):
        members = super()._check(device)
        self._refuse_seen_rows(members)
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
        temperatures = getattr(self, "temperatures_", None)
        return Panel(self._member_weights()[asked], self.combine, classes, temperatures)
