"""Rows without a label: soft targets or a fitted teacher alone, and classes that y lacks."""

import re
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch.nn.functional import kl_div, log_softmax

from skdistill import DistillationSearchCV, DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.exceptions import DistillationWarning
from skdistill.targets import Targets, teacher_targets
from skdistill.teachers import ClassGraphTeacher, SelfTeacher

X, POSITIONS = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
Y = NAMES[POSITIONS]
TEACHER = RandomForestClassifier(10, random_state=0).fit(X, Y)
P = TEACHER.predict_proba(X)
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)


def linear():
    layer = torch.nn.utils.skip_init(torch.nn.Linear, 4, 3).double()
    for weights in layer.parameters():
        torch.nn.init.constant_(weights, 0.1)
    return layer


def make(student=TREE, **settings):
    return DistilledClassifier(student=student, random_state=0, **settings)


def test_soft_targets_alone_teach_what_the_teacher_s_term_teaches():
    model = make().fit(X, None, soft_targets=P)
    expected = make(alpha=1).fit(X, POSITIONS, soft_targets=P)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.alpha_ == 1
    assert model.classes_.tolist() == [0, 1, 2]


def test_a_search_without_labels_weighs_the_teacher_as_fit_does():
    weights = []

    def score(model, X, y=None):
        weights.append(model.alpha_)
        return 0.0

    model = make(teacher=TEACHER)
    grid = {"teacher_classes": [None, NAMES]}
    DistillationSearchCV(model, grid, cv=2, scoring=score, refit=False).fit(X)
    assert weights == [1.0] * 4


def test_a_tree_on_soft_targets_is_the_tree_of_scikit_learn():
    model = make().fit(X, None, soft_targets=P)
    tree = clone(TREE).fit(X, P)
    np.testing.assert_allclose(model.predict_proba(X), tree.predict(X), atol=1e-12)


def test_a_net_minimises_the_divergence_that_a_loop_by_hand_minimises():
    module, smooth = linear(), 0.98 * P + 0.02 / 3
    net = StudentNet(
        module, max_epochs=5, batch_size=-1, lr=0.1, optimizer=torch.optim.SGD, dtype="float64"
    )
    net.set_params(callbacks__schedule=None)
    model = make(net, temperature=2.0).fit(X, None, soft_targets=smooth)

    loop = linear()
    rows, step = torch.as_tensor(X), torch.optim.SGD(loop.parameters(), 0.1)
    soft = log_softmax(torch.as_tensor(np.log(smooth)) / 2, dim=1)
    for _ in range(5):
        step.zero_grad()
        student = log_softmax(loop(rows) / 2, dim=1)
        (4 * kl_div(student, soft, reduction="batchmean", log_target=True)).backward()
        step.step()
    expected = torch.softmax(loop(rows), dim=1).detach().numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)


def test_a_fitted_teacher_alone_answers_and_names_the_classes():
    model = make(teacher=TEACHER).fit(X, None)
    expected = make(teacher_classes=NAMES).fit(X, None, soft_targets=P)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.classes_.tolist() == NAMES.tolist()
    assert set(model.predict(X)) == set(NAMES)


def test_columns_are_named_by_the_user_a_table_targets_or_their_number():
    pd = pytest.importorskip("pandas")
    order = [2, 0, 1]
    given = {
        "the user": (make(teacher_classes=NAMES[order]), P[:, order]),
        "a table": (make(), pd.DataFrame(P[:, order], columns=NAMES[order])),
        "targets": (make(), Targets(P[:, order], classes=NAMES[order])),
        "targets of a teacher": (make(), teacher_targets(TEACHER, X)),
    }
    expected = make(teacher=TEACHER).fit(X, None).predict(X)
    for model, soft_targets in given.values():
        np.testing.assert_array_equal(
            model.fit(X, None, soft_targets=soft_targets).predict(X), expected
        )


def test_no_row_is_held_back_and_given_ones_choose_the_epoch():
    net = make_pipeline(StandardScaler(), StudentNet(max_epochs=3))
    model = make(net, teacher=TEACHER)
    assert "valid_loss" not in model.fit(X, None).history_[0]
    assert "valid_loss" in model.fit(X, None, X_val=X[::5], y_val=Y[::5]).history_[0]


def test_weights_and_further_rows_are_heard():
    weight = np.where(np.arange(150) < 100, 1.0, 0.0)
    model = make(teacher=TEACHER).fit(X, None, sample_weight=weight)
    expected = make(teacher=TEACHER).fit(X[:100], None)
    of_weight = X[:100]  # splits that are as good may tell the others apart in another column
    np.testing.assert_allclose(
        model.predict_proba(of_weight), expected.predict_proba(of_weight), atol=1e-12
    )
    half = make(teacher=TEACHER).fit(X[::2], None, X_unlabeled=X[1::2])
    both = np.concatenate([X[::2], X[1::2]])
    np.testing.assert_allclose(
        half.predict_proba(X), make(teacher=TEACHER).fit(both, None).predict_proba(X), atol=1e-12
    )


def test_generated_rows_stand_beside_those_without_a_label():
    model = make(teacher=TEACHER, augment="gaussian_noise").fit(X, None)
    assert (model.predict(X) == TEACHER.predict(X)).mean() > 0.9


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosted_trees_learn_without_labels(library):
    module = pytest.importorskip(library)
    student = {
        "lightgbm": lambda: module.LGBMClassifier(n_estimators=10, verbose=-1),
        "xgboost": lambda: module.XGBClassifier(n_estimators=10),
    }[library]()
    model = make(student).fit(X, None, soft_targets=P)
    assert (NAMES[model.predict(X)] == TEACHER.predict(X)).mean() > 0.95


def test_a_search_needs_no_labels_where_its_score_needs_none():
    def agreement(model, X, y=None):
        return (model.predict(X) == TEACHER.predict(X)).mean()

    grid = {"student__max_depth": [1, 3]}
    search = GridSearchCV(make(teacher=TEACHER), grid, scoring=agreement, cv=3, error_score="raise")
    assert search.fit(X, None).best_params_ == {"student__max_depth": 3}


def test_classes_that_y_lacks_are_kept_on_request():
    few = np.concatenate([np.arange(10), np.arange(50, 60)])  # setosa and versicolor
    rest = np.setdiff1d(np.arange(150), few)
    student = DecisionTreeClassifier(max_depth=3, random_state=0)
    model = make(student, teacher=TEACHER).fit(X[few], Y[few], X_unlabeled=X[rest], classes=NAMES)
    assert model.classes_.tolist() == NAMES.tolist()
    assert (model.predict(X) == Y).mean() > 0.9
    soft = teacher_targets(TEACHER, X[few], X_unlabeled=X[rest])
    given = make(student).fit(
        X[few], Y[few], soft_targets=soft, X_unlabeled=X[rest], classes=NAMES[::-1]
    )
    np.testing.assert_array_equal(given.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("teacher", [TEACHER, clone(TEACHER), None])
def test_a_class_that_nobody_knows_is_warned_of(teacher):
    named = [*NAMES, "setossa"]
    model = make(teacher=teacher, alpha=0.0 if teacher is None else 0.5)
    said = r"classes names \['setossa'\], of which there is no label in y, and which no teacher"
    with pytest.warns(DistillationWarning, match=said):
        model.fit(X, Y, classes=named)
    assert model.classes_.tolist() == sorted(named)
    assert model.predict_proba(X)[:, 1].max() < 0.1


def test_classes_that_somebody_knows_are_not_warned_of():
    few = POSITIONS < 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(teacher=TEACHER, alpha=0.5).fit(X[few], Y[few], X_unlabeled=X[~few], classes=NAMES)
        make(alpha=0.0).fit(X, Y, classes=NAMES)
    with pytest.warns(DistillationWarning, match=re.escape(f"names {[str(NAMES[2])]}, of which")):
        make(teacher=TEACHER, alpha=0.0).fit(X[few], Y[few], classes=NAMES)


def test_one_class_of_labels_is_enough_where_others_are_kept():
    model = make(teacher=TEACHER).fit(X[:10], Y[:10], X_unlabeled=X[10:], classes=NAMES)
    assert set(model.predict(X)) == set(NAMES)


REFUSED = {
    "no teacher": (
        ValueError,
        lambda: make().fit(X, None),
        "requires y to be passed.*there is none; pass one",
    ),
    "an unfitted teacher": (
        ValueError,
        lambda: make(teacher=LogisticRegression()).fit(X, None),
        "requires y to be passed, but the target y is None.*fitted teacher or.*soft_targets",
    ),
    "itself as the teacher": (
        ValueError,
        lambda: make(teacher=SelfTeacher()).fit(X, None),
        "requires y to be passed, but the target y is None",
    ),
    "a teacher of labels": (
        ValueError,
        lambda: make(teacher=ClassGraphTeacher(np.eye(3))).fit(X, None),
        "requires y to be passed, but the target y is None",
    ),
    "an alpha": (
        ValueError,
        lambda: make(alpha=0.3).fit(X, None, soft_targets=P),
        "alpha=0.3.*no labels.*expected 1.*Leave alpha out",
    ),
    "no alpha": (
        ValueError,
        lambda: make(alpha=0, teacher=TEACHER).fit(X, None),
        "alpha=0.*no labels.*expected 1",
    ),
    "an alpha to be chosen": (
        ValueError,
        lambda: make(alpha="auto").fit(X, None, soft_targets=P),
        "alpha='auto'.*no labels.*expected 1",
    ),
    "a calibration": (
        ValueError,
        lambda: make(calibrate=True).fit(X, None, soft_targets=P),
        "calibrate=True.*needs labels.*y is None; pass y",
    ),
    "a teacher that names no class": (
        ValueError,
        lambda: make(teacher=TEACHER.predict_proba).fit(X, None),
        "names no classes.*teacher_classes=",
    ),
    "one column": (
        ValueError,
        lambda: make().fit(X, None, soft_targets=P[:, :1]),
        r"shape \(150, 1\).*a column for each of at least two classes",
    ),
    "no table": (
        ValueError,
        lambda: make().fit(X, None, soft_targets=P[:, 0]),
        r"shape \(150,\).*a column for each of at least two classes",
    ),
    "too few rows": (
        ValueError,
        lambda: make().fit(X, None, soft_targets=P[:-1]),
        r"shape \(149, 3\); expected \(150, 3\)",
    ),
    "names that are others": (
        ValueError,
        lambda: make(teacher_classes=["a", "b"]).fit(X, None, soft_targets=P),
        r"shape \(150, 3\); expected \(150, 2\)",
    ),
    "numbers": (
        ValueError,
        lambda: DistilledRegressor().fit(X, None, soft_targets=P[:, 0]),
        r"requires y to be passed, but the target y is None.*alpha=0\)\.fit\(X, numbers\)",
    ),
    "classes without some of y": (
        ValueError,
        lambda: make(teacher=TEACHER).fit(X, Y, classes=NAMES[:2]),
        "y holds the labels.*virginica.*expected labels among them",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
