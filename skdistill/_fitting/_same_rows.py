"""Fits of several settings on the same rows: what they have in common is done once."""

import pickle
import time
from dataclasses import replace
from functools import partial
from typing import Any

from sklearn.base import clone

from skdistill._fitting._begun import Begun, Clock
from skdistill._fitting._fit_rows import fit_steps
from skdistill._names import own_rows
from skdistill._random import seed_parameters
from skdistill._unwrap import before_last, last_step
from skdistill.teachers._as_teacher import bind_student
from skdistill.teachers._fit import identity_of
from skdistill.teachers._key import content_key
from skdistill.training._stack import learn_together

ASKED = ("cv", "calibrate", "augment", "teacher_classes", "device", "random_state")
"""Parameters of a model that its teacher's answers depend on, beside the teacher."""


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
    verbose : int, default=0
        Whether a teacher of models that are silent themselves says how far it is.
    **given
        What `fit` gets besides.
    """

    def __init__(self, X: Any, y: Any, *, verbose: int = 0, **given: Any) -> None:
        self.X, self.y, self.verbose, self.given = X, y, verbose, given
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
        clock = Clock()
        with clock.of("student"):
            steps, inner = self._behind(before_last(estimator))
            begun = inner._begin(last_step(estimator), weight_seed, clock)
            if steps:
                estimator.steps = [*steps, estimator.steps[-1]]
            return begun._replace(estimator=estimator)

    def _begin(self, model, weight_seed, clock):
        model._validate_params()
        rows = model._read(self.X, self.y, **self.given)
        key = _question(model, rows)
        # Of models without a seed each would make rows of its own.
        same = self._once(("rows", key), lambda: rows)
        seeds = rows.seeds if weight_seed is None else rows.seeds._replace(weights=weight_seed)
        rows = replace(same, alpha=rows.alpha, seeds=seeds)
        prepared = model._prepare(rows, partial(self._fit_steps, key))
        prepared.student[-1].check_among_others()
        verbose = max(self.verbose, model.verbose)
        ask = partial(self._once, ("answers", key), partial(model._ask, rows, verbose=verbose))
        return model._begin(prepared, ask, clock)

    def _behind(self, steps):
        """Return the fitted steps of a Pipeline, and the rows behind them."""
        if steps is None:
            return [], self

        def fit():
            fitted = clone(steps)
            X = fitted.fit_transform(own_rows(fitted, self.X), self.y)
            return fitted.steps, SameRows(X, self.y, verbose=self.verbose)

        return self._once(("before", _key(steps.steps)), fit)

    def _fit_steps(self, question, student, rows):
        """Fit what comes before a student's net, or take what is fitted; see `fit_steps`."""
        steps = student[:-1]
        seed_parameters(steps, rows.seeds.weights)

        def fit():
            parts = fit_steps(student, rows)
            return student.steps[:-1], parts

        fitted, parts = self._once(("steps", question, _key(steps.steps)), fit)
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


def _question(model, rows):
    """Return what is equal for models whose teachers give the same answers for the same rows."""
    settings = [getattr(model, name, None) for name in ASKED]
    layers = [loss.teacher_layer for loss in model.feature_losses or ()]
    asked = [model._hears_teacher(rows.alpha), settings, layers]
    if bind_student(model.teacher, lambda: None) is not model.teacher:
        asked += [model.student, model.loss]  # the student is among its teachers
    return _key(identity_of(model.teacher, rows.teacher), asked)


def _key(*objects):
    """Return a key of what objects hold, equal to no other where they cannot be read."""
    try:
        return content_key(*objects)
    except (pickle.PicklingError, AttributeError, TypeError):
        return object()
