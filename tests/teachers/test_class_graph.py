"""What is known of the classes as soft targets around the true one."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import shuffle

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import ClassGraphTeacher, EnsembleTeacher

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
LABELS = np.array(["setosa", "versicolor", "virginica"])[Y]
S = np.array([[4.0, 1, 0], [1, 4, 3], [0, 3, 4]])


def quick_model(teacher=None, **settings):
    student = StudentNet(max_epochs=2, module__hidden_units=(8,), batch_size=32)
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


def by_hand(similarity, strength, y):
    targets = np.zeros((len(y), len(similarity)))
    for i, label in enumerate(y):
        for c in range(len(similarity)):
            share = similarity[label][c] / sum(similarity[label])
            targets[i, c] = (1 - strength) * (c == label) + strength * share
    return targets


@pytest.mark.parametrize("strength", [0, 0.1, 0.5, 1])
def test_targets(strength):
    teacher = ClassGraphTeacher(S, strength=strength)
    np.testing.assert_allclose(teacher.soft_targets(Y), by_hand(S, strength, Y), rtol=1e-12)
    np.testing.assert_allclose(teacher.soft_targets(Y).sum(axis=1), 1)


def test_ones_are_label_smoothing():
    targets = ClassGraphTeacher(np.ones((3, 3)), strength=0.3).soft_targets(Y)
    np.testing.assert_allclose(targets, 0.7 * np.eye(3)[Y] + 0.1)


def test_labels_are_found_by_name():
    order = [2, 0, 1]
    names = np.array(["setosa", "versicolor", "virginica"])
    expected = by_hand(S, 0.1, Y)
    mixed = S[np.ix_(order, order)]
    by_array = ClassGraphTeacher(mixed, classes=names[order])
    np.testing.assert_allclose(by_array.soft_targets(LABELS), expected)
    table = pd.DataFrame(mixed, names[order], names[order])[names]
    np.testing.assert_allclose(ClassGraphTeacher(table).soft_targets(LABELS), expected)
    reverse = ClassGraphTeacher(table).soft_targets(LABELS, names[::-1])
    np.testing.assert_allclose(reverse, expected[:, ::-1])
    listed = ClassGraphTeacher(S.tolist()).soft_targets(LABELS.tolist())
    np.testing.assert_allclose(listed, expected)


def test_a_class_that_is_missing_is_dropped():
    few = Y < 2
    targets = ClassGraphTeacher(S, strength=0.5, classes=[0, 1, 2]).soft_targets(Y[few])
    expected = by_hand(S, 0.5, Y[few])[:, :2]
    np.testing.assert_allclose(targets, expected / expected.sum(axis=1, keepdims=True))


def test_similarity_of_names():
    names = ["comp.graphics", "comp.sys.mac.hardware", "comp.sys.ibm.pc.hardware", "alt.atheism"]
    teacher = ClassGraphTeacher.from_names(names, strength=0.2)
    np.testing.assert_allclose(
        teacher.similarity,
        [
            [1, 2 / 6, 2 / 7, 0],
            [2 / 6, 1, 4 / 9, 0],
            [2 / 7, 4 / 9, 1, 0],
            [0, 0, 0, 1],
        ],
    )
    assert teacher.soft_targets(names[::-1]).shape == (4, 4)
    numbered = ClassGraphTeacher.from_names(names, classes=range(4), strength=0.2)
    order = np.argsort(names)
    np.testing.assert_allclose(
        numbered.soft_targets(np.arange(4))[:, order], teacher.soft_targets(names)
    )
    slashes = ClassGraphTeacher.from_names(["a/b", "a/c", "d"], separator="/")
    np.testing.assert_allclose(slashes.similarity, [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]])


# As a teacher


def test_it_teaches_as_its_targets_do():
    teacher = ClassGraphTeacher(S)
    targets = teacher.soft_targets(LABELS)
    np.testing.assert_array_equal(teacher_targets(teacher, X, LABELS), targets)
    model = quick_model(teacher).fit(X, LABELS)
    by_array = quick_model().fit(X, LABELS, soft_targets=targets)
    np.testing.assert_array_equal(model.predict_proba(X), by_array.predict_proba(X))
    assert model.teacher_ is teacher
    assert model.temperature_ == 1.0


def test_it_is_cloned_and_searched():
    model = quick_model(ClassGraphTeacher(S))
    assert clone(model).teacher is not model.teacher
    assert cross_val_score(model, X, LABELS, cv=2, error_score="raise").shape == (2,)
    search = GridSearchCV(model, {"teacher__strength": [0.0, 0.5]}, cv=2, error_score="raise")
    assert search.fit(X, LABELS).best_params_["teacher__strength"] in (0.0, 0.5)
    assert model.set_params(teacher__strength=0.7).teacher.strength == 0.7


@pytest.mark.parametrize("combine", ["probability", "logit"])
@pytest.mark.parametrize("fitted", [False, True])
def test_with_a_model(combine, fitted):
    bayes, graph = GaussianNB(), ClassGraphTeacher(S, strength=0.5)
    bayes = bayes.fit(X, LABELS) if fitted else bayes
    weights = [3, 1]
    teacher = EnsembleTeacher([bayes, graph], weights=weights, combine=combine)
    a, b = teacher_targets(bayes, X, LABELS), graph.soft_targets(LABELS)
    if combine == "probability":
        expected = 0.75 * a + 0.25 * b
    else:
        expected = np.maximum(a, 1e-12) ** 0.75 * np.maximum(b, 1e-12) ** 0.25
        expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(teacher_targets(teacher, X, LABELS), expected, rtol=1e-6)
    model = quick_model(teacher).fit(X, LABELS)
    by_array = quick_model().fit(X, LABELS, soft_targets=expected)
    np.testing.assert_allclose(model.predict_proba(X), by_array.predict_proba(X), atol=1e-5)
    # Rows without label are the model's alone.
    np.testing.assert_allclose(
        model.teacher_.predict_proba(X), GaussianNB().fit(X, LABELS).predict_proba(X), atol=1e-9
    )


def test_in_a_list():
    members = [GaussianNB(), ClassGraphTeacher(S)]
    expected = (teacher_targets(members[0], X, LABELS) + members[1].soft_targets(LABELS)) / 2
    np.testing.assert_allclose(teacher_targets(members, X, LABELS), expected)


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_temperature_is_that_of_probabilities():
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        module = torch.nn.Linear(4, 3)
    assert quick_model([module]).fit(X, Y).temperature_ == 2.0
    assert quick_model([module, ClassGraphTeacher(S)]).fit(X, Y).temperature_ == 1.0


def test_rows_without_labels_need_a_model():
    settings = {"random_state": 0, "X_unlabeled": X[:5]}
    with pytest.raises(ValueError, match="Rows without labels were given"):
        teacher_targets(ClassGraphTeacher(S), X, LABELS, **settings)
    mixed = teacher_targets([GaussianNB(), ClassGraphTeacher(S)], X, LABELS, **settings)
    alone = teacher_targets(GaussianNB(), X, LABELS, **settings)
    np.testing.assert_allclose(mixed.more[0], alone.more[0])


def test_calibration_is_the_models_own():
    graph = ClassGraphTeacher(S)
    alone = teacher_targets(GaussianNB(), X, LABELS, calibrate=True)
    mixed = teacher_targets([GaussianNB(), graph], X, LABELS, calibrate=True)
    np.testing.assert_allclose(mixed, (alone + graph.soft_targets(LABELS)) / 2)


def test_what_it_cannot_do():
    graph = ClassGraphTeacher(S)
    with pytest.raises(TeacherError, match="knows nothing about rows"):
        teacher_probabilities(graph, X, [0, 1, 2])
    with pytest.raises(TeacherError, match="knows nothing about rows"):
        teacher_targets(graph, X)
    with pytest.raises(ValueError, match="cv=5 was given"):
        quick_model(graph, cv=5).fit(X, Y)
    with pytest.raises(ValueError, match="no label can judge them"):
        quick_model(graph, calibrate=True).fit(X, Y)
    with pytest.raises(ValueError, match="expected at least one teacher that answers for rows"):
        quick_model([graph]).fit(X, Y)
    with pytest.raises(ValueError, match="are 0 for all teachers that answer for rows"):
        quick_model(EnsembleTeacher([graph, GaussianNB()], weights=[1, 0])).fit(X, Y)
    with pytest.raises(ValueError, match="members that are not fitted here"):
        quick_model(EnsembleTeacher([graph, GaussianNB()], weights="oof")).fit(X, Y)


BAD = {
    "of other classes": (S, {"classes": [0, 1, 5]}, r"not \[2\]"),
    "too small": (S[:2, :2], {}, "is of 2 classes and y has 3"),
    "not square": (S[:2], {}, r"shape \(2, 3\)"),
    "flat": (S[0], {}, r"shape \(3,\)"),
    "negative": (-S, {}, "negative or not finite"),
    "with a gap": (np.where(S == 3, np.nan, S), {}, "negative or not finite"),
    "with a row of zeros": (S * [[1], [1], [0]], {}, "a row of zeros"),
    "of words": ([["a", "b"], ["c", "d"]], {}, "no matrix of numbers"),
    "labels too few": (S, {"classes": [0, 1]}, "expected a label for each"),
    "a label twice": (S, {"classes": [0, 1, 1]}, "each once"),
    "other rows than columns": (pd.DataFrame(S, [0, 1, 2], [0, 1, 3]), {}, "same classes in both"),
    "too strong": (S, {"strength": 1.5}, "'strength' parameter"),
    "a number": (3, {}, "'similarity' parameter"),
}


@pytest.mark.parametrize(("similarity", "settings", "message"), BAD.values(), ids=BAD)
def test_bad_graphs(similarity, settings, message):
    teacher = ClassGraphTeacher(similarity, **settings)
    with pytest.raises(ValueError, match=message):
        teacher.soft_targets(Y)
    with pytest.raises(ValueError, match=message):
        quick_model(teacher).fit(X, Y)


def test_nothing_is_left_for_a_class():
    apart = np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]])
    teacher = ClassGraphTeacher(apart, strength=1.0, classes=[0, 1, 2])
    with pytest.raises(TeacherError, match="leave nothing for a row of class"):
        teacher.soft_targets([0, 1])
