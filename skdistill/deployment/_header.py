"""The head of a file, read and looked through before anything is made of what follows it.

The file is a safetensors file: eight bytes that give the length of a header, the header in JSON,
the bytes of the tensors. Reading it is this short, and what a stranger's file may do is decided
here, by what is refused; so it is read and written by this package itself, and `inspect` needs no
other. Any reader of safetensors opens it too.
"""

import json
import math
import os
import struct
from typing import Any, BinaryIO, NamedTuple, NoReturn

from skdistill._words import one_line

FORMATS = {
    **{"ClassLink": 1, "ProbabilityLink": 1, "NumberLink": 1},
    **{"LabelLink": 2, "LabelShareLink": 2},
}
"""Of a file, by its student's link: the first that knows it, so that older releases read what they
can and name the newer one for the rest."""

OF_INPUTS = 2
"""That of a student whose rows are a dict of several inputs, at least."""

FORMAT = max(FORMATS.values())
"""The newest that is read."""

KEY, DIGEST = "skdistill", "sha256"
"""What the description of the student, and the digest of it and the tensors, are called."""

NEEDS_MODULE = "needs_module"
"""Of the step that predicts: whether its weights are those of a class that is not in the file."""

STATE, SCALE = "module.", "scale."
"""What the names of a network's weights begin with, and of the scales of weights in int8."""

LONGEST_HEADER = 100 * 2**20
MOST_AXES = 16
SIZES = {
    **{"BOOL": 1, "U8": 1, "I8": 1, "U16": 2, "I16": 2, "F16": 2},
    **{"U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8},
}
"""Bytes of a number of each kind."""


class Entry(NamedTuple):
    """What the header says of a tensor; its bytes are counted from the header's end."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


class Header(NamedTuple):
    """The head of a file.

    Attributes
    ----------
    description : dict
        What the file says of the student.
    text : str
        The same as it stands there.
    digest : str
        The SHA-256 that its content must have.
    entries : dict of str to Entry
    start, size : int
        Where the bytes of the tensors begin, and how many they are.
    """

    description: dict[str, Any]
    text: str
    digest: str
    entries: dict[str, Entry]
    start: int
    size: int


def refuse(name: str, came: str) -> NoReturn:
    """Raise a StudentError that says why a file is not read."""
    from skdistill.exceptions import StudentError  # which imports scikit-learn

    raise StudentError(f"{name} cannot be read as a saved student: {came}.")


def read_header(file: BinaryIO, name: str) -> Header:
    """Read the head of a file; refuse what `save` does not write.

    Parameters
    ----------
    file : binary file
        At its start.
    name : str
        What it is called in errors.

    Returns
    -------
    Header

    Raises
    ------
    StudentError
        For a file that is truncated, damaged, of another kind or of a newer format.
    """
    n_bytes = os.fstat(file.fileno()).st_size
    start = file.read(8)
    if len(start) < 8:
        refuse(name, f"it has {n_bytes} bytes; expected a whole file of save. Copy it again")
    (length,) = struct.unpack("<Q", start)
    if length > min(LONGEST_HEADER, n_bytes - 8):
        refuse(
            name,
            f"its header is said to have {length} bytes, and the file has {n_bytes}; expected a "
            f"whole file of save, whose header is no longer than {LONGEST_HEADER}. Copy it again",
        )
    header = _parse(file.read(length), name, "its header")
    entries = {key: _entry(key, value, name) for key, value in header.items() if key[:2] != "__"}
    size = n_bytes - 8 - length
    _check_order(entries, size, name)
    metadata = header.get("__metadata__", {})
    if not header.keys() - entries.keys() <= {"__metadata__"} or not _is_text(metadata):
        refuse(name, "its header is none of safetensors; expected a file of save")
    if KEY not in metadata or DIGEST not in metadata:
        refuse(
            name,
            "it holds tensors and says of no student what they are; expected a file of save. "
            "Weights of a module alone are read by load_teacher(path, module=...)",
        )
    text = metadata[KEY]
    description = _parse(text.encode(), name, "its description")
    _check_format(description, name)
    return Header(description, text, metadata[DIGEST], entries, 8 + length, size)


def _parse(content, name, what):
    """Return a JSON object in which no key stands twice and every number is finite."""
    try:
        found = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        refuse(
            name, f"{what} is damaged ({one_line(error, 100)}); expected JSON. Copy the file again"
        )
    if not isinstance(found, dict):
        refuse(name, f"{what} is a {type(found).__name__}; expected a JSON object of save")
    return found


def _once(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} stands twice")
    return found


def _no_constant(constant):
    raise ValueError(f"{constant} is no number of JSON")


def _is_text(metadata):
    return isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values())


def _are_counts(values):
    return isinstance(values, list) and all(type(one) is int and one >= 0 for one in values)


def _entry(key, value, name):
    """Return what the header says of a tensor; refuse a size that is not that of its shape."""
    what = f"the tensor {key[:80]!r}"
    if not isinstance(value, dict) or value.keys() != {"dtype", "shape", "data_offsets"}:
        refuse(name, f"of {what} it says {str(value)[:80]}; expected dtype, shape and offsets")
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not _are_counts(shape) or len(shape) > MOST_AXES:
        refuse(name, f"{what} has the shape {str(shape)[:80]}; expected up to {MOST_AXES} counts")
    if not _are_counts(offsets) or len(offsets) != 2:
        refuse(name, f"{what} has the offsets {str(offsets)[:80]}; expected two counts of bytes")
    if not isinstance(dtype, str) or dtype not in SIZES:
        refuse(name, f"{what} is of dtype {str(dtype)[:20]!r}; expected one of {list(SIZES)}")
    start, end = offsets
    expected = math.prod(shape) * SIZES[dtype]
    if end - start != expected:
        refuse(
            name,
            f"{what} of shape {tuple(shape)} has {end - start} bytes; expected {expected}. Save "
            f"the student again",
        )
    return Entry(dtype, tuple(shape), start, end)


def _check_order(entries, size, name):
    """Refuse tensors that overlap, leave gaps, or end elsewhere than the file."""
    reached = 0
    for key, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        if entry.start != reached:
            refuse(name, f"the tensor {key[:80]!r} begins at byte {entry.start}; expected "
                   f"{reached}, where the one before it ends")  # fmt: skip
        reached = entry.end
    if reached != size:
        refuse(
            name,
            f"its tensors have {reached} bytes, and {size} follow its header; expected the same. "
            f"Copy the file again",
        )


def _check_format(description, name):
    number = description.get("format")
    if not _are_counts([number]) or number == 0:
        refuse(name, f"its format is {str(number)[:20]!r}; expected a number such as {FORMAT}")
    if number > FORMAT:
        written = str(description.get("versions", {}))[:200]
        refuse(
            name,
            f"its format is {number}, of a newer skdistill ({written}); expected {FORMAT} or less. "
            f"pip install --upgrade skdistill",
        )
