"""Weights in 8 or 16 bits: rounded as by hand, kept bit for bit, and as small as they should be."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.deployment import export, inspect, load, quantize, save, to_onnx
from skdistill.exceptions import StudentError
from skdistill.students import MLP, SoftDecisionTree, TablePreprocessor
from skdistill.teachers import load_teacher

pd = pytest.importorskip("pandas")
X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]
X_NUMBERS, y_NUMBERS = load_diabetes(return_X_y=True)
TABLE = pd.DataFrame(X[:, 20:24], columns=list("abcd")).assign(
    many=[f"c{i % 50}" for i in range(300)],  # codes, whose embedding is large
    some=[f"c{i % 25}" for i in range(300)],  # codes, whose embedding is not
)
SAME = {"int8": np.int8, "float16": np.float16}


class Mine(nn.Module):
    """A user's own module."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 32), nn.Linear(32, n_classes)

    def forward(self, X):
        return self.last(torch.tanh(self.first(X)))


def net(module=None, **settings):
    return StudentNet(module, max_epochs=1, **settings)


def distilled(student):
    return DistilledClassifier(student=student, alpha=0, random_state=0)


def table_net(**settings):
    return make_pipeline(TablePreprocessor(max_one_hot=20), net(**settings))


MODELS = {
    "a table": (distilled(table_net()), TABLE),
    "members": (distilled(table_net(module__n_members=2)), TABLE),
    "float64": (distilled(net(MLP, dtype="float64")), X),
    "a soft tree": (distilled(net(SoftDecisionTree(depth=3))), X),
    "images": (distilled(net(module__size="tiny")), X.reshape(-1, 8, 8)),
    "behind a step": (make_pipeline(StandardScaler(), distilled(net(MLP))), X),
    "a student alone": (make_pipeline(StandardScaler(), net(MLP)), X),
}
OWN = {"a module": net(Mine), "a net of skorch": NeuralNetClassifier(Mine, max_epochs=1)}


@pytest.fixture(scope="module")
def model():
    return distilled(make_pipeline(StandardScaler(), net(MLP))).fit(X, y)


def weights_of(model):
    state = model.student_[-1].module_.state_dict()
    return {name: values.numpy().copy() for name, values in state.items()}


def test_weights_are_rounded_as_by_hand(model, tmp_path):
    before, after = weights_of(model), weights_of(quantize(model))
    kept = load_file(save(quantize(model), tmp_path / "student.safetensors"))
    for name in ("0.weight", "2.weight", "4.weight"):
        levels, scales = kept[f"module.{name}"], kept[f"scale.{name}"]
        assert levels.dtype == np.int8 and scales.dtype == np.float32
        for row, rounded, level, scale in zip(
            *(before[name], after[name], levels, scales.astype(np.float64)), strict=True
        ):
            largest = np.abs(row.astype(np.float64)).max()
            assert largest / 127 <= scale[0] <= largest / 127 * (1 + 2.0**-16)
            assert np.abs(level).max() == 127
            for weight, q, found in zip(row.astype(np.float64), level, rounded, strict=True):
                assert abs(weight - q * scale[0]) <= scale[0] / 2
                assert found == q * scale[0]  # in double precision: no rounding is left
    for name in ("0.bias", "2.bias", "4.bias"):
        assert np.array_equal(after[name], before[name])
        assert np.array_equal(kept[f"module.{name}"], before[name])


def test_half_precision_is_that_of_numpy(model, tmp_path):
    before, after = weights_of(model), weights_of(quantize(model, "float16"))
    kept = load_file(save(quantize(model, "float16"), tmp_path / "student.safetensors"))
    for name in ("0.weight", "2.weight", "4.weight"):
        half = before[name].astype(np.float16)
        assert kept[f"module.{name}"].dtype == np.float16
        assert np.array_equal(kept[f"module.{name}"], half)
        assert np.array_equal(after[name], half.astype(np.float32))


@pytest.mark.parametrize("weights", SAME)
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.changes_global_rng  # by a student alone, which has no seed
@pytest.mark.slow_except(
    "a table-int8", "members-float16", "images-int8", "behind a step-float16", "a soft tree-int8"
)
def test_what_is_saved_is_small_and_answers_as_before(kind, weights, tmp_path):
    model, rows = MODELS[kind]
    model = clone(model).fit(rows, y)
    expected, whole = model.predict_proba(rows), save(model, tmp_path / "whole.safetensors")
    small = quantize(model, weights)
    assert type(small) is type(model)
    assert np.array_equal(model.predict_proba(rows), expected)
    path = save(small, tmp_path / "small.safetensors")
    loaded = load(path)
    assert np.array_equal(loaded.predict_proba(rows), small.predict_proba(rows))
    assert np.abs(small.predict_proba(rows) - expected).max() < 0.02
    assert inspect(path).weights == weights and inspect(whole).weights in ("float32", "float64")
    assert inspect(path).n_parameters == inspect(whole).n_parameters
    # What is saved again has lost nothing, and a clone learns in full precision.
    assert save(loaded, tmp_path / "loaded.safetensors").read_bytes() == path.read_bytes()
    refitted = save(clone(small).fit(rows, y), tmp_path / "refitted.safetensors")
    assert inspect(refitted).weights == inspect(whole).weights


@pytest.mark.parametrize("weights", SAME)
def test_a_regressor_and_a_search(weights, tmp_path):
    student = make_pipeline(StandardScaler(), StudentNetRegressor(MLP, max_epochs=1))
    regressor = DistilledRegressor(student=student, alpha=0, random_state=0)
    search = GridSearchCV(regressor, {"alpha": [0]}, cv=2).fit(X_NUMBERS, y_NUMBERS)
    before = search.predict(X_NUMBERS)
    small = quantize(search, weights)
    assert small.best_score_ == search.best_score_
    assert np.array_equal(search.predict(X_NUMBERS), before)
    assert 0 < np.abs(small.predict(X_NUMBERS) - before).max() < 0.05 * before.std()
    path = save(small, tmp_path / "small.safetensors")
    assert np.array_equal(load(path).predict(X_NUMBERS), small.predict(X_NUMBERS))
    assert inspect(path).weights == weights


@pytest.mark.changes_global_rng  # by the modules that are made here
@pytest.mark.parametrize("kind", OWN)
def test_modules_of_the_users(kind, tmp_path):
    rows = X.astype(np.float32)
    model = distilled(OWN[kind]).fit(rows, y)
    small = quantize(model)
    path = save(small, tmp_path / "own.safetensors")
    loaded = load(path, module=Mine if kind == "a module" else OWN[kind])
    assert np.array_equal(loaded.predict_proba(rows), small.predict_proba(rows))
    assert not np.array_equal(model.predict_proba(rows), small.predict_proba(rows))
    assert inspect(path).weights == "int8"


def test_the_bar_of_the_default_student(tmp_path):
    """At most .3 of the bytes, and a log-loss that is hardly another."""
    model = distilled(make_pipeline(TablePreprocessor(), StudentNet(max_epochs=4))).fit(X, y)
    small = quantize(model)
    whole, path = (
        save(one, tmp_path / f"{name}.safetensors").stat().st_size
        for name, one in {"whole": model, "small": small}.items()
    )
    assert path <= 0.3 * whole
    losses = [-one.predict_log_proba(X)[np.arange(300), y].mean() for one in (model, small)]
    assert losses[1] <= losses[0] + 0.001


@pytest.mark.parametrize("weights", SAME)
def test_the_graph_and_the_folder_are_small_too(weights, tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    model, rows = MODELS["a table"]
    model = clone(model).fit(rows, y)
    small = quantize(model, weights)
    whole = onnx.load(to_onnx(model, tmp_path / "whole.onnx", X=rows))
    graph = onnx.load(to_onnx(small, tmp_path / "small.onnx", X=rows))
    most = {"int8": 0.31, "float16": 0.53}[weights]
    assert graph.ByteSize() <= most * whole.ByteSize()
    answers = load_teacher(tmp_path / "small.onnx").predict_proba(rows)
    assert np.abs(answers - small.predict_proba(rows)).max() <= 5e-5
    sizes = []
    for name, one in {"whole": model, "small": small}.items():
        folder = export(one, tmp_path / name, X=rows, y=y, runtime="numpy")
        sizes.append((folder / "student.npz").stat().st_size)
    assert sizes[1] < (most + 0.1) * sizes[0]
    done = subprocess.run(
        [sys.executable, folder / "predict.py", "--self-test"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.changes_global_rng  # by a training without a seed
def test_a_quantized_student_learns_on_in_full_precision(model, tmp_path):
    small = quantize(model)
    rows = small.student_[:-1].transform(X)
    small.student_[-1].partial_fit(rows, y)
    assert inspect(save(small, tmp_path / "more.safetensors")).weights == "float32"
    assert inspect(save(quantize(small), tmp_path / "less.safetensors")).weights == "int8"


@pytest.mark.changes_global_rng  # by a student that has no seed
def test_rows_of_zeros_and_of_tiny_weights(tmp_path):
    student = net(MLP, module__hidden_units=(32,)).fit(X, y)
    with torch.no_grad():
        student.module_[0].weight[0] = 0
        student.module_[0].weight[1] = 1e-44
        student.module_[0].weight[2, 1:] = 0
        student.module_[2].weight[0] *= 1e30
    given = [student.module_[i].weight.detach().double().numpy() for i in (0, 2)]
    small = quantize(student)
    first, last = (small.module_[i].weight.detach().double().numpy() for i in (0, 2))
    assert not first[:2].any()
    assert first[2, 0] == pytest.approx(given[0][2, 0], rel=2e-5)
    assert np.abs(last[0] - given[1][0]).max() <= np.abs(given[1][0]).max() / 253
    loaded = load(save(small, tmp_path / "odd.safetensors"))
    assert np.array_equal(loaded.module_[0].weight.detach().double().numpy(), first)


def changed_layer(value):
    student = net(MLP).fit(X, y)
    with torch.no_grad():
        student.module_[2].weight[3, 3] = value
    return student


def small_net():
    return net(MLP, module__hidden_units=()).fit(X[:, :4], y)


REFUSED = {
    "another precision": (
        ValueError,
        lambda m: quantize(m, "int4"),
        "'weights' parameter of quantize must be a str among .*Got 'int4' instead",
    ),
    "no precision": (ValueError, lambda m: quantize(m, None), "must be a str among.*Got None"),
    "not fitted": (ValueError, lambda m: quantize(clone(m)), "is not fitted yet. Call 'fit'"),
    "a class": (TypeError, lambda m: quantize(StudentNet), "was given.*StudentNet.*Fit a student"),
    "another estimator": (
        TypeError,
        lambda m: quantize(LogisticRegression()),
        "quantize was given LogisticRegression; expected a fitted DistilledClassifier",
    ),
    "a module": (TypeError, lambda m: quantize(nn.ReLU()), "was given ReLU; expected"),
    "a tree": (
        StudentError,
        lambda m: quantize(distilled(DecisionTreeClassifier(max_depth=2)).fit(X, y)),
        "student DecisionTreeClassifier, which has no network; expected one.*save",
    ),
    "twice": (
        StudentError,
        lambda m: quantize(quantize(m)),
        "are int8 already; expected those of a training. Quantize the model that was fitted",
    ),
    "float16 after int8": (
        StudentError, lambda m: quantize(quantize(m), "float16"), "are int8 already; expected"
    ),
    "int8 after float16": (
        StudentError, lambda m: quantize(quantize(m, "float16")), "are float16 already; expected"
    ),
}  # fmt: skip
REFUSED_WEIGHTS = {
    "no large layer": (small_net, "int8", "no layer to quantize; expected.*256 weights or more"),
    "beyond half": (
        lambda: changed_layer(1e5),
        "float16",
        "layer '2' of the network MLP has a weight of 1e.05; expected numbers that float16.*int8",
    ),
    "infinite": (lambda: changed_layer(np.inf), "int8", "weight of inf; expected"),
    "no number": (lambda: changed_layer(np.nan), "int8", "weight of nan; expected"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, model):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(model), message)


@pytest.mark.changes_global_rng  # by students that have no seed
@pytest.mark.parametrize("case", REFUSED_WEIGHTS)
def test_weights_that_are_refused(case):
    make, weights, message = REFUSED_WEIGHTS[case]
    with pytest.raises(StudentError, match=message):
        quantize(make(), weights)


def test_what_is_around_stays_what_it_is(model):
    around = Pipeline([("nothing", "passthrough"), ("model", model)])
    small = quantize(around)
    assert small is not around and small.steps[-1][1] is not model
    assert around.steps[-1][1] is model
    assert np.array_equal(small.predict_proba(X), quantize(model).predict_proba(X))
