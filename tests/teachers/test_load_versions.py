"""The readers' releases: a file is not opened by one that is known to be unsafe."""

import importlib
import io
import re
import tomllib
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from torch import nn

from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher

X, Y = load_iris(return_X_y=True)
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))


def write_pt(path):
    torch.save({"weight": torch.ones(3, 4), "bias": torch.zeros(3)}, path)


def write_safetensors(path):
    saved = {"weight": torch.ones(3, 4), "bias": torch.zeros(3)}
    pytest.importorskip("safetensors.torch").save_file(saved, path)


def write_onnx(path):
    make = pytest.importorskip("onnx").helper
    rows = [make.make_tensor_value_info(name, 1, ["n", 4]) for name in "xy"]
    graph = make.make_graph([make.make_node("Neg", ["x"], ["y"])], "g", rows[:1], rows[1:])
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def write_keras(path):
    keras = pytest.importorskip("keras")
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save(path)


def write_skops(path):
    pytest.importorskip("skops.io").dump(LogisticRegression(max_iter=500).fit(X, Y), path)


def write_joblib(path):
    joblib.dump(LogisticRegression(max_iter=500).fit(X, Y), path)


def write_pt2(path):
    with torch.random.fork_rng():
        torch.export.save(torch.export.export(nn.Linear(4, 3), (torch.ones(2, 4),)), path)


WRITERS = {
    ".h5": write_keras,
    ".joblib": write_joblib,
    ".keras": write_keras,
    ".onnx": write_onnx,
    ".pt": write_pt,
    ".pt2": write_pt2,
    ".pth": write_pt,
    ".safetensors": write_safetensors,
    ".skops": write_skops,
}


def load(path):
    suffix = path.suffix
    module = (lambda: nn.Linear(4, 3)) if suffix in (".pt", ".pth", ".safetensors") else None
    return load_teacher(path, module=module, trusted=suffix in (".joblib", ".pt2"))


TOO_OLD = {
    ("torch", ".pt"): ("2.4.0", "2.5.1", "2.9.1+cpu", "2.10.0a0+b558c98", "2.10.0rc1", "unknown"),
    ("torch", ".pth"): ("2.9.1",),
    ("onnx", ".onnx"): ("1.16.0", "1.20.1", "1.21.0rc4"),
    ("onnxruntime", ".onnx"): ("1.18.0", "1.28.2", "1.29.0", "1.30.0"),
    ("keras", ".keras"): ("3.10.0", "3.12.3", "3.13.2", "3.14.1", "3.15.0"),
    ("keras", ".h5"): ("2.15.0", "3.12.3", "3.15.0"),
    ("skops", ".skops"): ("0.9.0", "0.13.0", "0.14.0"),
}
NAMED = {
    "torch": "CVE-2025-32434 .*CVE-2026-24747 .*expected 2.10.0 or later",
    "onnx": "CVE-2026-27489.*CVE-2026-34446, CVE-2026-34447.*expected 1.21.0 or later",
    "onnxruntime": "release notes.*expected 1.28.3 and later of its line, 1.30.1 or later",
    "keras": "CVE-2026-1669.*expected 3.12.4 and later of its line, 3.15.1 or later",
    "skops": "CVE-2025-54412.*expected 0.15.0 or later",
}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("package", "suffix", "version"),
    [(*reader, version) for reader, versions in TOO_OLD.items() for version in versions],
)
def test_old_readers_are_refused(package, suffix, version, refused, tmp_path, monkeypatch):
    path = tmp_path / f"teacher{suffix}"
    WRITERS[suffix](path)
    monkeypatch.setattr(importlib.import_module(package), "__version__", version)
    refused(
        TeacherError,
        lambda: load(path),
        rf"{package} {re.escape(version)} would read it, and before it was mended .*"
        rf'{NAMED[package]}\. pip install --upgrade "{package}>=',
    )


GOOD = {
    ("torch", ".pt"): ("2.10.0", "2.10.0+cpu", "2.11.0rc1", "3.0"),
    ("torch", ".safetensors"): ("2.4.0",),  # no pickle
    ("torch", ".joblib"): ("2.4.0",),  # runs code in any release
    ("torch", ".pt2"): ("2.4.0",),
    ("onnx", ".onnx"): ("1.21.0", "2.0.0"),
    ("onnxruntime", ".onnx"): ("1.28.3", "1.28.10", "1.30.1", "1.31.0"),
    ("keras", ".keras"): ("3.12.4", "3.12.5", "3.15.1", "4.0.0"),
    ("skops", ".skops"): ("0.15.0", "1.0"),
}


@pytest.mark.filterwarnings("ignore:The given buffer is not writable")  # torch 2.10's own reader
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    ("package", "suffix", "version"),
    [(*reader, version) for reader, versions in GOOD.items() for version in versions],
)
def test_patched_readers_read(package, suffix, version, tmp_path, monkeypatch):
    path = tmp_path / f"teacher{suffix}"
    WRITERS[suffix](path)
    monkeypatch.setattr(importlib.import_module(package), "__version__", version)
    assert load(path) is not None


def test_a_copy_in_another_process_is_checked_too(tmp_path, monkeypatch):
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "teacher.onnx"
    write_onnx(path)
    buffer = io.BytesIO()
    joblib.dump(load(path), buffer)
    buffer.seek(0)
    copied = joblib.load(buffer)
    monkeypatch.setattr(runtime, "__version__", "1.18.0")
    with pytest.raises(TeacherError, match=r"onnxruntime 1\.18\.0 would read it"):
        copied.predict_proba(X.astype(np.float32))


@pytest.mark.parametrize("package", ["keras", "onnx", "onnxruntime", "skops", "torch"])
def test_the_requirements_ask_for_what_is_accepted(package):
    """pyproject.toml admits no release that a file would be refused with."""
    project = PROJECT["project"]
    bounds = {
        requirement
        for part in (project["dependencies"], *project["optional-dependencies"].values())
        for requirement in part
        if re.match(rf"{package}\b", requirement)
    }
    assert len(bounds) == 1
    admitted = _admits(bounds.pop())
    lines = [versions for (name, _), versions in TOO_OLD.items() if name == package]
    assert not [one for versions in lines for one in versions if admitted(one)]
    good = [versions for (name, _), versions in GOOD.items() if name == package]
    assert [one for versions in good for one in versions if admitted(one)]


def _admits(requirement):
    version = pytest.importorskip("packaging.requirements")
    return version.Requirement(requirement).specifier.contains
