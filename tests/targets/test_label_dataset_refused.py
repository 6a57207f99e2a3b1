"""What label_dataset refuses."""

import functools
import sys

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skdistill.exceptions import TeacherError
from skdistill.targets import label_dataset
from skdistill.teachers import CallableTeacher, ClassGraphTeacher

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


def contents(folder):
    """Return the bytes of every file, hidden ones too."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


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
