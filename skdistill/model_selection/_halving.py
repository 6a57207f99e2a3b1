"""Successive halving: candidates that are behind after some epochs leave."""

import math
import pickle
import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata
from sklearn.utils.parallel import Parallel, delayed

from skdistill._warn import collecting, warn
from skdistill._words import shorten
from skdistill.exceptions import TrainingWarning
from skdistill.model_selection._evaluate import (
    CandidateFit,
    begin,
    ended,
    in_order,
    say,
    score,
    shares_of,
    unless_raised,
)
from skdistill.training._stack import Learnt, learn_in_rungs


class Halving(NamedTuple):
    """How candidates leave.

    Attributes
    ----------
    factor : float
        At each rung the best 1 / factor of them stay, for factor times as many epochs.
    min_resources : int
        Epochs before which none leaves.
    metric : str or None
        The name of the score that decides, where there are several.
    """

    factor: float
    min_resources: int
    metric: str | None

    def rungs(self, n_candidates, max_epochs):
        """Return after how many epochs some of so many candidates leave, ascending."""
        rungs: list[int] = []
        epochs = int(max_epochs / self.factor)
        while n_candidates >= self.factor and epochs >= self.min_resources:
            rungs.insert(0, epochs)
            n_candidates, epochs = self.n_stay(n_candidates), int(epochs / self.factor)
        return rungs

    def n_stay(self, n_candidates):
        """Return how many of so many candidates stay at a rung."""
        return math.ceil(n_candidates / self.factor)


class Rounds(NamedTuple):
    """What has become of the candidates.

    Attributes
    ----------
    n_resources : list of int
        The epochs at each rung, and at the end.
    n_candidates : list of int
        How many were there.
    last : ndarray of shape (n_candidates,), int
        The position in these of the rung at which each left, or of the end.
    """

    n_resources: list[int]
    n_candidates: list[int]
    last: np.ndarray

    def add_to(self, results):
        """Tell the results of a search where each candidate left, and rank by it first.

        Parameters
        ----------
        results : dict of str to ndarray
            As `cv_results_`; changed in place.
        """
        results["iter"] = self.last
        results["n_resources"] = np.array(self.n_resources)[self.last]
        for name in [name for name in results if name.startswith("rank_test_")]:
            scores = results[f"mean_test_{name.removeprefix('rank_test_')}"]
            results[name] = self._ranks(scores).astype(results[name].dtype)

    def _ranks(self, scores):
        """Return ranks among those that left at the same time, behind those that left later."""
        ranks = np.zeros(len(scores))
        for rung in np.unique(self.last):
            here = self.last == rung
            known = np.where(np.isnan(scores[here]), -np.inf, scores[here])
            ranks[here] = rankdata(-known, method="min") + (self.last > rung).sum()
        return ranks


def evaluate_by_halving(job, splits, n_jobs, halving):
    """Fit and score candidates on every fold, and let those that are behind leave.

    Several workers fit and ask the teachers, one fold at a time each. The students of all folds
    are trained here, since they wait for each other at every rung.

    Parameters
    ----------
    job : Job
    splits : list of (train, test)
    n_jobs : int or None
    halving : Halving

    Returns
    -------
    results, alone
        As those of `evaluate`.
    rounds : Rounds
    """
    started = time.perf_counter()
    found: dict = {}
    begun: list = []
    shares = shares_of(splits, n_jobs)
    try:
        parts = Parallel(n_jobs=n_jobs)(delayed(_begin)(job, share) for share in shares)
    except pickle.PicklingError:  # a worker cannot send back a class of a script or a notebook
        parts = [_begin(job, share) for share in shares]
    for over, others, heard in parts:
        found |= over
        begun += others
        say(heard)
    race = _Race(job, splits, halving, found, begun)
    if job.verbose:
        print(
            f"[skdistill] search: {len(begun)} fits have begun, "
            f"{time.perf_counter() - started:.0f} s; candidates leave after {race.epochs} epochs"
        )
    race.run()
    return *in_order(found, len(job.candidates), len(splits)), race.rounds()


def _begin(job, folds):
    """Return the scores of fits that are over, by their places, and those that have begun."""
    splits = dict(folds)
    with collecting() as heard:
        fits, begun = begin(job, folds)
    found = {fit.place: (score(job, fit, splits), fit.learnt.alone) for fit in fits}
    return found, begun, heard


class _Race:
    """The candidates of a search on their way from rung to rung.

    Parameters
    ----------
    job, splits, halving
        See `evaluate_by_halving`.
    found : dict of (int, int) to (dict, str or None)
        Scores of fits that are over, and why they were trained alone; more are added.
    begun : list of ((int, int), Begun)
        The others.

    Attributes
    ----------
    epochs : list of int
        At which some leave.
    """

    def __init__(self, job, splits, halving, found, begun):
        self._job, self._splits, self._halving = job, splits, halving
        self._found, self._begun = found, begun
        self._left: dict[int, int] = {}
        self._n_judged: list[int] = []
        self._seconds = np.zeros(len(begun))
        self._longest = max((_max_epochs(fit) for _, fit in begun), default=0)
        n_candidates = len({place[0] for place, _ in begun})
        self.epochs = halving.rungs(n_candidates, self._longest)
        if not self.epochs:
            self._warn_that_none_leaves(n_candidates)

    def _warn_that_none_leaves(self, n_candidates):
        factor, least = self._halving.factor, self._halving.min_resources
        warn(
            f"strategy='halving' lets no candidate leave: {n_candidates} students are trained in "
            f"epochs, {self._longest} at most; expected {math.ceil(factor)} or more (factor), and "
            f"{math.ceil(factor * least)} epochs or more (factor * min_resources). Lower these, or "
            f"take strategy='full'.",
            TrainingWarning,
        )

    def run(self):
        """Train the students, and score those that stay to the end."""
        self._started = time.perf_counter()
        lessons = [fit.lesson for _, fit in self._begun]
        all_learnt = learn_in_rungs(lessons, self.epochs, self._leave)
        there = [n for n, (place, _) in enumerate(self._begun) if place[0] not in self._left]
        self._count_time(there)
        for number in there:
            (place, fit), learnt = self._begun[number], all_learnt[number]
            if learnt.error is None:
                fit.end(self._seconds[number])
            done = ended(self._job, place, fit, learnt, self._seconds[number])
            self._found[place] = score(self._job, done, self._splits), learnt.alone

    def rounds(self):
        """Return what has become of the candidates."""
        at_end = len(self.epochs)
        last = [self._left.get(number, at_end) for number in range(len(self._job.candidates))]
        n_candidates = [*self._n_judged, last.count(at_end)]
        return Rounds([*self.epochs, self._longest], n_candidates, np.array(last))

    def _leave(self, epochs, students):
        """Return the positions of the students whose candidates leave at a rung."""
        self._count_time(students)
        fits = {self._begun[n][0]: self._fit(n, student) for n, student in students.items()}
        job = replace(self._job, return_train_score=False)
        scored = {place: score(job, fit, self._splits) for place, fit in fits.items()}
        means = self._means(scored)
        judged = [number for number in means if not np.isnan(means[number])] or list(means)
        n_stay = self._halving.n_stay(len(judged))
        staying = sorted(judged, key=lambda number: -means[number])[:n_stay]
        leaving = means.keys() - staying
        for place, fit in fits.items():
            if place[0] in leaving:
                again = self._job.return_train_score
                result = score(self._job, fit, self._splits) if again else scored[place]
                self._found[place] = result, None
        self._left |= dict.fromkeys(leaving, len(self._n_judged))
        self._n_judged.append(len(means))
        if self._job.verbose:
            self._say(epochs, len(means), n_stay)
        self._started = time.perf_counter()
        return [n for n in students if self._begun[n][0][0] in leaving]

    def _fit(self, number, student):
        """Return a fit as if its training ended now."""
        place, begun = self._begun[number]
        seconds = begun.seconds + self._seconds[number]
        if isinstance(student, Exception):
            failed = Learnt(unless_raised(self._job, student))
            return CandidateFit(place, begun.estimator, failed, seconds)
        return CandidateFit(place, begun.with_student(student), Learnt(), seconds)

    def _means(self, scored):
        """Return the mean scores of the candidates that can leave.

        One of which some student has been trained alone cannot.
        """
        failed = {p: result for p, (result, _) in self._found.items() if result["fit_error"]}
        known = failed | scored
        folds = range(len(self._splits))
        return {
            number: np.mean([self._value(known[number, fold]["test_scores"]) for fold in folds])
            for number in range(len(self._job.candidates))
            if number not in self._left and all((number, fold) in known for fold in folds)
        }

    def _value(self, scores):
        """Return the one of several scores that decides."""
        if not isinstance(scores, dict):
            return scores
        if self._halving.metric not in scores:
            raise ValueError(who_decides(scores, self._halving.metric))
        return scores[self._halving.metric]

    def _count_time(self, numbers):
        """Share the time since the last rung among some fits."""
        numbers = list(numbers) if self._n_judged else list(range(len(self._begun)))
        if numbers:
            self._seconds[numbers] += (time.perf_counter() - self._started) / len(numbers)

    def _say(self, epochs, n_candidates, n_stay):
        """Print how many stay, and about how long they will take."""
        ends = [*self.epochs, self._longest]
        lengths = np.diff([0, *ends])
        n_over = len(self._n_judged)
        expected = [n_stay]
        for _ in ends[n_over + 1 :]:
            expected.append(self._halving.n_stay(expected[-1]))
        done, left = lengths[:n_over] @ self._n_judged, lengths[n_over:] @ expected
        print(
            f"[skdistill] search: {epochs} epochs, the best {n_stay} of {n_candidates} candidates "
            f"stay, about {self._seconds.sum() * left / max(1, done):.0f} s left"
        )


def who_decides(names, refit):
    """Say that one of several scores must decide which candidates leave."""
    return (
        f"strategy='halving' got the scores {sorted(names)} and refit={shorten(refit)}; expected "
        "the name of the score that decides which candidates leave. Name it in refit."
    )


def _max_epochs(begun):
    """Return the number of epochs of a student, 0 where it has none."""
    return getattr(begun.lesson.learner, "max_epochs", 0)
