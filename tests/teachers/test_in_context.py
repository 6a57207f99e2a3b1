"""Teachers that learn from a context: a nearest neighbour that counts stands in for them."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_targets
from skdistill.teachers import InContextTeacher

X, POSITIONS = load_iris(return_X_y=True)
X = X + np.random.default_rng(0).normal(0, 1e-3, X.shape)  # no row stands there twice
Y = np.array(["a", "b", "c"])[POSITIONS]
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)


class Slow(KNeighborsClassifier):
    """Notes the rows of each context and of each question."""

    contexts: list = []
    questions: list = []

    def fit(self, X, y):
        Slow.contexts.append(X)
        return super().fit(X, y)

    def predict_proba(self, X):
        Slow.questions.append(X)
        return super().predict_proba(X)


@pytest.fixture(autouse=True)
def nothing_noted():
    Slow.contexts.clear()
    Slow.questions.clear()


def make(**settings):
    return InContextTeacher(Slow(3), **{"random_state": 0, **settings})


def test_each_fold_has_one_context_of_other_rows_and_batches(tmp_path):
    teacher_targets(make(max_context=40, batch_size=16), X, Y, memory=str(tmp_path))
    assert [len(context) for context in Slow.contexts] == [40] * 5
    assert [len(rows) for rows in Slow.questions] == [16, 14] * 5
    for number, context in enumerate(Slow.contexts):
        asked = np.concatenate(Slow.questions[2 * number : 2 * number + 2])
        assert not (context[:, None] == asked[None]).all(axis=2).any()


def test_without_a_cap_it_is_the_estimator_itself():
    expected = teacher_targets(KNeighborsClassifier(3), X, Y)
    np.testing.assert_array_equal(teacher_targets(make(batch_size=7), X, Y), expected)


def test_the_context_has_the_shares_of_the_classes_and_a_row_of_each():
    few = np.concatenate([np.arange(50), np.arange(50, 75), [149]])
    teacher = make(max_context=30).fit(X[few], Y[few])
    rows = np.flatnonzero((X[:, None] == Slow.contexts[0][None]).all(axis=2).any(axis=1))
    counts = [int((Y[rows] == label).sum()) for label in "abc"]
    assert sum(counts) == teacher.n_context_ == 30
    assert counts[2] == 1
    assert 14 <= counts[0] <= 24
    again = make(max_context=30).fit(X[few], Y[few])
    np.testing.assert_array_equal(Slow.contexts[0], Slow.contexts[1])
    assert again.classes_.tolist() == ["a", "b", "c"]


def test_a_fitted_one_answers_for_other_rows_and_is_cloned_for_a_fit():
    teacher = make().fit(X[::2], Y[::2])
    model = DistilledClassifier(teacher, TREE, random_state=0).fit(X[1::2], Y[1::2])
    assert model.score(X, Y) > 0.9
    assert len(Slow.contexts) == 1
    own = DistilledClassifier(clone(teacher), TREE, random_state=0).fit(X, Y)
    assert own.teacher_.n_context_ == 150


def test_tables_and_progress(capsys):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(X, columns=list("pqrs"))
    teacher = make(batch_size=40, verbose=1).fit(table[:75], Y[:75])
    assert teacher.predict(table[75:]).shape == (75,)
    said = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch(r"\[in-context teacher\] 1 of 2 batches, \d+\.\d s", said)


REFUSED = {
    "no probabilities": (
        TeacherError,
        lambda: DistilledClassifier(InContextTeacher(LinearSVC()), TREE).fit(X, Y),
        r"the estimator LinearSVC\(.*; expected a classifier with fit and predict_proba",
    ),
    "a class": (
        TeacherError,
        lambda: InContextTeacher(GaussianNB).fit(X, Y),
        r"the estimator <class .*; expected a classifier .*Write GaussianNB\(...\)",
    ),
    "no labels": (
        ValueError,
        lambda: make().fit(X, None),
        "y is None; expected a label for each row",
    ),
    "its own context": (
        TeacherError,
        lambda: DistilledClassifier(make().fit(X, Y), TREE).fit(X, Y),
        r"150 rows, of which 150 stand in its context.*clone\(teacher\)",
    ),
    "in sample": (
        TeacherError,
        lambda: DistilledClassifier(make(), TREE, cv="in-sample").fit(X, Y),
        "stand in its context",
    ),
    "a context of too few rows": (
        ValueError,
        lambda: make(max_context=2).fit(X, Y),
        "max_context=2 is less than the 3 classes",
    ),
    "no batch": (ValueError, lambda: make(batch_size=0).fit(X, Y), "'batch_size' parameter"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
