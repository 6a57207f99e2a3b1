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
from skdistill.teachers import CallableTeacher, ClassGraphTeacher, EnsembleTeacher

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


# Bad input.


def folder_of(tmp_path, **tables):
    folder = tmp_path / "rows"
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def never(rows):
    pytest.fail("the teacher was asked")


ASKED = CallableTeacher(never, classes=[0, 1], cache_key=1)


def attempt(model, tables, out="out", **settings):
    return lambda folder: label_dataset(
        model, folder_of(folder, **tables), folder / out, **settings
    )


def over_files_of_others(folder, write):
    (folder / "out").mkdir()
    write(folder / "out" / "x.parquet")
    label_dataset(ASKED, folder_of(folder, x=TABLE), folder / "out")


def filtered(folder):
    dataset = pytest.importorskip("pyarrow.dataset")
    rows = dataset.dataset(folder_of(folder, x=TABLE)).filter(dataset.field("a") > 0)
    label_dataset(ASKED, rows, folder / "out")


def of_csv(folder):
    dataset = pytest.importorskip("pyarrow.dataset")
    TABLE.to_csv(folder / "x.csv")
    label_dataset(ASKED, dataset.dataset(folder / "x.csv", format="csv"), folder / "out")


REFUSED = {
    "a folder without Parquet": (
        FileNotFoundError,
        lambda folder: (TABLE.to_csv(folder / "x.csv"), label_dataset(ASKED, folder, "out")),
        "holds files such as 'x.csv'; expected Parquet files",
    ),
    "an empty folder": (FileNotFoundError, attempt(ASKED, {}), "holds no file; expected Parquet"),
    "no such path": (
        FileNotFoundError,
        lambda folder: label_dataset(ASKED, folder / "x.parquet", folder / "out"),
        "No file '.*x.parquet' is there; expected",
    ),
    "no files": (FileNotFoundError, lambda f: label_dataset(ASKED, [], f / "out"), "an empty list"),
    "a file twice": (
        ValueError,
        lambda f: label_dataset(ASKED, [folder_of(f, x=TABLE) / "x.parquet"] * 2, f / "out"),
        "x.parquet' twice; expected each file once",
    ),
    "a table in memory": (
        TypeError,
        lambda folder: label_dataset(ASKED, TABLE, folder / "out"),
        "dataset is a DataFrame; expected a folder.*teacher_targets",
    ),
    "no Parquet inside": (
        ValueError,
        lambda f: (
            (f / "x.parquet").write_text("text"),
            label_dataset(ASKED, f / "x.parquet", f / "out"),
        ),
        "x.parquet' cannot be read as a Parquet file.*expected one",
    ),
    "a dataset of csv": (ValueError, of_csv, "one of csv files on the filesystem 'local'"),
    "a dataset with a filter": (ValueError, filtered, "a filter that leaves .* of 600 rows"),
    "no rows at all": (
        ValueError,
        attempt(ASKED, {"x": TABLE[:0]}),
        "dataset holds no rows; expected one",
    ),
    "a column that one file lacks": (
        ValueError,
        attempt(ASKED, {"x": TABLE, "y": TABLE.drop(columns="c")}),
        "y.parquet' has no column 'c'; expected .* in every file",
    ),
    "a column that one file has alone": (
        ValueError,
        attempt(ASKED, {"x": TABLE, "y": TABLE.assign(e=1.0)}),
        "y.parquet' has a column 'e' and .*x.parquet' has none; expected.*columns=",
    ),
    "numbers that are texts elsewhere": (
        ValueError,
        attempt(ASKED, {"x": TABLE, "y": TABLE.assign(c="1")}),
        "The column 'c' of .*y.parquet' holds text, and that of .*x.parquet' numbers; expected",
    ),
    "a column of nobody": (
        ValueError,
        attempt(ASKED, {"x": TABLE}, columns=["a", "q"]),
        "x.parquet' has no column 'q'; expected",
    ),
    "a feature that is missing": (
        ValueError,
        attempt(LogisticRegression().fit(TABLE, Y), {"x": TABLE.drop(columns="b")}),
        "x.parquet' has no column 'b'; expected",
    ),
    "columns without a feature": (
        ValueError,
        attempt(LogisticRegression().fit(TABLE, Y), {"x": TABLE}, columns=["a", "c"]),
        r"columns=\['a', 'c'\] lacks 'b'.*expected all of its features",
    ),
    "a column named twice": (
        ValueError,
        attempt(ASKED, {"x": TABLE}, columns=["a", "a"]),
        "was given; expected names, each once",
    ),
    "more columns than features": (
        ValueError,
        attempt(GaussianNB().fit(X, Y), {"x": TABLE.assign(label=Y)}),
        "has 5 columns .* GaussianNB was fitted on 4; expected as many. .*columns=",
    ),
    "an unfitted teacher": (
        TeacherError,
        attempt(GaussianNB(), {"x": TABLE}),
        "GaussianNB is not fitted; expected a fitted one.*Call its fit",
    ),
    "a teacher of labels": (
        TeacherError,
        attempt(ClassGraphTeacher([[0, 1], [1, 0]]), {"x": TABLE}),
        "ClassGraphTeacher answers from labels.*expected a teacher that answers for rows",
    ),
    "a teacher of labels among others": (
        TeacherError,
        attempt(
            [GaussianNB().fit(TABLE, [0, 1] * (len(TABLE) // 2)), ClassGraphTeacher(np.eye(2))],
            {"x": TABLE},
        ),
        "answers from labels.*expected a teacher that answers for rows",
    ),
    "a function": (
        TeacherError,
        attempt(never, {"x": TABLE}, teacher_classes=[0, 1]),
        "never is a function and was given to label_dataset.*cache_key=",
    ),
    "a teacher without classes": (
        TeacherError,
        attempt(module(), {"x": TABLE}),
        "Linear does not name its columns; expected the classes.*teacher_classes=",
    ),
    "a class twice": (
        ValueError,
        attempt(CallableTeacher(never, cache_key=1), {"x": TABLE}, teacher_classes=[1, 1]),
        "Two classes are written '1'; expected",
    ),
    "classes of a teacher of numbers": (
        ValueError,
        attempt(LinearRegression().fit(X, Y), {"x": TABLE}, teacher_classes=[1, 2]),
        "given with a teacher of numbers",
    ),
    "no such task": (
        ValueError,
        attempt(ASKED, {"x": TABLE}, task="words"),
        "'task' parameter of label_dataset must be one of",
    ),
    "out within the dataset": (
        ValueError,
        attempt(ASKED, {"x": TABLE}, out="rows/answers"),
        "lies in the dataset .*expected another folder",
    ),
    "out is the dataset": (
        ValueError,
        attempt(ASKED, {"x": TABLE}, out="rows"),
        "lies in the dataset .*expected another folder",
    ),
    "out is the folder of the files": (
        ValueError,
        lambda folder: label_dataset(
            ASKED, [folder_of(folder, x=TABLE) / "x.parquet"], folder / "rows"
        ),
        "x.parquet' is there and was not written by label_dataset; expected.*Name another out",
    ),
    "out is a file": (
        NotADirectoryError,
        attempt(ASKED, {"x": TABLE}, out="rows/x.parquet/../x.parquet"),
        "is a file; expected a folder",
    ),
    "out is no path": (
        TypeError,
        lambda folder: label_dataset(ASKED, folder_of(folder, x=TABLE), None),
        "out is a NoneType; expected the path of a folder",
    ),
    "answers of somebody else": (
        ValueError,
        lambda folder: over_files_of_others(folder, TABLE.to_parquet),
        "x.parquet' is there and was not written by label_dataset; expected.*Name another out",
    ),
    "another kind of file": (
        ValueError,
        lambda folder: over_files_of_others(folder, lambda path: path.write_text("text")),
        "x.parquet' is there and was not written by label_dataset; expected.*Name another out",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, attempt, message = REFUSED[case]
    before = contents(tmp_path)
    refused(error, lambda: attempt(tmp_path), message)
    written = {name for name in contents(tmp_path).keys() - before.keys() if "out" in name}
    assert written <= {"out/x.parquet"}


def test_without_pyarrow_the_extra_is_named(rows, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"label_dataset needs pyarrow.*skdistill\[parquet\]"):
        label_dataset(teacher(), rows, tmp_path / "out")


def test_without_pandas_rows_are_tables_of_pyarrow(rows, tmp_path, monkeypatch):
    label_dataset(teacher(), rows, tmp_path / "pandas")
    find_spec = __import__("importlib").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *a: None if name == "pandas" else find_spec(name, *a),
    )
    label_dataset(teacher(), rows, tmp_path / "pyarrow")
    assert contents(tmp_path / "pyarrow") == contents(tmp_path / "pandas")
