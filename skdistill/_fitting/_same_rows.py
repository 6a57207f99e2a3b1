"""Fits of several settings on the same rows: what they have in common is done once."""

import copy
import pickle
import time
from typing import Any, NamedTuple

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skdistill._fitting._fit_rows import fit_steps
from skdistill._names import own_rows
from skdistill._random import seed_parameters
from skdistill.teachers._as_teacher import bind_student
from skdistill.teachers._fit import identity_of
from skdistill.teachers._key import content_key
from skdistill.training._stack import learn_together

ASKED = ("cv", "calibrate", "augment", "teacher_classes", "device", "random_state")
"""Parameters of a model that its teacher's answers depend on, beside the teacher."""


class Begun(NamedTuple):
    """A fit of which all is done but the training of the student.

    Attributes
    ----------
    estimator : estimator
        Itself, with its fitted steps where it is a Pipeline.
    model : DistilledClassifier or DistilledRegressor
        Its last step.
    student : Pipeline
    rows : Rows
    targets : Targets or None
    lesson : Lesson
    seconds : float
        How long it has taken.
    asked : float
        How long of it the teacher.
    """

    estimator: Any
    model: Any
    student: Pipeline
    rows: Any
    targets: Any
    lesson: Any
    seconds: float
    asked: float

    def end(self, seconds: float) -> Any:
        """Return the fitted estimator, whose student has learnt the lesson in so many seconds."""
        self.model._keep_student(self.student, self.lesson.learner, self.rows)
        student = self.seconds - self.asked + seconds
        self.model.fit_seconds_ = {"teacher": self.asked, "student": student}
        return self.estimator

    def with_student(self, learner: Any) -> Any:
        """Return a fitted estimator like this one's, with a learner that has learnt the lesson.

        Parameters
        ----------
        learner : object
            In place of the one that the lesson is for.

        Returns
        -------
        estimator
        """
        model = copy.copy(self.model)
        model._keep_student(_ending_in(self.student, learner), learner, self.rows)
        return model if self.estimator is self.model else _ending_in(self.estimator, model)


def _ending_in(pipeline, last):
    """Return a Pipeline with another last step."""
    pipeline = copy.copy(pipeline)
    pipeline.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], last)]
    return pipeline


def learn_begun(fits, report=None):
    """Train the students of fits that have begun, together where that can be, and end the fits.

    Parameters
    ----------
    fits : list of Begun
    report : callable, default=None
        See `learn_together`.

    Returns
    -------
    learnt : list of Learnt
        The fits of those with an error have not ended.
    seconds : float
        How long each has taken.
    """
    started = time.perf_counter()
    all_learnt = learn_together([fit.lesson for fit in fits], report)
    seconds = (time.perf_counter() - started) / max(1, len(fits))
    for fit, learnt in zip(fits, all_learnt, strict=True):
        if learnt.error is None:
            fit.end(seconds)
    return all_learnt, seconds


class SameRows:
    """Begins the fits of several models on the same rows.

    Their teacher is asked once for all that ask it the same, and preprocessing of the same
    settings is fitted once. What is left of each fit is a lesson; see `learn_begun`.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    **given
        What `fit` gets besides.
    """

    def __init__(self, X: Any, y: Any, **given: Any) -> None:
        self.X, self.y, self.given = X, y, given
        self._known: dict[Any, Any] = {}

    def begin(self, estimator: Any, weight_seed: int | None = None) -> Begun:
        """Do what the `fit` of an estimator does before it trains the student.

        Parameters
        ----------
        estimator : DistilledClassifier, DistilledRegressor or Pipeline
            Unfitted; changed in place.
        weight_seed : int, default=None
            Seeds the student's weights in place of the model's own seed.

        Returns
        -------
        Begun
        """
        started = time.perf_counter()
        if isinstance(estimator, Pipeline):
            steps, inner = self._behind(estimator[:-1] if len(estimator) > 1 else None)
            name, model = estimator.steps[-1]
            begun = inner.begin(model, weight_seed)
            estimator.steps = [*steps, (name, model)]
            return begun._replace(estimator=estimator, seconds=time.perf_counter() - started)
        estimator._validate_params()
        soft_targets = self.given.get("soft_targets")
        rows, seeds = estimator._read(self.X, self.y, **self.given)
        key = _question(estimator)
        # Of models without a seed each would make rows of its own.
        rows = self._once(("rows", key), lambda: rows)
        seed = seeds[1] if weight_seed is None else weight_seed
        student, parts = estimator._prepare_student(rows, seed, soft_targets, self._fit_steps)
        student[-1].check_among_others()
        prepared = time.perf_counter()
        targets, estimator.teacher_ = None, None
        if estimator._hears_teacher():
            targets, estimator.teacher_ = self._once(
                ("answers", key), lambda: estimator._ask(rows, soft_targets, seeds[0])
            )
        asked = time.perf_counter() - prepared
        lesson = estimator._lesson(student, parts, rows, targets, seeds[2])
        seconds = time.perf_counter() - started
        return Begun(estimator, estimator, student, rows, targets, lesson, seconds, asked)

    def _behind(self, steps):
        """Return the fitted steps of a Pipeline, and the rows behind them."""
        if steps is None:
            return [], self

        def fit():
            fitted = clone(steps)
            X = fitted.fit_transform(own_rows(fitted, self.X), self.y)
            return fitted.steps, SameRows(X, self.y)

        return self._once(("before", _key(steps.steps)), fit)

    def _fit_steps(self, student, rows, seed):
        """Fit what comes before a student's net, or take what is fitted; see `fit_steps`."""
        steps = student[:-1]
        seed_parameters(steps, seed)

        def fit():
            parts = fit_steps(student, rows, seed)
            return student.steps[:-1], parts

        fitted, parts = self._once(("steps", id(rows), _key(steps.steps)), fit)
        student.steps[:-1] = fitted
        return parts

    def _once(self, key, make):
        """Return what was made before, or raise what was raised; make it otherwise."""
        if key not in self._known:
            try:
                self._known[key] = make(), None, None
            except Exception as error:
                self._known[key] = None, error, error.__traceback__
        made, failure, trace = self._known[key]
        if failure is not None:
            raise failure.with_traceback(trace)  # without the lines of each time that it was raised
        return made


def _question(model):
    """Return what is equal for models whose teachers give the same answers for the same rows."""
    settings = [getattr(model, name, None) for name in ASKED]
    layers = [loss.teacher_layer for loss in model.feature_losses or ()]
    asked = [model._hears_teacher(), settings, layers]
    if bind_student(model.teacher, lambda: None) is not model.teacher:
        asked += [model.student, model.loss]  # the student is among its teachers
    return _key(identity_of(model.teacher), asked)


def _key(*objects):
    """Return a key of what objects hold, equal to no other where they cannot be read."""
    try:
        return content_key(*objects)
    except (pickle.PicklingError, AttributeError, TypeError):
        return object()
