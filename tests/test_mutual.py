"""Students that teach each other, as a loop by hand would train them."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch.callbacks import Callback, EarlyStopping
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    MutualClassifier,
    MutualRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.deployment import load, save
from skdistill.exceptions import StudentError
from skdistill.students import MLP

DIGITS = load_digits()
X, Y = DIGITS.data[:96] / 16, DIGITS.target[:96] % 3
NUMBERS = np.stack([X[:, 20] + X[:, 30], 10 * X[:, 42]], axis=1)
RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.5, 1.5, size=len(X))
SOFT = RNG.dirichlet(np.ones(3), size=len(X))


pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def layers(width, n_outputs=3, seed=0):
    """Return an untrained module of that width, its weights from a seed of its own."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(64, width), nn.Tanh(), nn.Linear(width, n_outputs))


def bare(module, kind=StudentNet, **settings):
    """Return a net of which nothing but the loop is to be seen."""
    if kind is StudentNet:
        settings = {"callbacks__calibrate": None, **settings}
    return kind(
        module,
        optimizer=torch.optim.SGD,
        lr=0.1,
        batch_size=32,
        dtype="float64",
        train_split=None,
        callbacks__schedule=None,
        callbacks__keep_best=None,
        **{"max_epochs": 2, **settings},
    )


def kl(z, log_p, temperature=1.0):
    log_p, log_q = (log_softmax(each / temperature, dim=1) for each in (log_p, z))
    return temperature**2 * (log_p.exp() * (log_p - log_q)).sum(dim=1)


def loop(modules, own_loss, distance, peer_weight):
    """Train by hand: every net takes its step on what all made of the batch before it."""
    modules = [module.double() for module in modules]
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.1) for module in modules]
    weight = torch.tensor(WEIGHT / WEIGHT.mean())
    seed = int(np.random.RandomState(0).randint(2**31 - 1, size=3)[2])
    order = torch.Generator().manual_seed(seed)
    for _ in range(2):
        for index in torch.randperm(len(X), generator=order).split(32):
            outputs = [module(torch.tensor(X)[index]) for module in modules]
            for k, optimizer in enumerate(optimizers):
                others = [z.detach() for i, z in enumerate(outputs) if i != k]
                apart = sum(distance(outputs[k], z) for z in others) / len(others)
                loss = (weight[index] * (own_loss(outputs[k], index) + peer_weight * apart)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return modules


def assert_alike(students, modules):
    for model, module in zip(students, modules, strict=True):
        for own, expected in zip(
            model.student_.module_.parameters(), module.parameters(), strict=True
        ):
            torch.testing.assert_close(own, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_classes_are_learnt_as_by_a_loop_by_hand(alpha):
    def teacher(rows):
        return SOFT

    nets = [bare(layers(width)) for width in (5, 8, 6)]
    if alpha:
        nets = [DistilledClassifier(teacher, net, alpha=alpha, temperature=2.0) for net in nets]
    model = MutualClassifier(nets, peer_weight=0.7, random_state=0)
    model.fit(X, Y, sample_weight=WEIGHT)

    def own_loss(z, index):
        hard = cross_entropy(z, torch.tensor(Y)[index], reduction="none")
        return (1 - alpha) * hard + alpha * kl(z, torch.tensor(SOFT).log()[index], 2.0)

    modules = loop([layers(width) for width in (5, 8, 6)], own_loss, kl, 0.7)
    assert_alike(model.students_, modules)
    with torch.no_grad():
        mean = np.mean([m(torch.tensor(X)).softmax(dim=1).numpy() for m in modules], axis=0)
    np.testing.assert_allclose(model.predict_proba(X), mean)
    np.testing.assert_array_equal(model.predict(X), mean.argmax(axis=1))


def test_numbers_are_learnt_as_by_a_loop_by_hand():
    nets = [bare(layers(width, 2), StudentNetRegressor) for width in (5, 8)]
    model = MutualRegressor(nets, peer_weight=2.0, random_state=0)
    model.fit(X, NUMBERS, sample_weight=WEIGHT)
    mean = np.average(NUMBERS, axis=0, weights=WEIGHT)
    scale = np.sqrt(np.average((NUMBERS - mean) ** 2, axis=0, weights=WEIGHT))
    targets = torch.tensor((NUMBERS - mean) / scale)

    def distance(values, others):
        return (values - others).square().mean(dim=1)

    modules = loop(
        [layers(width, 2) for width in (5, 8)],
        lambda values, index: distance(values, targets[index]),
        distance,
        2.0,
    )
    assert_alike(model.students_, modules)
    expected = [m(torch.tensor(X)).detach().numpy() * scale + mean for m in modules]
    np.testing.assert_allclose(model.predict(X), np.mean(expected, axis=0))


def quick(**settings):
    return StudentNet(MLP, **{"module__hidden_units": (8,), "max_epochs": 3, **settings})


def test_without_the_term_between_them_each_learns_alone():
    net = make_pipeline(StandardScaler(), quick(module__dropout=0.2))
    twins = MutualClassifier([net, net], peer_weight=0, random_state=3).fit(X, Y)
    alone = DistilledClassifier(student=net, alpha=0, random_state=3).fit(X, Y)
    first, second = (model.predict_proba(X) for model in twins.students_)
    np.testing.assert_array_equal(first, alone.predict_proba(X))
    assert np.abs(first - second).max() > 1e-3  # twins have weights of their own
    assert len(twins.students_[0].history_) == 3


def test_the_term_draws_them_together():
    def distance(weight):
        nets = [quick(max_epochs=8), quick(max_epochs=8)]
        fitted = MutualClassifier(nets, peer_weight=weight, random_state=0).fit(X, Y).students_
        first, second = (model.predict_proba(X) for model in fitted)
        return np.abs(first - second).mean()

    assert distance(5.0) < distance(0.0)


def test_one_that_ends_leaves_the_others_to_go_on():
    patient = quick(max_epochs=6, train_split=None)
    hasty = quick(
        max_epochs=5,
        train_split=None,
        callbacks=[EarlyStopping("train_loss", patience=1, threshold=10, threshold_mode="abs")],
    )
    model = MutualClassifier([patient, hasty], random_state=0).fit(X, Y)
    assert [len(each.history_) for each in model.students_] == [6, 2]


class CountsFits(DecisionTreeClassifier):
    """A tree that counts the fits of all its clones."""

    n_fits = 0

    def fit(self, X, y, sample_weight=None):
        CountsFits.n_fits += 1
        return super().fit(X, y, sample_weight)


def test_their_teacher_is_asked_once():
    CountsFits.n_fits = 0
    models = [DistilledClassifier(CountsFits(), quick(), cv=2) for _ in range(3)]
    model = MutualClassifier(models, random_state=0).fit(X, Y)
    assert CountsFits.n_fits == 3  # two folds, and the teacher itself
    assert isinstance(model.students_[2].teacher_, CountsFits)


def test_it_is_an_estimator_and_each_student_a_model(tmp_path):
    nets = [quick(), make_pipeline(StandardScaler(), quick(module__hidden_units=(4,)))]
    model = MutualClassifier(nets, random_state=0)
    labels = np.array(["a", "b", "c"])[Y]
    before = repr(model)
    scores = cross_val_score(make_pipeline(StandardScaler(), clone(model)), X, labels, cv=2)
    assert scores.shape == (2,) and repr(model) == before
    model.fit(X, labels)
    assert model.classes_.tolist() == ["a", "b", "c"] and model.n_features_in_ == 64
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    second = model.students_[1]
    shipped = load(save(second, tmp_path / "student.safetensors"))
    np.testing.assert_allclose(shipped.predict_proba(X), second.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(clone(model).fit(X, labels).predict(X), model.predict(X))


def test_dropout_of_torch_is_seeded_and_moves_no_generator():
    module = nn.Sequential(*layers(8)[:2], nn.Dropout(0.5), layers(8)[2])
    nets = [StudentNet(module, max_epochs=2), StudentNet(layers(6), max_epochs=2)]
    first, second = (MutualClassifier(nets, random_state=0).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_rows_without_labels_are_learnt_from_teacher_and_peers():
    models = [DistilledClassifier(CountsFits(), quick(), cv=2) for _ in range(2)]
    model = MutualClassifier(models, random_state=0).fit(X[:80], Y[:80], X_unlabeled=X[80:])
    assert model.score(X, Y) > 0.3


def test_sparse_rows_are_learnt_as_dense_ones():
    nets = [quick(), quick(module__hidden_units=(4,))]
    dense = MutualClassifier(nets, random_state=0).fit(X, Y)
    found = MutualClassifier(nets, random_state=0).fit(sparse.csr_matrix(X), Y)
    np.testing.assert_allclose(found.predict_proba(X), dense.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "score"])
def test_it_says_that_it_is_not_fitted(method):
    with pytest.raises(NotFittedError):
        model, given = MutualClassifier([quick(), quick()]), [X, Y][: 2 if method == "score" else 1]
        getattr(model, method)(*given)


class Listens(Callback):
    def on_batch_end(self, net, **kwargs):
        pass


def fit(*models, X=X, y=Y, kind=MutualClassifier, **settings):
    return lambda: kind(list(models), **settings).fit(X, y)


REFUSED = {
    "no list": (
        ValueError,
        lambda: MutualClassifier(quick()).fit(X, Y),
        "'models' parameter of MutualClassifier must be an instance of 'list'",
    ),
    "one": (ValueError, fit(quick()), "'models' .* holds 1; expected two or more.*another"),
    "peer_weight below 0": (
        ValueError,
        fit(quick(), quick(), peer_weight=-1),
        "'peer_weight' parameter of MutualClassifier must be a float in the range .0.0, inf",
    ),
    "a tree": (
        StudentError,
        fit(quick(), DecisionTreeClassifier()),
        "Model 1 has the student DecisionTreeClassifier.*expected a StudentNet. Wrap",
    ),
    "other batches": (
        StudentError,
        fit(quick(), quick(batch_size=7)),
        "Model 1 has batch_size=7 and model 0 has 'auto'; expected the same.*Set it alike",
    ),
    "other rows": (
        StudentError,
        fit(quick(), quick(train_split=None)),
        "Model 1 has train_split=None and model 0 has HoldOut.*expected the same",
    ),
    "something listens to batches": (
        StudentError,
        fit(quick(), quick(callbacks=[Listens()])),
        "Model 1 cannot learn with others: the callback Listens.*expected.*Leave that out",
    ),
    "views": (
        StudentError,
        fit(quick(), quick(views="mixup")),
        "Model 1 cannot learn with others: feature losses, views",
    ),
    "members": (
        StudentError,
        fit(StudentNet(module__n_members=2), quick()),
        "Model 0 cannot learn with others: its module has several members; expected",
    ),
    "alpha to be found": (
        ValueError,
        fit(quick(), DistilledClassifier(LogisticRegression(), quick(), alpha="auto")),
        "Model 1 has alpha='auto'.*expected a number",
    ),
    "a model of numbers": (
        ValueError,
        fit(quick(), DistilledRegressor(alpha=0)),
        "Model 1 is a DistilledRegressor; expected a DistilledClassifier",
    ),
    "a model of classes": (
        ValueError,
        fit(None, DistilledClassifier(alpha=0), kind=MutualRegressor, y=NUMBERS),
        "Model 1 is a DistilledClassifier; expected a DistilledRegressor",
    ),
    "rows that one of them cannot learn": (
        StudentError,
        lambda: MutualClassifier([DistilledClassifier(LogisticRegression(), quick()), quick()]).fit(
            X, Y, X_unlabeled=X[:9]
        ),
        "Model 1 learns 96 rows and model 0 105; expected the same.*give each of them one",
    ),
    "generated rows": (
        ValueError,
        fit(quick(), DistilledClassifier(LogisticRegression(), quick(), augment="spunge")),
        "Model 1 has augment='spunge' and model 0 has None; expected the same",
    ),
    "one class": (ValueError, fit(quick(), quick(), y=np.zeros(96)), "expected at least two class"),
    "rows with gaps": (
        ValueError,
        fit(quick(), quick(), X=np.where(X > 0.9, np.nan, X)),
        "NaN",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_a_fit_that_is_refused_leaves_the_earlier_one():
    model = MutualClassifier([quick(), quick()], random_state=0).fit(X, Y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="expected at least two"):
        model.fit(X, np.zeros(len(X)))
    np.testing.assert_array_equal(model.predict_proba(X), before)
