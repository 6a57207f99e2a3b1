"""The default student with settings of its own: set through, cloned, searched, refused."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.evaluation import capacity_curve
from skdistill.exceptions import StudentError
from skdistill.students import DefaultStudent, TablePreprocessor

X, Y = make_classification(80, 5, random_state=0)
TEACHER = GaussianNB().fit(X, Y)
IMAGES = np.random.default_rng(0).random((20, 2, 8, 8))
SHORT = {"lr": 0.03, "max_epochs": 2}


def distilled(student=None):
    return DistilledClassifier(TEACHER, student, random_state=0)


def alone(student):
    return DistilledClassifier(None, student, alpha=0, random_state=0)


# What it becomes


def named(net):
    return make_pipeline(TablePreprocessor(), net)


ONE_AND_THE_SAME = {
    "classifier": (distilled(), distilled(named(StudentNet(**SHORT))), X, Y),
    "regressor": (
        DistilledRegressor(Ridge(), random_state=0),
        DistilledRegressor(Ridge(), named(StudentNetRegressor(**SHORT)), random_state=0),
        X,
        X[:, 0],
    ),
}


@pytest.mark.parametrize("case", ONE_AND_THE_SAME)
def test_it_is_the_default_with_other_settings(case):
    default, expected, rows, y = ONE_AND_THE_SAME[case]
    through = clone(default).set_params(student__lr=0.03, student__max_epochs=2).fit(rows, y)
    given = clone(default).set_params(student=DefaultStudent(**SHORT)).fit(rows, y)
    expected = clone(expected).fit(rows, y)
    np.testing.assert_array_equal(through.predict(rows), expected.predict(rows))
    np.testing.assert_array_equal(given.predict(rows), expected.predict(rows))
    assert type(through.student_) is Pipeline


@pytest.mark.parametrize("rows", [IMAGES, ["some words", "other words"] * 10])
def test_it_is_what_none_is_whatever_the_rows(rows):
    y = np.arange(20) % 2
    given, none = (
        alone(student).fit(rows, y).student_ for student in (DefaultStudent(max_epochs=1), None)
    )
    assert len(none.steps) > 1
    assert list(map(repr, given[:-1])) == list(map(repr, none[:-1]))
    assert type(given[-1].module_) is type(none[-1].module_)
    assert len(given[-1].history) == 1


def test_views_are_heard():
    model = alone(DefaultStudent(max_epochs=1, views="shift"))
    assert model.fit(IMAGES, np.arange(20) % 2).student_[-1].views == "shift"


# The contract of scikit-learn


def test_what_is_set_is_shown_and_goes_round():
    model = distilled()
    assert not any(name.startswith("student__") for name in model.get_params())
    model.set_params(student__lr=0.5, student__module__hidden_units=(4,), alpha=0.25)
    params = model.get_params()
    assert params["student__lr"] == 0.5
    assert params["student__module__hidden_units"] == (4,)
    assert params["alpha"] == 0.25
    assert distilled().set_params(**params).get_params() == params
    model.set_params(student__lr=0.25)
    assert model.student.get_params() == {"lr": 0.25, "module__hidden_units": (4,)}
    assert model.set_params(student=None, student__lr=1.0).student.get_params() == {"lr": 1.0}


@pytest.mark.parametrize("copied", [clone, lambda part: pickle.loads(pickle.dumps(part))])
def test_copies_are_like_it_and_apart(copied):
    model = distilled(DefaultStudent(lr=0.5))
    copy = copied(model)
    assert repr(copy.student) == "DefaultStudent(lr=0.5)"
    copy.set_params(student__lr=0.25)
    assert model.student.lr == 0.5


def test_it_is_set_through_within_a_pipeline():
    model = make_pipeline(StandardScaler(), distilled())
    model.set_params(distilledclassifier__student__lr=0.5)
    assert model[-1].student.lr == 0.5


GRID = {"student__lr": [1e-4, 0.05], "student__max_epochs": [1]}


def test_it_is_searched_like_any_other():
    expected = GridSearchCV(
        distilled(named(StudentNet())),
        {f"student__studentnet__{name.removeprefix('student__')}": v for name, v in GRID.items()},
        cv=2,
        scoring="neg_log_loss",
    ).fit(X, Y)
    scores = expected.cv_results_["mean_test_score"]
    search = GridSearchCV(distilled(), GRID, cv=2, scoring="neg_log_loss").fit(X, Y)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], scores)
    stacked = DistillationSearchCV(distilled(), GRID, cv=2, scoring="neg_log_loss").fit(X, Y)
    np.testing.assert_allclose(stacked.cv_results_["mean_test_score"], scores, rtol=1e-4)
    assert stacked.trained_alone_ == [None, None]
    assert distilled().get_params()["student"] is None


def test_its_width_is_found():
    curve = capacity_curve(
        distilled(DefaultStudent(max_epochs=1)), X, Y, param_range=[2, 4], cv=[(range(60), [70])]
    )
    assert curve.param_name == "student__net__module__hidden_units"


# What is refused


def fit(student):
    return lambda: distilled(student).fit(X, Y)


UNKNOWN = r"default student has no settings \['lrr'\]; expected .*'lr'.*'module'.*name them"
REFUSED = {
    "set through": (StudentError, lambda: distilled().set_params(student__lrr=1), UNKNOWN),
    "set again": (
        StudentError,
        lambda: distilled(DefaultStudent(lr=1)).set_params(student__lrr=1),
        UNKNOWN,
    ),
    "set alone": (StudentError, lambda: DefaultStudent().set_params(lrr=1), UNKNOWN),
    "given": (StudentError, fit(DefaultStudent(lrr=1)), UNKNOWN),
    "a part that is not there": (
        StudentError,
        lambda: distilled().set_params(student__modul__hidden_units=(4,)),
        r"no settings \['modul__hidden_units'\]; expected .*'module'",
    ),
    "views that the teacher cannot answer for": (
        ValueError,
        lambda: distilled(DefaultStudent(views="mixup")).fit(X, Y),
        "views.*GaussianNB.*network",
    ),
    "a value out of range": (ValueError, fit(DefaultStudent(lr=-1)), "'lr' .*Got -1 instead"),
    "a setting of the module that is not there": (
        StudentError,
        fit(DefaultStudent(module__width=4)),
        "'width'. Check its module__",
    ),
    "in a grid": (
        StudentError,
        lambda: DistillationSearchCV(distilled(), {"student__lrr": [1]}).fit(X, Y),
        UNKNOWN,
    ),
    "behind steps": (
        StudentError,
        fit(make_pipeline(StandardScaler(), DefaultStudent())),
        r"student is DefaultStudent\(\); expected .*a Pipeline that ends in",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_what_is_refused_changes_nothing():
    model = distilled()
    with pytest.raises(StudentError):
        model.set_params(alpha=0.1, student__lrr=1)
    assert (model.student, model.alpha) == (None, 0.5)
