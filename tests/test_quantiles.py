"""One student of several quantiles."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import QuantileRegressor, Ridge
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledQuantileRegressor, DistilledRegressor, StudentNetRegressor
from skdistill.exceptions import StudentError, TeacherError
from skdistill.losses import QuantileLoss
from skdistill.students import MLP, DefaultStudent

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, size=(400, 3))
Y = X[:, 0] + (0.2 + np.abs(X[:, 1])) * RNG.normal(size=400)
QUANTILES = (0.1, 0.5, 0.8)
BOOSTED = GradientBoostingRegressor(loss="quantile", n_estimators=10, random_state=0)
NET = StudentNetRegressor(MLP, module__hidden_units=(16,), max_epochs=15, batch_size=32, lr=0.01)
CPU = {"device": "cpu", "random_state": 0}


def student(**settings):
    return DistilledQuantileRegressor(**{"student": NET, "quantiles": QUANTILES, **CPU, **settings})


def test_it_is_a_student_of_as_many_numbers_taught_by_a_regressor_for_each():
    folds = KFold(3, shuffle=True, random_state=1)
    each = [clone(BOOSTED).set_params(alpha=quantile) for quantile in QUANTILES]
    answers = np.column_stack([cross_val_predict(one, X, Y, cv=folds) for one in each])
    by_hand = DistilledRegressor(
        student=NET, loss=QuantileLoss(quantile=list(QUANTILES)), **CPU
    ).fit(X, np.column_stack([Y] * 3), soft_targets=np.sort(answers, axis=1))
    model = student(teacher=BOOSTED, cv=folds).fit(X, Y)
    expected = np.sort(by_hand.predict(X), axis=1)
    np.testing.assert_array_equal(model.predict_quantiles(X), expected)
    np.testing.assert_array_equal(model.predict(X), expected[:, 1])
    again = student(teacher=each, cv=folds).fit(X, Y)
    np.testing.assert_array_equal(again.predict_quantiles(X), expected)


def test_each_column_is_its_quantile():
    longer = clone(NET).set_params(max_epochs=60)
    model = student(student=longer, alpha=0).fit(X, Y)
    found = model.predict_quantiles(X)
    assert (np.diff(found, axis=1) >= 0).all()
    for column, quantile in zip(found.T, QUANTILES, strict=True):
        constant = np.full(len(Y), np.quantile(Y, quantile))
        assert (column > Y).mean() == pytest.approx(quantile, abs=0.08)
        assert mean_pinball_loss(Y, column, alpha=quantile) < mean_pinball_loss(
            Y, constant, alpha=quantile
        )
    spread = found[:, 2] - found[:, 0]  # which grows with the second column
    assert np.corrcoef(spread, np.abs(X[:, 1]))[0, 1] > 0.5


def test_fitted_teachers_are_asked_as_they_are_and_kept_in_clones():
    fitted = [clone(BOOSTED).set_params(alpha=quantile).fit(X, Y) for quantile in QUANTILES]
    model = student(teacher=fitted, alpha=1)
    assert all(a is b for a, b in zip(clone(model).teacher, fitted, strict=True))
    answers = np.sort(np.column_stack([one.predict(X) for one in fitted]), axis=1)
    by_hand = DistilledRegressor(
        student=NET, loss=QuantileLoss(quantile=QUANTILES), alpha=1, **CPU
    ).fit(X, np.column_stack([Y] * 3), soft_targets=answers)
    found = model.fit(X, Y).predict_quantiles(X)
    np.testing.assert_array_equal(found, np.sort(by_hand.predict(X), axis=1))


@pytest.mark.parametrize(
    "teacher",
    [
        HistGradientBoostingRegressor(loss="quantile", max_iter=5),
        make_pipeline(StandardScaler(), QuantileRegressor(alpha=0.01)),
        None,
    ],
    ids=["histogram", "pipeline", "labels"],
)
def test_teachers_on_tables_with_weights(teacher):
    table = pd.DataFrame(X, columns=list("abc"))
    model = student(teacher=teacher, quantiles=[0.3, 0.9], cv=2)
    weights = np.where(X[:, 0] > 0, 1.0, 2.0)
    if isinstance(teacher, HistGradientBoostingRegressor):
        model.fit(table, Y, weights, X_unlabeled=table[:50])
    else:
        model.fit(table, Y)
    assert model.predict_quantiles(table).shape == (400, 2)
    assert model.feature_names_in_.tolist() == list("abc")
    np.testing.assert_array_equal(model.quantiles_, [0.3, 0.9])


def test_a_boosted_library_learns_its_quantile_by_its_objective():
    lightgbm = pytest.importorskip("lightgbm")
    teacher = lightgbm.LGBMRegressor(objective="quantile", n_estimators=5, verbose=-1, n_jobs=1)
    assert student(teacher=teacher, cv=2).fit(X, Y).predict_quantiles(X).shape == (400, 3)


def test_the_default_student_is_set_through_its_name():
    few = {"student": None, "quantiles": [0.2, 0.8]}
    through = student(**few).set_params(student__max_epochs=1, alpha=0).fit(X[:60], Y[:60])
    given = student(**{**few, "student": DefaultStudent(max_epochs=1)}, alpha=0).fit(X[:60], Y[:60])
    answers = through.predict_quantiles(X)
    np.testing.assert_array_equal(answers, given.predict_quantiles(X))
    longer = student(**few).set_params(student__max_epochs=2).fit(X[:60], Y[:60])
    assert (longer.predict_quantiles(X) != answers).any()
    with pytest.raises(StudentError, match="epochz"):
        student(**few).set_params(student__epochz=1)


def test_a_single_quantile_is_a_column():
    model = student(teacher=BOOSTED, quantiles=[0.9], cv=2).fit(X, Y)
    assert model.predict_quantiles(X).shape == (400, 1)
    np.testing.assert_array_equal(model.predict(X), model.predict_quantiles(X)[:, 0])


def test_several_quantiles_of_several_numbers():
    loss = QuantileLoss(quantile=[0.1, 0.9])
    both = np.column_stack([Y, 100 * Y])
    model = DistilledRegressor(student=NET, loss=loss, alpha=0, **CPU).fit(X, both)
    low, high = model.predict(X).T
    assert (low > Y).mean() < 0.25
    assert (high > 100 * Y).mean() > 0.75


class Unfitted(GradientBoostingRegressor):
    """A teacher that nobody may fit: what is refused is refused before."""

    def fit(self, X, y, sample_weight=None):
        pytest.fail("the teacher was fitted before the refusal")


UNFITTED = Unfitted(loss="quantile")
FITTED = clone(BOOSTED).fit(X, Y)
REFUSED = {
    "no quantile": (
        ValueError,
        lambda: student(teacher=UNFITTED, quantiles=[0.5, 1.0]).fit(X, Y),
        r"quantiles are \[0.5, 1.0\]; expected numbers between 0 and 1, such as",
    ),
    "none": (
        ValueError,
        lambda: student(teacher=UNFITTED, quantiles=[]).fit(X, Y),
        "expected numbers between 0 and 1",
    ),
    "words": (
        ValueError,
        lambda: student(teacher=UNFITTED, quantiles=["low", "high"]).fit(X, Y),
        "expected numbers between 0 and 1",
    ),
    "not ascending": (
        ValueError,
        lambda: student(teacher=UNFITTED, quantiles=[0.5, 0.1]).fit(X, Y),
        "expected each greater than the one before",
    ),
    "a classifier": (
        TeacherError,
        lambda: student(teacher=RandomForestClassifier()).fit(X, Y),
        "RandomForestClassifier is a classifier; expected a regressor that learns a quantile",
    ),
    "fitted classifiers": (
        TeacherError,
        lambda: student(teacher=[GaussianNB().fit(X, Y > 0)] * 3).fit(X, Y),
        "The teacher GaussianNB is a classifier; expected a regressor",
    ),
    "a network": (
        TeacherError,
        lambda: student(teacher=torch.nn.Identity()).fit(X, Y),
        "Identity is no estimator; expected a regressor of scikit-learn that learns a quantile",
    ),
    "a teacher of the mean": (
        TeacherError,
        lambda: student(teacher=Ridge()).fit(X, Y),
        "Ridge learns the mean; expected a regressor that learns any quantile, such as Hist",
    ),
    "a teacher of the median": (
        TeacherError,
        lambda: student(teacher=GradientBoostingRegressor(loss="absolute_error")).fit(X, Y),
        "GradientBoostingRegressor learns the quantile 0.5 alone; expected a regressor",
    ),
    "one fitted teacher": (
        TeacherError,
        lambda: student(teacher=FITTED).fit(X, Y),
        "is fitted, and predicts one number; expected a list with a fitted regressor for each of 3",
    ),
    "too few teachers": (
        TeacherError,
        lambda: student(teacher=[UNFITTED]).fit(X, Y),
        "has 1 teachers; expected a regressor for each of 3 quantiles",
    ),
    "fitted and unfitted": (
        TeacherError,
        lambda: student(teacher=[UNFITTED, FITTED, FITTED]).fit(X, Y),
        "some of them fitted and some not; expected.*all of them fitted or none",
    ),
    "no regressors": (
        TeacherError,
        lambda: student(teacher=[UNFITTED, "a", UNFITTED]).fit(X, Y),
        r"\['str'\] have no predict",
    ),
    "two columns": (
        ValueError,
        lambda: student(teacher=UNFITTED).fit(X, np.column_stack([Y, Y])),
        r"y should be a 1d array, got an array of shape \(400, 2\) instead",
    ),
    "no numbers": (
        ValueError,
        lambda: student(teacher=UNFITTED).fit(X, None),
        "requires y to be passed",
    ),
    "a student of one number": (
        StudentError,
        lambda: student(teacher=UNFITTED).set_params(student=KNeighborsRegressor()).fit(X, Y),
        "KNeighborsRegressor cannot learn with loss=QuantileLoss",
    ),
    "rows of another width": (
        ValueError,
        lambda: DistilledQuantileRegressor.predict(fitted_student(), X[:, :2]),
        "X has 2 features, but DistilledQuantileRegressor is expecting 3 features",
    ),
    "a loss of other outputs": (
        ValueError,
        lambda: DistilledRegressor(UNFITTED, NET, loss=QuantileLoss(quantile=[0.1, 0.9])).fit(X, Y),
        r"has 2 quantiles and y 1 column\(s\); expected one quantile, or one for each column",
    ),
    "a loss of no quantiles": (
        ValueError,
        lambda: DistilledRegressor(UNFITTED, NET, loss=QuantileLoss(quantile=[0, 2])).fit(X, Y),
        r"quantiles are \[0, 2\]; expected numbers between 0 and 1",
    ),
}


def fitted_student():
    """A student that was fitted, without a training."""
    model = student()
    model.student_, model.quantiles_ = None, np.array(QUANTILES)
    model.n_features_in_ = 3
    return model


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
