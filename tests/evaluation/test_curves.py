"""Curves: equal to hand-written loops, no test row in any target, refusals before training."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from sklearn.model_selection import (
    GroupKFold,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    capacity_curve,
    label_budget_curve,
    learning_curves,
    temperature_alpha_map,
)
from skdistill.evaluation._curves._input import check_curve_input
from skdistill.evaluation._curves._subsets import nested_subsets
from skdistill.evaluation._size import find_size
from skdistill.evaluation._split import stratified_order
from skdistill.exceptions import TeacherWarning
from skdistill.teachers import ClassGraphTeacher

METRICS = ("log_loss", "accuracy", "brier")
SCORES = [
    f"{part}_{metric}{end}"
    for metric in METRICS
    for part in ("train", "test")
    for end in ("", "_std")
]


def draw(n, n_classes, seed=0):
    """Overlapping normal clouds, which a naive Bayes teacher knows well."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    return rng.normal(size=(n, 6)) + 2 * np.eye(n_classes, 6)[y], y


def two_classes(n=150):
    X, y = draw(n, 2)
    return X, np.array(["no", "yes"])[y]


def three_classes():
    return draw(150, 3)


def small_net(**parameters):
    settings = {"module__hidden_units": (8,), "max_epochs": 3, "batch_size": 32, "lr": 0.01}
    return StudentNet(**settings | parameters)


def recipe(teacher=None, student=None, **parameters):
    teacher = GaussianNB() if teacher is None else teacher
    student = make_pipeline(StandardScaler(), small_net()) if student is None else student
    return DistilledClassifier(teacher, student, **{"cv": 2, "random_state": 0, **parameters})


def frozen(X, y, **parameters):
    teacher = FrozenEstimator(GaussianNB().fit(X, y))
    return recipe(teacher, cv=None, **parameters)


def one_split(n=150, n_test=50):
    return [(np.arange(n - n_test), np.arange(n - n_test, n))]


def pick(result, **keys):
    (row,) = [r for r in result.rows if all(r[name] == value for name, value in keys.items())]
    return row


def score(model, X, y, labels):
    p = np.zeros((len(y), len(labels)))
    p[:, np.isin(labels, model.classes_)] = model.predict_proba(X)
    one_hot = (y[:, None] == labels).astype(float)
    return {
        "log_loss": log_loss(y, p, labels=labels),
        "accuracy": accuracy_score(y, labels[p.argmax(axis=1)]),
        "brier": ((p - one_hot) ** 2).sum(axis=1).mean(),
    }


def assert_equal_rows(first, second):
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_equal(a[name], b[name])


# ---------------------------------------------------------------------------------------------
# scikit-learn's own curves
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["unfitted", "frozen", "in a Pipeline"])
def test_scikit_learns_learning_curve_works_as_it_is(kind):
    X, y = two_classes()
    model = {"unfitted": recipe(), "frozen": frozen(X, y)}.get(kind)
    if model is None:
        model = make_pipeline(StandardScaler(), recipe(student=small_net()))
    sizes, on_train, on_test = learning_curve(
        model, X, y, train_sizes=[60, 75], cv=2, scoring="neg_log_loss"
    )
    assert sizes.tolist() == [60, 75]
    assert on_train.shape == on_test.shape == (2, 2)
    train, test = next(StratifiedKFold(2).split(X, y))
    alone = clone(model).fit(X[train], y[train])
    expected = log_loss(y[test], alone.predict_proba(X[test]))
    assert -on_test[1, 0] == pytest.approx(expected, rel=1e-12)  # the scorer rounds otherwise


def test_scikit_learns_validation_curve_works_as_it_is():
    X, y = two_classes()
    on_train, on_test = validation_curve(
        recipe(), X, y, param_name="alpha", param_range=[0.0, 1.0], cv=2
    )
    assert on_train.shape == on_test.shape == (2, 2)


# ---------------------------------------------------------------------------------------------
# Learning curves
# ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")  # by the loop
@pytest.mark.parametrize("frozen_teacher", [False, True])
def test_rows_are_those_of_a_hand_written_loop(frozen_teacher):
    X, y = three_classes()
    labels = np.unique(y)
    model = frozen(X[::3], y[::3]) if frozen_teacher else recipe()
    curves = learning_curves(model, X, y, train_sizes=[20, 75], cv=2)
    assert list(curves.rows[0]) == ["arm", "n_train", *SCORES]
    assert [(row["arm"], row["n_train"]) for row in curves.rows] == [
        (arm, n) for arm in ("teacher", "plain", "label smoothing", "distilled") for n in (20, 75)
    ]
    found = {}
    for subset in nested_subsets(
        check_curve_input("learning_curves", model, X, y, 2), [20, 75], None, parameter=""
    ):
        X_train, y_train = X[subset.train], y[subset.train]
        smoothed = 0.9 * np.eye(3)[y_train] + 0.1 / 3
        distilled = clone(model).fit(X_train, y_train)
        alone = {"teacher": None, "cv": None}
        arms = {
            "teacher": distilled.teacher_,
            "plain": clone(model).set_params(alpha=0.0, **alone).fit(X_train, y_train),
            "label smoothing": clone(model)
            .set_params(alpha=1.0, temperature=1.0, **alone)
            .fit(X_train, y_train, soft_targets=smoothed),
            "distilled": distilled,
        }
        for arm, fitted in arms.items():
            for part, rows in (("train", subset.train), ("test", subset.test)):
                for metric, value in score(fitted, X[rows], y[rows], labels).items():
                    found.setdefault((arm, subset.size, f"{part}_{metric}"), []).append(value)
    for (arm, n, name), values in found.items():
        row = pick(curves, arm=arm, n_train=n)
        assert row[name] == pytest.approx(np.mean(values), rel=1e-9, abs=1e-12)
        assert row[f"{name}_std"] == pytest.approx(np.std(values, ddof=1), rel=1e-6, abs=1e-9)


def test_all_rows_are_scikit_learns_cross_validation():
    X, y = two_classes()
    curves = learning_curves(recipe(), X, y, train_sizes=[1.0], cv=3)
    scores = cross_val_score(recipe(), X, y, cv=3, scoring="neg_log_loss")
    row = pick(curves, arm="distilled")
    assert row["test_log_loss"] == pytest.approx(-scores.mean(), rel=1e-12)
    scores = cross_val_score(recipe(), X, y, cv=3)
    assert row["test_accuracy"] == pytest.approx(scores.mean(), rel=1e-12)


@pytest.mark.parametrize("curve", [learning_curves, label_budget_curve])
def test_neither_rows_nor_labels_of_the_test_reach_a_student(curve):
    X, y = two_classes()
    cv = one_split()
    other_X, other_y = X.copy(), y.copy()
    other_X[100:] = other_X[100:][::-1] + 1.0
    other_y[100:] = np.random.default_rng(1).permutation(y[100:])
    first = curve(recipe(), X, y, cv=cv, **sizes_of(curve, [40, 100]))
    second = curve(recipe(), other_X, other_y, cv=cv, **sizes_of(curve, [40, 100]))
    for a, b in zip(first.rows, second.rows, strict=True):
        assert a["test_log_loss"] != b["test_log_loss"]
        for metric in METRICS:
            assert a[f"train_{metric}"] == b[f"train_{metric}"]


def sizes_of(curve, sizes):
    return {"train_sizes" if curve is learning_curves else "budgets": sizes}


@pytest.mark.parametrize("frozen_teacher", [False, True])
def test_label_budget_is_the_learning_curve_and_a_student_of_the_other_rows(frozen_teacher):
    X, y = two_classes()
    model = frozen(X[:100], y[:100]) if frozen_teacher else recipe()
    cv = one_split()
    budget = label_budget_curve(model, X, y, budgets=[40, 100], cv=cv)
    assert budget.size_name == "n_labels"
    curves = learning_curves(model, X, y, train_sizes=[40, 100], cv=cv)
    for arm in ("teacher", "plain", "distilled"):
        for n in (40, 100):
            row, other = pick(budget, arm=arm, n_labels=n), pick(curves, arm=arm, n_train=n)
            assert [row[name] for name in SCORES[::2]] == [other[name] for name in SCORES[::2]]
    given = check_curve_input("label_budget_curve", model, X, y, cv)
    labelled = nested_subsets(given, [40], None, parameter="")[0].train
    rest = np.setdiff1d(np.arange(100), labelled)
    alone = clone(model).fit(X[labelled], y[labelled], X_unlabeled=X[rest])
    row = pick(budget, arm="distilled + unlabelled", n_labels=40)
    assert row["test_log_loss"] == pytest.approx(log_loss(y[100:], alone.predict_proba(X[100:])))
    assert row["test_log_loss"] != pick(budget, arm="distilled", n_labels=40)["test_log_loss"]
    # With all labels bought there is no other row.
    row = pick(budget, arm="distilled + unlabelled", n_labels=100)
    distilled = pick(budget, arm="distilled", n_labels=100)
    for name in SCORES[::2]:
        assert row[name] == pytest.approx(distilled[name], rel=1e-9)


def test_a_single_split_has_no_spread():
    X, y = two_classes()
    curves = learning_curves(recipe(), X, y, train_sizes=[60], cv=one_split())
    assert all(np.isnan(row["test_brier_std"]) for row in curves.rows)
    assert "±" not in repr(curves)


def test_predefined_and_listed_splits_are_taken():
    X, y = two_classes()
    fold = np.where(np.arange(150) < 100, -1, 0)
    mask = fold < 0
    rows = [
        learning_curves(recipe(), X, y, train_sizes=[50], cv=cv).rows
        for cv in (PredefinedSplit(fold), [(mask, ~mask)], one_split())
    ]
    assert_equal_rows(rows[0], rows[1])
    assert_equal_rows(rows[0], rows[2])
    groups = np.arange(150) // 10
    curves = learning_curves(
        recipe(), X, y, train_sizes=[50], cv=list(GroupKFold(2).split(X, y, groups))
    )
    assert "2 splits" in curves.title


@pytest.mark.parametrize("random_state", [None, 0, 7])
def test_subsets_are_nested_and_stratified(random_state):
    X, y = two_classes(200)
    y[:180] = "no"  # 20 rows or so are left to the other class
    given = check_curve_input("learning_curves", recipe(cv="in-sample"), X, y, 2)
    subsets = nested_subsets(given, [0.1, 0.5, 1.0], random_state, parameter="train_sizes")
    assert [(s.split, s.size) for s in subsets] == [
        (split, n) for split in (0, 1) for n in (10, 50, 100)
    ]
    for small, large in pairwise(subsets):
        if small.split == large.split:
            assert set(small.train) < set(large.train)
    for subset in subsets:
        assert (np.diff(subset.train) > 0).all()
        assert not set(subset.train) & set(subset.test)
        expected = np.mean(y[given.splits[subset.split][0]] == "yes") * subset.size
        assert abs(np.sum(y[subset.train] == "yes") - expected) <= 1
    whole = [set(train) for train, _ in given.splits]
    assert [set(s.train) for s in subsets if s.is_largest] == whole


@pytest.mark.parametrize("counts", [(50, 50), (97, 2, 1), (5, 90, 3, 2)])
def test_every_beginning_of_the_order_keeps_the_proportions(counts):
    y_index = np.repeat(np.arange(len(counts)), counts)
    order = stratified_order(y_index, 0)
    assert sorted(order) == list(range(100))
    assert set(y_index[order[: len(counts)]]) == set(range(len(counts)))
    for n in range(len(counts), 101):
        found = np.bincount(y_index[order[:n]], minlength=len(counts))
        assert (np.abs(found - n * np.array(counts) / 100) < len(counts)).all()


def test_another_random_state_draws_other_subsets():
    X, y = two_classes()
    rows = [
        learning_curves(recipe(), X, y, train_sizes=[40], cv=one_split(), random_state=seed).rows
        for seed in (None, 0, 1)
    ]
    assert_equal_rows(rows[0], rows[1])  # None is the seed of the model
    assert rows[1][1]["test_log_loss"] != rows[2][1]["test_log_loss"]


# ---------------------------------------------------------------------------------------------
# Classes
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["in-sample", "frozen"])
def test_a_subset_without_a_class_is_scored_over_all_classes(kind):
    X, y = three_classes()
    model = recipe(cv="in-sample") if kind == "in-sample" else frozen(X, y)
    curves = learning_curves(model, X, y, train_sizes=[2, 60], cv=one_split())
    few = pick(curves, arm="distilled", n_train=2)
    # A third of the test rows or so has a class of probability 0, each costs 36 nats.
    assert 8 < few["test_log_loss"] < 18
    assert few["train_log_loss"] < 3
    assert pick(curves, arm="distilled", n_train=60)["test_log_loss"] < 2


def test_few_rows_of_many_classes_are_no_reason_to_warn():
    X, y = draw(200, 6)
    model = recipe(DecisionTreeClassifier(max_depth=6, random_state=0), cv="in-sample")
    curve = label_budget_curve(model, X, y, budgets=[8, 100], cv=one_split(200, 100))
    assert pick(curve, arm="teacher", n_labels=8)["train_accuracy"] == 1


def test_a_class_of_the_test_rows_alone_is_no_error():
    X, y = three_classes()
    train = np.flatnonzero(y != 1)
    test = np.flatnonzero(y == 1)
    curves = learning_curves(recipe(), X, y, train_sizes=[1.0], cv=[(train, test)])
    for row in curves.rows:
        assert row["test_accuracy"] == 0
        assert row["test_log_loss"] == pytest.approx(-np.log(np.finfo(float).eps))


def test_columns_of_a_teacher_are_read_by_their_labels():
    X, y = two_classes()
    teacher = GaussianNB().fit(X[:100], y[:100])

    def turned(rows):
        return teacher.predict_proba(rows)[:, ::-1]

    cv = one_split()
    model = recipe(turned, cv=None, teacher_classes=["yes", "no"])
    first = learning_curves(model, X, y, train_sizes=[60], cv=cv)
    second = learning_curves(
        recipe(FrozenEstimator(teacher), cv=None), X, y, train_sizes=[60], cv=cv
    )
    assert_equal_rows(first.rows, second.rows)


def test_a_row_whose_class_the_teacher_does_not_know_learns_from_its_label():
    X, y = three_classes()
    known = np.flatnonzero(y < 2)
    teacher = GaussianNB().fit(X[known], y[known])
    model = recipe(FrozenEstimator(teacher), cv=None)
    curves = learning_curves(model, X, y, train_sizes=[1.0], cv=one_split())
    alone = clone(model).fit(X[:100], y[:100])
    expected = log_loss(y[100:], alone.predict_proba(X[100:]))
    assert pick(curves, arm="distilled")["test_log_loss"] == pytest.approx(expected)
    assert pick(curves, arm="teacher")["test_accuracy"] == teacher.score(X[100:], y[100:])


def test_a_teacher_that_answers_from_labels_alone_has_no_scores():
    X, y = three_classes()
    model = recipe(ClassGraphTeacher(np.ones((3, 3))), cv=None)
    curves = learning_curves(model, X, y, train_sizes=[1.0], cv=one_split())
    assert np.isnan(pick(curves, arm="teacher")["test_log_loss"])
    alone = clone(model).fit(X[:100], y[:100])
    assert pick(curves, arm="distilled")["test_log_loss"] == pytest.approx(
        log_loss(y[100:], alone.predict_proba(X[100:]))
    )


# ---------------------------------------------------------------------------------------------
# Teachers
# ---------------------------------------------------------------------------------------------


def test_a_fitted_teacher_is_asked_once():
    X, y = two_classes()
    fitted = GaussianNB().fit(X, y)
    asked = []

    def teacher(rows):
        asked.append(len(rows))
        return fitted.predict_proba(rows)

    learning_curves(recipe(teacher, cv=None), X, y, train_sizes=[30, 75], cv=2)
    assert asked == [150]


def test_a_calibrated_fitted_teacher_gives_the_targets_of_fit():
    X, y = two_classes()
    teacher = FrozenEstimator(
        DecisionTreeClassifier(max_depth=3, random_state=0).fit(X[:50], y[:50])
    )
    model = recipe(teacher, cv=None, calibrate=True)
    curves = learning_curves(model, X, y, train_sizes=[1.0], cv=one_split())
    alone = clone(model).fit(X[:100], y[:100])
    assert pick(curves, arm="distilled")["test_log_loss"] == pytest.approx(
        log_loss(y[100:], alone.predict_proba(X[100:]))
    )


def test_a_teacher_that_memorised_the_training_rows_is_warned_of():
    X, y = two_classes(400)
    tree = DecisionTreeClassifier(random_state=0).fit(X[:300], y[:300])
    model = recipe(FrozenEstimator(tree), cv=None)
    with pytest.warns(TeacherWarning, match="memorised") as caught:
        learning_curves(model, X, y, train_sizes=[50], cv=one_split(400, 100))
    assert [str(w.filename) for w in caught if "memorised" in str(w.message)] == [__file__]


def test_a_poor_teacher_of_few_rows_is_warned_of_only_where_it_has_all():
    X, y = two_classes()
    nonsense = recipe(DecisionTreeClassifier(random_state=0), cv=2)
    y = np.random.default_rng(0).permutation(y)
    with pytest.warns(TeacherWarning, match="worse than") as caught:
        learning_curves(nonsense, X, y, train_sizes=[20, 40, 100], cv=one_split())
    assert len(caught) == 1


# ---------------------------------------------------------------------------------------------
# Capacity
# ---------------------------------------------------------------------------------------------


class CountingTeacher(GaussianNB):
    """Counts the fits of all its clones."""

    fits = 0

    def fit(self, X, y):
        CountingTeacher.fits += 1
        return super().fit(X, y)


def test_capacity_is_a_loop_of_fits_with_one_teacher_for_each_split():
    X, y = two_classes()
    model = recipe(CountingTeacher(), small_net())
    CountingTeacher.fits = 0
    curve = capacity_curve(model, X, y, param_range=[2, 5, 9], cv=2)
    assert CountingTeacher.fits == 2 * (2 + 1)  # splits, of each two folds and all rows
    assert list(curve.rows[0]) == ["arm", "value", "n_parameters", *SCORES]
    assert [row["arm"] for row in curve.rows] == ["teacher", *["plain"] * 3, *["distilled"] * 3]
    assert np.isnan(curve.rows[0]["value"])
    for width in (2, 5, 9):
        sized = clone(model).set_params(student__module__hidden_units=(width,))
        for arm, alpha in (("plain", 0.0), ("distilled", 0.5)):
            losses = []
            for train, test in StratifiedKFold(2).split(X, y):
                fitted = clone(sized).set_params(alpha=alpha).fit(X[train], y[train])
                losses.append(log_loss(y[test], fitted.predict_proba(X[test])))
            row = pick(curve, arm=arm, value=width)
            assert row["test_log_loss"] == pytest.approx(np.mean(losses), rel=1e-12)
            n_parameters = sum(p.numel() for p in fitted.student_.module_.parameters())
            assert row["n_parameters"] == n_parameters


@pytest.mark.parametrize(
    ("student", "name", "layers"),
    [
        (None, "student__net__module__hidden_units", 2),
        (StudentNet(max_epochs=1), "student__module__hidden_units", 2),
        (
            make_pipeline(StandardScaler(), small_net(module__hidden_units=(3, 3, 3))),
            "student__studentnet__module__hidden_units",
            3,
        ),
    ],
)
def test_the_width_of_a_student_is_found(student, name, layers):
    X, y = two_classes(40)
    model = DistilledClassifier(GaussianNB(), student, cv=2, random_state=0)
    curve = capacity_curve(model, X, y, param_range=[2, (3,) * layers], cv=one_split(40, 10))
    assert curve.param_name == name
    assert [row["value"] for row in curve.rows[1:3]] == [2, (3,) * layers]
    sized = model if student is not None else None
    if sized is not None:
        sized = clone(model).set_params(**{name: (2,) * layers}).fit(X[:30], y[:30])
        expected = log_loss(y[30:], sized.predict_proba(X[30:]))
        row = pick(curve, arm="distilled", value=2)
        assert row["test_log_loss"] == pytest.approx(expected)
    assert model.student is student


@pytest.mark.parametrize(
    ("student", "name"),
    [
        (DecisionTreeClassifier(random_state=0), "student__max_leaf_nodes"),
        (
            make_pipeline(StandardScaler(), DecisionTreeRegressor(random_state=0)),
            "student__decisiontreeregressor__max_leaf_nodes",
        ),
    ],
)
def test_the_size_of_a_tree_is_its_leaves(student, name):
    X, y = two_classes()
    curve = capacity_curve(recipe(student=student), X, y, cv=one_split())
    assert curve.param_name == name
    assert [row["value"] for row in curve.rows[1:5]] == [4, 16, 64, 256]
    sized = recipe(student=student).set_params(**{name: 4}).fit(X[:100], y[:100])
    row = pick(curve, arm="distilled", value=4)
    assert row["n_parameters"] == 7  # nodes of a tree with four leaves
    assert row["test_log_loss"] == pytest.approx(log_loss(y[100:], sized.predict_proba(X[100:])))


@pytest.mark.filterwarnings("ignore:.*it is timid")  # twenty images a fold
@pytest.mark.parametrize(
    ("student", "name"),
    [
        (None, "student__net__module__size"),
        (StudentNet(max_epochs=1), "student__module__size"),
    ],
)
def test_the_size_of_a_student_of_images_is_that_of_its_convnet(student, name):
    X, y = load_digits(return_X_y=True)
    X, y = X[:80].reshape(-1, 8, 8).astype("float32"), y[:80]
    model = DistilledClassifier(FlatLogistic(), student, cv=2, random_state=0)
    curve = capacity_curve(model, X, y, cv=one_split(80, 40), param_range=["tiny"])
    assert curve.param_name == name
    assert [row["n_parameters"] for row in curve.rows[1:]] == [1442, 1442]
    every = find_size(model, X, "capacity_curve").values
    assert every == ("tiny", "small", "medium")


class FlatLogistic(LogisticRegression):
    """A teacher that reads images."""

    def fit(self, X, y):
        return super().fit(X.reshape(len(X), -1) / 16, y)

    def predict_proba(self, X):
        return super().predict_proba(X.reshape(len(X), -1) / 16)


def test_any_parameter_of_the_student_can_be_varied():
    X, y = two_classes()
    curve = capacity_curve(
        recipe(student=small_net()),
        X,
        y,
        param_name="student__max_epochs",
        param_range=[1, 4],
        cv=one_split(),
    )
    assert (
        pick(curve, arm="plain", value=1)["train_log_loss"]
        > (pick(curve, arm="plain", value=4)["train_log_loss"])
    )
    fitted = recipe(student=small_net(max_epochs=4)).fit(X[:100], y[:100])
    expected = log_loss(y[100:], fitted.predict_proba(X[100:]))
    assert pick(curve, arm="distilled", value=4)["test_log_loss"] == pytest.approx(expected)


# ---------------------------------------------------------------------------------------------
# Temperature and alpha
# ---------------------------------------------------------------------------------------------


def test_the_map_is_a_loop_of_fits_and_alpha_0_is_fitted_once(monkeypatch):
    X, y = two_classes()
    fits, fit = [], DistilledClassifier.fit

    def counting(model, *args, **given):
        fits.append(model)
        return fit(model, *args, **given)

    monkeypatch.setattr(DistilledClassifier, "fit", counting)
    CountingTeacher.fits = 0
    model = recipe(CountingTeacher())
    found = temperature_alpha_map(model, X, y, temperatures=[1, 3], alphas=[0, 0.5, 1], cv=2)
    assert CountingTeacher.fits == 2 * (2 + 1)
    assert len(fits) == 2 * (1 + 2 * 2)
    assert list(found.rows[0]) == ["temperature", "alpha", *SCORES]
    for temperature in (1.0, 3.0):
        for alpha in (0.0, 0.5, 1.0):
            cell = clone(model).set_params(temperature=temperature, alpha=alpha)
            scores = cross_val_score(cell, X, y, cv=2, scoring="neg_log_loss")
            row = pick(found, temperature=temperature, alpha=alpha)
            assert row["test_log_loss"] == pytest.approx(-scores.mean(), rel=1e-12)


def test_the_best_cell_of_a_map():
    X, y = two_classes()
    found = temperature_alpha_map(
        recipe(), X, y, temperatures=[1, 4], alphas=[0, 0.5], cv=one_split()
    )
    for metric, best in (("log_loss", min), ("brier", min), ("accuracy", max)):
        params = found.best_params(metric)
        wanted = best(row[f"test_{metric}"] for row in found.rows)
        assert pick(found, **params)[f"test_{metric}"] == wanted
        recipe().set_params(**params)
    with pytest.raises(ValueError, match="must be one of log_loss"):
        found.best_params("auc")


# ---------------------------------------------------------------------------------------------
# All of them
# ---------------------------------------------------------------------------------------------

CURVES = [
    (learning_curves, {"train_sizes": [40, 75]}),
    (label_budget_curve, {"budgets": [40, 75]}),
    (capacity_curve, {"param_range": [2, 4]}),
    (temperature_alpha_map, {"temperatures": [1, 2], "alphas": [0, 1]}),
]


@pytest.mark.parametrize(("curve", "settings"), CURVES)
def test_a_curve_repeats_itself_says_where_it_is_and_changes_nothing(curve, settings, capsys):
    X, y = two_classes()
    X = pd.DataFrame(X, columns=list("abcdef"))
    model, before = recipe(verbose=0), (X.copy(), y.copy(), repr(recipe(verbose=0)))
    first = curve(model, X, y, cv=2, **settings)
    assert capsys.readouterr().out == ""
    second = curve(model, X, y, cv=2, verbose=1, **settings)
    lines = capsys.readouterr().out.splitlines()
    n_subsets = 4 if curve in (learning_curves, label_budget_curve) else 2
    assert len(lines) == n_subsets
    assert all(line.startswith(f"[{curve.__name__}] split ") for line in lines)
    progress = rf"{n_subsets} of {n_subsets}, [0-9.]+ s"
    assert re.search(rf": {progress}$", lines[-1])
    assert re.search(rf": 1 of {n_subsets}, [0-9.]+ s$", lines[0])
    if n_subsets > 2:
        assert re.search(rf": 2 of {n_subsets}, [0-9.]+ s, about [0-9]+ s left$", lines[1])
    assert_equal_rows(first.rows, second.rows)
    pd.testing.assert_frame_equal(X, before[0])
    assert y.tolist() == before[1].tolist()
    assert repr(model) == before[2] and not hasattr(model, "student_")
    assert first.to_frame().shape == (len(first.rows), len(first.rows[0]))
    assert repr(first).splitlines()[0] == first.title


@pytest.mark.slow
@pytest.mark.parametrize(("curve", "settings"), CURVES)
def test_the_number_of_jobs_changes_nothing(curve, settings):
    X, y = two_classes()
    for model in (recipe(), frozen(X, y)):
        rows = [curve(model, X, y, cv=2, n_jobs=n_jobs, **settings).rows for n_jobs in (None, 2)]
        assert_equal_rows(*rows)


def test_a_model_without_a_seed_has_one_seed_for_all_its_fits():
    X, y = two_classes()
    found = temperature_alpha_map(
        recipe(random_state=None), X, y, temperatures=[2], alphas=[0, 1e-12], cv=one_split()
    )
    plain, nearly_plain = found.rows
    assert plain["test_log_loss"] == pytest.approx(nearly_plain["test_log_loss"], abs=1e-4)
    generator = np.random.RandomState(0)
    rows = [
        label_budget_curve(recipe(random_state=generator), X, y, budgets=[40], cv=one_split()).rows
        for _ in range(2)
    ]
    assert rows[0][1]["test_log_loss"] != rows[1][1]["test_log_loss"]


def test_frames_with_strings_and_gaps_are_taken_with_the_default_student():
    X, y = two_classes(60)
    X = pd.DataFrame(X, columns=list("abcdef"))
    X["town"] = np.where(X["a"] > 0, "Rome", "Oslo")
    X.loc[::7, "b"] = np.nan
    model = DistilledClassifier(make_pipeline(GapFiller(), GaussianNB()), cv=2, random_state=0)
    curve = capacity_curve(model, X, y, param_range=[2], cv=one_split(60, 20))
    assert all(np.isfinite(row["test_log_loss"]) for row in curve.rows)


class GapFiller(StandardScaler):
    """Numbers alone, without gaps."""

    def fit(self, X, y=None):
        return super().fit(X.select_dtypes("number").fillna(0).to_numpy())

    def transform(self, X):
        return super().transform(X.select_dtypes("number").fillna(0).to_numpy())


def test_the_brier_score_is_scikit_learns_unhalved_one():
    X, y = two_classes()
    curves = learning_curves(recipe(), X, y, train_sizes=[1.0], cv=one_split())
    p = recipe().fit(X[:100], y[:100]).predict_proba(X[100:])
    expected = brier_score_loss(y[100:], p, labels=["no", "yes"], scale_by_half=False)
    assert pick(curves, arm="distilled")["test_brier"] == pytest.approx(expected)
