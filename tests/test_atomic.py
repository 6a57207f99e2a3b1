"""A fit that is refused or breaks off leaves the estimator as it was."""

import re

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from skorch import NeuralNetClassifier

from skdistill import (
    DistilledClassifier,
    DistilledEnsembleClassifier,
    DistilledQuantileRegressor,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.students import MLP, TablePreprocessor
from skdistill.teachers import EnsembleTeacher, RegressorEnsemble

X, Y = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)
OTHER, BINARY = X[:80, :4], Y[:80] > 0


class Breaking(MLP):
    """Breaks in its tenth training step, once it is told to."""

    breaks = False

    def __init__(self, n_features, n_classes):
        super().__init__(n_features, n_classes, hidden_units=(8,))
        self.n_steps = 0

    def forward(self, rows):
        self.n_steps += self.training
        if Breaking.breaks and self.training and self.n_steps % 10 == 0:
            raise RuntimeError("broken")
        return super().forward(rows)


class Refusing(LogisticRegression):
    """A teacher that wants three classes."""

    def fit(self, X, y, sample_weight=None):
        if len(np.unique(y)) < 3:
            raise ArithmeticError("two classes are no fun")
        return super().fit(X, y, sample_weight)


def net(**settings):
    return StudentNet(Breaking, max_epochs=3, lr=0.01, **settings)


def of_skorch():
    """Return the student that stands in a fitted model for a net of skorch."""
    student = NeuralNetClassifier(Breaking(6, 3), max_epochs=3, batch_size=8, verbose=0)
    with torch.random.fork_rng():
        model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, Y)
    return clone(model.student_)


def scaled(**settings):
    return make_pipeline(StandardScaler(), net(**settings))


NANS = np.where(np.arange(80)[:, None] == 3, np.nan, OTHER)
CASES = {
    "labels of another length": (
        DistilledClassifier(Refusing(), scaled(), cv=2, random_state=0),
        lambda model: model.fit(OTHER, BINARY[1:]),
        "inconsistent numbers of samples",
    ),
    "a setting": (
        DistilledClassifier(LogisticRegression(), scaled(), cv=2, random_state=0),
        lambda model: model.set_params(alpha=3).fit(OTHER, BINARY),
        "'alpha'",
    ),
    "the teacher's fit": (
        DistilledClassifier(Refusing(), scaled(), cv=2, random_state=0),
        lambda model: model.fit(OTHER, BINARY),
        "no fun",
    ),
    "the student's preprocessing": (
        DistilledClassifier(None, scaled(), alpha=0, random_state=0),
        lambda model: model.fit(NANS, BINARY),
        "NaN",
    ),
    "the student's training": (
        DistilledClassifier(LogisticRegression(), scaled(), cv=2, random_state=0),
        lambda model: model.fit(OTHER, BINARY),
        "broken",
    ),
    "a net": (net(), lambda model: model.fit(OTHER, BINARY), "broken"),
    "a net that goes on": (net(), lambda model: model.partial_fit(X, Y), "broken"),
    "a net that starts warm": (net(warm_start=True), lambda model: model.fit(X, Y), "broken"),
    "a net of skorch that goes on": (
        of_skorch(),
        lambda model: model.set_params(net__warm_start=True).fit(X, Y),
        "broken",
    ),
    "a net that goes on with other rows": (
        net(),
        lambda model: model.partial_fit(OTHER, Y[:80]),
        "features",
    ),
    "a preprocessor": (
        TablePreprocessor(),
        lambda model: model.fit(np.full((4, 2), np.inf)),
        "infinity",
    ),
}


def answers(model):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.transform(X)


@pytest.mark.changes_global_rng  # a net of its own draws from torch's generator
@pytest.mark.parametrize("case", CASES)
def test_classifiers(case, monkeypatch):
    model, attempt, message = CASES[case]
    torch.manual_seed(0)
    model.fit(X, Y)
    before, attributes = np.array(answers(model)), set(vars(model))
    monkeypatch.setattr(Breaking, "breaks", True)
    with pytest.raises(Exception, match=message):
        attempt(model)
    assert set(vars(model)) == attributes
    np.testing.assert_array_equal(answers(model), before)
    assert "classes_" not in attributes or model.classes_.tolist() == [0, 1, 2]
    if "n_features_in_" in attributes:
        assert model.n_features_in_ == 6


@pytest.mark.changes_global_rng
def test_the_history_of_an_earlier_fit(monkeypatch):
    student = net().fit(X, Y)
    history = student.history
    monkeypatch.setattr(Breaking, "breaks", True)
    with pytest.raises(RuntimeError, match="broken"):
        student.fit(X, Y)
    assert student.history is history and len(history) == 3
    monkeypatch.setattr(Breaking, "breaks", False)
    assert student.fit(X, Y).history is not history and len(history) == 3


@pytest.mark.changes_global_rng
@pytest.mark.parametrize(
    "model",
    [
        DistilledRegressor(Ridge(), StudentNetRegressor(Breaking, max_epochs=2), random_state=0),
        StudentNetRegressor(Breaking, max_epochs=2),
    ],
)
def test_regressors(model, monkeypatch):
    torch.manual_seed(0)
    before = model.fit(X, X[:, 0]).predict(X)
    monkeypatch.setattr(Breaking, "breaks", True)
    for y in (OTHER[1:, 0], OTHER[:, :2]):
        with pytest.raises((ValueError, RuntimeError)):
            model.fit(OTHER, y)
        np.testing.assert_array_equal(model.predict(X), before)


# The teacher's view of the rows


class Scaler(ClassifierMixin, BaseEstimator):
    """Writes into the rows that it is asked about, as a scaler in place would."""

    classes_ = np.array([0, 1, 2])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        p = LogisticRegression().fit(X, Y[: len(X)]).predict_proba(X)
        X[...] = 0
        return p


@pytest.mark.parametrize(
    "teacher", [Scaler(), Scaler().predict_proba], ids=["estimator", "function"]
)
def test_a_teacher_that_writes_into_its_rows_changes_nothing(teacher):
    rows = X.copy()
    student = StudentNet(max_epochs=3)
    model = DistilledClassifier(teacher, student, random_state=0).fit(rows, Y)
    np.testing.assert_array_equal(rows, X)
    targets = LogisticRegression().fit(X, Y).predict_proba(X)
    alone = DistilledClassifier(None, student, random_state=0).fit(X, Y, soft_targets=targets)
    np.testing.assert_allclose(model.predict_proba(X), alone.predict_proba(X), atol=1e-6)


class Interrupted(QuantileRegressor):
    """Is broken off in its fit."""

    def fit(self, X, y, sample_weight=None):
        raise KeyboardInterrupt


class InterruptedClassifier(LogisticRegression):
    """Its sibling for labels."""

    def fit(self, X, y, sample_weight=None):
        raise KeyboardInterrupt


TREE = DecisionTreeRegressor(max_depth=3, random_state=0)
ENSEMBLES = {
    "EnsembleTeacher": (
        EnsembleTeacher([LogisticRegression(), GaussianNB()]),
        {"teachers": [GaussianNB(), InterruptedClassifier()]},
    ),
    "RegressorEnsemble": (
        RegressorEnsemble([Ridge(), TREE]),
        {"teachers": [TREE, Interrupted()]},
    ),
    "DistilledEnsembleClassifier": (
        DistilledEnsembleClassifier([LogisticRegression(), GaussianNB()], TREE),
        {"ensemble": [GaussianNB(), InterruptedClassifier()]},
    ),
    "DistilledQuantileRegressor": (
        DistilledQuantileRegressor(student=StudentNetRegressor(max_epochs=1), random_state=0),
        {"teacher": Interrupted()},
    ),
}


@pytest.mark.parametrize("case", ENSEMBLES)
def test_ensembles_and_quantiles(case):
    model, broken = ENSEMBLES[case]
    model = clone(model).fit(X, Y)
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    before = getattr(model, method)(X)
    model.set_params(**broken)
    with pytest.raises(KeyboardInterrupt):
        model.fit(OTHER, Y[:80])
    np.testing.assert_array_equal(getattr(model, method)(X), before)


@pytest.mark.parametrize("fitted", [False, True])
def test_gaps_at_predict_are_refused_alike_whether_the_teacher_was_fitted(fitted):
    teacher = KNeighborsClassifier()
    teacher = teacher.fit(X, Y) if fitted else teacher
    model = DistilledClassifier(teacher, random_state=0).set_params(
        student=make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1))
    )
    model.fit(X, Y)
    gap = X[:5].copy()
    gap[2, 1] = np.nan
    with pytest.raises(ValueError, match=re.escape("Input X contains NaN, as no row of fit did")):
        model.predict(gap)
