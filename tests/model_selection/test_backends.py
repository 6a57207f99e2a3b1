"""Searches whose folds are elsewhere: in processes of joblib, and with dask's workers."""

import copy
import os
import pickle
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import skorch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.naive_bayes import GaussianNB

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.evaluation import distillation_report
from skdistill.students import MLP, Linear

STUDENT = StudentNet(MLP, module__hidden_units=(8,), max_epochs=4, dtype="float64")
MODEL = DistilledClassifier(GaussianNB(), STUDENT, cv=2, random_state=0, device="cpu")


def scores(rows, strategy, n_jobs=None, model=MODEL):
    settings = {"strategy": strategy, "factor": 2, "min_resources": 1, "refit": False}
    grid = {"alpha": [0.1, 0.4, 0.9], "temperature": [1, 3]}
    search = DistillationSearchCV(model, grid, cv=2, n_jobs=n_jobs, **settings).fit(*rows)
    assert search.trained_alone_ == [None] * 6
    return search.cv_results_["mean_test_score"]


@pytest.fixture
def workers():
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster):
        yield


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["full", "halving"])
def test_processes(strategy, rows):
    np.testing.assert_allclose(scores(rows, strategy, 2), scores(rows, strategy), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["full", "halving"])
def test_workers_of_dask(strategy, rows, workers):
    with joblib.parallel_config("dask"):
        own = scores(rows, strategy)
    np.testing.assert_allclose(own, scores(rows, strategy), atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["full", "halving"])
def test_processes_with_a_class_that_is_in_no_file(strategy, rows):
    class Own(Linear):
        pass

    student = StudentNet(Own, max_epochs=4, dtype="float64")
    model = DistilledClassifier(GaussianNB(), student, cv=2, random_state=0, device="cpu")
    found = scores(rows, strategy, 2, model)
    np.testing.assert_allclose(found, scores(rows, strategy, None, model), atol=1e-9)


def mean_confidence(model, X, y=None):
    return float(model.predict_proba(X).max(axis=1).mean())


def taught_by(teacher, **settings):
    return clone(MODEL).set_params(teacher=teacher, cv=None, **settings)


class Told(GaussianNB):
    """A teacher that writes into a file what happens to it."""

    def __init__(self, log, killed_at=None, priors=None):
        super().__init__(priors=priors)
        self.log, self.killed_at = log, killed_at

    def tell(self, what):
        with open(self.log, "a") as file:
            file.write(f"{what} {os.getpid()}\n")

    def __setstate__(self, state):
        super().__setstate__(state)
        self.tell("opened")

    def fit(self, X, y):
        self.tell("fitted")
        return super().fit(X, y)

    def predict_proba(self, X):
        self.tell("asked")
        n_asked = len(Path(self.log).read_text().splitlines())
        if self.killed_at is not None and n_asked == self.killed_at:
            os._exit(9)
        return super().predict_proba(X)


class ToldRows(np.ndarray):
    """Rows that write into a file, beside their values, when they are opened."""

    def __reduce__(self):
        return open_rows, (np.asarray(self), self.log)


def open_rows(values, log):
    with open(log, "a") as file:
        file.write(f"rows {os.getpid()}\n")
    return told_rows(values, log)


def told_rows(values, log):
    rows = values.view(ToldRows)
    rows.log = log
    return rows


@pytest.fixture
def log(tmp_path):
    (tmp_path / "log").touch()
    return tmp_path / "log"


SEARCHES = {
    "grid": (GridSearchCV, {}),
    "full": (DistillationSearchCV, {}),
    "halving": (DistillationSearchCV, {"strategy": "halving", "factor": 2, "min_resources": 1}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SEARCHES)
def test_a_worker_of_dask_opens_teacher_and_rows_once(name, rows, workers, log):
    X, y = rows
    teacher = Told(str(log)).fit(X, y)
    model = taught_by(teacher)
    kind, settings = SEARCHES[name]
    search = kind(model, {"alpha": [0.1, 0.4, 0.9]}, cv=4, refit=False, **settings)
    log.write_text("")
    with joblib.parallel_config("dask"):
        search.fit(told_rows(X, str(log)), y)
    told = [line.split() for line in log.read_text().splitlines()]
    here = str(os.getpid())
    for what in ("opened", "rows"):
        times = Counter(pid for said, pid in told if said == what and pid != here)
        # Rows that are an argument of their own, as in GridSearchCV, dask takes apart itself.
        n_least = 0 if (name, what) == ("grid", "rows") else 1
        assert n_least <= len(times) <= 2 and set(times.values()) <= {1}, (what, times)
    if name != "halving":  # whose students are trained here, so that fits come back, with teachers
        assert ["opened", here] not in told
    assert search.estimator.get_params()["teacher"] is teacher
    own = kind(model, {"alpha": [0.1, 0.4, 0.9]}, cv=4, refit=False, **settings).fit(X, y)
    np.testing.assert_allclose(
        search.cv_results_["mean_test_score"], own.cv_results_["mean_test_score"], atol=1e-9
    )


@pytest.mark.slow
def test_a_search_without_labels_on_workers_of_dask(rows, workers):
    model = taught_by(GaussianNB().fit(*rows), alpha=1)
    search = DistillationSearchCV(
        model, {"temperature": [1, 3]}, cv=2, scoring=mean_confidence, refit=False
    )
    expected = search.fit(rows[0]).cv_results_["mean_test_score"]
    with joblib.parallel_config("dask"):
        search.fit(rows[0])
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected, atol=1e-9)


@pytest.mark.slow
def test_workers_of_dask_share_a_memory(rows, workers, log, tmp_path):
    model = taught_by(Told(str(log)), memory=str(tmp_path / "memory")).set_params(cv=2)
    with joblib.parallel_config("dask"):
        GridSearchCV(model, {"alpha": [0.1, 0.4, 0.9]}, cv=2, refit=False).fit(*rows)
    told = [line.split()[0] for line in log.read_text().splitlines()]
    # On each training part two for the answers, and one for all of its rows.
    assert told.count("fitted") == 2 * 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["grid", "full"])
def test_a_killed_worker_of_dask_costs_its_own_tasks(name, rows, workers, log):
    X, y = rows
    folds = [(train.tolist(), test.tolist()) for train, test in KFold(4).split(X)]
    kind, settings = SEARCHES[name]
    model = taught_by(Told(str(log)).fit(X, y))
    search = kind(model, {"alpha": [0.1, 0.4, 0.9]}, cv=folds, refit=False, **settings)
    expected = search.fit(X, y).cv_results_["mean_test_score"]
    search.set_params(estimator__teacher=Told(str(log), killed_at=5).fit(X, y))
    log.write_text("")
    with joblib.parallel_config("dask", scatter=[X, y]):
        search.fit(X, y)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], expected, atol=1e-9)


@pytest.fixture
def with_dask(monkeypatch):
    """Stand in for dask where it is not: it is imported, and here is none of its tasks."""

    def get_worker():
        raise ValueError("No worker found")

    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(get_worker=get_worker))
    monkeypatch.setitem(sys.modules, "cloudpickle", pickle)


def test_elsewhere_each_copy_of_a_model_has_a_teacher_of_its_own(rows, with_dask):
    model = taught_by(GaussianNB().fit(*rows))
    sent = pickle.dumps(model)
    first, second, deep = pickle.loads(sent), pickle.loads(sent), copy.deepcopy(model)
    again = pickle.loads(pickle.dumps(first))
    shallow = copy.copy(second)
    teachers = [one.teacher for one in (model, first, second, deep, again)]
    assert len({id(teacher) for teacher in teachers}) == 5
    assert shallow.teacher is second.teacher is second.get_params()["teacher"]
    for one in (model, first, second, deep, again):
        assert vars(one).keys() == vars(model).keys()
        np.testing.assert_array_equal(one.teacher.theta_, model.teacher.theta_)
    X = rows[0][:5]
    expected = model.fit(*rows).predict_proba(X)
    np.testing.assert_array_equal(first.fit(*rows).predict_proba(X), expected)
    fitted = pickle.loads(pickle.dumps(first))
    assert fitted.teacher is fitted.teacher_


def test_what_memory_keeps_is_found_again_where_dask_is_in_use(
    rows, tmp_path, monkeypatch, request
):
    model = taught_by(GaussianNB().fit(*rows))

    def report():
        return distillation_report(model, *rows, *rows, memory=str(tmp_path))

    def train(*args, **kwargs):
        pytest.fail("a student was trained again")

    first = report()
    monkeypatch.setattr(skorch.NeuralNet, "fit_loop", train)
    request.getfixturevalue("with_dask")
    pd.testing.assert_series_equal(report().to_frame()["log_loss"], first.to_frame()["log_loss"])


def test_a_teacher_that_cannot_be_pickled_is_the_callers_affair(rows, with_dask):
    model = taught_by(lambda X: np.full((len(X), 2), 0.5))
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(model)
    assert copy.deepcopy(model).teacher is model.teacher  # as of any function
