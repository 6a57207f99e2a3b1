"""DistillationSearchCV: many settings of a distilled estimator, tried at the price of few fits."""

import time
from collections import Counter
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.utils import indexable

from skdistill._compat import (
    BaseSearchCV,
    Interval,
    StrOptions,
    fit_context,
    rows_of_params,
    scorers_by_name,
    settle_failures,
)
from skdistill._estimators._base import BaseDistilled
from skdistill._input._inputs import as_inputs
from skdistill._input._rows import refuse_datasets, refuse_files
from skdistill._interrupts import whole_trainings
from skdistill._unwrap import last_step
from skdistill._warn import collecting, warn_once
from skdistill.model_selection._evaluate import Job, evaluate
from skdistill.model_selection._halving import Halving, evaluate_by_halving, who_decides


class DistillationSearchCV(BaseSearchCV):
    """Search the settings of a distilled estimator by cross-validation.

    It is `sklearn.model_selection.GridSearchCV`, and with `n_iter` `RandomizedSearchCV`, with the
    same scores and in less time: on each training fold the teacher is fitted and asked once for
    all candidates, and students of one shape are trained in lock-step, as one stacked module.

    Parameters
    ----------
    estimator : estimator
        A `DistilledClassifier` or `DistilledRegressor`, or a Pipeline that ends in one. Any other
        is searched as by GridSearchCV.
    param_grid : dict or list of dicts
        Settings by name, those of the parts as ``student__lr``: lists of values, all of whose
        combinations are tried. With `n_iter`, lists or distributions with a method `rvs`.
    n_iter : int, default=None
        How many combinations are drawn. None tries all.
    scoring : str, callable, list, tuple or dict, default=None
        How predictions are judged; None is the estimator's own `score`.
    n_jobs : int, default=None
        Folds at a time, each in a process of its own. With "halving" these ask the teachers, and
        the students of all folds are trained in this one.
    refit : bool, str or callable, default=True
        Whether the best candidate is fitted on all rows; with several scorings the name of the
        one that counts, or a function from `cv_results_` to the position of the best.
    cv : int, splitter or iterable, default=None
        None is five folds, stratified for a classifier.
    verbose : int, default=0
        1 prints how many fits are done and about how long the others will take, and what was
        trained alone.
    error_score : "raise" or float, default=nan
        The score of a candidate that cannot be fitted, with a warning.
    return_train_score : bool, default=False
        Whether the training rows are scored too.
    random_state : int, RandomState instance or None, default=None
        Draws the combinations of `n_iter`.
    strategy : {"full", "halving"}, default="full"
        "full" trains every candidate to its end. "halving" lets candidates that are behind leave on
        the way: successive halving [1]_, with epochs as the resource; see Notes.
    factor : float, default=3
        With "halving", at each rung the best 1 / `factor` of the candidates stay, rounded up, for
        `factor` times as many epochs. Above 1.
    min_resources : int, default=3
        With "halving", the epochs before which no candidate leaves.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        As that of GridSearchCV. The time of a fit is its share of the time of those that were
        trained with it. With "halving" also "iter", the rung at which a candidate left, counted
        from 0, and "n_resources", its epochs by then; scores are those of that moment.
    best_estimator_ : estimator
        The best candidate, fitted on all rows. Only with `refit`.
    best_score_ : float
        Its mean score over the folds.
    best_params_ : dict
        Its settings.
    best_index_ : int
        Its position in `cv_results_`.
    n_resources_ : list of int
        The epochs at each rung, and at the end. Only with "halving".
    n_candidates_ : list of int
        How many candidates were judged at each rung, and how many were trained to their end. Only
        with "halving".
    trained_alone_ : list of (str or None)
        For each candidate why some student of it was trained alone; None where none was.
    scorer_ : callable or dict of str to callable
        What has judged.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds of the last fit. Only with `refit`.
    multimetric_ : bool
        Whether there are several scores.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features. Only with `refit`, where all are strings.

    See Also
    --------
    skdistill.DistilledClassifier : What is searched.
    sklearn.model_selection.GridSearchCV : The search whose results these are.

    Notes
    -----
    A student of a stack is the one that it would be alone: it learns the same rows in the same
    order, leaves out the same units, and keeps the same best epoch and temperature. In float64
    predictions agree to rounding. In float32 rounding grows from step to step, as it does between
    one thread and two.

    Trained alone are scikit-learn's and boosted students, nets of other classes than ours, nets
    with feature losses, views or callbacks that look at batches, modules that `torch.func` cannot
    run for several at once, and those of several inputs.

    With ``strategy="halving"`` there are rungs at 1 / `factor` of the largest number of epochs, at
    1 / `factor` of that, and so on, while it is at least `min_resources` and there are `factor`
    candidates or more. At a rung every student that is left is scored on the test rows of its fold
    as if its training ended there, with the weights of its best epoch and its temperature, and the
    mean over the folds decides: the score that the search ranks by, of several the one that `refit`
    names. Those that stay go on where they were, and become the students of the full search. They
    rank first, then those that left last. What is trained alone has no rungs: it is trained to its
    end, and is no one's rival before.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
       optimization", AISTATS 2016, and L. Li et al., "Hyperband", JMLR 18, 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
    >>> from skdistill.students import MLP, TablePreprocessor
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(10, random_state=0)
    >>> student = make_pipeline(TablePreprocessor(), StudentNet(MLP, max_epochs=10, lr=0.01))
    >>> model = DistilledClassifier(forest, student, random_state=0)
    >>> search = DistillationSearchCV(model, {"temperature": [1, 2], "alpha": [0.3, 0.9]}, cv=3)
    >>> bool(search.fit(X, y).best_score_ > 0.9)
    True
    >>> len(search.cv_results_["params"])
    4
    """

    cv_results_: dict[str, Any]
    best_estimator_: Any
    best_score_: float
    best_params_: dict[str, Any]
    best_index_: int
    n_resources_: list[int]
    n_candidates_: list[int]
    trained_alone_: list[str | None]
    scorer_: Any
    n_splits_: int
    refit_time_: float
    multimetric_: bool
    feature_names_in_: np.ndarray

    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "param_grid": [dict, list],
        "n_iter": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
        "strategy": [StrOptions({"full", "halving"})],
        "factor": [Interval(Real, 1, None, closed="neither")],
        "min_resources": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        n_iter: int | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        random_state: int | np.random.RandomState | None = None,
        strategy: str = "full",
        factor: float = 3,
        min_resources: int = 3,
    ) -> None:
        self.estimator = estimator
        self.param_grid = param_grid
        self.n_iter = n_iter
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.verbose = verbose
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.random_state = random_state
        self.strategy = strategy
        self.factor = factor
        self.min_resources = min_resources

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike | None = None, **params: Any) -> Self:
        """Fit and score every candidate on every fold, and the best on all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes, \
list of str or of dicts, or dict of array-like
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Labels or numbers.
        **params : dict of str to object
            Metadata, such as `sample_weight`, for the fits, and for scores that take it;
            `groups` for the folds. What has one entry for each row is split with the rows.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When a setting has no such name, when no candidate can be fitted, and when several
            scores are wanted with ``strategy="halving"`` and `refit` names none of them.

        Warns
        -----
        TrainingWarning
            When ``strategy="halving"`` lets no candidate leave.
        """
        with collecting() as heard:
            self._run(X, y, params)
        for message, category in heard[:1]:  # for all fits
            warn_once(message, category)
        return self

    def _run(self, X, y, params):
        """Fit and score every candidate, and the best on all rows."""
        scorer, refit_metric = self._get_scorers()
        halving = self._halving(scorer)
        refuse_files(X)
        refuse_datasets(X)
        X, y = indexable(as_inputs(X), y)
        params = rows_of_params(X, params)
        routed = self._get_routed_params_for_fit(params)
        job = Job(
            clone(self.estimator),
            self._candidates(),
            X,
            y,
            scorer,
            routed.estimator.fit,
            routed.scorer.score,
            self.return_train_score,
            self.error_score,
            self.verbose,
        )
        _check_settings(job)
        _check_target(job)
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **routed.splitter.split))
        _check_folds(job, splits)
        if halving is None:
            found, self.trained_alone_ = evaluate(job, splits, self.n_jobs)
        else:
            found, self.trained_alone_, rounds = evaluate_by_halving(
                job, splits, self.n_jobs, halving
            )
            self.n_resources_, self.n_candidates_ = rounds.n_resources, rounds.n_candidates
        if self.verbose:
            _say(self.trained_alone_)
        settle_failures(found, self.error_score, names_unknown=callable(self.scoring))
        self.n_splits_, self.scorer_ = len(splits), scorers_by_name(scorer)
        results = self._format_results(job.candidates, len(splits), found)
        if halving is not None:
            rounds.add_to(results)
        self._choose(results, found[0]["test_scores"], refit_metric)
        if self.refit:
            self._refit(job)

    def _halving(self, scorer):
        """Return how candidates leave; None where they do not."""
        if self.strategy == "full":
            return None
        scorers = scorers_by_name(scorer)
        if isinstance(scorers, dict) and self.refit not in scorers:
            raise ValueError(who_decides(scorers, self.refit))
        return Halving(self.factor, self.min_resources, self.refit)

    def _candidates(self):
        if self.n_iter is None:
            return list(ParameterGrid(self.param_grid))
        draws = ParameterSampler(self.param_grid, self.n_iter, random_state=self.random_state)
        return list(draws)

    def _choose(self, results, scores, refit_metric):
        """Say which candidate is the best."""
        self.cv_results_, self.multimetric_ = results, isinstance(scores, dict)
        if callable(self.scoring) and self.multimetric_:
            self._check_refit_for_multimetric(scores)
            refit_metric = self.refit
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
        self.best_params_ = results["params"][self.best_index_]
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]

    def _refit(self, job):
        """Fit the best candidate on all rows."""
        started = time.perf_counter()
        best = job.make(self.best_index_)
        known = (job.X,) if job.y is None else (job.X, job.y)
        with whole_trainings():
            self.best_estimator_ = best.fit(*known, **job.fit_params)
        self.refit_time_ = time.perf_counter() - started
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def _check_settings(job):
    """Refuse candidates with settings that are not there, or out of range if that is an error."""
    for number in range(len(job.candidates)):
        model = last_step(job.make(number))
        if job.error_score == "raise" and isinstance(model, BaseDistilled):
            model._validate_params()


def _check_target(job):
    """Refuse what no candidate learns, before there are folds."""
    model = last_step(job.estimator)
    if isinstance(model, BaseDistilled) and job.y is not None and "classes" not in job.fit_params:
        model._task.from_y(job.y)


def _check_folds(job, splits):
    """Refuse a search of nothing, and say how much there is to do."""
    if not (job.candidates and splits):
        raise ValueError(
            f"There are {len(job.candidates)} candidates and {len(splits)} folds to try them on; "
            f"expected at least one of each. Look at param_grid and cv."
        )
    if job.verbose:
        print(
            f"[skdistill] search: {len(job.candidates)} candidates on {len(splits)} folds, "
            f"{len(job.candidates) * len(splits)} fits"
        )


def _say(alone):
    """Print what was trained alone, and why."""
    for reason, count in Counter(filter(None, alone)).items():
        print(f"[skdistill] search: {count} of {len(alone)} candidates trained alone: {reason}")
