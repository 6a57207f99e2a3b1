"""Numbers to be learnt are no labels, and labels no numbers: said before anything is fitted."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledEnsembleClassifier,
    DistilledRegressor,
    MutualClassifier,
)
from skdistill.evaluation import compare, distillation_report, leaderboard
from skdistill.exceptions import DistillationWarning
from skdistill.teachers import EnsembleTeacher


def plain_tree():
    return DistilledClassifier(None, DecisionTreeClassifier(max_depth=2), alpha=0)


NUMBERED = {
    "a hundred numbers of five rows each": np.repeat(7 * np.arange(100), 5),
    "numbers one after the other, of two rows each": np.repeat(np.arange(300), 2),
    "many numbers of ten rows each": np.repeat(7.0 * np.arange(110), 10),
    "twenty rows": 7 * np.arange(20),
}


@pytest.mark.parametrize("y", NUMBERED.values(), ids=NUMBERED)
def test_numbers_that_may_be_labels_are_learnt(y):
    classes = plain_tree().fit(np.arange(len(y))[:, None], y).classes_
    np.testing.assert_array_equal(classes, np.unique(y))


AMOUNTS = {
    "a hundred and one numbers of nine rows each": np.repeat(7 * np.arange(101), 9),
    "floats one after the other, of two rows each": np.repeat(np.arange(300.0), 2),
    "twenty-one rows": 7 * np.arange(21),
}


@pytest.mark.filterwarnings("ignore:The number of unique classes")  # the tree's
@pytest.mark.parametrize("y", AMOUNTS.values(), ids=AMOUNTS)
def test_amounts_are_no_labels(y):
    X = np.arange(len(y))[:, None]
    with pytest.raises(ValueError, match=r"each would be learnt as a class.*DistilledRegressor"):
        plain_tree().fit(X, y)
    known = plain_tree().fit(X, y, classes=np.unique(y))
    np.testing.assert_array_equal(known.classes_, np.unique(y))


def test_counts_that_may_be_labels_are_warned_of():
    y = np.r_[np.repeat(np.arange(120), 12), 120]
    with pytest.warns(DistillationWarning, match="121 different numbers, 1 of them in one row"):
        plain_tree().fit(np.arange(len(y))[:, None], y)


def test_a_search_refuses_amounts_before_its_folds():
    search = DistillationSearchCV(plain_tree(), {"alpha": [0]})
    with pytest.raises(ValueError, match=r"^y holds 40 different numbers.*DistilledRegressor"):
        search.fit(np.arange(40)[:, None], 7 * np.arange(40))
    search = DistillationSearchCV(DistilledRegressor(None, alpha=0), {"alpha": [0]})
    with pytest.raises(ValueError, match=r"^y holds what is no number.*DistilledClassifier"):
        search.fit(np.arange(40)[:, None], np.repeat(["a", "b"], 20))


class Untouched(DecisionTreeClassifier):
    """A teacher that nobody may fit."""

    def fit(self, X, y, sample_weight=None):
        pytest.fail("the teacher was fitted before the refusal")


X, FRACTIONS = np.arange(60)[:, None], np.arange(60) / 7
MODEL = DistilledClassifier(Untouched())
WAYS = {
    "fit": lambda y: MODEL.fit(X, y),
    "alpha auto": lambda y: DistilledClassifier(Untouched(), alpha="auto").fit(X, y),
    "soft targets": lambda y: DistilledClassifier().fit(X, y, soft_targets=np.full((60, 2), 0.5)),
    "mutual": lambda y: MutualClassifier([MODEL, MODEL]).fit(X, y),
    "ensemble": lambda y: DistilledEnsembleClassifier([Untouched()] * 2).fit(X, y),
    "search": lambda y: DistillationSearchCV(MODEL, {"alpha": [0.5]}).fit(X, y),
    "report": lambda y: distillation_report(MODEL, X, y, X, y),
    "leaderboard": lambda y: leaderboard(MODEL, X, y, X, y),
    "compare": lambda y: compare({"a": MODEL, "b": Untouched()}, X, y, X, y),
}


@pytest.mark.parametrize("learn", WAYS.values(), ids=WAYS)
def test_whoever_learns_labels_refuses_numbers(learn):
    with pytest.raises(ValueError, match=r"holds numbers such as 0.142857.*DistilledRegressor"):
        learn(FRACTIONS)
    with pytest.raises(ValueError, match=r"holds 60 different numbers.*DistilledRegressor"):
        learn(np.round(1e5 * FRACTIONS))


def test_members_of_an_ensemble_are_not_fitted_on_numbers():
    with pytest.raises(ValueError, match=r"holds numbers such as .*regressors"):
        EnsembleTeacher([Untouched(), Untouched()]).fit(X, FRACTIONS)


def test_a_report_of_numbers_takes_no_labels():
    model = DistilledRegressor(RandomForestRegressor())
    with pytest.raises(ValueError, match="y_train holds what is no number"):
        distillation_report(model, X, np.repeat(["a", "b"], 30), X, np.repeat(["a", "b"], 30))
