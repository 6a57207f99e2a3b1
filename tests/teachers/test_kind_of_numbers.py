"""Files and functions that give numbers: each format beside its own library."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNetRegressor
from skdistill.exceptions import TeacherError
from skdistill.targets import Targets, teacher_targets
from skdistill.teachers import CallableTeacher, ClassGraphTeacher, load_teacher

X, Y = load_diabetes(return_X_y=True)
X = X.astype(np.float32)
YY = np.column_stack([Y, -2 * Y])
TREE = DecisionTreeRegressor(max_depth=3, random_state=0)


def weights_of(y):
    """The coefficients of a linear regression: what each file below computes."""
    model = LinearRegression().fit(X, y)
    return np.atleast_2d(model.coef_).astype(np.float32), np.atleast_1d(model.intercept_)


def write_onnx(path, y):
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    coef, bias = weights_of(y)
    arrays = {"weight": coef, "bias": bias.astype(np.float32)}
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    nodes = [helper.make_node("Gemm", ["X", "weight", "bias"], ["out"], transB=1)]
    inputs = [helper.make_tensor_value_info("X", kind, [None, 10])]
    outputs = [helper.make_tensor_value_info("out", kind, [None, len(coef)])]
    graph = helper.make_graph(nodes, "net", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path)
    return runtime.InferenceSession(path).run(None, {"X": X})[0]


def write_keras(path, y):
    keras = pytest.importorskip("keras")
    coef, bias = weights_of(y)
    model = keras.Sequential([keras.layers.Input((10,)), keras.layers.Dense(len(coef))])
    model.layers[-1].set_weights([coef.T, bias])
    model.save(path)
    return model.predict(X, verbose=0)


def linear_module(y):
    coef, bias = weights_of(y)
    module = nn.utils.skip_init(nn.Linear, 10, len(coef))
    module.load_state_dict({"weight": torch.tensor(coef), "bias": torch.tensor(bias)})
    return nn.Sequential(module, nn.Identity()).eval()


def write_program(path, y):
    module, batch = linear_module(y), torch.export.Dim("batch", min=1)
    rows = torch.zeros(3, 10)
    torch.export.save(torch.export.export(module, (rows,), dynamic_shapes=({0: batch},)), path)
    with torch.no_grad():
        return module(torch.tensor(X)).numpy()


FILES = {".onnx": write_onnx, ".keras": write_keras, ".h5": write_keras, ".pt2": write_program}


@pytest.mark.changes_global_rng
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.filterwarnings("ignore:The given buffer is not writable")  # torch 2.10's own reader
@pytest.mark.parametrize("y", [Y, YY], ids=["one", "two"])
@pytest.mark.parametrize("suffix", FILES)
def test_a_file_gives_the_numbers_that_its_library_gives(tmp_path, suffix, y):
    path = tmp_path / f"teacher{suffix}"
    expected = FILES[suffix](path, y)
    teacher = load_teacher(path, trusted=suffix == ".pt2", kind="numbers")
    assert not hasattr(teacher, "predict_proba")
    np.testing.assert_allclose(teacher.predict(X), np.reshape(expected, y.shape), rtol=1e-5)
    copy = pickle.loads(pickle.dumps(teacher))
    np.testing.assert_array_equal(copy.predict(X), teacher.predict(X))
    assert copy.kind == "numbers"  # which the last operation would not say
    found = teacher_targets(copy, X, y, X_unlabeled=X[:5], memory=str(tmp_path / "kept"))
    assert found.kind == "numbers" and found.classes is None
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(found.more[0], expected[:5], rtol=1e-5)
    # Without a word of its kind it is asked for what is learnt.
    unsaid = load_teacher(path, trusted=suffix == ".pt2")
    np.testing.assert_array_equal(teacher_targets(unsaid, X, task="numbers"), found)
    model = DistilledRegressor(unsaid, TREE).fit(X, y, X_unlabeled=X[:5])
    given = DistilledRegressor(None, TREE).fit(X, y, soft_targets=found, X_unlabeled=X[:5])
    np.testing.assert_array_equal(model.predict(X), given.predict(X))
    labels = (Y > 100).astype(int)
    with pytest.raises(TeacherError, match=r"has predict but no predict_proba.*DistilledRegressor"):
        DistilledClassifier(teacher, DecisionTreeClassifier()).fit(X, labels)


def test_a_list_of_a_file_a_function_and_an_estimator_is_their_mean(tmp_path):
    expected = write_onnx(tmp_path / "teacher.onnx", Y)
    file = load_teacher(tmp_path / "teacher.onnx", kind="numbers")
    function = CallableTeacher(lambda rows: rows[:, 0], kind="numbers", chunk_size=100)
    tree = DecisionTreeRegressor(max_depth=4, random_state=0).fit(X, Y)
    found = teacher_targets([file, function, tree], X, X_unlabeled=X[:9])
    mean = np.mean([expected[:, 0], X[:, 0], tree.predict(X)], axis=0)
    assert found.kind == "numbers"
    np.testing.assert_allclose(found.values[:, 0], mean, rtol=1e-6)
    np.testing.assert_allclose(found.more[0][:, 0], mean[:9], rtol=1e-6)


def test_a_function_of_numbers():
    teacher = CallableTeacher(lambda rows: rows[:, :2], kind="numbers", chunk_size=100)
    np.testing.assert_array_equal(teacher.predict(X), X[:, :2])
    np.testing.assert_array_equal(teacher.predict(X[:3].tolist()), X[:3, :2])
    assert not hasattr(teacher, "predict_proba")
    assert teacher_targets(teacher, X).kind == "numbers"
    assert not hasattr(CallableTeacher(lambda rows: rows), "predict")


def test_the_layers_of_a_network_of_numbers():
    module = linear_module(YY)
    found = teacher_targets(module, X, YY, task="numbers", layers=["0"], X_unlabeled=X[:7])
    with torch.no_grad():
        expected = module[0](torch.tensor(X)).numpy()
    np.testing.assert_allclose(found.features["0"][0], expected, rtol=1e-6)
    np.testing.assert_allclose(found.features["0"][1], expected[:7], rtol=1e-6)
    part = found[[3, 1]]
    np.testing.assert_array_equal(part.features["0"][0], found.features["0"][0][[3, 1]])


@pytest.mark.filterwarnings("ignore:The teacher's squared error")
def test_targets_of_numbers_are_cut_as_rows_are():
    found = teacher_targets(DecisionTreeRegressor(random_state=0), X, YY, X_unlabeled=X[:5])
    for rows in (slice(2, 9), [4, 0], np.arange(len(X)) % 2 == 0):
        part = found[rows]
        assert isinstance(part, Targets) and part.kind == "numbers" and part.out_of_fold
        np.testing.assert_array_equal(part, found.values[rows])
        np.testing.assert_array_equal(part.more[0], found.more[0])


@pytest.mark.parametrize("student", [TREE, StudentNetRegressor(max_epochs=2, batch_size=32)])
def test_learning_from_targets_is_learning_from_the_teacher(student):
    teacher = [DecisionTreeRegressor(max_depth=5), LinearRegression().fit(X, Y)]
    more = X[:40] + np.float32(0.01)
    settings = {"random_state": 3}
    targets = teacher_targets(teacher, X, Y, X_unlabeled=more, **settings)
    asked = DistilledRegressor(teacher, student, **settings).fit(X, Y, X_unlabeled=more)
    given = DistilledRegressor(None, student, **settings)
    given.fit(X, Y, soft_targets=targets, X_unlabeled=more)
    np.testing.assert_array_equal(given.predict(X), asked.predict(X))


# fmt: off
NUMBERS = CallableTeacher(lambda rows: rows[:, 0], kind="numbers")
REFUSED = {
    "a function of numbers for classes": (TeacherError,
        lambda: DistilledClassifier(NUMBERS).fit(X, Y > 100),
        "CallableTeacher has predict but no predict_proba; expected a classifier.*Distilled"),
    "the same by name": (TeacherError,
        lambda: teacher_targets(NUMBERS, X, Y > 100, task="classes"), "predict but no predict_pr"),
    "a calibration": (ValueError, lambda: teacher_targets(NUMBERS, X, Y, calibrate=True),
        r"\['calibrate'\] were given with a teacher of numbers, and are about classes"),
    "a graph of classes": (TeacherError,
        lambda: DistilledRegressor(ClassGraphTeacher(np.eye(2))).fit(X, Y),
        "ClassGraphTeacher gives class probabilities; expected a regressor"),
    "a graph of classes in a list": (TeacherError,
        lambda: DistilledRegressor([NUMBERS, ClassGraphTeacher(np.eye(2))]).fit(X, Y),
        "ClassGraphTeacher gives class probabilities; expected a regressor"),
    "a kind of a state dict": (ValueError, lambda: load_teacher(__file__, kind="number"),
        "suffix '.py'"),
    "a table of other columns": (ValueError,
        lambda: DistilledRegressor(CallableTeacher(
            lambda rows: pd.DataFrame(rows[:, :2], columns=["a", "b"]), kind="numbers"
        )).fit(X, pd.DataFrame(YY, columns=["a", "c"])),
        r"has the columns \['a', 'b'\] and y has \['a', 'c'\]"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
