"""With a folder for its answers, a teacher is asked about each row once by all of evaluation."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import (
    ReliabilityDisplay,
    _shipped,
    bias_variance_decomposition,
    capacity_curve,
    diagnose,
    distillation_report,
    leaderboard,
    learning_curves,
    robustness_curve,
    temperature_alpha_map,
)
from skdistill.exceptions import TeacherWarning
from skdistill.teachers import CallableTeacher, ClassGraphTeacher
from skdistill.transfer import GaussianNoise

X, Y = make_classification(180, 6, flip_y=0.1, random_state=0)
X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = X[:120], Y[:120], X[120:], Y[120:]


class Asked:
    """A teacher behind a function, and the rows that it was asked about."""

    def __init__(self):
        self.model = LogisticRegression().fit(X_TRAIN, Y_TRAIN)
        self.rows = []

    def __call__(self, rows):
        self.rows += [row.tobytes() for row in np.asarray(rows)]
        return self.model.predict_proba(rows)

    def count(self):
        """The rows asked since the last count; an error if one came twice."""
        rows, self.rows = self.rows, []
        assert len(set(rows)) == len(rows)
        return len(rows)


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def model(asked, tmp_path, monkeypatch):
    # To be timed a teacher has to be asked.
    monkeypatch.setattr(_shipped, "prediction_times", lambda *_: (np.nan, np.nan))
    teacher = CallableTeacher(asked, classes=[0, 1], cache_key="a logistic regression")
    student = StudentNet(module__hidden_units=(4,), max_epochs=1, batch_size=32)
    return DistilledClassifier(teacher, student, memory=str(tmp_path), random_state=0)


ROWS = (X_TRAIN, Y_TRAIN, X_TEST, Y_TEST)


def test_report_and_diagnosis_share_the_answers(model, asked):
    distillation_report(model, *ROWS)
    assert asked.count() == len(X)
    distillation_report(model, *ROWS)
    diagnose(model, *ROWS)
    fitted = model.fit(X_TRAIN, Y_TRAIN)
    ReliabilityDisplay.from_estimator(fitted, X_TEST, Y_TEST, ax=Figure().subplots())
    assert asked.count() == 0


@pytest.mark.parametrize("calibrate", [False, "temperature", "prior"])
@pytest.mark.parametrize("also_labels", [False, True])
def test_without_a_memory_the_report_asks_about_each_row_once(model, asked, calibrate, also_labels):
    teacher = model.teacher
    if also_labels:
        teacher = [teacher, ClassGraphTeacher(np.eye(2))]
    model.set_params(memory=None, calibrate=calibrate, teacher=teacher)
    distillation_report(model, *ROWS)
    assert asked.count() == len(X)


def test_without_a_memory_a_leaderboard_asks_about_each_row_once(model, asked):
    model.set_params(memory=None, calibrate=True)
    leaderboard(model, *ROWS, students={"a tree": DecisionTreeClassifier(max_depth=2)})
    assert asked.count() == len(X)


ASKED_ONCE = {
    "plain answers": {},
    "a calibrated one": {"calibrate": "temperature"},
    "one that is taught nothing": {"alpha": 0.0},
    "with class probabilities of the labels": {"also_labels": True},
    "with generated rows": {"augment": GaussianNoise(factor=0.5)},
}


@pytest.mark.parametrize("case", ASKED_ONCE)
def test_without_a_memory_a_diagnosis_asks_about_each_row_once(model, asked, case):
    settings = dict(ASKED_ONCE[case])
    if settings.pop("also_labels", False):
        settings["teacher"] = [model.teacher, ClassGraphTeacher(np.eye(2))]
    model.set_params(memory=None, **settings)
    found = diagnose(model, *ROWS)
    n_made = 60 if "augment" in settings else 0
    assert asked.count() == len(X) + n_made
    # A fitted model does not keep what its teacher said, which is asked for again: the same.
    again = diagnose(model.fit(X_TRAIN, Y_TRAIN), *ROWS)
    assert found.verdict == again.verdict
    assert found.figures.keys() == again.figures.keys()
    np.testing.assert_array_equal([*found.figures.values()], [*again.figures.values()])


def test_a_diagnosis_of_numbers_asks_about_each_row_once():
    rows = []

    def teacher(X):
        rows.extend(row.tobytes() for row in X)
        return X[:, 0] + X[:, 1]

    model = DistilledRegressor(teacher, DecisionTreeRegressor(max_depth=3), random_state=0)
    diagnose(model, X_TRAIN, X_TRAIN[:, 0], X_TEST, X_TEST[:, 0])
    assert len(rows) == len(set(rows)) == len(X)


@pytest.mark.parametrize("alpha", [0.5, "auto"])
def test_a_diagnosis_fits_an_unfitted_teacher_as_often_as_its_model_does(model, alpha):
    student = DecisionTreeClassifier(random_state=0)  # learns the noise of labels by heart
    model.set_params(teacher=Counted(), memory=None, alpha=alpha, student=student)
    Counted.fits, Counted.asked = 0, 0
    model.fit(X_TRAIN, Y_TRAIN)
    assert model.alpha_ > 0
    fits, answers = Counted.fits, Counted.asked
    Counted.fits, Counted.asked = 0, 0
    diagnose(clone(model), *ROWS)
    assert (Counted.fits, Counted.asked) == (fits, answers + len(X_TEST))


@pytest.mark.parametrize("calibrate", [False, True])
def test_a_teacher_that_knows_its_rows_by_heart_is_told_from_what_it_said(model, calibrate):
    """The losses that are compared are those of its own answers, whatever calibrates them."""
    knowing = RandomForestClassifier(5, random_state=0).fit(X_TRAIN, Y_TRAIN)
    model.set_params(memory=None, calibrate=calibrate, teacher=knowing)
    own, others = (log_loss(y, knowing.predict_proba(rows)) for rows, y in (ROWS[:2], ROWS[2:]))
    with pytest.warns(TeacherWarning, match=f"log-loss is {own:.3f} on .* and {others:.3f} on the"):
        distillation_report(model, *ROWS)


def test_classes_that_a_teacher_does_not_know_count_as_wrong(model):
    """A row of such a class is no row that it knows by heart."""
    y, y_test = np.where(X_TRAIN[:, 0] > 1, 2, Y_TRAIN), np.where(X_TEST[:, 0] > 1, 2, Y_TEST)
    teacher = RandomForestClassifier(5, random_state=0).fit(X_TRAIN[y < 2], y[y < 2])
    model.set_params(memory=None, teacher=teacher)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        report = distillation_report(model, X_TRAIN, y, X_TEST, y_test)
    assert np.isfinite(report.rows[0]["log_loss"])
    assert not any("memorised" in str(one.message) for one in caught)


def test_curves_share_the_answers(model, asked):
    learning_curves(model, X, Y, cv=2, train_sizes=[0.5, 1.0])
    assert asked.count() == len(X)
    capacity_curve(model, X, Y, cv=3, param_range=[2])
    temperature_alpha_map(model, X, Y, cv=2, temperatures=[1], alphas=[0.5])
    assert asked.count() == 0


def test_a_robustness_curve_asks_about_the_same_corrupted_rows_once(model, asked):
    model.fit(X_TRAIN, Y_TRAIN)
    asked.count()
    first = robustness_curve(model, X_TEST, Y_TEST, strengths=[0.0, 0.5], random_state=0)
    asked.rows.clear()
    again = robustness_curve(model, X_TEST, Y_TEST, strengths=[0.0, 0.5], random_state=0)
    assert asked.count() == 0
    assert again.rows == first.rows


class Counted(LogisticRegression):
    fits, asked = 0, 0

    def fit(self, X, y):
        Counted.fits += 1
        return super().fit(X, y)

    def predict_proba(self, X):
        Counted.asked += len(X)
        return super().predict_proba(X)


def test_an_unfitted_teacher_is_fitted_and_asked_once(model):
    model.set_params(teacher=Counted())
    Counted.fits, Counted.asked = 0, 0
    distillation_report(model, *ROWS)
    assert (Counted.fits, Counted.asked) == (5 + 1, len(X))
    diagnose(model, *ROWS)
    assert (Counted.fits, Counted.asked) == (5 + 1, len(X))


def test_a_decomposition_against_the_teacher_that_is_made_again_asks_nobody(model):
    model.set_params(teacher=Counted())
    settings = {"against": "teacher", "n_rounds": 3, "random_state": 0}
    first = bias_variance_decomposition(model, *ROWS, **settings)
    Counted.fits, Counted.asked = 0, 0
    again = bias_variance_decomposition(model, *ROWS, **settings)
    assert (Counted.fits, Counted.asked) == (0, 0)
    assert again.loss == first.loss
