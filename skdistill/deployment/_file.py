"""A file of arrays and of what they are: written whole or not at all, read with its digest."""

import hashlib
import json
import struct

import numpy as np

from skdistill.deployment._header import DIGEST, KEY, read_header, refuse

KINDS = {
    **{"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "F16": "<f2"},
    **{"U32": "<u4", "I32": "<i4", "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8"},
}
NAMES = {kind: name for name, kind in KINDS.items()}


class Arrays(dict):
    """Arrays by name; in a description stands what `add` returns for each."""

    def add(self, name, values):
        """Keep an array, and return what stands for it."""
        if name in self:
            raise ValueError(f"two arrays are called {name!r}")
        values = np.asarray(values)
        self[name] = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(
            values.shape
        )
        return {"tensor": name}

    def get_array(self, reference):
        """Return the array that something stands for, in memory of its own."""
        return self[reference["tensor"]].copy()


def is_storable(dtype):
    """Whether numbers of a dtype of numpy can be kept."""
    return dtype.newbyteorder("<").str in NAMES


def write_file(path, description, arrays):
    """Write a file; the bytes are the same whenever the content is.

    Parameters
    ----------
    path : Path
    description : dict
        What JSON can hold.
    arrays : Arrays
    """
    # Largest items first, so that each array begins at a multiple of its item's size.
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    entries, end = {}, 0
    for name in names:
        values = arrays[name]
        begin, end = end, end + values.nbytes
        kind = NAMES[values.dtype.str]
        entries[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [begin, end]}
    text = json.dumps(description, allow_nan=False)
    parts = [arrays[name].tobytes() for name in names]
    digest = _digest(text, entries, parts)
    header = json.dumps({"__metadata__": {KEY: text, DIGEST: digest}, **entries}).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)))
        file.write(header)
        file.writelines(parts)


def read_file(path):
    """Read a file, and check its digest.

    Parameters
    ----------
    path : Path

    Returns
    -------
    description : dict
    arrays : Arrays
        Views of the file's bytes.

    Raises
    ------
    StudentError
    """
    with open(path, "rb") as file:
        header = read_header(file, path.name)
        content = bytearray(file.read(header.size))
    entries = {
        name: {"dtype": e.dtype, "shape": list(e.shape), "data_offsets": [e.start, e.end]}
        for name, e in header.entries.items()
    }
    found = _digest(header.text, entries, [content])
    if found != header.digest:
        refuse(
            path.name,
            f"its content has the SHA-256 {found[:12]}... where the file says "
            f"{header.digest[:12]!r}...; expected the same, for it was changed or damaged after it "
            f"was written. Copy it again from where it was saved",
        )
    arrays = Arrays()
    for name, entry in header.entries.items():
        part = memoryview(content)[entry.start : entry.end]
        arrays[name] = np.frombuffer(part, KINDS[entry.dtype]).reshape(entry.shape)
    return header.description, arrays


def _digest(text, entries, parts):
    digest = hashlib.sha256(text.encode())
    digest.update(json.dumps(entries, sort_keys=True).encode())
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
