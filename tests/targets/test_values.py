"""A teacher's numbers: out of fold, kept in memory, held against the mean of y."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor, StudentNetRegressor
from skdistill.exceptions import TeacherWarning
from skdistill.losses import QuantileLoss
from skdistill.targets import teacher_probabilities, teacher_targets
from skdistill.teachers import CallableTeacher

X, Y = load_diabetes(return_X_y=True)
YY = np.column_stack([Y, Y**2])
GROUPS = np.arange(len(Y)) // 7


@pytest.mark.parametrize("y", [Y, YY])
@pytest.mark.parametrize("cv", [None, 3, KFold(4)])
def test_out_of_fold_is_cross_val_predict(cv, y):
    found = teacher_targets(Ridge(), X, y, cv=cv, random_state=0)
    n_folds = {None: 5, 3: 3}.get(cv) if not isinstance(cv, KFold) else None
    splitter = cv if n_folds is None else KFold(n_folds, shuffle=True, random_state=0)
    expected = cross_val_predict(Ridge(), X, y, cv=splitter)
    np.testing.assert_allclose(found.values, expected.reshape(len(y), -1))
    assert found.out_of_fold and found.kind == "numbers"


def test_sorted_rows_are_shuffled():
    order = np.argsort(Y)
    found = teacher_targets(Ridge(), X[order], Y[order])
    splitter = KFold(5, shuffle=True, random_state=0)
    expected = cross_val_predict(Ridge(), X[order], Y[order], cv=splitter)
    np.testing.assert_allclose(found.values[:, 0], expected)


def test_groups_stay_together():
    found = teacher_targets(Ridge(), X, Y, groups=GROUPS, random_state=0)
    expected = cross_val_predict(Ridge(), X, Y, cv=GroupKFold(5), groups=GROUPS)
    np.testing.assert_allclose(found.values[:, 0], expected)
    with pytest.raises(ValueError, match="both sides of split"):
        splits = list(KFold(3).split(X))
        teacher_targets(Ridge(), X, Y, cv=splits, groups=np.arange(len(Y)) % 7)


def test_rows_that_no_split_leaves_out_have_no_number():
    found = teacher_targets(Ridge(), X, Y, cv=TimeSeriesSplit(3), random_state=0)
    untold = np.isnan(found.values[:, 0])
    assert untold[:100].all() and not untold[-100:].any()


def test_in_sample_and_fitted():
    inside = teacher_targets(Ridge(), X, Y, cv="in-sample", X_unlabeled=X[:3])
    fitted = teacher_targets(Ridge().fit(X, Y), X, Y, X_unlabeled=X[:3])
    np.testing.assert_allclose(inside.values, fitted.values)
    np.testing.assert_allclose(fitted.more[0], fitted.values[:3])
    assert not inside.out_of_fold and not fitted.out_of_fold


@pytest.mark.filterwarnings("ignore:The teacher's squared error")
def test_jobs_change_nothing():
    tree = DecisionTreeRegressor()
    alone = teacher_targets(tree, X, Y, random_state=0)
    with parallel_config("threading"):
        together = teacher_targets(tree, X, Y, random_state=0, n_jobs=2)
    np.testing.assert_array_equal(alone.values, together.values)


class Counting(RegressorMixin, BaseEstimator):
    """A regressor that counts its fits and the rows that it is asked about."""

    fits = asked = 0

    def fit(self, X, y):
        type(self).fits += 1
        self.model_ = LinearRegression().fit(X, y)
        return self

    def predict(self, X):
        type(self).asked += len(X)
        return self.model_.predict(X)


def test_memory_asks_once(tmp_path):
    Counting.fits = Counting.asked = 0
    run = {"memory": str(tmp_path), "random_state": 0, "X_unlabeled": X[:9]}
    first = teacher_targets(Counting(), X, Y, **run)
    assert (Counting.fits, Counting.asked) == (6, len(X) + 9)
    again = teacher_targets(Counting(), X, Y, **run)
    assert (Counting.fits, Counting.asked) == (6, len(X) + 9)
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.more[0], again.more[0])
    teacher_targets(Counting(), X, Y + 1, **run)
    assert Counting.fits == 12


@pytest.mark.filterwarnings("ignore:The teacher's squared error")
def test_memory_tells_numbers_from_probabilities(tmp_path):
    def both(rows):
        return np.column_stack([np.full(len(rows), 0.25), np.full(len(rows), 0.75)])

    teacher = CallableTeacher(both, cache_key="both", chunk_size=100)
    numbers = teacher_targets(teacher, X, YY, memory=str(tmp_path), task="numbers").values
    p = teacher_probabilities(teacher, X, [0, 1], memory=str(tmp_path))
    np.testing.assert_array_equal(numbers, p)


def test_a_function_in_a_list_has_no_key(tmp_path):
    with pytest.raises(ValueError, match="given with memory"):
        members = [Ridge(), lambda X: X[:, 0]]
        teacher_targets(members, X, Y, memory=str(tmp_path), task="numbers")


ARRAYS = [
    (Y[:-1], r"shape \(441,\); expected \(442, 1\)"),
    (YY, r"shape \(442, 2\); expected \(442, 1\)"),
    (np.where(Y > 300, np.inf, Y), "infinite"),
    (["a"] * len(Y), "no array of numbers"),
]


@pytest.mark.parametrize(("array", "message"), ARRAYS)
def test_bad_arrays_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        DistilledRegressor().fit(X, Y, soft_targets=array)


def learn(values, y=Y, **settings):
    """Fit a tree on numbers as soft targets, and hear what is said of them."""
    fit_params = {"sample_weight": settings.pop("sample_weight", None)}
    tree = DecisionTreeRegressor(max_depth=1)
    if "loss" in settings:
        tree = GradientBoostingRegressor(loss="quantile", alpha=0.9, n_estimators=1)
    model = DistilledRegressor(student=tree, alpha=1, random_state=0, **settings)
    return model.fit(X, y, soft_targets=values, **fit_params)


def test_a_teacher_worse_than_a_constant_is_warned_of():
    mean = np.full(len(Y), Y.mean())
    learn(mean)  # no better is not worse
    with pytest.warns(
        TeacherWarning, match=r"squared error .* 7004, worse than the 5930 of the me"
    ):
        learn(mean + np.sqrt(7004 - 5929.9))
    with pytest.warns(TeacherWarning, match="in column 1 of y"):
        learn(np.column_stack([Y, Y]), YY)
    with pytest.warns(TeacherWarning, match=r"pinball loss .* of the quantile 0.9 of y alone"):
        learn(mean, loss=QuantileLoss(quantile=0.9))


def test_weights_and_gaps_are_left_out_of_the_warning():
    values = Y.copy()
    values[:50] = 1e9
    weight = np.ones(len(Y))
    weight[:25] = 0
    values[25:50] = np.nan
    with pytest.warns(TeacherWarning, match="25 of the 442 labelled rows have no soft target"):
        learn(values, sample_weight=weight)


def test_a_constant_target_warns_of_nobody():
    learn(np.full(len(Y), 3.0), np.full(len(Y), 2.0))


# Dates


@pytest.mark.parametrize("y", [
    pytest.param(np.datetime64("2020") + np.arange(len(Y)), id="dates"),
    pytest.param(np.arange(len(Y)).astype("m8[D]"), id="durations"),
    pytest.param(pd.Series(pd.date_range("2020", periods=len(Y))), id="series"),
    pytest.param(pd.DataFrame({"a": Y, "b": pd.date_range("2020", periods=len(Y))}), id="a column"),
])  # fmt: skip
def test_dates_are_no_numbers(y, refused):
    message = "dates or durations; expected numbers. Derive them.* days since"
    refused(ValueError, lambda: DistilledRegressor(Ridge()).fit(X, y), message)
    refused(ValueError, lambda: teacher_targets(Ridge(), X, y), message)
    refused(ValueError, lambda: StudentNetRegressor().fit(X, y), message)
