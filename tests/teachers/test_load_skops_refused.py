"""Files of skops that are refused, whatever is trusted. Payloads are harmless: a file `trace`."""

import io
import json
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import StudentNet
from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher

sio = pytest.importorskip("skops.io")

X, Y = load_iris(return_X_y=True)
X32 = X.astype(np.float32)
harmless = os.system  # a name that stands for something else


class Trace:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, folder):
        self.path = Path(folder) / "trace"

    def __reduce__(self):
        return Path.touch, (self.path,)


class Mine(StudentNet):
    """A net under a name that does not show it."""


def linear():
    return LogisticRegression(max_iter=500).fit(X, Y)


def student(kind=StudentNet):
    with torch.random.fork_rng():
        return kind(max_epochs=1, module__hidden_units=(2,)).fit(X32, Y)


def skorch_net():
    widths = {"module__in_features": 4, "module__out_features": 3}
    with torch.random.fork_rng():
        return NeuralNetClassifier(nn.Linear, **widths).initialize()


def parts_of(content):
    """Return the members of an archive, and the schema."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return members, json.loads(members.pop("schema.json"))


def zipped(members, schema, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if schema is not None:
            archive.writestr("schema.json", json.dumps(schema))
    return buffer.getvalue()


def unpickling(model):
    """Return the file of a model whose bytes are swapped for a pickle that leaves a trace."""

    def make(folder):
        members, schema = parts_of(sio.dumps(model()))
        for name in members:
            if name.endswith(".bin"):
                members[name] = pickle.dumps({"weights": Trace(folder)})
        return zipped(members, schema)

    return make


def without_the_key(make):
    """Return the file with another key in the place of that by which a skorch net is known."""

    def edit(folder):
        members, schema = parts_of(make(folder))
        text = json.dumps(schema).replace("__cuda_dependent_attributes__", "weights")
        return zipped(members, json.loads(text))

    return edit


def with_node(**node):
    """Return the file of a linear model whose C is another object."""

    def make(folder):
        members, schema = parts_of(sio.dumps(linear()))
        schema["content"]["content"]["C"] = {"__module__": "builtins", **node}
        return zipped({**members, "x.bin": pickle.dumps(Trace(folder))}, schema)

    return make


def estimator(make):
    return lambda folder: sio.dumps(make())


def function(module, name, loader="FunctionNode", **more):
    return with_node(__loader__=loader, __module__=module, __class__=name, **more)


def values(*content, loader="TupleNode", name="tuple"):
    return {
        "__loader__": loader,
        "__module__": "builtins",
        "__class__": name,
        "content": list(content),
    }


def text(word):
    return {**values(loader="JsonNode", name="str"), "content": json.dumps(word)}


def schema_of(schema, **members):
    return lambda folder: zipped(members, schema)


DEEP = 450 if sys.version_info < (3, 12) else 800  # for skops, and JSON is read as yet


def deep(levels):
    """Return a list in a list in a list, as skops describes it."""
    schema = b'{"__class__":"list","__loader__":"ListNode","__module__":"builtins","content":['
    version = b'"protocol":1,"_skops_version":"0.15.0"'
    whole = schema * levels + b"]}" * (levels - 1) + b"]," + version + b"}"
    return lambda folder: zipped({"schema.json": whole}, None, zipfile.ZIP_DEFLATED)


def growing(folder):
    return zipped({"schema.json": b" " * 20_000_000}, None, zipfile.ZIP_DEFLATED)


def read_often(folder):
    """Return a file that has one of its arrays read a thousand times."""
    array = io.BytesIO()
    np.save(array, np.zeros(125_000))
    one = {
        "__loader__": "NdArrayNode",
        "__module__": "numpy",
        "__class__": "ndarray",
        "type": "numpy",
        "file": "array.npy",
    }
    nodes = [{**one, "__id__": number} for number in range(1000)]
    return zipped({"array.npy": array.getvalue()}, values(*nodes, loader="ListNode", name="list"))


def nested(folder):
    """Return a file with a sparse matrix whose own archive declares far more than it holds."""
    model = linear()
    model.coef_ = sparse.csr_matrix(model.coef_)
    members, schema = parts_of(sio.dumps(model))
    name = next(name for name in members if name.endswith(".npz"))
    start = members[name].rindex(b"PK\x01\x02") + 24
    members[name] = members[name][:start] + struct.pack("<I", 2**31) + members[name][start + 4 :]
    return zipped(members, schema)


def untrusted(folder):
    return sio.dumps(make_pipeline(FunctionTransformer(np.linalg.norm), linear()))


EVERY = object()  # trust in all that the file asks for

NET = "brings a pickle.*expected an estimator without nets, whatever is trusted. Save the weights"
RUNS = "which can run any code; expected.*whatever is trusted.*saved by joblib.dump"
BYTES = "bytes may be a pickle.*expected numbers, texts.*saved by joblib.dump"
AS_WRITTEN = "expected a file of skops.io.dump as it was written. Ask its maker"
KEYS = "holds keys of the type"

REFUSED = {
    "a StudentNet": (estimator(student), EVERY, f"StudentNet, and a net in this format {NET}"),
    "a StudentNet with another pickle": (unpickling(student), EVERY, NET),
    "a skorch net": (estimator(skorch_net), EVERY, f"skorch.classifier.NeuralNetClassifier.*{NET}"),
    "a skorch net with another pickle": (unpickling(skorch_net), EVERY, NET),
    "a net in a Pipeline": (estimator(lambda: make_pipeline(student())), EVERY, NET),
    "a net under another name": (estimator(lambda: student(Mine)), EVERY, NET),
    "a net under another name with another pickle": (unpickling(lambda: student(Mine)), EVERY, NET),
    "a net without its key": (
        without_the_key(unpickling(lambda: student(Mine))),
        EVERY,
        BYTES,
    ),
    "a net behind another loader": (
        with_node(__loader__="ObjectNode", __module__=__name__, __class__="Mine"),
        [f"{__name__}.Mine"],
        f"{__name__}.Mine, and a net in this format {NET}",
    ),
    "bytes": (with_node(__loader__="BytesNode", __class__="bytes", file="x.bin"), EVERY, BYTES),
    "a bytearray": (
        with_node(__loader__="BytearrayNode", __class__="bytearray", file="x.bin"),
        EVERY,
        BYTES,
    ),
    "bytes as an argument": (
        estimator(lambda: make_pipeline(FunctionTransformer(kw_args={"key": b"pickle"}), linear())),
        EVERY,
        BYTES,
    ),
    **{
        f"{module}.{name}": (function(module, name), [f"{module}.{name}"], f"{name}, {RUNS}")
        for module, name in [
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("joblib", "load"),
            ("joblib.numpy_pickle", "load"),
            ("operator", "attrgetter"),
            ("operator", "methodcaller"),
            ("os", "system"),
            ("pickle", "loads"),
            ("posix", "system"),
            ("skops.io", "loads"),
            ("subprocess", "Popen"),
        ]
    },
    "torch.load": (function("torch.serialization", "load"), EVERY, "load, and a net.*whatever"),
    "a name for something else": (
        function(__name__, "harmless"),
        [f"{__name__}.harmless"],
        rf"the name {__name__}.harmless, which stands for <built-in function system>.*{AS_WRITTEN}",
    ),
    "a module in the place of a function": (
        function("sklearn.base", "re"),
        ["sklearn.base.re"],
        f"sklearn.base.re, which stands for <module.*{AS_WRITTEN}",
    ),
    "a call": (
        function("pathlib", "Path", "ConstructorFromReduceNode", content=values(text("trace"))),
        ["pathlib.Path"],
        f"a call of pathlib.Path.*{AS_WRITTEN}",
    ),
    "a list that calls": (
        function("numpy", "save", "ListNode", content=[]),
        ["numpy.save"],
        f"numpy.save, which stands for.*{AS_WRITTEN}",
    ),
    "keys that call": (
        function(
            "builtins",
            "dict",
            "DictNode",
            content={"1": text("x")},
            key_types=values(
                {"__loader__": "TypeNode", "__module__": "pathlib", "__class__": "Path"}
            ),
        ),
        ["pathlib.Path"],
        f"{KEYS} pathlib.Path.*{AS_WRITTEN}",
    ),
    "keys of functions": (
        function(
            "builtins",
            "dict",
            "DictNode",
            content={"1": text("x")},
            key_types=values(
                {"__loader__": "FunctionNode", "__module__": "numpy", "__class__": "load"}
            ),
        ),
        ["numpy.load"],
        f"{KEYS} numpy.load.*{AS_WRITTEN}",
    ),
    "a loader that is never written": (
        with_node(__loader__="CachedNode", __class__="str", __id__=1),
        [],
        f"holds a CachedNode.*{AS_WRITTEN}",
    ),
    "a loader of its own": (with_node(__loader__="MyNode", __class__="str"), [], AS_WRITTEN),
    "two objects of one number": (
        schema_of(values({**text("a"), "__id__": 1}, {**values(), "__id__": 1}, loader="ListNode")),
        [],
        f"two objects of one number.*{AS_WRITTEN}",
    ),
    "a reference without its object": (
        schema_of(values({"__id__": 1}, loader="ListNode", name="list")),
        [],
        f"a reference without its object.*{AS_WRITTEN}",
    ),
    "a file that it lacks": (
        with_node(
            __loader__="NdArrayNode",
            __module__="numpy",
            __class__="ndarray",
            type="numpy",
            file="gone.npy",
        ),
        [],
        AS_WRITTEN,
    ),
    "a node without its class": (schema_of({"__loader__": "ListNode"}), [], AS_WRITTEN),
    "a list of nothing": (schema_of([]), [], "cannot be read.*expected"),
    "no schema": (schema_of(None, other=b""), [], "no schema.json; expected.*Save it again"),
    "a schema that is no JSON": (
        lambda folder: zipped({"schema.json": b"{"}, None),
        [],
        f"a schema that says too little, or cannot be read.*{AS_WRITTEN}",
    ),
    "a schema too deep for skops": (deep(DEEP), [], f"too deep to be read.*{AS_WRITTEN}"),
    "a schema too deep for JSON": (deep(100_000), [], f"too deep to be read.*{AS_WRITTEN}"),
    "a schema that grows": (
        growing,
        [],
        "its schema.json declares 20 MB, and .* kB are stored; expected at most 16.8 MB.*Ask its",
    ),
    "an array that is read often": (
        read_often,
        [],
        "what it describes declares 1 GB, and .* MB are stored; expected at most 268 MB.*Ask its",
    ),
    "an archive in the archive": (
        nested,
        [],
        "its archive declares 2.15 GB, and .* stored; expected at most 268 MB.*Ask its maker",
    ),
    "a path": (
        lambda folder: zipped({"../schema.json": b"{}"}, {}),
        [],
        r"archive with '\.\./schema.json'; expected plain names.*Save it again",
    ),
    "a type that is not named": (
        untrusted,
        ["numpy.linalg.det"],
        r"holds the types \['numpy.linalg.norm'\].*Look at them.*trusted=\['numpy.linalg.det', 'nu",
    ),
    "trust in everything": (untrusted, True, r"numpy.linalg.norm.*name them: trusted=\["),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, request, tmp_path):
    make, trusted, message = REFUSED[case]
    path = tmp_path / "teacher.skops"
    path.write_bytes(make(tmp_path))
    if trusted is EVERY:
        trusted = sio.get_untrusted_types(file=path)
    refused = request.getfixturevalue("refused")  # after the nets of this table are trained
    refused(TeacherError, lambda: load_teacher(path, trusted=trusted), message)
    assert not (tmp_path / "trace").exists()


def test_skops_itself_runs_the_pickle(tmp_path):
    path = tmp_path / "teacher.skops"
    path.write_bytes(unpickling(student)(tmp_path))
    with pytest.raises(Exception):  # noqa: B017 (whatever becomes of a net without its weights)
        sio.load(path, trusted=sio.get_untrusted_types(file=path)).predict(X32)
    assert (tmp_path / "trace").exists()


HONEST = {
    "compressed": lambda: linear(),
    "a function of NumPy": lambda: make_pipeline(FunctionTransformer(np.log1p), linear()),
    "boosted trees with bytes of their own": lambda: (
        pytest.importorskip("xgboost").XGBClassifier(n_estimators=2).fit(X, Y)
    ),
}


@pytest.mark.parametrize("case", HONEST)
def test_honest_files_are_read(case, tmp_path):
    model = HONEST[case]().fit(X, Y)
    path = tmp_path / "teacher.skops"
    sio.dump(model, path, compression=zipfile.ZIP_DEFLATED, compresslevel=9)
    teacher = load_teacher(path, trusted=sio.get_untrusted_types(file=path))
    np.testing.assert_allclose(teacher.predict_proba(X), model.predict_proba(X))
