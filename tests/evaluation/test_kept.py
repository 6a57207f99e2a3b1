"""Diagnosis and robustness: what is finished is kept and found again, parts run side by side."""

import copy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skdistill import DistilledClassifier
from skdistill.evaluation import adversarial_accuracy, diagnose, robustness_curve
from skdistill.exceptions import TeacherError

RNG = np.random.default_rng(0)
Y = np.arange(120) % 2
X = RNG.normal(size=(120, 2)) + 1.5 * Y[:, None]
TRAIN, TEST = (X[:80], Y[:80]), (X[80:], Y[80:])


class Counter:
    """Fits, answers and steps of all that a test uses; one of them is interrupted."""

    fits, answers, steps, last = 0, 0, 0, np.inf


def count(what):
    if Counter.fits + Counter.answers + Counter.steps >= Counter.last:
        raise KeyboardInterrupt
    setattr(Counter, what, getattr(Counter, what) + 1)


def counted():
    """The fits and answers since the last look."""
    found = (Counter.fits, Counter.answers)
    Counter.fits = Counter.answers = Counter.steps = 0
    Counter.last = np.inf
    return found


class Teacher(GaussianNB):
    def fit(self, X, y, sample_weight=None):
        count("fits")
        return super().fit(X, y)

    def predict_proba(self, X):
        count("answers")
        return super().predict_proba(X)


class Tree(DecisionTreeClassifier):
    def fit(self, X, y, sample_weight=None):
        count("fits")
        return super().fit(X, y, sample_weight)


class Steps(nn.Linear):
    """A network that counts the steps of attacks."""

    def forward(self, rows):
        if rows.requires_grad and len(rows) > 1:
            count("steps")
        return super().forward(rows)


def recipe(**settings):
    student = Tree(max_depth=3, random_state=0)
    return DistilledClassifier(Teacher(), student, **{"cv": 2, "random_state": 0, **settings})


OTHER = recipe(alpha=0.4).fit(*TRAIN)


@pytest.fixture(scope="module")
def fitted():
    return recipe().fit(*TRAIN)


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Steps(2, 2).double()


@pytest.fixture(scope="module")
def call(fitted, network):
    """By name a function whose work is counted; `changed` is another model."""
    teacher = fitted.teacher_

    def diagnosis(X=X, changed=False, **how):
        model = recipe(alpha=0.4) if changed else recipe()
        return diagnose(model, X[:80], Y[:80], X[80:], Y[80:], **how)

    def of_fitted(X=X, changed=False, **how):
        model = OTHER if changed else fitted
        return diagnose(model, *TRAIN, X[80:], Y[80:], **how)

    def curve(X=X, changed=False, **how):
        model = OTHER if changed else fitted
        given = {"X_train": TRAIN[0], "y_train": TRAIN[1], "strengths": [0, 0.5, 1], **how}
        return robustness_curve(model, X[80:], Y[80:], random_state=0, **given)

    def attack(X=X, changed=False, **how):
        net = copy.deepcopy(network)
        if changed:
            net.weight.data += 1e-9
        given = {"attack": "pgd", "teacher_classes": [0, 1], "random_state": 0, **how}
        models = {"teacher": teacher, "net": net, "other": copy.deepcopy(network)}
        return adversarial_accuracy(models, X[80:], Y[80:], **given)

    return {
        "diagnosis": diagnosis,
        "of a fitted model": of_fitted,
        "curve": curve,
        "attack": attack,
    }


NAMES = ["diagnosis", "of a fitted model", "curve", "attack"]


def numbers(result):
    return [getattr(result, "figures", None), getattr(result, "adversarial", None), result.rows]


def work():
    """All that was done since the last look."""
    steps = Counter.steps
    return sum(counted()) + steps


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_not_made_again(name, call, tmp_path):
    memory = {"memory": str(tmp_path)}
    expected = numbers(call[name]())
    work()
    np.testing.assert_equal(numbers(call[name](**memory)), expected)
    assert work() > 0
    np.testing.assert_equal(numbers(call[name](**memory)), expected)
    assert work() == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["rows", "model"])
def test_what_is_kept_is_known_by_rows_and_models(name, what, call, tmp_path):
    changes = {"X": X + 1e-9} if what == "rows" else {"changed": True}
    memory = {"memory": str(tmp_path)}
    call[name](**memory)
    expected = numbers(call[name](**changes))
    work()
    np.testing.assert_equal(numbers(call[name](**memory, **changes)), expected)
    assert work() > 0


@pytest.mark.parametrize("name", NAMES)
def test_what_was_interrupted_goes_on_where_it_was(name, call, tmp_path):
    memory = {"memory": str(tmp_path)}
    work()
    expected = numbers(call[name]())
    n_all = work()
    Counter.last = n_all - 1
    with pytest.raises(KeyboardInterrupt):
        call[name](**memory)
    work()
    np.testing.assert_equal(numbers(call[name](**memory)), expected)
    assert 1 <= work() < n_all


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow_except("curve")
def test_the_number_of_jobs_changes_nothing(name, call):
    np.testing.assert_equal(numbers(call[name](n_jobs=2)), numbers(call[name]()))


def test_a_longer_curve_costs_the_new_strengths(call, tmp_path):
    memory = {"memory": str(tmp_path), "strengths": [0, 0.5, 1]}
    call["curve"](**memory)
    work()
    longer = call["curve"](**memory | {"strengths": [0, 0.5, 1, 0.25]})
    assert work() == 3  # its draws, of which the teacher is asked
    assert len(longer.rows) == 3 * 4


REFUSED = {
    "jobs of a diagnosis": (
        ValueError,
        lambda: diagnose(recipe(), *TRAIN, *TEST, n_jobs=0),
        "'n_jobs' parameter of diagnose must be an int other than 0.*Got 0",
    ),
    "memory of a diagnosis": (
        ValueError,
        lambda: diagnose(recipe(), *TRAIN, *TEST, memory=3),
        "memory is 3; expected None",
    ),
    "jobs of a curve": (
        ValueError,
        lambda: robustness_curve(recipe(), *TEST, n_jobs="all"),
        "'n_jobs' parameter of robustness_curve must be an int other than 0.*Got 'all'",
    ),
    "memory of a curve": (
        ValueError,
        lambda: robustness_curve(recipe(), *TEST, memory=3),
        "memory is 3; expected None",
    ),
    "jobs of an attack": (
        ValueError,
        lambda: adversarial_accuracy(recipe(), *TEST, n_jobs=0),
        "'n_jobs' parameter of adversarial_accuracy must be an int other than 0",
    ),
    "memory of an attack": (
        ValueError,
        lambda: adversarial_accuracy(recipe(), *TEST, memory=3),
        "memory is 3; expected None",
    ),
    "a function whose answers nobody knows": (
        TeacherError,
        lambda: robustness_curve({"m": unknown}, *TEST, teacher_classes=[0, 1], memory=".nowhere"),
        "is a function and was given to robustness_curve with memory.*cache_key",
    ),
    "a corruption without a name": (
        ValueError,
        lambda: robustness_curve(
            {"m": GaussianNB().fit(*TRAIN)}, *TEST, corruption=lambda X, strength, rng: X,
            strengths=[0, 1], memory=".nowhere",
        ),
        "robustness_curve was given memory, and what it compares has no key.*Give that part a name",
    ),
}  # fmt: skip


def unknown(rows):
    return np.full((len(rows), 2), 0.5)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    refused(*REFUSED[case])


def test_the_model_is_left_as_it_is(fitted, tmp_path):
    model = clone(fitted)
    diagnose(model, *TRAIN, *TEST, memory=str(tmp_path))
    assert model.memory is None and not hasattr(model, "student_")
    before = {name: id(value) for name, value in vars(fitted).items()}
    diagnose(fitted, *TRAIN, *TEST, memory=str(tmp_path))
    assert {name: id(value) for name, value in vars(fitted).items()} == before
