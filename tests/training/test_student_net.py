import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_classification
from sklearn.dummy import DummyClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from skorch import NeuralNetClassifier
from skorch.callbacks import GradientNormClipping, LRScheduler
from skorch.dataset import ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP
from skdistill.targets._tasks import ClassTask
from skdistill.training import HoldOut
from skdistill.training._batches import TensorBatches, TensorRows, resolve_batch_size
from skdistill.training._holdout import hold_back
from skdistill.training._packed import Packed


def draw(n_samples=300, **settings):
    settings = {"n_informative": 4, "n_classes": 3, "random_state": 0} | settings
    X, y = make_classification(n_samples, 8, **settings)
    return X, y


def seeded_fit(net, X, y, seed=0, **fit_params):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return net.fit(X, y, **fit_params)


def quick(**settings):
    return StudentNet(
        **(
            {"module": MLP, "module__hidden_units": (16,), "max_epochs": 3, "batch_size": 32}
            | settings
        )
    )


def test_a_module_is_a_setting_before_the_first_fit():
    X, y = draw(60)
    with torch.random.fork_rng():
        modules = [MLP(8, 3, hidden_units=units) for units in ((4,), (6,))]
    model = DistilledClassifier(None, StudentNet(modules[0], max_epochs=1), alpha=0, random_state=0)
    search = GridSearchCV(model, {"student__module": modules}, cv=2).fit(X, y)
    by_hand = [
        cross_val_score(clone(model).set_params(student=StudentNet(m, max_epochs=1)), X, y, cv=2)
        for m in modules
    ]
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], np.mean(by_hand, axis=1))


def raw_loop(X, y, soft, *, alpha, temperature, seeds, n_epochs, batch_size, lr):
    """Distillation written by hand: the reference of what StudentNet must do."""
    torch.manual_seed(seeds[0])
    module = MLP(X.shape[1], soft.shape[1], hidden_units=(16,)).double()
    optimizer = torch.optim.AdamW(module.parameters(), lr=lr, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=n_epochs)
    X, y = torch.tensor(X), torch.tensor(y)
    p = torch.softmax(torch.tensor(np.log(soft)) / temperature, dim=1)
    torch.manual_seed(seeds[1])
    for _ in range(n_epochs):
        for rows in torch.randperm(len(X)).split(batch_size):
            logits = module(X[rows])
            q = log_softmax(logits / temperature, dim=1)
            kd = temperature**2 * (p[rows] * (p[rows].log() - q)).sum(dim=1).mean()
            loss = (1 - alpha) * cross_entropy(logits, y[rows]) + alpha * kd
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return module


@pytest.mark.filterwarnings("ignore:The teacher's log-loss")
@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
def test_it_learns_what_a_hand_written_loop_learns(alpha):
    X, y = draw(100)
    soft = np.random.default_rng(0).dirichlet(np.ones(3), size=100)
    student = quick(dtype="float64", train_split=None, batch_size=25, lr=0.01, max_epochs=4)
    model = DistilledClassifier(student=student, alpha=alpha, temperature=2.0, random_state=7)
    model.fit(X, y, soft_targets=soft)
    seeds = np.random.RandomState(7).randint(np.iinfo(np.int32).max, size=3)[1:].tolist()
    with torch.random.fork_rng():
        reference = raw_loop(
            X,
            y,
            soft,
            alpha=alpha,
            temperature=2.0,
            seeds=seeds,
            n_epochs=4,
            batch_size=25,
            lr=0.01,
        )
    for name, values in reference.state_dict().items():
        found = model.student_.module_.state_dict()[name]
        torch.testing.assert_close(found, values, rtol=1e-9, atol=1e-12, msg=name)


def test_alpha_0_is_the_net_fitted_alone():
    X, y = draw()
    model = DistilledClassifier(student=quick(), alpha=0, random_state=0).fit(X, y)
    weights, order = np.random.RandomState(0).randint(np.iinfo(np.int32).max, size=3)[1:].tolist()
    with torch.random.fork_rng():
        torch.manual_seed(weights)
        net = quick()
        X_net = net.prepare(X, ClassTask(y))
        torch.manual_seed(order)
        net.learn([X_net], Packed(y))
    np.testing.assert_array_equal(model.predict_proba(X), net.predict_proba(X))


def test_the_best_epoch_is_kept():
    X, y = draw(400, flip_y=0.3)
    settings = {"module__hidden_units": (128,), "lr": 0.03, "callbacks__calibrate": None}
    net = seeded_fit(quick(**settings, max_epochs=30), X, y)
    valid = [epoch["valid_loss"] for epoch in net.history_]
    assert valid[-1] > min(valid) + 0.01  # it would overfit
    _, held = HoldOut()(range(len(X)), y)
    rows = np.asarray(held.indices)
    assert log_loss(y[rows], net.predict_proba(X[rows])) == pytest.approx(min(valid), rel=1e-5)


def test_without_a_hold_out_the_last_epoch_counts():
    X, y = draw()
    nets = [
        seeded_fit(quick(train_split=None, **extra), X, y)
        for extra in ({}, {"callbacks__keep_best": None})
    ]
    assert "valid_loss" not in nets[0].history_[-1]
    np.testing.assert_array_equal(nets[0].predict_proba(X), nets[1].predict_proba(X))


def test_it_is_a_classifier_with_labels_of_its_own():
    X, y = draw()
    names = np.array(["oak", "elm", "ash"])[y]
    net = seeded_fit(quick(max_epochs=40), X, names)
    assert net.classes_.tolist() == ["ash", "elm", "oak"]
    assert set(net.predict(X)) <= {"ash", "elm", "oak"}
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), net.predict_proba(X))
    assert net.score(X, names) > 0.6


def test_weights_of_rows():
    X, y = draw()
    flipped = np.where(np.arange(len(y)) % 2, y, (y + 1) % 3)
    weight = (np.arange(len(y)) % 2).astype(float)
    settings = {"batch_size": -1, "train_split": None, "dtype": "float64", "lr": 0.05}
    weighted = seeded_fit(quick(**settings), X, flipped, sample_weight=weight)
    fewer = seeded_fit(quick(**settings), X[1::2], flipped[1::2])
    np.testing.assert_allclose(weighted.predict_proba(X), fewer.predict_proba(X), rtol=1e-9)


def test_sparse_rows_are_the_rows_that_they_stand_for():
    X, y = draw()
    X[np.abs(X) < 1] = 0
    dense, thin = (seeded_fit(quick(), rows, y) for rows in (X, sparse.csr_matrix(X)))
    np.testing.assert_allclose(dense.predict_proba(X), thin.predict_proba(X), rtol=1e-5)
    np.testing.assert_allclose(
        thin.predict_proba(sparse.csr_array(X)), thin.predict_proba(X), rtol=1e-5
    )


def test_an_instance_is_copied_and_a_class_gets_its_widths():
    X, y = draw()
    with torch.random.fork_rng():
        instance = MLP(8, 3, hidden_units=(4,))
    before = {name: values.clone() for name, values in instance.state_dict().items()}
    net = seeded_fit(StudentNet(instance, max_epochs=2), X, y)
    assert net.module_ is not instance
    assert all(torch.equal(before[name], v) for name, v in instance.state_dict().items())
    assert seeded_fit(quick(module=MLP), X, y).module_[0].in_features == 8


def test_callbacks_of_skorch_work_as_in_skorch():
    X, y = draw()
    schedule = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, step_every="batch")
    net = quick(
        callbacks=[GradientNormClipping(1e-6), schedule],
        callbacks__schedule=None,
        optimizer=torch.optim.SGD,
        lr=0.5,
    )
    start = seeded_fit(clone(net).set_params(max_epochs=1, lr=1e-30), X, y)
    end = seeded_fit(net, X, y)
    moved = [
        (a - b).abs().max().item()
        for a, b in zip(start.module_.parameters(), end.module_.parameters(), strict=True)
    ]
    assert 0 < max(moved) < 1e-6  # the gradients were clipped
    rates = [b["event_lr"] for b in end.history_[0]["batches"] if "event_lr" in b]
    assert rates == pytest.approx([0.5 * 0.1**i for i in range(len(rates))])
    assert len(rates) > 1


def test_a_token_reader_gets_integers():
    class Tokens(nn.Module):
        def __init__(self, n_classes):
            super().__init__()
            self.embed = nn.Embedding(10, 4)
            self.head = nn.Linear(4, n_classes)

        def forward(self, X):
            assert X.dtype == torch.int64
            return self.head(self.embed(X).mean(dim=1))

    X = np.random.default_rng(0).integers(10, size=(200, 5))
    net = seeded_fit(StudentNet(Tokens, max_epochs=2), X, X[:, 0] % 2)
    assert net.predict_proba(X).shape == (200, 2)


def test_a_trained_net_pickles_small():
    X, y = draw()
    net = seeded_fit(quick(module__hidden_units=(256, 256)), X, y)
    weights = sum(p.nbytes for p in net.module_.parameters())
    assert len(pickle.dumps(net)) < 1.1 * weights + 20_000


@pytest.mark.parametrize("n_samples", [30, 120, pytest.param(3000, marks=pytest.mark.slow)])
def test_blobs_are_learnt_at_any_size(n_samples):
    X, y = make_blobs(n_samples, centers=3, random_state=1)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    assert seeded_fit(StudentNet(), X, y).score(X, y) > 0.95


@pytest.mark.parametrize(
    ("n_samples", "size"), [(10, 8), (300, 8), (512, 16), (5000, 128), (8192, 256), (10**6, 256)]
)
def test_auto_batch_size(n_samples, size):
    assert resolve_batch_size("auto", n_samples) == size


def test_batches_visit_each_row_once():
    X = torch.arange(50.0)[:, None]
    y = {"label": torch.arange(50)}
    rows = TensorRows(X, y)
    _, valid = HoldOut(min_samples=10)(rows, np.arange(50) % 2)
    for dataset, expected in ((rows, range(50)), (valid, valid.indices)):
        for shuffle in (True, False):
            with torch.random.fork_rng():
                batches = list(TensorBatches(dataset, batch_size=8, shuffle=shuffle))
            assert len(batches) == len(TensorBatches(dataset, batch_size=8))
            labels = torch.cat([batch[1]["label"] for batch in batches])
            assert sorted(labels.tolist()) == sorted(expected)
            torch.testing.assert_close(torch.cat([b[0] for b in batches])[:, 0], labels.float())
            assert shuffle or labels.tolist() == list(expected)


@pytest.mark.parametrize(
    ("counts", "n_valid"),
    [([99], 0), ([95, 5], 20), ([199, 1], 40), ([700, 1], 100), ([900, 100], 100), ([1001], 101)],
)
def test_hold_out(counts, n_valid):
    labels = np.repeat(np.arange(len(counts)), counts)
    train, valid = HoldOut()(range(len(labels)), labels)
    assert (0 if valid is None else len(valid)) == n_valid
    assert len(train) + n_valid == len(labels)
    if counts == [95, 5]:
        assert labels[valid.indices].sum() == 1


def test_hold_out_keeps_groups_whole_and_the_classes_in_proportion():
    labels = np.repeat([0, 1], [600, 200])
    copies = np.random.RandomState(0).randint(800, size=2000)
    train, valid = HoldOut()(range(2000), labels[copies], copies)
    train, valid = np.asarray(train.indices), np.asarray(valid.indices)
    assert sorted([*train, *valid]) == list(range(2000))
    assert not np.isin(copies[valid], copies[train]).any()
    held = np.unique(copies[valid])
    assert len(held) == 100
    assert np.mean(labels[held]) == pytest.approx(0.25, abs=0.01)


def test_hold_out_of_a_single_group_is_none():
    assert HoldOut()(range(200), np.arange(200) % 2, np.zeros(200))[1] is None


@pytest.mark.parametrize("skorch_net", [False, True])
def test_groups_of_the_fit_reach_the_hold_out(skorch_net):
    X, y = draw()
    copies = np.random.RandomState(0).randint(300, size=300)
    seen = []

    def recording(dataset, labels, groups=None):
        seen.append(groups)
        return dataset, None

    settings = {"train_split": recording, "max_epochs": 1, "verbose": 0}
    if skorch_net:
        net = NeuralNetClassifier(MLP, module__hidden_units=(4,), callbacks=None, **settings)
    else:
        net = quick(**settings)
    model = DistilledClassifier(student=net, alpha=0, random_state=0)
    model.fit(X[copies], y[copies], groups=copies)
    np.testing.assert_array_equal(seen[0], copies)
    model.fit(X, y)
    assert seen[1] is None


def test_a_uniform_teacher_smooths_the_labels():
    X, y = draw(90)
    net = quick(dtype="float64", train_split=None)
    uniform = DummyClassifier(strategy="uniform")
    taught = DistilledClassifier(uniform, net, alpha=0.1, cv="in-sample", random_state=0).fit(X, y)
    smoothed = DistilledClassifier(student=net, alpha=1, random_state=0)
    smoothed.fit(X, y, soft_targets=0.9 * np.eye(3)[y] + 0.1 / 3)
    np.testing.assert_allclose(taught.predict_proba(X), smoothed.predict_proba(X), atol=1e-9)


@pytest.mark.parametrize(
    ("split", "n_train", "n_valid"),
    [
        (HoldOut(size=0.2, min_samples=10), 80, 20),
        (HoldOut(min_samples=1000), 100, 0),
        (ValidSplit(4, stratified=True), 75, 25),
        (predefined_split(TensorRows(torch.zeros(7, 1))), 100, 7),
    ],
)
def test_only_labelled_rows_are_held_back_and_all_others_are_learnt_from(split, n_train, n_valid):
    packed = Packed(np.arange(100) % 2, [np.full((100, 2), 0.5), np.full((50, 2), 0.5)])
    targets = {name: torch.as_tensor(values) for name, values in packed.arrays().items()}
    dataset = TensorRows(torch.arange(150.0)[:, None], targets)
    train, valid = hold_back(split, dataset, packed)
    learnt = [batch[0] for batch in TensorBatches(train, batch_size=64)]
    learnt = torch.cat(learnt)[:, 0].long().tolist()
    assert len(train) == n_train + 50 and learnt[-50:] == list(range(100, 150))
    assert n_valid == (0 if valid is None else len(valid))
    if n_valid in (20, 25):
        assert sorted([*learnt, *valid.indices]) == list(range(150))
