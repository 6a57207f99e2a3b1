"""The temperature that a student's logits are divided by, found on the rows it holds back."""

import pickle

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits
from skorch.callbacks import Callback, Checkpoint
from torch import nn
from torch.utils.data import DataLoader

from skdistill import DistilledClassifier, StudentNet, StudentNetRegressor
from skdistill.exceptions import StudentError
from skdistill.students import MLP

X, Y = load_digits(return_X_y=True)
X = (X[:400] / 16).astype(np.float32)
Y = Y[:400]
NAMES = np.array(list("abcdefghij"))[Y]
QUICK = {"module__hidden_units": (8,), "max_epochs": 6, "batch_size": 32, "lr": 0.02}
SCALE = 0.1  # of the prior on log T


class Held(Callback):
    """Keeps the rows that a training holds back."""

    def on_epoch_end(self, net, dataset_valid=None, **kwargs):
        self.rows = dataset_valid


def fit_twins(module, weight=None, **settings):
    """Return two nets that differ in the temperature alone, with it first."""
    nets = []
    for calibrate in ({}, {"callbacks__calibrate": None}):
        net = StudentNet(module, callbacks=[Held()], **settings, **calibrate)
        torch.manual_seed(0)
        nets.append(net.fit(X, NAMES, sample_weight=weight))
    return nets


def held_rows(student):
    """Return the logits, labels and weights of the rows that a student has held back."""
    held = next(c for _, c in student.callbacks_ if isinstance(c, Held))
    rows, packed = held.rows.dataset.batch(torch.as_tensor(held.rows.indices))
    with torch.no_grad():
        logits = student.module_(rows).double().numpy()
    weight = packed.get("hard_weight", torch.ones(len(rows)))
    return logits, packed["label"].numpy(), weight.double().numpy()


class Tied(nn.Module):
    """Calls its last layer twice."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(64, 10), nn.Linear(10, 10)

    def forward(self, X):
        return self.last(self.last(self.first(X)).relu())


class Scaled(nn.Sequential):
    """Something follows its last layer."""

    def forward(self, X):
        return 3 * super().forward(X)


def freeze_last(module):
    module[-1].requires_grad_(False)
    return module


with torch.random.fork_rng():
    torch.manual_seed(0)
    MODULES = {
        "a frozen layer": freeze_last(nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))),
        "a last layer": nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10)),
        "probabilities": nn.Sequential(nn.Linear(64, 10), nn.Softmax(dim=1)),
        "a layer that is called twice": Tied(),
        "no last layer": Scaled(nn.Linear(64, 10)),
    }


def penalised_loss(log_temperature, logits, labels, weight):
    log_q = log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels]
    losses = -weight / weight.mean() * log_q
    return losses.sum() + log_temperature**2 / (2 * SCALE**2)


@pytest.mark.changes_global_rng
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.slow_except(
    "a frozen layer-",
    "a last layer-weighted",
    "probabilities-",
    "a layer that is called twice-weighted",
    "no last layer-",
)
def test_it_has_the_least_penalised_loss_on_the_held_back_rows(kind, weighted):
    weight = np.random.default_rng(0).uniform(0.1, 5, len(X)) if weighted else None
    student, twin = fit_twins(MODULES[kind], weight, lr=0.02, max_epochs=6)
    logits, labels, weight = held_rows(twin)
    if kind == "probabilities":
        logits = np.log(logits)
    found = minimize_scalar(
        penalised_loss, args=(logits, labels, weight), bounds=(-2, 2), options={"xatol": 1e-10}
    )
    temperature = student.calibration_temperature_
    assert temperature == pytest.approx(np.exp(found.x), rel=1e-5)
    assert abs(np.log(temperature)) > 0.005
    expected = softmax(twin.predict_log_proba(X) / temperature, axis=1)
    np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-4)
    alone = student.module_(torch.as_tensor(X)).detach().softmax(dim=1)
    assert np.allclose(alone, expected, rtol=1e-4) == (kind == "a last layer")
    np.testing.assert_allclose(student.predict_log_proba(X), np.log(expected), rtol=1e-4)
    again = pickle.loads(pickle.dumps(student))
    np.testing.assert_array_equal(again.predict_proba(X), student.predict_proba(X))


def distil(**settings):
    student = StudentNet(MLP, **(QUICK | settings))
    return DistilledClassifier(None, student, alpha=0, random_state=0)


WITHOUT = {
    "no callback": {"callbacks__calibrate": None},
    "a prior that knows": {"callbacks__calibrate__prior_scale": 1e-9},
    "no callbacks at all": {"callbacks": "disable"},
    "no rows held back": {"train_split": None},
}


@pytest.mark.parametrize("name", WITHOUT)
def test_it_can_be_left_out(name):
    model = distil(**WITHOUT[name]).fit(X, Y)
    assert model.student_.calibration_temperature_ == pytest.approx(1, abs=1e-8)
    outputs = model.student_.module_(torch.as_tensor(X)).detach().double().numpy()
    np.testing.assert_allclose(model.predict_proba(X), softmax(outputs, axis=1), rtol=1e-6)


def test_it_changes_the_last_layer_alone_and_no_label():
    with_it, without = distil().fit(X, Y), distil(callbacks__calibrate=None).fit(X, Y)
    *ours, weight, bias = with_it.student_.module_.parameters()
    *others, other_weight, other_bias = without.student_.module_.parameters()
    assert all(map(torch.equal, ours, others))
    temperature = with_it.student_.calibration_temperature_
    assert torch.equal(weight, other_weight / temperature)
    assert torch.equal(bias, other_bias / temperature)
    np.testing.assert_array_equal(with_it.predict(X), without.predict(X))
    assert not np.array_equal(with_it.predict_proba(X), without.predict_proba(X))


def test_few_rows_hold_none_back_and_have_none():
    assert distil().fit(X[:90], Y[:90]).student_.calibration_temperature_ == 1


@pytest.mark.changes_global_rng
def test_learning_on_without_held_back_rows_keeps_it():
    student = StudentNet(MLP, **QUICK).fit(X, Y)
    assert student.calibration_temperature_ != 1
    student.partial_fit(X[:50], Y[:50])
    assert student.calibration_temperature_ == 1
    outputs = student.module_(torch.as_tensor(X)).detach().double().numpy()
    np.testing.assert_allclose(student.predict_proba(X), softmax(outputs, axis=1), rtol=1e-6)


@pytest.mark.changes_global_rng
def test_learning_on_is_one_story_where_no_layer_takes_it_in():
    student = StudentNet(MODULES["no last layer"], max_epochs=6, lr=0.02).fit(X, Y)
    assert student.link_.temperature == student.calibration_temperature_ != 1
    student.partial_fit(X[:50], Y[:50])
    assert student.link_.temperature == student.calibration_temperature_ == 1


@pytest.mark.changes_global_rng
def test_it_is_that_of_the_weights_that_all_callbacks_have_left(tmp_path):
    load = Checkpoint(dirname=tmp_path, load_best=True, monitor="valid_loss_best")
    off = {"callbacks__keep_best": None, "max_epochs": 15, "lr": 0.05, "device": "cpu"}
    student, twin = (
        StudentNet(MLP, callbacks=[Held(), load], **(QUICK | off | calibrate))
        for calibrate in ({}, {"callbacks__calibrate": None})
    )
    for net in (student, twin):
        torch.manual_seed(0)
        net.fit(X, Y)
    found = minimize_scalar(penalised_loss, args=held_rows(twin), bounds=(-2, 2))
    assert student.calibration_temperature_ == pytest.approx(np.exp(found.x), rel=1e-4)


@pytest.mark.changes_global_rng
def test_a_student_that_was_pickled_without_one_has_one():
    student = StudentNet(MLP, **QUICK).fit(X, Y)
    expected = student.predict_proba(X)
    del vars(student.link_)["temperature"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(student)).predict_proba(X), expected)


@pytest.mark.parametrize("scale", [0, -1, "a", None])
def test_a_prior_without_a_scale_is_refused(scale):
    with pytest.raises(StudentError, match=r"cannot be made.*prior_scale=.*expected a number ab"):
        distil(callbacks__calibrate__prior_scale=scale).fit(X, Y)


@pytest.mark.changes_global_rng
def test_held_back_rows_without_a_weight_say_nothing():
    weight = np.r_[np.zeros(300), np.ones(100)]
    student, twin = fit_twins(MLP, weight, **QUICK)
    logits, labels, weight = held_rows(twin)
    some = weight > 0
    assert 0 < some.sum() < len(some)
    told = (logits[some], labels[some], weight[some])
    found = minimize_scalar(penalised_loss, args=told, bounds=(-2, 2))
    assert student.calibration_temperature_ == pytest.approx(np.exp(found.x), rel=1e-4)


def test_the_validation_of_a_data_loader_draws_from_no_global_generator():
    plain = distil().fit(X, Y)
    loader = distil(iterator_valid=DataLoader).fit(X, Y)
    np.testing.assert_allclose(loader.predict_proba(X), plain.predict_proba(X), rtol=1e-6)


def test_a_student_whose_logits_are_not_finite_has_none():
    class Broken(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                with torch.no_grad():
                    next(net.module_.parameters())[:] = np.nan

    model = distil(callbacks=[Broken()], callbacks__keep_best=None)
    with pytest.warns(UserWarning, match="became NaN or infinite in epoch 2"):
        model.fit(X, Y)
    assert np.isfinite(model.student_.calibration_temperature_)
    assert np.isfinite(model.predict_proba(X)).all()


def test_numbers_have_none():
    student = StudentNetRegressor(MLP, **QUICK)
    assert not any("calibrate" in name for name in student.get_params())
    assert not hasattr(student, "calibration_temperature_")
