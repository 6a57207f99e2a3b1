"""What is refused of a folder for answers, and what none is kept of."""

import errno
import os
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import CallableTeacher

X, Y = load_iris(return_X_y=True)
ORDER = np.random.default_rng(0).permutation(len(X))
X, Y = ((X - X.mean(axis=0)) / X.std(axis=0))[ORDER], Y[ORDER]  # in few steps of a solver


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path / "answers")


def small_student():
    return StudentNet(module__hidden_units=(4,), max_epochs=1)


# What is refused


def lock_of(folder):
    """Keep an answer, take it away, and return the path of its lock."""
    teacher_targets(LogisticRegression(max_iter=500).fit(X, Y), X, memory=str(folder))
    (lock,) = Path(folder).rglob("locks/*")
    for path in Path(folder).rglob("output.pkl"):
        path.unlink()
    lock.unlink()
    return lock


def ask(memory):
    return teacher_targets(LogisticRegression(max_iter=500).fit(X, Y), X, memory=str(memory))


def ask_with(put, folder):
    put(lock_of(folder))
    ask(folder)


def ask_in_a_file(folder):
    (folder / "file").touch()
    ask(folder / "file")


def ask_below_a_file(folder):
    (folder / "file").touch()
    ask(folder / "file" / "answers")


def ask_beside_a_file(folder):
    (folder / "joblib").touch()
    ask(folder)


def ask_below_a_link(folder):
    (folder / "link").symlink_to(folder / "nowhere")
    ask(folder / "link")


def put_in_place_of_the_folder(lock, put):
    lock.parent.rmdir()
    put(lock.parent)


def of(memory):
    return teacher_targets(LogisticRegression(), X, Y, memory=memory)


def fit_with(memory, model=DistilledClassifier):
    return model(KNeighborsClassifier(), small_student(), memory=memory).fit(X, Y)


class WithCache:
    def cache(self, function, **_):
        return function


class Elsewhere(joblib.memory.FileSystemStoreBackend):
    """Results somewhere that is called a folder and is none."""


joblib.register_store_backend("elsewhere", Elsewhere)

KIND = "expected None, the name of a folder as a str, or a joblib.Memory. Pass memory="
USE = "is no folder that can be used .*expected one that can be made or read. Name another folder"
LOCK = "lies where memory has a lock; expected a plain {}, no link. Remove it, or name another"

REFUSED = {
    "True": (ValueError, lambda _: of(True), "memory is True; " + KIND),
    "0": (ValueError, lambda _: of(0), "memory is 0; " + KIND),
    "bytes": (ValueError, lambda _: of(b"answers"), "memory is b'answers'; " + KIND),
    "an empty name": (ValueError, lambda _: of(""), "memory is ''; " + KIND),
    "a list": (ValueError, lambda _: of(["answers"]), "memory is .*; " + KIND),
    "a path": (ValueError, lambda folder: of(folder / "a"), "memory is PosixPath.*/a'"),
    "joblib's class": (ValueError, lambda _: of(joblib.Memory), "memory is .*Memory'>; " + KIND),
    "one with cache": (ValueError, lambda _: of(WithCache()), "memory is .*WithCache.*; " + KIND),
    "another backend": (
        ValueError,
        lambda folder: of(joblib.Memory(str(folder), backend="elsewhere", verbose=0)),
        "backend 'elsewhere'; expected one that keeps its results in a folder. Pass joblib.Memory",
    ),
    "1, to ask": (
        ValueError,
        lambda _: teacher_probabilities(KNeighborsClassifier().fit(X, Y), X, [0, 1, 2], memory=1),
        "memory is 1; " + KIND,
    ),
    "one with cache, in a fit": (ValueError, lambda _: fit_with(WithCache()), KIND),
    "True, in a fit": (ValueError, lambda _: fit_with(True), "'memory' parameter.*Got True"),
    "a path, in a fit": (
        ValueError,
        lambda folder: fit_with(folder),
        "'memory' parameter.*must be None, an instance of 'str'",
    ),
    "an empty name, in a fit": (ValueError, lambda _: fit_with(""), "memory is ''; " + KIND),
    "a regressor's": (
        ValueError,
        lambda _: DistilledRegressor(KNeighborsRegressor(), memory=WithCache()).fit(X, Y * 1.0),
        KIND,
    ),
    "a file": (ValueError, ask_in_a_file, USE),
    "below a file": (ValueError, ask_below_a_file, USE),
    "beside a file": (ValueError, ask_beside_a_file, USE),
    "below a link to nothing": (ValueError, ask_below_a_link, USE),
    "a name with a zero": (
        ValueError,
        lambda _: ask("a\0b"),
        r"\(.*embedded null (byte|character)",
    ),
    "a long name": (ValueError, lambda folder: ask(folder / ("a" * 300)), "File name too long.*"),
    "a lock that is a link": (
        ValueError,
        lambda folder: ask_with(lambda lock: lock.symlink_to(folder / "precious"), folder),
        LOCK.format("file"),
    ),
    "a lock that is a link to a file": (
        ValueError,
        lambda folder: ask_with(lambda lock: lock.symlink_to(__file__), folder),
        LOCK.format("file"),
    ),
    "a lock that is a folder": (
        ValueError,
        lambda folder: ask_with(lambda lock: lock.mkdir(), folder),
        LOCK.format("file"),
    ),
    "locks that are a file": (
        ValueError,
        lambda folder: ask_with(
            lambda lock: put_in_place_of_the_folder(lock, lambda path: path.touch()), folder
        ),
        LOCK.format("folder"),
    ),
    "locks that are a link to nothing": (
        ValueError,
        lambda folder: ask_with(
            lambda lock: put_in_place_of_the_folder(lock, lambda path: path.symlink_to("none")),
            folder,
        ),
        LOCK.format("folder"),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(tmp_path), message)


@pytest.mark.parametrize("function", ["mkdir", "listdir"])
def test_a_folder_without_rights_is_refused(folder, refused, monkeypatch, function):
    def forbid(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, function, forbid)
    refused(ValueError, lambda: ask(folder), r"\(Permission denied\).*Name another folder, or see")


def test_errors_of_a_teacher_are_not_kept(folder):
    answers = iter([np.full((150, 3), np.nan), np.eye(3)[Y]])
    teacher = CallableTeacher(lambda X: next(answers), cache_key="v1")
    with pytest.raises(TeacherError, match="NaN"):
        teacher_targets(teacher, X, Y, memory=folder)
    np.testing.assert_array_equal(teacher_targets(teacher, X, Y, memory=folder), np.eye(3)[Y])
