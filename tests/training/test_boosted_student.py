"""LightGBM and XGBoost as students: the objective, what it leaves, and refusals."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import approx_fprime
from scipy.special import softmax
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier
from skdistill.exceptions import StudentError
from skdistill.losses import KD, kd_divergence
from skdistill.students import TablePreprocessor
from skdistill.training._boosted_student import BoostedStudent
from skdistill.training._packed import Packed
from skdistill.training._soft_objective import SoftObjective, soft_terms

# Labels drawn at random are not what a teacher should say.
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")

NAMES = np.array(["fox", "hen", "owl"])


def lightgbm(**settings):
    lgb = pytest.importorskip("lightgbm")
    base = {"n_estimators": 20, "num_leaves": 6, "n_jobs": 1, "verbose": -1}
    return lgb.LGBMClassifier(**base | settings)


def xgboost(**settings):
    xgb = pytest.importorskip("xgboost")
    return xgb.XGBClassifier(**{"n_estimators": 20, "max_depth": 3, "n_jobs": 1} | settings)


def skip_other_start(make):
    """Skip a case where XGBoost's own trees do not begin at the shares of the classes."""
    if make is xgboost:
        major, minor = map(int, pytest.importorskip("xgboost").__version__.split(".")[:2])
        if (major, minor) < (3, 2):
            pytest.skip("before 3.2 XGBoost's own trees begin elsewhere")


# No limit that counts rows, and nothing to hold masses of a row or two against.
FINE = {
    lightgbm: {"min_child_samples": 1, "min_data_in_bin": 1, "max_bin": 1000},
    xgboost: {"tree_method": "exact", "reg_lambda": 0, "min_child_weight": 0},
}
BOTH = pytest.mark.parametrize("make", [lightgbm, xgboost])
CLASSES = pytest.mark.parametrize("n_classes", [2, 3])


def draw(n_samples=300, n_classes=3, seed=0):
    X, y = make_classification(
        n_samples,
        6,
        n_informative=4,
        n_classes=n_classes,
        weights=[0.2, 0.5, 0.3][:n_classes],
        flip_y=0.1,
        random_state=seed,
    )
    return X, NAMES[y]


def soft_labels(n_samples=300, n_classes=3, seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(n_classes), n_samples)


def fit(student, X, y, p, *, sample_weight=None, **settings):
    model = DistilledClassifier(student=student, random_state=0, **settings)
    return model.fit(X, y, soft_targets=p, sample_weight=sample_weight)


# The objective.


@CLASSES
@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
@pytest.mark.parametrize("alpha", [0.3, 1.0])
def test_gradient_and_hessian_are_those_of_the_loss(n_classes, temperature, alpha):
    rng = np.random.default_rng(0)
    n_rows, n_more = 5, 2
    labels = rng.integers(n_classes, size=n_rows)
    answers = rng.dirichlet(np.ones(n_classes), n_rows + n_more)
    answers[1] = np.nan  # learns from its label alone
    weight = rng.uniform(0.5, 2, n_rows)
    packed = Packed(labels, [answers[:n_rows], answers[n_rows:]], weight, 0.5)
    terms = soft_terms(packed, n_classes, alpha, 1.7, temperature)
    shape = (n_rows + n_more,) if n_classes == 2 else (n_rows + n_more, n_classes)
    scores = rng.normal(size=shape)

    soft_weight = np.append(weight / weight.mean(), [0.5, 0.5]) * ~np.isnan(answers[:, 0])
    soft_weight /= soft_weight.mean()
    hard_weight = np.append(weight, [0, 0])
    hard_weight /= hard_weight.mean()
    logits_of_teacher = torch.as_tensor(np.log(np.nan_to_num(answers, nan=0.5)))

    def loss(flat):
        z = flat.reshape(shape)
        z = np.column_stack([0 * z, z]) if n_classes == 2 else z
        log_q = torch.log_softmax(torch.as_tensor(z), dim=1).numpy()
        hard = -log_q[np.arange(n_rows), labels]
        soft = kd_divergence(torch.as_tensor(z), logits_of_teacher, temperature).numpy()
        return (1 - alpha) * hard_weight[:n_rows] @ hard + alpha * 1.7 * soft_weight @ soft

    objective = SoftObjective(terms)
    gradient, hessian = objective(None, scores)
    assert gradient.shape == hessian.shape == shape
    flat = scores.ravel()
    np.testing.assert_allclose(gradient.ravel(), approx_fprime(flat, loss), atol=1e-6)
    for i, step in enumerate(1e-5 * np.eye(flat.size)):
        above, below = (objective(None, (flat + d).reshape(shape))[0] for d in (step, -step))
        found = (above - below).ravel()[i] / 2e-5
        np.testing.assert_allclose(hessian.ravel()[i], found, atol=1e-8)


def test_the_hessian_has_the_scale_of_the_library():
    terms = [(1.0, np.array([[0.2, 0.3, 0.5]]))]
    scores = np.zeros((1, 3))
    plain, scaled = (SoftObjective(terms, factor)(None, scores) for factor in (1.0, 2.0))
    np.testing.assert_array_equal(plain[0], scaled[0])
    np.testing.assert_array_equal(2 * plain[1], scaled[1])


# What is learnt.


@BOTH
@CLASSES
@pytest.mark.parametrize("weighted", [False, True])
def test_with_next_to_no_teacher_it_is_the_own_fit_on_the_labels(make, n_classes, weighted):
    skip_other_start(make)
    X, y = draw(n_classes=n_classes)
    w = np.random.default_rng(1).uniform(0.2, 2, 300) if weighted else None
    scaled = None if w is None else w / w.mean()
    p = soft_labels(n_classes=n_classes)
    alone = make(random_state=5).fit(X, np.searchsorted(NAMES, y), sample_weight=scaled)
    expected = alone.predict_proba(X)
    expected = expected / expected.sum(axis=1, keepdims=True, dtype=float)  # of single precision
    student = make(random_state=5)
    plain = fit(student, X, y, None, alpha=0, sample_weight=w)
    np.testing.assert_allclose(plain.predict_proba(X), expected, rtol=1e-12)
    soft = fit(student, X, y, p, alpha=1e-12, sample_weight=w)
    np.testing.assert_allclose(soft.predict_proba(X), expected, atol=2e-6)
    np.testing.assert_array_equal(soft.predict(X), plain.predict(X))


@CLASSES
@pytest.mark.filterwarnings("ignore:.*gblinear")  # which newer releases are about to drop
@pytest.mark.parametrize(
    "make, settings",
    [
        (lightgbm, {"boost_from_average": False}),
        (xgboost, {"booster": "gblinear", "max_depth": None}),
        (xgboost, {"subsample": 0.5, "colsample_bytree": 0.5}),
        (xgboost, {"base_score": 0.3}),
    ],
)
def test_other_settings_of_the_library_are_honoured(make, settings, n_classes):
    if "base_score" not in settings:
        skip_other_start(make)
    X, y = draw(n_classes=n_classes)
    p = soft_labels(n_classes=n_classes)
    plain = fit(make(**settings), X, y, None, alpha=0).predict_proba(X)
    soft = fit(make(**settings), X, y, p, alpha=1e-12).predict_proba(X)
    np.testing.assert_allclose(soft, plain, atol=2e-6)


@pytest.mark.parametrize(
    "settings",
    [{}, {"boosting_type": "goss"}, {"subsample": 0.5, "subsample_freq": 1}],
)
def test_what_lightgbm_draws_it_draws_as_by_an_objective_given_by_hand(settings):
    X, y = draw()
    p = soft_labels()
    model = fit(lightgbm(**settings), X, y, p, alpha=0.6, temperature=2)
    onehot = (y[:, None] == NAMES).astype(float)
    soft = softmax(np.log(p) / 2, axis=1)

    def objective(labels, scores):
        q, q2 = softmax(scores, axis=1), softmax(scores / 2, axis=1)
        gradient = 0.4 * (q - onehot) + 0.6 * 2 * (q2 - soft)
        return gradient, 1.5 * (0.4 * q * (1 - q) + 0.6 * q2 * (1 - q2))

    start = np.log((0.4 * onehot + 0.6 * p).mean(axis=0))
    alone = model.student_.estimator_.get_params() | {"objective": objective}
    by_hand = lightgbm(**alone).fit(X, y, init_score=np.tile(start, (300, 1)))
    expected = softmax(by_hand.predict(X, raw_score=True) + start, axis=1)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-9)


@BOTH
@CLASSES
def test_at_temperature_1_soft_labels_are_the_weighted_copies(make, n_classes):
    X, y = draw(n_classes=n_classes)
    p = soft_labels(n_classes=n_classes)
    student = make(n_estimators=5, **FINE[make])
    soft = fit(student, X, y, p, alpha=0.6).predict_proba(X)
    mixture = 0.4 * (y[:, None] == NAMES[:n_classes]) + 0.6 * p
    rows, labels = np.repeat(np.arange(300), n_classes), np.tile(np.arange(n_classes), 300)
    copies = clone(student).fit(X[rows], labels, sample_weight=mixture.ravel())
    np.testing.assert_allclose(soft, copies.predict_proba(X), atol=0.02)
    assert np.abs(soft - copies.predict_proba(X)).mean() < 2e-3


@BOTH
@CLASSES
@pytest.mark.parametrize("temperature", [1.0, 4.0])
@pytest.mark.slow_except("1.0-2-lightgbm", "1.0-3-xgboost", "4.0-3-lightgbm", "4.0-2-xgboost")
def test_many_trees_reach_the_answers_that_they_are_told(make, n_classes, temperature):
    X, y = draw(60, n_classes=n_classes)
    p = soft_labels(60, n_classes=n_classes)
    deep = {"num_leaves": 60} if make is lightgbm else {"max_depth": 8}
    student = make(n_estimators=300, learning_rate=0.3, **deep, **FINE[make])
    model = fit(student, X, y, p, alpha=1, temperature=temperature)
    np.testing.assert_allclose(model.predict_proba(X), p, atol=2e-3)
    assert model.temperature_ == temperature


@BOTH
def test_temperature_makes_a_difference_and_auto_is_the_loss_s_own(make):
    X, y = draw()
    p = soft_labels()
    given = [fit(make(), X, y, p, temperature=t).predict_proba(X) for t in ("auto", 1, 4)]
    np.testing.assert_array_equal(given[0], given[1])  # probabilities were given, and no logits
    assert np.abs(given[1] - given[2]).max() > 0.01
    doubled = fit(make(), X, y, p, loss=KD(weight=2)).predict_proba(X)
    assert np.abs(given[1] - doubled).max() > 0.01


@BOTH
def test_weights_and_rows_without_labels_are_heard(make):
    X, y = draw()
    p = soft_labels()
    w = np.random.default_rng(0).integers(1, 3, 300)
    student = make(n_estimators=5, **FINE[make])
    weighed = fit(student, X, y, p, sample_weight=w, temperature=2).predict_proba(X)
    twice = fit(student, *(np.repeat(a, w, axis=0) for a in (X, y, p)), temperature=2)
    assert np.abs(weighed - twice.predict_proba(X)).mean() < 5e-3

    teacher = RandomForestClassifier(10, max_depth=3, random_state=0).fit(X, y)
    model = DistilledClassifier(teacher, student, alpha=1, random_state=0)
    got = model.fit(X[:100], y[:100], X_unlabeled=X[100:]).predict_proba(X)
    same = fit(student, X, y, teacher.predict_proba(X), alpha=1)
    np.testing.assert_allclose(got, same.predict_proba(X), atol=1e-6)


@BOTH
def test_a_boosted_student_learns_more_from_a_forest_than_from_labels(make):
    X, y = make_classification(2000, 10, n_informative=6, flip_y=0.2, random_state=1)
    teacher = RandomForestClassifier(20, min_samples_leaf=5, random_state=0, n_jobs=1)
    student = make(n_estimators=100, learning_rate=0.3)
    model = DistilledClassifier(teacher, student, alpha=0.9, random_state=0)
    plain = clone(model).set_params(alpha=0).fit(X[:700], y[:700]).predict_proba(X[700:])
    distilled = model.fit(X[:700], y[:700]).predict_proba(X[700:])
    assert log_loss(y[700:], distilled) < 0.9 * log_loss(y[700:], plain)


# What is left.


@BOTH
@CLASSES
def test_what_is_left_is_a_model_of_the_library(make, n_classes):
    X, y = draw(n_classes=n_classes)
    p = soft_labels(n_classes=n_classes)
    student = make()
    before = student.get_params()
    model = fit(student, X, y, p, temperature=2)
    assert student.get_params() == before
    inner = model.student_.estimator_
    native = clone(inner).fit(X, np.searchsorted(NAMES, y))
    assert repr(inner.get_params()) == repr(native.get_params())
    answer = model.predict_proba(X)
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(inner.predict_proba(X), answer, atol=1e-6)
    np.testing.assert_array_equal(
        model.predict(X), NAMES[np.asarray(inner.predict_proba(X)).argmax(axis=1)]
    )
    booster = inner.booster_ if make is lightgbm else inner.get_booster()
    assert len(booster.dump_model()["tree_info"] if make is lightgbm else booster.get_dump()) == (
        20 if n_classes == 2 else 20 * n_classes
    )
    stored = pickle.dumps(model.student_)
    assert b"SoftObjective" not in stored
    np.testing.assert_array_equal(pickle.loads(stored).predict_proba(X), answer)
    again = clone(model).fit(X, y, soft_targets=p).predict_proba(X)
    np.testing.assert_array_equal(again, answer)
    assert clone(model.student_).fit(X, y).score(X, y) > 0.7


def test_a_saved_model_of_lightgbm_predicts_probabilities(tmp_path):
    lgb = pytest.importorskip("lightgbm")
    X, y = draw()
    model = fit(lightgbm(), X, y, soft_labels())
    path = tmp_path / "model.txt"
    model.student_.estimator_.booster_.save_model(path)
    np.testing.assert_array_equal(lgb.Booster(model_file=path).predict(X), model.predict_proba(X))


@CLASSES
@pytest.mark.parametrize(
    "make, nothing",
    [
        (lightgbm, {"min_child_samples": 300}),  # no column is looked at
        (lightgbm, {"min_split_gain": 1e9}),
        (xgboost, {"gamma": 1e6}),
    ],
)
def test_where_no_split_is_found_the_shares_are_predicted(make, nothing, n_classes):
    skip_other_start(make)
    X, y = draw(n_classes=n_classes)
    p = soft_labels(n_classes=n_classes)
    model = fit(make(n_estimators=3, **nothing), X, y, p, alpha=0.5)
    assert model.student_.estimator_.n_features_in_ == 6
    mixture = 0.5 * (y[:, None] == NAMES[:n_classes]).mean(axis=0) + 0.5 * p.mean(axis=0)
    np.testing.assert_allclose(model.predict_proba(X[:2]), [mixture] * 2, atol=1e-5)


@BOTH
def test_a_class_that_nobody_names_keeps_its_column(make):
    skip_other_start(make)
    X, y = draw()
    p = soft_labels()
    p[:, 1] = 0
    p /= p.sum(axis=1, keepdims=True)
    answer = fit(make(), X, y, p, alpha=1).predict_proba(X)
    assert answer.shape == (300, 3)
    assert answer[:, 1].max() < 1e-6


@BOTH
def test_tables_with_gaps_and_categories(make):
    X, y = draw()
    table = pd.DataFrame(X, columns=list("abcdef")).mask(X > 1.5)
    table = table.assign(kind=pd.Categorical(np.where(X[:, 0] > 0, "u", "v")))
    teacher = make_pipeline(TablePreprocessor(), RandomForestClassifier(5))
    for student in (
        make_pipeline(TablePreprocessor(), make()),
        make() if make is lightgbm else make(enable_categorical=True),
    ):
        model = DistilledClassifier(teacher, student, random_state=0).fit(table, y)
        assert model.score(table, y) > 0.8
        last = model.student_[-1] if hasattr(model.student_, "steps") else model.student_
        assert isinstance(last, BoostedStudent)
        again = pickle.loads(pickle.dumps(model.student_)).predict_proba(table)
        np.testing.assert_array_equal(again, model.predict_proba(table))


@BOTH
def test_in_a_grid(make):
    X, y = draw()
    model = DistilledClassifier(RandomForestClassifier(5), make(n_estimators=2), random_state=0)
    grid = {"temperature": [1, 5], "student__learning_rate": [0.1, 0.5]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1


OF_THEIR_OWN = {
    "lightgbm, a class weight": lambda: lightgbm(class_weight="balanced"),
    "lightgbm, one against all": lambda: lightgbm(objective="multiclassova"),
    "lightgbm, a random forest": lambda: lightgbm(
        boosting_type="rf", subsample=0.6, subsample_freq=1
    ),
    "lightgbm, trees left out at random": lambda: lightgbm(boosting_type="dart"),
    "lightgbm, linear leaves": lambda: lightgbm(linear_tree=True),
    "xgboost, squared error": lambda: xgboost(objective="reg:squarederror"),
}


@pytest.mark.parametrize("case", OF_THEIR_OWN)
def test_a_loss_of_their_own_is_learnt_from_copies(case):
    model = DistilledClassifier(student=OF_THEIR_OWN[case](), random_state=0)
    X, y = draw()
    with pytest.raises(StudentError, match="cannot hear temperature=2"):
        clone(model).set_params(temperature=2).fit(X, y, soft_targets=soft_labels())
    student = model.fit(X, y, soft_targets=soft_labels()).student_
    assert not isinstance(student, BoostedStudent)


# Refusals.


class Untouched(RandomForestClassifier):
    """A teacher that must not be fitted."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("The teacher was fitted before the student was refused.")


def attempt(student, X=None, **settings):
    rows, y = draw()
    X = rows if X is None else X
    return lambda: DistilledClassifier(Untouched(), student(), **settings).fit(X, y)


REFUSED = {
    "lightgbm, another loss": (
        StudentError, attempt(lightgbm, loss="dkd"),
        r"LGBMClassifier cannot learn with loss=.*Expected loss='kd'.*StudentNet",
    ),
    "xgboost, standardised": (
        StudentError, attempt(xgboost, loss=KD(standardize=True)),
        r"XGBClassifier cannot learn with loss=.*Expected loss='kd'",
    ),
    "a temperature out of range": (
        ValueError, attempt(lightgbm, temperature=1e6),
        "temperature=1000000.0 leaves.*expected at most 10,000",
    ),
    "lightgbm, early stopping": (
        StudentError, attempt(lambda: lightgbm(early_stopping_round=5)),
        "early_stopping_round=5.*expected None.*n_estimators",
    ),
    "xgboost, early stopping": (
        StudentError, attempt(lambda: xgboost(early_stopping_rounds=5)),
        "early_stopping_rounds=5.*expected None.*n_estimators",
    ),
    "lightgbm, images": (
        StudentError, attempt(lightgbm, X=np.zeros((300, 3, 4))), "shape .*reads tables; expected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
