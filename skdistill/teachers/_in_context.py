"""A teacher whose fit stores a context, and whose answers take their time."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import get_tags
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skdistill._compat import Interval, safe_indexing
from skdistill._input._labels import check_labels
from skdistill._input._rows import as_rows
from skdistill._interrupts import whole_trainings
from skdistill._progress import Progress
from skdistill._random import draw_seeds
from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._chunks import chunk_slices
from skdistill.teachers._key import content_key


class InContextTeacher(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier that learns from a context alone, such as TabPFN and TabICL, as a teacher.

    `fit` gives it at most `max_context` rows, drawn in proportion to the classes, and it is asked
    about some rows at a time. Unfitted, it gets a context of its own in each fold of a
    cross-fitting, and answers for the rows that the fold leaves out.

    Parameters
    ----------
    estimator : estimator
        With `fit` and `predict_proba`. Cloned for every fit.
    max_context : int, default=10000
        Rows of the context, at most.
    batch_size : int, default=1000
        Rows that it is asked about at once.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of the rows.
    verbose : int, default=0
        1 prints a line for every batch, with the time that is left.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels of the columns.
    estimator_ : estimator
        The fitted clone.
    n_context_ : int
        Rows of the context.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.gaussian_process import GaussianProcessClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.teachers import InContextTeacher
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = InContextTeacher(GaussianProcessClassifier(), max_context=60, random_state=0)
    >>> model = DistilledClassifier(teacher, calibrate=True, random_state=0).fit(X, y)
    >>> model.teacher_.n_context_
    60
    """

    classes_: np.ndarray
    estimator_: Any
    n_context_: int

    _parameter_constraints = {
        "estimator": "no_validation",
        "max_context": [Interval(Integral, 2, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        max_context: int = 10_000,
        batch_size: int = 1000,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.estimator = estimator
        self.max_context = max_context
        self.batch_size = batch_size
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Choose a context, and give it to a clone of the estimator.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Rows; the estimator gets them as they are.
        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        InContextTeacher
            Itself.

        Raises
        ------
        ValueError
            For settings out of their range, and fewer rows of context than classes.
        TeacherError
            For an estimator without `predict_proba`.
        """
        self._validate_params()
        self._refuse_estimator()
        X, labels = as_rows(X), check_labels(y)
        check_consistent_length(X, labels)
        rows = self._choose(labels)
        context = safe_indexing(X, rows)
        with whole_trainings():
            self.estimator_ = clone(self.estimator).fit(context, labels[rows])
        self.classes_ = self.estimator_.classes_
        self.n_context_ = len(rows)
        self._known = frozenset(_keys_of(context))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, asked for a batch of rows at a time.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)

        Raises
        ------
        TeacherError
            When most of the rows stand in its context, whose labels it would repeat.
        """
        check_is_fitted(self)
        X = as_rows(X)
        self._refuse_context(X)
        parts = chunk_slices(X.shape[0], self.batch_size)
        found = []
        with Progress("in-context teacher", len(parts), "batches", shown=self.verbose) as progress:
            for part in parts:
                found.append(self.estimator_.predict_proba(safe_indexing(X, part)))
                progress.add()
        return np.concatenate(found)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _refuse_estimator(self):
        given = self.estimator
        if isinstance(given, type) or not (
            hasattr(given, "fit") and hasattr(given, "predict_proba")
        ):
            made = f" Write {given.__name__}(...)." if isinstance(given, type) else ""
            raise TeacherError(
                f"InContextTeacher was given the estimator {shorten(given)}; expected a classifier "
                f"with fit and predict_proba.{made}"
            )

    def _choose(self, y):
        """Return the rows of the context, in their order."""
        rows, classes = np.arange(len(y)), np.unique(y)
        if len(rows) <= self.max_context:
            return rows
        if len(classes) > self.max_context:
            raise ValueError(
                f"max_context={self.max_context} is less than the {len(classes)} classes of y; "
                f"expected a row of each at least. Raise max_context."
            )
        (seed,) = draw_seeds(self.random_state, 1)
        # One row of each class in any case; the others in proportion where all classes have two.
        shuffled = np.random.default_rng(seed).permutation(rows)
        first = shuffled[np.unique(y[shuffled], return_index=True)[1]]
        rest, n_more = np.setdiff1d(rows, first), self.max_context - len(first)
        if n_more:
            counts = np.unique(y[rest], return_counts=True)[1]
            fits = counts.min() > 1 and min(n_more, len(rest) - n_more) >= len(counts)
            stratify = y[rest] if fits else None
            more, _ = train_test_split(
                rest, train_size=n_more, stratify=stratify, random_state=seed
            )
            first = np.concatenate([first, more])
        return np.sort(first)

    def _refuse_context(self, X):
        n_known = sum(key in self._known for key in _keys_of(X))
        if 2 * n_known > X.shape[0]:
            raise TeacherError(
                f"The in-context teacher {type(self.estimator).__name__} was asked about "
                f"{X.shape[0]} rows, of which {n_known} stand in its context: it would repeat "
                f"their labels. Expected other rows; give it unfitted, clone(teacher), and each "
                f"fold gets a context of its own."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def _keys_of(X) -> list[str]:
    """Return what each row is known by."""
    if isinstance(X, np.ndarray) and X.dtype != object:
        return [row.tobytes().hex() for row in np.ascontiguousarray(X)]
    return [content_key(safe_indexing(X, [row])) for row in range(X.shape[0])]
