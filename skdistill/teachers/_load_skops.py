"""Teachers from skops files: what a file says of itself is read before anything is made of it.

skops imports and calls what a file names, if the user trusts the names. That trust does not reach
far enough where the names do not tell what runs, and there the file is refused whatever is trusted:
bytes, which a class may unpickle, as skorch does; calls with arguments from the file; names that
stand for something else; and functions that run what they are given.
"""

import importlib
import json
from types import ModuleType
from typing import NamedTuple

import numpy as np
import skorch
import torch

from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._archive import check_declared, open_archive
from skdistill.teachers._file_teacher import import_extra

# Loaders that call their class with what is in them, and what that class has to be.
CONTAINERS: dict[str, type | tuple[type, ...]] = {
    "DictNode": dict,
    "ListNode": list,
    "NdArrayNode": (np.ndarray, np.generic),
    "SetNode": (set, frozenset),
    "TupleNode": tuple,
}
# All that skops has but for CachedNode, which it has never written.
LOADERS = {
    *CONTAINERS,
    *("BytearrayNode", "BytesNode", "ConstructorFromReduceNode", "DTypeNode", "DefaultDictNode"),
    *("FunctionNode", "JsonNode", "LossNode", "MaskedArrayNode", "MethodNode", "ObjectNode"),
    *("OperatorFuncNode", "PartialNode", "QuantileForestNode", "RandomGeneratorNode"),
    *("RandomStateNode", "SliceNode", "SparseMatrixNode", "TreeNode", "TypeNode"),
}
# Packages whose objects keep bytes in a format of their own, which is no pickle.
OWN_BYTES = {"catboost", "lightgbm", "xgboost"}
# Packages whose classes may be called with arguments from the file.
PLAIN_VALUES = {"collections", "datetime", "decimal", "fractions", "uuid", "zoneinfo"}
# Of these packages no name is let in, or only some.
NAMES = {
    **dict.fromkeys(["_ctypes", "_pickle", "_posixsubprocess", "cloudpickle", "code"], ()),
    **dict.fromkeys(["ctypes", "dill", "importlib", "joblib", "marshal", "nt", "os"], ()),
    **dict.fromkeys(["pickle", "posix", "pty", "runpy", "shelve", "shutil", "skdistill"], ()),
    **dict.fromkeys(["skops", "skorch", "subprocess", "sys", "torch"], ()),
    "_operator": ("abs", "add", "mod", "mul", "neg", "pow", "sub", "truediv"),
    "builtins": (
        *("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list"),
        *("map", "object", "range", "set", "slice", "str", "tuple"),  # types
        *("abs", "len", "max", "min", "round", "sorted", "sum"),
    ),
    "functools": ("partial",),
    "operator": ("itemgetter",),
}
PICKLED = "__cuda_dependent_attributes__"  # the key under which skorch keeps its pickle
# Python's objects take some twenty times the room of the text that describes them.
ALWAYS_ALLOWED_SCHEMA = 16 * 2**20


class SkopsNode(NamedTuple):
    """One object that a file describes."""

    loader: str
    module: str
    name: str

    @property
    def path(self):
        """The name by which it is trusted."""
        return f"{self.module}.{self.name}"

    @property
    def package(self):
        """The outermost module."""
        return self.module.partition(".")[0]


def load_skops(path, trusted):
    """Load an estimator that skops wrote.

    Parameters
    ----------
    path : Path
    trusted : bool or list of str
        See `load_teacher`.

    Returns
    -------
    object

    Raises
    ------
    TeacherError
    """
    return read_skops(path.read_bytes(), trusted)


def read_skops(content, trusted):
    """Make an estimator of what skops wrote.

    Parameters
    ----------
    content : bytes
    trusted : bool or list of str
        See `load_teacher`.

    Returns
    -------
    object

    Raises
    ------
    TeacherError
    """
    skops = import_extra("skops.io", "skops")
    try:  # how deep JSON may be depends on the Python, and skops reads less deep than that
        return _read(content, trusted, skops)
    except RecursionError as error:
        raise _tampered("parts within parts, too deep to be read") from error


def _read(content, trusted, skops):
    nodes = _read_nodes(content)
    named = [] if isinstance(trusted, bool) else list(trusted)
    kinds = skops.get_untrusted_types(data=content)
    unknown = [kind for kind in kinds if kind not in named]
    if unknown:
        raise TeacherError(
            f"it holds the types {unknown}, which are not known to be harmless. Look at them, and "
            f"if you trust them name them: trusted={[*named, *unknown]}"
        )
    for node in nodes:
        if node.path in kinds:
            _check_what_it_is(node)
    return skops.loads(content, trusted=named)


def _read_nodes(content):
    """Return what a file describes, without repetitions, once it is known to hide nothing."""
    archive = open_archive(content)
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    if "schema.json" not in sizes:
        raise TeacherError(
            "it has no schema.json; expected the archive that skops.io.dump writes. Save it again"
        )
    schema = archive.getinfo("schema.json")
    check_declared(
        schema.file_size, schema.compress_size, "its schema.json", always=ALWAYS_ALLOWED_SCHEMA
    )
    try:
        nodes, files = _walk(json.loads(archive.read("schema.json")))
        declared = sum(sizes[file] for file in files)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, TeacherError):
            raise
        raise _tampered("a schema that says too little, or cannot be read") from error
    check_declared(declared, len(content), "what it describes")
    for file in files:
        if file.endswith(".npz"):
            open_archive(archive.read(file))
    return nodes


def _walk(schema):
    """Return the nodes, and the file of each object that has one."""
    nodes: set[SkopsNode] = set()
    by_id: dict = {}
    files: dict = {}
    pending = [(schema, False)]
    while pending:
        value, is_inside = pending.pop()
        if isinstance(value, list):
            pending += [(child, is_inside) for child in value]
        if not isinstance(value, dict):
            continue
        if PICKLED in value:
            raise _skorch_net("a skorch net")
        if isinstance(value.get("__loader__"), str):
            node = SkopsNode(value["__loader__"], value["__module__"], value["__class__"])
            _check_node(node, value, is_inside)
            key = value.get("__id__", object())
            if by_id.setdefault(key, node) != node:
                raise _tampered("two objects of one number")
            if "file" in value:
                files[key, value["file"]] = value["file"]
            nodes.add(node)
            is_inside = is_inside or (node.loader == "ObjectNode" and node.package in OWN_BYTES)
        elif not isinstance(value.get("__id__", {}), dict):
            raise _tampered("a reference without its object")
        pending += [(child, is_inside) for child in value.values()]
    return nodes, list(files.values())


def _check_node(node, value, is_inside):
    """Refuse what may run code although nothing that is trusted says so."""
    if node.loader not in LOADERS:
        raise _tampered(f"a {node.loader}")
    if node.package in {"skdistill", "skorch", "torch"}:
        raise _skorch_net(node.path)
    if node.name not in NAMES.get(node.package, (node.name,)):
        raise TeacherError(
            f"it holds {node.path}, which can run any code; expected an estimator without it, "
            f"whatever is trusted. If you know who made the estimator, let it be saved by "
            f"joblib.dump and pass trusted=True"
        )
    if node.loader in {"BytesNode", "BytearrayNode"} and not is_inside:
        raise TeacherError(
            "it holds bytes outside of a model of LightGBM, XGBoost or CatBoost, and bytes may be "
            "a pickle, which runs whatever code it holds; expected numbers, texts and estimators "
            "of these, whatever is trusted. If you know who made it, let it be saved by "
            "joblib.dump and pass trusted=True"
        )
    if node.loader == "ConstructorFromReduceNode" and node.package not in PLAIN_VALUES:
        raise _tampered(f"a call of {node.path}")
    if node.loader == "DictNode":
        for kind in value["key_types"]["content"]:
            is_type = kind["__loader__"] == "TypeNode"
            if not is_type or kind["__module__"].partition(".")[0] not in {"builtins", "numpy"}:
                raise _tampered(f"keys of the type {kind['__module__']}.{kind['__class__']}")


def _check_what_it_is(node):
    """Refuse a trusted name that stands for something else than it says."""
    found = getattr(importlib.import_module(node.module), node.name)
    is_class = isinstance(found, type)
    if is_class and issubclass(found, skorch.NeuralNet | torch.nn.Module):
        raise _skorch_net(node.path)
    home = getattr(found, "__module__", None) or type(found).__module__
    name = getattr(found, "__name__", node.name)
    is_wrong = isinstance(found, ModuleType) or name not in NAMES.get(
        home.partition(".")[0], (name,)
    )
    if node.loader in CONTAINERS:
        is_wrong |= not (is_class and issubclass(found, CONTAINERS[node.loader]))
    if is_wrong:
        raise _tampered(f"the name {node.path}, which stands for {shorten(found)}")


def _skorch_net(what):
    return TeacherError(
        f"it holds {what}, and a net in this format brings a pickle, which runs whatever code it "
        f"holds; expected an estimator without nets, whatever is trusted. Save the weights, "
        f"torch.save(net.module_.state_dict(), 'net.pt'), and load them with module=..., or let "
        f"the net be saved by joblib.dump and pass trusted=True if you know who made it"
    )


def _tampered(what):
    return TeacherError(
        f"it holds {what}, as skops writes it for no estimator; expected a file of skops.io.dump "
        f"as it was written. Ask its maker for another, or for one of another format"
    )
