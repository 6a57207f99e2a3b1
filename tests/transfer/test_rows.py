"""What all generators of rows promise."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.neighbors import KernelDensity

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import StudentError
from skdistill.students import MLP, TablePreprocessor
from skdistill.transfer import VAE, GaussianNoise, Gibbs, Munge, Sampler, Spunge

AUGMENTERS = {
    "Spunge": Spunge(),
    "Munge": Munge(),
    "GaussianNoise": GaussianNoise(),
    "Gibbs": Gibbs(),
    "density": Sampler(KernelDensity()),
    "VAE": Sampler(VAE(max_iter=20)),
}
N = 40


@pytest.fixture(params=AUGMENTERS.values(), ids=AUGMENTERS)
def augmenter(request):
    return clone(request.param)


def make_frame():
    rng = np.random.default_rng(0)
    number = rng.normal(size=N)
    names = rng.choice(["a", "b", "c"], N).astype(object)
    gappy, gappy_names = number.copy(), names.copy()
    gappy[::3] = np.nan
    gappy_names[::4] = None
    return pd.DataFrame(
        {
            "float64": number,
            "float32": number.astype(np.float32),
            "int64": rng.integers(-50, 50, N),
            "uint8": rng.integers(0, 256, N).astype(np.uint8),
            "int64_great": rng.integers(2**62, 2**63 - 1, N, endpoint=True),
            "bool": rng.random(N) < 0.5,
            "flag": rng.integers(2, size=N),
            "constant": 3.5,
            "gappy": gappy,
            "empty": np.nan,
            "names": names,
            "gappy_names": gappy_names,
            "category": pd.Categorical(names, categories=["c", "b", "a", "never"]),
            "codes": pd.Categorical(rng.integers(5, size=N)),
            "Int64": pd.array(np.where(np.isnan(gappy), np.nan, np.rint(9 * number)), "Int64"),
            "boolean": pd.array(rng.choice([True, False, None], N), "boolean"),
            "objects": [int(value) for value in rng.integers(100, size=N)],
            "sparse": pd.arrays.SparseArray(np.maximum(number, 0), fill_value=0.0),
        }
    ).astype({"objects": object})


X = np.random.default_rng(1).normal(size=(N, 3))
ARRAYS = {
    "float64": X,
    "float32": X.astype(np.float32),
    "fortran": np.asfortranarray(X),
    "int8": (60 * X).clip(-128, 127).astype(np.int8),
    "bool": X > 0,
    "strings": np.where(X > 0, "much", "little"),
    "objects": np.array([["x", 1, None], ["y", 2, 0.5], [None, 3, 2.5]], dtype=object),
    "one row": X[:1],
    "one column": X[:, :1],
    "one cell": X[:1, :1],
    "all gaps": np.full((5, 2), np.nan),
    "two equal rows": np.ones((2, 3)),
}


def same(a, b):
    """Whether tables hold the same, gaps included."""
    return pd.DataFrame(a).equals(pd.DataFrame(b)) and type(a) is type(b)


def test_frame_keeps_columns_dtypes_and_itself(augmenter):
    frame = make_frame()
    frame.index = np.arange(N)[::-1] * 2
    before = frame.copy(deep=True)
    rows = augmenter.set_params(factor=3).rows(frame, random_state=0)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_series_equal(rows.dtypes, frame.dtypes)
    assert rows.index.equals(pd.RangeIndex(3 * N))
    assert {type(value) for value in rows["objects"]} == {int}
    assert (rows["constant"] == 3.5).all() and rows["empty"].isna().all()
    assert set(rows["flag"]) == {0, 1}
    for name in ["float64", "float32", "int64", "uint8", "int64_great", "gappy", "Int64"]:
        column, new = frame[name].dropna(), rows[name].dropna()
        assert column.min() <= new.min() and new.max() <= column.max()
        of_real_cells = isinstance(augmenter, Gibbs)
        assert np.isin(new, column).all() == of_real_cells, "nothing was changed"
    for name in ["names", "category", "codes", "bool", "boolean", "flag"]:
        assert set(rows[name].dropna()) <= set(frame[name].dropna())


@pytest.mark.parametrize("name", ARRAYS)
def test_array_keeps_shape_dtype_and_itself(augmenter, name):
    X = ARRAYS[name]
    before = X.copy()
    rows = augmenter.set_params(factor=2).rows(X, random_state=0)
    assert same(X, before)
    assert (type(rows), rows.dtype) == (type(X), X.dtype)
    assert rows.shape == (2 * len(X), X.shape[1])


def test_names_that_are_not_strings_are_kept(augmenter):
    frame = pd.DataFrame(X, columns=[3, ("a", 1), None][: X.shape[1]])
    rows = augmenter.rows(frame, random_state=0)
    assert list(rows.columns) == list(frame.columns)


@pytest.mark.parametrize("make", [make_frame, lambda: X], ids=["frame", "array"])
def test_a_seed_gives_the_same_rows(augmenter, make):
    first, again, other = (augmenter.rows(make(), random_state=seed) for seed in (3, 3, 4))
    assert same(first, again)
    assert not same(first, other)
    stream = np.random.RandomState(3)
    first, other = (augmenter.rows(make(), random_state=stream) for _ in range(2))
    assert not same(first, other)


def test_no_seed_leaves_the_global_generator_alone(augmenter):
    assert not same(augmenter.rows(X), augmenter.rows(X))


@pytest.mark.parametrize(
    "factor, max_rows, expected", [(1, 100, N), (2.5, 1000, 100), (5, 70, 70), (0.001, 70, 1)]
)
def test_number_of_rows_is_bounded(augmenter, factor, max_rows, expected):
    augmenter.set_params(factor=factor, max_rows=max_rows)
    assert len(augmenter.rows(X, random_state=0)) == expected


def test_each_row_is_the_start_of_equally_many():
    X = np.arange(7)[:, None]
    starts = GaussianNoise(factor=3, scale=0).rows(X, random_state=0)[:, 0]
    assert np.bincount(starts).tolist() == [3] * 7
    starts = GaussianNoise(factor=3, scale=0, max_rows=9).rows(X, random_state=0)[:, 0]
    assert sorted(np.bincount(starts)) == [1] * 5 + [2] * 2


def test_rows_come_in_a_random_order(augmenter):
    rows = augmenter.set_params(factor=1, max_rows=8).rows(np.arange(N)[:, None], random_state=0)
    assert rows[:, 0].tolist() != sorted(rows[:, 0])


def test_whole_numbers_in_floats_stay_whole(augmenter):
    counts = np.random.default_rng(0).integers(0, 1000, (N, 2)).astype(float)
    counts[::5] = np.nan
    rows = augmenter.rows(counts, random_state=0)
    assert (np.isnan(rows) | (rows == np.rint(rows))).all()


def test_an_encoded_table_keeps_its_codes(augmenter):
    kinds = [f"kind {i % 60:02}" for i in range(120)]
    numbers = np.random.default_rng(0).normal(size=(120, 3))
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"]).assign(kind=kinds)
    preprocessor = TablePreprocessor().fit(frame)
    every_fifth = np.random.default_rng(0).integers(12, size=N) * 5  # any shift would be seen
    table = preprocessor.transform(frame.iloc[every_fifth])
    rows = augmenter.set_params(factor=1).rows(table, random_state=0)
    assert table.layout["n_numeric"] == 3 and len(table.layout["cardinalities"]) == 1
    assert (type(rows), rows.layout, rows.shape) == (type(table), table.layout, table.shape)
    assert set(np.asarray(rows)[:, 3]) <= set(np.asarray(table)[:, 3])
    assert (np.diff(sorted(set(np.asarray(table)[:, 3]))) >= 5).all()


def test_a_list_becomes_an_array(augmenter):
    assert augmenter.rows([[1.0, 2.0], [3.0, 4.0]], random_state=0).dtype == np.float64


BAD_ROWS = {
    "dates": (pd.DataFrame({"day": pd.date_range("2024-01-01", periods=3)}), StudentError, "dates"),
    "one axis": (np.arange(3.0), ValueError, "1D array"),
    "no rows": (np.empty((0, 2)), ValueError, "minimum of 1"),
    "infinite": (np.array([[1.0, np.inf]]), ValueError, "infinity"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_are_refused(augmenter, name):
    X, error, message = BAD_ROWS[name]
    with pytest.raises(error, match=message):
        augmenter.rows(X, random_state=0)


@pytest.mark.parametrize("augmenter", [Spunge(), Munge()], ids=["Spunge", "Munge"])
@pytest.mark.parametrize(
    "X, got",
    [
        (sparse.csr_array(np.eye(4)), r"a sparse matrix of shape \(4, 4\)"),
        (np.zeros((2, 1, 3, 3)), r"an array of shape \(2, 1, 3, 3\)"),
    ],
    ids=["sparse", "images"],
)
def test_only_tables(augmenter, X, got):
    with pytest.raises(ValueError, match=f"{got} instead, and .* Use GaussianNoise"):
        augmenter.rows(X, random_state=0)


BAD_SETTINGS = [
    Spunge(factor=0),
    Spunge(factor="many"),
    Spunge(max_rows=0),
    Spunge(max_rows=10.5),
    Spunge(resample=1.5),
    Spunge(noise=-1),
    Spunge(noise_probability=-0.1),
    Munge(p=2),
    Munge(s=0),
    Munge(max_neighbors=1),
    GaussianNoise(scale=-0.1),
    GaussianNoise(factor=None),
    Gibbs(sweeps=0),
    Gibbs(min_samples_leaf=0.1),
    Gibbs(max_samples=0),
    Sampler(KernelDensity(), factor=-1),
]


@pytest.mark.parametrize("augmenter", BAD_SETTINGS, ids=repr)
def test_bad_settings_are_refused(augmenter):
    name = type(augmenter).__name__
    with pytest.raises(ValueError, match=f"parameter of {name} must be .* Got .* instead"):
        augmenter.rows(X, random_state=0)


def distil(augment):
    """Return what a student answers that has learnt from generated rows too."""
    net = StudentNet(MLP, max_epochs=2, train_split=None)
    model = DistilledClassifier(softmax_of_rows, net, augment=augment, random_state=0)
    return model.fit(X, X.argmax(axis=1)).predict_proba(X)


def softmax_of_rows(rows):
    return softmax(rows, axis=1)


def test_names(augmenter):
    names = {Spunge: "spunge", Munge: "munge", GaussianNoise: "gaussian_noise", Gibbs: "gibbs"}
    if isinstance(augmenter, Sampler):
        names = {Sampler: clone(augmenter.generator)}
    by_name, without = distil(names[type(augmenter)]), distil(None)
    assert np.array_equal(by_name, distil(augmenter)) and not np.array_equal(by_name, without)
    assert repr(Spunge(factor=2)) == "Spunge(factor=2)"


def test_an_instance_of_ones_own_is_used_itself():
    n_rows = []

    class Watched(Spunge):
        def rows(self, X, *, random_state=None):
            n_rows.append(len(X))
            return super().rows(X, random_state=random_state)

    distil(Watched())
    assert n_rows == [N]


@pytest.mark.parametrize(
    "augment, message",
    [
        ("spunge ", "Did you mean 'spunge'?"),
        ("SPUNGE", "Did you mean 'spunge'?"),
        ("noise", "instead."),
        (Spunge, "such as Spunge()"),
        (5, "Got 5 instead."),
        (True, "Got True instead."),
    ],
)
def test_unknown_names_are_refused(augment, message):
    with pytest.raises(ValueError, match="'augment' parameter must be None, one of") as caught:
        distil(augment)
    assert message in str(caught.value)
