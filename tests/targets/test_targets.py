"""The answer of a teacher as a value: learnt from as from the teacher, sliced, pickled, read."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import shuffle
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.losses import HintLoss
from skdistill.students import MLP
from skdistill.targets import Targets, teacher_targets
from skdistill.teachers import CallableTeacher, ClassGraphTeacher

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
LABELS = np.array(["setosa", "versicolor", "virginica"])[Y]
WEIGHT = np.linspace(0.5, 2, len(Y))
SOFT = GaussianNB().fit(X, Y).predict_proba(X)
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def module(*last, n_outputs=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, n_outputs), *last)


def student():
    return StudentNet(MLP, module__hidden_units=(6,), max_epochs=3, batch_size=32)


# fit on Targets is fit with the teacher

TEACHERS = {
    "fitted": lambda: GaussianNB().fit(X, LABELS),
    "logits": module,
    "module of probabilities": lambda: module(nn.Softmax(1)),
    "a module's logits by a function": lambda: CallableTeacher(
        lambda rows: module()(torch.tensor(rows).float()).detach().numpy(), kind="logits"
    ),
    "unfitted": lambda: RandomForestClassifier(5),
    "list": lambda: [RandomForestClassifier(5), GaussianNB()],
    "list of modules": lambda: [module(), module()],
    "graph in a list": lambda: [GaussianNB(), ClassGraphTeacher(np.ones((3, 3)))],
}
SETTINGS = {
    "as it is": {},
    "calibrated": {"calibrate": True},
    "prior": {"calibrate": "prior"},
    "weights": {"sample_weight": WEIGHT},
    "unlabelled": {"X_unlabeled": X[:20] + 0.1},
}


# A graph's answers come from the labels: they are not calibrated, and there are none without.
PAIRS = [
    (n, s) for n in TEACHERS for s in SETTINGS if "graph" not in n or s in ("as it is", "weights")
]


@pytest.mark.parametrize(("name", "settings"), PAIRS)
def test_a_fit_on_targets_is_the_fit_with_the_teacher(name, settings):
    settings = SETTINGS[settings]
    given = {n: v for n, v in settings.items() if n in ("sample_weight", "X_unlabeled")}
    settings = {n: v for n, v in settings.items() if n not in given}
    teacher = TEACHERS[name]()
    model = DistilledClassifier(teacher, student(), random_state=0, **settings)
    model.fit(X, LABELS, **given)
    targets = teacher_targets(clone_unless_fitted(teacher), X, LABELS, random_state=0,
                              **settings, **given)  # fmt: skip
    alone = DistilledClassifier(None, student(), random_state=0, **settings)
    alone.fit(X, LABELS, soft_targets=targets, **given)
    assert alone.temperature_ == model.temperature_
    np.testing.assert_array_equal(alone.predict_proba(X), model.predict_proba(X))


def clone_unless_fitted(teacher):
    return clone(teacher) if isinstance(teacher, RandomForestClassifier) else teacher


def test_the_softness_of_a_torch_teacher_is_handed_on():
    teacher = module(n_outputs=10)
    rows, y = np.random.default_rng(0).normal(size=(100, 4)), np.arange(100) % 10
    targets = teacher_targets(teacher, rows, y)
    assert targets.kind == "logits"
    model = DistilledClassifier(None, student(), random_state=0)
    assert model.fit(rows, y, soft_targets=targets).temperature_ == 4.0
    assert model.fit(rows, y, soft_targets=np.asarray(targets)).temperature_ == 1.0


def test_hidden_layers_come_along():
    teacher = module()
    settings = {"feature_losses": [HintLoss("0", "0", weight=1.0)], "random_state": 0}
    model = DistilledClassifier(teacher, student(), **settings).fit(X, Y, X_unlabeled=X[:9])
    targets = teacher_targets(teacher, X, Y, layers=["0"], X_unlabeled=X[:9])
    assert [part.shape for part in targets.features["0"]] == [(150, 6), (9, 6)]
    alone = DistilledClassifier(None, student(), **settings)
    alone.fit(X, Y, soft_targets=targets, X_unlabeled=X[:9])
    np.testing.assert_array_equal(alone.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("fitted", [True, False])
def test_numbers_too(fitted):
    rows, y = load_diabetes(return_X_y=True)
    teacher = RandomForestRegressor(5)
    teacher = teacher.set_params(random_state=0).fit(rows, y) if fitted else teacher
    net = StudentNetRegressor(MLP, module__hidden_units=(6,), max_epochs=3, batch_size=32)
    given = {"X_unlabeled": rows[:20] + 0.01}
    model = DistilledRegressor(teacher, net, random_state=0).fit(rows, y, **given)
    targets = teacher_targets(teacher, rows, y, random_state=0, **given)
    assert targets.kind == "numbers" and targets.shape == (442, 1)
    alone = DistilledRegressor(None, net, random_state=0).fit(
        rows, y, soft_targets=targets, **given
    )
    np.testing.assert_array_equal(alone.predict(rows), model.predict(rows))


def test_scikit_learn_slices_them_fold_by_fold():
    teacher = GaussianNB().fit(X, LABELS)
    order = ["virginica", "setosa", "versicolor"]
    targets = teacher_targets(teacher, X, LABELS, teacher_classes=None, X_unlabeled=X[:7])
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = DistilledClassifier(None, tree, random_state=0)
    given = {"soft_targets": targets, "X_unlabeled": X[:7]}
    folds = StratifiedKFold(3)
    found = cross_val_predict(model, X, LABELS, cv=folds, params=given)
    for train, test in folds.split(X, LABELS):
        fold = clone(model).fit(X[train], LABELS[train], soft_targets=targets[train],
                                X_unlabeled=X[:7])  # fmt: skip
        np.testing.assert_array_equal(found[test], fold.predict(X[test]))
    search = GridSearchCV(model, {"alpha": [0.1, 0.9]}, cv=folds).fit(X, LABELS, **given)
    assert search.best_score_ > 0.9
    shuffled = Targets(targets.values[:, [2, 0, 1]], classes=order)
    np.testing.assert_array_equal(
        clone(model).fit(X, LABELS, soft_targets=shuffled).predict_proba(X),
        clone(model).fit(X, LABELS, soft_targets=targets.replace(more=())).predict_proba(X),
    )


def test_a_fold_that_lacks_a_class_takes_the_columns_of_the_others():
    targets = teacher_targets(GaussianNB().fit(X, LABELS), X, LABELS)
    rows = LABELS != "setosa"
    model = DistilledClassifier(None, DecisionTreeClassifier(max_depth=2), random_state=0)
    model.fit(X[rows], LABELS[rows], soft_targets=targets[rows])
    assert model.classes_.tolist() == ["versicolor", "virginica"]


# As an array


def test_numpy_reads_and_computes_with_them():
    targets = Targets(SOFT)
    assert np.asarray(targets) is targets.values
    assert np.asarray(targets, dtype=np.float32).dtype == np.float32
    assert (len(targets), targets.shape, targets.ndim) == (150, (150, 3), 2)
    np.testing.assert_array_equal(targets[:, 1], SOFT[:, 1])
    np.testing.assert_array_equal(targets[5], SOFT[5])
    computed = [
        (0.5 * targets, 0.5 * SOFT),
        (1 - targets, 1 - SOFT),
        (np.log(targets), np.log(SOFT)),
        (targets > 0.5, SOFT > 0.5),
    ]
    for found, expected in computed:
        assert type(found) is np.ndarray
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("rows", [slice(3, 9), [4, 2], np.arange(150) > 99, (np.arange(5), ...)])
def test_rows_of_them_are_targets(rows):
    features = {"0": [np.arange(150.0), np.zeros(2)]}
    targets = Targets(SOFT, "logits", [0, 1, 2], out_of_fold=True, calibrated=True,
                      more=[SOFT[:2]], features=features)  # fmt: skip
    some, index = targets[rows], rows[0] if isinstance(rows, tuple) else rows
    np.testing.assert_array_equal(some, SOFT[index])
    np.testing.assert_array_equal(some.features["0"][0], np.arange(150.0)[index])
    np.testing.assert_array_equal(some.more[0], SOFT[:2])
    assert (some.kind, some.out_of_fold, some.calibrated) == ("logits", True, True)


def test_they_pickle():
    targets = teacher_targets(module(), X, LABELS, layers=["0"], X_unlabeled=X[:3])
    again = pickle.loads(pickle.dumps(targets))
    assert repr(again) == repr(targets)
    np.testing.assert_array_equal(again, targets)
    np.testing.assert_array_equal(again.more[0], targets.more[0])
    np.testing.assert_array_equal(again.features["0"][1], targets.features["0"][1])


# Tables are read by their names

ODD_NAMES = {
    "strings for numbers": pd.DataFrame(SOFT[:, [1, 2, 0]], columns=["1", "2", "0"]),
    "numbers": pd.DataFrame(SOFT[:, [1, 2, 0]], columns=[1, 2, 0]),
    "nobody's names": pd.DataFrame(SOFT),
}


def learnt(soft_targets, y=Y, **settings):
    tree = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = DistilledClassifier(None, tree, alpha=1, random_state=0, **settings)
    return model.fit(X, y, soft_targets=soft_targets).predict_proba(X)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_of_columns_are_read(name):
    np.testing.assert_array_equal(learnt(ODD_NAMES[name]), learnt(SOFT))
    function = CallableTeacher(lambda rows: ODD_NAMES[name])
    np.testing.assert_allclose(teacher_targets(function, X, Y), SOFT, rtol=1e-12)
    members = [lambda rows: ODD_NAMES[name], lambda rows: SOFT]
    np.testing.assert_allclose(teacher_targets(members, X, Y), SOFT, rtol=1e-12)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_a_function_that_names_its_columns_is_heard(order):
    names = np.unique(LABELS)

    def teacher(rows):
        return pd.DataFrame(SOFT[:, order], columns=names[order])

    np.testing.assert_allclose(teacher_targets(teacher, X, LABELS), SOFT, rtol=1e-12)
    chunks = CallableTeacher(lambda rows: teacher(rows)[: len(rows)], chunk_size=150)
    np.testing.assert_allclose(teacher_targets(chunks, X, LABELS), SOFT, rtol=1e-12)


def test_chunks_that_name_their_columns_in_different_orders_are_put_together():
    names, n_calls = np.unique(LABELS), 0

    def teacher(rows):
        nonlocal n_calls
        n_calls += 1
        order = np.roll([0, 1, 2], n_calls)
        soft = GaussianNB().fit(X, LABELS).predict_proba(rows)
        return pd.DataFrame(soft[:, order], columns=names[order])

    found = teacher_targets(CallableTeacher(teacher, chunk_size=40), X, LABELS)
    np.testing.assert_allclose(found, SOFT, rtol=1e-12)
    found = teacher_targets(teacher, X, X_unlabeled=X[:30])  # without labels, two answers
    np.testing.assert_allclose(found, SOFT, rtol=1e-12)
    np.testing.assert_allclose(found.more[0], SOFT[:30], rtol=1e-12)


PAIR = pd.DataFrame({"up": X[:, 0], "down": -X[:, 0] + 0.1 * X[:, 1]})
SWAPPED = ["down", "up"]


def test_numbers_are_put_in_order_by_the_names_of_their_columns():
    forest = RandomForestRegressor(10, random_state=0).fit(X, PAIR)

    def swapped(rows):
        return pd.DataFrame(forest.predict(rows), columns=["up", "down"])[SWAPPED]

    expected = forest.predict(X)
    found = teacher_targets(swapped, X, PAIR, task="numbers")
    np.testing.assert_array_equal(found, expected)
    net = StudentNetRegressor(MLP, module__hidden_units=(6,), max_epochs=3, batch_size=32)

    def fit(soft_targets, y_val):
        model = DistilledRegressor(None, net, random_state=0)
        return model.fit(X, PAIR, soft_targets=soft_targets, X_val=X, y_val=y_val)

    named = pd.DataFrame(expected, columns=["up", "down"])
    one, two = fit(expected, PAIR.to_numpy()), fit(named[SWAPPED], PAIR[SWAPPED])
    np.testing.assert_array_equal(one.predict(X), two.predict(X))
    assert one.history_[-1]["valid_loss"] == two.history_[-1]["valid_loss"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        alone = net.fit(X, PAIR, X_val=X, y_val=PAIR).history_[-1]["valid_loss"]
        torch.manual_seed(0)
        assert net.fit(X, PAIR, X_val=X, y_val=PAIR[SWAPPED]).history_[-1]["valid_loss"] == alone


# What does not fit

FRAME = pd.DataFrame(SOFT, columns=["a", "b", "c"])
MORE = Targets(SOFT, more=[SOFT[:3]])


def fit(soft_targets, y=Y, X_unlabeled=None, kind=DistilledClassifier, **settings):
    return lambda: kind(**settings).fit(X, y, soft_targets=soft_targets, X_unlabeled=X_unlabeled)


def ask(teacher=None, y=Y, **settings):
    teacher = LogisticRegression() if teacher is None else teacher
    return lambda: teacher_targets(teacher, X, y, **settings)


# fmt: off
TABLE = pd.DataFrame(X, columns=list("abcd"))
REFUSED = {
    "a layer that is not there": (ValueError, lambda: teacher_targets(
        module(), X, Y, layers=["nope"]), "has no layer 'nope'; expected a name.*It has"),
    "a layer by number": (ValueError, lambda: teacher_targets(module(), X, Y, layers=[0]),
        r"'layers' parameter of teacher_targets must be a list of names.*Got \[0\]"),
    "a layer and no list": (ValueError, lambda: teacher_targets(module(), X, Y, layers="0"),
        "'layers' parameter of teacher_targets must be a list of names.*Got '0'"),
    "layers of a teacher that is not fitted": (ValueError, lambda: teacher_targets(
        RandomForestClassifier(), X, Y, layers=["0"]),
        "layers were given with the teacher RandomForestClassifier, which is not fitted; expected"),
    "other names of numbers": (ValueError, lambda: DistilledRegressor(None, alpha=1).fit(
        X, PAIR, soft_targets=PAIR.rename(columns={"up": "right"})),
        r"has the columns \['right', 'down'\] and y has \['up', 'down'\]; expected the same.*Ren"),
    "rows without labels in another order": (ValueError, lambda: teacher_targets(
        RandomForestClassifier(), TABLE, Y, X_unlabeled=TABLE[list("dcba")]),
        "X_unlabeled and X have different columns, or the same in another order; pass those of X"),
    "labels NaN": (ValueError, lambda: teacher_targets(
        GaussianNB(), X, np.where(Y == 0, np.nan, Y)), "y contains NaN or None, for 50 of 150"),
    "one-hot labels": (ValueError, lambda: teacher_targets(GaussianNB(), X, np.eye(3)[Y]),
        r"shape \(150, 3\).*Expected a label for each row.*MultiOutputClassifier"),
    "in place": (TypeError, lambda: np.add(Targets(SOFT), 1, out=Targets(SOFT)),
        "Targets are not changed in place; compute with np.asarray"),
    "one dimension": (ValueError, lambda: Targets(SOFT[:, 0]),
        r"shape \(150,\); expected \(n_samples, n_columns\).*values.reshape\(-1, 1\)"),
    "unknown kind": (ValueError, lambda: Targets(SOFT, "margins"),
        r"'kind' .* one of \['logits', 'numbers', 'probabilities'\]. Got 'margins'"),
    "too few classes": (ValueError, lambda: Targets(SOFT, classes=[0, 1]),
        "2 classes for 3 columns; expected a label for each"),
    "other rows": (ValueError, fit(Targets(SOFT[:9])), "9 rows; expected 150: a row per row of X"),
    "other columns": (ValueError, fit(Targets(SOFT[:, :2])), r"\(150, 2\); expected \(150, 3\)"),
    "no probabilities": (ValueError, fit(Targets(2 * SOFT)),
        "one sums to 2.*expected probabilities. Divide each row"),
    "negative": (ValueError, fit(Targets(SOFT - 0.1)), "negative values.*expected probabilities"),
    "infinite": (ValueError, fit(Targets(SOFT * np.inf)), "infinite values; expected finite"),
    "other classes": (ValueError, fit(Targets(SOFT, classes=[7, 8, 9])),
        "knows the classes 7, 8, 9 and y holds 0, 1, 2: none is shared"),
    "two orders": (ValueError, fit(Targets(SOFT, classes=[2, 1, 0]), teacher_classes=[0, 1, 2]),
        r"teacher_classes=\[0, 1, 2\] .* soft_targets of the classes \[2, 1, 0\]; expected None"),
    "numbers for a classifier": (ValueError, fit(Targets(SOFT, "numbers")),
        "kind 'numbers', for numbers, and classes are learnt.*expected those of a teacher of cl"),
    "classes for a regressor": (ValueError, fit(Targets(SOFT), X[:, 0], kind=DistilledRegressor),
        "kind 'probabilities', for classes, and numbers are learnt.*expected those of a teacher"),
    "outputs of a regressor": (ValueError,
        fit(Targets(SOFT, "numbers"), X[:, 0], kind=DistilledRegressor),
        "3 columns; expected 1: a column per column of y"),
    "a frame of other names": (ValueError, fit(FRAME),
        r"table with the columns \['a', 'b', 'c'\], and the classes are \[0, 1, 2\]; expected a "
        "column for each.*Rename the columns, or pass an array"),
    "a frame of other names for named classes": (ValueError,
        fit(FRAME, LABELS, teacher_classes=["virginica", "setosa", "versicolor"]),
        r"columns \['a', 'b', 'c'\], and the classes are \['virginica'"),
    "a function's other names": (ValueError, ask(lambda rows: FRAME),
        "knows 'a', 'b', 'c': y looks encoded.*name the teacher's columns: teacher_classes="),
    "other names than the teacher's classes": (ValueError,
        ask(CallableTeacher(lambda rows: FRAME, classes=[0, 1, 2])),
        "table with the columns 'a', 'b', 'c', and the classes are 0, 1, 2; expected.*Rename"),
    "more rows than were asked about": (ValueError, fit(MORE, X_unlabeled=X[:4]),
        "answers for 3 rows without labels, and X_unlabeled has 4; expected an answer for each"),
    "rows of answers left out": (ValueError, fit(MORE),
        "answers for 3 rows without labels, and X_unlabeled has 0; expected an answer for each"),
    "rows without an answer": (ValueError, fit(Targets(SOFT), X_unlabeled=X[:4]),
        r"nobody to label its rows; expected a teacher.*teacher_targets\(..., X_unlabeled="),
    "layers that did not come along": (ValueError,
        fit(Targets(SOFT), feature_losses=[HintLoss("0", "0")]),
        r"no layers \['0'\]; expected a fitted network.*teacher_targets\(..., layers=\['0'\]\)"),
    "unknown task": (ValueError, ask(task="ranking"), "'task' .*'auto', 'classes', 'numbers'"),
    "calibration of numbers": (ValueError, ask(RandomForestRegressor(), X[:, 0], calibrate=True),
        r"\['calibrate'\] were given with a teacher of numbers.*about classes; expected none"),
    "negative weights": (ValueError, ask(sample_weight=-WEIGHT), "Negative values in data passed"),
    "weights NaN": (ValueError, ask(sample_weight=WEIGHT * np.nan), "sample_weight contains NaN"),
    "weights of another length": (ValueError, ask(sample_weight=WEIGHT[:9]),
        r"sample_weight.shape == \(9,\), expected \(150,\)"),
    "train is test": (ValueError, ask(cv=[(np.arange(150), np.arange(150))]),
        "list of cv puts 150 rows on both sides of split 0 .*expected test rows that are no "
        "training rows.*cv='in-sample'"),
    "a row on both sides": (ValueError, ask(cv=[(np.arange(100), np.arange(99, 150))]),
        "puts 1 rows on both sides of split 0 .the first is row 99.; expected"),
    "positions that X does not have": (ValueError, ask(cv=[([0, 1], [150])]),
        "cannot split these 150 rows .*out of bounds.*Set cv"),
    "a class of one row": (ValueError,
        lambda: teacher_targets(GaussianNB(), X[49:], np.r_[1, np.zeros(100)]),
        "one class only.*expected at least two classes.*single row.*Set cv='in-sample'"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
