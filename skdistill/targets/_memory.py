"""What was computed once is kept in a folder, and what is damaged there is computed again."""

import contextlib
import hashlib
import os
import pickle
import warnings

from filelock import FileLock
from sklearn.utils.validation import check_memory

from skdistill.exceptions import TeacherWarning
from skdistill.teachers._key import content_key


def open_memory(memory):
    """Return the memory to keep results in, None where nothing is to be kept.

    Parameters
    ----------
    memory : None, str or joblib.Memory

    Returns
    -------
    joblib.Memory or None
    """
    memory = check_memory(memory)
    return None if getattr(memory, "store_backend", memory) is None else memory


def remember(memory, compute, *known_by):
    """Return a result out of memory, or compute it and keep it at once.

    Parameters
    ----------
    memory : joblib.Memory or None
        None keeps nothing.
    compute : callable
        Called without arguments for what is not there.
    *known_by : object
        Everything that the result depends on; see `content_key`.

    Returns
    -------
    object

    Warns
    -----
    TeacherWarning
        When the result cannot be pickled. It is returned, and computed again the next time.
    """
    if memory is None:
        return compute()
    fresh = []

    def make():
        fresh.append(compute())
        return fresh[0]

    key = content_key(*known_by)
    recall = memory.cache(_seal, ignore=["make"])
    try:
        with alone(memory, key):
            kept = recall(key, make)
            if not fresh and not _is_whole(kept):
                recall.call_and_shelve(key, make).clear()
                recall(key, make)
    except Exception as error:
        if not fresh:
            raise
        warnings.warn(
            f"A {type(fresh[0]).__name__} cannot be kept in memory ({error}): it will be made "
            f"again the next time.",
            TeacherWarning,
            stacklevel=2,
        )
    return fresh[0] if fresh else pickle.loads(kept[0])


@contextlib.contextmanager
def alone(memory, key):
    """Let one worker at a time into the block, so that those who wait find what it has kept.

    The lock goes with the process, however that ends. A memory that is no folder, or one that
    cannot be written to, has none.

    Parameters
    ----------
    memory : joblib.Memory or None
    key : str
        What is computed inside.
    """
    folder = getattr(getattr(memory, "store_backend", None), "location", None)
    if folder is None or not os.access(folder, os.W_OK):
        yield
        return
    locks = os.path.join(folder, "locks")
    os.makedirs(locks, exist_ok=True)
    with FileLock(os.path.join(locks, key)):
        yield


def _seal(key, make):
    """Make a result and its check sum: the one function that joblib keeps the results of."""
    content = pickle.dumps(make())
    return content, _check_sum(content)


def _is_whole(kept):
    try:
        content, check_sum = kept
        return _check_sum(content) == check_sum
    except (TypeError, ValueError):
        return False


def _check_sum(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
