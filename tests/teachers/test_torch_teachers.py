"""Torch modules and skorch nets as teachers."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.datasets import load_iris, make_blobs
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import shuffle
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_probabilities, teacher_targets

X, Y = shuffle(*load_iris(return_X_y=True), random_state=0)
NAMES = np.array(["setosa", "versicolor", "virginica"])
LABELS = NAMES[Y]
ROWS = (X - X.mean(axis=0)) / X.std(axis=0)
TWO = ROWS[Y < 2], Y[Y < 2]

# Modules stand in as teachers with the weights that they were made with.
UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def quick_model(teacher, **settings):
    student = StudentNet(max_epochs=2, module__hidden_units=(8,), batch_size=32)
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


def seeded(make):
    """Make a module whose weights do not depend on the tests before."""
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        return make()


def linear(n_outputs=3, scale=5.0):
    module = seeded(lambda: nn.Linear(4, n_outputs))
    with torch.no_grad():
        module.weight.mul_(scale)
    return module


def logits_by_hand(module, rows=ROWS):
    return rows @ module.weight.detach().double().numpy().T + module.bias.detach().double().numpy()


def seeded_fit(classifier, rows, y):
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        return classifier.fit(rows, y)


ORDER = [2, 0, 1]


# Torch modules


class Wrapped(nn.Module):
    """A linear module whose outputs pass through a function."""

    def __init__(self, function, n_outputs=3):
        super().__init__()
        self.inner = linear(n_outputs)
        self.function = function

    def forward(self, rows):
        return self.function(self.inner(rows))


class Answer:
    def __init__(self, logits):
        self.logits = logits


MULTICLASS = {
    "logits": (lambda z: z, 2.0),
    "shifted logits": (lambda z: z + 100, 2.0),
    "log-probabilities": (lambda z: z.log_softmax(dim=1), 2.0),
    "probabilities": (lambda z: z.softmax(dim=1), 1.0),
    "tuple": (lambda z: (z, z.sum()), 2.0),
    "list": (lambda z: [z, z.sum()], 2.0),
    "object with logits": (Answer, 2.0),
    "half precision": (lambda z: z.half(), 2.0),
    "with gradients": (lambda z: z * torch.ones(3, requires_grad=True), 2.0),
}


@UNTRAINED
@pytest.mark.parametrize("frozen", [False, True], ids=["bare", "frozen"])
@pytest.mark.parametrize(("function", "temperature"), MULTICLASS.values(), ids=MULTICLASS)
def test_modules_of_three_classes(function, temperature, frozen):
    module = Wrapped(function)
    teacher = FrozenEstimator(module) if frozen else module
    expected = softmax(logits_by_hand(module.inner), axis=1)
    np.testing.assert_allclose(teacher_targets(teacher, ROWS, LABELS), expected, atol=2e-3)
    model = quick_model(teacher).fit(ROWS, LABELS)
    assert model.temperature_ == temperature
    by_name = quick_model(teacher, teacher_classes=NAMES[ORDER]).fit(ROWS, LABELS)
    assert not np.allclose(by_name.predict_proba(ROWS), model.predict_proba(ROWS))


BINARY = {
    "one logit, a column": lambda z: z,
    "one logit, flat": lambda z: z[:, 0],
    "one probability, a column": lambda z: z.sigmoid(),
    "one probability, flat": lambda z: z.sigmoid()[:, 0],
    "two logits": lambda z: torch.cat([-z / 2, z / 2], dim=1),
    "two probabilities": lambda z: torch.cat([1 - z.sigmoid(), z.sigmoid()], dim=1),
}


@UNTRAINED
@pytest.mark.parametrize("function", BINARY.values(), ids=BINARY)
def test_modules_of_two_classes(function):
    rows, y = TWO
    module = Wrapped(function, 1)
    p = expit(logits_by_hand(module.inner, rows)[:, 0])
    targets = teacher_targets(module, rows, np.where(y == 1, "yes", "no"))
    np.testing.assert_allclose(targets, np.column_stack([1 - p, p]), atol=1e-6)
    assert quick_model(module).fit(rows, y).temperature_ == 1.0


@UNTRAINED
def test_temperature_of_ten_classes():
    rows, y = make_blobs(100, 4, centers=10, random_state=0)
    names = np.array(list("abcdefghij"))
    logits, probabilities = Wrapped(lambda z: z, 10), Wrapped(lambda z: z.softmax(dim=1), 10)
    assert quick_model(logits).fit(rows, names[y]).temperature_ == 4.0
    assert quick_model(probabilities).fit(rows, names[y]).temperature_ == 1.0
    assert quick_model(GaussianNB()).fit(rows, names[y]).temperature_ == 1.0
    assert quick_model(logits, temperature=3).fit(rows, names[y]).temperature_ == 3.0


def restless():
    """A module that answers otherwise in training: dropout, and batch norm that moves."""
    net = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)
    )
    net[1].running_mean.uniform_(-1, 1)
    net[1].running_var.uniform_(0.5, 2)
    return net


@UNTRAINED
@pytest.mark.parametrize("training", [False, True])
def test_modules_are_asked_in_evaluation_mode_and_put_back(training):
    module = seeded(restless).train(training)
    module[3].training = not training
    before = {name: values.clone() for name, values in module.state_dict().items()}
    modes = [part.training for part in module.modules()]

    targets = teacher_targets(module, ROWS, Y)
    model = quick_model(module).fit(ROWS, Y)

    assert [part.training for part in module.modules()] == modes
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(parameter.requires_grad for parameter in module.parameters())
    for name, values in module.state_dict().items():
        assert torch.equal(values, before[name])
    module.eval()
    with torch.no_grad():
        logits = module(torch.tensor(ROWS, dtype=torch.float32)).double().numpy()
    np.testing.assert_allclose(targets, softmax(logits, axis=1), rtol=1e-5)
    by_hand = quick_model(None, temperature=model.temperature_)
    by_hand.fit(ROWS, Y, soft_targets=targets)
    np.testing.assert_array_equal(model.predict_proba(ROWS), by_hand.predict_proba(ROWS))


@UNTRAINED
def test_modules_are_put_back_when_they_fail():
    class Broken(nn.Dropout):
        def forward(self, rows):
            raise RuntimeError("no memory")

    module = Broken().train()
    with pytest.raises(
        TeacherError, match=r"asked about rows of shape \(4,\) and dtype float64: no memory"
    ):
        teacher_targets(module, ROWS, Y)
    assert module.training


@UNTRAINED
def test_modules_in_double_precision_and_with_embeddings():
    module = linear().double()
    np.testing.assert_allclose(
        teacher_targets(module, ROWS, Y), softmax(logits_by_hand(module), axis=1), rtol=1e-12
    )
    embedding = seeded(lambda: nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 3)))
    words = np.arange(150 * 2).reshape(150, 2) % 5
    with torch.no_grad():
        expected = embedding(torch.tensor(words)).softmax(dim=1).numpy()
    np.testing.assert_allclose(teacher_targets(embedding, words, Y), expected, rtol=1e-5)


@UNTRAINED
def test_modules_are_asked_about_many_rows_in_batches():
    sizes = []
    module = Wrapped(lambda z: sizes.append(len(z)) or z)
    rows = np.tile(ROWS, (60, 1))
    targets = teacher_targets(module, rows, np.tile(Y, 60))
    assert sum(sizes) == 9000
    assert max(sizes) < 9000
    np.testing.assert_allclose(targets, softmax(logits_by_hand(module.inner, rows), axis=1), 1e-4)


# skorch nets

ROWS32 = ROWS.astype(np.float32)


def skorch_net(kind):
    if kind == "softmax and NLLLoss":
        net = NeuralNetClassifier(Wrapped(lambda z: z.softmax(dim=1)))
    elif kind == "logits and CrossEntropyLoss":
        net = NeuralNetClassifier(Wrapped(lambda z: z), criterion=nn.CrossEntropyLoss)
    elif kind == "a tuple of logits":
        net = NeuralNetClassifier(Wrapped(lambda z: (z, z)), criterion=nn.CrossEntropyLoss)
    else:
        net = NeuralNet(Wrapped(lambda z: z), criterion=nn.CrossEntropyLoss)
    return net.set_params(verbose=0, max_epochs=2, lr=0.01, train_split=None)


SKORCH = {
    "softmax and NLLLoss": 1.0,
    "logits and CrossEntropyLoss": 2.0,
    "a tuple of logits": 2.0,
    "a NeuralNet": 2.0,
}


@UNTRAINED
@pytest.mark.parametrize("kind", SKORCH)
def test_fitted_skorch_nets(kind):
    net = skorch_net(kind)
    if kind != "a tuple of logits":
        seeded_fit(net, ROWS32, Y)
    else:
        net.initialize()
    net.module_.train()
    expected = softmax(logits_by_hand(net.module_.inner), axis=1)
    for rows in (ROWS32, ROWS, pd.DataFrame(ROWS)):
        np.testing.assert_allclose(teacher_targets(net, rows, Y), expected, rtol=1e-3, atol=1e-6)
    assert net.module_.training
    model = quick_model(net).fit(ROWS, Y)
    assert model.teacher_ is net
    assert model.temperature_ == SKORCH[kind]


@UNTRAINED
def test_a_skorch_net_answers_by_positions():
    net = seeded_fit(skorch_net("logits and CrossEntropyLoss"), ROWS32, Y)
    with pytest.raises(TeacherError, match=r"none is shared.*teacher_classes"):
        teacher_targets(net, ROWS, LABELS)
    targets = teacher_targets(net, ROWS, LABELS, teacher_classes=NAMES)
    np.testing.assert_array_equal(targets, teacher_targets(net, ROWS, Y))


@UNTRAINED
@pytest.mark.parametrize("labels", [Y, LABELS], ids=["positions", "strings"])
@pytest.mark.parametrize("kind", [kind for kind in SKORCH if kind != "a tuple of logits"])
def test_unfitted_skorch_nets(kind, labels):
    net = skorch_net(kind)
    targets = teacher_targets(net, ROWS, labels, cv=3, random_state=0)
    np.testing.assert_allclose(targets.values.sum(axis=1), 1)
    np.testing.assert_array_equal(teacher_targets(net, ROWS, Y, cv=3, random_state=0), targets)
    model = quick_model(net, cv="in-sample").fit(ROWS, labels)
    assert not hasattr(net, "module_")
    expected = softmax(logits_by_hand(model.teacher_.module_.inner), axis=1)
    found = teacher_probabilities(model.teacher_, ROWS, np.unique(labels))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


@UNTRAINED
@pytest.mark.parametrize("fitted", [False, True], ids=["unfitted", "fitted"])
def test_skorch_nets_with_one_logit(fitted):
    rows, y = TWO
    labels = np.where(y == 1, "yes", "no")
    net = NeuralNetBinaryClassifier(
        Wrapped(lambda z: z[:, 0], 1), verbose=0, max_epochs=2, train_split=None
    )
    if fitted:
        seeded_fit(net, rows.astype(np.float32), y.astype(np.float32))
    model = quick_model(net, cv=None if fitted else "in-sample").fit(rows, labels)
    p = expit(logits_by_hand(model.teacher_.module_.inner, rows)[:, 0])
    found = teacher_targets(model.teacher_, rows, labels)
    np.testing.assert_allclose(found, np.column_stack([1 - p, p]), rtol=1e-3)
    assert model.temperature_ == 1.0
