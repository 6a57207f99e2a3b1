import errno
import hashlib
import multiprocessing
import os
import pickle
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError, TeacherWarning
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import CallableTeacher
from skdistill.transfer import Munge

X, Y = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
X, Y = ((X - X.mean(axis=0)) / X.std(axis=0))[ORDER], Y[ORDER]  # in few steps of a solver


class Counted(ClassifierMixin, BaseEstimator):
    """A logistic regression that writes what it does into a file, from every process."""

    def __init__(self, log, random_state=None):
        self.log = log
        self.random_state = random_state

    def note(self, what, n_rows):
        with open(self.log, "a") as file:
            file.write(f"{what} {n_rows}\n")

    def fit(self, X, y):
        self.note("fit", len(X))
        self.model_ = LogisticRegression(max_iter=500).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X):
        self.note("ask", len(X))
        return self.model_.predict_proba(X)


def counts(log):
    """The numbers of rows of each fit, and of each call; the log is emptied."""
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    log.write_text("")
    return tuple([int(n) for what, n in lines if what == kind] for kind in ("fit", "ask"))


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "answers")


def small_student():
    return StudentNet(module__hidden_units=(4,), max_epochs=1)


# What is asked, and how often


@pytest.mark.parametrize("fitted", [True, False])
def test_a_folder_keeps_the_answers(log, folder, fitted):
    teacher = Counted(log)
    if fitted:
        teacher.fit(X, Y)
    counts(log)
    first = teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    fits, calls = counts(log)
    assert (len(fits), sum(calls)) == (0 if fitted else 5, len(X))
    again = teacher_targets(teacher, X, Y, memory=folder, random_state=0, verbose=1)
    assert counts(log) == ([], [])
    np.testing.assert_array_equal(again, first)
    np.testing.assert_array_equal(teacher_targets(teacher, X, Y, random_state=0), first)
    counts(log)
    teacher_targets(teacher, X[:-1], Y[:-1], memory=folder, random_state=0)
    assert sum(counts(log)[1]) == len(X) - 1


def test_a_fitted_teacher_is_asked_without_labels_once(log, folder):
    teacher = Counted(log).fit(X, Y)
    counts(log)
    first = teacher_targets(teacher, X, memory=folder)
    again = teacher_probabilities(teacher, X, [0, 1, 2], memory=folder)
    assert counts(log) == ([], [len(X)])
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("fitted", [True, False])
@pytest.mark.parametrize(
    ("n_candidates", "n_jobs"),
    [
        (2, 1),
        pytest.param(12, 1, marks=pytest.mark.slow),
        pytest.param(12, 2, marks=pytest.mark.slow),
    ],
)
def test_a_search_asks_once_per_fold(log, folder, fitted, n_candidates, n_jobs):
    teacher = Counted(log)
    if fitted:
        teacher.fit(X, Y)
    counts(log)
    model = DistilledClassifier(teacher, small_student(), memory=folder, random_state=0)
    grid = {"alpha": np.linspace(0.2, 0.8, n_candidates // 2), "temperature": [1.0, 2.0]}
    GridSearchCV(model, grid, cv=StratifiedKFold(5), n_jobs=n_jobs).fit(X, Y)
    fits, calls = counts(log)
    assert sum(calls) == 5 * 0.8 * len(X) + len(X)
    assert len(fits) == (0 if fitted else 6 * (5 + 1))  # five folds and all rows, for each fit
    assert len(calls) == (6 if fitted else 6 * 5)


def test_generated_rows_are_asked_about_once(log, folder):
    model = DistilledClassifier(Counted(log), small_student(), augment="munge", random_state=0)
    model.set_params(memory=folder).fit(X, Y)
    fits, calls = counts(log)
    assert (len(fits), sum(calls)) == (6, 2 * len(X))  # by five clones, and the teacher by nobody
    expected = model.predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, Y).predict_proba(X), expected)
    model.set_params(alpha=0.9).fit(X, Y)
    assert counts(log) == ([], [])
    model.set_params(augment=Munge(factor=2)).fit(X, Y)
    assert sum(counts(log)[1]) == 2 * len(X)
    np.testing.assert_array_equal(
        model.set_params(alpha=0.5, augment="munge", memory=None).fit(X, Y).predict_proba(X),
        expected,
    )


class Slow(Counted):
    """One that takes so long that another worker comes meanwhile."""

    def note(self, what, n_rows):
        super().note(what, n_rows)
        time.sleep(0.05)


@pytest.mark.parametrize("fitted", [True, False])
def test_workers_that_come_at_once_wait_for_one_another(log, folder, monkeypatch, fitted):
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 16)
    teacher = Slow(log)
    if fitted:
        teacher.fit(X, Y)
    counts(log)
    start = threading.Barrier(2)

    def ask(_):
        start.wait()
        return teacher_targets(teacher, X, Y, memory=folder, random_state=0)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ask, range(2))
    np.testing.assert_array_equal(first, second)
    fits, calls = counts(log)
    assert (len(fits), sum(calls)) == (0 if fitted else 5, len(X))


@pytest.mark.parametrize(
    "error", [OSError(errno.EROFS, "Read-only file system"), NotImplementedError("no locks here")]
)
def test_a_folder_that_cannot_be_locked_is_read_and_written(log, folder, monkeypatch, error):
    def acquire(self):
        raise error

    teacher = Counted(log)
    first = teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    monkeypatch.setattr(FileLock, "acquire", acquire)
    np.testing.assert_array_equal(
        teacher_targets(teacher, X, Y, memory=folder, random_state=0), first
    )
    teacher_targets(teacher, X, Y, memory=folder, random_state=1)
    assert len(counts(log)[0]) == 2 * 5
    teacher_targets(teacher, X, Y, memory=folder, random_state=1)
    assert counts(log) == ([], [])


def test_targets_that_are_handed_over_are_asked_for_once(log):
    teacher = Counted(log)
    targets = teacher_targets(teacher, X, Y, random_state=0)
    model = DistilledClassifier(student=small_student(), random_state=0)
    search = GridSearchCV(model, {"alpha": [0.2, 0.8], "temperature": [1.0, 2.0]}, cv=3)
    search.fit(X, Y, soft_targets=targets)
    fits, calls = counts(log)
    assert (len(fits), sum(calls)) == (5, len(X))


def test_no_random_state_shares_nothing(log, folder):
    teacher_targets(Counted(log), X, Y, memory=folder)
    teacher_targets(Counted(log), X, Y, memory=folder)
    assert len(counts(log)[0]) == 10


@pytest.mark.parametrize(
    "other",
    [
        {"X": X + 1e-9},
        {"y": np.roll(Y, 1)},
        {"cv": 3},
        {"random_state": 1},
        {"sample_weight": np.linspace(1, 2, len(X))},
        {"teacher": KNeighborsClassifier(7)},
        {"groups": np.arange(len(X)) % 30},
    ],
)
def test_whatever_matters_is_part_of_the_key(folder, other):
    arguments = {"teacher": LogisticRegression(max_iter=500), "X": X, "y": Y, "random_state": 0}
    arguments["memory"] = folder
    teacher_targets(**arguments)
    n_kept = len(list(Path(folder).rglob("output.pkl")))
    fresh = teacher_targets(**arguments | other | {"memory": None})
    np.testing.assert_array_equal(teacher_targets(**arguments | other), fresh)
    assert len(list(Path(folder).rglob("output.pkl"))) > n_kept


def test_large_arrays_that_workers_share_have_the_same_key(log, folder):
    # joblib hands arrays of a megabyte to its workers as memory maps, inside estimators too.
    rows, labels = make_classification(8000, 20, random_state=0)
    teacher = KNeighborsClassifier().fit(rows, labels)
    expected = teacher_probabilities(teacher, rows[:50], [0, 1], memory=folder)
    n_kept = len(list(Path(folder).rglob("output.pkl")))
    found = joblib.Parallel(n_jobs=2)(
        joblib.delayed(teacher_probabilities)(teacher, rows[:50], [0, 1], memory=folder)
        for _ in range(2)
    )
    np.testing.assert_array_equal(found, [expected, expected])
    assert len(list(Path(folder).rglob("output.pkl"))) == n_kept


# Chunks


@pytest.mark.parametrize("memory", [True, False])
def test_a_function_is_asked_in_chunks(folder, capsys, memory):
    sizes = []

    def ask(rows):
        sizes.append(len(rows))
        return np.eye(3)[rows.iloc[:, 0]]

    teacher = CallableTeacher(ask, classes=["c", "a", "b"], cache_key="v1", chunk_size=40)
    rows, labels = pd.DataFrame({"label": Y, "more": 1.0}), np.array(["c", "a", "b"])[Y]
    memory = folder if memory else None
    found = teacher_targets(teacher, rows, labels, memory=memory, verbose=1)
    assert sizes == [40, 40, 40, 30]
    np.testing.assert_array_equal(found, np.eye(3)[(Y + 2) % 3])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("[skdistill] teacher: 150 of 150 rows, ")
    np.testing.assert_array_equal(teacher.predict_proba(rows[:90]), np.eye(3)[Y[:90]])
    assert sizes[4:] == [40, 40, 10]
    teacher_targets(FrozenEstimator(teacher), rows[:41], labels[:41], memory=memory)
    assert sizes[7:] == ([1] if memory else [40, 1])  # the first forty are known


def test_the_key_of_a_function_decides(folder):
    sure, unsure = np.eye(3)[Y], np.full((150, 3), 1 / 3)
    keyed = {
        key: CallableTeacher(lambda X, p=p: p, cache_key=key)
        for key, p in (("v1", sure), ("v2", unsure))
    }
    for key, expected in (("v1", sure), ("v2", unsure), ("v1", sure)):
        found = teacher_targets(keyed[key], X, Y, memory=folder)
        np.testing.assert_array_equal(found, expected)
    again = CallableTeacher(lambda X: 1 / 0, cache_key="v1")
    np.testing.assert_array_equal(teacher_targets(again, X, Y, memory=folder), sure)


@pytest.mark.parametrize(
    "teacher",
    [
        lambda X: pytest.fail("was asked"),
        CallableTeacher(lambda X: pytest.fail("was asked")),
        [LogisticRegression(), lambda X: pytest.fail("was asked")],
    ],
)
def test_functions_without_a_key_are_refused_before_they_are_asked(folder, teacher):
    with pytest.raises(TeacherError, match=r"is a function.*CallableTeacher\(<lambda>, cache_key="):
        teacher_targets(teacher, X, Y, memory=folder)


@pytest.mark.parametrize(
    "parameters", [{"chunk_size": 0}, {"chunk_size": 2.5}, {"function": "f"}, {"classes": 3}]
)
def test_bad_parameters_of_a_function(parameters):
    teacher = CallableTeacher(**{"function": lambda X: np.eye(3)[Y]} | parameters)
    with pytest.raises(ValueError, match=f"'{next(iter(parameters))}' parameter"):
        DistilledClassifier(teacher, small_student()).fit(X, Y)


def test_chunks_of_different_widths_are_refused():
    teacher = CallableTeacher(lambda rows: np.eye(2 + (len(rows) == 100))[[0] * len(rows)])
    teacher.set_params(chunk_size=100)
    with pytest.raises(TeacherError, match=r"\[2, 3\] columns for different rows"):
        teacher_targets(teacher, X, Y)


def test_chunks_of_an_estimator_are_what_it_says_at_once(folder, monkeypatch):
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 32)
    teacher = KNeighborsClassifier().fit(X, Y)
    found = teacher_targets(teacher, X, memory=folder)
    np.testing.assert_array_equal(found, teacher.predict_proba(X))
    assert len(list(Path(folder).rglob("output.pkl"))) == 5


def test_a_network_is_read_in_one_way_for_all_chunks(folder, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 75)
    rows = np.r_[np.full((75, 1), 0.5), np.full((75, 1), 3.0)]  # half look like probabilities
    found = teacher_targets(torch.nn.Identity(), rows, memory=folder)
    np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-rows[:, 0])))


# Interruptions and damage


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is neither fork nor kill -9 here")
def test_what_was_answered_before_a_kill_is_not_asked_again(folder):
    rows, asked, limit = np.random.default_rng(0).random((100, 2)), [], 4

    def ask(rows):
        asked.append(rows)
        if len(asked) == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return np.column_stack([rows[:, 0], 1 - rows[:, 0]])

    teacher = CallableTeacher(ask, cache_key="v1", chunk_size=20)
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=teacher_targets, args=(teacher, rows), kwargs={"memory": folder})
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert not asked  # that was in the other process
    limit = None
    answers = teacher_targets(teacher, rows, memory=folder)
    np.testing.assert_array_equal(np.vstack(asked), rows[60:])
    np.testing.assert_array_equal(answers, np.column_stack([rows[:, 0], 1 - rows[:, 0]]))


def truncate(data):
    return data[: len(data) // 2]


def garble(data):
    return data[: len(data) // 2] + bytes(40) + data[len(data) // 2 + 40 :]


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        garble,
        lambda data: b"",
        lambda data: bytes(len(data)),
        lambda data: b"no pickle at all",
        lambda data: pickle.dumps(None),
        lambda data: pickle.dumps(("a", "b")),
        lambda data: pickle.dumps((b"a", "b")),
        lambda data: pickle.dumps((b"a", hashlib.md5(b"a", usedforsecurity=False).hexdigest())),
        lambda data: b"cnobody\nNoSuchClass\n.",
    ],
    ids=[
        "truncated",
        "garbled",
        "empty",
        "zeros",
        "text",
        "none",
        "strings",
        "check sum",
        "no result",
        "no class",
    ],
)
@pytest.mark.parametrize("fitted", [True, False])
def test_damaged_answers_are_asked_again(log, folder, caplog, monkeypatch, fitted, damage):
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 16)
    teacher = Counted(log)
    if fitted:
        teacher.fit(X, Y)
    first = teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    counts(log)
    for path in Path(folder).rglob("output.pkl"):
        path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(TeacherWarning, match=r"is damaged \(.*made again") as warned:
        again = teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    assert len(warned) == 1  # for five entries and more
    assert "\n" not in str(warned[0].message)
    assert not caplog.records
    np.testing.assert_array_equal(again, first)
    assert sum(counts(log)[1]) == len(X)
    teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    assert counts(log) == ([], [])


@pytest.mark.parametrize("kind", ["folder", "file for a folder", "link to nothing"])
def test_what_lies_in_the_place_of_an_entry_gives_way(log, folder, kind):
    first = teacher_targets(Counted(log).fit(X, Y), X, memory=folder)
    (path,) = Path(folder).rglob("output.pkl")
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "file for a folder":
        path.parent.rmdir()
        path.parent.touch()
    else:
        path.symlink_to("nowhere")
    counts(log)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        again = teacher_targets(Counted(log).fit(X, Y), X, memory=folder)
    assert len(warned) == (kind != "link to nothing")
    np.testing.assert_array_equal(again, first)
    counts(log)
    teacher_targets(Counted(log).fit(X, Y), X, memory=folder)
    assert counts(log)[1] == []


# A disk that is full


def files_in(folder):
    """What lies in a folder but for locks and what joblib put there."""
    return [
        path
        for path in Path(folder).rglob("*")
        if path.is_file() and path.parent.name != "locks" and path.name != ".gitignore"
    ]


def is_full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def open_unless_full(file, mode="r", *args, _open=open, **kwargs):
    return is_full() if mode == "xb" else _open(file, mode, *args, **kwargs)


def dump_half(value, file, **_):
    file.write(b"half of it")
    is_full()


FULL = {
    "no room in a file": lambda patch: patch.setattr(joblib, "dump", dump_half),
    "no room for a file": lambda patch: patch.setattr("builtins.open", open_unless_full),
    "no room for a name": lambda patch: patch.setattr(os, "replace", is_full),
    "no room for a folder": lambda patch: patch.setattr(os, "makedirs", is_full),
    "no room for a lock": lambda patch: (
        patch.setattr(FileLock, "acquire", is_full),
        patch.setattr(os, "makedirs", is_full),
    ),
}


@pytest.mark.parametrize("case", FULL)
@pytest.mark.parametrize("fitted", [True, False])
def test_a_full_disk_costs_no_answer(log, folder, monkeypatch, fitted, case):
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 16)
    teacher = Counted(log)
    if fitted:
        teacher.fit(X, Y)
    expected = teacher_targets(teacher, X, Y, random_state=0)
    memory = joblib.Memory(folder, verbose=0)
    message = r"cannot be kept in the memory .*\(No space left on device\).*Make room"
    with monkeypatch.context() as patch:
        FULL[case](patch)
        with pytest.warns(TeacherWarning, match=message) as warned:
            found = teacher_targets(teacher, X, Y, memory=memory, random_state=0)
    assert len(warned) == 1
    np.testing.assert_array_equal(found, expected)
    assert files_in(folder) == []
    counts(log)
    np.testing.assert_array_equal(
        teacher_targets(teacher, X, Y, memory=folder, random_state=0), expected
    )
    assert sum(counts(log)[1]) == len(X)
    teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    assert counts(log) == ([], [])


def test_a_limit_on_the_size_of_files_costs_no_answer(folder, monkeypatch):
    resource = pytest.importorskip("resource")
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 16)
    teacher = LogisticRegression(max_iter=500).fit(X, Y)
    memory = joblib.Memory(folder, verbose=0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.warns(TeacherWarning, match="cannot be kept in the memory") as warned:
            found = teacher_targets(teacher, X, memory=memory)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(warned) == 1
    np.testing.assert_allclose(found, teacher.predict_proba(X), rtol=1e-12)
    assert files_in(folder) == []


def test_a_teacher_too_large_for_the_disk_still_has_its_answers_kept(log, folder, monkeypatch):
    dump = joblib.dump

    def dump_if_small(value, file, **how):
        return is_full() if len(value[0]) > 10_000 else dump(value, file, **how)

    monkeypatch.setattr(joblib, "dump", dump_if_small)
    model = DistilledClassifier(Large(log), small_student(), memory=folder, random_state=0)
    with pytest.warns(TeacherWarning, match="cannot be kept in the memory") as warned:
        model.fit(X, Y)
    assert len(warned) == 1
    counts(log)
    with pytest.warns(TeacherWarning, match="cannot be kept in the memory"):
        model.fit(X, Y)
    assert counts(log) == ([len(X)], [])


class Large(Counted):
    def fit(self, X, y):
        self.memorised_ = np.zeros(10_000)
        return super().fit(X, y)


def test_what_a_killed_writer_left_is_no_obstacle(folder):
    teacher = LogisticRegression(max_iter=500).fit(X, Y)
    teacher_targets(teacher, X, memory=folder)
    (path,) = Path(folder).rglob("output.pkl")
    path.rename(f"{path}.part")
    teacher_targets(teacher, X, memory=folder)
    assert files_in(folder) == [path]


def test_results_that_cannot_be_pickled_are_used_with_one_warning(log, folder):
    model = DistilledClassifier(Unpicklable(log), small_student(), memory=folder, random_state=0)
    for n_fits in (6, 1):
        with pytest.warns(TeacherWarning, match="Unpicklable cannot be kept in memory") as warned:
            model.fit(X, Y)
        assert len(warned) == 1
        assert len(counts(log)[0]) == n_fits


class Unpicklable(Counted):
    def fit(self, X, y):
        self.part_ = lambda: None
        return super().fit(X, y)


# What joblib knows of the folder


def test_joblib_clears_and_shrinks_the_folder(log, folder, monkeypatch):
    monkeypatch.setattr("skdistill.teachers._chunks.CHUNK", 16)
    teacher, memory = Counted(log).fit(X, Y), joblib.Memory(folder, verbose=0)
    teacher_targets(teacher, X, memory=memory)
    assert len(files_in(folder)) == 10
    memory.reduce_size(items_limit=4)
    assert len(files_in(folder)) == 4
    memory.clear(warn=False)
    assert files_in(folder) == []
    counts(log)
    teacher_targets(teacher, X, memory=folder)  # the same one
    teacher_targets(teacher, X, memory=memory)
    assert sum(counts(log)[1]) == len(X)


def test_a_memory_of_joblib_is_heard_where_it_compresses_or_keeps_nothing(log, tmp_path):
    teacher, rows = Counted(log).fit(X, Y), np.vstack([X] * 20)
    sizes = []
    for name, compress in {"plain": False, "packed": ("zlib", 9)}.items():
        memory = joblib.Memory(tmp_path / name, compress=compress, verbose=0)
        first = teacher_targets(teacher, rows, memory=memory)
        np.testing.assert_array_equal(teacher_targets(teacher, rows, memory=memory), first)
        sizes.append(sum(path.stat().st_size for path in files_in(tmp_path / name)))
    assert sizes[1] < sizes[0] / 2
    counts(log)
    for memory in (None, joblib.Memory(None)):
        teacher_targets(teacher, X, memory=memory)
    assert counts(log)[1] == [len(X)] * 2


# Without memory


def test_labels_are_not_needed_by_a_fitted_teacher():
    teacher = LogisticRegression(max_iter=500).fit(X, Y)
    np.testing.assert_allclose(teacher_targets(teacher, X), teacher.predict_proba(X))
    with pytest.raises(ValueError, match=r"not fitted and y is None.*Pass y"):
        teacher_targets(LogisticRegression(), X)
    with pytest.raises(ValueError, match=r"calibrate=True needs labels"):
        teacher_targets(teacher, X, calibrate=True)


def test_nameless_columns_without_labels_keep_their_order():
    targets = np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))
    np.testing.assert_allclose(teacher_targets(lambda X: targets, X), targets)
