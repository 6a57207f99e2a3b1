"""Several teachers as one: pooled by hand, aligned by label, fitted members kept."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import get_tags, shuffle
from sklearn.utils.estimator_checks import parametrize_with_checks
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import LabelEncodingError, TeacherError, TeacherWarning
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import CallableTeacher, EnsembleTeacher

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
X = (X - X.mean(axis=0)) / X.std(axis=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])
LABELS = NAMES[Y]

UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def quick_model(teacher, **settings):
    student = StudentNet(max_epochs=2, module__hidden_units=(8,), batch_size=32)
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


def tree(depth=2):
    return DecisionTreeClassifier(max_depth=depth, random_state=0)


def linear():
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        return nn.Linear(4, 3)


def skorch_net():
    return NeuralNetClassifier(
        nn.Linear, module__in_features=4, module__out_features=3, criterion=nn.CrossEntropyLoss,
        max_epochs=3, lr=0.1, verbose=0, train_split=None,
    )  # fmt: skip


@parametrize_with_checks(
    [EnsembleTeacher([LogisticRegression(), DecisionTreeClassifier(max_depth=3, random_state=0)])]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.changes_global_rng  # a check of scikit-learn's shuffles with it
def test_estimator_checks(estimator, check):
    check(estimator)


# The pools

RNG = np.random.default_rng(0)
P = softmax(RNG.normal(size=(3, 200, 4)) * 2, axis=2)


class Told(ClassifierMixin, BaseEstimator):
    """Answers what it is told of the row whose number is the feature."""

    def __init__(self, answers):
        self.answers = answers

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return self.answers[X[:, 0].astype(int)]


def pool(answers, weights, combine):
    """What an ensemble says whose members give these answers."""
    _, n_rows, n_classes = answers.shape
    members = [
        CallableTeacher(Told(answer).predict_proba, classes=range(n_classes)) for answer in answers
    ]
    ensemble = EnsembleTeacher(members, weights=weights, combine=combine)
    return ensemble.predict_proba(np.arange(n_rows)[:, None])


def pool_by_hand(answers, weights, combine):
    w = np.array(weights) / np.sum(weights)
    if combine == "probability":
        return np.sum([of * p for of, p in zip(w, answers, strict=True)], axis=0)
    product = np.prod(
        [np.maximum(p, 1e-12) ** of for of, p in zip(w, answers, strict=True)], axis=0
    )
    return product / product.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("combine", ["probability", "logit"])
@pytest.mark.parametrize("weights", [[1, 1, 1], [0.2, 0.3, 0.5], [2, 0, 2]])
def test_pools_by_hand(weights, combine):
    found = pool(P, weights, combine)
    np.testing.assert_allclose(found, pool_by_hand(P, weights, combine), rtol=1e-12)


def test_logit_pool_is_the_mean_of_logits():
    z = RNG.normal(size=(2, 50, 3)) * 5
    np.testing.assert_allclose(
        pool(softmax(z, axis=2), [1, 1], "logit"), softmax(z.mean(axis=0), axis=1), rtol=1e-9
    )


@pytest.mark.parametrize("combine", ["probability", "logit"])
def test_pools_of_rows_without_an_answer(combine):
    """What a member is sure to be of a class that nobody learns has no answer of its."""
    answers = np.pad(P, [(0, 0), (0, 0), (0, 1)])
    answers[0, 0] = answers[1, 1] = answers[:, 2] = np.eye(5)[4]
    X, y = np.arange(200)[:, None], np.arange(200) % 4
    members = [CallableTeacher(Told(p).predict_proba, classes=range(5)) for p in answers]
    ensemble = EnsembleTeacher(members, weights=[0.5, 0.25, 0.25], combine=combine)
    with pytest.warns(TeacherWarning, match="classes that y lacks"):
        pooled = ensemble.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(pooled[0], pool(P[1:, :1], [1, 1], combine)[0])
    np.testing.assert_allclose(pooled[1], pool(P[[0, 2], 1:2], [2, 1], combine)[0])
    assert np.isnan(pooled[2]).all()
    np.testing.assert_allclose(pooled[3:], pool(P, [2, 1, 1], combine)[3:])


@pytest.mark.parametrize("combine", ["probability", "logit"])
@pytest.mark.parametrize("weighted", [False, True])
def test_weights_have_the_least_log_loss(combine, weighted):
    truth = pool_by_hand(P, [0.6, 0.4, 0.0], combine)
    y = np.array([RNG.choice(4, p=row) for row in truth])
    row_weight = RNG.uniform(size=200) if weighted else None
    ensemble = EnsembleTeacher([Told(p) for p in P], weights="oof", combine=combine)
    found = ensemble.fit(np.arange(200)[:, None], y, sample_weight=row_weight).weights_
    steps = np.linspace(0, 1, 21)
    grid = [(a, b, 1 - a - b) for a in steps for b in steps if a * b > 0 and a + b < 1 - 1e-9]

    def loss(weights):
        pooled = pool_by_hand(P, weights, combine)
        return log_loss(y, pooled, sample_weight=row_weight) - np.log(weights).sum() / 200

    best = min(grid, key=loss)
    assert loss(found) <= loss(best)
    np.testing.assert_allclose(found, best, atol=0.05)
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("counts", [(200, 0), (150, 50), (3, 1), (80, 15, 5)])
def test_weights_by_laplaces_rule(counts):
    """Teachers that are certain, and right on rows of their own alone."""
    y = np.arange(sum(counts)) % 2
    owner = np.repeat(np.arange(len(counts)), counts)
    members = [
        Told(np.eye(2)[np.where(owner == member, y, 1 - y)]) for member in range(len(counts))
    ]
    expected = (np.array(counts) + 1) / (sum(counts) + len(counts))
    ensemble = EnsembleTeacher(members, weights="oof").fit(np.arange(len(y))[:, None], y)
    np.testing.assert_allclose(ensemble.weights_, expected, rtol=1e-4)


# The estimator


MEMBERS = {
    "unfitted": lambda: [tree(), GaussianNB()],
    "fitted": lambda: [tree().fit(X, LABELS), GaussianNB().fit(X, LABELS)],
    "both": lambda: [tree().fit(X, LABELS), GaussianNB()],
    "frozen": lambda: [FrozenEstimator(tree().fit(X, LABELS)), GaussianNB()],
}


@pytest.mark.parametrize("combine", ["probability", "logit"])
@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_members_are_pooled(make, combine):
    ensemble = EnsembleTeacher(make(), weights=[3, 1], combine=combine).fit(X, LABELS)
    answers = [tree().fit(X, LABELS).predict_proba(X), GaussianNB().fit(X, LABELS).predict_proba(X)]
    expected = pool_by_hand(answers, [3, 1], combine)
    np.testing.assert_allclose(ensemble.predict_proba(X), expected, rtol=1e-9)
    assert ensemble.classes_.tolist() == NAMES.tolist()
    assert ensemble.score(X, LABELS) > 0.9
    np.testing.assert_array_equal(ensemble.weights_, [0.75, 0.25])
    for member, fitted in zip(ensemble.teachers, ensemble.teachers_, strict=True):
        is_new = not isinstance(member, FrozenEstimator) and not hasattr(member, "classes_")
        assert (fitted is not member) is is_new


def test_an_ensemble_of_fitted_members_is_fitted():
    members = MEMBERS["fitted"]()
    ensemble = EnsembleTeacher(members)
    expected = (members[0].predict_proba(X) + members[1].predict_proba(X)) / 2
    np.testing.assert_allclose(ensemble.predict_proba(X), expected)
    assert ensemble.classes_.tolist() == NAMES.tolist()
    np.testing.assert_array_equal(ensemble.predict(X), NAMES[expected.argmax(axis=1)])
    with pytest.raises(NotFittedError):
        EnsembleTeacher(MEMBERS["both"]()).predict_proba(X)
    assert not hasattr(EnsembleTeacher(MEMBERS["both"]()), "classes_")


def test_clone_keeps_the_fitted_members_only():
    members = [tree().fit(X, Y), GaussianNB(), FrozenEstimator(tree().fit(X, Y)), linear()]
    copied = clone(EnsembleTeacher(members, weights=[1, 2, 3, 4], combine="logit"))
    assert [a is b for a, b in zip(copied.teachers, members, strict=True)] == [
        True, False, True, True,
    ]  # fmt: skip
    assert (copied.weights, copied.combine) == ([1, 2, 3, 4], "logit")
    assert not hasattr(clone(copied.fit(X, Y)), "teachers_")


@UNTRAINED
def test_members_of_every_kind():
    net, module, forest = skorch_net(), linear(), RandomForestClassifier(5, random_state=0)
    fitted = forest.fit(X, LABELS)
    members = [fitted, GaussianNB(), net, module, lambda rows: fitted.predict_proba(rows)]
    ensemble = EnsembleTeacher(members, random_state=0).fit(X, LABELS)
    assert not hasattr(net, "module_")
    with torch.no_grad():
        of_module = softmax(module(torch.tensor(X, dtype=torch.float32)).double().numpy(), axis=1)
        of_net = softmax(
            ensemble.teachers_[2].module_(torch.tensor(X, dtype=torch.float32)).double().numpy(),
            axis=1,
        )
    bayes = GaussianNB().fit(X, LABELS).predict_proba(X)
    expected = (2 * fitted.predict_proba(X) + bayes + of_module + of_net) / 5
    np.testing.assert_allclose(ensemble.predict_proba(X), expected, rtol=1e-5)
    again = clone(ensemble).fit(X, LABELS)
    np.testing.assert_array_equal(again.predict_proba(X), ensemble.predict_proba(X))


def test_random_state_reaches_the_members():
    def members():
        return [RandomForestClassifier(3), DecisionTreeClassifier(max_features=1)]

    first = EnsembleTeacher(members(), random_state=1).fit(X, Y)
    again = EnsembleTeacher(members(), random_state=1).fit(X, Y)
    other = EnsembleTeacher(members(), random_state=2).fit(X, Y)
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


def test_weights_reach_the_members_that_take_them():
    weight = np.where(Y == 0, 5.0, 1.0)
    members = [GaussianNB(), KNeighborsClassifier(3)]
    ensemble = EnsembleTeacher(members).fit(X, Y, sample_weight=weight)
    np.testing.assert_allclose(
        ensemble.teachers_[0].class_prior_, GaussianNB().fit(X, Y, weight).class_prior_
    )
    targets = teacher_targets(EnsembleTeacher(members), X, Y, cv=3, sample_weight=weight)
    alone = [teacher_targets(m, X, Y, cv=3, sample_weight=weight) for m in members]
    np.testing.assert_allclose(targets, np.mean(alone, axis=0))


# Classes


def test_classes_are_aligned_by_label():
    codes = np.array([10, 20, 30])[Y]

    def backwards(rows):
        return first.predict_proba(rows)[:, ::-1]

    first, some = GaussianNB().fit(X, codes), codes > 10
    second = GaussianNB().fit(X[some], codes[some])
    ensemble = EnsembleTeacher([second, first])
    assert ensemble.classes_.tolist() == [10, 20, 30]
    padded = np.hstack([np.zeros((150, 1)), second.predict_proba(X)])
    np.testing.assert_allclose(ensemble.predict_proba(X), (padded + first.predict_proba(X)) / 2)
    named = EnsembleTeacher([backwards, first], teacher_classes=[30, 20, 10])
    np.testing.assert_allclose(named.predict_proba(X), first.predict_proba(X)[:, ::-1])
    assert named.classes_.tolist() == [30, 20, 10]
    np.testing.assert_array_equal(named.predict(X), first.predict(X))
    targets = teacher_targets([backwards, first], X, codes, teacher_classes=[30, 20, 10])
    np.testing.assert_allclose(targets, first.predict_proba(X))
    trained = teacher_targets([backwards, GaussianNB()], X, codes, cv="in-sample",
                              teacher_classes=[30, 20, 10])  # fmt: skip
    np.testing.assert_allclose(trained, first.predict_proba(X))
    inside = teacher_targets([backwards, GaussianNB()], X, codes, cv="in-sample",
                             teacher_classes=[30, 20, 10])  # fmt: skip
    np.testing.assert_allclose(inside, first.predict_proba(X))


def test_members_that_name_no_classes():
    bayes = GaussianNB().fit(X, Y)
    ensemble = EnsembleTeacher([bayes.predict_proba, lambda rows: bayes.predict_proba(rows)])
    np.testing.assert_allclose(ensemble.predict_proba(X), bayes.predict_proba(X))
    np.testing.assert_array_equal(ensemble.predict(X), bayes.predict(X))
    np.testing.assert_allclose(teacher_targets(ensemble, X, LABELS), bayes.predict_proba(X))
    table = EnsembleTeacher([lambda rows: pd.DataFrame(bayes.predict_proba(rows)), bayes])
    assert table.classes_.tolist() == [0, 1, 2]
    narrow = EnsembleTeacher([bayes.predict_proba, lambda rows: np.full((len(rows), 2), 0.5)])
    with pytest.raises(TeacherError, match=r"give \[2, 3\] columns and none names them"):
        narrow.predict_proba(X)
    mixed = EnsembleTeacher([bayes, lambda rows: np.full((len(rows), 2), 0.5)])
    with pytest.raises(TeacherError, match="gives 2 columns and does not name them"):
        mixed.predict_proba(X)


def test_members_that_know_other_labels():
    number, name = GaussianNB().fit(X, Y), GaussianNB().fit(X, LABELS)
    with pytest.raises(TeacherError, match="know labels of different kinds"):
        EnsembleTeacher([number, name]).predict_proba(X)
    with pytest.raises(LabelEncodingError):
        EnsembleTeacher([name, GaussianNB()]).fit(X, Y)
    with pytest.raises(TeacherError, match="none is shared"):
        EnsembleTeacher([number, GaussianNB()]).fit(X, LABELS)
    with pytest.raises(TeacherError, match="expected all labels of y among them"):
        EnsembleTeacher([GaussianNB()], teacher_classes=[0, 1]).fit(X, Y)
    few = Y < 2
    with pytest.warns(TeacherWarning, match="classes that y lacks"):
        ensemble = EnsembleTeacher([name, GaussianNB()]).fit(X[few], LABELS[few])
    two = name.predict_proba(X[few])[:, :2]
    expected = (
        two / two.sum(axis=1, keepdims=True) + ensemble.teachers_[1].predict_proba(X[few])
    ) / 2
    np.testing.assert_allclose(ensemble.predict_proba(X[few]), expected)


# Out-of-fold weights


def test_out_of_fold_weights():
    members = [tree(1), GaussianNB()]
    folds = StratifiedKFold(4)
    ensemble = EnsembleTeacher(members, weights="oof", cv=folds).fit(X, LABELS)
    answers = [cross_val_predict(m, X, LABELS, cv=folds, method="predict_proba") for m in members]
    shares = np.linspace(0, 1, 201)[1:-1]
    losses = [
        log_loss(LABELS, a * answers[0] + (1 - a) * answers[1]) - np.log(a * (1 - a)) / 150
        for a in shares
    ]
    assert ensemble.weights_[0] == pytest.approx(shares[np.argmin(losses)], abs=0.01)
    default = EnsembleTeacher(members, weights="oof").fit(X, LABELS)
    five = EnsembleTeacher(members, weights="oof", cv=5).fit(X, LABELS)
    np.testing.assert_array_equal(default.weights_, five.weights_)


def test_out_of_fold_weights_with_a_rare_class():
    y = np.where(np.arange(150) < 2, "rare", LABELS)
    y[0] = "lone"
    ensemble = EnsembleTeacher([tree(1), GaussianNB(var_smoothing=1e-3)], weights="oof").fit(X, y)
    assert ensemble.weights_.sum() == pytest.approx(1)


@pytest.mark.parametrize("make", [MEMBERS["fitted"], MEMBERS["both"], lambda: [linear(), tree()]])
def test_out_of_fold_weights_need_unfitted_members(make):
    for act in (
        lambda ensemble: ensemble.fit(X, LABELS),
        lambda ensemble: quick_model(ensemble).fit(X, LABELS),
    ):
        with pytest.raises(ValueError, match="members that are not fitted here"):
            act(EnsembleTeacher(make(), weights="oof"))


# As a teacher


def test_an_ensemble_is_the_mean_of_its_members_and_a_list_of_fitted_ones_too():
    members = MEMBERS["unfitted"]()
    targets = teacher_targets(EnsembleTeacher(members), X, LABELS, cv=3)
    alone = [teacher_targets(member, X, LABELS, cv=3) for member in members]
    np.testing.assert_allclose(targets, np.mean(alone, axis=0))
    fitted = MEMBERS["fitted"]()
    expected = np.mean([member.predict_proba(X) for member in fitted], axis=0)
    np.testing.assert_allclose(teacher_targets(fitted, X), expected)
    np.testing.assert_allclose(teacher_targets(tuple(fitted), X, LABELS), expected)
    np.testing.assert_allclose(teacher_probabilities(fitted, X, NAMES[::-1]), expected[:, ::-1])


@pytest.mark.parametrize("name", MEMBERS)
def test_a_list_distils_as_the_ensemble_does(name):
    make, settings = MEMBERS[name], {}
    if name == "unfitted":
        settings = {"weights": "oof", "calibrate": True}
    from_list = quick_model(make()).fit(X, LABELS)
    from_ensemble = quick_model(EnsembleTeacher(make(), **settings)).fit(X, LABELS)
    np.testing.assert_array_equal(from_list.predict_proba(X), from_ensemble.predict_proba(X))
    assert isinstance(from_list.teacher_, EnsembleTeacher)
    assert isinstance(from_list.teacher, list)
    one = quick_model(make()[:1]).fit(X, LABELS)
    alone = quick_model(make()[0]).fit(X, LABELS)
    np.testing.assert_array_equal(one.predict_proba(X), alone.predict_proba(X))


@UNTRAINED
@pytest.mark.parametrize(
    ("members", "temperature"),
    [([linear(), linear()], 2.0), ([linear(), tree().fit(X, Y)], 1.0), ([tree()], 1.0)],
)
def test_temperature(members, temperature):
    assert quick_model(members).fit(X, Y).temperature_ == temperature


@UNTRAINED
def test_modules_run_on_the_device_and_are_put_back():
    module = nn.Sequential(linear(), nn.Dropout(0.9)).train()
    with pytest.raises(ValueError, match=r"'device' parameter.*'meta'"):
        teacher_targets([module], X, device="meta")
    model = quick_model([module], device="cpu").fit(X, Y)
    assert module.training
    logits = module[0](torch.tensor(X, dtype=torch.float32)).detach().double().numpy()
    np.testing.assert_allclose(
        np.log(model.teacher_.predict_proba(X)), log_softmax(logits, axis=1), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("as_ensemble", [False, True])
@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_clone_and_cross_validation(make, as_ensemble):
    members = make()
    model = quick_model(EnsembleTeacher(members) if as_ensemble else members)
    copied = clone(model)
    kept = copied.teacher.teachers if as_ensemble else copied.teacher
    for member, copy in zip(members, kept, strict=True):
        is_fitted = isinstance(member, FrozenEstimator) or hasattr(member, "classes_")
        assert (copy is member) is is_fitted
    before = pickle.dumps(members)
    result = cross_validate(model, X, LABELS, cv=2, return_estimator=True, error_score="raise")
    assert pickle.dumps(members) == before
    for estimator, (train, _) in zip(
        result["estimator"], StratifiedKFold(2).split(X, LABELS), strict=True
    ):
        alone = clone(model).fit(X[train], LABELS[train])
        np.testing.assert_array_equal(estimator.predict_proba(X), alone.predict_proba(X))
        np.testing.assert_array_equal(
            estimator.teacher_.predict_proba(X), alone.teacher_.predict_proba(X)
        )


def test_the_same_in_other_processes():
    model = quick_model(MEMBERS["both"]())
    here, there = (
        cross_validate(model, X, LABELS, cv=2, return_estimator=True, n_jobs=n_jobs)["estimator"]
        for n_jobs in (1, 2)
    )
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
        np.testing.assert_array_equal(a.teacher_.predict_proba(X), b.teacher_.predict_proba(X))


def test_in_a_grid():
    frozen = FrozenEstimator(tree().fit(X, Y))
    grid = {"teacher": [[GaussianNB(), frozen], [tree()], frozen], "alpha": [1.0]}
    search = GridSearchCV(quick_model(None), grid, cv=2, error_score="raise").fit(X, Y)
    assert len(search.cv_results_["params"]) == 3
    grid = {"teacher__combine": ["probability", "logit"], "teacher__weights": [None, [3, 1]]}
    model = quick_model(EnsembleTeacher([GaussianNB(), tree()]))
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, Y)
    assert search.best_estimator_.teacher_.combine == search.best_params_["teacher__combine"]


def test_parameters_of_members_in_a_list_cannot_be_set():
    with pytest.raises(ValueError, match="teacher is a list, whose members have no names"):
        quick_model([tree()]).set_params(teacher__max_depth=3)
    with pytest.raises(ValueError, match="the teacher is fitted and used as it is"):
        quick_model([tree().fit(X, Y)]).set_params(teacher__max_depth=3)


def test_feature_names_are_compared_for_each_member():
    table = pd.DataFrame(X, columns=list("abcd"))
    members = [tree().fit(table, Y), GaussianNB().fit(X, Y)]
    teacher_targets(members, table, Y)
    with pytest.warns(TeacherWarning, match=r"fitted with the feature names \['a', 'b', 'c'\]"):
        teacher_targets(members, X, Y)


def test_members_that_take_gaps():
    gaps = X.copy()
    gaps[::7, 0] = np.nan
    forests = [RandomForestClassifier(3, random_state=0), tree()]
    assert get_tags(EnsembleTeacher(forests)).input_tags.allow_nan
    assert not get_tags(EnsembleTeacher([*forests, GaussianNB()])).input_tags.allow_nan
    ensemble = EnsembleTeacher(forests).fit(gaps, Y)
    assert ensemble.predict_proba(gaps).shape == (150, 3)


def test_a_stacking_classifier_is_a_member():
    stack = StackingClassifier([("nb", GaussianNB())], LogisticRegression(max_iter=500), cv=2)
    assert quick_model([stack, tree()], cv=2).fit(X, Y).teacher_.predict_proba(X).shape == (150, 3)


class Margins(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise AssertionError("is refused before it is fitted")

    def decision_function(self, X):
        return X

    def predict(self, X):
        return X


BAD = {
    "no teacher": ([], {}, ValueError, "expected at least one teacher"),
    "a class": ([tree(), GaussianNB], {}, TeacherError, "expected an instance"),
    "None": ([tree(), None], {}, TeacherError, "The teacher is None"),
    "margins": ([Margins(), Perceptron()], {}, TeacherError, "Calibrate it first"),
    "a list in a list": ([[tree()], tree()], {}, TeacherError, "of type list"),
    "weights too few": ([tree(), tree()], {"weights": [1]}, ValueError, "for 2 teachers"),
    "negative weights": ([tree(), tree()], {"weights": [1, -1]}, ValueError, "none of them neg"),
    "infinite weights": ([tree(), tree()], {"weights": [1, np.inf]}, ValueError, "finite numbers"),
    "weights of zero": ([tree(), tree()], {"weights": [0, 0]}, ValueError, "are 0 for all"),
    "weights by another name": ([tree()], {"weights": "best"}, ValueError, "'weights' parameter"),
    "another pool": ([tree()], {"combine": "max"}, ValueError, "'combine' parameter"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "settings", "error", "message"), BAD.values(), ids=BAD)
def test_bad_ensembles(members, settings, error, message):
    ensemble = EnsembleTeacher(members, **settings)
    with pytest.raises(error, match=message):
        ensemble.fit(X, Y)
    with pytest.raises(error, match=message):
        quick_model(ensemble).fit(X, Y)
    if not settings:
        with pytest.raises(error, match=message):
            quick_model(members).fit(X, Y)


def test_cv_with_fitted_members_is_refused():
    with pytest.raises(ValueError, match="given with a fitted teacher"):
        quick_model(MEMBERS["fitted"](), cv=3).fit(X, LABELS)
