"""Unlabeled: rows that scikit-learn cuts when they are bare, and hands on whole when wrapped."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_validate, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill.transfer import Unlabeled
from skdistill.transfer._unlabeled import unwrap

N = 12
X, y = np.random.default_rng(0).normal(10.0, 5.0, size=(N, 2)), np.tile([0, 1], N // 2)
LONG_AS_X, SHORTER = X + 100, X[:5] + 100


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps the unlabelled rows of its fit."""

    def __init__(self, setting=0):
        self.setting = setting

    def fit(self, X, y, X_unlabeled=None):
        self.n_fitted_, self.seen_, self.classes_ = len(X), unwrap(X_unlabeled), np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def make_recorder():
    return Recorder().set_fit_request(X_unlabeled=True)


def cross_validated(estimator, X_unlabeled):
    result = cross_validate(
        estimator, X, y, cv=3, params={"X_unlabeled": X_unlabeled}, return_estimator=True
    )
    return result["estimator"]


def test_bare_rows_as_many_as_x_are_cut_for_every_fold():
    for fitted in cross_validated(make_recorder(), LONG_AS_X):
        assert fitted.seen_.shape == (fitted.n_fitted_, 2) == (8, 2)


@pytest.mark.parametrize("rows", [LONG_AS_X, SHORTER], ids=["as many as X", "fewer"])
def test_wrapped_rows_stay_whole(rows):
    for fitted in cross_validated(make_recorder(), Unlabeled(rows)):
        assert fitted.seen_ is rows


@pytest.mark.parametrize(
    "rows",
    [pd.DataFrame(LONG_AS_X), sparse.csr_array(LONG_AS_X), LONG_AS_X.tolist()],
    ids=["frame", "sparse", "list"],
)
def test_any_kind_of_rows(rows):
    for fitted in cross_validated(make_recorder(), Unlabeled(rows)):
        assert fitted.seen_ is rows
    for fitted in cross_validated(make_recorder(), rows):
        assert fitted.seen_ is not rows


def test_searches_and_calibration_hand_it_on_whole():
    search = GridSearchCV(make_recorder(), {"setting": [0, 1]}, cv=3, error_score="raise")
    search.fit(X, y, X_unlabeled=Unlabeled(LONG_AS_X))
    assert search.best_estimator_.seen_ is LONG_AS_X
    calibrated = CalibratedClassifierCV(make_recorder(), cv=3)
    calibrated.fit(X, y, X_unlabeled=Unlabeled(LONG_AS_X))
    for inner in calibrated.calibrated_classifiers_:
        assert inner.estimator.seen_ is LONG_AS_X
    params = {"X_unlabeled": Unlabeled(LONG_AS_X)}
    learning_curve(make_recorder(), X, y, cv=3, params=params, error_score="raise")


@pytest.mark.parametrize("wrap", [Unlabeled, lambda rows: rows], ids=["wrapped", "bare"])
def test_a_pipeline_transforms_the_rows(wrap):
    model = make_pipeline(StandardScaler(), make_recorder(), transform_input=["X_unlabeled"])
    model.fit(X, y, X_unlabeled=wrap(LONG_AS_X))
    np.testing.assert_allclose(model[-1].seen_, (LONG_AS_X - X.mean(axis=0)) / X.std(axis=0))


def test_a_cross_validated_pipeline_transforms_all_rows():
    model = make_pipeline(StandardScaler(), make_recorder(), transform_input=["X_unlabeled"])
    for fitted in cross_validated(model, Unlabeled(LONG_AS_X)):
        np.testing.assert_allclose(fitted[-1].seen_, fitted[0].transform(LONG_AS_X))


def test_copies_are_wrapped_too():
    copied = pickle.loads(pickle.dumps(Unlabeled(LONG_AS_X)))
    assert isinstance(copied, Unlabeled)
    np.testing.assert_array_equal(copied.X, LONG_AS_X)


@pytest.mark.parametrize(
    "rows, text",
    [
        (LONG_AS_X, "Unlabeled(ndarray of shape (12, 2))"),
        (pd.DataFrame(SHORTER), "Unlabeled(DataFrame of shape (5, 2))"),
        (SHORTER.tolist(), "Unlabeled(list)"),
    ],
    ids=["array", "frame", "list"],
)
def test_repr_is_short(rows, text):
    assert repr(Unlabeled(rows)) == text


@pytest.mark.parametrize(
    "rows", [None, LONG_AS_X, [[1.0, 2.0]], ((1.0, 2.0), (3.0, 4.0))], ids=type
)
def test_other_values_are_left_as_they_are(rows):
    assert unwrap(rows) is rows
