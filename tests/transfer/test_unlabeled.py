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

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP
from skdistill.transfer import Unlabeled

N = 12
X, y = np.random.default_rng(0).normal(10.0, 5.0, size=(N, 2)), np.tile([0, 1], N // 2)
LONG_AS_X, SHORTER = X + 100, X[:5] + 100


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps the unlabelled rows of its fit."""

    def __init__(self, setting=0):
        self.setting = setting

    def fit(self, X, y, X_unlabeled=None):
        self.n_fitted_, self.seen_, self.classes_ = len(X), X_unlabeled, np.unique(y)
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


def rows_seen(recorder):
    """Return bare rows, or those of a tuple of one, which a Pipeline makes of what is wrapped."""
    return recorder.seen_[0] if isinstance(recorder.seen_, tuple) else recorder.seen_


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
        assert fitted.seen_.X is rows


@pytest.mark.parametrize(
    "rows",
    [pd.DataFrame(LONG_AS_X), sparse.csr_array(LONG_AS_X), LONG_AS_X.tolist()],
    ids=["frame", "sparse", "list"],
)
def test_any_kind_of_rows(rows):
    for fitted in cross_validated(make_recorder(), Unlabeled(rows)):
        assert fitted.seen_.X is rows
    for fitted in cross_validated(make_recorder(), rows):
        assert fitted.seen_ is not rows


def test_searches_and_calibration_hand_it_on_whole():
    search = GridSearchCV(make_recorder(), {"setting": [0, 1]}, cv=3, error_score="raise")
    search.fit(X, y, X_unlabeled=Unlabeled(LONG_AS_X))
    assert search.best_estimator_.seen_.X is LONG_AS_X
    calibrated = CalibratedClassifierCV(make_recorder(), cv=3)
    calibrated.fit(X, y, X_unlabeled=Unlabeled(LONG_AS_X))
    for inner in calibrated.calibrated_classifiers_:
        assert inner.estimator.seen_.X is LONG_AS_X
    params = {"X_unlabeled": Unlabeled(LONG_AS_X)}
    learning_curve(make_recorder(), X, y, cv=3, params=params, error_score="raise")


@pytest.mark.parametrize("wrap", [Unlabeled, lambda rows: rows], ids=["wrapped", "bare"])
def test_a_pipeline_transforms_the_rows(wrap):
    model = make_pipeline(StandardScaler(), make_recorder(), transform_input=["X_unlabeled"])
    model.fit(X, y, X_unlabeled=wrap(LONG_AS_X))
    np.testing.assert_allclose(rows_seen(model[-1]), (LONG_AS_X - X.mean(axis=0)) / X.std(axis=0))


def test_a_cross_validated_pipeline_transforms_all_rows():
    model = make_pipeline(StandardScaler(), make_recorder(), transform_input=["X_unlabeled"])
    for fitted in cross_validated(model, Unlabeled(LONG_AS_X)):
        np.testing.assert_allclose(rows_seen(fitted[-1]), fitted[0].transform(LONG_AS_X))


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


def answer(rows):
    """Return what a teacher says: the greater one column is than the other, the surer."""
    share = 1 / (1 + np.exp((rows[:, :1] - rows[:, 1:]) / 10))
    return np.hstack([share, 1 - share])


def distil(X_unlabeled):
    net = StudentNet(MLP, module__hidden_units=(), max_epochs=2, train_split=None)
    model = DistilledClassifier(answer, net, random_state=0).fit(X, y, X_unlabeled=X_unlabeled)
    return model.predict_proba(X)


@pytest.mark.parametrize(
    "given",
    [
        LONG_AS_X.tolist(),
        tuple(map(tuple, LONG_AS_X)),
        Unlabeled(LONG_AS_X),
        Unlabeled(LONG_AS_X.tolist()),
        (LONG_AS_X,),
    ],
    ids=["list", "tuple of rows", "wrapped", "wrapped list", "as a Pipeline hands it on"],
)
def test_a_model_learns_from_the_rows_however_they_are_given(given):
    np.testing.assert_array_equal(distil(given), distil(LONG_AS_X))


def test_rows_without_labels_count_and_none_are_none():
    assert not np.array_equal(distil(LONG_AS_X), distil(None))
    assert not np.array_equal(distil(LONG_AS_X), distil(SHORTER))
