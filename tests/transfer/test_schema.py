"""SchemaSampler: designs against their definition, schemas against the thresholds of trees."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier
from skdistill.transfer import SchemaSampler

X, Y = load_iris(return_X_y=True, as_frame=True)
UNIT = (0.0, 1.0)


def test_each_pair_of_parts_has_one_row():
    rows = SchemaSampler([UNIT] * 5).sample(49, random_state=0)
    parts = (rows * 7).astype(int)
    for i, j in itertools.combinations(range(5), 2):
        assert len({*zip(parts[:, i], parts[:, j], strict=True)}) == 49
    few = (SchemaSampler([UNIT] * 5).sample(30, random_state=0) * 7).astype(int)
    assert len({*map(tuple, few[:, :2])}) == 30


def test_wide_rows_share_no_pair_of_parts():
    rows = (SchemaSampler([UNIT] * 60).sample(200, random_state=0) * 59).astype(int)
    for i, j in itertools.combinations(range(0, 60, 7), 2):
        assert len({*zip(rows[:, i], rows[:, j], strict=True)}) == 200


def test_what_a_schema_says():
    schema = {
        "whole": (1, 4),
        "bins": (0.0, 1.0, 100.0),
        "same": (3, 3),
        "job": ["clerk", "nurse", "nurse", None],
        "code": [7, 9],
        "flag": [True, False],
    }
    rows = SchemaSampler(schema).sample(37**2, random_state=0)
    assert list(rows) == list(schema)
    assert rows.dtypes[["whole", "bins", "code", "flag"]].tolist() == [
        "int64",
        "float64",
        "int64",
        "bool",
    ]
    shares = rows["whole"].value_counts(normalize=True)
    assert sorted(shares.index) == [1, 2, 3, 4] and np.allclose(shares, 0.25, atol=0.02)
    assert rows["bins"].between(0, 100).all() and abs((rows["bins"] < 1).mean() - 0.5) < 0.02
    assert (rows["same"] == 3).all() and set(rows["code"]) == {7, 9}
    assert abs((rows["job"] == "nurse").mean() - 0.5) < 0.02 and rows["job"].isna().mean() > 0.2


def test_seeds_and_numbers_of_rows():
    sampler = SchemaSampler([UNIT, UNIT])
    first, again, other = (sampler.sample(9, random_state=seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(sampler.sample(9), sampler.sample(9))
    assert [len(sampler.sample(n)) for n in (1, 2, 10)] == [1, 2, 10]
    assert sampler.sample().shape == (1, 2)


TREE = DecisionTreeClassifier(random_state=0)
ENSEMBLES = {
    "tree": TREE,
    "forest": RandomForestClassifier(5, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
    "histogram boosting": HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "AdaBoost": AdaBoostClassifier(n_estimators=3, random_state=0),
    "bagging": BaggingClassifier(TREE, 3, max_features=0.5, random_state=0),
    "vote": VotingClassifier([("a", TREE), ("b", RandomForestClassifier(2, random_state=0))]),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_bins_are_the_cells_of_the_teacher(name):
    teacher = ENSEMBLES[name].fit(X, Y)
    schema = SchemaSampler.from_teacher(teacher).schema
    assert list(schema) == list(X)
    ask = getattr(teacher, "predict_proba", teacher.predict)
    row = X.iloc[[75]]
    for column, edges in schema.items():
        # Within a bin the answer is the same, whatever the teacher.
        low, high = np.array(edges[:-1]), np.array(edges[1:])
        inside = [pd.concat([row] * len(low)) for _ in range(2)]
        for rows, share in zip(inside, (0.1, 0.9), strict=True):
            rows[column] = low + share * (high - low)
        assert np.array_equal(*map(ask, inside))


def test_a_student_without_rows():
    teacher = RandomForestClassifier(20, max_leaf_nodes=5, random_state=0).fit(X.to_numpy(), Y)
    sampler = SchemaSampler.from_teacher(teacher)
    student = DecisionTreeRegressor(max_leaf_nodes=60, random_state=0)
    rows = sampler.sample(31**2, random_state=0)
    model = DistilledClassifier(teacher, student, alpha=1, random_state=0).fit(rows, None)
    assert (model.predict(X.to_numpy()) == teacher.predict(X.to_numpy())).mean() > 0.9


def entry(value):
    return lambda: SchemaSampler({"age": value}).sample(4)


REFUSED = {
    "falling": (ValueError, entry((90, 17)), r"column 'age' is \(90, 17\).*do not fall, such as"),
    "one number": (ValueError, entry((17,)), "tuple of two or more finite numbers"),
    "past 64 bits": (
        ValueError,
        entry((0, 2**63)),
        "'age' goes from 0 to 9223372036854775808; .*unit",
    ),
    "past float64": (
        ValueError,
        entry((-1e308, 1e308)),
        r"goes from -1e\+308 to 1e\+308; expected",
    ),
    "a truth value": (ValueError, lambda: SchemaSampler([UNIT]).sample(True), "n_samples is True"),
    "infinite": (ValueError, entry((0, np.inf)), "two or more finite numbers"),
    "words": (ValueError, entry(("a", "b")), "or a list of categories"),
    "no categories": (ValueError, entry([]), r"column 'age' is \[\]; expected"),
    "an array": (ValueError, entry(np.arange(3)), "expected a tuple"),
    "no columns": (ValueError, lambda: SchemaSampler([]).sample(), "empty; expected a column"),
    "no schema": (ValueError, lambda: SchemaSampler(5).sample(), "is a int; expected a dict"),
    "a frame": (ValueError, lambda: SchemaSampler(X).sample(), "is a DataFrame; expected a dict"),
    "no rows": (ValueError, lambda: SchemaSampler([UNIT]).sample(0), "1 or more"),
    "half a row": (ValueError, lambda: SchemaSampler([UNIT]).sample(1.5), "1 or more"),
    "a teacher without thresholds": (
        ValueError,
        lambda: SchemaSampler.from_teacher(LogisticRegression().fit(X, Y == 1)),
        "LogisticRegression holds no thresholds.*expected a tree.*Write the ranges",
    ),
    "a teacher that is not fitted": (
        NotFittedError,
        lambda: SchemaSampler.from_teacher(RandomForestClassifier()),
        "not fitted",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
