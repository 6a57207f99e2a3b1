"""What a file of `torch.save` declares, read off its pickle without running it."""

import io
import math
import pickletools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch

from skdistill.exceptions import TeacherError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of the format before torch 1.6
LONGEST = 64 * 2**20  # bytes of a pickle; a tensor takes some 200


class Global(NamedTuple):
    """A name that is imported."""

    module: str
    name: str


class Storage(NamedTuple):
    """Numbers that lie elsewhere in the file."""

    key: Any
    n_numbers: int
    n_bytes: int
    itemsize: int


class Declared(NamedTuple):
    """A tensor that a file says to hold."""

    shape: tuple[int, ...]
    n_bytes: int


def read_pickle(file):
    """Read one pickle of tensors, plain values and containers of these.

    Parameters
    ----------
    file : binary file
        Read up to the end of the pickle.

    Returns
    -------
    value : object
        With a `Declared` for each tensor.
    storages : dict
        Each `Storage` by its key.

    Raises
    ------
    TeacherError
        For anything else, before it is imported or called.
    """
    reader = _Reader()
    try:
        for opcode, argument, position in pickletools.genops(file):
            if position is not None and position > LONGEST:
                raise _refused("a description of more than 64 MB")
            reader.take(opcode.name, argument)
        value = reader.stack.pop()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, TeacherError):
            raise
        raise _refused("a pickle that is damaged") from error
    return value, reader.storages


class _Reader:
    """The stack machine of a pickle, over stand-ins."""

    def __init__(self):
        self.stack: list = []
        self.marks: list = []
        self.memo: dict = {}
        self.storages: dict = {}

    def take(self, name, argument):
        """Take one operation."""
        if name in PUSHED:
            self.stack.append(PUSHED[name]())
        elif name in PLAIN:
            self.stack.append(argument)
        elif name == "GLOBAL":
            self.stack.append(_named(*argument.split(" ", 1)))
        elif name == "MARK":
            self.marks.append(self.stack)
            self.stack = []
        elif name == "TUPLE":
            whole = tuple(self._since_mark())
            self.stack.append(whole)
        elif name in TUPLES:
            n = TUPLES[name]
            self.stack[-n:] = [tuple(self.stack[-n:])]
        elif name in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif name in ("APPEND", "APPENDS"):
            items = [self.stack.pop()] if name == "APPEND" else self._since_mark()
            self._top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            pair = name == "SETITEM"
            items = [self.stack.pop(-2), self.stack.pop()] if pair else self._since_mark()
            self._set(items[::2], items[1::2])
        elif name == "BINPERSID":
            self.stack.append(self._stored(self.stack.pop()))
        elif name == "REDUCE":
            arguments, function = self.stack.pop(), self.stack.pop()
            self.stack.append(_called(function, arguments))
        elif name == "BUILD":  # the versions that a state dict carries
            self.stack.pop()
            self._top(dict)
        elif name not in ("PROTO", "STOP"):
            raise _refused(f"the operation {name}")

    def _since_mark(self):
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _top(self, kind):
        if type(self.stack[-1]) is not kind:
            raise _refused(f"an entry of a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def _set(self, keys, values):
        for key in keys:
            if not isinstance(key, str | int | float | None):
                raise _refused(f"a {type(key).__name__} as a key")
        self._top(dict).update(zip(keys, values, strict=True))

    def _stored(self, identity):
        kind, storage, key, _, numel, *_ = identity
        if kind != "storage" or not isinstance(storage, Global) or not _are_sizes([numel]):
            raise _refused("a reference to something else than numbers")
        itemsize = STORAGES[storage.name]
        found = Storage(key, numel, numel * itemsize, itemsize)
        if self.storages.setdefault(key, found) != found:
            raise _refused("two kinds of numbers in one place")
        return found


# Bytes of one number.
STORAGES = {
    **dict.fromkeys(["BoolStorage", "ByteStorage", "CharStorage", "UntypedStorage"], 1),
    **dict.fromkeys(["BFloat16Storage", "HalfStorage", "ShortStorage"], 2),
    **dict.fromkeys(["FloatStorage", "IntStorage"], 4),
    **dict.fromkeys(["ComplexFloatStorage", "DoubleStorage", "LongStorage"], 8),
    "ComplexDoubleStorage": 16,
}
PUSHED: dict[str, Callable] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "NEWFALSE": lambda: False,
    "NEWTRUE": lambda: True,
    "NONE": lambda: None,
}
PLAIN = {"BINFLOAT", "BININT", "BININT1", "BININT2", "BINUNICODE", "LONG1", "SHORT_BINSTRING"}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _named(module, name):
    is_storage = module in ("torch", "torch.cuda", "torch.storage") and name in STORAGES
    is_dtype = module == "torch" and isinstance(getattr(torch, name, None), torch.dtype)
    if not (is_storage or is_dtype or Global(module, name) in CALLED):
        raise _refused(f"{module}.{name}")
    return Global(module, name)


def _called(function, arguments):
    if function not in CALLED:
        raise _refused("a call")
    return CALLED[function](*arguments)


def _tensor(storage, offset, shape, strides, *rest):
    """Stand in for a tensor; `rest` is its gradient's settings and, in the third version, dtype."""
    if not isinstance(storage, Storage) or not _are_sizes([offset, *shape, *strides]):
        raise _refused("a tensor of no shape")
    itemsize = storage.itemsize
    if len(rest) > 2:
        itemsize = getattr(torch, rest[2].name).itemsize
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if 0 not in shape and (last + 1) * itemsize > storage.n_bytes:
        raise _refused("a tensor that reaches beyond its numbers")
    return Declared(tuple(shape), math.prod(shape) * itemsize)


def _parameter(data, *_):
    if not isinstance(data, Declared):
        raise _refused("a parameter without a tensor")
    return data


def _ordered_dict(*items):
    if items not in ((), ([],)):
        raise _refused("a call of OrderedDict")
    return {}


CALLED: dict[Any, Callable] = {
    Global("collections", "OrderedDict"): _ordered_dict,
    Global("torch._utils", "_rebuild_tensor_v2"): _tensor,
    Global("torch._utils", "_rebuild_tensor_v3"): _tensor,
    Global("torch._utils", "_rebuild_parameter"): _parameter,
    Global("torch", "Size"): tuple,
}


def _are_sizes(numbers):
    return all(type(number) is int and number >= 0 for number in numbers)


def _refused(what):
    # torch's own message advises to read the file without its guard.
    return TeacherError(
        f"it is no file of tensors alone: it holds {what}, and whatever else it holds may run "
        f"code. Save the tensors, torch.save(module.state_dict(), path), or load it yourself and "
        f"pass the module"
    )


def read_legacy(content):
    """Read what a file in torch's format before 1.6 declares.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    object
        See `read_pickle`.

    Raises
    ------
    TeacherError
    """
    file = io.BytesIO(content)
    if [read_pickle(file)[0] for _ in range(2)] != [MAGIC, PROTOCOL]:
        raise _refused("no mark of torch.save")
    read_pickle(file)  # of the system that it was saved on
    value, storages = read_pickle(file)
    keys, _ = read_pickle(file)
    stored = len(content) - file.tell()
    if sum(one.n_bytes for one in storages.values()) + 8 * len(storages) > stored:
        raise _refused("fewer numbers than it declares, being cut off")
    if not isinstance(keys, list) or not set(map(str, keys)) <= set(map(str, storages)):
        raise _refused("numbers of no tensor")
    return value
