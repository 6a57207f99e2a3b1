"""A student whose module torch.compile has made, by a backend that needs no compiler."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import load, save
from skdistill.students import MLP, DefaultStudent

pytestmark = pytest.mark.slow  # torch takes three seconds to import what compiles


@pytest.fixture(autouse=True)
def nothing_compiled_before():
    torch.compiler.reset()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def student(**settings):
    return StudentNet(MLP, module__hidden_units=(8,), max_epochs=2, lr=0.01, **settings)


def fitted(net, X, y):
    return DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)).astype("float32")
    return X, (X[:, 0] > 0).astype(int)


@pytest.fixture(scope="module")
def compiled(rows):
    return fitted(student(compile=True, compile__backend="eager"), *rows)


def test_a_compiled_student_is_the_plain_one(compiled, rows):
    plain = fitted(student(), *rows)
    assert_allclose(compiled.predict_proba(rows[0]), plain.predict_proba(rows[0]), atol=1e-5)


def test_torchs_own_generator_is_left_alone(rows):
    before = torch.random.get_rng_state()
    fitted(student(compile=True, compile__backend="eager"), *rows)
    assert_array_equal(torch.random.get_rng_state(), before)


def test_the_module_that_is_kept_is_not_compiled_and_right_alone(compiled, rows, tmp_path):
    assert type(compiled.student_.module_) is MLP
    assert compiled.student_.calibration_temperature_ != 1
    with torch.no_grad():
        alone = compiled.student_.module_(torch.tensor(rows[0])).softmax(dim=1)
    answers = compiled.predict_proba(rows[0])
    assert_allclose(alone, answers, atol=1e-6)
    saved = load(save(compiled, tmp_path / "s.safetensors"))
    assert_array_equal(saved.predict_proba(rows[0]), answers)


def test_training_goes_on_compiled(rows, monkeypatch):
    asked = []
    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", lambda m, **k: asked.append(type(m)) or compile_(m, **k))
    net = fitted(student(compile=True, compile__backend="eager"), *rows).student_
    asked.clear()
    net.partial_fit(*rows)
    assert asked == [MLP]
    assert len(net.history_) == 4
    assert type(net.module_) is MLP


def test_another_skorch_net_is_compiled_too(rows):
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    settings = {"max_epochs": 2, "lr": 0.1, "verbose": 0}
    nets = [
        NeuralNetClassifier(module, **settings),
        NeuralNetClassifier(module, compile=True, compile__backend="eager", **settings),
    ]
    plain, compiled = (fitted(net, *rows).predict_proba(rows[0]) for net in nets)
    assert_allclose(compiled, plain, atol=1e-5)


@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch hides it elsewhere
def test_the_default_student_is_compiled_by_its_settings(rows):
    settings = {"max_epochs": 1, "module__hidden_units": (8,)}
    plain = fitted(DefaultStudent(**settings), *rows)
    compiled = fitted(DefaultStudent(compile=True, compile__backend="eager", **settings), *rows)
    assert_allclose(compiled.predict_proba(rows[0]), plain.predict_proba(rows[0]), atol=1e-5)
