"""A cascade whose threshold keeps a promise about accuracy."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skdistill._cascade_threshold import AccuracyGap, check_enough_rows, find_threshold
from skdistill._compat import Interval
from skdistill._input._labels import check_labels
from skdistill._input._rows import as_rows
from skdistill.deployment._asking import ask_teacher
from skdistill.deployment._cascade import BaseCascade


class TunedCascadeClassifier(BaseCascade):
    r"""A cascade that defers as few rows as it may, and stays as accurate as its teacher.

    With the probability `confidence`, over the draw of the rows that it is fitted on, the accuracy
    on new rows is within `tolerance` of the teacher's, whatever student, teacher and rows are.

    Parameters
    ----------
    student : classifier
        Fitted, with `predict_proba`: a `DistilledClassifier`, its `student_`, or any other.
    teacher : object
        Fitted, of any kind that a `DistilledClassifier` takes, with the classes of the student.
    tolerance : float, default=0.005
        By how much the accuracy may be below the teacher's, in (0, 1).
    confidence : float, default=0.95
        The probability of the promise, in (0, 1).
    confidence_score : {"margin", "max_probability"}, default="margin"
        How sure the student is of a row: the difference of its two greatest probabilities, or the
        greatest one. Rows with less than the threshold go to the teacher.
    verbose : int, default=0
        1 prints how far the teacher is in `fit`, and the time that is left.

    Attributes
    ----------
    threshold_ : float
        Below it a row goes to the teacher; 0 where the student alone keeps the promise, infinite
        where nothing but the teacher does.
    deferred_share_ : float
        Share of the testing rows that go to the teacher.
    accuracy_gap_ : AccuracyGap
        `estimate` and `upper` bound of what is lost. The bound is at most `tolerance`.
    curve_ : dict of str to ndarray of shape (51,)
        For each threshold that was considered, from no row deferred to all, on the testing rows:
        "threshold", "deferred_share", "n_worse" and "n_better" (rows that the student answers and
        the teacher alone, or the student alone, is right about), "accuracy", "gap", and "p_value",
        at most 1 - `confidence` where the test is passed, and NaN where none was made.
    n_calibration_ : int
        Number of rows that tested the thresholds.
    classes_ : ndarray of shape (n_classes,)
        The student's.
    n_features_in_ : int
        The student's.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        The student's, where it has some.

    See Also
    --------
    CascadeClassifier : With a threshold that is given.

    Notes
    -----
    A tenth of the rows, every tenth, say at which scores 0, 2, ..., 98 % of the rows would be
    deferred. With thresholds that do not depend on them the other rows test, from all rows deferred
    on, whether the teacher's accuracy less the cascade's is at most the tolerance, and the last
    threshold before the first failure is taken. Of tests in a fixed order none needs a correction
    for the others ("fixed sequence"). Each test is exact, for any number of rows: the rows where
    the teacher alone is right less those where the student alone is make the difference of two
    binomial numbers, and how often one alone is right is bounded first (Clopper and Pearson), at a
    tenth of the error probability.

    `fit` takes no `sample_weight`: what is counted are rows.

    References
    ----------
    Angelopoulos et al. 2021, "Learn then Test: Calibrating Predictive Algorithms to Achieve Risk
    Control", arXiv 2110.01052 (fixed-sequence testing). Berger & Boos 1994, "P values maximized
    over a confidence set for the nuisance parameter", Journal of the American Statistical
    Association 89.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.deployment import TunedCascadeClassifier
    >>> X, y = make_classification(6000, n_informative=6, class_sep=1.5, random_state=0)
    >>> student = LogisticRegression().fit(X[:1000], y[:1000])
    >>> teacher = HistGradientBoostingClassifier(random_state=0).fit(X[:1000], y[:1000])
    >>> cascade = TunedCascadeClassifier(student, teacher, tolerance=0.01).fit(X[1000:], y[1000:])
    >>> cascade.accuracy_gap_.upper <= 0.01
    True
    >>> bool(0 < cascade.deferred_share_ < 1)
    True
    """

    threshold_: float
    deferred_share_: float
    accuracy_gap_: AccuracyGap
    curve_: dict[str, np.ndarray]
    n_calibration_: int

    _parameter_constraints: dict[str, Any] = {
        **BaseCascade._parameter_constraints,
        "tolerance": [Interval(Real, 0, 1, closed="neither")],
        "confidence": [Interval(Real, 0, 1, closed="neither")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        student: Any,
        teacher: Any,
        *,
        tolerance: float = 0.005,
        confidence: float = 0.95,
        confidence_score: str = "margin",
        verbose: int = 0,
    ) -> None:
        self.student = student
        self.teacher = teacher
        self.tolerance = tolerance
        self.confidence = confidence
        self.confidence_score = confidence_score
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Find the threshold.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
            Rows that neither student nor teacher has learnt from, drawn like those to come.
        y : array-like of shape (n_samples,)
            Their labels.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For too few rows, for labels that the student does not know, and for settings out of
            their range.
        StudentError, TeacherError
            When one of them is not fitted, or they know different classes.
        """
        examined = self._check()
        X, labels = as_rows(X), check_labels(y)
        check_consistent_length(X, labels)
        self._check_labels(labels)
        advice = "Give more rows, or a greater tolerance."
        check_enough_rows("X", len(labels), self.tolerance, self.confidence, advice)
        found = np.asarray(self.student.predict_proba(X))
        said = ask_teacher(examined, X, self.classes_, verbose=self.verbose)
        chosen = find_threshold(
            self._score_rows(found),
            self.classes_[found.argmax(axis=1)] == labels,
            self.classes_[said.argmax(axis=1)] == labels,
            tolerance=self.tolerance,
            confidence=self.confidence,
        )
        self.threshold_ = chosen.value
        self.deferred_share_ = chosen.deferred_share
        self.accuracy_gap_ = chosen.gap
        self.curve_ = chosen.curve
        self.n_calibration_ = chosen.n_testing
        return self

    def _check_labels(self, y):
        unknown = set(y.tolist()) - set(self.classes_.tolist())
        if unknown:
            raise ValueError(
                f"y holds labels that the student does not know ({sorted(unknown, key=str)[:6]}); "
                f"expected some of {self.classes_.tolist()[:6]}. Give the labels that it was "
                f"fitted on."
            )

    def _get_threshold(self):
        check_is_fitted(self)
        return self.threshold_
