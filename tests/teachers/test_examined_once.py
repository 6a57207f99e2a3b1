"""A fit finds out once what its teacher is, whatever stages it goes through."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, StudentNet
from skdistill.teachers import EnsembleTeacher

X, Y = load_iris(return_X_y=True)


class Counted(ClassifierMixin, BaseEstimator):
    """The shares of the classes, and how often instances of one name were asked if fitted."""

    asked: dict = {}

    def __init__(self, name="only"):
        self.name = name

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / len(y)
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))

    def __sklearn_is_fitted__(self):
        Counted.asked[self.name] = Counted.asked.get(self.name, 0) + 1
        return hasattr(self, "classes_")


@pytest.fixture(autouse=True)
def asked():
    Counted.asked = {}
    return Counted.asked


def fitted(*names):
    made = [Counted(name).fit(X, Y) for name in names]
    Counted.asked.clear()
    return made


def make(teacher, **settings):
    student = settings.pop("student", DecisionTreeRegressor(max_depth=2))
    return DistilledClassifier(teacher, student, random_state=0, **settings)


@pytest.mark.parametrize("alpha", [0.5, "auto"])
@pytest.mark.parametrize("is_fitted", [True, False], ids=["fitted", "not fitted"])
def test_a_teacher(asked, alpha, is_fitted):
    teacher = fitted("only")[0] if is_fitted else Counted()
    make(teacher, alpha=alpha).fit(X, Y, X_unlabeled=X)
    assert Counted.asked == {"only": 1}


@pytest.mark.parametrize("alpha", [0.5, "auto"])
@pytest.mark.parametrize("n_fitted", [0, 1, 2])
@pytest.mark.parametrize("kind", [list, EnsembleTeacher])
def test_each_member(asked, alpha, n_fitted, kind):
    members = fitted("a", "b")[:n_fitted] + [Counted("a"), Counted("b")][n_fitted:]
    make(kind(members), alpha=alpha).fit(X, Y)
    assert Counted.asked == {"a": 1, "b": 1}


@pytest.mark.parametrize("names", [["only"], ["a", "b"]])
def test_without_labels(asked, names):
    members = fitted(*names)
    make(members if len(names) > 1 else members[0]).fit(X)
    assert Counted.asked == dict.fromkeys(names, 1)


def test_a_dataset_of_torch(asked):
    rows = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    make(fitted("only")[0], student=StudentNet(max_epochs=1)).fit_dataset(rows)
    assert Counted.asked == {"only": 1}


def test_files(asked, tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame(X, columns=list("abcd")).assign(y=Y).to_parquet(tmp_path / "rows.parquet")
    model = make(fitted("only")[0], student=StudentNet(max_epochs=1))
    model.fit_dataset(tmp_path, target="y")
    assert Counted.asked == {"only": 1}
