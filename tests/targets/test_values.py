"""A teacher's numbers: out of fold, kept in memory, held against the mean of y."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from skdistill.exceptions import TeacherWarning
from skdistill.targets._crossfit import make_splits
from skdistill.targets._values import compute_values, values_from_array, warn_of_poor_values
from skdistill.teachers import CallableTeacher

X, Y = load_diabetes(return_X_y=True)
YY = np.column_stack([Y, Y**2])
GROUPS = np.arange(len(Y)) // 7


@pytest.mark.parametrize("y", [Y[:, None], YY])
@pytest.mark.parametrize("cv", [None, 3, KFold(4)])
def test_out_of_fold_is_cross_val_predict(cv, y):
    found = compute_values(Ridge(), X, y, cv=cv, random_state=0)
    n_folds = {None: 5, 3: 3}.get(cv) if not isinstance(cv, KFold) else None
    splitter = cv if n_folds is None else KFold(n_folds, shuffle=True, random_state=0)
    expected = cross_val_predict(Ridge(), X, y, cv=splitter)
    np.testing.assert_allclose(found.values, expected.reshape(y.shape))
    assert found.cross_fitted
    np.testing.assert_allclose(
        found.teacher.predict(X).reshape(y.shape), Ridge().fit(X, y).predict(X).reshape(y.shape)
    )


def test_sorted_rows_are_shuffled():
    splits = make_splits(None, X, np.sort(Y), regresses=True)
    assert all(abs(np.sort(Y)[test].mean() - Y.mean()) < 20 for _, test in splits)


def test_groups_stay_together():
    found = compute_values(Ridge(), X, Y[:, None], groups=GROUPS, random_state=0)
    expected = cross_val_predict(Ridge(), X, Y, cv=GroupKFold(5), groups=GROUPS)
    np.testing.assert_allclose(found.values[:, 0], expected)
    with pytest.raises(ValueError, match="both sides of split"):
        splits = list(KFold(3).split(X))
        compute_values(Ridge(), X, Y[:, None], cv=splits, groups=np.arange(len(Y)) % 7)


def test_rows_that_no_split_leaves_out_have_no_number():
    found = compute_values(Ridge(), X, Y[:, None], cv=TimeSeriesSplit(3), random_state=0)
    untold = np.isnan(found.values[:, 0])
    assert untold[:100].all() and not untold[-100:].any()


def test_in_sample_and_fitted():
    inside = compute_values(Ridge(), X, Y[:, None], cv="in-sample", X_more=[X[:3]])
    fitted = compute_values(Ridge().fit(X, Y), X, Y[:, None], X_more=[X[:3]])
    np.testing.assert_allclose(inside.values, fitted.values)
    np.testing.assert_allclose(fitted.more[0], fitted.values[:3])
    assert not inside.cross_fitted and not fitted.cross_fitted


def test_jobs_change_nothing():
    tree = DecisionTreeRegressor()
    alone = compute_values(tree, X, Y[:, None], random_state=0)
    with parallel_config("threading"):
        together = compute_values(tree, X, Y[:, None], random_state=0, n_jobs=2)
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
    run = {"memory": str(tmp_path), "random_state": 0, "X_more": [X[:9]]}
    first = compute_values(Counting(), X, Y[:, None], **run)
    assert (Counting.fits, Counting.asked) == (6, len(X) + 9)
    again = compute_values(Counting(), X, Y[:, None], **run)
    assert (Counting.fits, Counting.asked) == (6, len(X) + 9)
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.more[0], again.more[0])
    compute_values(Counting(), X, Y[:, None] + 1, **run)
    assert Counting.fits == 12


def test_memory_tells_numbers_from_probabilities(tmp_path):
    from skdistill.targets import teacher_probabilities

    def both(rows):
        return np.column_stack([np.full(len(rows), 0.25), np.full(len(rows), 0.75)])

    teacher = CallableTeacher(both, cache_key="both", chunk_size=100)
    numbers = compute_values(teacher, X, YY, memory=str(tmp_path)).values
    p = teacher_probabilities(teacher, X, [0, 1], memory=str(tmp_path))
    np.testing.assert_array_equal(numbers, p)


def test_a_function_in_a_list_has_no_key(tmp_path):
    with pytest.raises(ValueError, match="given with memory"):
        compute_values([Ridge(), lambda X: X[:, 0]], X, Y[:, None], memory=str(tmp_path))


ARRAYS = [
    (Y[:-1], r"shape \(441,\); expected \(442, 1\)"),
    (YY, r"shape \(442, 2\); expected \(442, 1\)"),
    (np.where(Y > 300, np.inf, Y), "infinite"),
    (["a"] * len(Y), "no array of numbers"),
]


@pytest.mark.parametrize(("array", "message"), ARRAYS)
def test_bad_arrays_are_refused(array, message):
    with pytest.raises(ValueError, match=message):
        values_from_array(array, len(Y), 1)


def test_an_array_is_copied():
    mine = Y.copy()
    found = values_from_array(mine, len(Y), 1)
    found.values[:] = 0
    np.testing.assert_array_equal(mine, Y)


def test_a_teacher_worse_than_a_constant_is_warned_of():
    mean = np.full((len(Y), 1), Y.mean())
    warn_of_poor_values(mean, Y[:, None])  # no better is not worse
    with pytest.warns(
        TeacherWarning, match=r"squared error .* 7004, worse than the 5930 of the me"
    ):
        warn_of_poor_values(mean + np.sqrt(7004 - 5929.9), Y[:, None])
    with pytest.warns(TeacherWarning, match="in column 1 of y"):
        warn_of_poor_values(np.column_stack([Y, Y]), YY)
    with pytest.warns(TeacherWarning, match=r"pinball loss .* of the quantile 0.9 of y alone"):
        warn_of_poor_values(mean, Y[:, None], level=0.9)


def test_weights_and_gaps_are_left_out_of_the_warning():
    values = Y[:, None].copy()
    values[:50] = 1e9
    weight = np.ones(len(Y))
    weight[:25] = 0
    values[25:50] = np.nan
    warn_of_poor_values(values, Y[:, None], weight)
    warn_of_poor_values(values, Y[:, None], weight, level=0.3)


def test_a_constant_target_warns_of_nobody():
    warn_of_poor_values(np.full((9, 1), 3.0), np.full((9, 1), 2.0))
