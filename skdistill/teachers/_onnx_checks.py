"""What an ONNX model may not do: read other files, need foreign operators, grow out of bounds."""

import importlib
import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

from skdistill.exceptions import TeacherError
from skdistill.teachers._archive import check_declared

DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}
# The largest language models have some 50,000.
MOST_NODES = 200_000
# One array that depends on the rows may take this many bytes, where the model fixes its shape.
LARGEST_ARRAY = 4 * 2**30
# Quantised weights take 8 times as much when they are unpacked, in some steps.
CONSTANTS_RATIO = 64


def messages_of(message, kind) -> Iterator:
    """Find all parts of one kind in a protobuf message, however deep.

    Parameters
    ----------
    message : google.protobuf.message.Message
    kind : type
        Such as onnx.NodeProto.

    Yields
    ------
    Message
    """
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in [value] if hasattr(value, "ListFields") else value:
            if isinstance(part, kind):
                yield part
            yield from messages_of(part, kind)


def load_external(model, folder, onnx):
    """Read the weights that lie in files beside a model.

    Parameters
    ----------
    model : onnx.ModelProto
        Changed in place.
    folder : Path
        That of the model, which no file may lie outside of.
    onnx : module

    Returns
    -------
    int
        Bytes of the files that were read.

    Raises
    ------
    TeacherError
    """
    helper = onnx.external_data_helper
    tensors = [
        tensor
        for tensor in messages_of(model, onnx.TensorProto)
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data
    ]
    files, declared = {}, 0
    for tensor in tensors:
        entries = {entry.key: entry.value for entry in tensor.external_data}
        location = entries.get("location", "")
        files[location] = _check_location(location, folder)
        declared += int(entries.get("length", files[location]))
    stored = sum(files.values())
    check_declared(declared, stored, "its weights in other files", ratio=4)
    for tensor in tensors:
        helper.load_external_data_for_tensor(tensor, str(folder))
        # The onnx releases before 1.23.1 leave it to their caller to say that they are here now.
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return stored


def _check_location(location, folder):
    """Return the size of a file with weights, if it is a plain one in the folder of the model."""
    windows, posix = PureWindowsPath(location), PurePosixPath(location)
    file = Path(folder) / location
    reason = None
    if not location or windows.drive or windows.root or "\\" in location or ".." in posix.parts:
        reason = "lies outside the model's folder"
    elif any(part.is_symlink() for part in [file, *file.parents][: len(posix.parts)]):
        reason = "is a link"
    elif not file.is_file():
        reason = "is not there"
    elif file.stat().st_nlink > 1:
        reason = "has a second name, as a hard link to somebody else's file has"
    if reason:
        raise TeacherError(
            f"its weights lie in the file {location[:200]!r}, which {reason}; expected a plain "
            f"file beside the model or below it. Copy the file there, or save the model in one "
            f"file"
        )
    return file.stat().st_size


def check_model(model, stored, onnx):
    """Refuse foreign operators and what would take far more memory than the file.

    Parameters
    ----------
    model : onnx.ModelProto
        With all its weights.
    stored : int
        Bytes of its files.
    onnx : module

    Raises
    ------
    TeacherError
    """
    domains = DOMAINS | {function.domain for function in model.functions}
    foreign = {
        f"{node.domain}.{node.op_type}"
        for node in messages_of(model, onnx.NodeProto)
        if node.domain not in domains
    }
    if foreign:
        raise TeacherError(
            f"it needs the operators {sorted(foreign)[:6]}, which come with some other library; "
            f"expected those of {sorted(DOMAINS - {''})}. Export it without custom operators"
        )
    if model.functions:
        _check_functions(model, onnx)
        inliner = importlib.import_module("onnx.inliner")
        model = inliner.inline_local_functions(model)
    # Without data_prop, which computes constants on the way, however large they are.
    inferred = onnx.shape_inference.infer_shapes(model)
    constants = sum(_declared(inferred.graph, set(), onnx))
    check_declared(constants, stored, "what it computes without rows", ratio=CONSTANTS_RATIO)


def _check_functions(model, onnx):
    """Refuse functions that call each other so often that no computer can write them out."""
    bodies = {(one.domain, one.name): one for one in model.functions}
    n_nodes: dict = {}

    def count(body):
        total = 0
        for node in messages_of(body, onnx.NodeProto):
            key = (node.domain, node.op_type)
            if key in bodies and key not in n_nodes:
                n_nodes[key] = math.inf  # for whoever calls itself
                n_nodes[key] = count(bodies[key])
            total += n_nodes.get(key, 1)
        return total

    total = count(model.graph)
    if total > MOST_NODES:
        raise TeacherError(
            f"its functions call each other, {total:.3g} operations in all; expected at most "
            f"{MOST_NODES}, which no honest model exceeds. Export it without local functions"
        )


def _declared(graph, outer, onnx):
    """Yield the bytes of each array that does not depend on the rows; refuse huge ones that do."""
    known = {one.name: one.type for one in [*graph.value_info, *graph.input, *graph.output]}
    constants = {tensor.name for tensor in graph.initializer}
    dependent = outer | {one.name for one in graph.input if one.name not in constants}
    for sparse in graph.sparse_initializer:
        yield math.prod(sparse.dims) * _itemsize(sparse.values.data_type, onnx)
    for name in dependent - outer:
        _check_array(name, known[name], onnx)
    for node in graph.node:
        is_dependent = not dependent.isdisjoint(node.input)
        for attribute in node.attribute:
            for body in [attribute.g, *attribute.graphs]:
                yield from _declared(body, dependent, onnx)
                is_dependent |= any(not dependent.isdisjoint(one.input) for one in body.node)
        for name in filter(None, node.output):
            if is_dependent:
                dependent.add(name)
                _check_array(name, known.get(name), onnx)
            elif name in known:
                yield _n_bytes(known[name], onnx)


def _check_array(name, kind, onnx):
    declared = 0 if kind is None else _n_bytes(kind, onnx)
    what = f"its array {name[:80]!r}"
    check_declared(declared, 0, what, always=LARGEST_ARRAY)


def _n_bytes(kind, onnx):
    """Return the bytes of an array, its unknown dimensions taken for one."""
    tensor = kind.tensor_type
    if not tensor.HasField("shape"):
        return 0
    dims = [dim.dim_value for dim in tensor.shape.dim if dim.HasField("dim_value")]
    return math.prod(dims) * _itemsize(tensor.elem_type, onnx)


def _itemsize(elem_type, onnx):
    try:
        return onnx.helper.tensor_dtype_to_np_dtype(elem_type).itemsize
    except (KeyError, TypeError):
        return 1
