"""The temperature that a student's logits are divided by, found on the rows it holds back."""

import pickle

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.datasets import load_digits
from skorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader

from skdistill import DistilledClassifier, StudentNet, StudentNetRegressor
from skdistill.students import MLP

X, Y = load_digits(return_X_y=True)
X = (X[:400] / 16).astype(np.float32)
Y = Y[:400]
NAMES = np.array(list("abcdefghij"))[Y]
QUICK = {"module__hidden_units": (8,), "max_epochs": 6, "lr": 0.02}
SCALE = 0.1  # of the prior on log T


class Held(Callback):
    """Keeps the rows that a training holds back."""

    def on_epoch_end(self, net, dataset_valid=None, **kwargs):
        self.rows = dataset_valid


def held_rows(student):
    """Return the logits, labels and weights of the rows that a student has held back."""
    held = next(c for _, c in student.callbacks_ if isinstance(c, Held))
    rows, packed = held.rows.dataset.batch(torch.as_tensor(held.rows.indices))
    with torch.no_grad():
        logits = student.module_(rows).double().numpy()
    weight = packed.get("hard_weight", torch.ones(len(rows)))
    return logits, packed["label"].numpy(), weight.double().numpy()


def penalised_loss(log_temperature, logits, labels, weight):
    log_q = log_softmax(logits / np.exp(log_temperature), axis=1)[np.arange(len(labels)), labels]
    losses = -weight / weight.mean() * log_q
    return losses.sum() + log_temperature**2 / (2 * SCALE**2)


@pytest.mark.changes_global_rng
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize("module", [MLP, nn.Sequential(nn.Linear(64, 10), nn.Softmax(dim=1))])
def test_it_has_the_least_penalised_loss_on_the_held_back_rows(module, weighted):
    weight = np.random.default_rng(0).uniform(0.1, 5, len(X)) if weighted else None
    settings = QUICK if module is MLP else {"max_epochs": 4}
    student = StudentNet(module, callbacks=[Held()], **settings)
    torch.manual_seed(0)
    student.fit(X, NAMES, sample_weight=weight)
    logits, labels, weight = held_rows(student)
    if module is not MLP:
        logits = np.log(logits)
    found = minimize_scalar(
        penalised_loss, args=(logits, labels, weight), bounds=(-2, 2), options={"xatol": 1e-10}
    )
    temperature = student.calibration_temperature_
    assert temperature == pytest.approx(np.exp(found.x), rel=1e-5)
    assert abs(np.log(temperature)) > 0.005
    outputs = student.module_(torch.as_tensor(X)).detach().double().numpy()
    outputs = outputs if module is MLP else np.log(outputs)
    expected = softmax(outputs / temperature, axis=1)
    np.testing.assert_allclose(student.predict_proba(X), expected, rtol=1e-5)
    np.testing.assert_allclose(student.predict_log_proba(X), np.log(expected), rtol=1e-5)
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


def test_it_changes_no_weight_and_no_label():
    with_it, without = distil().fit(X, Y), distil(callbacks__calibrate=None).fit(X, Y)
    for one, other in zip(
        with_it.student_.module_.parameters(), without.student_.module_.parameters(), strict=True
    ):
        assert torch.equal(one, other)
    np.testing.assert_array_equal(with_it.predict(X), without.predict(X))
    assert not np.array_equal(with_it.predict_proba(X), without.predict_proba(X))


def test_few_rows_hold_none_back_and_have_none():
    assert distil().fit(X[:90], Y[:90]).student_.calibration_temperature_ == 1


@pytest.mark.changes_global_rng
def test_learning_on_without_held_back_rows_keeps_it():
    student = StudentNet(MLP, **QUICK).fit(X, Y)
    before = student.calibration_temperature_
    assert before != 1
    student.partial_fit(X[:50], Y[:50])
    assert student.calibration_temperature_ == before
    student.fit(X[:50], Y[:50])
    assert student.calibration_temperature_ == 1


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
