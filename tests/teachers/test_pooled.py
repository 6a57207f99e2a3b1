"""Several teachers in one cross-fitting: weighed and calibrated by what they say out of fold."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.exceptions import TeacherError
from skdistill.losses import QuantileLoss
from skdistill.students import TablePreprocessor
from skdistill.targets import fit_temperature, teacher_targets
from skdistill.teachers import EnsembleTeacher, RegressorEnsemble, SelfTeacher

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
XN, YN = load_diabetes(return_X_y=True)
pytestmark = pytest.mark.filterwarnings("ignore:The teacher's log-loss on the labelled rows")
WEIGHT = np.random.default_rng(0).uniform(0.1, 3, len(X))


def members():
    return [
        DecisionTreeClassifier(max_depth=2, random_state=0),
        GaussianNB(),
        LogisticRegression(C=0.01),
    ]


def best_weights(answers, weight, y=Y):
    """The weights of a linear pool with the least log-loss and a Dirichlet prior, by softmax."""
    true = answers[:, np.arange(len(y)), y]

    def loss(free):
        w = np.exp(free - free.max()) / np.exp(free - free.max()).sum()
        return -np.average(np.log(w @ true), weights=weight) - np.log(w).sum() / len(y)

    free = minimize(loss, np.zeros(len(answers)), method="BFGS", options={"gtol": 1e-10}).x
    return np.exp(free) / np.exp(free).sum()


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["", "weighted"])
def test_a_list_is_the_pool_of_its_calibrated_members(weight):
    settings = {"cv": 3, "sample_weight": weight}
    alone = [np.asarray(teacher_targets(m, X, NAMES, **settings)) for m in members()]
    temperatures = [fit_temperature(a, Y, weight) for a in alone]
    powers = [np.maximum(a, 1e-12) ** (1 / t) for a, t in zip(alone, temperatures, strict=True)]
    calibrated = np.stack([p / p.sum(axis=1, keepdims=True) for p in powers])
    weights = best_weights(calibrated, weight)
    targets = teacher_targets(members(), X, NAMES, **settings)
    np.testing.assert_allclose(targets, np.tensordot(weights, calibrated, 1), rtol=1e-3, atol=1e-5)
    assert targets.out_of_fold

    student = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = DistilledClassifier(members(), student, cv=3, random_state=0)
    teacher = model.fit(X, NAMES, sample_weight=weight).teacher_
    np.testing.assert_allclose(teacher.weights_, weights, atol=1e-3)
    np.testing.assert_allclose(teacher.temperatures_, temperatures, rtol=1e-4)
    whole = [m.predict_proba(X) for m in teacher.teachers_]
    powers = [np.maximum(a, 1e-12) ** (1 / t) for a, t in zip(whole, temperatures, strict=True)]
    expected = sum(
        w * p / p.sum(axis=1, keepdims=True) for w, p in zip(weights, powers, strict=True)
    )
    np.testing.assert_allclose(teacher.predict_proba(X), expected, atol=1e-3)
    assert teacher.get_params()["weights"] == "oof"


def test_an_ensemble_of_ones_own_is_pooled_on_the_same_folds():
    ensemble = EnsembleTeacher(members(), weights="oof", calibrate=True)
    from_list = teacher_targets(members(), X, NAMES, cv=3, random_state=0)
    np.testing.assert_array_equal(
        teacher_targets(ensemble, X, NAMES, cv=3, random_state=0), from_list
    )
    for weights, calibrate in ((None, True), ("oof", False), ([1, 2, 3], True)):
        ensemble = EnsembleTeacher(members(), weights=weights, calibrate=calibrate)
        model = DistilledClassifier(ensemble, DecisionTreeClassifier(), cv=3, random_state=0)
        found = model.fit(X, NAMES).teacher_
        assert (found.temperatures_ is None) == (not calibrate)
        if weights != "oof":
            expected = np.full(3, 1 / 3) if weights is None else np.array(weights) / 6
            np.testing.assert_allclose(found.weights_, expected)
    in_sample = DistilledClassifier(members(), DecisionTreeClassifier(), cv="in-sample")
    assert in_sample.set_params(random_state=0).fit(X, NAMES).teacher_.temperatures_ is None


def test_memory_tells_a_pool_of_the_folds_from_one_of_its_own(tmp_path):
    def fit(**settings):
        ensemble = EnsembleTeacher(members(), weights="oof", calibrate=True)
        student = DecisionTreeClassifier(max_depth=3, random_state=0)
        return DistilledClassifier(ensemble, student, random_state=0, **settings).fit(X, NAMES)

    for cv in (3, "in-sample", 3):
        kept, anew = fit(cv=cv, memory=str(tmp_path)).teacher_, fit(cv=cv).teacher_
        np.testing.assert_array_equal(kept.weights_, anew.weights_)
        np.testing.assert_array_equal(kept.predict_proba(X), anew.predict_proba(X))


def test_alone_an_ensemble_calibrates_its_members_too():
    ensemble = EnsembleTeacher(members(), calibrate=True, cv=3).fit(X, NAMES)
    expected = [
        fit_temperature(teacher_targets(member, X, NAMES, cv=3), NAMES) for member in members()
    ]
    np.testing.assert_allclose(ensemble.temperatures_, expected, rtol=1e-4)
    again = clone(ensemble).fit(X, NAMES)
    np.testing.assert_array_equal(again.predict_proba(X), ensemble.predict_proba(X))


def test_a_teacher_that_knows_nothing_gets_the_weight_of_the_prior():
    pair = [GaussianNB(), DummyClassifier()]
    model = DistilledClassifier(pair, DecisionTreeClassifier(), random_state=0).fit(X, Y)
    assert model.teacher_.weights_[1] < 0.05
    numbers = [Ridge(0.1), DummyRegressor()]
    model = DistilledRegressor(numbers, DecisionTreeRegressor(max_depth=3), random_state=0)
    assert model.fit(XN, YN).teacher_.weights_[1] < 0.1


@pytest.mark.parametrize("weight", [None, np.random.default_rng(1).uniform(0.1, 3, len(XN))])
@pytest.mark.parametrize("two", [False, True], ids=["one", "two"])
def test_numbers_are_weighed_by_their_squared_error(weight, two):
    y = np.column_stack([YN, -3 * YN + 100 * XN[:, 2]]) if two else YN
    regressors = [Ridge(0.1), DecisionTreeRegressor(max_depth=3, random_state=0)]
    settings = {"cv": 3, "sample_weight": weight}
    alone = [np.asarray(teacher_targets(r, XN, y, **settings)) for r in regressors]
    values = y.reshape(len(y), -1)
    unit = np.average((values - np.mean(alone, axis=0)) ** 2, axis=0, weights=weight)

    def loss(first):
        errors = (values - first * alone[0] - (1 - first) * alone[1]) ** 2 / (2 * unit)
        prior = np.log(first) + np.log(1 - first)
        return np.average(errors.sum(axis=1), weights=weight) - prior / len(y)

    grid = np.linspace(0.001, 0.999, 999)
    first = grid[np.argmin([loss(share) for share in grid])]
    assert 0.05 < first < 0.95
    targets = teacher_targets(regressors, XN, y, **settings)
    expected = first * alone[0] + (1 - first) * alone[1]
    np.testing.assert_allclose(targets, expected, rtol=1e-2)
    ensemble = RegressorEnsemble(regressors, weights="oof", cv=3).fit(XN, y, sample_weight=weight)
    assert ensemble.weights_.sum() == pytest.approx(1)
    mean = sum(
        w * r.predict(XN) for w, r in zip(ensemble.weights_, ensemble.teachers_, strict=True)
    )
    np.testing.assert_allclose(ensemble.predict(XN), mean)


def test_a_pool_is_never_worse_than_without_temperatures():
    """A forest whose zeros rule its temperature."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    pair = [
        RandomForestClassifier(5, random_state=0),
        make_pipeline(StandardScaler(), LogisticRegression(C=0.001)),
    ]
    losses = {}
    for calibrate in (False, True):
        ensemble = EnsembleTeacher(pair, weights="oof", calibrate=calibrate)
        targets = teacher_targets(ensemble, X, y, cv=3, random_state=0)
        losses[calibrate] = log_loss(y, targets)
    assert losses[True] <= losses[False]
    alone = EnsembleTeacher(pair, weights="oof", calibrate=True, random_state=0).fit(X, y)
    assert alone.temperatures_.shape == (2,)


def test_repeated_splits_count_each_time_when_fitted_alone():
    splits = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    ensemble = EnsembleTeacher(members(), weights="oof", calibrate=True, cv=splits).fit(X, NAMES)
    student = DecisionTreeClassifier(max_depth=3, random_state=0)
    inside = EnsembleTeacher(members(), weights="oof", calibrate=True)
    model = DistilledClassifier(inside, student, cv=splits, random_state=0).fit(X, NAMES)
    np.testing.assert_allclose(ensemble.weights_, model.teacher_.weights_, atol=1e-6)
    np.testing.assert_allclose(ensemble.temperatures_, model.teacher_.temperatures_)


def test_rows_without_a_weight_say_nothing_of_a_pool():
    weight = np.r_[np.zeros(100), np.ones(50)]
    rows = np.random.default_rng(0).permutation(150)
    halves = [(rows[:75], rows[75:]), (rows[75:], rows[:75])]
    found = EnsembleTeacher(members(), weights="oof", cv=halves).fit(X, NAMES, weight[rows])
    told = [np.asarray(teacher_targets(m, X, NAMES, cv=halves, sample_weight=weight[rows]))
            for m in members()]  # fmt: skip
    counted = weight[rows] > 0
    expected = best_weights(np.stack(told)[:, counted], None, Y[counted])
    np.testing.assert_allclose(found.weights_, expected, atol=1e-3)


def test_weights_of_an_ensemble_of_numbers_go_by_position():
    weight = np.r_[np.ones(200), 50 * np.ones(242)]
    series = pd.Series(weight, index=np.arange(442)[::-1])
    pair = [Ridge(0.1), DecisionTreeRegressor(max_depth=2, random_state=0)]
    fits = [
        RegressorEnsemble(pair, weights="oof").fit(XN, YN, sample_weight=given).weights_
        for given in (weight, series, weight.tolist())
    ]
    np.testing.assert_array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[0], fits[2])


@pytest.mark.filterwarnings("ignore:The teacher's")
def test_what_learns_a_quantile_is_no_mean():
    loss = QuantileLoss(quantile=0.9)
    student = make_pipeline(
        StandardScaler(),
        StudentNetRegressor(module__hidden_units=(16,), max_epochs=30, batch_size=48, lr=0.03),
    )
    model = DistilledRegressor(SelfTeacher(), student, loss=loss, cv=2, random_state=0)
    covered = np.mean(model.fit(XN, YN).teacher_.predict(XN) >= YN)
    assert covered > 0.8
    pair = [Ridge(0.1), Ridge(1.0)]
    model = DistilledRegressor(pair, student, loss=loss, random_state=0).fit(XN, YN)
    np.testing.assert_allclose(model.teacher_.weights_, [0.5, 0.5])


# The student among its teachers


def net():
    return make_pipeline(
        StandardScaler(), StudentNet(max_epochs=3, module__hidden_units=(8,), batch_size=32)
    )


WHERE = {
    "alone": lambda one: one,
    "in a list": lambda one: [GaussianNB(), one],
    "in a tuple": lambda one: (one, GaussianNB()),
    "in an ensemble": lambda one: EnsembleTeacher([GaussianNB(), one], weights=[1, 2]),
    "in an ensemble of a list": lambda one: [GaussianNB(), EnsembleTeacher([one], calibrate=True)],
    "with a fitted one": lambda one: [GaussianNB().fit(X, NAMES), one],
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.slow_except("alone", "in a list", "in an ensemble of a list")
def test_a_self_teacher_is_the_student(where):
    make, settings = WHERE[where], {"cv": 2, "random_state": 0}
    model = DistilledClassifier(make(SelfTeacher()), net(), **settings).fit(X, NAMES)
    by_hand = DistilledClassifier(make(net()), net(), **settings).fit(X, NAMES)
    np.testing.assert_array_equal(model.predict_proba(X), by_hand.predict_proba(X))
    again = clone(model).fit(X, NAMES)
    np.testing.assert_array_equal(model.predict_proba(X), again.predict_proba(X))
    assert repr(model.teacher) == repr(make(SelfTeacher()))


def test_it_is_the_default_student_and_hears_what_is_set_on_it():
    breast, labels = load_breast_cancer(return_X_y=True)
    model = DistilledClassifier(SelfTeacher(), cv=2, random_state=0).fit(breast[:50], labels[:50])
    assert isinstance(model.teacher_[0], TablePreprocessor)
    assert type(model.teacher_[-1]) is StudentNet
    model = DistilledClassifier(SelfTeacher(), net(), cv=2, random_state=0)
    model.set_params(student__studentnet__max_epochs=2).fit(X, NAMES)
    assert len(model.teacher_[-1].history_) == 2


def test_any_student_can_be_its_own_teacher():
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = DistilledClassifier([GaussianNB(), SelfTeacher()], tree, random_state=0).fit(X, NAMES)
    assert model.teacher_.weights_.shape == (2,)
    numbers = DistilledRegressor(
        [Ridge(), SelfTeacher()], DecisionTreeRegressor(max_depth=3, random_state=0), random_state=0
    ).fit(XN, YN)
    assert numbers.teacher_.weights_.shape == (2,)
    assert numbers.score(XN, YN) > 0.4


@pytest.mark.slow
def test_it_can_be_searched_for_and_remembered(tmp_path):
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    choices = [GaussianNB(), SelfTeacher(), [RandomForestClassifier(5), SelfTeacher()]]
    model = DistilledClassifier(None, tree, random_state=0, memory=str(tmp_path))
    search = GridSearchCV(model, {"teacher": choices}, cv=2).fit(X, NAMES)
    again = GridSearchCV(clone(model), {"teacher": choices}, cv=2).fit(X, NAMES)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_score"], again.cv_results_["mean_test_score"]
    )


# fmt: off
REFUSED = {
    "fitted alone": (TeacherError, lambda: SelfTeacher().fit(X, Y),
        "stands for the student of the model whose teacher it is, and there is none here; "
        "expected DistilledClassifier"),
    "asked alone": (TeacherError, lambda: teacher_targets(SelfTeacher(), X, Y),
        "stands for the student.*expected DistilledClassifier"),
    "calibrated, and fitted": (ValueError,
        lambda: EnsembleTeacher([GaussianNB().fit(X, Y)], calibrate=True).fit(X, Y),
        "calibrate=True was given with members that are not fitted here.*'GaussianNB'.*clone"),
    "no bool": (ValueError, lambda: EnsembleTeacher([GaussianNB()], calibrate="yes").fit(X, Y),
        "The 'calibrate' parameter of EnsembleTeacher must be.*bool.*Got 'yes' instead"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
