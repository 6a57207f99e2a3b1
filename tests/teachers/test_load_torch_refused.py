"""Files of torch and safetensors that are refused. Payloads are harmless: a file named `trace`."""

import io
import json
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher

STATE = {"weight": torch.ones(3, 4), "bias": torch.zeros(3)}
HUGE = 500_000_000


def linear():
    return nn.Linear(4, 3)


class Trace:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, folder):
        self.path = Path(folder) / "trace"

    def __reduce__(self):
        return Path.touch, (self.path,)


def write(path, content):
    path.write_bytes(content)
    return path


def zipped(members, compression=zipfile.ZIP_STORED):
    """Return an archive of the members, a dict or a list of names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return buffer.getvalue()


def members_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_members(content, **replaced):
    """Return the archive with members of other content, by the ends of their names."""
    members = members_of(content)
    for end, new in replaced.items():
        name = next(name for name in members if name.endswith(end.replace("__", ".")))
        members[name] = new(members[name]) if callable(new) else new
    return zipped(members)


def saved(state, **settings):
    buffer = io.BytesIO()
    torch.save(state, buffer, **settings)
    return buffer.getvalue()


def pt(content, module=linear):
    content = content if isinstance(content, bytes) else saved(content)
    return lambda folder: load_teacher(write(folder / "teacher.pt", content), module=module)


def script(folder):
    content = zipped({"teacher/data.pkl": b"", "teacher/constants.pkl": b""})
    return pt(content)(folder)


def shared_parts():
    """Return an archive with two names for one part, so that it declares twice what it holds."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("teacher/data.pkl", b"")
        archive.writestr("teacher/data/0", b"0" * 10_000)
        for number in range(1, 9):
            twin = zipfile.ZipInfo(f"teacher/data/{number}")
            first = archive.getinfo("teacher/data/0")
            twin.file_size, twin.compress_size = first.file_size, first.compress_size
            twin.header_offset, twin.CRC = first.header_offset, first.CRC
            archive.filelist.append(twin)
            archive.NameToInfo[twin.filename] = twin
    return buffer.getvalue()


def tensors(header, data=b"", module=linear):
    """Load a safetensors file with a header of our own."""

    def attempt(folder):
        pytest.importorskip("safetensors")
        text = json.dumps(header).encode() if isinstance(header, dict) else header[8:]
        size = struct.pack("<Q", len(text)) if isinstance(header, dict) else header[:8]
        path = write(folder / "teacher.safetensors", size + text + data)
        return load_teacher(path, module=module)

    return attempt


def entry(dtype, shape, n_bytes):
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, n_bytes]}


FIT = "expected those of a .*Pass the module"
KIND = "expected numbers of one kind.*Pass"
ALONE = "no file of tensors alone.*Save the tensors"
NAMES = r"expected.*state dict.*torch\.save\(module\.state_dict"

REFUSED = {
    "a whole module": (
        TeacherError,
        pt(nn.Identity()),
        "Identity, and.*may run.*Save the",
    ),
    "a pickle that leaves a trace": (TeacherError, lambda f: pt({"a": Trace(f)})(f), ALONE),
    "a plain pickle": (TeacherError, lambda f: pt(pickle.dumps(Trace(f)))(f), ALONE),
    "TorchScript": (TeacherError, script, "TorchScript.*may run code.*Save the tensors"),
    "a NumPy number": (
        TeacherError,
        pt({"a": np.float64(1)}),
        "numpy.*may run.*Save the",
    ),
    "a set": (TeacherError, pt({"a": {1}}), "holds __builtin__.set.*Save the tensors"),
    "bytes that grow": (TeacherError, pt({"a": bytearray(3)}), "bytearray.*Save the tensors"),
    "tuples as keys": (TeacherError, pt({((),): torch.ones(1)}), "a tuple as a key.*Save the"),
    "another pickle protocol": (TeacherError, pt(saved(STATE, pickle_protocol=4)), "FRAME.*Save"),
    "sparse weights": (TeacherError, pt({"weight": STATE["weight"].to_sparse()}), "sparse.*Save"),
    "weights without numbers": (TeacherError, pt({"weight": torch.ones(1, device="meta")}), ALONE),
    "a checkpoint": (
        TeacherError,
        pt({"epoch": 1, "model": STATE}),
        r"\['epoch', 'model'\]; expected a state dict.*weights_only=True\)\['model'\], new_path\)",
    ),
    "a dict of other dicts": (TeacherError, pt({"a": {"b": 1}}), rf"\['a'\].*{NAMES}"),
    "names of a module around it": (
        TeacherError,
        pt({f"module.{name}": tensor for name, tensor in STATE.items()}),
        r"names begin with 'module\.', .*DataParallel.*Take it off: \{name.removeprefix\('module",
    ),
    "names of a compiled module": (
        TeacherError,
        pt({f"_orig_mod.{name}": tensor for name, tensor in STATE.items()}),
        r"names begin with '_orig_mod\.'",
    ),
    "a tensor": (TeacherError, pt(torch.ones(3)), f"holds a Tensor.*{NAMES}"),
    "nothing": (TeacherError, pt(saved(None)), f"holds a NoneType.*{NAMES}"),
    "a list": (TeacherError, pt([torch.ones(3)]), f"holds a list.*{NAMES}"),
    "integer keys": (TeacherError, pt({0: torch.ones(3, 4)}), r"keys \[0\]; expected the names.*S"),
    "some integer keys": (TeacherError, pt({**STATE, 7: torch.ones(1)}), r"keys \[7\].*Save it"),
    "another width": (TeacherError, pt({**STATE, "weight": torch.ones(3, 5)}), f"size mis.*{FIT}"),
    "a part": (TeacherError, pt({"bias": torch.zeros(3)}), f"Missing key.*{FIT}"),
    "a tensor too many": (
        TeacherError,
        pt({**STATE, "scale": torch.ones(1)}),
        f"Unexpected key.*{FIT}",
    ),
    "no tensors": (TeacherError, pt({}), f"Missing key.*{FIT}"),
    "complex weights": (
        TeacherError,
        pt({**STATE, "weight": torch.ones(3, 4, dtype=torch.complex64)}),
        f"'weight' holds torch.complex64 and the module's torch.float32.*{KIND}",
    ),
    "whole numbers": (TeacherError, pt({**STATE, "bias": torch.ones(3).long()}), f"int64.*{KIND}"),
    "truth values": (TeacherError, pt({**STATE, "bias": torch.ones(3) > 0}), f"bool.*{KIND}"),
    "fractions for a counter": (
        TeacherError,
        pt({"num_batches_tracked": torch.ones(())}, lambda: nn.BatchNorm1d(1, affine=False)),
        f"holds torch.float32 and the module's torch.int64; {KIND}",
    ),
    "compressed parts": (
        TeacherError,
        pt(zipped(members_of(saved(STATE)), zipfile.ZIP_DEFLATED)),
        "compressed parts.*huge.*expected them as torch.save.*Save it again",
    ),
    "parts of two names": (
        TeacherError,
        pt(shared_parts()),
        "declares 90 kB, and 1.* are stored; expected at most.*Ask its maker",
    ),
    "an archive of two folders": (
        TeacherError,
        pt(zipped({"a/data.pkl": b"", "b/data/0": b""})),
        "archive of another kind.*Save the tensors",
    ),
    "a tensor that repeats a number": (
        TeacherError,
        pt({"weight": torch.ones(1).expand(100_000, 100_000)}, lambda: nn.LazyLinear(3)),
        "state dict declares 40 GB, and .* stored; expected at most 268 MB.*Ask its maker",
    ),
    "more numbers than are stored": (
        TeacherError,
        pt(with_members(saved(STATE), data__pkl=lambda p: p.replace(b"K\x0c", b"K\xff", 1))),
        "part data/0 declares 1020 bytes and holds fewer; expected all.*Save it again",
    ),
    "a shape beyond the numbers": (
        TeacherError,
        pt(with_members(saved(STATE), data__pkl=lambda p: p.replace(b"K\x03K\x04", b"K\x03K\xff"))),
        "reaches beyond its numbers.*Save the tensors",
    ),
    "the old format, cut off": (
        TeacherError,
        pt(saved(STATE, _use_new_zipfile_serialization=False)[:-40]),
        "being cut off.*Save the tensors",
    ),
    "the old format, more numbers than stored": (
        TeacherError,
        pt(saved(STATE, _use_new_zipfile_serialization=False).replace(b"K\x0c", b"K\xff")),
        "fewer numbers than it declares.*Save the tensors",
    ),
    "a module that is none": (TeacherError, pt(STATE, dict), "gave a dict; expected a torch.*Pass"),
    "a class with arguments": (
        TeacherError,
        pt(STATE, nn.Linear),
        "missing 2.*without arg.*lambda",
    ),
    "a name of a module": (TypeError, pt(STATE, "Linear"), r"expected a torch.nn.Module.*Pass"),
    "no module": (ValueError, pt(STATE, None), "module is None; expected the module.*Pass module="),
    "safetensors: no module": (
        ValueError,
        tensors({}, module=None),
        "module is None; expected the module.*Pass module=",
    ),
    "safetensors: another width": (
        TeacherError,
        tensors({"weight": entry("F32", [3, 5], 60)}, bytes(60)),
        f"size mismatch.*{FIT}",
    ),
    "safetensors: whole numbers": (
        TeacherError,
        tensors({"weight": entry("I8", [3, 4], 12)}, bytes(12)),
        f"torch.int8.*{KIND}",
    ),
    "safetensors: complex": (
        TeacherError,
        tensors({"weight": entry("C64", [3, 4], 96)}, bytes(96)),
        # safetensors reads complex numbers since 0.6.1, and before does not know them.
        f"complex64.*{KIND}|InvalidHeaderDeserialization; expected a whole file.*pass the model",
    ),
    "safetensors: fewer numbers than declared": (
        TeacherError,
        tensors({"weight": entry("F32", [HUGE, HUGE], 4)}, bytes(4)),
        "cannot be read.*expected a whole file.*Save it again",
    ),
    "safetensors: offsets beyond the file": (
        TeacherError,
        tensors({"weight": entry("F32", [HUGE], 4 * HUGE)}, bytes(4)),
        "cannot be read.*expected a whole file.*Save it again",
    ),
    "safetensors: a header beyond the file": (
        TeacherError,
        tensors(b"\xff" * 8 + b"{}"),
        "cannot be read.*expected a whole file.*Save it again",
    ),
    "safetensors: an unknown type": (
        TeacherError,
        tensors({"weight": entry("F128", [1], 16)}, bytes(16)),
        "cannot be read.*expected a whole file.*Save it again",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(tmp_path), message)
    assert not (tmp_path / "trace").exists()
