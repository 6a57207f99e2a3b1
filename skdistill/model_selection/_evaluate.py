"""Fits of many settings on several folds, and their scores."""

import time
import traceback
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.utils.parallel import delayed

from skdistill._compat import (
    failed_scores,
    routing_enabled,
    rows_of_params,
    safe_indexing,
    score_or_error,
)
from skdistill._estimators._base import BaseDistilled
from skdistill._fitting._same_rows import SameRows, learn_begun
from skdistill._generators import is_ours
from skdistill._interrupts import whole_trainings
from skdistill._parallel import results_of
from skdistill._progress import SECONDS, Progress
from skdistill._unwrap import last_step
from skdistill._warn import collecting, warn_once
from skdistill._words import shorten
from skdistill.training._stack import Learnt


@dataclass(frozen=True)
class Job:
    """What is the same for all fits of a search.

    Attributes
    ----------
    estimator : estimator
        Unfitted.
    candidates : list of dict
        Settings.
    X, y : array-like of shape (n_samples, ...)
    scorer : callable
    fit_params, score_params : dict of str to object
        Metadata.
    return_train_score : bool
    error_score : "raise" or float
    verbose : int
    """

    estimator: Any
    candidates: list
    X: Any
    y: Any
    scorer: Any
    fit_params: dict = field(default_factory=dict)
    score_params: dict = field(default_factory=dict)
    return_train_score: bool = False
    error_score: Any = np.nan
    verbose: int = 0

    def __sizeof__(self):
        """Return a size that tells of the rows: joblib's dask sends a worker once what is large."""
        n_rows = self.X.shape[0] if hasattr(self.X, "shape") else len(self.X)  # y may be None
        return super().__sizeof__() + 8 * n_rows

    def make(self, number):
        """Return an estimator with the settings of a candidate."""
        settings = clone(self.candidates[number], safe=False)  # estimators among them are copied
        return clone(self.estimator).set_params(**settings)

    def rows(self, index):
        """Return some rows and their y."""
        y = None if self.y is None else safe_indexing(self.y, index)
        return safe_indexing(self.X, index), y


class CandidateFit(NamedTuple):
    """One fit of a candidate.

    Attributes
    ----------
    place : (int, int)
        Of the candidate and of the fold.
    estimator : estimator
        Fitted, unless there is an error.
    learnt : Learnt
    seconds : float
    """

    place: tuple[int, int]
    estimator: Any
    learnt: Learnt
    seconds: float


def why_whole(estimator: Any, given: dict[str, Any]) -> str | None:
    """Return why the fit of an estimator cannot be taken apart, as the end of a sentence.

    Parameters
    ----------
    estimator : estimator
    given : dict of str to object
        What its `fit` gets besides X and y.

    Returns
    -------
    str or None
        None for a distilled estimator, and for a Pipeline that ends in one.
    """
    model = last_step(estimator)
    if not isinstance(model, BaseDistilled):
        return f"{type(model).__name__} is no distilled estimator"
    if not is_ours(model):
        return f"{type(model).__name__} is a class of your own"
    if not isinstance(model.alpha, Real):
        return f"alpha={shorten(model.alpha)} trains several students"
    if model is not estimator and (given or routing_enabled() or estimator.transform_input):
        return "what else a Pipeline hands to its steps is its own affair"
    return None


def evaluate(job, splits, n_jobs):
    """Fit and score every candidate on every fold.

    With several workers each has the fits of one fold at a time; otherwise all folds are one
    piece of work, and their students stand in the same stacks.

    Parameters
    ----------
    job : Job
    splits : list of (train, test)
    n_jobs : int or None

    Returns
    -------
    results : list of dict
        As `BaseSearchCV._format_results` reads them: all folds of a candidate after each other.
    alone : list of (str or None)
        Why the students of a candidate were trained alone; None where they were not.
    """
    found: dict = {}
    shares, n_fits = shares_of(splits, n_jobs), len(job.candidates) * len(splits)
    settings = {"what": "search", "shown": job.verbose, "n_jobs": n_jobs, "every": SECONDS}
    with Progress("skdistill", n_fits, "fits", **settings) as progress:
        if len(shares) == 1:
            parts = iter([_evaluate_folds(job, shares[0], progress)])
        else:
            tasks = (delayed(_evaluate_folds)(job, share) for share in shares)
            parts = results_of(tasks, n_jobs)
        for part, heard in parts:
            found |= part
            progress(len(found))
            say(heard)
    return in_order(found, len(job.candidates), len(splits))


def shares_of(splits, n_jobs):
    """Return the folds, with their numbers, that one worker at a time is given."""
    folds = list(enumerate(splits))
    return [[fold] for fold in folds] if effective_n_jobs(n_jobs) > 1 else [folds]


def say(heard):
    """Say here what a worker has collected."""
    for message, category in heard:
        warn_once(message, category)


def in_order(found, n_candidates, n_folds):
    """Return what has been found by the places of fits as `evaluate` does."""
    each = [[found[number, fold] for fold in range(n_folds)] for number in range(n_candidates)]
    results = [result for parts in each for result, _ in parts]
    return results, [next((why for _, why in parts if why), None) for parts in each]


def _evaluate_folds(job, folds, progress=None):
    """Return, by the places of fits, what came out, and why a student was trained alone."""
    splits = dict(folds)
    with collecting() as heard:
        fits, begun = begin(job, folds, progress)
        fits += _learn(job, begun, progress)
    return {fit.place: (score(job, fit, splits), fit.learnt.alone) for fit in fits}, heard


def begin(job, folds, progress=None):
    """Begin the fits of all candidates on some folds.

    Parameters
    ----------
    job : Job
    folds : list of (int, (train, test))
        With their numbers.
    progress : Progress, default=None
        Hears of fits that are over.

    Returns
    -------
    fits : list of CandidateFit
        Those that are over: of what is fitted as a whole, and of what has failed.
    begun : list of (place, Begun)
        Those of which the student has still to learn.
    """
    fits, begun = [], []
    for fold, (train, _) in folds:
        (X, y), given = job.rows(train), rows_of_params(job.X, job.fit_params, train)
        rows = SameRows(X, y, **given)
        for number in range(len(job.candidates)):
            started, place, error = time.perf_counter(), (number, fold), None
            estimator = job.make(number)
            whole = why_whole(estimator, given)
            try:
                if whole is None:
                    begun.append((place, rows.begin(estimator)))
                    continue
                with whole_trainings():
                    estimator.fit(X, **given) if y is None else estimator.fit(X, y, **given)
            except Exception as caught:
                error = unless_raised(job, caught)
            seconds = time.perf_counter() - started
            fits.append(CandidateFit(place, estimator, Learnt(error, whole), seconds))
            if progress is not None:
                progress.add()
    return fits, begun


def _learn(job, begun, progress):
    """Train the students of fits that have begun."""
    report = None
    if progress is not None:
        n_before = progress.n_over

        def report(n_over):
            progress(n_before + n_over)

    all_learnt, each = learn_begun([fit for _, fit in begun], report)
    return [
        ended(job, place, fit, learnt, each)
        for (place, fit), learnt in zip(begun, all_learnt, strict=True)
    ]


def ended(job, place, begun, learnt, seconds):
    """Return a fit whose student has learnt in so many seconds, and that has ended."""
    if learnt.error is None:
        begun.warn_if_known()
    else:
        unless_raised(job, learnt.error)
    return CandidateFit(place, begun.estimator, learnt, begun.seconds + seconds)


def unless_raised(job, error):
    """Return an error that a score will stand for, or raise it."""
    if job.error_score == "raise":
        raise error
    return error


def score(job, fit, splits):
    """Return the scores of a fit, in the form of scikit-learn's searches."""
    train, test = splits[fit.place[1]]
    result = {"fit_error": None, "fit_time": fit.seconds, "score_time": 0.0}
    wanted = {"test_scores": test} | ({"train_scores": train} if job.return_train_score else {})
    if fit.learnt.error is not None:
        result["fit_error"] = "".join(traceback.format_exception(fit.learnt.error))
        return result | {name: failed_scores(job.scorer, job.error_score) for name in wanted}
    started = time.perf_counter()
    for name, index in wanted.items():
        X, y = job.rows(index)
        params = rows_of_params(job.X, job.score_params, index)
        result[name] = score_or_error(fit.estimator, X, y, job.scorer, params, job.error_score)
        if name == "test_scores":
            result["score_time"] = time.perf_counter() - started
    return result
