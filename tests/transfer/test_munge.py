"""Munge: neighbours against a hand-written search, and numbers against their distribution."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from skdistill.transfer import Munge
from skdistill.transfer._neighbors import encode_distances, find_neighbors
from skdistill.transfer._table import read_columns


def make_mixed(n_samples=60):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "number": rng.normal(size=n_samples),
            "gappy": rng.normal(5.0, 30.0, size=n_samples),
            "name": rng.choice(["a", "b", "c"], n_samples),
            "flag": rng.random(n_samples) < 0.5,
            "constant": 1.0,
        }
    )
    frame.loc[::7, "gappy"] = np.nan
    frame.loc[::5, "name"] = None
    return frame


def distance(a, b, frame):
    """Return the distance of two rows, cell by cell."""
    total = 0.0
    for name in ["number", "gappy"]:
        low, high = frame[name].min(), frame[name].max()
        mean = frame[name].mean()
        first, second = ((mean if pd.isna(row[name]) else row[name]) for row in (a, b))
        total += ((first - second) / (high - low)) ** 2
        total += pd.isna(a[name]) != pd.isna(b[name])
    total += (a["name"] if pd.notna(a["name"]) else "") != (
        b["name"] if pd.notna(b["name"]) else ""
    )
    total += a["flag"] != b["flag"]
    return np.sqrt(total)


def test_distances_are_those_of_the_cells():
    frame = make_mixed(30)
    encoded = encode_distances(frame, list(read_columns(frame)))
    given = np.linalg.norm(encoded[:, None] - encoded[None], axis=2)
    expected = [[distance(a, b, frame) for _, b in frame.iterrows()] for _, a in frame.iterrows()]
    np.testing.assert_allclose(given, expected, atol=1e-12)


def test_neighbors_are_the_nearest_others():
    encoded = np.random.default_rng(0).normal(size=(200, 3))
    rows = np.array([0, 5, 199, 7])
    found = find_neighbors(encoded, rows, 10_000, np.random.default_rng(0))
    distances = np.linalg.norm(encoded[rows][:, None] - encoded[None], axis=2)
    distances[np.arange(4), rows] = np.inf
    assert found.tolist() == distances.argmin(axis=1).tolist()


def test_neighbors_come_from_a_pool():
    encoded = np.random.default_rng(0).normal(size=(500, 2))
    rows = np.arange(500)
    found = find_neighbors(encoded, rows, 20, np.random.default_rng(0))
    assert 2 < len(set(found)) <= 20
    assert (found != rows).all()


def test_ties_are_broken_at_random_and_alike_on_any_number_of_threads():
    encoded = np.random.default_rng(0).integers(3, size=(300, 2)).astype(float)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(find_neighbors(encoded, np.arange(300), 300, np.random.default_rng(0)))
    np.testing.assert_array_equal(*found)
    other = find_neighbors(encoded, np.arange(300), 300, np.random.default_rng(1))
    assert (other != found[0]).mean() > 0.5
    assert (encoded[other] == encoded).all()


def test_many_categories_stay_a_few_columns():
    X = np.arange(500).astype(str)[:, None]
    assert encode_distances(X, list(read_columns(X))).shape[1] < 100
    assert Munge().rows(X, random_state=0).shape == (500, 1)


def test_one_row_is_copied():
    X = np.array([["a", 1.5]], dtype=object)
    assert Munge(factor=3, p=1).rows(X, random_state=0).tolist() == [["a", 1.5]] * 3


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_categories_are_the_neighbours_with_probability_p(p):
    # The members of a pair differ in two columns, and from other pairs in three or more.
    pair, member = np.repeat(np.arange(50), 2).astype(str), np.arange(100)
    X = pd.DataFrame({"a": pair, "b": pair, "c": pair, "id": member.astype(str), "odd": member % 2})
    rows = Munge(factor=20, p=p).rows(X, random_state=0)
    assert set(rows["a"]) == set(pair)
    assert (rows["a"] == rows["c"]).all()
    # id and odd of a row disagree where just one of them was exchanged.
    disagree = rows["id"].astype(int) % 2 != rows["odd"]
    assert disagree.mean() == pytest.approx(2 * p * (1 - p), abs=0.04)


@pytest.mark.parametrize("s", [1.0, 4.0])
def test_numbers_are_drawn_around_the_neighbours(s):
    # Two rows near each other, and others far off that keep the limits away.
    X = np.array([[0.0], [1.0], [100.0], [100.5], [-100.0], [-100.5]])
    rows = Munge(factor=6_000, p=1.0, s=s).rows(X, random_state=0)[:, 0]
    # Half of those near 0 and 1 start at 0: they are N(1, 1/s); the others are N(0, 1/s).
    near = rows[np.abs(rows) < 50]
    assert len(near) == 12_000

    def mixture(x):
        return (stats.norm.cdf(x, 0, 1 / s) + stats.norm.cdf(x, 1, 1 / s)) / 2

    assert stats.kstest(near, mixture).pvalue > 0.01


def test_gaps_are_exchanged_like_categories():
    X = np.array([[0.0, 0.0, np.nan], [0.0, 0.0, 1.0], [9.0, 9.0, 2.0], [9.0, 9.0, 3.0]])
    rows = Munge(factor=500, p=1.0).rows(X, random_state=0)
    with_gap, without = rows[rows[:, 0] == 0, 2], rows[rows[:, 0] == 9, 2]
    assert np.isnan(with_gap).mean() == 0.5
    assert set(with_gap[~np.isnan(with_gap)]) == {1.0}
    assert not np.isnan(without).any()
