"""A teacher on its way to the workers of dask: its bytes, opened once by each of them."""

import hashlib
import pickle
import sys
import threading
from typing import Any, NamedTuple

from skdistill.teachers._fit import is_kept

_opening = threading.RLock()
_last: dict[str, Any] = {}
"""The teacher that this worker has opened last, by its digest."""


class Sent(NamedTuple):
    """A teacher as bytes.

    Attributes
    ----------
    digest : str
        Of the bytes.
    content : bytes
        The pickled teacher.
    """

    digest: str
    content: bytes

    @classmethod
    def of(cls, teacher):
        """Return a teacher as bytes, None of one that cannot be pickled."""
        import cloudpickle  # dask needs it; it also takes along what a script or notebook defines

        try:
            content = cloudpickle.dumps(teacher)
        except Exception:  # whatever its parts raise: whoever pickles the whole meets it again
            return None
        return cls(hashlib.sha256(content).hexdigest(), content)

    def open(self):
        """Return the teacher: in a task of dask the one that its worker has, if it has it."""
        if not _is_task_of_dask():
            return pickle.loads(self.content)
        if self.digest not in _last:
            _last.clear()
            _last[self.digest] = pickle.loads(self.content)
        return _last[self.digest]


def _is_task_of_dask():
    distributed = sys.modules.get("distributed")
    if distributed is None:
        return False
    try:
        distributed.get_worker()
    except ValueError:
        return False
    return True


class _OpenedTeacher:
    """The teacher of a model that has been sent, for which it is asked the first time.

    An attribute of the model itself goes before it.
    """

    def __get__(self, model, owner=None):
        if model is None:
            return self
        with _opening:
            state = vars(model)
            if "_sent" in state:
                state["teacher"] = state.pop("_sent").open()
            if "teacher" not in state:
                raise AttributeError(f"{type(model).__name__!r} object has no attribute 'teacher'")
            return state["teacher"]


class SentOnce:
    """A model that takes its fitted teacher to each worker of dask once.

    Searches send a clone of a model with each task. Where dask is in use, that of a fitted teacher
    holds it as bytes until it is asked for it, and then shares it with the other tasks of its
    worker, as clones in one process do. Everywhere else each copy opens a teacher of its own.
    """

    teacher: Any = _OpenedTeacher()

    def whole_state(self) -> dict:
        """Return the state with the teacher itself in it, whatever is in use.

        Returns
        -------
        dict
        """
        teacher = self.teacher  # opened now, if it was sent
        state: Any = super().__getstate__()
        return {**state, "teacher": teacher}

    def __getstate__(self):
        state: Any = super().__getstate__()
        if "distributed" not in sys.modules or not _goes_apart(state):
            return state
        sent = Sent.of(state["teacher"])
        if sent is None:
            return state
        others = {name: value for name, value in state.items() if name != "teacher"}
        return {**others, "_sent": sent}

    def __copy__(self):
        copy = type(self).__new__(type(self))
        vars(copy).update(vars(self), teacher=self.teacher)
        vars(copy).pop("_sent", None)
        return copy


def _goes_apart(state):
    """Whether a model is unfitted, and its teacher fitted and from this process."""
    teacher = state.get("teacher")
    is_from_elsewhere = any(teacher is opened for opened in _last.values())
    return "student_" not in state and is_kept(teacher) and not is_from_elsewhere
