"""The bytes of a .skops file without what differs from one writing to the next.

skops calls arrays and objects by where they lie in memory, and notes the time. Between the fields
of a tree's nodes lies whatever was in the memory before.
"""

import io
import json
from itertools import count
from pathlib import PurePath
from zipfile import ZipFile, ZipInfo

import numpy as np

SCHEMA = "schema.json"
NPY = b"\x93NUMPY"


def settled(content):
    """Return a .skops file of the same estimator whose bytes depend on nothing else.

    Parameters
    ----------
    content : bytes
        As `skops.io.dumps` has just written it.

    Returns
    -------
    bytes
    """
    with ZipFile(io.BytesIO(content)) as written:
        parts = {name: written.read(name) for name in written.namelist()}
    schema = json.loads(parts.pop(SCHEMA))
    names = _renumber(schema, parts)
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as file:  # ZipInfo begins in 1980, wherever and whenever it is
        for old, new in names.items():
            file.writestr(ZipInfo(new), _without_padding(parts[old]))
        file.writestr(ZipInfo(SCHEMA), json.dumps(schema))
    return buffer.getvalue()


def _without_padding(part):
    """Return an array of records as a file, with zeros between its fields; others as they are."""
    if not part.startswith(NPY):
        return part
    values = np.load(io.BytesIO(part), allow_pickle=False)
    if values.dtype.names is None:
        return part
    clean = np.zeros(values.shape, values.dtype)  # zeros_like clears the fields alone
    for name in values.dtype.names:
        clean[name] = values[name]
    buffer = io.BytesIO()
    np.save(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _renumber(schema, parts):
    """Number objects and arrays in the order in which they come; return the arrays' new names."""
    numbers: dict[object, int] = {}
    names: dict[str, str] = {}
    fresh = count(1)
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(node.get("__id__"), int):
                # Whether two texts or numbers are one object is a matter of chance.
                old = object() if node.get("__loader__") == "JsonNode" else node["__id__"]
                node["__id__"] = numbers.setdefault(old, next(fresh))
            if isinstance(node.get("file"), str) and node["file"] in parts:
                suffix = PurePath(node["file"]).suffix
                node["file"] = names.setdefault(node["file"], f"{len(names)}{suffix}")
            pending += reversed(node.values())
        elif isinstance(node, list):
            pending += reversed(node)
    return names
