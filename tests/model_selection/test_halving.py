"""Successive halving: who leaves, when, and that those who stay are those of the full search."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch.callbacks import EarlyStopping

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.exceptions import TrainingWarning
from skdistill.students import MLP, TablePreprocessor, TabularMLP

NET = "student__"
GRID = {"alpha": [0.1, 0.5, 0.9], NET + "lr": [1e-4, 1e-3, 1e-2]}
HALVING = {"strategy": "halving", "min_resources": 1, "cv": 2, "scoring": "neg_log_loss"}


def net(module=MLP, **settings):
    settings = {"max_epochs": 9, "dtype": "float64", "module__hidden_units": (8,)} | settings
    return StudentNet(module, **settings)


def model(student=None, **settings):
    settings = {"random_state": 0, "device": "cpu", "cv": 2} | settings
    return DistilledClassifier(GaussianNB(), student or net(), **settings)


def halved(rows, estimator=None, grid=GRID, fit=None, **settings):
    search = DistillationSearchCV(estimator or model(), grid, **HALVING | settings)
    return search.fit(*rows, **(fit or {}))


def test_who_leaves_and_when(rows):
    search = halved(rows)
    found = search.cv_results_
    assert (search.n_resources_, search.n_candidates_) == ([1, 3, 9], [9, 3, 1])
    np.testing.assert_array_equal(found["n_resources"], np.array([1, 3, 9])[found["iter"]])
    there, last = np.arange(9), len(search.n_resources_) - 1
    for rung, epochs in enumerate(search.n_resources_):
        # Students that stop after some epochs of a schedule that is made for nine.
        short = model(net(max_epochs=epochs)).set_params(student__callbacks__schedule__T_max=9)
        settings = {"cv": 2, "scoring": "neg_log_loss", "refit": False}
        scores = DistillationSearchCV(short, GRID, **settings).fit(*rows)
        scores = scores.cv_results_["mean_test_score"]
        left = found["iter"] == rung
        np.testing.assert_allclose(found["mean_test_score"][left], scores[left], atol=1e-9)
        if rung < last:
            there = there[np.argsort(-scores[there])][: search.n_candidates_[rung + 1]]
            assert set(there) == set(np.flatnonzero(found["iter"] > rung))
    assert search.best_index_ == there[0] and found["rank_test_score"][there[0]] == 1
    assert search.best_score_ == found["mean_test_score"][there[0]]
    assert sorted(found["rank_test_score"]) == list(range(1, 10))
    order = np.argsort(found["rank_test_score"])
    assert (np.diff(found["iter"][order]) <= 0).all()


def short(**settings):
    return net(**{"max_epochs": 4} | settings)


LR = {NET + "lr": [1e-3, 1e-2, 1e-1]}
KEPT = {
    "dropout": lambda: (model(short(module__dropout=0.3)), LR),
    "numbers embedded": lambda: (
        model(make_pipeline(TablePreprocessor(), short(module=TabularMLP, module__dropout=0.2))),
        {"alpha": [0.2, 0.5, 0.8]},
    ),
    "an early end": lambda: (
        model(short(callbacks=[EarlyStopping(patience=1, threshold=0.02)])),
        {NET + "lr": [0.001, 0.01, 0.1, 0.5]},
    ),
    "lengths": lambda: (model(short(module__dropout=0.1)), {NET + "max_epochs": [1, 2, 4]}),
    "momentum, and batches of two sizes": lambda: (
        model(short(optimizer=torch.optim.SGD, optimizer__momentum=0.9)),
        {NET + "lr": [0.01, 0.1], NET + "batch_size": [16, 64]},
    ),
    "a state from the start": lambda: (model(short(optimizer=torch.optim.Adagrad)), LR),
    "a shape each": lambda: (model(short()), {NET + "module__hidden_units": [(), (3,), (5, 4)]}),
    "a step before": lambda: (
        make_pipeline(StandardScaler(), model(short())),
        {"distilledclassifier__alpha": [0, 0.2, 0.5, 0.9]},
    ),
    "numbers": lambda: (
        DistilledRegressor(
            LinearRegression(),
            StudentNetRegressor(MLP, module__hidden_units=(8,), max_epochs=4, dtype="float64"),
            random_state=0,
            device="cpu",
        ),
        {"alpha": [0.2, 0.6, 1]},
    ),
}


QUICK = {"an early end", "lengths", "momentum, and batches of two sizes", "numbers"}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (case not in QUICK)) for case in KEPT]
)
@pytest.mark.slow_except("lengths", "momentum, and batches of two sizes")
def test_those_who_stay_are_those_of_the_full_search(case, rows, looks):
    estimator, grid = KEPT[case]()
    X, y = (part[:120] for part in rows)

    def score(estimator, X, y):
        return {"score": estimator.score(X, y)} | looks(estimator, X, y)

    settings = {"cv": 2, "scoring": score}
    own = halved((X, y), estimator, grid, factor=2, refit="score", **settings)
    full = DistillationSearchCV(estimator, grid, refit=False, **settings).fit(X, y)
    stay = own.cv_results_["iter"] == len(own.n_resources_) - 1
    assert 0 < stay.sum() < len(stay) and own.trained_alone_ == [None] * len(stay)
    for name in full.cv_results_:
        if name.startswith("mean_test"):
            kept, its = (search.cv_results_[name][stay] for search in (own, full))
            np.testing.assert_allclose(kept, its, rtol=0, atol=1e-9, err_msg=name)


def test_the_best_is_fitted_on_all_rows(rows):
    search = halved(rows, model(short()), LR, factor=2)
    alone = model(short()).set_params(**search.best_params_).fit(*rows)
    np.testing.assert_array_equal(search.predict_proba(rows[0]), alone.predict_proba(rows[0]))


@pytest.mark.slow
def test_what_is_trained_alone_never_leaves(rows):
    trees = [DecisionTreeClassifier(max_depth=depth, random_state=0) for depth in (1, 2)]
    search = halved(rows, grid=[{"student": trees}, GRID])
    assert search.cv_results_["iter"].tolist()[:2] == [2, 2]
    assert search.n_candidates_ == [9, 3, 3]
    assert all("trains by itself" in reason for reason in search.trained_alone_[:2])
    full = DistillationSearchCV(model(), {"student": trees}, cv=2, scoring="neg_log_loss")
    scores = full.fit(*rows).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"][:2], scores)
    whole = halved(rows, model(net(max_epochs=3)), {"alpha": [0.2, 0.4, 0.5, "auto"]})
    assert whole.cv_results_["iter"].tolist()[3] == 1 and whole.n_candidates_ == [3, 2]


def test_what_fails_leaves_first(rows):
    grid = {"alpha": [0.3, 0.5, 2.0, 0.7], NET + "lr": [1e-3, 1e-2]}
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="finite"):
        search = halved(rows, grid=grid)
    failed = np.isnan(search.cv_results_["mean_test_score"])
    assert failed.tolist() == [False] * 4 + [True] * 2 + [False] * 2
    assert (search.cv_results_["iter"][failed] == 0).all()
    assert search.n_candidates_ == [8, 2]
    assert sorted(search.cv_results_["rank_test_score"][failed]) == [7, 7]
    with pytest.raises(ValueError, match="alpha"):
        halved(rows, grid=grid, error_score="raise")


def test_scores_that_fail(rows):
    def fails(estimator, X, y):
        if estimator.alpha == 0.5:
            raise RuntimeError("no score")
        return estimator.score(X, y)

    with pytest.warns(UserWarning, match="Scoring failed"), pytest.warns(match="finite"):
        search = halved(rows, scoring=fails)
    assert (search.cv_results_["iter"][search.cv_results_["param_alpha"] == 0.5] == 0).all()


@pytest.mark.slow
def test_several_scores_of_which_one_decides(rows):
    several = {"scoring": ["accuracy", "neg_log_loss"], "return_train_score": True}
    search, one = halved(rows, refit="neg_log_loss", **several), halved(rows)
    assert search.cv_results_["iter"].tolist() == one.cv_results_["iter"].tolist()
    scores = search.cv_results_["mean_test_neg_log_loss"]
    np.testing.assert_array_equal(scores, one.cv_results_["mean_test_score"])
    assert np.isfinite(search.cv_results_["mean_train_accuracy"]).all()
    assert search.best_index_ == search.cv_results_["rank_test_neg_log_loss"].argmin()


def test_a_function_that_refits(rows):
    search = halved(rows, refit=lambda results: int(np.flatnonzero(results["iter"] == 1)[0]))
    assert search.cv_results_["iter"][search.best_index_] == 1
    assert search.best_estimator_.get_params()["alpha"] == search.best_params_["alpha"]


@pytest.mark.slow
def test_drawn_settings_groups_and_one_result_for_one_seed(rows):
    settings = {"n_iter": 6, "random_state": 5, "cv": GroupKFold(2), "factor": 2}
    fit = {"groups": np.arange(241) // 3}
    searches = [halved(rows, fit=fit, **settings) for _ in range(2)]
    first, second = (search.cv_results_ for search in searches)
    for name in first:
        if "time" not in name and "param" not in name:
            np.testing.assert_array_equal(first[name], second[name])
    assert searches[0].n_resources_ == [1, 2, 4, 9]
    assert searches[0].n_candidates_ == [6, 3, 2, 1]


def test_it_says_who_stays(rows, capsys):
    halved(rows, verbose=1, refit=False)
    said = capsys.readouterr().out
    assert "18 fits have begun" in said and "candidates leave after [1, 3] epochs" in said
    assert "3 epochs, the best 1 of 3 candidates stay, about" in said


@pytest.mark.parametrize(
    "settings",
    [{"min_resources": 4}, {"grid": {"alpha": [0.1, 0.9]}}],
    ids=["epochs", "candidates"],
)
def test_it_warns_that_none_leaves(settings, rows):
    with pytest.warns(TrainingWarning, match=r"no candidate leave.*expected 3 or more.*Lower"):
        search = halved(rows, **settings)
    assert search.n_resources_ == [9] and (search.cv_results_["iter"] == 0).all()


def refusing(**settings):
    return halved((np.eye(9), np.arange(9) % 2), **settings)


REFUSED = {
    "another strategy": (ValueError, lambda: refusing(strategy="race"), "'strategy'.*'race'"),
    "a factor of 1": (ValueError, lambda: refusing(factor=1), "'factor'.*Got 1"),
    "no epochs": (ValueError, lambda: refusing(min_resources=0), "'min_resources'.*Got 0"),
    "half an epoch": (ValueError, lambda: refusing(min_resources=0.5), "'min_resources'.*Got 0.5"),
    "several scores, of which none decides": (
        ValueError,
        lambda: refusing(scoring=["accuracy", "neg_log_loss"], refit=False),
        r"\['accuracy', 'neg_log_loss'\] and refit=False.*expected the name.*Name it in refit",
    ),
    "several scores, and a function": (
        ValueError,
        lambda: refusing(scoring=["accuracy", "neg_log_loss"], refit=len),
        "expected the name of the score.*Name it in refit",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_nested_in_cross_validate_each_fold_has_a_halving_of_its_own(rows):
    X, y = rows
    taught = model().set_params(teacher=LogisticRegression())
    search = DistillationSearchCV(taught, {"alpha": [0.1, 0.5, 0.9]}, **HALVING)
    pipe, folds = make_pipeline(StandardScaler(), search), StratifiedKFold(2)
    found = cross_validate(pipe, X, y, cv=folds, scoring="neg_log_loss", return_estimator=True)
    for (train, test), fitted, score in zip(
        folds.split(X, y), found["estimator"], found["test_score"], strict=True
    ):
        scaler = StandardScaler().fit(X[train])
        alone = clone(search).fit(scaler.transform(X[train]), y[train])
        assert fitted[-1].best_params_ == alone.best_params_
        assert score == pytest.approx(alone.score(scaler.transform(X[test]), y[test]), abs=1e-9)
