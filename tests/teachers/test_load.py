"""Teachers from real files of each format, and files that try to run code."""

import io
import os
import pickle
import re
import sys
import warnings
import zipfile
from importlib.util import find_spec
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from joblib import Parallel, delayed
from scipy.special import softmax
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_targets
from skdistill.teachers import load_teacher

X, Y = load_iris(return_X_y=True)
X32 = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
LABELS = np.array(["setosa", "versicolor", "virginica"])[Y]
COLUMNS = ["sl", "sw", "pl", "pw"]

# Modules stand in as teachers with the weights that they were made with.
UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def quick_model(teacher, **settings):
    student = StudentNet(max_epochs=2, module__hidden_units=(8,), batch_size=32)
    return DistilledClassifier(teacher, student, random_state=0, **settings)


class Net(nn.Module):
    def __init__(self, width=6):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(4, width), nn.ReLU(), nn.Dropout(), nn.Linear(width, 3)
        )

    def forward(self, rows):
        return self.layers(rows)


@pytest.fixture
def net():
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(1)
        return Net().eval()


def outputs_of(net):
    with torch.no_grad():
        return net(torch.from_numpy(X32)).double().numpy()


# torch


def save_state(net, path):
    if path.suffix == ".safetensors":
        pytest.importorskip("safetensors.torch").save_file(net.state_dict(), path)
    else:
        torch.save(net.state_dict(), path)


@UNTRAINED
@pytest.mark.parametrize(
    "make", [lambda: Net, Net, lambda: lambda: Net(6)], ids=["class", "instance", "factory"]
)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".PT", ".safetensors"])
def test_state_dicts(net, tmp_path, suffix, make):
    with torch.random.fork_rng():
        module = make()
    before = pickle.dumps(module.state_dict()) if isinstance(module, nn.Module) else None
    path = tmp_path / f"teacher{suffix}"
    save_state(net, path)
    teacher = load_teacher(str(path), module=module)
    np.testing.assert_array_equal(outputs_of(teacher), outputs_of(net))
    assert not teacher.training
    model = quick_model(teacher).fit(X32, LABELS)
    assert model.teacher_ is teacher
    assert model.temperature_ == 2.0
    if before is not None:
        assert teacher is not module
        assert pickle.dumps(module.state_dict()) == before


NO_STATE = {
    "a whole module": (lambda net: net, "may run code"),
    "a checkpoint": (lambda net: {"epoch": 1, "model": net.state_dict()}, r"the keys \['epoch'"),
    "a tensor": (lambda net: torch.ones(3), "holds a Tensor"),
    "another width": (lambda net: Net(5).state_dict(), "size mismatch"),
    "a part": (lambda net: net.layers[0].state_dict(), "Missing key"),
}


@pytest.mark.changes_global_rng
@pytest.mark.parametrize(("make", "message"), NO_STATE.values(), ids=NO_STATE)
def test_files_that_are_no_state_dict(net, tmp_path, make, message):
    path = tmp_path / "teacher.pt"
    torch.save(make(net), path)
    with pytest.raises(TeacherError, match=message):
        load_teacher(path, module=Net)


def test_torchscript_is_refused(net, tmp_path):
    archive = tmp_path / "teacher.pt"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("teacher/constants.pkl", b"")
    with pytest.raises(TeacherError, match="no file of tensors alone"):
        load_teacher(archive, module=Net)


@UNTRAINED
def test_exported_program(net, tmp_path):
    path = tmp_path / "teacher.pt2"
    rows = torch.export.Dim("rows", min=2)
    torch.export.save(
        torch.export.export(net, (torch.from_numpy(X32),), dynamic_shapes=({0: rows},)), path
    )
    with pytest.raises(TeacherError, match="runs whatever code it holds"):
        load_teacher(path)
    teacher = load_teacher(path, trusted=True)
    expected = softmax(outputs_of(net), axis=1)
    np.testing.assert_allclose(teacher_targets(teacher, X32, Y), expected, rtol=1e-5)
    np.testing.assert_allclose(
        pickle.loads(pickle.dumps(teacher)).predict_proba(X), teacher.predict_proba(X)
    )
    assert quick_model(teacher).fit(X32, LABELS).temperature_ == 2.0


# ONNX


@pytest.fixture(scope="module")
def skl2onnx():
    pytest.importorskip("onnxruntime")
    return pytest.importorskip("skl2onnx")


def forest():
    return RandomForestClassifier(5, random_state=0).fit(X32, LABELS)


@pytest.mark.parametrize("zipmap", [True, False])
def test_onnx_of_scikit_learn(skl2onnx, tmp_path, zipmap):
    classifier = forest()
    path = tmp_path / "teacher.onnx"
    options = {"zipmap": zipmap}
    path.write_bytes(skl2onnx.to_onnx(classifier, X32[:1], options=options).SerializeToString())
    teacher = load_teacher(path)
    expected = classifier.predict_proba(X32)
    np.testing.assert_allclose(teacher.predict_proba(X32), expected, atol=1e-6)
    np.testing.assert_allclose(teacher_targets(teacher, X32, LABELS), expected, atol=1e-6)
    if zipmap:
        assert teacher.classes_.tolist() == classifier.classes_.tolist()
        with pytest.raises(TeacherError, match="none is shared"):
            quick_model(teacher).fit(X32, np.array(["a", "b", "c"])[Y])
    model = quick_model(teacher).fit(X32, LABELS)
    assert model.temperature_ == 1.0
    assert model.teacher_ is teacher


def test_onnx_goes_to_other_processes(skl2onnx, tmp_path):
    path = tmp_path / "teacher.onnx"
    path.write_bytes(skl2onnx.to_onnx(forest(), X32[:1]).SerializeToString())
    teacher = load_teacher(path)
    path.unlink()
    answers = Parallel(n_jobs=2)(delayed(teacher.predict_proba)(X32) for _ in range(2))
    for answer in answers:
        np.testing.assert_array_equal(answer, teacher.predict_proba(X32))
    assert joblib.hash(teacher) == joblib.hash(pickle.loads(pickle.dumps(teacher)))


def test_onnx_with_an_input_for_each_column(skl2onnx, tmp_path):
    table = pd.DataFrame(X32, columns=COLUMNS)
    classifier = LogisticRegression(max_iter=500).fit(X32, Y)
    types = skl2onnx.common.data_types
    join = make_pipeline(FunctionTransformer(), classifier)
    onnx_model = skl2onnx.convert_sklearn(
        join, initial_types=[(name, types.FloatTensorType([None, 1])) for name in COLUMNS]
    )
    path = tmp_path / "teacher.onnx"
    path.write_bytes(onnx_model.SerializeToString())
    teacher = load_teacher(path)
    shuffled = table[["pw", "sl", "pl", "sw"]]
    np.testing.assert_allclose(
        teacher.predict_proba(shuffled), classifier.predict_proba(X32), atol=1e-5
    )
    with pytest.raises(TeacherError, match=r"X has no columns \['pw'\]"):
        teacher.predict_proba(table.drop(columns="pw"))


def network_file(path, n_rows, outputs=("out",)):
    """Write a linear network as an ONNX file, and return its weights."""
    onnx = pytest.importorskip("onnx")
    make = onnx.helper
    weights = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    graph = make.make_graph(
        [make.make_node("MatMul", ["rows", "weights"], [name]) for name in outputs],
        "network",
        [make.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, [n_rows, 4])],
        [make.make_tensor_value_info(o, onnx.TensorProto.FLOAT, [n_rows, 3]) for o in outputs],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return weights


@UNTRAINED
@pytest.mark.parametrize("n_rows", ["n", 1, 64])
def test_onnx_of_a_network(tmp_path, n_rows):
    pytest.importorskip("onnxruntime")
    weights = network_file(tmp_path / "teacher.onnx", n_rows)
    teacher = load_teacher(tmp_path / "teacher.onnx")
    expected = softmax(X32.astype(float) @ weights, axis=1)
    np.testing.assert_allclose(teacher.predict_proba(X32), expected, atol=1e-5)
    assert re.fullmatch(r"OnnxTeacher\((of \w+, )?from a file of [\d,]+ bytes\)", repr(teacher))
    assert quick_model(teacher).fit(X32, LABELS).temperature_ == 2.0


def test_onnx_with_several_outputs(tmp_path):
    pytest.importorskip("onnxruntime")
    weights = network_file(tmp_path / "two.onnx", "n", ["hidden", "probable"])
    teacher = load_teacher(tmp_path / "two.onnx")
    np.testing.assert_allclose(
        teacher.predict_proba(X32), softmax(X32.astype(float) @ weights, axis=1), atol=1e-5
    )
    network_file(tmp_path / "odd.onnx", "n", ["a", "b"])
    with pytest.raises(TeacherError, match=r"has the outputs \{'a': 'tensor\(float\)', 'b'"):
        load_teacher(tmp_path / "odd.onnx")


def test_onnx_with_weights_in_a_file_of_their_own(tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    weights = network_file(tmp_path / "whole.onnx", "n")
    onnx.save(
        onnx.load(tmp_path / "whole.onnx"),
        tmp_path / "teacher.onnx",
        save_as_external_data=True,
        size_threshold=0,
        location="weights.bin",
    )
    assert (tmp_path / "weights.bin").exists()
    expected = softmax(X32.astype(float) @ weights, axis=1)
    teacher = load_teacher(tmp_path / "teacher.onnx")
    np.testing.assert_allclose(teacher.predict_proba(X32), expected, atol=1e-5)


# scikit-learn


def test_skops(tmp_path):
    skops = pytest.importorskip("skops.io")
    path = tmp_path / "teacher.skops"
    classifier = LogisticRegression(max_iter=500).fit(X, LABELS)
    skops.dump(classifier, path)
    teacher = load_teacher(path)
    np.testing.assert_array_equal(teacher.predict_proba(X), classifier.predict_proba(X))
    assert quick_model(teacher).fit(X, LABELS).teacher_ is teacher


def test_skops_types_must_be_named(tmp_path):
    skops = pytest.importorskip("skops.io")
    path = tmp_path / "teacher.skops"
    steps = make_pipeline(FunctionTransformer(pd.DataFrame), LogisticRegression(max_iter=500))
    steps.fit(X, Y)
    skops.dump(steps, path)
    kinds = skops.get_untrusted_types(file=path)
    for trusted in (False, True, ["pandas.Series"]):
        with pytest.raises(TeacherError, match="name them: trusted="):
            load_teacher(path, trusted=trusted)
    teacher = load_teacher(path, trusted=kinds)
    np.testing.assert_array_equal(teacher.predict_proba(X), steps.predict_proba(X))


@pytest.mark.parametrize("suffix", [".joblib", ".pkl"])
def test_pickles_need_trust(tmp_path, suffix):
    classifier = forest()
    path = tmp_path / f"teacher{suffix}"
    if suffix == ".pkl":
        path.write_bytes(pickle.dumps(classifier))
    else:
        joblib.dump(classifier, path)
    for trusted in (False, ["RandomForestClassifier"]):
        with pytest.raises(TeacherError, match="runs whatever code it holds"):
            load_teacher(path, trusted=trusted)
    teacher = load_teacher(path, trusted=True)
    np.testing.assert_array_equal(teacher.predict_proba(X32), classifier.predict_proba(X32))


def test_what_is_no_fitted_teacher(tmp_path):
    path = tmp_path / "teacher.joblib"
    joblib.dump(LogisticRegression(), path)
    with pytest.raises(TeacherError, match="LogisticRegression that is not fitted"):
        load_teacher(path, trusted=True)
    joblib.dump({"model": 1}, path)
    with pytest.raises(TeacherError, match="of type dict; expected a classifier"):
        load_teacher(path, trusted=True)


# Keras

# Keras's variables on torch do not know the copy argument of NumPy 2.
OLD_ARRAY = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


NO_KERAS = """import os
__version__ = "0.0"
BACKEND = os.environ.get("KERAS_BACKEND")
"""


@pytest.mark.parametrize("chosen", [None, "jax"])
def test_keras_is_imported_with_torch_beneath_it_unless_another_is_chosen(
    chosen, tmp_path, monkeypatch
):
    (tmp_path / "keras.py").write_text(NO_KERAS)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if chosen is not None:
        monkeypatch.setenv("KERAS_BACKEND", chosen)
    (tmp_path / "teacher.keras").write_bytes(b"")
    with pytest.raises(TeacherError, match=r"keras 0\.0 would read it"):
        load_teacher(tmp_path / "teacher.keras")
    assert (chosen or "torch") == sys.modules.pop("keras").BACKEND
    assert os.environ.get("KERAS_BACKEND") == chosen


def keras_model(keras, *, softmax=True, lambda_=None):
    with torch.random.fork_rng():
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Dense(8, activation="relu")]
        layers += [] if lambda_ is None else [keras.layers.Lambda(lambda_)]
        layers += [keras.layers.Dense(3, activation="softmax" if softmax else None)]
        return keras.Sequential([keras.Input((4,)), *layers])


@UNTRAINED
@OLD_ARRAY
@pytest.mark.changes_global_rng  # keras.utils.set_random_seed
@pytest.mark.parametrize("name", ["high_model.h5", "model.keras"])
@pytest.mark.parametrize("is_softmax", [True, False])
def test_keras(keras, tmp_path, name, is_softmax, monkeypatch):
    model = keras_model(keras, softmax=is_softmax)
    path = tmp_path / name
    model.save(path)
    expected = model.predict(X32, verbose=0).astype(float)
    state = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        teacher = load_teacher(path)
        teacher.predict_proba(X32)
    expected = expected if is_softmax else softmax(expected, axis=1)
    np.testing.assert_allclose(teacher.predict_proba(X32), expected, atol=1e-5)
    assert torch.equal(torch.get_rng_state(), state)
    copied = pickle.loads(pickle.dumps(teacher))
    np.testing.assert_array_equal(copied.predict_proba(X32), teacher.predict_proba(X32))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(TeacherError, match=r"a teacher in .*: A copy of it .*none .*TMPDIR\.$"):
        load_teacher(path)
    distilled = quick_model(teacher).fit(X32, LABELS)
    assert distilled.temperature_ == (1.0 if is_softmax else 2.0)
    assert distilled.predict(X32).shape == (150,)


@OLD_ARRAY
@pytest.mark.changes_global_rng  # keras.utils.set_random_seed
@pytest.mark.parametrize("name", ["teacher.h5", "teacher.keras"])
def test_keras_runs_no_lambda(keras, tmp_path, name):
    trace = tmp_path / "trace"
    path = tmp_path / name

    leave_trace = lambda rows, trace=str(trace): (  # noqa: E731 (only a lambda's code is saved)
        __import__("pathlib").Path(trace).touch(),
        rows,
    )[1]
    keras_model(keras, lambda_=leave_trace).save(path)
    trace.unlink()
    with pytest.raises(TeacherError, match=r"cannot be read as a teacher .*arbitrary code"):
        load_teacher(path)
    assert not trace.exists()


# Files that try to run code, and calls that cannot be


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


SUFFIXES = {
    ".pt": "may run code",
    ".pth": "may run code",
    ".pt2": "runs whatever code",
    ".pkl": "runs whatever code",
    ".joblib": "runs whatever code",
    ".safetensors": "cannot be read",
    ".onnx": "cannot be read",
    ".keras": "cannot be read",
    ".h5": "cannot be read",
    ".skops": "cannot be read",
}
PACKAGES = {
    ".safetensors": "safetensors",
    ".onnx": "onnxruntime",
    ".keras": "keras",
    ".h5": "keras",
    ".skops": "skops",
}


def dump_plain(victim, path):
    path.write_bytes(pickle.dumps(victim))


def dump_torch(victim, path):
    torch.save({"weight": victim}, path)


def dump_zip(victim, path):
    with zipfile.ZipFile(path, "w") as file:
        for name in ("schema.json", "config.json", "metadata.json", "data.pkl"):
            file.writestr(name, pickle.dumps(victim))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("dump", [dump_plain, dump_torch, dump_zip])
def test_malicious_files_run_nothing(tmp_path, suffix, dump):
    if find_spec(PACKAGES.get(suffix, "torch")) is None:
        pytest.skip(f"needs {PACKAGES[suffix]}")
    trace, path = tmp_path / "trace", tmp_path / f"teacher{suffix}"
    dump(Malicious(trace), path)
    module = Net if suffix in (".pt", ".pth", ".safetensors") else None
    with pytest.raises(TeacherError, match=SUFFIXES[suffix]):
        load_teacher(path, module=module)
    assert not trace.exists()
    pickle.load(io.BytesIO(pickle.dumps(Malicious(trace))))
    assert trace.exists()  # it is malicious indeed


def test_skops_of_an_object_that_runs_code(tmp_path):
    skops = pytest.importorskip("skops.io")
    trace, path = tmp_path / "trace", tmp_path / "teacher.skops"
    skops.dump(make_pipeline(FunctionTransformer(os.system), LogisticRegression()), path)
    for trusted in (False, [f"{os.name}.system"], skops.get_untrusted_types(file=path)):
        with pytest.raises(TeacherError, match=r"holds \w+\.system, which can run any code"):
            load_teacher(path, trusted=trusted)
    assert not trace.exists()


BAD_CALLS = {
    "no file": ("missing.onnx", {}, FileNotFoundError, "There is no file"),
    "a folder": ("folder.onnx", {}, FileNotFoundError, "There is no file"),
    "another suffix": ("model.cbm", {}, ValueError, r"the suffix '.cbm'; expected one of \['.pt'"),
    "no suffix": ("model", {}, ValueError, "the suffix ''"),
    "no module": ("model.pt", {}, ValueError, "module is None"),
    "a module too many": ("model.onnx", {"module": Net}, ValueError, "brings its own"),
    "a module that is none": ("model.pth", {"module": dict}, TeacherError, "gave a dict"),
}


@pytest.mark.parametrize(
    ("name", "settings", "error", "message"), BAD_CALLS.values(), ids=BAD_CALLS
)
def test_bad_calls(tmp_path, name, settings, error, message):
    (tmp_path / "folder.onnx").mkdir()
    for file in ("model.cbm", "model", "model.onnx"):
        (tmp_path / file).write_bytes(b"")
    for file in ("model.pt", "model.pth"):
        torch.save({"weight": torch.ones(1)}, tmp_path / file)
    with pytest.raises(error, match=message):
        load_teacher(tmp_path / name, **settings)


EXTRAS = {
    ".onnx": ("onnx", "onnx"),
    ".keras": ("keras", "keras"),
    ".skops": ("skops.io", "skops"),
    ".safetensors": ("safetensors.torch", "safetensors"),
}


@pytest.mark.parametrize("suffix", EXTRAS)
def test_a_missing_extra_is_named(tmp_path, monkeypatch, suffix):
    package, extra = EXTRAS[suffix]
    monkeypatch.setitem(sys.modules, package, None)
    path = tmp_path / f"teacher{suffix}"
    path.write_bytes(b"")
    module = Net if suffix == ".safetensors" else None
    with pytest.raises(ImportError, match=rf'pip install "skdistill\[{extra}\]"'):
        load_teacher(path, module=module)
