"""Searches whose folds are elsewhere: in processes of joblib, and with dask's workers."""

import joblib
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
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
