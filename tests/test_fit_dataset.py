"""Fits on Parquet files: the student of a fit in memory, whatever the order of the rows."""

import contextlib
import errno
import functools
import io
import pickle
import tempfile
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.students import MLP, TablePreprocessor
from skdistill.targets import label_dataset

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


def predicted(fitted, rows=None):
    return fitted.predict_proba((table() if rows is None else rows)[FEATURES])


GIVEN = {"target": "y", "soft_targets": ["high", "low", "mid"]}


@pytest.fixture
def small_blocks(monkeypatch):
    """Have about 1,250 rows in memory at a time, so that there are several blocks."""
    monkeypatch.setattr("skdistill._datasets._dataset_rows.MAX_CELLS", 10_000)


def test_the_student_is_that_of_a_fit_in_memory_however_rows_are_sorted(tmp_path, small_blocks):
    train, test = slice(0, 4500), slice(4500, N)
    whole = with_answers()
    rows, truth = whole[train], whole["y"][test]
    expected = model(6, train_split=None).fit(
        rows[FEATURES], rows["y"], soft_targets=answers()[train]
    )
    loss = log_loss(truth, predicted(expected, whole[test]))
    by_class = rows.sort_values("y", kind="stable")
    orders = {
        "by class": write(tmp_path / "by class", by_class),
        "by class, a group": write(tmp_path / "one", by_class, n_files=1, group=N),
    }
    for order, files in orders.items():
        found = model(6, train_split=None).fit_dataset(files, **GIVEN)
        np.testing.assert_array_equal(found.classes_, expected.classes_)
        assert log_loss(truth, predicted(found, whole[test])) < 1.01 * loss, order
        assert len(found.history_) == 6
    assert loss < 0.85 * log_loss(truth, np.tile(np.full(3, 1 / 3), (len(truth), 1)))


def test_full_batches_of_the_whole_table_are_those_of_a_fit_in_memory(tmp_path):
    """Without an order there is nothing to differ by: the same steps, the same weights."""
    rows = with_answers()
    settings = {"batch_size": N, "train_split": None, "dtype": "float64", "n_epochs": 3}
    expected = model(**settings).fit(rows[FEATURES], rows["y"], soft_targets=answers())
    found = model(**settings).fit_dataset(write(tmp_path / "rows", rows), **GIVEN)
    np.testing.assert_allclose(predicted(found), predicted(expected), atol=1e-9)
    assert found.label_digest_ == expected.label_digest_  # all rows are the sample


class Watching(torch.nn.Module):
    """Logits of a row's number, which it notes down."""

    seen: list[list[float]] = []

    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(1, 2)

    def forward(self, rows):
        if self.training:
            Watching.seen.append(rows[:, 0].tolist())
        return self.last(rows / 10_000)


@pytest.mark.parametrize(("n_files", "group"), [(4, 300), (1, 100_000)])
def test_each_row_comes_once_in_an_epoch_in_an_order_that_the_seed_draws(
    n_files, group, tmp_path, small_blocks
):
    n_rows = 2500
    rows = pd.DataFrame({"number": np.arange(n_rows, dtype=np.float32), "y": np.arange(n_rows) % 2})
    files = write(tmp_path / "rows", rows, n_files, group)

    def epochs(seed):
        Watching.seen = []
        net = StudentNet(Watching, max_epochs=2, batch_size=64)
        fitted = DistilledClassifier(student=net, alpha=0, random_state=seed, device="cpu")
        fitted.fit_dataset(files, target="y")
        sizes = [len(batch) for batch in Watching.seen]
        order = [row for batch in Watching.seen for row in batch]
        half = len(order) // 2
        return order[:half], order[half:], sizes

    first, second, sizes = epochs(0)
    assert first != second and sorted(first) == sorted(second)
    assert len(set(first)) == len(first)
    assert 0.88 * n_rows < len(first) < 0.92 * n_rows  # a tenth is held back
    assert sizes[: len(sizes) // 2 - 1] == [64] * (len(first) // 64)
    assert epochs(0)[:2] == (first, second)
    other = epochs(1)
    assert other[0] != first and sorted(other[0]) == sorted(first)  # the same rows are held back
    # Held-back rows lie all over the files, as do those of the first batches.
    held = np.setdiff1d(np.arange(n_rows), first)
    assert np.histogram(held, 5, (0, n_rows))[0].min() > 25
    assert np.histogram(first[:256], 4, (0, n_rows))[0].min() > 25


@pytest.mark.parametrize("group", [100, 100_000])
def test_every_stretch_of_an_epoch_has_rows_of_every_stretch_of_the_files(
    group, tmp_path, monkeypatch
):
    """So files may be sorted by whatever there is, classes of any number or a column."""
    monkeypatch.setattr("skdistill._datasets._dataset_rows.MAX_CELLS", 2_000)  # 1,024 rows at once
    n_rows = 8_192
    rows = pd.DataFrame({"number": np.arange(n_rows, dtype=np.float32), "y": np.arange(n_rows) % 2})
    Watching.seen = []
    net = StudentNet(Watching, max_epochs=2, batch_size=64, train_split=None)
    fitted = DistilledClassifier(student=net, alpha=0, random_state=0, device="cpu")
    fitted.fit_dataset(write(tmp_path / "rows", rows, 1, group), target="y")
    order = np.concatenate(Watching.seen)
    assert len(order) == 2 * n_rows
    for block in np.split(order, 16):  # eight blocks in each epoch
        assert np.histogram(block, 8, (0, n_rows))[0].tolist() == [128] * 8


class Watched(TransformerMixin, BaseEstimator):
    """Counts how many of the arrays that it has returned are there when it is asked for another."""

    seen: list = []
    alive: list = []

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        self.alive.append(sum(earlier() is not None for earlier in self.seen))
        values = np.ascontiguousarray(X.to_numpy(dtype=np.float32))  # which the net need not copy
        self.seen.append(weakref.ref(values))
        return values


def test_a_block_is_gone_before_the_next_is_read(tmp_path, small_blocks, monkeypatch):
    monkeypatch.setattr(Watched, "seen", [])
    monkeypatch.setattr(Watched, "alive", [])
    numbers = [*FEATURES[:3], "y", *teacher().classes_]
    rows = write(tmp_path / "rows", with_answers()[numbers])
    net = StudentNet(MLP, module__hidden_units=(4,), max_epochs=2, batch_size=700)
    model = DistilledClassifier(None, make_pipeline(Watched(), net), device="cpu")
    model.fit_dataset(rows, target="y", soft_targets=list(teacher().classes_))
    blocks = Watched.alive[-8:]  # in each epoch the 5,400 rows that are not held back are four
    assert blocks == [1] * 8  # the rows that are held back


class Lengths(TransformerMixin, BaseEstimator):
    """Reads how long a text is, and notes what it reads at a time."""

    seen: list = []

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        lengths = X["text"].str.len().to_numpy(dtype=np.float32)[:, None]
        self.seen.append(lengths.ravel().tolist())
        return lengths


def test_so_many_bytes_are_read_at_a_time_however_long_the_texts_are(tmp_path, monkeypatch):
    monkeypatch.setattr(Lengths, "seen", [])
    monkeypatch.setattr("skdistill._input._scratch.MAX_BYTES", 200_000)
    lengths = np.arange(N) % 50 + 150
    rows = pd.DataFrame({"text": ["x" * n for n in lengths], "y": np.arange(N) // 3000})
    net = StudentNet(MLP, module__hidden_units=(4,), max_epochs=1, train_split=None)
    model = DistilledClassifier(None, make_pipeline(Lengths(), net), alpha=0, device="cpu")
    model.fit_dataset(write(tmp_path / "rows", rows), target="y")
    blocks = Lengths.seen[-6:]
    np.testing.assert_array_equal(np.sort(np.concatenate(blocks)), np.sort(lengths))  # an epoch
    assert max(map(sum, blocks)) < 240_000


def test_a_single_row_that_is_left_over_joins_the_batch_before_it(tmp_path):
    rows = pd.DataFrame({"number": np.arange(129, dtype=np.float32), "y": np.arange(129) % 2})
    Watching.seen = []
    net = StudentNet(Watching, max_epochs=1, batch_size=64, train_split=None)
    fitted = DistilledClassifier(student=net, alpha=0, random_state=0, device="cpu")
    fitted.fit_dataset(write(tmp_path / "rows", rows), target="y")
    assert [len(batch) for batch in Watching.seen] == [64, 65]


def test_answers_beside_the_files_in_them_and_from_the_teacher_are_one(folder, tmp_path):
    label_dataset(teacher(), folder, tmp_path / "answers", columns=FEATURES)
    beside = model().fit_dataset(folder, target="y", soft_targets=tmp_path / "answers")
    inside = model().fit_dataset(write(tmp_path / "inside", with_answers()), **GIVEN)
    asked = model(teacher=teacher()).fit_dataset(folder, target="y")
    np.testing.assert_array_equal(predicted(asked), predicted(beside))
    np.testing.assert_allclose(predicted(inside), predicted(beside), atol=1e-5)
    assert asked.teacher_ is asked.teacher and beside.teacher_ is None
    assert asked.fit_seconds_["teacher"] > 0


def test_columns_of_other_names_are_read_in_the_order_of_the_classes(tmp_path):
    names = ["p1", "p2", "p3"]
    rows = table().assign(**dict(zip(names, answers().T, strict=True)))
    files = write(tmp_path / "rows", rows)
    plain = model().fit_dataset(files, target="y", soft_targets=names)
    expected = model().fit_dataset(write(tmp_path / "named", with_answers()), **GIVEN)
    np.testing.assert_array_equal(predicted(plain), predicted(expected))
    ordered = model().set_params(teacher_classes=["mid", "high", "low"])
    ordered.fit_dataset(files, target="y", soft_targets=["p3", "p1", "p2"])
    np.testing.assert_array_equal(predicted(ordered), predicted(expected))


class Counting(GaussianNB):
    """It counts the rows that it is asked about."""

    asked: list = []

    def predict_proba(self, X):
        Counting.asked.append(len(X))
        return super().predict_proba(X)


def test_a_teacher_is_asked_once_about_each_row_and_kept_where_memory_is(folder, tmp_path):
    numbers = table()[FEATURES[:3]]
    asked = model(teacher=Counting().fit(numbers, table()["y"]))
    asked.set_params(memory=str(tmp_path / "kept"))
    settings = {"target": "y", "columns": FEATURES[:3]}
    Counting.asked.clear()
    first = asked.fit_dataset(folder, **settings).predict_proba(numbers)
    assert N <= sum(Counting.asked) <= N + 2048  # a few rows are a trial
    Counting.asked.clear()
    again = asked.fit_dataset(folder, **settings).predict_proba(numbers)
    np.testing.assert_array_equal(again, first)
    assert not Counting.asked


def test_rows_without_an_answer_learn_from_their_label(tmp_path):
    rows = with_answers()
    rows.loc[::2, ["high", "low", "mid"]] = np.nan
    half = answers()
    half[::2] = np.nan
    settings = {"batch_size": N, "train_split": None, "dtype": "float64", "n_epochs": 2}
    expected = model(**settings).fit(rows[FEATURES], rows["y"], soft_targets=half)
    found = model(**settings).fit_dataset(write(tmp_path / "rows", rows), **GIVEN)
    np.testing.assert_allclose(predicted(found), predicted(expected), atol=1e-9)


def test_numbers_one_or_several(tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((2000, 3)), columns=["a", "b", "c"])
    goals = pd.DataFrame({"u": 100 * X["a"] + 7, "v": X["b"] - X["c"]})
    net = StudentNetRegressor(MLP, max_epochs=4, batch_size=2000, train_split=None, dtype="float64")
    student = make_pipeline(TablePreprocessor(), net)
    for target in ("u", ["u", "v"]):
        linear = LinearRegression().fit(X, goals[target])
        files = write(tmp_path / str(target), pd.concat([X, goals], axis=1))
        fitted = DistilledRegressor(linear, student, random_state=0, device="cpu")
        given = {"target": target, "columns": ["a", "b", "c"]}
        found = pickle.loads(pickle.dumps(fitted.fit_dataset(files, **given))).predict(X)
        np.testing.assert_allclose(found, fitted.fit(X, goals[target]).predict(X), atol=1e-6)


def test_files_whose_numbers_have_other_widths_and_columns_of_categories(tmp_path):
    folder = write(tmp_path / "rows", with_answers())
    expected = predicted(model().fit_dataset(folder, **GIVEN))
    for path in folder.iterdir():
        coded = pd.read_parquet(path).astype({"y": "category", "kind": "category"})
        wide = coded.astype({"a": np.float64}) if path.name == "0.parquet" else coded
        wide.to_parquet(path, index=False, row_group_size=500)
    found = model().fit_dataset(pads.dataset(folder), **GIVEN)
    np.testing.assert_allclose(predicted(found), expected, atol=1e-5)
    assert found.classes_.tolist() == ["high", "low", "mid"]


ONE_BATCH = {"batch_size": N, "train_split": None, "dtype": "float64", "n_epochs": 2}


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
words = np.array(["less", "more"])[ones]
first = np.arange(N) < N // 3
gone = np.where(first, None, ones)
COLUMNS = {
    "truth values": (ones, (pa.bool_(), pa.int64(), pa.uint8())),
    "decimals": (1.0 * ones, (pa.decimal128(3, 1), pa.int64(), pa.decimal128(9, 5))),
    "beyond 53 bits": (2**60 + ones * 2**50 + 1, (pa.int64(), pa.float64(), pa.float32())),
    "beyond 63 bits": (2.0 ** (61 + 2 * ones * first), (pa.uint64(), pa.int64(), pa.int64())),
    "texts": (words, (pa.string(), pa.large_string(), pa.string())),
    "views of texts": (words, (pa.string(), pa.string_view(), pa.string_view())),
    "numbers, and gaps alone": (gone, (pa.null(), pa.int64(), pa.float32())),
}


@pytest.mark.parametrize("case", COLUMNS)
def test_files_whose_columns_have_other_types_are_those_of_a_fit_in_memory(case, tmp_path):
    values, types = COLUMNS[case]
    rows = table()[["a"]].assign(x=values if values.dtype.kind in "US" else values.astype(float))
    try:
        folder = write_columns(tmp_path / "rows", third_by_third(values, *types))
    except pa.ArrowNotImplementedError as error:
        pytest.skip(f"This pyarrow writes no such column: {error}")
    expected = model(**ONE_BATCH).set_params(alpha=0).fit(rows, table()["y"])
    found = model(**ONE_BATCH).set_params(alpha=0).fit_dataset(folder, target="y")
    np.testing.assert_allclose(
        found.predict_proba(rows), expected.predict_proba(rows), rtol=0, atol=1e-9
    )


def test_answers_of_other_types_are_read_as_numbers(folder, tmp_path):
    hard = np.eye(3)[np.argmax(answers(), axis=1)]
    found = []
    for name, types in {
        "same": (pa.float64(),) * 3,
        "other": (pa.bool_(), pa.float32(), pa.uint8()),
    }.items():
        (tmp_path / name).mkdir()
        columns = [third_by_third(column, *types) for column in hard.T]
        for i, parts in enumerate(zip(*columns, strict=True)):
            rows = pa.table(dict(zip(["high", "low", "mid"], parts, strict=True)))
            pq.write_table(rows, tmp_path / name / f"{i}.parquet")
        student = model(2).fit_dataset(folder, target="y", soft_targets=tmp_path / name)
        found.append(predicted(student))
    np.testing.assert_array_equal(*found)


class Meeting(GaussianNB):
    """When it is asked, it waits a little for another that is."""

    barrier = threading.Barrier(2)

    def predict_proba(self, X):
        with contextlib.suppress(threading.BrokenBarrierError):
            Meeting.barrier.wait(0.3)
        return super().predict_proba(X)


def test_fits_with_one_memory_at_once_hear_their_own_teachers(folder, tmp_path):
    numbers, y = table()[FEATURES[:3]], table()["y"]
    teachers = [Meeting().fit(numbers, y), Meeting(var_smoothing=0.1).fit(numbers, y)]

    def fit(teacher, memory=str(tmp_path / "kept")):
        asking = model(1, teacher=teacher).set_params(memory=memory)
        fitted = asking.fit_dataset(folder, target="y", columns=FEATURES[:3])
        return fitted.predict_proba(numbers)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(fit, teachers))
    expected = [fit(teacher, None) for teacher in teachers]
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(*expected)


class Changing(GaussianNB):
    """When it is asked, somebody writes the first file anew."""

    file: Path

    def predict_proba(self, X):
        pd.read_parquet(self.file)[::-1].to_parquet(self.file, index=False)
        return super().predict_proba(X)


def test_files_that_change_while_they_are_read_are_refused(folder, refused):
    numbers, file = table()[FEATURES[:3]], folder / "0.parquet"
    changing = Changing().fit(numbers, table()["y"])
    changing.file = file
    fit = model(1, teacher=changing).fit_dataset
    refused(
        ValueError,
        lambda: fit(folder, target="y", columns=FEATURES[:3]),
        "0.parquet' has changed while the files were read; expected files that nobody writes",
    )


def test_nothing_is_left_behind_and_a_refused_fit_changes_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = {path: path.read_bytes() for path in folder.iterdir()}
    fitted = model(1, teacher=teacher()).fit_dataset(folder, target="y")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not list((tmp_path / "temporary").glob("skdistill*"))
    expected = predicted(fitted)
    with pytest.raises(ValueError, match="no column 'z'"):
        fitted.fit_dataset(folder, target="z")
    np.testing.assert_array_equal(predicted(fitted), expected)


class Disk(io.FileIO):
    """A file on a disk with so much room; it notes how much was written."""

    n_bytes = 0
    room = np.inf

    @classmethod
    def file(cls, **_):
        cls.n_bytes = 0
        return io.BufferedRandom(cls(tempfile.mkstemp()[0], "w+"))

    def write(self, data):
        if Disk.n_bytes + len(data) > Disk.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        Disk.n_bytes += len(data)
        return super().write(data)


@pytest.fixture
def disk(tmp_path, monkeypatch):
    """Have scratch files on a disk that can be full."""
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "disk"))
    monkeypatch.setattr("tempfile.TemporaryFile", Disk.file)
    monkeypatch.setattr(Disk, "room", np.inf)
    return Disk


def test_small_files_take_no_more_of_the_disk_than_large_ones(tmp_path, disk):
    sizes = []
    for n_files in (1, 60):
        model(1).fit_dataset(write(tmp_path / str(n_files), with_answers(), n_files), **GIVEN)
        sizes.append(disk.n_bytes)
    assert sizes[1] < 1.02 * sizes[0]


@pytest.mark.parametrize("n_too_few", [100_000, 1])
def test_a_disk_without_room_for_the_rows_is_said_and_nothing_is_kept(
    n_too_few, tmp_path, monkeypatch, small_blocks, disk
):
    folder, memory = write(tmp_path / "rows", with_answers()), tmp_path / "memory"
    fitted = model(1).set_params(memory=str(memory)).fit_dataset(folder, **GIVEN)
    expected, before = predicted(fitted), sorted(memory.rglob("*"))
    monkeypatch.setattr(disk, "room", disk.n_bytes - n_too_few)
    with pytest.raises(OSError, match=r"No space left.* after [1-9].*memory=.*TMPDIR") as error:
        fitted.fit_dataset(folder, **GIVEN)
    assert str(memory) in str(error.value)
    np.testing.assert_array_equal(predicted(fitted), expected)
    assert sorted(memory.rglob("*")) == before


def test_a_folder_for_scratch_files_that_is_not_there_is_said(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(OSError, match=r"scratch file in .*none.*TMPDIR"):
        model(1).set_params(alpha=0).fit_dataset(folder, target="y")


def test_so_is_one_for_the_answers_of_a_teacher(folder, tmp_path, monkeypatch):
    asking = model(1).set_params(alpha=0).fit_dataset(folder, target="y")
    expected = predicted(asking)  # a first training makes a folder there for torch
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    asking.set_params(teacher=teacher(), alpha=0.5)
    with pytest.raises(OSError, match=r"answers of the teacher .*none .*Name.*memory=.*TMPDIR"):
        asking.fit_dataset(folder, target="y")
    np.testing.assert_array_equal(predicted(asking), expected)
