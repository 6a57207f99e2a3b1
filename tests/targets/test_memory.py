import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from skdistill.targets import teacher_targets

X, Y = load_iris(return_X_y=True)
CALLS = []


class Counted(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        CALLS.append(("fit", len(X)))
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        CALLS.append(("ask", len(X)))
        return super().predict_proba(X)


@pytest.mark.parametrize("fitted", [True, False])
def test_a_folder_keeps_the_answers(tmp_path, fitted):
    teacher = Counted(max_iter=500)
    if fitted:
        teacher.fit(X, Y)
    CALLS.clear()
    first = teacher_targets(teacher, X, Y, memory=str(tmp_path), random_state=0)
    assert sum(n for what, n in CALLS if what == "ask") == len(X)
    CALLS.clear()
    again = teacher_targets(teacher, X, Y, memory=str(tmp_path), random_state=0, verbose=1)
    assert CALLS == []
    np.testing.assert_array_equal(again, first)
    teacher_targets(teacher, X[:-1], Y[:-1], memory=str(tmp_path), random_state=0)
    assert CALLS


def test_labels_are_not_needed_by_a_fitted_teacher():
    teacher = LogisticRegression(max_iter=500).fit(X, Y)
    np.testing.assert_allclose(teacher_targets(teacher, X), teacher.predict_proba(X))
    with pytest.raises(ValueError, match=r"not fitted and y is None.*Pass y"):
        teacher_targets(LogisticRegression(), X)
    with pytest.raises(ValueError, match=r"calibrate=True needs labels"):
        teacher_targets(teacher, X, calibrate=True)


def test_nameless_columns_without_labels_keep_their_order():
    targets = np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))
    np.testing.assert_allclose(teacher_targets(lambda X: targets, X), targets)
