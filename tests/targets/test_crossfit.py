import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
)

from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_targets


class Remembering(ClassifierMixin, BaseEstimator):
    """Undecided, and writes down what it was fitted on and asked about."""

    def __init__(self, fits):
        self.fits = fits

    def __sklearn_clone__(self):
        return type(self)(self.fits)

    def fit(self, X, y):
        self.classes_, self.train_ = np.unique(y), X
        return self

    def predict_proba(self, X):
        self.fits.append((self.train_, X))
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


class Memoriser(ClassifierMixin, BaseEstimator):
    """Certain of every row that it was fitted on, undecided about all others."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = set(X[:, 0].tolist())
        return self

    def predict_proba(self, X):
        seen = np.isin(X[:, 0], list(self.seen_))
        return np.where(seen[:, None], [[1.0, 0.0]], [[0.5, 0.5]])


def draw(n_samples=200, **settings):
    settings = {"n_informative": 4, "random_state": 0} | settings
    return make_classification(n_samples, 6, **settings)


@pytest.mark.parametrize(
    "cv", [None, 3, KFold(4), StratifiedKFold(4, shuffle=True, random_state=0)]
)
def test_no_row_is_answered_by_a_teacher_that_saw_it(cv):
    X = np.arange(60.0)[:, None]
    targets = teacher_targets(Memoriser(), X, np.arange(60) % 2, cv=cv, random_state=0)
    np.testing.assert_array_equal(targets, 0.5)


@pytest.mark.filterwarnings("ignore:The teacher's log-loss")
def test_in_sample_targets_are_those_of_a_teacher_that_saw_them():
    X = np.arange(60.0)[:, None]
    targets = teacher_targets(Memoriser(), X, np.arange(60) % 2, cv="in-sample")
    np.testing.assert_array_equal(targets, [[1.0, 0.0]] * 60)


@pytest.mark.parametrize("cv", [5, StratifiedKFold(3, shuffle=True, random_state=1)])
def test_out_of_fold_is_what_cross_val_predict_gives(cv):
    X, y = draw(n_classes=3)
    teacher = LogisticRegression(max_iter=1000)
    expected = cross_val_predict(teacher, X, y, cv=cv, method="predict_proba")
    np.testing.assert_allclose(teacher_targets(teacher, X, y, cv=cv), expected, atol=1e-12)


def test_out_of_fold_answers_of_a_forest_are_honest_and_its_own_are_not():
    X, y = draw(400, flip_y=0.2)
    forest = RandomForestClassifier(50, min_samples_leaf=3, random_state=0)
    X_new, y_new = X[200:], y[200:]
    truth = log_loss(y_new, clone(forest).fit(X[:200], y[:200]).predict_proba(X_new))
    in_sample = log_loss(y[:200], teacher_targets(forest, X[:200], y[:200], cv="in-sample"))
    out_of_fold = log_loss(y[:200], teacher_targets(forest, X[:200], y[:200], random_state=0))
    assert abs(out_of_fold - truth) < abs(in_sample - truth) / 3


def test_rows_that_no_split_leaves_out_have_no_target():
    X, y = draw(120)
    targets = teacher_targets(LogisticRegression(), X, y, cv=TimeSeriesSplit(3))
    uncovered = np.isnan(targets).all(axis=1)
    assert np.flatnonzero(uncovered).tolist() == list(range(30))
    assert np.isfinite(targets[~uncovered]).all()


def test_repeated_splits_are_averaged():
    X, y = draw(120, class_sep=2.0)
    teacher, cv = (
        LogisticRegression(),
        RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
    )
    splits = list(cv.split(X, y))
    once = [teacher_targets(teacher, X, y, cv=splits[i : i + 3]) for i in (0, 3)]
    np.testing.assert_allclose(teacher_targets(teacher, X, y, cv=splits), np.mean(once, axis=0))


def test_groups_stay_whole_without_a_word_about_the_splitter():
    X, y = draw(120)
    groups = np.arange(120) // 3
    for cv in (None, 4, GroupKFold(3)):
        fits = []
        teacher_targets(Remembering(fits), np.column_stack([X, groups]), y, cv=cv, groups=groups)
        for train, test in fits:
            assert not set(train[:, -1]) & set(test[:, -1])


@pytest.mark.parametrize(("smallest", "n_splits"), [(2, 2), (3, 3), (4, 4), (5, 5), (30, 5)])
def test_default_folds_are_five_or_as_many_as_the_rarest_class_has_rows(smallest, n_splits):
    y, fits = np.array([0] * 60 + [1] * smallest), []
    teacher_targets(Remembering(fits), y[:, None], y)
    assert len(fits) == n_splits


def test_a_class_that_a_split_lacks_is_left_to_the_labels():
    X, y = draw(90)
    y[:3] = 2
    y[3:] %= 2
    targets = teacher_targets(LogisticRegression(), X, y, cv=KFold(3))
    assert np.isnan(targets[:3]).all()  # no teacher of their split has seen class 2
    assert (targets[3:30, 2] == 0).all()
    assert (targets[30:, 2] > 0).all()


def test_a_split_with_one_class_is_refused():
    X, y = np.arange(40.0)[:, None], np.repeat([0, 1], 20)
    with pytest.raises(TeacherError, match=r"one class only.*stratified"):
        teacher_targets(LogisticRegression(), X, y, cv=TimeSeriesSplit(3))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_seed_makes_an_unseeded_teacher_repeat_itself(n_jobs):
    X, y = draw()
    forest = RandomForestClassifier(5)
    first = teacher_targets(forest, X, y, random_state=3)
    np.testing.assert_array_equal(
        teacher_targets(forest, X, y, random_state=3, n_jobs=n_jobs), first
    )
    assert (teacher_targets(forest, X, y, random_state=4) != first).any()
    assert forest.random_state is None


def test_random_splits_may_leave_a_row_out_more_than_once():
    X, y = draw(60)
    targets = teacher_targets(LogisticRegression(), X, y, cv=ShuffleSplit(4, random_state=0))
    covered = np.unique(np.concatenate([t for _, t in ShuffleSplit(4, random_state=0).split(X)]))
    assert np.flatnonzero(~np.isnan(targets).any(axis=1)).tolist() == covered.tolist()
