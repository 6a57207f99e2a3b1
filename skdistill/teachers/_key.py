"""A key of an object's content, the same in every process."""

import hashlib
import types

import numpy as np
import torch
from joblib.hashing import NumpyHasher
from scipy import sparse
from sklearn.neighbors import BallTree, KDTree
from skorch import NeuralNet

from skdistill._input._frames import column_contents, column_names, is_table
from skdistill._unwrap import unfrozen
from skdistill._words import one_line
from skdistill.exceptions import TeacherError
from skdistill.teachers._base_ensemble import members_of
from skdistill.teachers._callable import CallableTeacher
from skdistill.teachers._sent import SentOnce

TRAINING_ALONE = {"history_", "optimizer_", "callbacks_", "training"}
"""What changes in a net without a change of its answers; `callbacks` too once it is trained."""

PLAIN = {str, float, int, bool, type(None)}
"""Types whose `repr` tells their values apart."""


class _ContentHasher(NumpyHasher):
    """joblib's hash, without what is different after pickling or in another process.

    joblib sees the strides of arrays, the addresses of tensors and the mode of a module.
    """

    def save(self, obj):
        if isinstance(obj, np.ndarray):
            values = _as_bytes(obj)
            if values is not None:
                digest = hashlib.md5(values, usedforsecurity=False).digest()
                obj = ("array", obj.dtype.descr, obj.shape, digest)
        super().save(obj)

    def reducer_override(self, obj):
        if _is_of_main(obj):
            return _stand_in, (obj.__module__, obj.__qualname__)
        if isinstance(obj, torch.Tensor):
            raw = obj.detach().to_dense().cpu().contiguous().reshape(-1).view(torch.uint8)
            known_by = (type(obj), str(obj.dtype), tuple(obj.shape), raw.numpy())
            frozen = isinstance(obj, torch.nn.Parameter) and not obj.requires_grad
            return _stand_in, (*known_by, "frozen") if frozen else known_by
        if isinstance(obj, torch.nn.Module | NeuralNet):
            unheard = TRAINING_ALONE | ({"callbacks"} if hasattr(obj, "module_") else set())
            state = {name: part for name, part in vars(obj).items() if name not in unheard}
            if isinstance(obj, NeuralNet):  # whose parts share objects until it is pickled
                state = {name: content_key(part) for name, part in state.items()}
            return _stand_in, (type(obj),), state
        if is_table(obj) and not isinstance(obj, type):
            return _stand_in, (type(obj), column_names(obj), column_contents(obj))
        if sparse.issparse(obj):
            entries = obj.tocoo()
            return _stand_in, (type(obj), obj.shape, entries.row, entries.col, entries.data)
        if isinstance(obj, KDTree | BallTree):  # whose state counts the queries
            return _stand_in, (type(obj), *map(np.asarray, obj.get_arrays()))
        if isinstance(obj, SentOnce):  # whose pickle for dask is another
            return _stand_in, (type(obj),), obj.whole_state()
        if isinstance(obj, CallableTeacher):
            return _stand_in, (type(obj), obj.cache_key, obj.classes)
        return NotImplemented


def _is_of_main(obj):
    """Whether a class or function of the user's script has a name, by which workers know it too."""
    named = isinstance(obj, type | types.FunctionType) and obj.__module__ == "__main__"
    return named and "<" not in obj.__qualname__


def _as_bytes(array):
    """Return the values of an array as bytes, None for an array of unknown objects."""
    if not array.dtype.hasobject:
        return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    if {type(value) for value in array.flat} <= PLAIN:  # strings and gaps, as in many tables
        return "\n".join(map(repr, array.flat)).encode(errors="surrogatepass")
    return None


def _stand_in(*parts):
    """Stand, by its name, for what a pickle would call."""


def content_key(*objects):
    """Return a key of what objects hold.

    Parameters
    ----------
    *objects : object
        Arrays, tables, estimators, modules, plain values. Classes and functions inside count by
        their names.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    return _ContentHasher().hash(objects)


def check_key(teacher, given="with memory"):
    """Refuse a teacher whose answers cannot be kept, before anything is asked.

    Parameters
    ----------
    teacher : object
        An ensemble, or any other teacher.
    given : str, default="with memory"
        To whom the teacher was given, for the error.

    Raises
    ------
    TeacherError
        For a function, and for a `CallableTeacher` without a `cache_key`.
    """
    for member in members_of(teacher):
        core = unfrozen(member)
        is_known = isinstance(core, torch.nn.Module) or hasattr(core, "predict")
        if callable(core) and not is_known:
            raise _no_key(core, given)
        if isinstance(core, CallableTeacher) and core.cache_key is None:
            raise _no_key(core.function, given)


def teacher_key(teacher, given="with memory"):
    """Return the key of a teacher: its class, its parameters, and what it has learnt.

    Parameters
    ----------
    teacher : object
        Fitted or not.
    given : str, default="with memory"
        As in `check_key`.

    Returns
    -------
    str

    Raises
    ------
    TeacherError
        When the teacher has no key of its own; see `check_key`.
    """
    check_key(teacher, given)
    try:
        return content_key(unfrozen(teacher))
    except Exception as error:  # whatever a part of it raises that cannot be pickled
        reason = next(iter(error.args), error)
        raise TeacherError(
            f"The teacher {type(teacher).__name__} was given {given}, and what it holds has no "
            f"key to keep its answers by ({one_line(reason)}). Give that part a name that can be "
            "imported; for a fitted teacher you may name a key of your own, "
            "CallableTeacher(teacher.predict_proba, classes=teacher.classes_, cache_key='...')."
        ) from error


def _no_key(function, given):
    name = getattr(function, "__name__", type(function).__name__)
    return TeacherError(
        f"The teacher {name} is a function and was given {given}, which cannot see whether it "
        f"still answers as it did. Name what its answers depend on, such as the model's version: "
        f"skdistill.teachers.CallableTeacher({name}, cache_key='...')."
    )
