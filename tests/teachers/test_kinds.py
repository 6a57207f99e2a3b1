"""Logits or probabilities: said by the teacher, or found out once, and never by a few rows."""

import warnings

import numpy as np
import pytest
import torch
from scipy.special import expit, softmax
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import robustness_curve
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import CallableTeacher, EnsembleTeacher, load_teacher

X, Y = make_classification(300, 6, n_informative=4, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def one_logit(*last, scale=1.0):
    """A module whose one output is the logit of the second class."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(6, 1), *last)
    with torch.no_grad():
        module[0].weight.mul_(scale)
    return module


def logits(module, rows=X):
    with torch.no_grad():
        return module[0](torch.tensor(rows, dtype=torch.float32)).double().numpy()[:, 0]


class Flat(nn.Module):
    def forward(self, rows):
        return rows.squeeze(1)


def traced(module):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit")  # torch says it will go
        return torch.jit.trace(module, torch.zeros(2, 6))


MODULES = {
    "logit": (one_logit(), expit),
    "sigmoid": (one_logit(nn.Sigmoid()), expit),
    "flat logit": (one_logit(Flat()), expit),
    "flat sigmoid": (one_logit(nn.Sigmoid(), Flat()), expit),
    "frozen logit": (one_logit().requires_grad_(False), expit),
    "traced sigmoid": (traced(one_logit(nn.Sigmoid())), expit),
    "double sigmoid": (one_logit(nn.Sigmoid()).double(), expit),
}


@pytest.mark.parametrize("name", MODULES)
def test_one_output_is_what_its_last_step_says_for_any_rows(name):
    module, _ = MODULES[name]
    expected = expit(logits(one_logit()))
    inside = np.flatnonzero((logits(one_logit()) > 0) & (logits(one_logit()) < 1))
    for rows in (X, X[inside], X[inside[:1]]):
        wanted = expit(logits(one_logit(), rows))
        found = np.asarray(teacher_targets(module, rows))
        np.testing.assert_allclose(found[:, 1], wanted, rtol=1e-5)
    np.testing.assert_allclose(teacher_probabilities(module, X, [0, 1])[:, 1], expected, rtol=1e-5)


def test_a_skorch_net_of_one_logit():
    net = NeuralNetBinaryClassifier(one_logit(), verbose=0).initialize()
    inside = np.flatnonzero((logits(one_logit()) > 0) & (logits(one_logit()) < 1))[:2]
    found = np.asarray(teacher_targets(net, X[inside]))
    np.testing.assert_allclose(found[:, 1], expit(logits(one_logit(), X[inside])), rtol=1e-5)


def test_a_model_asks_its_teacher_alike_in_fit_and_after():
    module = one_logit(scale=3.0)
    y = (logits(module) > np.random.default_rng(0).logistic(size=300)).astype(int)
    model = DistilledClassifier(module, StudentNet(max_epochs=1), random_state=0).fit(X, y)
    few = np.flatnonzero((logits(module) > 0) & (logits(module) < 1))[:20]
    rows = robustness_curve(model, X[few], y[few], strengths=[0.0], n_repeats=1).rows
    (found,) = [row["log_loss"] for row in rows if row["model"] == "teacher"]
    p = expit(logits(module, X[few]))
    assert found == pytest.approx(log_loss(y[few], p, labels=[0, 1]), rel=1e-5)


def test_logits_that_look_like_probabilities_in_one_fold_are_logits():
    class Shifted(nn.Module):
        """Logits that sum to one and are not negative for the first rows."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, rows):
            return rows + 0 * self.weight

    p = np.random.default_rng(0).dirichlet(np.ones(3), size=150)
    rows = np.vstack([p, 5 * p - 2]).astype(np.float32)
    net = NeuralNetClassifier(
        Shifted, criterion=nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    )
    y = np.arange(300) % 3
    found = teacher_targets(net, rows, y, cv=KFold(2), random_state=0)
    assert found.kind == "logits"
    np.testing.assert_allclose(found, softmax(rows, axis=1), rtol=1e-5)
    found = teacher_targets(EnsembleTeacher([net, net]), rows, y, cv=KFold(2), random_state=0)
    assert found.kind == "logits"
    np.testing.assert_allclose(found, softmax(rows, axis=1), rtol=1e-5)


# Rounding


@pytest.mark.parametrize("least", [-1e-7, -1e-4])
def test_a_zero_that_rounding_made_negative_is_a_zero(least):
    p = np.random.default_rng(0).dirichlet(np.ones(3), size=9000)
    p[77] = [least, 0.25, 0.75 - least]
    identity = nn.Identity()
    found = np.asarray(teacher_targets(identity, p))
    np.testing.assert_allclose(found, np.maximum(p, 0), atol=2 * abs(least) + 1e-7)
    assert found.min() >= 0
    function = np.asarray(teacher_targets(lambda rows: p, np.zeros((9000, 1)), np.arange(9000) % 3))
    np.testing.assert_allclose(function, np.maximum(p, 0), atol=2 * abs(least))


def test_the_zeros_of_an_exported_forest(tmp_path):
    pytest.importorskip("onnxruntime")
    skl2onnx = pytest.importorskip("skl2onnx")
    rows, y = make_classification(3000, n_informative=6, random_state=0)
    forest = RandomForestClassifier(20, random_state=0).fit(rows[:1000], y[:1000])
    path = tmp_path / "teacher.onnx"
    for zipmap in (False, True):
        model = skl2onnx.to_onnx(forest, rows[:1].astype(np.float32), options={"zipmap": zipmap})
        path.write_bytes(model.SerializeToString())
        targets = teacher_targets(load_teacher(path), rows.astype(np.float32), y)
        assert targets.kind == "probabilities"
        expected = forest.predict_proba(rows.astype(np.float32))
        np.testing.assert_allclose(targets, expected, atol=1e-6)


# Files say it


def write_onnx(path, sigmoid):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    weights = [
        onnx.numpy_helper.from_array(tensor.detach().numpy(), name)
        for name, tensor in one_logit()[0].named_parameters()
    ]
    last = ["z", "out"][not sigmoid]
    nodes = [helper.make_node("Gemm", ["X", "weight", "bias"], [last], transB=1)]
    nodes += [helper.make_node("Sigmoid", ["z"], ["out"])] * sigmoid
    inputs = [helper.make_tensor_value_info("X", kind, [None, 6])]
    outputs = [helper.make_tensor_value_info("out", kind, [None, 1])]
    graph = helper.make_graph(nodes, "net", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)


def write_keras(path, sigmoid):
    keras = pytest.importorskip("keras")
    layer = keras.layers.Dense(1, activation="sigmoid" if sigmoid else None)
    model = keras.Sequential([keras.layers.Input((6,)), layer])
    module = one_logit()[0]
    layer.set_weights([module.weight.detach().numpy().T, module.bias.detach().numpy()])
    model.save(path)


def write_program(path, sigmoid):
    module = one_logit(*[nn.Sigmoid()] * sigmoid).eval()
    rows = torch.zeros(3, 6)
    batch = torch.export.Dim("batch", min=1)
    torch.export.save(torch.export.export(module, (rows,), dynamic_shapes=({0: batch},)), path)


FILES = {".onnx": write_onnx, ".keras": write_keras, ".pt2": write_program}


@pytest.mark.changes_global_rng
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("sigmoid", [True, False])
@pytest.mark.parametrize("suffix", FILES)
def test_a_file_says_by_its_last_operation_what_it_returns(tmp_path, suffix, sigmoid):
    path = tmp_path / f"teacher{suffix}"
    FILES[suffix](path, sigmoid)
    trusted = suffix == ".pt2"
    inside = np.flatnonzero((logits(one_logit()) > 0) & (logits(one_logit()) < 1))[:2]
    rows = X[inside].astype(np.float32)
    found = np.asarray(teacher_targets(load_teacher(path, trusted=trusted), rows))
    np.testing.assert_allclose(found[:, 1], expit(logits(one_logit(), rows)), rtol=1e-5)
    forced = load_teacher(path, trusted=trusted, kind="logits")
    forced = np.asarray(teacher_targets(forced, rows))
    inner = found[:, 1] if sigmoid else logits(one_logit(), rows)
    np.testing.assert_allclose(forced[:, 1], expit(inner), rtol=1e-5)


# Functions say it


def test_a_function_of_logits():
    values = X[:, :3].copy()
    y = np.arange(300) % 3
    teacher = CallableTeacher(lambda rows: values, kind="logits")
    targets = teacher_targets(teacher, X, y)
    assert targets.kind == "logits"
    np.testing.assert_allclose(targets, softmax(values, axis=1), rtol=1e-6)
    np.testing.assert_allclose(teacher.predict_proba(X), targets, rtol=1e-12)


@pytest.mark.parametrize("shape", [(300,), (300, 1)])
def test_a_function_of_one_column_is_of_the_second_class(shape):
    p = expit(X[:, 0]).reshape(shape)
    for teacher in (lambda rows: p, CallableTeacher(lambda rows: X[:, 0].reshape(shape),
                                                    kind="logits")):  # fmt: skip
        found = np.asarray(teacher_targets(teacher, X, Y))
        np.testing.assert_allclose(found, np.column_stack([1 - expit(X[:, 0]), expit(X[:, 0])]))


# fmt: off
REFUSED = {
    "one column for three classes": (ValueError,
        lambda: teacher_targets(lambda rows: expit(X[:, :1]), X, np.arange(300) % 3),
        "one column, which stands for the second of two classes, and there are 3; expected a col"),
    "logits of a function that says nothing": (ValueError,
        lambda: teacher_targets(lambda rows: X[:, :2], X, Y),
        "negative values.*expected probabilities. If these are logits, apply .*softmax"),
    "one logit of a function that says nothing": (ValueError,
        lambda: teacher_targets(lambda rows: np.abs(9 * X[:, :1]), X, Y),
        "one column with values up to.*expected the probability of the second class.*expit"),
    "unknown kind": (ValueError,
        lambda: teacher_targets(CallableTeacher(lambda rows: X[:, :2], kind="margins"), X, Y),
        "'kind' parameter of CallableTeacher must be a str among.*Got 'margins' instead"),
    "unknown kind of a file": (ValueError, lambda: load_teacher(__file__, kind="margins"),
        "suffix '.py'; expected one of"),
    "labels of two classes": (ValueError,
        lambda: teacher_targets(RandomForestClassifier(3).fit(X, Y).predict, X, Y),
        "a whole number for each row.*label and no prob.*expected an array of floats.*predict_pro"),
    "no columns": (ValueError, lambda: teacher_targets(lambda rows: X[:, :0], X, Y),
        r"shape \(300, 0\) for 300 rows; expected \(300, n_classes\)"),
    "a dict of several outputs": (ValueError,
        lambda: teacher_targets(Several(), X, Y),
        r"returned a dict with the keys \['a', 'b'\]; expected a tensor.*a dict with 'logits'"),
    "a module of another width": (ValueError, lambda: teacher_targets(nn.Linear(9, 2), X, Y),
        r"Linear cannot be asked about rows of shape \(6,\).*Give it rows that it was made"),
    "a skorch net of another width": (ValueError,
        lambda: teacher_targets(NeuralNetClassifier(nn.Linear(9, 2), verbose=0).initialize(), X, Y),
        r"module of NeuralNetClassifier cannot be asked about rows of shape \(6,\)"),
}
# fmt: on


class Several(nn.Module):
    def forward(self, rows):
        return {"a": rows, "b": rows}


@pytest.mark.changes_global_rng
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


class Named(nn.Module):
    def __init__(self, key):
        super().__init__()
        self.linear = one_logit()[0]
        self.key = key

    def forward(self, rows):
        outputs = {self.key: self.linear(rows)}
        return {**outputs, "hidden": rows} if self.key == "logits" else outputs


@pytest.mark.parametrize("key", ["logits", "anything"])
def test_a_module_that_returns_a_dict(key):
    found = np.asarray(teacher_targets(Named(key), X, Y))
    np.testing.assert_allclose(found[:, 1], expit(logits(one_logit())), rtol=1e-5)
    student = DistilledClassifier(Named(key), StudentNet(nn.Sequential(Two())), random_state=0)
    assert student.set_params(student__max_epochs=1).fit(X, Y).predict_proba(X).shape == (300, 2)


class Two(nn.Module):
    """A student that returns a dict."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            self.linear = nn.Linear(6, 2)

    def forward(self, rows):
        return {"logits": self.linear(rows)}
