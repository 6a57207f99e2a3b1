"""ONNX models that are refused. What they declare to be huge is only declared."""

import os

import numpy as np
import pytest

from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher

HUGE = 500_000_000


def write(path, content):
    path.write_bytes(content)
    return path


def onnx_model(nodes, weights=(), *, functions=(), sparse=(), outputs=("y",)):
    """Return a model of one input x of shape (n, 4) and the nodes."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    make, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = make.make_graph(
        [make.make_node(*node, **settings) for node, settings in nodes],
        "graph",
        [make.make_tensor_value_info("x", floats, ["n", 4])],
        [make.make_tensor_value_info(name, floats, ["n", 4]) for name in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in dict(weights).items()],
        sparse_initializer=list(sparse),
    )
    domains = {"", *(one.domain for one in functions), *(s.get("domain", "") for _, s in nodes)}
    return make.make_model(
        graph,
        functions=list(functions),
        opset_imports=[make.make_opsetid(one, 17 if one == "" else 1) for one in domains],
        ir_version=8,
    )


def node(kind, inputs, outputs, **settings):
    return (kind, inputs, outputs), settings


def onnx_file(make):
    def attempt(folder):
        model = make(folder)
        content = model if isinstance(model, bytes) else model.SerializeToString()
        return load_teacher(write(folder / "teacher.onnx", content))

    return attempt


def added(kind, inputs, arrays, **settings):
    """Return a model that adds the sum of what a node makes of constants."""
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    nodes = [
        node(kind, inputs, ["made"], **settings),
        node("Cast", ["made"], ["floats"], to=1),
        node("ReduceSum", ["floats"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]
    return onnx_file(lambda folder: onnx_model(nodes, arrays))


def outside(location, prepare=None, **entries):
    """Return a model whose weights lie in the file at the location."""

    def make(folder):
        if prepare is not None:
            prepare(folder)
        model = onnx_model([node("Add", ["x", "bias"], ["y"])], {"bias": np.ones(4, np.float32)})
        point_to(model.graph.initializer[0], location.format(folder=folder), **entries)
        return model

    return onnx_file(make)


def point_to(tensor, location, **entries):
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=str(value))


def secret(folder):
    """Write a file outside the folder of the model, and return it."""
    beside = folder.parent / f"{folder.name}_secret"
    beside.mkdir(exist_ok=True)
    return write(beside / "secret.bin", bytes(16))


def linked(link):
    return lambda folder: link(secret(folder), folder / "weights.bin")


def linked_folder(folder):
    os.symlink(secret(folder).parent, folder / "weights", target_is_directory=True)


def hidden_outside(folder):
    """Return a model whose sparse weights lie in another file, where onnx itself does not look."""
    onnx = pytest.importorskip("onnx")
    values = onnx.numpy_helper.from_array(np.ones(4, np.float32), "bias")
    places = onnx.numpy_helper.from_array(np.arange(4), "places")
    point_to(values, str(secret(folder)))
    sparse = onnx.helper.make_sparse_tensor(values, places, [4])
    return onnx_model([node("Add", ["x", "bias"], ["y"])], sparse=[sparse])


def nested_outside(folder):
    """Return a model with weights in another file in a branch of it."""
    onnx = pytest.importorskip("onnx")
    make = onnx.helper
    bias = onnx.numpy_helper.from_array(np.ones(4, np.float32), "bias")
    point_to(bias, "../secret.bin")
    out = make.make_tensor_value_info("b", onnx.TensorProto.FLOAT, ["n", 4])
    branch = make.make_graph([make.make_node("Add", ["x", "bias"], ["b"])], "g", [], [out], [bias])
    condition = {"yes": np.array(True)}
    return onnx_model(
        [node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch)], condition
    )


def shared_outside(folder):
    """Return a model whose weights all are the same bytes of a file."""
    onnx = pytest.importorskip("onnx")
    write(folder / "weights.bin", bytes(2**22))
    names = [f"weights{number}" for number in range(70)]
    model = onnx_model([node("Identity", ["x"], ["y"])])
    for name in names:
        tensor = onnx.TensorProto(name=name, data_type=1, dims=[2**20])
        point_to(tensor, "weights.bin")
        model.graph.initializer.append(tensor)
    return model


def sparse_bomb(folder):
    onnx = pytest.importorskip("onnx")
    one = onnx.numpy_helper.from_array(np.ones(1, np.float32), "sparse")
    place = onnx.numpy_helper.from_array(np.zeros(1, np.int64), "places")
    sparse = onnx.helper.make_sparse_tensor(one, place, [HUGE])
    nodes = [
        node("ReduceSum", ["sparse"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]
    return onnx_model(nodes, sparse=[sparse])


def calls(n_functions, first):
    """Return a model of functions that call the one before them twice."""

    def make(folder):
        helper = pytest.importorskip("onnx").helper
        imports = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
        functions = []
        for number in range(n_functions):
            before = f"f{number - 1}" if number else first
            domain = "local" if before.startswith("f") else ""
            nodes = [
                helper.make_node(before, ["a"], ["t"], domain=domain),
                helper.make_node(before, ["t"], ["b"], domain=domain),
            ]
            functions.append(
                helper.make_function("local", f"f{number}", ["a"], ["b"], nodes, imports)
            )
        last = node(f"f{n_functions - 1}", ["x"], ["y"], domain="local")
        return onnx_model([last], functions=functions)

    return onnx_file(make)


ASIDE = "which {}; expected a plain file beside the model.*Copy the file there"
CONSTANT = "computes without rows declares .* GB, and .* stored; expected at most 268 MB.*Ask its"

REFUSED = {
    "weights at an absolute path": (
        TeacherError,
        outside("{folder}/../secret.bin"),
        ASIDE.format("lies outside the model's folder"),
    ),
    "weights in the folder above": (
        TeacherError,
        outside("../secret.bin"),
        ASIDE.format("lies outside the model's folder"),
    ),
    "weights in a folder reached by a detour": (
        TeacherError,
        outside("a/../../secret.bin"),
        ASIDE.format("lies outside the model's folder"),
    ),
    "weights on a drive": (TeacherError, outside("C:secret.bin"), ASIDE.format("lies outside.*")),
    "weights past backslashes": (
        TeacherError,
        outside("..\\secret.bin"),
        ASIDE.format("lies outside.*"),
    ),
    "weights in no file": (TeacherError, outside(""), ASIDE.format("lies outside.*")),
    "weights behind a link": (
        TeacherError,
        outside("weights.bin", linked(os.symlink)),
        ASIDE.format("is a link"),
    ),
    "weights behind a link of a folder": (
        TeacherError,
        outside("weights/secret.bin", linked_folder),
        ASIDE.format("is a link"),
    ),
    "weights behind a hard link": (
        TeacherError,
        outside("weights.bin", linked(os.link)),
        ASIDE.format("has a second name.*"),
    ),
    "weights in a file that is gone": (
        TeacherError,
        outside("weights.bin"),
        ASIDE.format("is not there"),
    ),
    "weights in a folder": (TeacherError, outside("."), ASIDE.format("is not there")),
    "weights beyond the end of their file": (
        TeacherError,
        outside("weights.bin", lambda f: write(f / "weights.bin", bytes(16)), length=HUGE),
        "weights in other files declares 500 MB, and 16 bytes are stored; expected.*Ask its maker",
    ),
    "weights that all are the same bytes": (
        TeacherError,
        onnx_file(shared_outside),
        "weights in other files declares 294 MB, and 4.19 MB are stored; expected.*Ask its maker",
    ),
    "sparse weights outside": (
        TeacherError,
        onnx_file(hidden_outside),
        ASIDE.format("lies outside.*"),
    ),
    "weights of a branch outside": (
        TeacherError,
        onnx_file(nested_outside),
        ASIDE.format("lies outside.*"),
    ),
    "an operator of another library": (
        TeacherError,
        onnx_file(lambda f: onnx_model([node("Run", ["x"], ["y"], domain="my.library")])),
        r"\['my.library.Run'\].*expected those of \['ai.onnx'.*Export it without custom",
    ),
    "a model without operations": (
        TeacherError,
        onnx_file(lambda f: onnx_model([])),
        "no operation.*expected a model. Export it again",
    ),
    "several outputs": (
        TeacherError,
        onnx_file(
            lambda f: onnx_model(
                [node("Neg", ["x"], ["a"]), node("Abs", ["x"], ["b"])], outputs=("a", "b")
            )
        ),
        "has the outputs.*expected one of probabilities or logits. Export it with that output",
    ),
    "a huge constant": (
        TeacherError,
        added("ConstantOfShape", ["shape"], {"shape": np.array([HUGE])}),
        CONSTANT,
    ),
    "a huge expansion": (
        TeacherError,
        added("Expand", ["one", "shape"], {"one": np.ones(1), "shape": np.array([HUGE])}),
        CONSTANT,
    ),
    "a huge repetition": (
        TeacherError,
        added("Tile", ["one", "times"], {"one": np.ones(1), "times": np.array([HUGE])}),
        CONSTANT,
    ),
    "a huge range": (
        TeacherError,
        added("Range", ["a", "b", "c"], {"a": 0, "b": HUGE, "c": 1}),
        CONSTANT,
    ),
    "a huge frame": (
        TeacherError,
        added("Pad", ["one", "pads"], {"one": np.ones(1), "pads": np.array([0, HUGE])}),
        CONSTANT,
    ),
    "huge random numbers": (TeacherError, added("RandomNormal", [], {}, shape=[HUGE]), CONSTANT),
    "a huge outer sum": (
        TeacherError,
        added("Add", ["a", "b"], {"a": np.ones((20_000, 1)), "b": np.ones((1, 20_000))}),
        CONSTANT,
    ),
    "a huge sparse array": (TeacherError, onnx_file(sparse_bomb), CONSTANT),
    "huge rows": (
        TeacherError,
        onnx_file(
            lambda f: onnx_model(
                [
                    node("Tile", ["x", "times"], ["wide"]),
                    node("ReduceSum", ["wide", "axis"], ["sum"]),
                    node("Add", ["x", "sum"], ["y"]),
                ],
                {"times": np.array([1, HUGE]), "axis": np.array([1])},
            )
        ),
        "array 'wide' declares 8 GB.*expected at most 4.29 GB.*Ask its maker",
    ),
    "functions that double": (
        TeacherError,
        calls(30, "Identity"),
        r"1.07e\+09 operations in all; expected at most 200000.*Export it without local functions",
    ),
    "functions that call themselves": (
        TeacherError,
        calls(3, "f2"),
        "inf operations in all; expected at most 200000.*Export it without local functions",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(tmp_path), message)
    assert not (tmp_path / "trace").exists()
