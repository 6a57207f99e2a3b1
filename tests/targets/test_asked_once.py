"""What a teacher is, is found out once in a fit."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.targets import teacher_targets

X, Y = load_iris(return_X_y=True)
X = X.astype(np.float32)


class Counts(BaseEstimator):
    """An estimator that counts how often it is asked whether it is fitted; a clone begins anew."""

    def __init__(self):
        self.count = 0

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def __sklearn_is_fitted__(self):
        self.count += 1
        return hasattr(self, "classes_")

    def predict(self, X):
        return np.asarray(X[:, 0], dtype=float)


class CountsOfClasses(ClassifierMixin, Counts):
    def predict_proba(self, X):
        return np.full((len(X), 3), 1 / 3)


class CountsOfNumbers(RegressorMixin, Counts):
    pass


def fit_classes(teacher, **settings):
    student = DecisionTreeClassifier(max_depth=2)
    DistilledClassifier(teacher, student, random_state=0, **settings).fit(X, Y)


def fit_numbers(teacher, **settings):
    student = DecisionTreeRegressor(max_depth=2)
    DistilledRegressor(teacher, student, random_state=0, **settings).fit(X, np.c_[X[:, 0], Y])


def ask(teacher):
    teacher_targets(teacher, X, Y, X_unlabeled=X[:9])


def ask_without_labels(teacher):
    teacher_targets(teacher, X)


def two_columns(rows):
    return np.c_[rows[:, 0], rows[:, 1]]


@pytest.mark.parametrize("as_list", [False, True], ids=["alone", "list"])
@pytest.mark.parametrize(
    ("use", "fitted"),
    [
        (fit_classes, False),
        (fit_classes, True),
        (ask, False),
        (ask, True),
        (ask_without_labels, True),
    ],
)
def test_a_teacher_is_asked_once_whether_it_is_fitted(use, as_list, fitted):
    counts = [CountsOfClasses() for _ in range(1 + as_list)]
    if fitted:
        for one in counts:
            one.fit(X, Y)
    use(counts if as_list else counts[0])
    assert [one.count for one in counts] == [1] * len(counts)


def test_so_it_is_with_generated_rows_and_memory(tmp_path):
    counts = CountsOfClasses()
    fit_classes(counts, augment="gaussian_noise", memory=str(tmp_path))
    assert counts.count == 1


@pytest.mark.filterwarnings("ignore:The teacher's squared error")
@pytest.mark.parametrize("fitted", [False, True], ids=["not fitted", "fitted"])
def test_so_it_is_with_numbers(fitted):
    class Two(CountsOfNumbers):
        predict = staticmethod(two_columns)

    counts = [Two(), Two()]
    if fitted:
        for one in counts:
            one.fit(X, Y)
    fit_numbers(counts)
    assert [one.count for one in counts] == [1, 1]
    fit_numbers(counts[0])
    assert counts[0].count == 2


@pytest.mark.filterwarnings("ignore:The teacher's log-loss")
def test_a_fitted_member_is_asked_once_for_all_ensembles_that_are_fitted():
    known = CountsOfClasses().fit(X, Y)
    fit_classes([known, RandomForestClassifier(3)], cv=3)  # one for each fold, and one of all rows
    assert known.count == 1
