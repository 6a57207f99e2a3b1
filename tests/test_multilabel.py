"""Several labels for each row: sigmoids, a binary term for each label, one student."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import expit, logit, rel_entr
from sklearn.base import clone, is_classifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNet
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from skdistill import (
    DistilledClassifier,
    DistilledMultilabelClassifier,
    StudentNet,
    StudentNetMultilabel,
)
from skdistill.deployment import CascadeClassifier, load, save
from skdistill.exceptions import TeacherWarning
from skdistill.targets import Targets, label_dataset, teacher_targets
from skdistill.teachers import CallableTeacher
from skdistill.training import MultilabelCriterion

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
TRUE = expit(3 * X @ RNG.normal(size=(4, 3)))
Y = (RNG.random(TRUE.shape) < TRUE).astype(int)
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)
LINEAR = LogisticRegression()


def make(teacher=None, student=TREE, **settings):
    return DistilledMultilabelClassifier(teacher, student, random_state=0, **settings)


def oracle(z, p, temperature):
    p, q = expit(logit(p) / temperature), expit(z / temperature)
    return temperature**2 * (rel_entr(p, q) + rel_entr(1 - p, 1 - q)).sum(axis=1)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_both_terms_are_sums_over_the_labels(temperature):
    z, w = RNG.normal(size=Y.shape), RNG.random(len(X))
    criterion = MultilabelCriterion(alpha=0.3, temperature=temperature)
    packed = {"target": Y, "teacher_target": TRUE, "hard_weight": w, "soft_weight": w}
    found = criterion(torch.tensor(z), {name: torch.tensor(v) for name, v in packed.items()})
    p = expit(z)
    hard = -(Y * np.log(p) + (1 - Y) * np.log(1 - p)).sum(axis=1)
    expected = np.mean(w * (0.7 * hard + 0.3 * oracle(z, TRUE, temperature)))
    assert found.item() == pytest.approx(expected, rel=1e-12)
    criterion.eval()
    held = criterion(torch.tensor(z), {"target": torch.tensor(Y)})
    assert held.item() == pytest.approx(hard.mean(), rel=1e-12)


def test_answers_of_0_and_1_leave_a_finite_loss():
    packed = {"target": torch.tensor([[1.0, 0.0]]), "teacher_target": torch.tensor([[1.0, 0.0]])}
    z = torch.tensor([[3.0, 200.0]], requires_grad=True)
    loss = MultilabelCriterion(alpha=1.0)(z, packed)
    loss.backward()
    assert loss.item() == pytest.approx(200.0 + np.log1p(np.exp(-3)), rel=1e-3)
    assert torch.isfinite(z.grad).all()


def test_a_net_is_the_one_that_a_loop_by_hand_trains():
    def linear():
        layer = torch.nn.utils.skip_init(torch.nn.Linear, 4, 3).double()
        for weights in layer.parameters():
            torch.nn.init.constant_(weights, 0.1)
        return layer

    net = StudentNetMultilabel(
        linear(), max_epochs=5, batch_size=-1, lr=0.1, optimizer=torch.optim.SGD, dtype="float64"
    )
    net.set_params(callbacks__schedule=None, train_split=None)
    model = make(student=net, alpha=0.6, temperature=2.0).fit(X, Y, soft_targets=TRUE)
    loop = linear()
    rows, step = torch.tensor(X), torch.optim.SGD(loop.parameters(), 0.1)
    soft = torch.sigmoid(torch.logit(torch.tensor(TRUE)) / 2)
    for _ in range(5):
        step.zero_grad()
        z = loop(rows)
        hard = bce(z, torch.tensor(Y).double(), reduction="sum") / len(X)
        taught = 4 * bce(z / 2, soft, reduction="sum") / len(X)  # but for the teacher's entropy
        (0.4 * hard + 0.6 * taught).backward()
        step.step()
    expected = torch.sigmoid(loop(rows)).detach().numpy()
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-9)
    np.testing.assert_array_equal(model.predict(X), expected > 0.5)


def test_a_tree_learns_the_mixture_of_labels_and_answers():
    model = make(alpha=0.3).fit(X, Y, soft_targets=TRUE)
    tree = clone(TREE).fit(X, 0.7 * Y + 0.3 * TRUE)
    np.testing.assert_allclose(model.predict_proba(X), tree.predict(X), atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), tree.predict(X) > 0.5)


def columns_of(teacher):
    answer = teacher.predict_proba(X)
    return np.column_stack([p[:, 1] for p in answer]) if isinstance(answer, list) else answer


TEACHERS = {
    "a list of arrays": RandomForestClassifier(5, random_state=0),
    "a list of a MultiOutputClassifier": MultiOutputClassifier(LINEAR),
    "an array": OneVsRestClassifier(LINEAR),
    "a chain": ClassifierChain(LINEAR),
    "behind a step": make_pipeline(StandardScaler(), KNeighborsClassifier(5)),
}


@pytest.mark.parametrize("name", TEACHERS)
def test_scikit_learn_s_teachers_in_all_their_forms(name):
    teacher = clone(TEACHERS[name]).fit(X, Y)
    model = make(FrozenEstimator(teacher)).fit(X, Y)
    expected = make().fit(X, Y, soft_targets=columns_of(teacher))
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-12)


def as_module(weights, shift):
    module = torch.nn.utils.skip_init(torch.nn.Linear, 4, 3)
    module.weight.data = torch.tensor(weights, dtype=torch.float32)
    module.bias.data = torch.tensor(shift, dtype=torch.float32)
    return module


def test_networks_and_functions_give_logits_or_probabilities():
    linear = clone(LINEAR_OF_ALL).fit(X, Y)
    weights = np.concatenate([part.coef_ for part in linear.estimators_])
    shift = np.concatenate([part.intercept_ for part in linear.estimators_])
    module = as_module(weights, shift)
    expected = make().fit(X, Y, soft_targets=linear.predict_proba(X)).predict_proba(X)
    given = {
        "logits": module,
        "sigmoids": torch.nn.Sequential(module, torch.nn.Sigmoid()),
        "a function": lambda rows: expit(rows @ weights.T + shift),
        "a function of logits": CallableTeacher(lambda r: r @ weights.T + shift, kind="logits"),
    }
    for name, teacher in given.items():
        found = make(teacher).fit(X, Y).predict_proba(X)
        np.testing.assert_allclose(found, expected, atol=1e-6, err_msg=name)


def test_a_list_of_teachers_is_their_mean():
    both = [clone(TEACHERS[name]).fit(X, Y) for name in ("an array", "a list of arrays")]
    expected = make().fit(X, Y, soft_targets=np.mean([columns_of(t) for t in both], axis=0))
    np.testing.assert_allclose(
        make(both).fit(X, Y).predict_proba(X), expected.predict_proba(X), atol=1e-12
    )
    assert make([LINEAR_OF_ALL, both[1]]).fit(X, Y).teacher_.predict_proba(X).shape == (120, 3)


LINEAR_OF_ALL = OneVsRestClassifier(LINEAR)


def test_a_label_that_a_fold_lacks_has_the_probability_that_the_fold_shows():
    y = Y.copy()
    y[:, 1] = 0
    y[7, 1] = 1
    y[:, 2] = 1
    with pytest.warns(TeacherWarning, match="label 1 of y, worse than .* share alone"):
        model = make(RandomForestClassifier(5, random_state=0), alpha=1).fit(X, y)
    with pytest.warns(TeacherWarning, match="for the label 'b', worse than .* share alone"):
        make(RandomForestClassifier(5, random_state=0)).fit(X, pd.DataFrame(y, columns=list("abc")))
    p = model.predict_proba(X)
    assert p[7, 1] < 0.5  # the clone that answers for the row has never seen the label
    np.testing.assert_allclose(p[:, 2], 1)


def test_rows_without_labels_weights_and_rows_that_choose_the_epoch():
    teacher = clone(LINEAR_OF_ALL).fit(X, Y)
    net = StudentNetMultilabel(max_epochs=3)
    model = make(teacher, net).fit(
        X[:60], Y[:60], X_unlabeled=X[60:], X_val=X[:20], y_val=Y[:20], sample_weight=TRUE[:60, 0]
    )
    assert len(model.history_) == 3
    assert "valid_loss" in model.history_[0]
    assert model.predict_proba(X).shape == (120, 3)


def test_views_are_shown_to_the_teacher_too():
    module = as_module(4 * logit(TRUE).T @ np.linalg.pinv(X).T, np.zeros(3))
    net = StudentNetMultilabel(max_epochs=2, views="mixup")
    assert np.isfinite(make(module, net).fit(X, Y).history_[-1]["train_loss"])


def test_it_is_a_classifier_as_scikit_learn_has_them():
    model = make(clone(LINEAR_OF_ALL).fit(X, Y)).fit(X, Y)
    assert is_classifier(model)
    assert [values.tolist() for values in model.classes_] == [[0, 1]] * 3
    assert model.n_labels_ == 3
    assert model.predict(X).dtype.kind == "i"
    assert model.score(X, Y) == (model.predict(X) == Y).all(axis=1).mean()
    search = GridSearchCV(
        make(LINEAR_OF_ALL), {"student__max_depth": [1, 4]}, scoring="average_precision", cv=3
    ).fit(X, Y)
    assert search.best_params_ == {"student__max_depth": 4}
    expected = average_precision_score(Y, search.predict_proba(X))
    assert search.score(X, Y) == pytest.approx(expected)


def test_a_table_to_score_by_is_read_by_its_names(tmp_path):
    table = pd.DataFrame(Y, columns=["a", "b", "c"])
    net = StudentNetMultilabel(max_epochs=2)
    model = make(LINEAR_OF_ALL, net).fit(X, table)
    save(model, tmp_path / "student.safetensors")
    student = load(tmp_path / "student.safetensors")
    share = (model.predict(X) == Y).all(axis=1).mean()
    for one in (model, model.student_, student):
        assert one.score(X, Y) == one.score(X, table) == share
        assert one.score(X, table[["c", "a", "b"]]) == share
        with pytest.raises(ValueError, match=r"y here has .*'x'\] and the y of fit has"):
            one.score(X, table.rename(columns={"a": "x"})[["b", "c", "x"]])
    with pytest.raises(NotFittedError):
        make(LINEAR_OF_ALL).score(X, Y)


def test_indicators_in_all_their_forms():
    fitted = make(LINEAR_OF_ALL).fit(X, Y)
    expected, score = fitted.predict_proba(X), fitted.score(X, Y)
    assert score == (fitted.predict(X) == Y).all(axis=1).mean()
    forms = [Y.astype(bool), Y.astype(float), Y.tolist(), sparse.csr_matrix(Y)]
    table = pd.DataFrame(Y, columns=["a", "b", "c"])
    forms += [table, table.astype({"a": bool}), table.astype("Int64"), table.astype("boolean")]
    forms += [table.set_axis(pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)]), axis=1)]
    for y in [*forms, table.astype(object)]:
        np.testing.assert_array_equal(make(LINEAR_OF_ALL).fit(X, y).predict_proba(X), expected)
        assert fitted.score(X, y) == fitted.student_.score(X, y) == score
    named = pd.DataFrame(TRUE[:, ::-1], columns=["c", "b", "a"])
    model = make().fit(X, pd.DataFrame(Y, columns=["a", "b", "c"]), soft_targets=named)
    given = make().fit(X, Y, soft_targets=TRUE)
    np.testing.assert_array_equal(model.predict_proba(X), given.predict_proba(X))


def test_a_row_of_nan_learns_from_its_labels():
    soft = TRUE.copy()
    soft[::2] = np.nan
    model = make(alpha=0.5).fit(X, Y, soft_targets=Targets(soft))
    # Of those with an answer it weighs double, for the terms are means over those that carry them.
    mixed = np.where(np.isnan(soft), Y, (0.5 * Y + soft) / 1.5)
    weight = np.where(np.isnan(soft[:, 0]), 0.5, 1.5)
    tree = clone(TREE).fit(X, mixed, sample_weight=weight)
    np.testing.assert_allclose(model.predict_proba(X), tree.predict(X), atol=1e-9)


@pytest.mark.changes_global_rng  # a net alone draws from it
def test_a_net_alone_and_one_of_skorch():
    net = StudentNetMultilabel(max_epochs=2).fit(X, Y)
    assert net.partial_fit(X, Y).predict(X).shape == (120, 3)
    module = as_module(np.zeros((3, 4)), np.zeros(3))
    other = NeuralNet(module, torch.nn.BCEWithLogitsLoss, max_epochs=2, verbose=0)
    model = make(LINEAR_OF_ALL, other).fit(X, Y)
    assert model.predict_proba(X).shape == (120, 3)


def test_the_targets_can_be_asked_for_and_handed_on():
    targets = teacher_targets(LINEAR_OF_ALL, X, Y, task="labels", random_state=0)
    model = make().fit(X, Y, soft_targets=targets)
    expected = make(LINEAR_OF_ALL).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))


TABLE = pd.DataFrame(Y, columns=["a", "b", "c"])
FITTED = make(clone(LINEAR_OF_ALL).fit(X, Y)).fit(X, Y)
REFUSED = {
    "in a cascade": (
        ValueError,
        lambda: CascadeClassifier(FITTED, FITTED.teacher_, threshold=0.5).predict(X),
        "several labels for each row; expected one that tells classes apart",
    ),
    "in files": (
        ValueError,
        lambda: label_dataset(LINEAR_OF_ALL, "rows", "answers", task="labels"),
        "several labels of a row are not known.*teacher_targets",
    ),
    "a label for each row": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, Y[:, 0]),
        r"shape \(120,\).*expected 0 and 1.*DistilledClassifier.*MultiLabelBinarizer",
    ),
    "one column": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, Y[:, :1]),
        r"shape \(120, 1\).*two labels at least",
    ),
    "other numbers": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, Y + 1),
        r"shape \(120, 3\), and values such as \[2, 2, 2\]; expected 0 and 1",
    ),
    "gaps of pandas": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, pd.DataFrame(Y).astype("Int64").mask(Y == 1)),
        r"shape \(120, 3\), and values such as \[<NA>, <NA>, <NA>\]; expected 0 and 1",
    ),
    "texts in a table": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, pd.DataFrame(Y).astype(object).replace(1, "1")),
        r"values such as \['1', '1', '1'\]; expected 0 and 1",
    ),
    "sets of labels": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X[:2], [["a"], ["b"]]),
        "expected 0 and 1.*MultiLabelBinarizer",
    ),
    **{
        f"{name} of labels": (
            ValueError,
            lambda y=y: make(LINEAR_OF_ALL).fit(X, y),
            r"y holds lists or sets of labels, such as \[.1.+0, 2.+; expected 0 and 1 in an "
            r"array.*MultiLabelBinarizer\(\)\.fit_transform\(y\) makes",
        )
        for name, y in {
            "ragged lists": 60 * [[1], [0, 2]],
            "tuples": 60 * [(1,), (0, 2)],
            "sets in a list": 60 * [{1}, {0, 2}],
            "a Series of lists": pd.Series(60 * [[1], [0, 2]]),
        }.items()
    },
    "other names to score by": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, TABLE).score(X, TABLE.set_axis(list("abd"), axis=1)),
        r"y here has the columns \['a', 'b', 'd'\] and the y of fit has \['a', 'b', 'c'\]; exp"
        "ected the same names. Rename them, or pass an array",
    ),
    "lists of labels to score by": (
        ValueError,
        lambda: FITTED.score(X, 60 * [[1], [0, 2]]),
        "y holds lists or sets of labels.*MultiLabelBinarizer",
    ),
    "lists of labels for one label": (
        ValueError,
        lambda: DistilledClassifier(LINEAR, TREE).fit(X, 60 * [[1], [0, 2]]),
        "y holds lists, tuples or sets, such as.*expected a label for each row.*"
        r"DistilledMultilabelClassifier, as MultiLabelBinarizer\(\)",
    ),
    "gaps": (
        ValueError,
        lambda: make(LINEAR_OF_ALL).fit(X, np.where(Y == 1, np.nan, 0)),
        "y contains NaN",
    ),
    "no y": (ValueError, lambda: make(LINEAR_OF_ALL).fit(X, None), "requires y to be passed"),
    "another width to choose an epoch by": (
        ValueError,
        lambda: make(LINEAR_OF_ALL, None).fit(X, Y, X_val=X, y_val=Y[:, :2]),
        "y_val has 2 columns; expected 3",
    ),
    "a teacher of one label": (
        ValueError,
        lambda: make(LINEAR).fit(X, Y),
        "LogisticRegression learns one label.*several.*MultiOutputClassifier",
    ),
    "a teacher of numbers": (
        ValueError,
        lambda: make(RandomForestRegressor()).fit(X, Y),
        "has predict but no predict_proba; expected a classifier",
    ),
    "a teacher of other labels": (
        ValueError,
        lambda: make(clone(LINEAR_OF_ALL).fit(X, Y[:, :2])).fit(X, Y),
        "gave 2 columns, and y has 3 labels; expected one column for each label",
    ),
    "a teacher of other values": (
        ValueError,
        lambda: make(RandomForestClassifier(2, random_state=0).fit(X, Y + 1)).fit(X, Y),
        r"knows the values \[1, 2\] of label 0; expected 0 and 1",
    ),
    "soft targets that are none": (
        ValueError,
        lambda: make().fit(X, Y, soft_targets=3 * TRUE),
        "soft_targets gave values from .* expected probabilities.*expit",
    ),
    "soft targets of another shape": (
        ValueError,
        lambda: make().fit(X, Y, soft_targets=TRUE[:, :2]),
        r"soft_targets has shape \(120, 2\); expected \(120, 3\)",
    ),
    "targets of numbers": (
        ValueError,
        lambda: make().fit(X, Y, soft_targets=Targets(TRUE, "numbers")),
        "Targets of kind 'numbers', for numbers, and labels are learnt",
    ),
    "a classifier as the student": (
        ValueError,
        lambda: make(LINEAR_OF_ALL, DecisionTreeClassifier()).fit(X, Y),
        "DecisionTreeClassifier does not learn several labels.*StudentNetMultilabel",
    ),
    "a net of one label": (
        ValueError,
        lambda: make(LINEAR_OF_ALL, StudentNet()).fit(X, Y),
        "StudentNet does not learn several labels of a row; expected.*StudentNetMultilabel",
    ),
    "a temperature that a tree cannot hear": (
        ValueError,
        lambda: make(LINEAR_OF_ALL, temperature=2.0).fit(X, Y),
        "cannot hear temperature=2.0.*Expected 1",
    ),
    "a weight to be chosen": (
        ValueError,
        lambda: make(LINEAR_OF_ALL, alpha="auto").fit(X, Y),
        r"'alpha' parameter of DistilledMultilabelClassifier must be .* \[0.0, 1.0\]. Got 'auto'",
    ),
    "several labels for a class": (
        ValueError,
        lambda: DistilledClassifier(alpha=0).fit(X, Y),
        "Expected a label for each row. Several labels.*DistilledMultilabelClassifier",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_columns_of_two_words_are_told_how_to_become_0_and_1():
    y = np.array([["a", "b"], ["b", np.nan]] * 10, dtype=object)
    with pytest.raises(ValueError, match=r"\(y == 'b'\).astype\(int\) makes it"):
        DistilledMultilabelClassifier(alpha=0).fit(np.arange(40.0).reshape(20, 2), y)
