"""GaussianNoise: what is touched, and by how much."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse, stats

from skdistill.transfer import GaussianNoise


def test_noise_is_gaussian_of_the_columns_deviation():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(50.0, 4.0, 2000), "b": rng.exponential(0.1, 2000)})
    X.iloc[:2] = [[0.0, -3.0], [100.0, 3.0]]  # so that the others do not reach the limits
    X["row"] = np.arange(2000).astype(str)
    rows = GaussianNoise(factor=3, scale=0.2).rows(X, random_state=0)
    rows = rows[rows["row"].astype(int) > 1]
    for name in "ab":
        noise = rows[name].to_numpy() - X[name].to_numpy()[rows["row"].astype(int)]
        assert stats.kstest(noise / (0.2 * X[name].std(ddof=0)), "norm").pvalue > 0.01


def test_only_quantities_are_touched():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "name": rng.choice(["a", "b"], 50),
            "bool": rng.random(50) < 0.5,
            "flag": rng.choice([-1.0, 1.0], 50),
            "gappy_flag": rng.choice([0.0, 1.0, np.nan], 50),
            "constant": 2,
            "id": np.arange(50).astype(str),
            "number": rng.normal(size=50),
        }
    )
    rows = GaussianNoise(factor=1).rows(X, random_state=0)
    start = X.iloc[rows["id"].astype(int)].reset_index(drop=True)
    pd.testing.assert_frame_equal(rows.drop(columns="number"), start.drop(columns="number"))
    assert (rows["number"] != start["number"]).mean() > 0.9
    assert np.corrcoef(rows["number"], start["number"])[0, 1] > 0.95


def test_gaps_stay_where_they_are():
    X = np.random.default_rng(0).normal(size=(50, 2))
    X[:20, 0] = np.nan
    X[10:25, 1] = np.nan
    rows = GaussianNoise(factor=2).rows(X, random_state=0)
    counts = np.unique(np.isnan(rows), axis=0, return_counts=True)[1]
    assert counts.tolist() == (2 * np.unique(np.isnan(X), axis=0, return_counts=True)[1]).tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_images(dtype):
    X = np.random.default_rng(0).integers(0, 256, (30, 1, 6, 5)).astype(dtype)
    X[:, :, 0] = 7  # a rim that is the same in all images
    rows = GaussianNoise(factor=2, scale=0.2).rows(X, random_state=0)
    assert (rows.shape, rows.dtype) == ((60, 1, 6, 5), dtype)
    assert (rows[:, :, 0] == 7).all()
    flat = GaussianNoise(factor=2, scale=0.2).rows(X.reshape(30, -1), random_state=0)
    assert (rows.reshape(60, -1) == flat).all()
    assert (rows.min(axis=0) >= X.min(axis=0)).all() and (rows.max(axis=0) <= X.max(axis=0)).all()


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csr_matrix, sparse.csc_array])
def test_sparse_rows_keep_their_zeros(container):
    dense = np.random.default_rng(0).random((40, 6))
    dense[dense < 0.6] = 0
    dense[:, 5] = np.where(dense[:, 5] > 0, 2.0, 0.0)  # a flag
    X = container(dense)
    before = X.copy()
    rows = GaussianNoise(factor=3).rows(X, random_state=0)
    np.testing.assert_array_equal(X.toarray(), before.toarray())
    assert (
        sparse.issparse(rows)
        and rows.format == "csr"
        and isinstance(X, sparse.sparray) == isinstance(rows, sparse.sparray)
    )
    assert (rows.shape, rows.dtype) == ((120, 6), X.dtype)
    new = rows.toarray()
    patterns = [sorted(map(tuple, table > 0)) for table in (new, np.repeat(dense, 3, axis=0))]
    assert patterns[0] == patterns[1]
    assert set(new[:, 5]) == {0.0, 2.0}
    assert not np.isin(new[:, :5], dense).all()
    assert (new.max(axis=0) <= dense.max(axis=0)).all()


def test_sparse_noise_is_gaussian_of_the_columns_deviation():
    dense = np.full((1000, 1), 10.5)
    dense[:2], dense[2:500] = [[1e-9], [20.0]], 0
    rows = GaussianNoise(factor=20, scale=0.2).rows(sparse.csr_array(dense), random_state=0)
    drawn = rows.data[(rows.data > 1) & (rows.data < 19)] - 10.5
    assert stats.kstest(drawn / (0.2 * dense.std()), "norm").pvalue > 0.01


@pytest.mark.parametrize("dtype", [np.int64, np.float64, bool])
def test_sparse_counts_stay_counts(dtype):
    counts = np.random.default_rng(0).poisson(2, (50, 4)).astype(dtype)
    rows = GaussianNoise(scale=1.0).rows(sparse.csr_array(counts), random_state=0)
    assert rows.dtype == dtype
    assert (rows.data == np.rint(rows.data)).all() and rows.data.min() >= 1


def test_a_sparse_table_without_values():
    rows = GaussianNoise(factor=2).rows(sparse.csr_array((3, 4)), random_state=0)
    assert rows.shape == (6, 4) and rows.nnz == 0
