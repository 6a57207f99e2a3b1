"""The arms of a report: no test label reaches them, and they are what their names say."""

import pickle

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    RandomForestClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    distillation_report,
)

ARMS = [
    "teacher",
    "plain",
    "plain + temperature",
    "label smoothing",
    "teacher's hard labels",
    "distilled",
]


def two_classes(n=360, n_test=120, seed=0):
    X, y = make_classification(n, 8, n_informative=4, flip_y=0.1, random_state=seed)
    return X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]


def three_classes():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    X, y = X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]
    return X[:100], y[:100], X[100:], y[100:]


def small_net(**parameters):
    return make_pipeline(
        StandardScaler(),
        StudentNet(
            **{"module__hidden_units": (8,), "max_epochs": 3, "batch_size": 32, **parameters}
        ),
    )


def recipe(teacher=None, student=None, **parameters):
    """A forest and a small net: seconds are for other tests."""
    return DistilledClassifier(
        RandomForestClassifier(5, random_state=0) if teacher is None else teacher,
        small_net() if student is None else student,
        **{"random_state": 0, **parameters},
    )


@pytest.fixture(scope="module")
def report():
    return distillation_report(recipe(), *two_classes(), groups=["b", "a", "a"] * 40)


def by_arm(report):
    return {row["arm"]: row for row in report.rows}


# ---------------------------------------------------------------------------------------------
# No arm sees a test label
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [pytest.param(False, marks=pytest.mark.slow), True])
def test_permuted_test_labels_leave_every_probability_as_it_was(fitted):
    X_train, y_train, X_test, y_test = two_classes()
    model = recipe()
    if fitted:
        model.fit(X_train, y_train)
    permuted = np.random.default_rng(0).permutation(y_test)
    assert not np.array_equal(permuted, y_test)
    first = distillation_report(model, X_train, y_train, X_test, y_test)
    second = distillation_report(model, X_train, y_train, X_test, permuted)
    assert list(first.probabilities) == ARMS
    for arm in ARMS:
        np.testing.assert_array_equal(first.probabilities[arm], second.probabilities[arm])
    assert first.temperature == second.temperature
    assert by_arm(first)["plain"]["log_loss"] != by_arm(second)["plain"]["log_loss"]


SEEN = []


class SpyTeacher(ClassifierMixin, BaseEstimator):
    """Naive Bayes that remembers the rows that any copy of it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        SEEN.append(("teacher", np.asarray(X)))
        self.inner_ = GaussianNB().fit(X, y, sample_weight)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)


class SpyStep(TransformerMixin, BaseEstimator):
    """A student's preprocessing that remembers the rows that any copy of it was fitted on."""

    def fit(self, X, y=None):
        SEEN.append(("student", np.asarray(X)))
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


def spy_recipe(**parameters):
    return recipe(
        SpyTeacher(), make_pipeline(SpyStep(), *dict(small_net().steps).values()), **parameters
    )


@pytest.fixture
def spied():
    SEEN.clear()
    return SEEN


def test_no_fit_is_given_a_test_row(spied):
    X_train, y_train, X_test, y_test = two_classes()
    distillation_report(spy_recipe(), X_train, y_train, X_test, y_test, n_seeds=2)
    assert {name for name, _ in spied} == {"teacher", "student"}
    test_rows = {row.tobytes() for row in X_test}
    for _, X in spied:
        assert not test_rows & {np.ascontiguousarray(row).tobytes() for row in X}


def test_the_temperature_is_fitted_on_rows_that_its_student_was_not_fitted_on(spied):
    X_train, y_train, X_test, y_test = two_classes()
    distillation_report(spy_recipe(), X_train, y_train, X_test, y_test)
    kept = [X for name, X in spied if name == "student" and len(X) < len(X_train)]
    assert len(kept) == 3
    assert sum(len(X_train) - len(X) for X in kept) == len(X_train)  # each row is left out once


# ---------------------------------------------------------------------------------------------
# The arms are what their names say
# ---------------------------------------------------------------------------------------------


class Bias(nn.Module):
    """A student that can learn one distribution for all rows."""

    def __init__(self, n_classes):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_classes))

    def forward(self, X):
        return X.new_zeros(len(X), 1) + self.logits


def converged(module):
    return StudentNet(
        module,
        optimizer=torch.optim.SGD,
        lr=2.0,
        max_epochs=100,
        batch_size=-1,
        train_split=None,
        callbacks__schedule=None,
        callbacks__keep_best=None,
    )


def test_arms_of_a_student_that_can_learn_one_distribution_only():
    X_train, y_train, X_test, y_test = two_classes()
    teacher = GaussianNB().fit(X_train, y_train)
    model = recipe(teacher, converged(Bias), alpha=0.25)
    report = distillation_report(model, X_train, y_train, X_test, y_test)
    rates = np.bincount(y_train) / len(y_train)
    taught = teacher.predict_proba(X_train)
    expected = {
        "teacher": teacher.predict_proba(X_test),
        "plain": rates,
        "label smoothing": 0.9 * rates + 0.05,
        "teacher's hard labels": np.bincount(taught.argmax(axis=1)) / len(y_train),
        "distilled": 0.75 * rates + 0.25 * taught.mean(axis=0),
    }
    for arm, p in expected.items():
        np.testing.assert_allclose(
            report.probabilities[arm], np.broadcast_to(p, (len(y_test), 2)), atol=1e-5, err_msg=arm
        )


def test_plain_is_the_recipe_fitted_with_alpha_0(report):
    X_train, y_train, X_test, _ = two_classes()
    plain = recipe(alpha=0.0).set_params(teacher=None).fit(X_train, y_train)
    np.testing.assert_array_equal(report.probabilities["plain"], plain.predict_proba(X_test))


def test_plain_with_temperature_is_plain_softened_by_one_number():
    X_train, y_train, X_test, y_test = two_classes()
    X_train, y_train = X_train[:80], y_train[:80]
    student = small_net(module__hidden_units=(64,), lr=0.05, max_epochs=40, train_split=None)
    report = distillation_report(recipe(student=student), X_train, y_train, X_test, y_test)
    assert report.temperature > 1  # a net that was trained for too long is sure of itself
    log_p = np.log(np.maximum(report.probabilities["plain"], 1e-12))
    np.testing.assert_allclose(
        report.probabilities["plain + temperature"],
        softmax(log_p / report.temperature, axis=1),
        atol=1e-12,
    )
    rows = by_arm(report)
    assert rows["plain + temperature"]["log_loss"] < rows["plain"]["log_loss"]
    assert rows["plain + temperature"]["accuracy"] == rows["plain"]["accuracy"]


def test_classes_of_one_or_two_rows_leave_no_row_to_fit_the_temperature_on():
    X, y = np.arange(8.0).reshape(-1, 1), np.array([0, 1, 0, 1, 0, 1, 0, 1])
    few = [0, 1, 2, 3]
    teacher = GaussianNB().fit(X, y)
    report = distillation_report(recipe(teacher), X[few], y[few], X, y)
    assert report.temperature == 1.0


@pytest.mark.parametrize(
    "teacher", ["fitted", "cross-fitted", pytest.param("in-sample", marks=pytest.mark.slow)]
)
def test_an_unfitted_model_gives_the_arms_of_a_fitted_one(teacher):
    X_train, y_train, X_test, y_test = three_classes()
    unseeded = RandomForestClassifier(20, min_samples_leaf=5)
    model = {
        "fitted": recipe(GaussianNB().fit(X_train, y_train), temperature=2.0),
        "cross-fitted": recipe(unseeded, calibrate=True),
        "in-sample": recipe(unseeded, cv="in-sample"),
    }[teacher]
    unfitted = distillation_report(model, X_train, y_train, X_test, y_test)
    assert not hasattr(model, "student_")
    model.fit(X_train, y_train)
    fitted = distillation_report(model, X_train, y_train, X_test, y_test)
    for arm in ARMS:
        np.testing.assert_allclose(
            unfitted.probabilities[arm], fitted.probabilities[arm], atol=1e-6, err_msg=arm
        )


def test_a_fitted_model_is_used_as_it_is(spied):
    X_train, y_train, X_test, y_test = two_classes()
    model = spy_recipe().fit(X_train, y_train)
    before = pickle.dumps(model)
    spied.clear()
    report = distillation_report(model, X_train, y_train, X_test, y_test)
    assert pickle.dumps(model) == before
    np.testing.assert_array_equal(report.probabilities["distilled"], model.predict_proba(X_test))
    np.testing.assert_allclose(
        report.probabilities["teacher"], model.teacher_.predict_proba(X_test), rtol=1e-9
    )
    # Cross-fitted once for the hard labels and not on all rows; three arms and three folds.
    assert [name for name, _ in spied].count("teacher") == 5
    assert [name for name, _ in spied].count("student") == 6


def test_the_teacher_is_fitted_once_for_all_seeds(spied):
    distillation_report(spy_recipe(), *two_classes(), n_seeds=3)
    assert [name for name, _ in spied].count("teacher") == 6  # 5 folds and all rows


@pytest.fixture(scope="module")
def two_sets():
    _, _, X_test, y_test = two_classes()
    noise = np.random.default_rng(0).normal(size=(60, 8))
    return {"clean": X_test, "2019": X_test[:60] + noise}, {"clean": y_test, "2019": y_test[:60]}


def test_students_are_fitted_once_for_all_test_sets(spied, two_sets):
    X_train, y_train, _, _ = two_classes()
    distillation_report(spy_recipe(), X_train, y_train, *two_sets)
    fits = [name for name, _ in spied]
    spied.clear()
    distillation_report(spy_recipe(), X_train, y_train, two_sets[0]["clean"], two_sets[1]["clean"])
    assert fits == [name for name, _ in spied]
