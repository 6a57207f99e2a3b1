"""Gibbs: cells drawn from the leaves of trees that are grown here again, by hand."""

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from skdistill.transfer import Gibbs

N = 400


def make_pair(seed=0):
    """Two columns, the second of which is told by the first within a unit."""
    a = np.random.default_rng(seed).uniform(0, 10, N)
    return np.column_stack([a, a + np.random.default_rng(seed + 1).uniform(0, 1, N)])


def test_each_cell_is_of_the_leaf_that_the_others_lead_to():
    X = make_pair()
    rows = Gibbs(factor=2, min_samples_leaf=40).rows(X, random_state=0)
    ranks = X.argsort(axis=0).argsort(axis=0)
    places = [{value: i for i, value in enumerate(column)} for column in X.T]
    found = np.array([[places[j][value] for j, value in enumerate(row)] for row in rows])
    # The column that was drawn last was drawn given the other one as it now stands.
    kept = []
    for j in (0, 1):
        tree = DecisionTreeRegressor(min_samples_leaf=40, random_state=0).fit(
            ranks[:, [1 - j]], ranks[:, j]
        )
        leaves = tree.apply(ranks[:, [1 - j]])
        kept.append((leaves[found[:, j]] == leaves[found[:, 1 - j]]).mean())
    assert max(kept) == 1


def test_columns_hang_together_as_they_do():
    X = make_pair()
    rows = Gibbs(min_samples_leaf=10).rows(X, random_state=0)
    assert np.corrcoef(rows.T)[0, 1] > 0.98
    alone = Gibbs(min_samples_leaf=N).rows(X, random_state=0)  # one leaf: the marginal
    assert abs(np.corrcoef(alone.T)[0, 1]) < 0.05


def test_a_category_tells_its_number_and_a_gap_its_category():
    kind = np.random.default_rng(0).choice(["low", "high", "gap"], N)
    number = np.where(kind == "low", 1.0, np.where(kind == "high", 5.0, np.nan))
    frame = pd.DataFrame({"kind": kind, "number": number + np.arange(N) / N})
    rows = Gibbs(factor=1).rows(frame, random_state=0)
    assert rows["number"].isna().eq(rows["kind"] == "gap").all()
    assert (rows["number"] > 3).eq(rows["kind"] == "high").all()
    assert set(rows["kind"]) == set(kind)


def test_all_cells_are_drawn_anew():
    X = np.random.default_rng(0).normal(size=(N, 3))
    rows = Gibbs(factor=1).rows(X, random_state=0)
    real = {tuple(row) for row in X}
    assert sum(tuple(row) in real for row in rows) < N / 10
    assert all(np.isin(new, old).all() for new, old in zip(rows.T, X.T, strict=True))


def test_few_rows_grow_the_trees():
    X = make_pair()
    rows = Gibbs(max_samples=7).rows(X, random_state=0)
    assert all(len(np.unique(column)) <= 7 for column in rows.T)
