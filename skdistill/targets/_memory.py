"""What was computed once is kept in a folder, and what is damaged there is computed again."""

import contextlib
import hashlib
import os
import pickle
import shutil
import uuid

import joblib
from filelock import FileLock

from skdistill._warn import warn
from skdistill._words import shorten
from skdistill.exceptions import TeacherWarning
from skdistill.teachers._key import content_key

TOLD: set[tuple[str, str]] = set()
"""What this process has told of: the name of a `ResultFolder`, and the kind of trouble."""


class ResultFolder:
    """Results in a folder, each in a file of its own that is known by a key.

    The files lie as joblib lays its own, so that `joblib.Memory.clear` and `reduce_size` find them.
    What cannot be kept or found is told of once by each process, and costs no more than to be made
    again.

    Parameters
    ----------
    path : str
        The folder; it must exist.
    compress : bool, int or tuple, default=False
        As in `joblib.dump`.
    """

    def __init__(self, path, compress=False):
        self.path = path
        self.compress = compress
        self._name = uuid.uuid4().hex  # copies of it in a worker process are one and the same

    def find(self, key):
        """Return a list of the result that is kept under a key; it is empty if there is none."""
        try:
            content, check_sum = joblib.load(self._file(key))
            if _check_sum(content) != check_sum:
                raise ValueError("its check sum differs")
            return [pickle.loads(content)]
        except FileNotFoundError:
            return []
        except Exception as error:  # whatever a file of other bytes makes joblib and pickle raise
            self._tell_once(
                "read",
                f"An entry of the memory {self.path} is damaged ({_reason(error)}): it is made "
                f"again, and so is any other like it.",
            )
            return []

    def keep(self, key, result):
        """Keep a result under a key, if that can be done."""
        try:
            content = pickle.dumps(result)
        except Exception as error:  # whatever its parts raise that cannot be pickled
            self._tell_once(
                f"pickle {type(result)}",
                f"A {type(result).__name__} cannot be kept in memory ({_reason(error)}): it will "
                f"be made again the next time.",
            )
            return
        try:
            self._write(self._file(key), (content, _check_sum(content)))
        except Exception as error:  # a full disk, missing rights, a compressor that is not there
            self._tell_once(
                "write",
                f"Results cannot be kept in the memory {self.path} ({_reason(error)}): they are "
                f"used all the same, and made again the next time. Make room there or see to its "
                f"rights, or name another folder as memory.",
            )

    @contextlib.contextmanager
    def alone(self, key):
        """Let one worker at a time into the block; see `alone`."""
        lock = self._acquire(key)
        try:
            yield
        finally:
            if lock is not None:
                lock.release()

    def _file(self, key):
        return os.path.join(self.path, "skdistill", key, "output.pkl")

    def _write(self, path, content):
        folder, part = os.path.dirname(path), f"{path}.part"
        if os.path.isfile(folder):
            os.unlink(folder)
        if os.path.isdir(path):
            shutil.rmtree(path)
        os.makedirs(folder, exist_ok=True)
        try:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)  # whoever writes is alone: it was left by one that was killed
            with open(part, "xb") as file:
                joblib.dump(content, file, compress=self.compress)
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            with contextlib.suppress(OSError):
                os.rmdir(folder)
            raise

    def _acquire(self, key):
        folder = os.path.join(self.path, "locks")
        path = os.path.join(folder, key)
        if os.path.lexists(folder) and not os.path.isdir(folder):
            raise _no_lock(folder, "folder")
        if os.path.islink(path) or os.path.isdir(path):
            raise _no_lock(path, "file")
        lock = FileLock(path)
        try:
            os.makedirs(folder, exist_ok=True)
            lock.acquire()
        except (OSError, NotImplementedError):  # a full or read-only disk, or one without locks
            return None
        return lock

    def _tell_once(self, what, text):
        if (self._name, what) not in TOLD:
            TOLD.add((self._name, what))
            warn(text, TeacherWarning)


def open_memory(memory):
    """Return the folder to keep results in, None where nothing is to be kept.

    Parameters
    ----------
    memory : None, str, joblib.Memory or ResultFolder

    Returns
    -------
    ResultFolder or None

    Raises
    ------
    ValueError
        When it is none of these, or names no folder that can be used.
    """
    if memory is None or isinstance(memory, ResultFolder):
        return memory
    if isinstance(memory, os.PathLike):
        raise ValueError(
            f"memory is {shorten(memory)}; expected None, the name of a folder as a str, or a "
            f"joblib.Memory. Pass memory={os.fspath(memory)!r}."
        )
    if not isinstance(memory, str | joblib.Memory) or memory == "":
        raise ValueError(
            f"memory is {shorten(memory)}; expected None, the name of a folder as a str, or a "
            f"joblib.Memory. Pass memory='answers', or another name."
        )
    if isinstance(memory, joblib.Memory):
        if memory.store_backend is None:
            return None
        if memory.backend != "local":
            raise ValueError(
                f"memory is a joblib.Memory with the backend {memory.backend!r}; expected one that "
                f"keeps its results in a folder. Pass joblib.Memory('answers')."
            )
        return ResultFolder(os.fspath(memory.store_backend.location), memory.compress)
    folder = os.path.join(memory, "joblib")
    try:
        if not os.path.isdir(folder):
            joblib.Memory(memory, verbose=0)  # makes the folder, and has git ignore it
        os.listdir(folder)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"memory={shorten(memory)} is no folder that can be used ({_reason(error)}); expected "
            "one that can be made or read. Name another folder, or see to its rights."
        ) from error
    return ResultFolder(folder)


def remember(memory, compute, *known_by):
    """Return a result out of memory, or compute it and keep it at once.

    Parameters
    ----------
    memory : ResultFolder or None
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
        Once for each `memory` where what is kept is damaged, or where a result cannot be kept. It
        is returned, and computed again the next time.
    """
    if memory is None:
        return compute()
    key = content_key(*known_by)
    with memory.alone(key):
        for result in memory.find(key):
            return result
        result = compute()
        memory.keep(key, result)
        return result


@contextlib.contextmanager
def alone(memory, key):
    """Let one worker at a time into the block, so that those who wait find what it has kept.

    The lock goes with the process, however that ends. A folder that cannot be written to has none.

    Parameters
    ----------
    memory : ResultFolder or None
    key : str
        What is computed inside.

    Raises
    ------
    ValueError
        When something else lies where the lock should.
    """
    with contextlib.nullcontext() if memory is None else memory.alone(key):
        yield


def _check_sum(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _reason(error):
    """Return what an error says, in one line."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


def _no_lock(path, kind):
    return ValueError(
        f"{path} lies where memory has a lock; expected a plain {kind}, no link. Remove it, or "
        f"name another folder as memory."
    )
