"""Calls of load_teacher, and damaged or foreign files of each format, that are refused."""

import io
import json
import pickle
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from torch import nn

from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher

X, Y = load_iris(return_X_y=True)
PACKAGES = {
    ".safetensors": "safetensors",
    ".onnx": "onnxruntime",
    ".keras": "keras",
    ".h5": "keras",
    ".skops": "skops",
}
# What each format begins with, and what the formats that run code need to be read at all.
BEGINNINGS = {
    ".pt": b"PK\3\4",
    ".pth": b"PK\3\4",
    ".safetensors": b"\x10\0\0\0\0\0\0\0{",
    ".onnx": b"\x08\x08\x12\x07",
    ".keras": b"PK\3\4",
    ".h5": b"\x89HDF\r\n\x1a\n",
    ".skops": b"PK\3\4",
    ".joblib": b"\x80\4\x95",
    ".pkl": b"\x80\4\x95",
    ".pt2": b"PK\3\4",
}
STATES = (".pt", ".pth", ".safetensors")
RUN_CODE = (".joblib", ".pkl", ".pt2")


def linear():
    return nn.Linear(4, 3)


class Trace:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, folder):
        self.path = Path(folder) / "trace"

    def __reduce__(self):
        return Path.touch, (self.path,)


def load(name, content=b"", **settings):
    """Write the content into a file, or what a function of the folder returns, and load it."""

    def attempt(folder):
        suffix = Path(name).suffix.lower()
        if find_spec(PACKAGES.get(suffix, "torch")) is None:
            pytest.skip(f"needs {PACKAGES[suffix]}")
        if "module" not in settings and suffix in STATES:
            settings["module"] = linear
        made = content(folder) if callable(content) else content
        (folder / name).write_bytes(made)
        return load_teacher(folder / name, **settings)

    return attempt


def zipped(names=("config.json", "schema.json", "data.pkl"), content=b"{}"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def torch_file(state):
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def missing_package(folder):
    """Return a pickle of an object whose module is gone."""
    return b"cgone_package.models\nModel\n."


def a_folder(folder):
    (folder / "teacher.keras").mkdir()
    return load_teacher(folder / "teacher.keras")


STATE = torch_file({"weight": torch.ones(3, 4), "bias": torch.zeros(3)})
PICKLED = pickle.dumps(LogisticRegression(max_iter=500).fit(X, Y))
TRUSTED = {"trusted": True}
NEXT = "Save|save|Export|Pass|pass|Ask"
HEADER = json.dumps({"weight": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()

REFUSED = {
    # calls
    "no file": (
        FileNotFoundError,
        lambda folder: load_teacher(folder / "teacher.onnx"),
        "it is not there; expected one file. Look at the path",
    ),
    "a folder": (FileNotFoundError, a_folder, "is a folder; expected one file. Look at the path"),
    "no path": (TypeError, lambda folder: load_teacher(None), "path=None.*expected the path of a"),
    "a number": (TypeError, lambda folder: load_teacher(3), "path=3 was given; expected the path"),
    "an array": (TypeError, lambda folder: load_teacher(X), "path=array.*expected the path of a"),
    "a model": (
        TypeError,
        lambda folder: load_teacher(LogisticRegression()),
        "path=LogisticRegression.*expected the path of a file",
    ),
    "an unknown suffix": (ValueError, load("model.cbm"), r"'.cbm'; expected one of \['.pt'.*Load"),
    "no suffix": (ValueError, load("model"), r"suffix ''; expected one of \['.pt'.*Load it with"),
    "a suffix of an archive": (ValueError, load("model.pt.gz"), "suffix '.gz'; expected one of"),
    "no module": (
        ValueError,
        load("t.pt", STATE, module=None),
        "expected the module.*Pass module=",
    ),
    "a module too many": (
        ValueError,
        load("t.onnx", module=linear),
        "brings its own.*Leave it out",
    ),
    "a module for a pickle": (
        ValueError,
        load("t.joblib", PICKLED, module=linear, trusted=True),
        "brings its own; expected None. Leave it out",
    ),
    "a module by name": (
        TypeError,
        load("t.pt", STATE, module="Net"),
        "'Net'.*expected a torch.nn",
    ),
    "a state dict as the module": (
        TypeError,
        load("t.pt", STATE, module={"weight": torch.ones(1)}),
        r"expected a torch.nn.Module, or a function.*Pass module=MyModule\(",
    ),
    "a function that fails": (
        TeacherError,
        load("t.pt", STATE, module=lambda: nn.Linear(4, 3)(None)),
        r"module\(\) failed.*without arguments. Pass an instance",
    ),
    "a trusted word": (
        TypeError,
        load("t.pkl", PICKLED, trusted="yes"),
        "True, False or a list.*P",
    ),
    "a trusted number": (TypeError, load("t.pkl", PICKLED, trusted=1), "trusted=1.*expected True"),
    "trusted classes": (
        TypeError,
        load("t.skops", trusted=[LogisticRegression]),
        r"expected True, False or a list of the names.*Pass trusted=\[",
    ),
    "trust in nothing": (TypeError, load("t.skops", trusted=None), "trusted=None.*a list of the n"),
    **{
        f"{suffix} without trust": (
            TeacherError,
            load(f"t{suffix}", lambda folder: pickle.dumps(Trace(folder)), trusted=trusted),
            rf"\({suffix}\) that runs whatever code.*Pass trusted=True if you know who made it",
        )
        for suffix in RUN_CODE
        for trusted in (False, ["Model"])
    },
    # files of each format that are empty, cut off, or of something else
    **{
        f"{suffix} {kind}": (
            TeacherError,
            load(f"teacher{suffix}", content, trusted=suffix in RUN_CODE),
            f"teacher{suffix} cannot be read.*(expected|holds).*({NEXT})",
        )
        for suffix, beginning in BEGINNINGS.items()
        for kind, content in {
            "empty": b"",
            "cut off": beginning,
            "damaged": beginning + bytes(range(256)) * 4,
            "of text": b"a,b,c\n1,2,3\n" * 30,
        }.items()
    },
    **{
        f"{suffix} with another archive": (
            TeacherError,
            load(f"teacher{suffix}", zipped()),
            f"cannot be read.*(expected|alone).*({NEXT})",
        )
        for suffix in (".pt", ".safetensors", ".onnx", ".keras", ".h5", ".skops")
    },
    **{
        f"{suffix} with a pickle that leaves a trace": (
            TeacherError,
            load(f"teacher{suffix}", lambda folder: pickle.dumps(Trace(folder))),
            f"cannot be read.*(expected|alone).*({NEXT})",
        )
        for suffix in (".pt", ".pth", ".safetensors", ".onnx", ".keras", ".h5", ".skops")
    },
    ".safetensors in a .pt": (
        TeacherError,
        load("teacher.pt", len(HEADER).to_bytes(8, "little") + HEADER + bytes(4)),
        "no file of tensors alone.*Save the tensors",
    ),
    ".pt in a .safetensors": (
        TeacherError,
        load("t.safetensors", STATE),
        "expected a whole file.*S",
    ),
    ".pt in a .onnx": (
        TeacherError,
        load("teacher.onnx", STATE),
        "expected.*(Save|Export) it again",
    ),
    ".pt in a .skops": (TeacherError, load("t.skops", STATE), "no schema.json; expected.*Save it"),
    ".pt in a .keras": (TeacherError, load("t.keras", STATE), "expected config.json and.*Save it"),
    # pickles that are trusted and hold no teacher
    "not fitted": (
        TeacherError,
        load("t.joblib", pickle.dumps(LogisticRegression()), **TRUSTED),
        "LogisticRegression that is not fitted; expected a fitted teacher. Fit it before",
    ),
    "a dict": (
        TeacherError,
        load("t.pkl", pickle.dumps({"model": 1}), **TRUSTED),
        "dict; expected",
    ),
    "an array of answers": (TeacherError, load("t.pkl", pickle.dumps(X), **TRUSTED), "expected"),
    "a class": (
        TeacherError,
        load("t.pkl", pickle.dumps(LogisticRegression), **TRUSTED),
        "expected an instance",
    ),
    "margins": (
        TeacherError,
        load("t.pkl", pickle.dumps(LinearSVC().fit(X, Y)), **TRUSTED),
        "decision_function but no predict_proba; expected probabilities.*CalibratedClassifierCV",
    ),
    "a regressor that is not fitted": (
        TeacherError,
        load("t.pkl", pickle.dumps(LinearRegression()), **TRUSTED),
        "LinearRegression that is not fitted; expected a fitted teacher. Fit it",
    ),
    "a package that is gone": (
        ImportError,
        load("t.pkl", missing_package, **TRUSTED),
        "t.pkl needs gone_package, which cannot be imported; expected the packages.*Install them",
    ),
    "a class that is gone": (
        TeacherError,
        load("t.pkl", b"csklearn.linear_model\nGone\n.", **TRUSTED),
        "Gone.*expected a whole file.*load it yourself",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(tmp_path), message)
    assert not (tmp_path / "trace").exists()


def test_the_payload_works(tmp_path):
    pickle.loads(pickle.dumps(Trace(tmp_path)))
    assert (tmp_path / "trace").exists()
