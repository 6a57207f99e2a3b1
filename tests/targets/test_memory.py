import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris, make_classification
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError, TeacherWarning
from skdistill.targets import _memory, teacher_probabilities, teacher_targets
from skdistill.targets._memory import remember
from skdistill.teachers import CallableTeacher
from skdistill.transfer import Munge

X, Y = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
X, Y = X[ORDER], Y[ORDER]


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


def test_a_folder_that_cannot_be_written_to_is_read(folder, monkeypatch):
    first = teacher_targets(LogisticRegression(max_iter=500), X, Y, memory=folder, random_state=0)
    monkeypatch.setattr(_memory.os, "access", lambda *_: False)
    monkeypatch.setattr(_memory, "FileLock", lambda _: pytest.fail("a lock would be written"))
    again = teacher_targets(LogisticRegression(max_iter=500), X, Y, memory=folder, random_state=0)
    np.testing.assert_array_equal(again, first)


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

KILLED = """
import os, signal, sys
import numpy as np
from skdistill.targets import teacher_targets
from skdistill.teachers import CallableTeacher

calls = []

def ask(rows):
    calls.append(rows)
    if len(calls) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return np.column_stack([rows[:, 0], 1 - rows[:, 0]])

teacher = CallableTeacher(ask, cache_key="v1", chunk_size=20)
teacher_targets(teacher, np.random.default_rng(0).random((100, 2)), memory=sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no kill -9 here")
def test_what_was_answered_before_a_kill_is_not_asked_again(folder):
    killed = subprocess.run([sys.executable, "-c", KILLED, folder], check=False)
    assert killed.returncode == -signal.SIGKILL
    rows, asked = np.random.default_rng(0).random((100, 2)), []

    def ask(rows):
        asked.append(rows)
        return np.column_stack([rows[:, 0], 1 - rows[:, 0]])

    teacher = CallableTeacher(ask, cache_key="v1", chunk_size=20)
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
    ],
    ids=["truncated", "garbled", "empty", "zeros", "text", "none", "strings", "check sum"],
)
@pytest.mark.parametrize("fitted", [True, False])
def test_damaged_answers_are_asked_again(log, folder, fitted, damage):
    teacher = Counted(log)
    if fitted:
        teacher.fit(X, Y)
    first = teacher_targets(teacher, X, Y, memory=folder, random_state=0)
    counts(log)
    for path in Path(folder).rglob("output.pkl"):
        path.write_bytes(damage(path.read_bytes()))
    for n_rows in (len(X), 0):  # and once only
        again = teacher_targets(teacher, X, Y, memory=folder, random_state=0)
        np.testing.assert_array_equal(again, first)
        assert sum(counts(log)[1]) == n_rows


def test_what_cannot_be_pickled_is_returned_with_a_warning(folder):
    memory, made = joblib.Memory(folder, verbose=0), []

    def make():
        made.append(lambda: None)
        return made[-1]

    for n_made in (1, 2):
        with pytest.warns(TeacherWarning, match="cannot be kept in memory"):
            assert remember(memory, make, "key") is made[-1]
        assert len(made) == n_made


def test_errors_of_a_teacher_are_not_kept(folder):
    answers = iter([np.full((150, 3), np.nan), np.eye(3)[Y]])
    teacher = CallableTeacher(lambda X: next(answers), cache_key="v1")
    with pytest.raises(TeacherError, match="NaN"):
        teacher_targets(teacher, X, Y, memory=folder)
    np.testing.assert_array_equal(teacher_targets(teacher, X, Y, memory=folder), np.eye(3)[Y])


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
