"""Several members in one network: k networks with shared weights, written by hand."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import EpochScoring
from torch import nn
from torch.nn import functional as F

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.losses import DIST, DKD, KD, HuberLoss, Loss, SimilarityLoss
from skdistill.students import TablePreprocessor, TabularMLP, shrink
from skdistill.training import DistillationCriterion, RegressionCriterion

X, NUMBERS = make_friedman1(160, n_features=5, random_state=0)
Y = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.3, 0.7]))
P = (np.eye(3)[Y] + np.random.default_rng(0).dirichlet(np.ones(3), size=160)) / 2
SMALL = {"module__hidden_units": (8, 6), "max_epochs": 2}


def make(n_members=3, n_classes=3, **settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        settings = {"hidden_units": (8, 6), "dropout": 0.0, **settings}
        module = TabularMLP(
            6, n_classes, n_numeric=2, cardinalities=(4,), n_members=n_members, **settings
        ).double()
    module.adapt(ROWS.numpy())
    return module


class Spread(Loss):
    """A loss of a user's, which is no mean of rows."""

    def mean(self, student_logits, teacher_logits, labels, row_weight, temperature):
        return (row_weight * student_logits.square().sum(1)).mean() / student_logits.std()


def some_rows():
    rows = torch.randn(40, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rows[:, 5] = torch.arange(40) % 4
    return rows


ROWS = some_rows()


def members_by_hand(module, rows):
    """Return the outputs of each member, a list of tensors of shape (n_samples, n_outputs)."""
    embedded = [rows[:, :5], module.numeric(rows[:, :2]), module.categories[0](rows[:, 5].long())]
    embedded = torch.cat(embedded, dim=1)
    layers = [part for part in module.mlp.shared.modules() if isinstance(part, nn.Linear)]
    found = []
    for scale, weight, bias in zip(
        module.mlp.scale, module.mlp.heads.weight, module.mlp.heads.bias, strict=True
    ):
        hidden = embedded * scale
        for layer in layers:
            hidden = torch.relu(hidden @ layer.weight.T + layer.bias)
        found.append(hidden @ weight + bias)
    return found


def targets(n_samples=40):
    generator = torch.Generator().manual_seed(1)
    teacher = torch.randn(n_samples, 3, generator=generator, dtype=torch.float64)
    labels = torch.arange(n_samples) % 3
    weight = 0.5 + torch.arange(n_samples, dtype=torch.float64) / n_samples
    return {
        "label": labels,
        "teacher_logits": teacher,
        "hard_weight": weight,
        "soft_weight": weight.flip(0),
    }


def arrays_of(module):
    return {name: value.numpy() for name, value in module.state_dict().items()}


# What it computes


@pytest.mark.parametrize("hidden_units", [(8, 6), (7,), ()])
def test_probabilities_are_the_mean_of_the_members(hidden_units):
    module = make(hidden_units=hidden_units).eval()
    expected = torch.stack([m.softmax(dim=1) for m in members_by_hand(module, ROWS)]).mean(dim=0)
    found = module(ROWS)
    torch.testing.assert_close(found.exp(), expected, rtol=1e-10, atol=1e-12)


def test_numbers_are_the_mean_of_the_members():
    module = make(n_classes=2, member_mean="outputs").eval()
    expected = torch.stack(members_by_hand(module, ROWS)).mean(dim=0)
    torch.testing.assert_close(module(ROWS), expected, rtol=1e-10, atol=1e-12)


def test_probabilities_that_round_to_zero_keep_their_logarithm():
    module = make()
    with torch.no_grad():
        module.mlp.heads.bias[:, :, 0] += 2000.0
    found = module.eval()(ROWS)
    assert torch.isfinite(found).all()
    assert (found[:, 1] < -1000).all()


def test_members_start_apart_and_scale_a_column_with_its_embedding_by_few_numbers():
    module = make(n_members=4)
    scale = module.mlp.scale.detach()
    assert scale.shape == (4, 5 + 3 * 8)
    assert len(scale[:, 0].unique()) == 4
    for start in (5, 13, 21):  # two numbers and a category, of eight units each
        assert (scale[:, start : start + 8] == scale[:, start : start + 1]).all()


def test_one_member_is_the_network_without_members():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        plain = TabularMLP(6, 3, n_numeric=2, cardinalities=(4,), dropout=0.0)
        torch.manual_seed(0)
        one = TabularMLP(6, 3, n_numeric=2, cardinalities=(4,), dropout=0.0, n_members=1)
    assert list(plain.state_dict()) == list(one.state_dict())
    for name, value in plain.state_dict().items():
        np.testing.assert_array_equal(one.state_dict()[name], value)
    assert isinstance(one.train()(ROWS.float()), torch.Tensor)


# What it learns from


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(
    "loss",
    [KD(), DKD(), DIST(), Spread()],
    ids=["kd", "dkd", "dist", "a mean of its own"],
)
def test_the_loss_is_the_mean_of_the_members_losses(loss, alpha):
    module, packed = make().train(), targets()
    criterion = DistillationCriterion(loss, alpha, temperature=2.0)
    found = criterion(module(ROWS), packed)
    expected = torch.stack([criterion(m, packed) for m in members_by_hand(module, ROWS)]).mean()
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    weights = [p for p in module.parameters() if p.requires_grad]
    for one, other in zip(
        torch.autograd.grad(found, weights),
        torch.autograd.grad(expected, weights),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("alpha", [0.0, 0.4])
def test_the_loss_of_numbers_is_the_mean_of_the_members_losses(n_outputs, alpha):
    module = make(n_classes=n_outputs, member_mean="outputs").train()
    packed = {name: targets()[name] for name in ("hard_weight", "soft_weight")}
    for name, first in (("target", 0), ("teacher_target", 1)):
        packed[name] = ROWS[:, first : first + n_outputs] ** 2
    criterion = RegressionCriterion(HuberLoss(), alpha)
    found = criterion(module(ROWS), packed)
    expected = torch.stack([criterion(m, packed) for m in members_by_hand(module, ROWS)]).mean()
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_a_fit_is_the_loop_that_anyone_would_write():
    """Full batches, no dropout, AdamW: k networks with shared weights, by hand."""
    settings = {"hidden_units": (8,), "dropout": 0.0, "n_members": 3}
    net = StudentNet(
        TabularMLP,
        **{f"module__{name}": value for name, value in settings.items()},
        dtype="float64",
        max_epochs=4,
        batch_size=-1,
        train_split=None,
        callbacks__schedule=None,
        iterator_train__shuffle=False,
    )
    model = DistilledClassifier(student=net, alpha=0.3, temperature=2.0, random_state=0)
    found = model.fit(X, Y, soft_targets=P).predict_proba(X)

    first = DistilledClassifier(student=net.set_params(max_epochs=1, lr=1e-30), random_state=0)
    module = first.fit(X, Y, soft_targets=P).student_.module_
    rows, labels, answers = torch.tensor(X), torch.tensor(Y), torch.tensor(P)
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.002, weight_decay=0.1)
    linear = next(part for part in module.modules() if isinstance(part, nn.Linear))

    def members():
        weights = module.mlp.scale, module.mlp.heads.weight, module.mlp.heads.bias
        for scale, weight, bias in zip(*weights, strict=True):
            yield torch.relu(linear(rows * scale)) @ weight + bias

    for _ in range(4):
        loss = 0.0
        for logits in members():
            soft = (answers.log() / 2).softmax(1)
            kd = 4 * F.kl_div((logits / 2).log_softmax(1), soft, reduction="batchmean")
            loss = loss + (0.7 * F.cross_entropy(logits, labels) + 0.3 * kd) / 3
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        expected = torch.stack([z.softmax(1) for z in members()]).mean(0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


# In estimators


def student(net=StudentNet, n_members=3, **settings):
    return make_pipeline(TablePreprocessor(), net(module__n_members=n_members, **SMALL, **settings))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_distilled_student_is_one_module(dtype):
    model = DistilledClassifier(student=student(dtype=dtype), random_state=0)
    model.fit(X, Y, soft_targets=P)
    module = model.student_[-1].module_
    n_inputs, k = 5 + 5 * 8, 3
    embedding = sum(p.numel() for p in module.numeric.parameters())
    shared = n_inputs * 8 + 8 + 8 * 6 + 6
    expected = embedding + k * n_inputs + shared + k * (6 * 3 + 3)
    assert sum(p.numel() for p in module.parameters()) == expected
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), p)
    rows = torch.tensor(model.student_[:-1].transform(X)).to(getattr(torch, dtype))
    dynamic = ({0: torch.export.Dim("n_samples", min=2)},)
    exported = torch.export.export(module, (rows[:7],), dynamic_shapes=dynamic).module()
    logits = exported(rows).detach() / model.student_[-1].calibration_temperature_
    np.testing.assert_allclose(logits.softmax(1), p, atol=1e-6)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor_averages_numbers(n_outputs):
    y = np.column_stack([NUMBERS, 100 - X[:, 0]])[:, :n_outputs].squeeze()
    net = student(StudentNetRegressor).set_params(studentnetregressor__max_epochs=40)
    model = DistilledRegressor(student=net, random_state=0).fit(X, y, soft_targets=y)
    module = model.student_[-1].module_
    kept = []
    handle = module.mlp.heads.register_forward_hook(lambda *call: kept.append(call[-1]))
    found = model.predict(X)
    handle.remove()
    net = model.student_[-1]
    expected = kept[0].mean(dim=1).double().numpy() * net.target_scale_ + net.target_mean_
    np.testing.assert_allclose(found, expected.squeeze(), rtol=1e-6)
    assert model.score(X, y) > 0.7


def test_members_read_sparse_rows():
    rows = sparse.csr_matrix(np.where(X > 0.5, X, 0.0))
    net = StudentNet(TabularMLP, module__n_members=2, **SMALL)
    models = [
        DistilledClassifier(student=net, alpha=0, random_state=0).fit(part, Y)
        for part in (rows, rows.toarray())
    ]
    found, expected = (model.predict_proba(rows[:20]) for model in models)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_members_can_be_searched():
    model = DistilledClassifier(student=StudentNet(TabularMLP, **SMALL), alpha=0, random_state=0)
    grid = {"student__module__n_members": [1, 2]}
    search = GridSearchCV(model, grid, cv=2, scoring="neg_log_loss")
    search.fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.cv_results_["mean_test_score"][0] != search.cv_results_["mean_test_score"][1]


def test_a_student_of_one_member_is_the_student_without():
    probabilities = [
        DistilledClassifier(student=student(**given, n_members=1), random_state=0)
        .fit(X, Y, soft_targets=P)
        .predict_proba(X)
        for given in ({}, {"module__member_mean": "outputs"})
    ]
    pipeline = make_pipeline(TablePreprocessor(), StudentNet(**SMALL))
    plain = DistilledClassifier(student=pipeline, random_state=0).fit(X, Y, soft_targets=P)
    for found in probabilities:
        np.testing.assert_array_equal(found, plain.predict_proba(X))


def test_training_goes_on():
    net = StudentNet(TabularMLP, module__n_members=2, **SMALL)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net.fit(X, Y).partial_fit(X, Y)
        assert len(net.history_) == 4
        net.set_params(warm_start=True).fit(X, Y)
    assert len(net.history_) == 6
    assert net.predict_proba(X).shape == (160, 3)


def test_weights_are_heard():
    weight = np.where(Y < 2, 1.0, 0.2)
    fits = [
        DistilledClassifier(student=student(), alpha=0, random_state=0).fit(X, Y, sample_weight=w)
        for w in (weight, 7 * weight, None)
    ]
    first, second, third = (model.predict_proba(X) for model in fits)
    np.testing.assert_allclose(first, second, atol=1e-6)
    assert np.abs(first - third).max() > 1e-3


@pytest.mark.parametrize("views", ["mixup", None])
@pytest.mark.parametrize("callbacks", [None, "slow"])
def test_every_way_of_training_takes_members(views, callbacks):
    score = EpochScoring("accuracy", lower_is_better=False, name="score", on_train=True)
    net = StudentNet(
        TabularMLP,
        module__n_members=2,
        views=views,
        callbacks=None if callbacks is None else [score],
        **SMALL,
    )
    model = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, Y)
    assert np.isfinite([row["train_loss"] for row in model.history_]).all()
    if callbacks:
        assert all(0 < row["score"] <= 1 for row in model.history_)


def test_what_scores_training_rows_is_shown_the_mean_of_the_members():
    seen = []

    def keep(net, X, y):
        seen.append((net.predict_proba(X), np.asarray(y)))
        return 0.0

    net = StudentNet(
        TabularMLP,
        module__n_members=2,
        module__dropout=0.0,
        module__hidden_units=(8,),
        batch_size=-1,
        max_epochs=1,
        lr=1e-30,
        train_split=None,
        iterator_train__shuffle=False,
        callbacks=[EpochScoring(keep, name="kept", on_train=True)],
    )
    model = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, Y)
    np.testing.assert_allclose(seen[0][0], model.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(seen[0][1], Y)


@pytest.mark.parametrize(
    ("net", "learns", "y"),
    [
        (NeuralNetClassifier, DistilledClassifier, Y),
        (NeuralNetRegressor, DistilledRegressor, NUMBERS.astype("float32")),
    ],
)
def test_other_skorch_nets_take_members(net, learns, y):
    scoring = "accuracy" if net is NeuralNetClassifier else "r2"
    score = EpochScoring(scoring, lower_is_better=False, name="score", on_train=True)
    net = net(
        TabularMLP, module__n_members=2, max_epochs=2, verbose=0, callbacks=[("score", score)]
    )
    model = learns(student=net, alpha=0, random_state=0).fit(X.astype("float32"), y)
    assert np.isfinite([row["score"] for row in model.student_.net_.history]).all()
    mean = model.student_.module_.mlp.mean
    assert mean == ("probabilities" if learns is DistilledClassifier else "outputs")


def test_hidden_layers_of_members_are_compared_with_a_teachers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        teacher = StudentNet(TabularMLP, **SMALL).fit(X, Y)
    net = StudentNet(TabularMLP, module__n_members=2, **SMALL)
    weights = []
    for weight in (0.0, 3000.0):
        alike = SimilarityLoss("mlp.1", "mlp.shared.1", weight=weight)
        model = DistilledClassifier(teacher, net, feature_losses=[alike], random_state=0)
        weights.append(model.fit(X, Y).student_.module_.mlp.scale.detach())
    assert not torch.equal(*weights)


def test_a_shrunk_network_keeps_its_members():
    module = make()
    whole = shrink(module, width=1.0).eval()
    torch.testing.assert_close(whole(ROWS), module.eval()(ROWS), rtol=0, atol=0)
    half = shrink(module, width=0.5).eval()
    assert half.mlp.shared[0][0].out_features == 4
    assert half.mlp.heads.weight.shape == module.mlp.heads.weight.shape
    assert half(ROWS).shape == (40, 3)
