"""Fits on data sets of torch: the student of a fit in memory, rows and answers as they come."""

import gc
import random
import tracemalloc
import warnings
import weakref

import numpy as np
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from torch.utils.data import Dataset, IterableDataset, Subset, TensorDataset

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.deployment import compare_with_teacher, load, save
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP, TablePreprocessor

N = 2000
RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, N)
X = RNG.standard_normal((N, 5)) + 1.2 * np.eye(3, 5)[Y]
TEACHER = GaussianNB().fit(X, Y)
PAIRS = TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))


class InTurn(IterableDataset):
    """Pairs of rows and labels, one after the other."""

    def __init__(self, rows, labels):
        self.rows, self.labels = rows, labels

    def __iter__(self):
        return zip(self.rows, self.labels, strict=True)


KINDS = {
    "by place": lambda rows, labels: TensorDataset(torch.as_tensor(rows), torch.as_tensor(labels)),
    "in turn": InTurn,
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def test_a_gap_beyond_the_sample_is_learnt(kind, monkeypatch):
    monkeypatch.setattr("skdistill._datasets._item_rows.LEAST_KEPT", 50)
    monkeypatch.setattr("skdistill._datasets._item_rows.MOST_KEPT", 50)
    rows = X.copy()
    rows[:5, 0] = np.nan  # of 2,000 rows
    # A ColumnTransformer does not say whether it takes gaps.
    fill = make_column_transformer((SimpleImputer(), list(range(5))))
    teacher = make_pipeline(fill, LogisticRegression()).fit(rows, Y)
    student = make_pipeline(TablePreprocessor(), StudentNet(MLP, max_epochs=1))
    model = DistilledClassifier(teacher, student, random_state=0).fit_dataset(kind(rows, Y))
    assert np.isfinite(model.predict_proba(rows[:9])).all()


@pytest.fixture
def small_blocks(monkeypatch):
    """Have 300 rows in memory at a time, so that there are several blocks."""
    monkeypatch.setattr("skdistill._datasets._item_rows.AT_ONCE", 1500)


def made_net(make):
    """Return a module whose weights are drawn from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make()


def model(n_epochs=3, teacher=TEACHER, **settings):
    net = StudentNet(MLP, module__hidden_units=(16,), max_epochs=n_epochs, **settings)
    return DistilledClassifier(teacher, net, random_state=0, device="cpu")


# The oracle: a fit in memory.


def test_full_batches_of_all_rows_are_those_of_a_fit_in_memory(kind):
    """Without an order there is nothing to differ by: the same steps, the same weights."""
    fitted = model(batch_size=N, train_split=None, dtype="float64")
    expected = fitted.fit(X, Y).predict_proba(X)
    digest, temperature = fitted.label_digest_, fitted.temperature_
    found = fitted.fit_dataset(kind(X, Y))
    np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-12)
    assert (found.label_digest_, found.temperature_) == (digest, temperature)
    assert found.n_features_in_ == 5 and found.teacher_ is TEACHER


def test_logits_are_heard_at_the_temperature_of_a_fit_in_memory():
    logits = made_net(lambda: torch.nn.Linear(5, 3))
    with torch.no_grad():
        logits.weight[:, :3] = torch.eye(3) * 2
    fitted = model(batch_size=N, train_split=None, dtype="float64", teacher=logits)
    expected = fitted.fit(X, Y).predict_proba(X)
    assert fitted.temperature_ == 2  # that of logits; 1 is that of probabilities
    found = fitted.fit_dataset(PAIRS)
    assert found.temperature_ == 2
    np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers_one_or_several(kind, n_outputs):
    goals = np.column_stack([100 * X[:, 0] + 7, X[:, 1] - X[:, 2]])[:, :n_outputs]
    goals = goals[:, 0] if n_outputs == 1 else goals
    settings = {"max_epochs": 3, "batch_size": N, "train_split": None, "dtype": "float64"}
    net = StudentNetRegressor(MLP, **settings)
    fitted = DistilledRegressor(LinearRegression().fit(X, goals), net, random_state=0)
    expected = fitted.fit(X, goals).predict(X)
    found = fitted.fit_dataset(kind(X, goals)).predict(X)
    assert found.shape == goals.shape
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_student_is_as_good_as_that_of_a_fit_in_memory(small_blocks):
    train, test = slice(0, 1500), slice(1500, N)
    fitted = model(6, train_split=None)
    loss = log_loss(Y[test], fitted.fit(X[train], Y[train]).predict_proba(X[test]))
    by_class = np.argsort(Y[train], kind="stable")
    drawn = {
        "by place": TensorDataset(*map(torch.as_tensor, (X[train][by_class], Y[train][by_class]))),
        "in turn": InTurn(X[train], Y[train]),
    }
    for name, pairs in drawn.items():
        found = log_loss(Y[test], fitted.fit_dataset(pairs).predict_proba(X[test]))
        assert found < 1.015 * loss, name
    assert loss < 0.85 * np.log(3)


def test_both_kinds_of_data_sets_give_the_same_student_and_a_seed_the_same_bits():
    by_place = model().fit_dataset(PAIRS).predict_proba(X)
    np.testing.assert_array_equal(model().fit_dataset(InTurn(X, Y)).predict_proba(X), by_place)
    np.testing.assert_array_equal(model().fit_dataset(PAIRS).predict_proba(X), by_place)
    other = model().set_params(random_state=1).fit_dataset(PAIRS).predict_proba(X)
    assert (other != by_place).any()


def test_the_same_bits_where_rows_come_in_several_blocks(kind, small_blocks):
    first, again = (model().fit_dataset(kind(X, Y)).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)


# Which rows come, and in what order.


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


def epochs_of(pairs, seed=0):
    """Return the numbers of the rows of two epochs."""
    Watching.seen = []
    net = StudentNet(Watching, max_epochs=2, batch_size=64)
    DistilledClassifier(student=net, alpha=0, random_state=seed, device="cpu").fit_dataset(pairs)
    order = [row for batch in Watching.seen for row in batch]
    return order[: len(order) // 2], order[len(order) // 2 :]


def test_each_row_comes_once_in_an_epoch_in_an_order_that_the_seed_draws(kind, monkeypatch):
    monkeypatch.setattr("skdistill._datasets._item_rows.AT_ONCE", 300)
    n_rows = 1200
    pairs = kind(np.arange(n_rows, dtype=np.float32)[:, None], np.arange(n_rows) % 2)
    first, second = epochs_of(pairs)
    assert first != second and sorted(first) == sorted(second)
    assert len(set(first)) == len(first) == 1080  # a tenth is held back
    assert epochs_of(pairs) == (first, second)
    other, _ = epochs_of(pairs, seed=1)
    assert other != first and sorted(other) == sorted(first)  # the same rows are held back
    held = np.setdiff1d(np.arange(n_rows), first)
    assert np.histogram(held, 4, (0, n_rows))[0].min() > 15
    # The first rows of an epoch are drawn from all, or from those that fit into the buffer.
    assert np.ptp(first[:200]) > (1000 if isinstance(pairs, TensorDataset) else 250)


class Noisy(Dataset):
    """Rows that differ each time, by what every generator of the process draws."""

    def __init__(self, n_rows=200):
        self.n_rows = n_rows

    def __len__(self):
        return self.n_rows

    def __getitem__(self, place):
        drawn = torch.rand(5) + float(np.random.random()) + random.random()  # noqa: NPY002
        return torch.as_tensor(X[place]) + drawn, int(Y[place])


class NoisyInTurn(IterableDataset):
    """The same rows, one after the other."""

    def __iter__(self):
        pairs = Noisy()
        return (pairs[place] for place in range(len(pairs)))


class Noting(torch.nn.Module):
    """Logits of rows, which it notes down by name."""

    seen: dict[str, list] = {"teacher": [], "student": []}

    def __init__(self, name="student"):
        super().__init__()
        self.name, self.last = name, torch.nn.Linear(5, 3)

    def forward(self, rows):
        if self.name == "teacher":
            assert not self.training and not torch.is_grad_enabled()
        if self.name == "teacher" or self.training:
            Noting.seen[self.name] += map(tuple, rows.tolist())
        return self.last(rows)


@pytest.mark.filterwarnings("ignore:The teacher's log-loss")
@pytest.mark.parametrize("pairs", [Noisy(), NoisyInTurn()], ids=["by place", "in turn"])
def test_a_teacher_is_asked_about_the_very_rows_that_the_student_sees(pairs):
    """Rows of a data set may be drawn anew each time: answers that are kept would be of others."""
    Noting.seen = {"teacher": [], "student": []}
    teacher = made_net(lambda: Noting("teacher"))
    teacher.last.weight.requires_grad = False
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    net = StudentNet(Noting, max_epochs=2, batch_size=16, train_split=None)
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1]  # noqa: NPY002
    fitted = DistilledClassifier(teacher, net, random_state=0, device="cpu")
    first = fitted.fit_dataset(pairs).predict_proba(X)
    rows = Noting.seen["student"]
    assert len(set(rows)) == len(rows) == 400
    assert set(rows) < set(Noting.seen["teacher"])
    assert teacher.training and teacher.last.bias.requires_grad
    assert not teacher.last.weight.requires_grad
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())
    assert torch.equal(torch.get_rng_state(), states[0]) and random.getstate() == states[1]
    np.testing.assert_array_equal(np.random.get_state()[1], states[2])  # noqa: NPY002
    np.testing.assert_array_equal(fitted.fit_dataset(pairs).predict_proba(X), first)


class Row(np.ndarray):
    """A row that can be counted for as long as somebody holds it."""


class Made(IterableDataset):
    """Rows that are made when they are asked for; it knows how many were alive at a time."""

    def __init__(self, n_rows):
        self.n_rows, self.now, self.most = n_rows, 0, 0

    def __iter__(self):
        return (self.make(place) for place in range(self.n_rows))

    def make(self, place):
        row = np.full(250, place % 7, dtype=np.float32).view(Row)
        weakref.finalize(row, self.forget)
        self.now += 1
        self.most = max(self.most, self.now)
        return row, place % 2

    def forget(self):
        self.now -= 1


class MadeByPlace(Dataset):
    """The same rows, each at any time."""

    def __init__(self, n_rows):
        self.made = Made(n_rows)

    def __len__(self):
        return self.made.n_rows

    def __getitem__(self, place):
        return self.made.make(place)


@pytest.mark.parametrize("pairs", [Made, MadeByPlace])
def test_memory_does_not_grow_with_the_rows(pairs, monkeypatch):
    monkeypatch.setattr("skdistill._datasets._item_rows.AT_ONCE", 250 * 50)
    monkeypatch.setattr("skdistill._datasets._item_rows.LEAST_KEPT", 50)
    monkeypatch.setattr("skdistill._datasets._item_rows.MOST_KEPT", 50)
    teacher = made_net(lambda: torch.nn.Linear(250, 2))
    student = StudentNet(MLP, max_epochs=1, batch_size=64)
    fitted = DistilledClassifier(teacher, student, random_state=0, device="cpu")

    def fit(rows):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted.fit_dataset(rows)

    def peak(n_rows):
        rows = pairs(n_rows)
        gc.collect()
        tracemalloc.start()
        fit(rows)
        most = getattr(rows, "made", rows).most
        assert most <= 51, most
        bytes_at_peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return bytes_at_peak

    fit(pairs(150))  # brings in what is imported once
    few, many = peak(550), peak(1050)  # but for 50 rows blocks of 50
    assert many - few < 500 * 100  # a row takes 1,000 bytes, and its place in an order 8


# Rows of other kinds.


def test_images_in_files_for_the_default_student(tmp_path):
    """The student is that which `fit` would choose for such rows, and is used as any other."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 120)
    images = rng.integers(0, 90, (120, 1, 8, 8), dtype=np.uint8)
    images[labels == 1, :, 2:5] += 100
    for place, image in enumerate(images):
        np.save(tmp_path / f"{place:03}.npy", image)

    class Folder(Dataset):
        def __init__(self):
            self.files = sorted(tmp_path.iterdir())

        def __len__(self):
            return len(self.files)

        def __getitem__(self, place):
            return np.load(self.files[place]), ["no", "yes"][labels[place]]

    class Teacher(torch.nn.Module):
        def forward(self, rows):
            return rows[:, 0, 2:5].mean((1, 2))[:, None] / 8 - 12

    fitted = DistilledClassifier(Teacher(), random_state=0, device="cpu")
    fitted.set_params(student__max_epochs=4).fit_dataset(Folder())
    truth = np.array(["no", "yes"])[labels]
    assert fitted.score(images, truth) > 0.95
    assert fitted.student_[0].image_shape_ == (1, 8, 8)
    assert fitted.classes_.tolist() == ["no", "yes"] and fitted.fit_seconds_["teacher"] > 0
    assert compare_with_teacher(fitted, images).n_rows == 120
    save(fitted, tmp_path / "student.safetensors")
    loaded = load(tmp_path / "student.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(images), fitted.predict_proba(images))


def test_texts():
    rows = [f"{'good' if label else 'bad'} {i % 5}" for i, label in enumerate(Y[:200] > 0)]
    reads = HashingVectorizer(n_features=64)
    teacher = make_pipeline(reads, LogisticRegression()).fit(rows, Y[:200] > 0)
    net = StudentNet(max_epochs=20, batch_size=32)
    fitted = DistilledClassifier(teacher, make_pipeline(reads, net), random_state=0)
    pairs = InTurn(rows, (Y[:200] > 0).tolist())
    assert fitted.fit_dataset(pairs).score(rows, Y[:200] > 0) > 0.95


def test_columns_with_gaps_and_a_part_of_a_data_set():
    rows = np.where(RNG.random(X.shape) < 0.1, np.nan, X)
    pairs = TensorDataset(torch.as_tensor(rows), torch.as_tensor(Y))
    student = make_pipeline(TablePreprocessor(), StudentNet(MLP, max_epochs=3))
    teacher = make_pipeline(TablePreprocessor(), GaussianNB()).fit(rows, Y)
    fitted = DistilledClassifier(teacher, student, random_state=0)
    assert fitted.fit_dataset(Subset(pairs, range(500))).score(rows, Y) > 0.5


def test_tensors_that_numpy_does_not_have():
    rows, odd = torch.tensor(X), torch.tensor(X).to(torch.bfloat16)
    expected = model(1).fit_dataset(TensorDataset(odd.float(), torch.tensor(Y)))
    turned = torch.complex(rows, -odd.double()).conj().imag  # a view with the sign left to do
    for pairs in [
        TensorDataset(odd, torch.tensor(Y).bfloat16()),
        TensorDataset(turned, torch.tensor(Y)),
    ]:
        found = model(1).fit_dataset(pairs)
        np.testing.assert_allclose(found.predict_proba(odd), expected.predict_proba(odd), atol=1e-6)


def test_an_error_of_the_data_set_says_which_item_it_was():
    class TooLong(Dataset):
        """A data set of fewer items than it says."""

        def __len__(self):
            return N + 3

        def __getitem__(self, place):
            return X[place], Y[place]

    with pytest.raises(IndexError) as caught:
        model(1).fit_dataset(TooLong())
    assert f"item {N} of dataset, whose len is {N + 3}" in caught.value.__notes__[0]


def test_a_class_that_the_teacher_does_not_know_is_learnt_from_labels():
    known = GaussianNB().fit(X[Y > 0], Y[Y > 0])
    settings = {"batch_size": N, "train_split": None, "dtype": "float64", "teacher": known}
    expected = model(**settings).fit(X, Y).predict_proba(X)
    found = model(**settings).fit_dataset(PAIRS).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_teacher_that_knows_the_rows_by_heart_is_warned_of():
    noise = RNG.permutation(Y)
    tree = DecisionTreeClassifier(random_state=0).fit(X, noise)
    pairs = TensorDataset(torch.as_tensor(X), torch.as_tensor(noise))
    with pytest.warns(TeacherWarning, match="seems to have been fitted on these very rows"):
        model(1, teacher=tree).fit_dataset(pairs)
