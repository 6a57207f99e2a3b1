"""Answers for Parquet files: those of the teacher, resumed, never half-written."""

import functools
import os
import signal
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherError
from skdistill.targets import label_dataset, teacher_targets
from skdistill.teachers import CallableTeacher, EnsembleTeacher

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pd = pytest.importorskip("pandas")

NAMES = ["a", "b", "c", "d"]
X, Y = make_classification(600, 4, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
X = X.astype(np.float32)
LABELS = np.array(["high", "low", "mid"])[Y]
TABLE = pd.DataFrame(X, columns=NAMES)
PARTS = {
    "one.parquet": slice(0, 250),
    "two.parquet": slice(250, 250),
    "z/three.parquet": slice(250, 600),
}


@functools.cache
def teacher():
    return LogisticRegression().fit(TABLE, LABELS)


@functools.cache
def of_arrays():
    return GaussianNB().fit(X, Y)


@functools.cache
def module():
    with torch.random.fork_rng():
        return torch.nn.Linear(4, 3)


@pytest.fixture
def rows(tmp_path):
    """A folder of three files, of several groups of rows and of none."""
    folder = tmp_path / "rows"
    for name, part in PARTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        TABLE[part].to_parquet(folder / name, row_group_size=70, index=False)
    (folder / "README.txt").write_text("no rows")
    (folder / "_metadata.parquet").write_text("no rows either")
    return folder


def answers(folder, names=PARTS):
    return pd.concat([pd.read_parquet(folder / name) for name in names], ignore_index=True)


def assert_near(found, expected):
    """Answers in single precision are made to sum to one in double precision."""
    np.testing.assert_allclose(found, expected, rtol=2e-6)


def contents(folder):
    """Return the bytes of every file, hidden ones too."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_answers_are_those_of_the_teacher_in_columns_named_by_the_classes(rows, tmp_path):
    out = tmp_path / "out"
    assert label_dataset(teacher(), rows, out) == (3, 0, 600)
    assert contents(out).keys() == PARTS.keys()
    for name, part in PARTS.items():
        found = pd.read_parquet(out / name)
        assert found.columns.tolist() == ["high", "low", "mid"]
        if len(found):
            assert_near(found, teacher().predict_proba(TABLE[part]))
    assert len(pd.read_parquet(out / "two.parquet")) == 0


def test_what_is_written_is_learnt_as_soft_targets(rows, tmp_path):
    label_dataset(of_arrays(), rows, tmp_path / "out")
    student = DistilledClassifier(student=StudentNet(max_epochs=1), random_state=0)
    read = student.fit(X, Y, soft_targets=answers(tmp_path / "out")).predict_proba(X)
    targets = teacher_targets(of_arrays(), X, Y)
    np.testing.assert_array_equal(student.fit(X, Y, soft_targets=targets).predict_proba(X), read)


def test_a_second_call_does_what_is_missing_or_has_changed(rows, tmp_path):
    out = tmp_path / "out"
    label = functools.partial(label_dataset, teacher(), rows, out)
    label()
    first = contents(out)
    assert label() == (0, 3, 600)
    (out / "z" / "three.parquet").unlink()
    (out / ".one.parquet.0f0f.tmp").write_text("part")  # by a run that was killed
    assert label() == (1, 2, 600)
    TABLE[:249].to_parquet(rows / "one.parquet", index=False)
    assert label() == (1, 2, 599)
    TABLE[:250].to_parquet(rows / "one.parquet", row_group_size=70, index=False)
    os.utime(rows / "z" / "three.parquet")  # another date is no change
    assert label() == (1, 2, 600)
    assert contents(out) == first
    other = LogisticRegression(C=0.1).fit(TABLE, LABELS)
    assert label_dataset(other, rows, out) == (3, 0, 600)
    assert_near(answers(out)[:250], other.predict_proba(TABLE[:250]))


def test_other_columns_or_another_order_of_classes_are_labelled_anew(rows, tmp_path):
    model = CallableTeacher(of_arrays().predict_proba, cache_key=1)
    label = functools.partial(label_dataset, model, rows, tmp_path / "out")
    label(teacher_classes=["x", "y", "z"])
    assert label(teacher_classes=["x", "y", "z"], columns=NAMES) == (0, 3, 600)
    assert label(teacher_classes=["x", "y", "z"], columns=NAMES[::-1]) == (3, 0, 600)
    found = answers(tmp_path / "out")
    expected = of_arrays().predict_proba(X[:, ::-1])
    assert_near(found[["x", "y", "z"]], expected)
    assert label(teacher_classes=["z", "y", "w"], columns=NAMES[::-1]) == (3, 0, 600)
    found = answers(tmp_path / "out")
    assert found.columns.tolist() == ["w", "y", "z"]
    assert_near(found[["z", "y", "w"]], expected)


def test_the_bytes_are_the_same_for_any_number_of_workers(rows, tmp_path):
    label_dataset(teacher(), rows, tmp_path / "serial")
    with joblib.parallel_config("threading"):
        label_dataset(teacher(), rows, tmp_path / "threads", n_jobs=3)
    assert contents(tmp_path / "threads") == contents(tmp_path / "serial")


@pytest.mark.slow
def test_the_bytes_are_the_same_from_other_processes(rows, tmp_path):
    models = [teacher(), EnsembleTeacher([of_arrays(), module()], teacher_classes=[0, 1, 2])]
    for number, model in enumerate(models):
        label = functools.partial(label_dataset, model, rows)
        label(out=tmp_path / f"serial {number}")
        label(out=tmp_path / f"loky {number}", n_jobs=2)
        assert contents(tmp_path / f"loky {number}") == contents(tmp_path / f"serial {number}")


@pytest.mark.slow
def test_two_dask_workers_give_the_bytes_of_a_serial_run(rows, tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask is the user's choice of backend")
    label_dataset(teacher(), rows, tmp_path / "serial")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
    )
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        assert label_dataset(teacher(), rows, tmp_path / "dask") == (3, 0, 600)
        (tmp_path / "dask" / "one.parquet").unlink()
        assert label_dataset(teacher(), rows, tmp_path / "dask") == (1, 2, 600)
    assert contents(tmp_path / "dask") == contents(tmp_path / "serial")


KILLED = """
import os, signal, sys
import numpy as np
from skdistill.targets import label_dataset
from skdistill.teachers import CallableTeacher

n_asked = 0

def ask(rows):
    global n_asked
    n_asked += 1
    if n_asked == {last}:
        os.kill(os.getpid(), signal.SIGKILL)
    return np.full((len(rows), 2), 0.5)

model = CallableTeacher(ask, classes=[0, 1], cache_key=1, chunk_size=100)
print(label_dataset(model, {rows!r}, {out!r}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="the system has no SIGKILL")
def test_a_killed_run_leaves_whole_files_and_is_taken_up(rows, tmp_path):
    def run(last, out):
        script = KILLED.format(last=last, rows=str(rows), out=str(out))
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    # Three questions are the trial, three the first file, and four are of the third file.
    assert run(9, tmp_path / "out").returncode == -signal.SIGKILL
    seen = contents(tmp_path / "out")
    assert {name for name in seen if not name.rpartition("/")[2].startswith(".")} == {
        "one.parquet",
        "two.parquet",
    }
    again = run(0, tmp_path / "out")
    assert "n_labelled=1, n_kept=2" in again.stdout, again.stderr
    run(0, tmp_path / "at once")
    assert contents(tmp_path / "out") == contents(tmp_path / "at once")


def test_what_fails_leaves_nothing_half_written_and_keeps_what_is_whole(rows, tmp_path):
    n_asked = []

    def ask(rows):
        n_asked.append(len(rows))
        if len(n_asked) == 9:
            raise KeyboardInterrupt
        return np.full((len(rows), 2), 0.5)

    model = CallableTeacher(ask, classes=[0, 1], cache_key=1, chunk_size=100)
    with pytest.raises(KeyboardInterrupt):
        label_dataset(model, rows, tmp_path / "out")
    assert contents(tmp_path / "out").keys() == {"one.parquet", "two.parquet"}
    assert label_dataset(model, rows, tmp_path / "out") == (1, 2, 600)


def test_a_full_disk_is_told_of_and_leaves_nothing(rows, tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        with pytest.raises(OSError, match=r"could not be written.*Make room there.*call again"):
            label_dataset(teacher(), rows, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not contents(tmp_path / "out")


def test_an_answer_that_is_none_names_the_file(rows, tmp_path):
    def ask(rows):
        values = np.full((len(rows), 2), 0.5)
        values[rows[:, 0] == X[400, 0]] = np.nan
        return values

    model = CallableTeacher(ask, classes=[0, 1], cache_key=1)
    with pytest.raises(TeacherError) as refusal:
        label_dataset(model, rows, tmp_path / "out")
    assert "three.parquet" in refusal.value.__notes__[0]
    assert contents(tmp_path / "out").keys() == {"one.parquet", "two.parquet"}


def test_files_may_be_named_or_come_from_pyarrow(rows, tmp_path):
    dataset = pytest.importorskip("pyarrow.dataset")
    label_dataset(teacher(), rows, tmp_path / "folder")
    files = [rows / name for name in PARTS]
    label_dataset(teacher(), files, tmp_path / "list")
    label_dataset(teacher(), dataset.dataset(list(map(str, files))), tmp_path / "pyarrow")
    expected = contents(tmp_path / "folder")
    assert contents(tmp_path / "list") == contents(tmp_path / "pyarrow") == expected
    label_dataset(teacher(), files[2], tmp_path / "file")
    assert contents(tmp_path / "file") == {"three.parquet": expected["z/three.parquet"]}


def test_progress_tells_the_time_that_is_left(rows, tmp_path, capsys):
    label_dataset(teacher(), rows, tmp_path / "out")
    assert capsys.readouterr().out == ""
    (tmp_path / "out" / "z" / "three.parquet").unlink()
    label_dataset(teacher(), rows, tmp_path / "out", verbose=1)
    assert "[label_dataset] answers: 350 of 350 rows, 0." in capsys.readouterr().out


def test_progress_within_a_file(rows, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("skdistill.targets._label_dataset.SECONDS", 0)
    monkeypatch.setattr("skdistill._input._parquet.MAX_CELLS", 400)  # a hundred rows at a time
    label_dataset(teacher(), rows, tmp_path / "out", verbose=1)
    said = capsys.readouterr().out
    assert "[label_dataset] z/three.parquet: 100 of 350 rows" in said
    assert "answers: 600 of 600 rows" in said


def test_another_call_that_writes_into_the_folder_is_told_of(rows, tmp_path):
    label = functools.partial(label_dataset, dataset=rows, out=tmp_path / "out")
    n_asked = []

    def ask(rows):
        n_asked.append(len(rows))
        if len(n_asked) == 5:  # the first file is being written
            label(CallableTeacher(lambda rows: EVEN[: len(rows)], classes=[0, 1], cache_key=2))
        return EVEN[: len(rows)]

    model = CallableTeacher(ask, classes=[0, 1], cache_key=1, chunk_size=100)
    with pytest.raises(FileNotFoundError, match=r"by another call.*one call at a time.*Call again"):
        label(model)
    assert label(model) == (3, 0, 600)


EVEN = np.full((600, 2), 0.5)


def test_a_student_predicts(rows, tmp_path):
    student = DistilledClassifier(
        LogisticRegression(), StudentNet(max_epochs=1), random_state=0
    ).fit(TABLE, LABELS)
    assert label_dataset(student, rows, tmp_path / "out") == (3, 0, 600)
    expected = student.predict_proba(TABLE)
    assert_near(answers(tmp_path / "out")[student.classes_], expected)


def test_numbers_are_written_under_the_names_of_the_outputs(rows, tmp_path):
    goals = pd.DataFrame({"u": X @ [1, 2, 3, 4], "v": X[:, 0] ** 2})
    model = LinearRegression().fit(TABLE, goals)
    label_dataset(model, rows, tmp_path / "out")
    found = answers(tmp_path / "out")
    assert found.columns.tolist() == ["0", "1"]
    assert_near(found, model.predict(TABLE))

    def ask(rows):
        return pd.DataFrame(model.predict(pd.DataFrame(rows, columns=NAMES)), columns=["u", "v"])

    named = CallableTeacher(ask, cache_key=1)
    label_dataset(named, rows, tmp_path / "named", task="numbers")
    np.testing.assert_array_equal(answers(tmp_path / "named")["v"], found["1"])


def test_the_logits_of_a_module_are_read_as_probabilities(rows, tmp_path):
    with torch.no_grad():
        expected = torch.softmax(module()(torch.from_numpy(X)).double(), dim=1).numpy()
    label_dataset(module(), rows, tmp_path / "out", teacher_classes=[0, 1, 2])
    assert_near(answers(tmp_path / "out"), expected)


def test_members_get_rows_in_the_form_that_each_was_fitted_on(rows, tmp_path):
    byname = LogisticRegression().fit(TABLE[["d", "a"]], Y)
    both = EnsembleTeacher([of_arrays(), byname])
    label_dataset(both, rows, tmp_path / "out", columns=NAMES)
    expected = (of_arrays().predict_proba(X) + byname.predict_proba(TABLE[["d", "a"]])) / 2
    assert_near(answers(tmp_path / "out"), expected)
    label_dataset(byname, rows, tmp_path / "two columns")
    assert_near(answers(tmp_path / "two columns"), byname.predict_proba(TABLE[["d", "a"]]))


def test_texts_and_columns_of_strings_with_gaps(tmp_path):
    from sklearn.feature_extraction.text import CountVectorizer

    texts = ["good film", "bad film", "good", "bad play"] * 5
    y = [1, 0, 1, 0] * 5
    table = pd.DataFrame({"text": texts, "kind": ["u", None, "w", "w"] * 5, "n": range(20)})
    table.to_parquet(tmp_path / "rows.parquet")
    reads = make_pipeline(CountVectorizer(), LogisticRegression()).fit(texts, y)
    label_dataset(reads, tmp_path / "rows.parquet", tmp_path / "texts", columns="text")
    np.testing.assert_array_equal(
        answers(tmp_path / "texts", ["rows.parquet"]), reads.predict_proba(texts)
    )
    encodes = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(table[["kind"]], y)
    label_dataset(encodes, tmp_path / "rows.parquet", tmp_path / "kinds")
    np.testing.assert_array_equal(
        answers(tmp_path / "kinds", ["rows.parquet"]), encodes.predict_proba(table[["kind"]])
    )


def test_a_dataset_keeps_its_index_to_itself(tmp_path):
    """The index that pandas writes as a column is no feature."""
    TABLE[::2].to_parquet(tmp_path / "rows.parquet")
    assert label_dataset(of_arrays(), tmp_path / "rows.parquet", tmp_path / "out").n_rows == 300
