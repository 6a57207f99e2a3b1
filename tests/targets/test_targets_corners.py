"""Targets in corners: arrays that cannot be written to, classes beyond y, answers from labels."""

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import shuffle

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP
from skdistill.targets import Targets, teacher_targets
from skdistill.teachers import ClassGraphTeacher

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
SOFT = GaussianNB().fit(X, Y).predict_proba(X)
STUDENT = StudentNet(MLP, module__hidden_units=(6,), max_epochs=3, batch_size=32)
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def fit(targets=None, y=Y, *, teacher=None, X_unlabeled=None, classes=None, **settings):
    model = DistilledClassifier(teacher, STUDENT, random_state=0, device="cpu", **settings)
    return model.fit(X, y, soft_targets=targets, X_unlabeled=X_unlabeled, classes=classes)


def locked(tmp_path):
    values = SOFT.copy()
    values.flags.writeable = False
    return values


def mapped(tmp_path):
    joblib.dump(SOFT, tmp_path / "answers")
    return joblib.load(tmp_path / "answers", mmap_mode="r")


@pytest.mark.parametrize("values", [locked, mapped])
def test_an_array_that_cannot_be_written_to_is_learnt_from(values, tmp_path):
    targets = Targets(values(tmp_path), classes=[0, 1, 2])
    expected = fit(SOFT).predict_proba(X)
    np.testing.assert_array_equal(fit(targets).predict_proba(X), expected)


def test_a_class_that_the_answers_lack_leaves_the_user_s_array_as_it_is():
    values = SOFT[:, :2] / SOFT[:, :2].sum(axis=1, keepdims=True)
    before = values.copy()
    fit(Targets(values, classes=[0, 1]))
    np.testing.assert_array_equal(values, before)


def test_classes_beyond_those_of_y():
    teacher = GaussianNB().fit(X, Y)
    few = np.where(Y == 2, 1, Y)
    expected = fit(y=few, teacher=teacher, classes=[0, 1, 2]).predict_proba(X)
    targets = teacher_targets(teacher, X, few, classes=[0, 1, 2])
    assert targets.classes.tolist() == [0, 1, 2]
    found = fit(targets, few, classes=[0, 1, 2]).predict_proba(X)
    np.testing.assert_array_equal(found, expected)
    assert found[:, 2].max() > 0.1


MIXED = teacher_targets([GaussianNB(), ClassGraphTeacher(np.ones((3, 3)))], X, Y, random_state=0)
GRAPH = teacher_targets(ClassGraphTeacher(np.ones((3, 3))), X, Y)
REFUSED = {
    "polars": (
        ValueError,
        lambda: Targets(pl.DataFrame(SOFT, schema=["2", "0", "1"])),
        r"table with the columns \['2', '0', '1'\]; expected an array.*table.to_numpy\(\)",
    ),
    "pandas": (
        ValueError,
        lambda: Targets(pd.DataFrame(SOFT, columns=list("abc")), "numbers"),
        "expected an array, whose columns come in the order of `classes`",
    ),
    "targets": (ValueError, lambda: Targets(Targets(SOFT)), "got Targets; expected an array"),
    "more of one dimension": (
        ValueError,
        lambda: Targets(SOFT, more=[SOFT[:, 0]]),
        r"more rows of shape \(150,\); expected \(n_rows, 3\)",
    ),
    "more of another width": (
        ValueError,
        lambda: Targets(SOFT, more=[SOFT[:4, :2]]),
        r"more rows of shape \(4, 2\); expected \(n_rows, 3\)",
    ),
    "features of few rows": (
        ValueError,
        lambda: Targets(SOFT, features={"0": [np.ones((9, 6))]}),
        r"layer '0' for \[9\] rows; expected \[150\]",
    ),
    "features without those of more": (
        ValueError,
        lambda: Targets(SOFT, more=[SOFT[:4]], features={"0": [np.ones((150, 6))]}),
        r"\[150\] rows; expected \[150, 4\]: an array for `values`, and one for each of `more`",
    ),
    "calibration of answers from labels": (
        ValueError,
        lambda: fit(GRAPH, calibrate=True),
        "answers made from the labels.*expected calibrate=False",
    ),
    "calibration where some are from labels": (
        ValueError,
        lambda: fit(MIXED, calibrate="prior"),
        r"expected calibrate=False.*teacher_targets\(..., calibrate='prior'\)",
    ),
    "classes of a teacher of numbers": (
        ValueError,
        lambda: teacher_targets(lambda rows: rows[:, 0], X, Y, task="numbers", classes=[0, 1]),
        "where numbers are asked for; expected None",
    ),
    "classes without y": (
        ValueError,
        lambda: teacher_targets(GaussianNB().fit(X, Y), X, classes=[0, 1, 2, 3]),
        "without y; expected None: the columns are then the teacher's own classes",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
