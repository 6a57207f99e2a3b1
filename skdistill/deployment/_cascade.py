"""The student answers, and its teacher where the student is unsure."""

from __future__ import annotations

import time
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import get_tags

from skdistill._cascade_threshold import SCORES
from skdistill._compat import (
    Interval,
    StrOptions,
    copy_estimator_state,
    safe_indexing,
    validate_parameter_constraints,
)
from skdistill._input._rows import as_rows
from skdistill._warn import warn
from skdistill.deployment._asking import ask_teacher, check_student, check_teacher_of
from skdistill.exceptions import DistillationWarning
from skdistill.teachers._fit import clone_teacher


class BaseCascade(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A fitted student and a fitted teacher; a subclass has `_get_threshold`."""

    student: Any
    teacher: Any
    confidence_score: str

    _parameter_constraints: dict[str, Any] = {"confidence_score": [StrOptions(set(SCORES))]}

    def __sklearn_clone__(self):
        """Keep the fitted student and teacher, the same objects for all folds."""
        params = self.get_params(deep=False)
        kept = {name: clone_teacher(params[name]) for name in ("student", "teacher")}
        copy = type(self)(**{**params, **kept})
        copy_estimator_state(self, copy)
        return copy

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name.

        Parameters
        ----------
        deep : bool, default=True
            Without effect: settings of the fitted parts are not the cascade's to set.

        Returns
        -------
        dict
        """
        return super().get_params(deep=False)

    def set_params(self, **params: Any) -> Self:
        """Set settings; those of the fitted parts cannot be set.

        Parameters
        ----------
        **params
            New values.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a setting of the student or the teacher, and for a name that is not known.
        """
        inner = [name for name in params if "__" in name]
        if inner:
            raise ValueError(
                f"{inner} cannot be set: student and teacher are fitted, and would not be fitted "
                f"anew; expected settings of the {type(self).__name__} itself. Give it other parts."
            )
        return super().set_params(**params)

    @property
    def classes_(self) -> np.ndarray:
        """The student's classes, in the order of its columns."""
        return np.asarray(self.student.classes_)

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the student has seen."""
        return self.student.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of these columns, where they have some."""
        return self.student.feature_names_in_

    def defers(self, X: Any) -> np.ndarray:
        """Say which rows the teacher is asked about; nobody but the student is asked for it.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,), bool
        """
        threshold = self._get_threshold()
        return self._score_rows(self.student.predict_proba(X)) < threshold

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the student's probabilities, and the teacher's of the rows that it is asked about.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
            As student and teacher read them.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        threshold = self._get_threshold()
        found = np.array(self.student.predict_proba(X), dtype=np.float64)
        deferred = np.flatnonzero(self._score_rows(found) < threshold)
        if len(deferred):
            examined = check_teacher_of(self.student, self.teacher)
            rows = safe_indexing(as_rows(X), deferred)
            found[deferred] = ask_teacher(examined, rows, self.classes_, few=True)
        return found

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def measure_cost(self, X: Any, *, n_repeats: int = 3) -> dict[str, float]:
        """Time student, teacher and cascade on the same rows.

        Nothing else here looks at a clock. A teacher is dear for single rows and may be cheap for
        many at once: give as many as come together in use.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
        n_repeats : int, default=3
            The fastest of so many runs counts.

        Returns
        -------
        dict of str to float
            Microseconds per row: "student", "teacher" and "cascade".

        Raises
        ------
        ValueError
            When `n_repeats` is no number from 1 on.

        Warns
        -----
        DistillationWarning
            When the cascade takes as long as the teacher alone, or longer.
        """
        allowed = {"n_repeats": [Interval(Integral, 1, None, closed="left")]}
        validate_parameter_constraints(allowed, {"n_repeats": n_repeats}, "measure_cost")
        self._get_threshold()
        X = as_rows(X)
        examined = check_teacher_of(self.student, self.teacher)
        ways = {
            "student": self.student.predict_proba,
            "teacher": lambda rows: ask_teacher(examined, rows, self.classes_, few=True),
            "cascade": self.predict_proba,
        }
        found = {
            name: 1e6 * min(_seconds(ask, X) for _ in range(n_repeats)) / X.shape[0]
            for name, ask in ways.items()
        }
        if found["cascade"] >= found["teacher"]:
            warn(
                f"The cascade takes {found['cascade']:.3g} microseconds per row and the teacher "
                f"alone {found['teacher']:.3g}: for {X.shape[0]} rows at once the teacher is the "
                f"cheaper one. Ask the teacher, or defer fewer rows.",
                DistillationWarning,
            )
        return found

    def _score_rows(self, probabilities):
        return SCORES[self.confidence_score](np.asarray(probabilities))

    def _check(self):
        """Refuse settings out of their range, and a student and a teacher that do not go together.

        Returns
        -------
        Examined
            The teacher.
        """
        params = self.get_params(deep=False)
        validate_parameter_constraints(self._parameter_constraints, params, type(self).__name__)
        check_student(self.student)
        return check_teacher_of(self.student, self.teacher)

    def _get_threshold(self):
        """Return below which score a row goes to the teacher; refuse a cascade that has none."""
        raise NotImplementedError

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if hasattr(self.student, "__sklearn_tags__"):
            tags.input_tags = get_tags(self.student).input_tags
        return tags


class CascadeClassifier(BaseCascade):
    """A fitted student that hands the rows of which it is unsure to its fitted teacher.

    A row goes to the teacher if the student's score of it lies below a threshold that is given;
    `TunedCascadeClassifier` finds one. Neither of the two is fitted, changed or cloned here.

    Parameters
    ----------
    student : classifier
        Fitted, with `predict_proba`: a `DistilledClassifier`, its `student_`, or any other.
    teacher : object
        Fitted, of any kind that a `DistilledClassifier` takes, with the classes of the student.
    threshold : float
        Not negative. Rows whose score is less go to the teacher: with 0 none, above 1 all.
    confidence_score : {"margin", "max_probability"}, default="margin"
        How sure the student is of a row: the difference of its two greatest probabilities, or the
        greatest one.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The student's.
    n_features_in_ : int
        The student's.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The student's, where it has some.

    See Also
    --------
    TunedCascadeClassifier : Finds the threshold by rows with labels.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.deployment import CascadeClassifier
    >>> X, y = make_classification(400, random_state=0)
    >>> student = LogisticRegression().fit(X[:200], y[:200])
    >>> teacher = RandomForestClassifier(random_state=0).fit(X[:200], y[:200])
    >>> cascade = CascadeClassifier(student, teacher, threshold=0.5)
    >>> bool(0 < cascade.defers(X[200:]).mean() < 0.5)
    True
    >>> cascade.score(X[200:], y[200:]) >= student.score(X[200:], y[200:])
    True
    """

    _parameter_constraints: dict[str, Any] = {
        **BaseCascade._parameter_constraints,
        "threshold": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        student: Any,
        teacher: Any,
        *,
        threshold: float,
        confidence_score: str = "margin",
    ) -> None:
        self.student = student
        self.teacher = teacher
        self.threshold = threshold
        self.confidence_score = confidence_score

    def fit(self, X: Any = None, y: ArrayLike | None = None) -> Self:
        """Check the parts; nothing is fitted.

        Parameters
        ----------
        X, y : ignored

        Returns
        -------
        self

        Raises
        ------
        StudentError, TeacherError
            When one of them is not fitted, or they know different classes.
        ValueError
            For settings out of their range.
        """
        self._check()
        return self

    def _get_threshold(self):
        self._check()
        return self.threshold

    def __sklearn_is_fitted__(self):
        return True


def _seconds(ask, X):
    start = time.perf_counter()
    ask(X)
    return time.perf_counter() - start
