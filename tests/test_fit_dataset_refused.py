"""What fit_dataset refuses of files and settings."""

import functools
import shutil
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
)
from skdistill.exceptions import StudentError, TeacherError
from skdistill.students import MLP, TablePreprocessor
from skdistill.targets import label_dataset
from skdistill.training import HoldOut

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pd = pytest.importorskip("pandas")
pads = pytest.importorskip("pyarrow.dataset")

FEATURES = ["a", "b", "c", "kind"]
N = 6000


@functools.cache
def table():
    """Rows of three classes, with a column of strings that says something and has gaps."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, N)
    X = rng.standard_normal((N, 3)) + 1.2 * np.eye(3)[y]
    kind = np.array(["u", "v", "w", None], dtype=object)[np.where(rng.random(N) < 0.5, y, 3)]
    rows = pd.DataFrame(X.astype(np.float32), columns=FEATURES[:3]).assign(kind=kind)
    return rows.assign(y=np.array(["high", "low", "mid"])[y])


@functools.cache
def teacher():
    return make_pipeline(TablePreprocessor(), GaussianNB()).fit(table()[FEATURES], table()["y"])


def answers():
    return teacher().predict_proba(table()[FEATURES])


def write(folder, rows, n_files=3, group=500):
    folder.mkdir(exist_ok=True)
    for i, part in enumerate(np.array_split(np.arange(len(rows)), n_files)):
        path = folder / f"{i}.parquet"
        rows.iloc[part].to_parquet(path, index=False, row_group_size=group)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "rows", table())


def with_answers(rows=None):
    rows = table() if rows is None else rows
    return rows.assign(**dict(zip(teacher().classes_, answers().T, strict=True)))


def model(n_epochs=3, teacher=None, **settings):
    net = StudentNet(MLP, module__hidden_units=(16,), max_epochs=n_epochs, **settings)
    student = make_pipeline(TablePreprocessor(), net)
    return DistilledClassifier(teacher, student, random_state=0, device="cpu")


GIVEN = {"target": "y", "soft_targets": ["high", "low", "mid"]}


def third_by_third(values, *types):
    parts = np.array_split(values, 3)
    return [
        pa.array(part.tolist()).cast(kind, safe=False)
        for part, kind in zip(parts, types, strict=True)
    ]


def write_columns(folder, columns):
    """Write a file for each column, with a third of the rows."""
    folder.mkdir()
    for i, (column, rows) in enumerate(zip(columns, np.array_split(np.arange(N), 3), strict=True)):
        part = table().iloc[rows]
        both = {"a": part["a"].to_numpy(), "x": column, "y": part["y"].tolist()}
        pq.write_table(pa.table(both), folder / f"{i}.parquet")
    return folder


ones = np.arange(N) % 2


# Bad input.


def changed(name, value, row=4000):
    rows = with_answers()
    rows.loc[row, name] = value
    return rows


def attempt(rows=with_answers, model=model, **settings):
    settings = GIVEN | settings
    return lambda folder: model().fit_dataset(write(folder / "rows", rows()), **settings)


def of(**settings):
    return lambda: model(1).set_params(**settings)


def net(**settings):
    return lambda: model(1, **settings)


def labelled(folder, *, change):
    rows, out = write(folder / "rows", table()), folder / "out"
    label_dataset(teacher(), rows, out)
    change(rows, out)
    model().fit_dataset(rows, target="y", soft_targets=out)


def answer_of_another(rows, out):
    other = make_pipeline(TablePreprocessor(), GaussianNB(var_smoothing=1))
    label_dataset(other.fit(table()[FEATURES], table()["y"]), rows, out.with_name("other"))
    shutil.copy(out.with_name("other") / "1.parquet", out / "1.parquet")


def write_anew(n_rows):
    def change(rows, out):
        table()[::-1][:n_rows].to_parquet(rows / "1.parquet", index=False)

    return change


REFUSED = {
    "a folder without Parquet": (
        FileNotFoundError,
        lambda folder: model().fit_dataset(folder, **GIVEN),
        "holds no file; expected Parquet files",
    ),
    "a table in memory": (
        TypeError,
        lambda folder: model().fit_dataset(table(), **GIVEN),
        r"dataset is a DataFrame; expected a folder.*fit\(X, y\)",
    ),
    "a missing label column": (
        ValueError,
        attempt(target="z"),
        "no column 'z'; expected .*in every",
    ),
    "labels in the names of folders": (
        ValueError,
        lambda folder: (
            pads.write_dataset(
                pa.Table.from_pandas(table()),
                folder / "rows",
                format="parquet",
                partitioning=["y"],
                partitioning_flavor="hive",
            ),
            model().fit_dataset(folder / "rows", target="y"),
        ),
        "no column 'y'; expected .*Names of folders are not read: write the column into the files",
    ),
    "a missing answer column": (
        ValueError,
        attempt(soft_targets=["high", "low", "nid"]),
        "no column 'nid'; expected",
    ),
    "answers that are texts": (
        ValueError,
        attempt(soft_targets=["high", "kind"]),
        "'kind' of soft_targets holds text; expected numbers",
    ),
    "too few answers": (
        ValueError,
        attempt(soft_targets=["high", "low"], columns=FEATURES),
        "soft_targets has 2 columns, and 'y' holds 3 different labels or more; expected a column",
    ),
    "several targets": (
        ValueError,
        attempt(target=["y", "kind"]),
        r"target=\['y', 'kind'\] was given; expected the name of the column",
    ),
    "a target among the columns": (
        ValueError,
        attempt(columns=["a", "y"]),
        "columns names 'y', which is a target or an answer; expected features",
    ),
    "other columns in one file": (
        ValueError,
        lambda folder: (
            write(folder / "rows", with_answers()),
            with_answers().assign(more=1).to_parquet(folder / "rows" / "x.parquet", index=False),
            model().fit_dataset(folder / "rows", **GIVEN),
        ),
        "x.parquet' has a column 'more'.*expected the same columns in every file",
    ),
    "a gap in the target": (
        ValueError,
        attempt(lambda: changed("y", None)),
        "'y' has gaps in 1 of .* rows; expected a target in each",
    ),
    "an infinite number": (
        ValueError,
        attempt(lambda: changed("a", np.inf)),
        r"infinity in the columns \['a'\]; expected finite",
    ),
    "an answer that is no probability": (
        TeacherError,
        attempt(lambda: changed("low", 7.0)),
        "soft_targets",
    ),
    "types with nothing in common": (
        ValueError,
        lambda folder: model().fit_dataset(
            write_columns(
                folder / "rows",
                third_by_third(ones, pa.timestamp("s"), pa.timestamp("s", "UTC"), pa.date64()),
            ),
            target="y",
        ),
        r"'x' is of the types timestamp.*tz=UTC.* in several files; expected",
    ),
    "dates as numbers to learn": (
        ValueError,
        lambda folder: DistilledRegressor(alpha=0).fit_dataset(
            write_columns(folder / "rows", third_by_third(ones, *[pa.timestamp("s")] * 3)),
            target="x",
        ),
        "'x' holds dates; expected numbers as target. Derive numbers from it",
    ),
    "lists as labels": (
        ValueError,
        lambda folder: model().fit_dataset(
            write_columns(folder / "rows", [pa.array([[0.0]] * (N // 3))] * 3), target="x"
        ),
        "'x' holds nested values; expected numbers or texts as target. Spread it",
    ),
    "one class": (
        ValueError,
        attempt(lambda: with_answers().assign(y="low")),
        "y holds 1 class",
    ),
    "numbers as labels": (
        ValueError,
        attempt(lambda: with_answers().assign(y=np.arange(N) + 0.5)),
        "'y' holds .* different labels or more; expected a column for each class",
    ),
    "numbers as labels, for a plain student": (
        ValueError,
        attempt(
            lambda: with_answers().assign(y=np.arange(N) + 0.5), of(alpha=0), soft_targets=None
        ),
        "Unknown label type: continuous",
    ),
    "gaps for a net alone": (
        StudentError,
        attempt(
            lambda: changed("a", np.nan),
            lambda: DistilledClassifier(student=StudentNet(MLP)),
            columns=["a", "b"],
        ),
        r"columns \['a'\] have gaps, and StudentNet reads numbers alone. Put a step before it",
    ),
    "no teacher": (
        ValueError,
        attempt(soft_targets=None),
        "There is no teacher and no soft_targets",
    ),
    "an unfitted teacher": (
        TeacherError,
        attempt(model=of(teacher=GaussianNB()), soft_targets=None),
        "GaussianNB is not fitted, and fit_dataset fits none; expected.*sample.*label_dataset",
    ),
    "a teacher and answers": (
        ValueError,
        attempt(model=lambda: model(teacher=teacher())),
        "Both a teacher and soft_targets were given",
    ),
    "a tree as student": (
        StudentError,
        attempt(model=of(student=DecisionTreeClassifier())),
        "DecisionTreeClassifier reads all rows at once; expected None, a StudentNet",
    ),
    "alpha": (
        ValueError,
        attempt(model=of(alpha="auto")),
        "alpha='auto' was given.*sample.*alpha_",
    ),
    "calibrate": (ValueError, attempt(model=of(calibrate=True)), "calibrate=True was given"),
    "augment": (ValueError, attempt(model=of(augment="munge")), "augment='munge' was given"),
    "views": (ValueError, attempt(model=net(views="mixup")), "asked once about each row"),
    "all rows in a batch": (StudentError, attempt(model=net(batch_size=-1)), "batch_size=-1.*4096"),
    "another split": (
        StudentError,
        attempt(model=net(train_split=lambda dataset, y: (dataset, dataset))),
        "splits rows in memory; expected a HoldOut",
    ),
    "a sampler": (
        StudentError,
        attempt(model=net(iterator_train__drop_last=True)),
        "'drop_last': True.*expected the default",
    ),
    "a split out of range": (
        ValueError,
        attempt(model=net(train_split=HoldOut(size=2.0))),
        "'size' parameter of HoldOut",
    ),
    "all rows held back": (
        ValueError,
        attempt(model=net(train_split=HoldOut(size=1 - 1e-12))),
        "All rows of dataset are held back",
    ),
    "answers in no folder": (
        FileNotFoundError,
        attempt(soft_targets="nowhere"),
        "soft_targets='nowhere' is no folder; expected one that label_dataset",
    ),
    "answers of another teacher": (
        ValueError,
        lambda folder: labelled(folder, change=answer_of_another),
        "1.parquet' holds answers of another teacher than .*0.parquet'.*Call label_dataset again",
    ),
    "answers for other rows": (
        ValueError,
        lambda folder: labelled(folder, change=write_anew(2000)),
        "1.parquet' holds answers for another file than .*is now.*Call label_dataset again",
    ),
    "answers for fewer rows": (
        ValueError,
        lambda folder: labelled(folder, change=write_anew(1900)),
        "has 2000 rows, and .*1.parquet' has 1900; expected a row for each",
    ),
    "answers for some files": (
        ValueError,
        lambda folder: labelled(folder, change=lambda rows, out: (out / "1.parquet").unlink()),
        "has no file '1.parquet'; expected answers for every file. Write them",
    ),
    "files in fit": (
        TypeError,
        lambda folder: model().fit(str(folder), [0, 1]),
        r"rows are in files; expected rows in memory.*fit_dataset.*label_dataset\(.*A search",
    ),
    "a dataset in a search": (
        TypeError,
        lambda folder: DistillationSearchCV(model(), {"alpha": [0, 1]}).fit(
            pads.dataset(write(folder / "rows", table())), [0, 1]
        ),
        "is a FileSystemDataset, and the rows are in files.*A search.*sample",
    ),
}


@pytest.mark.parametrize("make", [str, joblib.Memory])
def test_a_memory_within_the_dataset_is_refused_before_a_file_is_read(make, tmp_path):
    write(tmp_path / "rows", table())
    kept = tmp_path / "rows" / "kept"
    files = sorted(tmp_path.rglob("*.parquet"))
    for file in files:
        file.write_bytes(b"nothing that could be read")
    asking = model(teacher=teacher()).set_params(memory=make(str(kept)))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=r"memory='.*kept.* lies in the dataset .*Name one beside"):
        asking.fit_dataset(tmp_path / "rows", target="y")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, act, message = REFUSED[case]
    refused(error, lambda: act(tmp_path), message)


def test_pyarrow_is_asked_for(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(ImportError, match=r"fit_dataset needs pyarrow.*skdistill\[parquet\]"):
        model().fit_dataset(Path("rows"), **GIVEN)


@pytest.mark.parametrize("kind", [DistilledClassifier, DistilledRegressor])
def test_who_looks_for_partial_fit_is_told_of_fit_dataset(kind):
    model = kind()
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError, match=f"{kind.__name__} has no partial_fit.*fit_dataset"):
        model.partial_fit([[1.0]], [0])
