"""The interface of the search: GridSearchCV's and RandomizedSearchCV's, and their results."""

import pickle
import re
import warnings
from itertools import count

import numpy as np
import pytest
import sklearn
import torch
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning, TrainingWarning
from skdistill.students import MLP

STUDENT = StudentNet(MLP, module__hidden_units=(8,), max_epochs=2, batch_size=32, dtype="float64")
MODEL = DistilledClassifier(LogisticRegression(), STUDENT, cv=2, random_state=0, device="cpu")
GRID = {"temperature": [1, 3], "alpha": [0.4, 1]}
SCORING = ["accuracy", "neg_log_loss"]


def searched(rows, estimator=MODEL, grid=GRID, fit=None, **settings):
    return DistillationSearchCV(estimator, grid, **{"cv": 2} | settings).fit(*rows, **(fit or {}))


def test_the_best_is_fitted_on_all_rows(rows, compare):
    own = searched(rows)
    other = GridSearchCV(MODEL, GRID, cv=2).fit(*rows)
    compare(own, other)
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(own, name) == getattr(other, name), name
    assert own.refit_time_ > 0 and own.n_features_in_ == 6
    np.testing.assert_array_equal(own.classes_, other.classes_)
    np.testing.assert_array_equal(own.predict_proba(rows[0]), other.predict_proba(rows[0]))
    assert own.score(*rows) == other.score(*rows)


def first(results):
    return 1


def two_scores(estimator, X, y):
    return {"accuracy": estimator.score(X, y), "rows": len(X)}


SETTINGS = {
    "several scorings": {"scoring": SCORING, "refit": "neg_log_loss"},
    "a function that refits": {"refit": first, "scoring": SCORING},
    "training scores": {"return_train_score": True},
    "a scorer": {"scoring": make_scorer(accuracy_score)},
    "a function of several scores": {"scoring": two_scores, "refit": "rows"},
    "folds of unequal size": {"cv": ShuffleSplit(3, train_size=0.61, random_state=0)},
    "a list of splits": {"cv": [(np.arange(150), np.arange(150, 241))]},
    "two processes": {"n_jobs": 2},
}


SLOW = {"folds of unequal size", "a scorer", "a function that refits"}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (case in SLOW)) for case in SETTINGS]
)
@pytest.mark.slow_except("several scorings", "a list of splits")
def test_settings_of_a_search(case, rows, compare):
    settings = {"cv": 2} | SETTINGS[case]
    own, other = searched(rows, **settings), GridSearchCV(MODEL, GRID, **settings).fit(*rows)
    compare(own, other)
    assert own.best_params_ == other.best_params_
    assert type(own.scorer_) is type(other.scorer_)


def test_drawn_settings(rows, compare):
    draws = {"alpha": uniform(0.1, 0.8), "student__lr": [0.001, 0.01]}
    settings = {"n_iter": 4, "random_state": 3, "cv": 2}
    own = searched(rows, grid=draws, **settings)
    compare(own, RandomizedSearchCV(MODEL, draws, **settings).fit(*rows))


def test_groups_stay_together(rows, compare):
    fit = {"groups": np.arange(241) // 3}
    own = searched(rows, cv=GroupKFold(2), fit=fit)
    compare(own, GridSearchCV(MODEL, GRID, cv=GroupKFold(2)).fit(*rows, **fit))


@pytest.mark.parametrize("routing", [False, True])
def test_weights_go_to_fits_and_scores(rows, routing, compare):
    weight = np.random.default_rng(0).random(241)
    with sklearn.config_context(enable_metadata_routing=routing):
        model = clone(MODEL)
        scorer = make_scorer(accuracy_score)
        if routing:
            model.set_fit_request(sample_weight=True)
            model.teacher.set_fit_request(sample_weight=True)
            scorer.set_score_request(sample_weight=True)
        settings = {"scoring": scorer, "cv": 2}
        own = searched(rows, model, fit={"sample_weight": weight}, **settings)
        other = GridSearchCV(model, GRID, **settings).fit(*rows, sample_weight=weight)
    compare(own, other)


def test_a_search_in_a_search_and_in_a_pipeline(rows):
    settings = {"cv": 2, "refit": True}
    own, other = (kind(MODEL, GRID, **settings) for kind in (DistillationSearchCV, GridSearchCV))
    scores = [
        cross_val_score(make_pipeline(StandardScaler(), search), *rows, cv=2)
        for search in (own, other)
    ]
    np.testing.assert_allclose(*scores)


KNOWN = {
    "the whole grid": {},
    "refitted": {"refit": True},
    "halving": {"strategy": "halving", "factor": 1.5, "min_resources": 1},
    "fits that are whole": {"grid": {"alpha": ["auto", 0.3]}},
}


@pytest.mark.parametrize("case", KNOWN)
@pytest.mark.slow_except("halving", "the whole grid")
def test_a_search_says_once_that_the_teacher_knows_the_rows(case):
    X, y = make_classification(600, 10, n_informative=4, flip_y=0.3, random_state=0)
    known, others = (X[:300], y[:300]), (X[300:], y[300:])
    forest = RandomForestClassifier(20, random_state=0).fit(*known)
    model = clone(MODEL).set_params(teacher=FrozenEstimator(forest), cv=None)
    settings = {"refit": False} | KNOWN[case]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        searched(known, model, **settings)
        n_caught = len(caught)
        searched(others, model, **settings)
    said = ["these very rows" in str(each.message) for each in caught]
    assert sum(said) == sum(said[:n_caught]) == 1
    assert caught[said.index(True)].category is TeacherWarning
    assert caught[said.index(True)].filename == __file__


class Counting(RandomForestClassifier):
    """A forest that counts its fits, those of its clones too."""

    fits = 0

    def fit(self, X, y):
        Counting.fits += 1
        return super().fit(X, y)


def test_the_teacher_is_fitted_once_for_all_candidates(rows):
    model = clone(MODEL).set_params(teacher=Counting(5, random_state=0), cv=3)
    Counting.fits = 0
    searched(rows, model, refit=False)
    assert Counting.fits == 2 * (3 + 1)  # on each of two folds: three clones, and the teacher
    Counting.fits = 0
    grid = {"teacher__max_depth": [2, 3], "alpha": [0.4, 1]}
    searched(rows, model, grid, refit=False)
    assert Counting.fits == 2 * 2 * (3 + 1)


class CountingScaler(StandardScaler):
    """A step that counts its fits, those of its clones too."""

    fits = 0

    def fit(self, X, y=None, sample_weight=None):
        CountingScaler.fits += 1
        return super().fit(X, y, sample_weight)


def test_a_step_before_is_fitted_once_on_each_fold(rows):
    pipeline = make_pipeline(CountingScaler(), MODEL)
    CountingScaler.fits = 0
    searched(rows, pipeline, {"distilledclassifier__alpha": [0.2, 0.5, 0.8]}, refit=False)
    assert CountingScaler.fits == 2


class Mortal(Counting):
    """A forest in one of whose fits the program ends."""

    last = None

    def fit(self, X, y):
        if Counting.fits == self.last:
            raise KeyboardInterrupt
        return super().fit(X, y)


@pytest.mark.parametrize("strategy", ["full", "halving"])
def test_a_search_that_was_ended_goes_on(rows, strategy, tmp_path, monkeypatch):
    model = clone(MODEL).set_params(teacher=Mortal(5, random_state=0), cv=3)
    grid, settings = {"alpha": [0.2, 0.5, 0.8]}, {"refit": False, "strategy": strategy}
    settings |= {"min_resources": 1, "factor": 2}
    known = searched(rows, model, grid, **settings)
    model.set_params(memory=str(tmp_path))
    Counting.fits = 0
    monkeypatch.setattr(Mortal, "last", 5)
    with pytest.raises(KeyboardInterrupt):
        searched(rows, model, grid, **settings)
    monkeypatch.setattr(Mortal, "last", None)
    again = searched(rows, model, grid, **settings)
    assert Counting.fits == 2 * (3 + 1)  # as many as of one search
    scores = [search.cv_results_["mean_test_score"] for search in (again, known)]
    np.testing.assert_array_equal(*scores)


def test_a_candidate_that_cannot_be_fitted(rows):
    grid = {"alpha": [0.3, 0.5, 0.7, 2.0]}
    with pytest.warns(FitFailedWarning, match="alpha"), pytest.warns(UserWarning, match="finite"):
        own = searched(rows, grid=grid, refit=False)
    scores = own.cv_results_["mean_test_score"]
    assert np.isnan(scores).tolist() == [False, False, False, True]
    alone = searched(rows, grid={"alpha": grid["alpha"][:3]}, refit=False)
    np.testing.assert_array_equal(scores[:3], alone.cv_results_["mean_test_score"])
    with pytest.raises(ValueError, match="alpha"):
        searched(rows, grid=grid, error_score="raise")
    with pytest.raises(ValueError, match="All the 2 fits failed"):
        searched(rows, grid={"alpha": [2.0]})


class Failing(RandomForestClassifier):
    """A forest that cannot be fitted."""

    def fit(self, X, y):
        raise RuntimeError("no licence")


def test_what_keeps_all_candidates_from_a_teacher_is_told_shortly(rows):
    model = clone(MODEL).set_params(teacher=Failing())
    with pytest.raises(ValueError, match="All the 12 fits failed") as told:
        searched(rows, model, {"alpha": [0.1, 0.3, 0.4, 0.5, 0.6, 0.7]})
    assert str(told.value).count("RuntimeError: no licence") == 1
    assert str(told.value).count("_same_rows.py") < 10  # and not so often for each candidate


def test_a_student_that_diverges_leaves_the_others_alone(rows, compare):
    rates = {"student__lr": [0.01, 1e30, 0.02]}
    model = clone(MODEL).set_params(student__optimizer=torch.optim.SGD, student__batch_size=8)
    with pytest.warns(TrainingWarning, match="NaN or infinite"):
        own = searched(rows, model, rates, refit=False)
    with pytest.warns(TrainingWarning, match="NaN or infinite"):
        other = GridSearchCV(model, rates, cv=2, refit=False).fit(*rows)
    compare(own, other)
    assert own.trained_alone_ == [None] * 3


def test_other_estimators_are_searched_as_by_scikit_learn(rows, compare):
    estimator, grid = LogisticRegression(), {"C": [0.1, 1]}
    own = searched(rows, estimator, grid)
    compare(own, GridSearchCV(estimator, grid, cv=2).fit(*rows))
    assert own.trained_alone_ == ["LogisticRegression is no distilled estimator"] * 2


def test_what_was_given_is_left_as_it_is(rows):
    search = DistillationSearchCV(MODEL, GRID, cv=2)
    before, X = pickle.dumps(MODEL), rows[0].copy()
    search.fit(*rows)
    assert pickle.dumps(MODEL) == before
    np.testing.assert_array_equal(rows[0], X)
    copy = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(copy.predict(X), search.predict(X))
    assert not hasattr(clone(search), "cv_results_")


def test_it_says_how_far_it_is_and_what_is_trained_alone(rows, capsys, monkeypatch):
    ticks = count(0, 3.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    tree = clone(MODEL).set_params(student=DecisionTreeClassifier(max_depth=2, random_state=0))
    searched(rows, tree, {"alpha": [0.1, 0.5]}, verbose=1, refit=False)
    said = capsys.readouterr().out
    assert "2 candidates on 2 folds, 4 fits" in said
    assert "4 of 4 fits" in said and re.search(r"3 of 4 fits, \d+.0 s, about \d+ s left", said)
    assert "2 of 2 candidates trained alone: DecisionTreeClassifier trains by itself" in said


SHARES = {"one by one": ([0.5], [33, 66, 83]), "in a stack": ([0.2, 0.5], [66])}


@pytest.mark.parametrize("how", SHARES)
def test_it_says_how_far_students_are_before_they_are_over(how, rows, capsys, monkeypatch):
    alphas, expected = SHARES[how]
    ticks = count(0, 3.0)
    monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
    model = clone(MODEL).set_params(student__max_epochs=3)
    searched(rows, model, {"alpha": alphas}, verbose=1, refit=False)
    said = capsys.readouterr().out
    found = re.findall(r"(\d+) % of \d+ fits, \d+.0 s, about \d+ s left", said)
    assert [int(share) for share in found] == expected


def refusing(grid=GRID, fit=None, **settings):
    rows = np.eye(9), np.arange(9) % 2
    return lambda: searched(rows, MODEL, grid, fit, **{"error_score": "raise"} | settings)


REFUSED = {
    "a setting that is not there": (
        ValueError,
        refusing({"warmth": [1]}),
        "Invalid parameter 'warmth'.*Valid parameters",
    ),
    "no values": (ValueError, refusing({"alpha": []}), "alpha.*non-empty"),
    "no list": (TypeError, refusing({"alpha": 0.5}), "alpha.*0.5"),
    "a list of no settings": (ValueError, refusing([]), "0 candidates.*at least one"),
    "a grid that is no dict": (ValueError, refusing("alpha"), "'param_grid'.*'alpha'"),
    "a value out of its range": (ValueError, refusing({"alpha": [0.5, 2]}), "'alpha'.*Got 2"),
    "a distribution without n_iter": (
        TypeError,
        refusing({"alpha": uniform(0, 1)}),
        "alpha.*needs to be a list",
    ),
    "no folds": (
        ValueError,
        refusing(cv=iter([])),
        "4 candidates and 0 folds.*at least one of each.*param_grid and cv",
    ),
    "one fold": (ValueError, refusing(cv=1), r"'cv'.*\[2, inf\).*Got 1"),
    "another word for cv": (ValueError, refusing(cv="five"), "cv.*'five'"),
    "n_iter is 0": (ValueError, refusing(n_iter=0), "'n_iter' parameter.*Got 0"),
    "a score of no name": (ValueError, refusing(scoring="goodness"), "'scoring'.*'goodness'"),
    "several scorings, and none to choose by": (
        ValueError,
        refusing(scoring=SCORING),
        "refit must be set",
    ),
    "another one to choose by": (
        ValueError,
        refusing(scoring=SCORING, refit="f1"),
        "refit must be set.*'f1' was passed",
    ),
    "n_jobs is a word": (ValueError, refusing(n_jobs="all"), "'n_jobs'.*'all'"),
    "verbose is a word": (ValueError, refusing(verbose="yes"), "'verbose'.*'yes'"),
    "error_score is a word": (ValueError, refusing(error_score="skip"), "'error_score'.*'skip'"),
    "return_train_score is a word": (
        ValueError,
        refusing(return_train_score="yes"),
        "'return_train_score'.*'yes'",
    ),
    "random_state is a word": (
        ValueError,
        refusing(n_iter=2, random_state="zero"),
        "'random_state'.*'zero'",
    ),
    "rows without labels": (
        ValueError,
        lambda: DistillationSearchCV(MODEL, GRID, cv=2, error_score="raise").fit(np.eye(9)),
        "requires y to be passed",
    ),
    "too few labels": (
        ValueError,
        lambda: DistillationSearchCV(MODEL, GRID).fit(np.eye(9), [0, 1]),
        r"inconsistent numbers of samples.*\[9, 2\]",
    ),
    "metadata that nobody takes": (
        TypeError,
        refusing(fit={"weights": np.ones(9)}),
        "weights",
    ),
    "no estimator": (
        ValueError,
        lambda: DistillationSearchCV("model", GRID).fit(np.eye(9), np.arange(9) % 2),
        "'estimator'.*'model'",
    ),
    "not fitted": (
        NotFittedError,
        lambda: DistillationSearchCV(MODEL, GRID).predict(np.eye(9)),
        "not fitted yet",
    ),
}


def learning_teacher(self, *args):
    pytest.fail("the teacher was fitted")


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, monkeypatch):
    monkeypatch.setattr(RandomForestClassifier, "fit", learning_teacher)
    refused(*REFUSED[case])
