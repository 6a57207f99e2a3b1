"""One student of an ensemble, with how far the members differ."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import rel_entr, softmax
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledEnsembleClassifier
from skdistill.exceptions import StudentError, TeacherError

X, POSITIONS = make_classification(
    120, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
Y = np.array(["no", "perhaps", "yes"])[POSITIONS]
REPEATS = KNeighborsRegressor(1)  # it answers with what it has learnt of a row
FOREST = RandomForestClassifier(5, max_depth=3, random_state=0)


def spread_by_hand(answers, smoothing=0.01):
    """The pool, and the mean divergence of the members from it, (n_members, n, n_classes)."""
    p = (1 - smoothing) * answers + smoothing / answers.shape[2]
    pool = softmax(np.log(p).mean(axis=0), axis=1)
    return pool, rel_entr(pool, p).sum(axis=2).mean(axis=0)


def answers_of_trees(forest, rows):
    return np.stack([tree.predict_proba(rows) for tree in forest.estimators_])


def test_a_fitted_forest_is_asked_member_by_member():
    forest = clone(FOREST).fit(X, Y)
    model = DistilledEnsembleClassifier(forest, REPEATS).fit(X, Y)
    pool, spread = spread_by_hand(answers_of_trees(forest, X))
    assert model.ensemble_ is forest
    assert model.predict_proba(X) == pytest.approx(pool)
    assert model.disagreement(X) == pytest.approx(spread)
    assert model.predict(X).tolist() == model.classes_[pool.argmax(axis=1)].tolist()


def test_a_clone_keeps_a_fitted_ensemble_and_no_other():
    forest = clone(FOREST).fit(X, Y)
    assert clone(DistilledEnsembleClassifier(forest)).ensemble is forest
    unfitted = DistilledEnsembleClassifier(FOREST, cv=3, smoothing=0.1)
    copy = clone(unfitted)
    assert copy.ensemble is not FOREST
    assert (copy.cv, copy.smoothing) == (3, 0.1)


def test_an_unfitted_one_is_asked_out_of_fold():
    folds = KFold(3)
    model = DistilledEnsembleClassifier(FOREST, REPEATS, cv=folds).fit(X, Y)
    for train, test in folds.split(X):
        forest = clone(FOREST).fit(X[train], Y[train])
        pool, spread = spread_by_hand(answers_of_trees(forest, X[test]))
        assert model.predict_proba(X[test]) == pytest.approx(pool)
        assert model.disagreement(X[test]) == pytest.approx(spread)
    assert not hasattr(FOREST, "estimators_")


def test_a_list_is_asked_likewise():
    members = [
        GaussianNB(),
        LogisticRegression(),
        DecisionTreeClassifier(max_depth=2, random_state=0),
    ]
    folds = KFold(3)
    model = DistilledEnsembleClassifier(members, REPEATS, cv=folds, smoothing=0.1).fit(X, Y)
    train, test = next(folds.split(X))
    answers = np.stack([clone(m).fit(X[train], Y[train]).predict_proba(X[test]) for m in members])
    assert model.disagreement(X[test]) == pytest.approx(spread_by_hand(answers, 0.1)[1])


@pytest.mark.parametrize("is_fitted", [True, False], ids=["fitted", "not fitted"])
def test_steps_that_write_into_rows_get_rows_of_their_own(is_fitted):
    predictions = []
    for copy in (True, False):
        ensemble = make_pipeline(StandardScaler(copy=copy), clone(FOREST))
        if is_fitted:
            ensemble.fit(X.copy(), Y)
        rows = X.copy()
        model = DistilledEnsembleClassifier(ensemble, REPEATS, random_state=0).fit(rows, Y)
        np.testing.assert_array_equal(rows, X)
        predictions.append(model.predict_proba(X))
    np.testing.assert_array_equal(*predictions)


def test_members_that_agree_have_no_spread():
    model = DistilledEnsembleClassifier([GaussianNB(), GaussianNB()], REPEATS).fit(X, Y)
    assert model.disagreement(X) == pytest.approx(np.zeros(len(X)), abs=1e-12)


def test_a_class_that_a_bag_lacks_has_what_the_smoothing_gives_it():
    rare = np.where(np.arange(120) < 3, "rare", Y)
    bag = BaggingClassifier(
        KNeighborsClassifier(3), 8, max_samples=0.2, max_features=0.5, random_state=0
    )
    bag.fit(X, rare)
    assert {len(member.classes_) for member in bag.estimators_} > {4}
    model = DistilledEnsembleClassifier(bag, REPEATS).fit(X, rare)
    answers = np.zeros((8, 120, 4))
    for i, (member, columns) in enumerate(
        zip(bag.estimators_, bag.estimators_features_, strict=True)
    ):
        answers[i][:, member.classes_] = member.predict_proba(X[:, columns])
    assert model.disagreement(X) == pytest.approx(spread_by_hand(answers)[1])


@pytest.mark.parametrize(
    "ensemble",
    [
        make_pipeline(StandardScaler(), ExtraTreesClassifier(3, random_state=0)),
        VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())]),
        BaggingClassifier(GaussianNB(), 3),
        [GaussianNB(), make_pipeline(StandardScaler(), LogisticRegression())],
    ],
    ids=["pipeline", "vote", "bag", "list"],
)
def test_kinds_of_ensembles_on_tables(ensemble):
    table = pd.DataFrame(X, columns=list("abcdef"))
    fits = [
        DistilledEnsembleClassifier(ensemble, REPEATS, random_state=0).fit(table, Y)
        for _ in range(2)
    ]
    first, again = (model.disagreement(table) for model in fits)
    assert np.array_equal(first, again)
    assert first.max() > 0
    assert fits[0].feature_names_in_.tolist() == list("abcdef")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "disagreement"])
def test_nothing_is_answered_before_a_fit(method):
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(DistilledEnsembleClassifier(FOREST, REPEATS), method)(X)


class Unfitted(ExtraTreesClassifier):
    """An ensemble that nobody may fit: what is refused is refused before."""

    def fit(self, X, y, sample_weight=None):
        pytest.fail("the ensemble was fitted before the refusal")


class Oracle:
    """Knows all, and learns nothing."""

    def predict_proba(self, X):
        raise AssertionError("it was asked before the refusal")


class Says(GaussianNB):
    """Answers one number."""

    def __init__(self, answer=0.5):
        super().__init__()
        self.answer = answer

    def predict_proba(self, X):
        return np.full((len(X), len(self.classes_)), self.answer)


REFUSED = {
    "device": (
        ValueError,
        lambda: DistilledEnsembleClassifier(Unfitted(), device="abacus").fit(X, Y),
        "device.*'abacus'",
    ),
    "student": (
        StudentError,
        lambda: DistilledEnsembleClassifier(Unfitted(), GaussianNB()).fit(X, Y),
        "GaussianNB",
    ),
    "rows of another width": (
        ValueError,
        lambda: DistilledEnsembleClassifier(FOREST, REPEATS).fit(X, Y).disagreement(X[:, :5]),
        "X has 5 features, but DistilledEnsembleClassifier is expecting 6 features",
    ),
    "a class of one row": (
        TeacherError,
        lambda: DistilledEnsembleClassifier(Unfitted()).fit(X[:30], np.arange(30) // 29),
        r"has a single row, .*learn from. Give a fitted ensemble, or more rows of it\.",
    ),
    "boosting": (
        TeacherError,
        lambda: DistilledEnsembleClassifier(GradientBoostingClassifier()).fit(X, Y),
        "GradientBoosting.*no members that can be asked.*expected a list.*Wrap it",
    ),
    "one member": (
        TeacherError,
        lambda: DistilledEnsembleClassifier([GaussianNB()]).fit(X, Y),
        "1 member; expected two classifiers at least",
    ),
    "a teacher that is not fitted": (
        TeacherError,
        lambda: DistilledEnsembleClassifier([GaussianNB(), Oracle()]).fit(X, Y),
        r"holds \['Oracle'\], which cannot be fitted as a classifier.*any teachers",
    ),
    "a forest of one": (
        TeacherError,
        lambda: DistilledEnsembleClassifier(RandomForestClassifier(1)).fit(X, Y),
        "RandomForestClassifier has 1 member.*expected two classifiers at least",
    ),
    "a vote of one": (
        TeacherError,
        lambda: DistilledEnsembleClassifier(VotingClassifier([("a", GaussianNB())])).fit(X, Y),
        "VotingClassifier has 1 member.*DistilledClassifier learns from one",
    ),
    "a member that answers NaN": (
        TeacherError,
        lambda: DistilledEnsembleClassifier([GaussianNB(), Says(np.nan)]).fit(X, Y),
        "Member 1 of the ensemble, Says, gave NaN or infinite values for .*expected finite",
    ),
    "a member that answers logits": (
        TeacherError,
        lambda: DistilledEnsembleClassifier([GaussianNB(), Says(-1.0)]).fit(X, Y),
        "Member 1 of the ensemble, Says, gave negative values.*softmax",
    ),
    "a member without probabilities": (
        TeacherError,
        lambda: DistilledEnsembleClassifier([GaussianNB(), LinearSVC()]).fit(X, Y),
        r"\['LinearSVC'\] without predict_proba.*CalibratedClassifierCV",
    ),
    "classes that y lacks": (
        TeacherError,
        lambda: DistilledEnsembleClassifier(clone(FOREST).fit(X, Y)).fit(
            X[Y != "yes"], Y[Y != "yes"]
        ),
        r"knows the classes \['yes'\].*expected one that was fitted on the labels of y. Leave",
    ),
    "one class": (
        ValueError,
        lambda: DistilledEnsembleClassifier(FOREST).fit(X, ["a"] * 120),
        "1 class; expected at least two",
    ),
    "no labels": (
        ValueError,
        lambda: DistilledEnsembleClassifier(FOREST).fit(X, None),
        "requires y to be passed",
    ),
    "rows in no fold": (
        ValueError,
        lambda: DistilledEnsembleClassifier(FOREST, cv=ShuffleSplit(1, random_state=0)).fit(X, Y),
        "leaves 108 of 120 rows out of no fit.*cv=5",
    ),
    "smoothing": (
        ValueError,
        lambda: DistilledEnsembleClassifier(FOREST, smoothing=0.0).fit(X, Y),
        "'smoothing' parameter.*range",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
