"""scikit-learn regressors as students: identities with plain fits on mixed and doubled rows."""

import re

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, PoissonRegressor, QuantileRegressor, Ridge
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.losses import HuberLoss, QuantileLoss, SquaredErrorLoss
from skdistill.targets import Targets

X, Y = load_diabetes(return_X_y=True)
T = Ridge(0.1).fit(X, Y).predict(X)
RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.5, 2, len(Y))


def distil(student, y=Y, t=T, **settings):
    fit = {name: settings.pop(name) for name in ("sample_weight",) if name in settings}
    model = DistilledRegressor(None, student, random_state=0, **settings)
    return model.fit(X, y, soft_targets=t, **fit)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_a_tree_learns_the_mixed_target(alpha):
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    found = distil(tree, alpha=alpha, sample_weight=WEIGHT) if alpha else None
    if found is None:
        found = DistilledRegressor(None, tree, alpha=0).fit(X, Y, sample_weight=WEIGHT)
    mixed = (1 - alpha) * Y + alpha * T
    expected = tree.fit(X, mixed, sample_weight=WEIGHT / WEIGHT.mean())
    np.testing.assert_allclose(found.predict(X), expected.predict(X))


def test_alpha_0_is_the_plain_fit_bit_for_bit():
    found = DistilledRegressor(None, Ridge(), alpha=0).fit(X, Y)
    np.testing.assert_array_equal(found.predict(X), Ridge().fit(X, Y).predict(X))


def test_rows_without_one_term_are_weighed():
    answers = T.copy()
    answers[:100] = np.nan
    found = distil(LinearRegression(), t=answers, alpha=0.4)
    told = ~np.isnan(answers)
    rows = np.vstack([X, X[told]])
    weight = np.append(np.full(len(Y), 0.6 / len(Y)), np.full(told.sum(), 0.4 / told.sum()))
    expected = LinearRegression().fit(rows, np.append(Y, T[told]), sample_weight=weight)
    np.testing.assert_allclose(found.predict(X), expected.predict(X))


def test_the_mixture_holds_for_deviances_whose_constant_is_the_mean():
    model = PoissonRegressor(alpha=1e-3, max_iter=1000, tol=1e-8)
    found = distil(model, alpha=0.4)
    doubled = np.vstack([X, X])
    weight = np.repeat([0.6, 0.4], len(Y))
    expected = model.fit(doubled, np.append(Y, T), sample_weight=weight)
    np.testing.assert_allclose(found.predict(X), expected.predict(X), rtol=1e-3)


def test_a_quantile_s_student_learns_doubled_rows():
    student = QuantileRegressor(quantile=0.8, alpha=0)
    found = distil(student, loss=QuantileLoss(quantile=0.8), alpha=0.3)
    weight = np.repeat([0.7, 0.3], len(Y))
    expected = student.fit(np.vstack([X, X]), np.append(Y, T), sample_weight=weight)
    np.testing.assert_allclose(found.predict(X), expected.predict(X), rtol=1e-4)


class Learning(DecisionTreeRegressor):
    """Keeps what the last of its clones was fitted on: numbers of rows, targets and weights."""

    given: tuple = ()

    def fit(self, X, y, sample_weight=None):
        Learning.given = X[:, 0].astype(int), np.ravel(y), sample_weight
        return super().fit(X, y, sample_weight)


def test_mixed_and_doubled_rows_weigh_the_same():
    answers = np.where(np.arange(len(Y)) < 9, np.nan, T)[:, None]
    targets = Targets(answers, "numbers", more=[T[:7, None]])
    numbers = np.arange(len(Y) + 7)[:, None]

    def given(**settings):
        student = Learning(max_depth=1, criterion=settings.pop("criterion"))
        model = DistilledRegressor(None, student, alpha=0.3, random_state=0, **settings)
        model.fit(
            numbers[: len(Y)],
            Y,
            sample_weight=WEIGHT,
            soft_targets=targets,
            X_unlabeled=numbers[len(Y) :],
        )
        return Learning.given

    rows, mixed, weight = given(criterion="squared_error")
    doubled, values, parts = given(criterion="absolute_error", loss=QuantileLoss(quantile=0.5))
    assert len(np.unique(rows)) == len(rows) < len(doubled)
    np.testing.assert_allclose(np.bincount(doubled, parts)[rows], weight)
    np.testing.assert_allclose(np.bincount(doubled, parts * values)[rows], weight * mixed)
    assert weight.sum() == pytest.approx(len(Y) + 7)


def test_one_that_predicts_one_number_is_fitted_for_each():
    YY, TT = np.column_stack([Y, -2 * Y]), np.column_stack([T, -2 * T])
    boosting = GradientBoostingRegressor(n_estimators=5, random_state=0)
    found = distil(boosting, YY, TT)
    assert isinstance(found.student_.estimator_, MultiOutputRegressor)
    expected = MultiOutputRegressor(boosting).fit(X, (YY + TT) / 2).predict(X)
    np.testing.assert_allclose(found.predict(X), expected)


OWN = [
    (DecisionTreeRegressor(), SquaredErrorLoss()),
    (DecisionTreeRegressor(criterion="absolute_error"), QuantileLoss(quantile=0.5)),
    (HistGradientBoostingRegressor(loss="quantile", quantile=0.9), QuantileLoss(quantile=0.9)),
    (GradientBoostingRegressor(loss="quantile", alpha=0.2), QuantileLoss(quantile=0.2)),
    (QuantileRegressor(quantile=0.1), QuantileLoss(quantile=0.1)),
    (KNeighborsRegressor(), SquaredErrorLoss()),
]


@pytest.mark.parametrize(("estimator", "loss"), OWN, ids=lambda part: repr(part)[:30])
def test_own_loss_is_read_off_the_parameters(estimator, loss):
    with pytest.raises(StudentError, match=re.escape(f"Expected loss={loss!r}")):
        distil(estimator, loss=QuantileLoss(quantile=0.37))


BAD = [
    (DecisionTreeRegressor(), "huber", "cannot learn with loss=HuberLoss().*SquaredErrorLoss"),
    (DecisionTreeRegressor(), QuantileLoss(quantile=0.9), "cannot learn with loss=QuantileLoss"),
    (QuantileRegressor(), "squared_error", r"Expected loss=QuantileLoss\(\)"),
    (QuantileRegressor(quantile=0.4), "quantile", r"Expected loss=QuantileLoss\(quantile=0.4\)"),
    (FrozenEstimator(Ridge()), "squared_error", "FrozenEstimator, which no fit changes"),
]


@pytest.mark.parametrize(("student", "loss", "message"), BAD)
def test_what_the_student_cannot_hear_is_refused(student, loss, message):
    with pytest.raises(StudentError, match=message):
        distil(student, loss=loss)


def test_weights_that_the_student_cannot_hear_are_refused():
    with pytest.raises(StudentError, match="takes no sample_weight"):
        distil(KNeighborsRegressor(), sample_weight=WEIGHT)
    distil(KNeighborsRegressor(), alpha=0.3)  # all rows weigh alike


def test_huber_is_for_nets():
    assert HuberLoss().level == 0.5
    with pytest.raises(StudentError, match="StudentNetRegressor, which takes every loss"):
        distil(Ridge(), loss=HuberLoss())


# Boosted regressors of other libraries


def boosted(library, **settings):
    module = pytest.importorskip(library)
    settings = {"n_estimators": 10, "n_jobs": 1, "random_state": 0, **settings}
    if library == "lightgbm":
        return module.LGBMRegressor(verbose=-1, min_child_samples=5, **settings)
    return module.XGBRegressor(max_depth=3, **settings)


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_boosted_regressors_learn_the_mixture(library):
    found = distil(boosted(library), alpha=0.3)
    expected = boosted(library).fit(X, 0.7 * Y + 0.3 * T).predict(X)
    np.testing.assert_allclose(found.predict(X), expected, rtol=1e-6)


@pytest.mark.filterwarnings("ignore:The teacher's pinball loss")  # of a quantile, by the mean
@pytest.mark.parametrize(
    "library, settings, quantile",
    [
        ("lightgbm", {"objective": "quantile", "alpha": 0.2}, 0.2),
        ("lightgbm", {"objective": "quantile"}, 0.9),
        ("lightgbm", {"objective": "mae"}, 0.5),
        ("xgboost", {"objective": "reg:quantileerror", "quantile_alpha": 0.2}, 0.2),
        ("xgboost", {"objective": "reg:absoluteerror"}, 0.5),
    ],
)
def test_quantiles_of_boosted_regressors_are_heard(library, settings, quantile):
    loss = QuantileLoss(quantile=quantile)
    with pytest.raises(StudentError, match=re.escape(f"Expected loss={loss!r}, which")):
        distil(boosted(library, **settings))
    found = distil(boosted(library, **settings), loss=loss)
    twice = boosted(library, **settings).fit(np.vstack([X, X]), np.append(Y, T))
    np.testing.assert_allclose(found.predict(X), twice.predict(X), rtol=1e-6)
