"""Honest files at the borders of what is refused: they are read, and answer as they should."""

import pickle

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import softmax
from sklearn.datasets import load_iris
from torch import nn

from skdistill.teachers import load_teacher

X, Y = load_iris(return_X_y=True)
WEIGHT = np.random.default_rng(0).normal(size=(3, 4))
BIAS = np.array([0.5, -1.0, 2.0])
EXPECTED = X @ WEIGHT.T + BIAS


def linear(dtype=torch.float32):
    """Return a linear module, made without a draw."""
    module = nn.utils.skip_init(nn.Linear, 4, 3, dtype=dtype)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(WEIGHT))
        module.bias.copy_(torch.from_numpy(BIAS))
    return module


def outputs(module, dtype=torch.float32):
    with torch.no_grad():
        return module(torch.from_numpy(X).to(dtype)).double().numpy()


# Exported for batches of one size


@pytest.mark.parametrize("n_rows", [2, 7, 150, 4000])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_a_program_for_a_fixed_number_of_rows(tmp_path, n_rows, kind):
    path = tmp_path / "teacher.pt2"
    example = torch.zeros(n_rows, 4)
    torch.export.save(torch.export.export(linear().eval(), (example,)), path)
    teacher = load_teacher(path, trusted=True)
    before = kind(X)
    expected = softmax(EXPECTED, axis=1)
    for rows in (before, before[:1]):
        answer = teacher.predict_proba(rows)
        np.testing.assert_allclose(answer, expected[: rows.shape[0]], atol=1e-5)
    assert (before != kind(X)).sum() == 0
    copied = pickle.loads(pickle.dumps(teacher))
    np.testing.assert_array_equal(copied.predict_proba(before), teacher.predict_proba(before))


def test_rows_of_a_batch_do_not_disturb_each_other_when_it_is_filled_up(tmp_path):
    """Batch norm in evaluation mode, as it is exported: the rows that fill up change nothing."""
    path = tmp_path / "teacher.pt2"
    module = nn.Sequential(linear(), nn.BatchNorm1d(3)).eval()
    torch.export.save(torch.export.export(module, (torch.zeros(64, 4),)), path)
    teacher = load_teacher(path, trusted=True)
    np.testing.assert_allclose(
        teacher.predict_proba(X), softmax(outputs(module), axis=1), atol=1e-6
    )


# State dicts


def expanded():
    state = linear().state_dict()
    return {"weight": state["weight"][:1].expand(3, 4), "bias": state["bias"]}


def shared():
    whole = torch.arange(15.0).reshape(3, 5)
    return {"weight": whole[:, :4], "bias": whole[:, 4]}


STATES = {
    "a plain dict": lambda: dict(linear().state_dict()),
    "parameters": lambda: linear().state_dict(keep_vars=True),
    "double precision": lambda: linear(torch.float64).state_dict(),
    "half precision": lambda: linear(torch.bfloat16).state_dict(),
    "transposed": lambda: {"weight": torch.ones(4, 3).t(), "bias": torch.zeros(3)},
    "expanded": expanded,
    "parts of one tensor": shared,
    "eight bits": lambda: {n: t.to(torch.float8_e4m3fn) for n, t in linear().state_dict().items()},
}


# torch has no eight-bit numbers in its format before 1.6.
@pytest.mark.parametrize(
    ("case", "zipped"),
    [
        *((case, True) for case in STATES),
        *((case, False) for case in STATES if case != "eight bits"),
    ],
)
def test_state_dicts(case, zipped, tmp_path):
    state, path = STATES[case](), tmp_path / "teacher.pt"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    loaded = load_teacher(path, module=linear()).state_dict()
    for name, tensor in state.items():
        np.testing.assert_array_equal(loaded[name], tensor.detach().float())


def test_a_module_that_finds_its_width_itself(tmp_path):
    torch.save(linear().state_dict(), tmp_path / "teacher.pt")
    teacher = load_teacher(tmp_path / "teacher.pt", module=lambda: nn.LazyLinear(3))
    np.testing.assert_allclose(outputs(teacher), EXPECTED, rtol=1e-5)


# ONNX


def onnx_model(nodes, weights, **settings):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make = onnx.helper
    graph = make.make_graph(
        nodes,
        "graph",
        [make.make_tensor_value_info("x", 1, ["n", 4])],
        [make.make_tensor_value_info("y", 1, ["n", 3])],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    imports = [make.make_opsetid("", 17), make.make_opsetid("local", 1)]
    return make.make_model(graph, opset_imports=imports, ir_version=8, **settings)


WEIGHTS = {"w": WEIGHT.T.astype(np.float32), "b": BIAS.astype(np.float32)}


def check(path):
    answer = load_teacher(path).predict_proba(X.astype(np.float32))
    np.testing.assert_allclose(answer, softmax(EXPECTED, axis=1), atol=1e-5)


def test_onnx_weights_in_a_folder_below(tmp_path):
    onnx = pytest.importorskip("onnx")
    nodes = [onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    (tmp_path / "below").mkdir()
    for name, array in WEIGHTS.items():
        (tmp_path / "below" / f"{name}.bin").write_bytes(array.tobytes())
    model = onnx_model(nodes, WEIGHTS)
    for tensor in model.graph.initializer:
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=f"below/{tensor.name}.bin")
    (tmp_path / "teacher.onnx").write_bytes(model.SerializeToString())
    check(tmp_path / "teacher.onnx")


def test_onnx_weights_of_one_file_in_parts(tmp_path):
    onnx = pytest.importorskip("onnx")
    nodes = [onnx.helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    onnx.save(
        onnx_model(nodes, WEIGHTS),
        tmp_path / "teacher.onnx",
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location="weights.bin",
        size_threshold=0,
    )
    check(tmp_path / "teacher.onnx")


def test_onnx_with_functions_of_its_own(tmp_path):
    make = pytest.importorskip("onnx").helper
    imports = [make.make_opsetid("", 17)]
    nodes = [make.make_node("Gemm", ["x", "w", "b"], ["y"])]
    layer = make.make_function("local", "Layer", ["x", "w", "b"], ["y"], nodes, imports)
    model = onnx_model(
        [make.make_node("Layer", ["x", "w", "b"], ["y"], domain="local")],
        WEIGHTS,
        functions=[layer],
    )
    (tmp_path / "teacher.onnx").write_bytes(model.SerializeToString())
    check(tmp_path / "teacher.onnx")


def test_onnx_with_constants_that_it_unpacks(tmp_path):
    """Whole numbers that become weights, and a shape that is made of constants."""
    make = pytest.importorskip("onnx").helper
    weights = {
        "small": np.round(WEIGHT.T * 1000).astype(np.int16),
        "scale": np.float32(0.001),
        "b": WEIGHTS["b"],
        "shape": np.array([4, 3]),
    }
    nodes = [
        make.make_node("Cast", ["small"], ["floats"], to=1),
        make.make_node("Mul", ["floats", "scale"], ["scaled"]),
        make.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        make.make_node("Add", ["scaled", "zeros"], ["w"]),
        make.make_node("Gemm", ["x", "w", "b"], ["y"]),
    ]
    (tmp_path / "teacher.onnx").write_bytes(onnx_model(nodes, weights).SerializeToString())
    answer = load_teacher(tmp_path / "teacher.onnx").predict_proba(X.astype(np.float32))
    np.testing.assert_allclose(answer, softmax(EXPECTED, axis=1), atol=0.01)
