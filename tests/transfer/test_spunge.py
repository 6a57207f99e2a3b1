"""Spunge: how many cells are drawn anew, from where, and how much noise there is."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skdistill.transfer import Spunge

N = 2_000


def own_cells(n_features, **settings):
    """Generate rows of a table in which each cell says what row it came from."""
    X = np.repeat(np.arange(N)[:, None], n_features, axis=1).astype(str)
    rows = Spunge(factor=1, **settings).rows(X, random_state=0).astype(int)
    start = stats.mode(rows, axis=1).mode
    return rows, start


@pytest.mark.parametrize(
    "n_features, resample, expected",
    [(5, 0.1, 1), (14, 0.1, 1), (20, 0.1, 2), (7, 0.5, 4), (5, 0, 0)],
)
def test_each_row_has_as_many_new_cells(n_features, resample, expected):
    rows, start = own_cells(n_features, resample=resample)
    # A cell that is drawn anew comes from its own row once in N times.
    changed = (rows != start[:, None]).sum(axis=1)
    assert changed.max() == expected
    assert (changed == expected).mean() > 0.99


def test_columns_are_as_likely_and_cells_follow_the_marginal():
    rows, start = own_cells(20, resample=0.1)
    changed = rows != start[:, None]
    assert stats.chisquare(changed.sum(axis=0)).pvalue > 0.01
    assert stats.kstest(rows[changed] / N, "uniform").pvalue > 0.01
    both = changed.sum(axis=1) == 2
    first, second = rows[both][changed[both]].reshape(-1, 2).T
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1  # each is drawn for itself


def test_all_cells_can_be_drawn_anew():
    X = np.random.default_rng(0).normal(size=(N, 1)).repeat(2, axis=1)
    rows = Spunge(factor=1, resample=1.0, noise=0).rows(X, random_state=0)
    assert abs(np.corrcoef(rows.T)[0, 1]) < 0.1
    assert np.isin(rows, X).all()


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_noise_has_its_probability_and_the_columns_scale(probability):
    number = np.random.default_rng(0).normal(50.0, 4.0, N)
    number[:2] = 0, 100  # so that the others do not reach the limits
    X = pd.DataFrame({"number": number, "row": np.arange(N).astype(str)})
    augmenter = Spunge(factor=3, resample=0, noise=0.2, noise_probability=probability)
    rows = augmenter.rows(X, random_state=0)
    rows = rows[rows["row"].astype(int) > 1]
    noise = rows["number"].to_numpy() - number[rows["row"].astype(int)]
    changed = noise != 0
    assert changed.mean() == pytest.approx(probability, abs=0.02)
    if probability:
        assert stats.kstest(noise[changed] / (0.2 * number.std()), "norm").pvalue > 0.01


def test_gaps_are_cells_like_others():
    X = pd.DataFrame({"number": [1.0, 2.5, np.nan, 4.0] * 100, "name": ["a", None] * 200})
    rows = Spunge(factor=5, noise_probability=1).rows(X, random_state=0)
    shares = rows.isna().mean()
    assert shares["number"] == pytest.approx(0.25, abs=0.03)
    assert shares["name"] == pytest.approx(0.5, abs=0.03)
