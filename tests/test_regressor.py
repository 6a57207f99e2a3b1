"""DistilledRegressor as its users know it."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from skorch import NeuralNetRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.evaluation import robustness_curve, temperature_alpha_map
from skdistill.exceptions import StudentError, TeacherError, TeacherWarning
from skdistill.losses import HuberLoss, QuantileLoss
from skdistill.students import TablePreprocessor
from skdistill.transfer import Unlabeled

X, Y = load_diabetes(return_X_y=True)
YY = np.column_stack([Y, -2 * Y])
FAST = StudentNetRegressor(module__hidden_units=(16,), max_epochs=4, batch_size=32, lr=0.04)
RIDGE = Ridge(0.1).fit(X, Y)


def distil(teacher=None, student=FAST, **settings):
    return DistilledRegressor(teacher, student, random_state=0, **settings)


def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(X.copy(), columns=[f"column {i}" for i in range(10)])
    frame["kind"] = pd.Categorical(rng.choice(["a", "b"], len(X)))
    frame.loc[::9, "column 2"] = np.nan
    frame.loc[::11, "kind"] = None
    return frame


def test_a_table_with_strings_and_gaps():
    frame = table()
    teacher = HistGradientBoostingRegressor(categorical_features="from_dtype", max_iter=5)
    student = make_pipeline(TablePreprocessor(), StudentNetRegressor(max_epochs=15, batch_size=64))
    model = DistilledRegressor(teacher, student, random_state=0).fit(frame, Y)
    assert model.score(frame, Y) > 0.4
    assert list(model.feature_names_in_) == list(frame.columns)
    assert model.predict(frame[:3]).shape == (3,)
    assert is_regressor(model) and is_regressor(model.student_)


def test_alpha_0_is_the_plain_student_bit_for_bit():
    plain = distil(alpha=0).fit(X, Y)
    for teacher in (Ridge(), RIDGE, lambda X: 1 / 0):
        model = distil(teacher, alpha=0).fit(X, Y)
        np.testing.assert_array_equal(model.predict(X), plain.predict(X))
        assert model.teacher_ is None


def test_the_same_seed_is_the_same_result():
    forest = RandomForestRegressor(10)
    first = distil(forest).fit(X, Y)
    again = distil(forest).fit(X, Y)
    other = clone(distil(forest)).set_params(random_state=1).fit(X, Y)
    np.testing.assert_array_equal(first.predict(X), again.predict(X))
    assert not np.array_equal(first.predict(X), other.predict(X))


def test_a_teacher_s_numbers_are_those_of_soft_targets():
    by_teacher = distil(RIDGE).fit(X, Y)
    by_array = distil().fit(X, Y, soft_targets=RIDGE.predict(X))
    np.testing.assert_array_equal(by_teacher.predict(X), by_array.predict(X))
    assert by_teacher.teacher_ is RIDGE and by_array.teacher_ is None


def test_squared_errors_are_learnt_as_one_mixed_target():
    t = RIDGE.predict(X)
    exact = clone(FAST).set_params(dtype="float64", train_split=None)
    model = distil(student=exact, alpha=1.0).fit(X, Y, soft_targets=0.5 * Y + 0.5 * t)
    mixed = distil(student=exact, alpha=0.5).fit(X, Y, soft_targets=t)
    np.testing.assert_allclose(model.predict(X), mixed.predict(X), rtol=1e-6)


def test_no_unit_matters():
    small = distil(RIDGE).fit(X, Y)
    large = distil(Ridge(0.1).fit(X, Y * 2**20)).fit(X, Y * 2**20)
    np.testing.assert_allclose(large.predict(X), small.predict(X) * 2**20, rtol=1e-4)


def make_module(n_outputs):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = torch.nn.Linear(10, n_outputs)
    beta = LinearRegression().fit(X, YY[:, :n_outputs])
    module.weight.data = torch.tensor(beta.coef_, dtype=torch.float32)
    module.bias.data = torch.tensor(beta.intercept_, dtype=torch.float32)
    return module


TEACHERS = {
    "estimator": lambda: Ridge(),
    "one for each": lambda: MultiOutputRegressor(HistGradientBoostingRegressor(max_iter=5)),
    "module": lambda: make_module(2),
    "skorch": lambda: NeuralNetRegressor(make_module(2)).initialize(),
    "callable": lambda: LinearRegression().fit(X, YY).predict,
    "list": lambda: [Ridge(), make_module(2), LinearRegression().fit(X, YY).predict],
    "frozen": lambda: FrozenEstimator(Ridge().fit(X, YY)),
}


@pytest.mark.parametrize("name", TEACHERS)
def test_several_outputs_from_every_teacher(name):
    weight = np.linspace(0.5, 2, len(X))
    model = distil(TEACHERS[name]())
    model.fit(X, YY, X_unlabeled=X[:50] * 0.5, sample_weight=weight)
    assert model.predict(X).shape == (442, 2) and model.n_outputs_ == 2
    assert model.score(X, YY) > 0.2


def test_a_column_is_one_output():
    flat = distil(RIDGE).fit(X, Y)
    column = distil(RIDGE).fit(X, Y[:, None])
    np.testing.assert_array_equal(column.predict(X), flat.predict(X))


@pytest.mark.parametrize("quantile", [0.1, 0.9])
def test_a_quantile_is_learnt(quantile):
    teacher = HistGradientBoostingRegressor(loss="quantile", quantile=quantile, max_iter=20)
    student = StudentNetRegressor(
        module__hidden_units=(32,), max_epochs=20, batch_size=32, lr=0.005
    )
    student = make_pipeline(TablePreprocessor(), student)
    model = distil(teacher, student, loss=QuantileLoss(quantile=quantile)).fit(X, Y)
    assert (model.predict(X) > Y).mean() == pytest.approx(quantile, abs=0.1)
    constant = np.full(len(Y), np.quantile(Y, quantile))
    assert mean_pinball_loss(Y, model.predict(X), alpha=quantile) < mean_pinball_loss(
        Y, constant, alpha=quantile
    )


def test_huber_s_loss_is_less_moved_by_far_targets():
    far = Y.copy()
    far[::20] += 5000
    student = StudentNetRegressor(torch.nn.Linear, lr=0.3, max_epochs=20, batch_size=32)
    fits = [
        distil(None, student, alpha=0, loss=loss).fit(X, far).predict(X)
        for loss in ("squared_error", HuberLoss(delta=0.1))
    ]
    squared, huber = [np.abs(fit - Y).mean() for fit in fits]
    assert huber < squared / 2


def test_unlabelled_rows_carry_the_teacher_s_term():
    seen = []

    def teacher(rows):
        seen.append(len(rows))
        return RIDGE.predict(rows)

    distil(teacher, alpha=1.0).fit(X, Y, X_unlabeled=Unlabeled(X))
    assert seen == [442, 442]
    alone = distil(RIDGE, alpha=1.0).fit(X, Y)
    more = distil(RIDGE, alpha=1.0).fit(X, Y, X_unlabeled=X[:100] + 0.01)
    assert not np.array_equal(alone.predict(X), more.predict(X))


@pytest.mark.parametrize("teacher", [RIDGE, Ridge()], ids=["fitted", "cross-fitted"])
def test_generated_rows(teacher):
    model = distil(teacher, augment="gaussian_noise").fit(X, Y)
    again = distil(teacher, augment="gaussian_noise").fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    assert not np.array_equal(model.predict(X), distil(teacher).fit(X, Y).predict(X))


def test_a_tree_that_imitates_a_forest():
    forest = RandomForestRegressor(15, random_state=0)
    tree = DecisionTreeRegressor(max_depth=6, random_state=0)
    folds = {"X": X, "y": Y, "cv": 3}
    plain = cross_val_score(tree, **folds).mean()
    distilled = cross_val_score(distil(forest, tree, alpha=0.9), **folds).mean()
    assert distilled > plain + 0.1


def test_the_teacher_is_untouched():
    module = torch.nn.Sequential(make_module(1), torch.nn.Dropout(0.1)).train()
    before = [p.detach().clone() for p in module.parameters()]
    unfitted = RandomForestRegressor(5)
    for teacher in (module, unfitted):
        distil(teacher).fit(X, Y)
    assert module.training and module[1].training
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert not hasattr(unfitted, "estimators_")


def test_the_student_travels_without_the_teacher():
    model = distil(RandomForestRegressor(50, random_state=0)).fit(X, Y)
    content = pickle.dumps(model.student_)
    assert len(content) < len(pickle.dumps(model.teacher_)) / 4
    np.testing.assert_array_equal(pickle.loads(content).predict(X), model.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_a_clone_keeps_a_fitted_teacher():
    assert clone(distil(RIDGE)).teacher is RIDGE
    members = clone(distil([RIDGE, Ridge()])).teacher
    assert members[0] is RIDGE and members[1] is not RIDGE
    with pytest.raises(ValueError, match="the teacher is fitted"):
        distil(RIDGE).set_params(teacher__alpha=2)
    with pytest.raises(ValueError, match="VotingRegressor"):
        distil([Ridge()]).set_params(teacher__alpha=2)
    assert DistilledRegressor().set_params(student__lr=1).student.lr == 1
    with pytest.raises(ValueError, match=r"no settings.*speed.*expected some of its network's"):
        DistilledRegressor().set_params(student__speed=1)


def test_in_a_search_a_pipeline_and_a_learning_curve(tmp_path):
    model = distil(Ridge(), memory=str(tmp_path))
    search = GridSearchCV(model, {"alpha": [0, 0.5, 0.9]}, cv=2).fit(X, Y)
    assert search.best_params_["alpha"] in (0, 0.5, 0.9)
    chain = make_pipeline(StandardScaler(), distil(Ridge())).fit(X, Y)
    assert chain.predict(X).shape == (442,)
    sizes, train, _ = learning_curve(distil(Ridge()), X, Y, train_sizes=[0.5, 1.0], cv=2)
    assert train.shape == (2, 2) and sizes[1] == 221


def test_metadata_are_routed():
    groups = np.arange(len(X)) // 4
    with config_context(enable_metadata_routing=True):
        model = distil(Ridge().set_fit_request(sample_weight=True))
        model.set_fit_request(sample_weight=True, groups=True).set_score_request(sample_weight=True)
        weight = np.linspace(0.1, 2, len(X))
        routed = cross_val_score(
            model, X, Y, cv=2, params={"sample_weight": weight, "groups": groups}
        )
    assert np.isfinite(routed).all()


def test_a_poor_teacher_is_warned_of():
    with pytest.warns(TeacherWarning, match="squared error on the labelled rows"):
        distil(lambda X: np.zeros(len(X))).fit(X, Y)
    two = pd.DataFrame({"sugar": Y, "pressure": Y - Y.mean()})
    with pytest.warns(TeacherWarning, match="in column 'sugar' of y, worse than"):
        distil(lambda X: np.zeros((len(X), 2))).fit(X, two)
    with pytest.warns(TeacherWarning, match="does not teach a quantile"):
        distil(RIDGE, loss=QuantileLoss(quantile=0.99)).fit(X, Y)


def test_gaps_that_nobody_has_learnt_are_refused():
    model = distil(Ridge(), make_pipeline(TablePreprocessor(), FAST)).fit(X, Y)
    with pytest.raises(ValueError, match="no row of fit did"):
        model.predict(np.full((1, 10), np.nan))


class Untrained(torch.nn.Module):
    """A module that fails the test if it is trained."""

    def __init__(self, n_features, n_outputs):
        super().__init__()
        self.layer = torch.nn.Linear(n_features, n_outputs)

    def forward(self, X):
        assert not self.training, "a refused fit trained the student"
        return self.layer(X)


BAD = {
    "loss": (distil(RIDGE, loss="kd"), {}, ValueError, "no logits"),
    "alpha": (distil(RIDGE, alpha=2), {}, ValueError, "'alpha' parameter"),
    "nobody": (distil(), {}, ValueError, "no teacher and no soft_targets"),
    "both": (distil(RIDGE), {"soft_targets": Y}, ValueError, "Both a teacher and soft_targets"),
    "cv": (distil(RIDGE, cv=3), {}, ValueError, "cv=3 was given with a fitted teacher"),
    "classifier": (distil(LogisticRegression()), {}, TeacherError, "class probabilities"),
    "strings": (
        distil(RIDGE),
        {"y": ["a"] * 442},
        ValueError,
        r"y holds what is no number \(could not convert.*expected numbers.*DistilledClass",
    ),
    "rows of y of different lengths": (
        distil(RIDGE),
        {"y": 221 * [[1.0], [0.0, 2.0]]},
        ValueError,
        r"lists of different lengths.* such as \[\[1.0\], \[0.0, 2.0\].*expected a number.*Fill",
    ),
    "gap in y": (distil(RIDGE), {"y": np.where(Y > 300, np.nan, Y)}, ValueError, "contains NaN"),
    "three axes": (distil(RIDGE), {"y": YY[:, :, None]}, ValueError, "dim 3"),
    "width": (distil(make_module(1)), {"y": YY}, TeacherError, r"shape \(442, 1\) for 442"),
    "one number": (
        distil(HistGradientBoostingRegressor()),
        {"y": YY},
        TeacherError,
        r"y has 2 columns .*MultiOutputRegressor\(HistGradientBoostingRegressor",
    ),
    "weights": (distil(RIDGE), {"sample_weight": np.zeros(442)}, ValueError, "zero"),
    "soft width": (distil(), {"soft_targets": YY}, ValueError, r"shape \(442, 2\); expected"),
    "unlabelled": (distil(RIDGE), {"X_unlabeled": X[:, :3]}, ValueError, "same columns"),
    "nobody labels": (
        distil(),
        {"soft_targets": Y, "X_unlabeled": X},
        ValueError,
        "nobody to label its rows",
    ),
    "net of classes": (
        distil(RIDGE, StudentNet()),
        {},
        StudentError,
        "StudentNet does not learn numbers.*StudentNetRegressor",
    ),
    "student": (distil(RIDGE, LogisticRegression()), {}, StudentError, "does not learn numbers"),
    "class": (
        distil(RIDGE, DecisionTreeRegressor),
        {},
        StudentError,
        r"expected an instance. Write DecisionTreeRegressor\(\)",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_before_any_training(name):
    model, given, error, message = BAD[name]
    if model.student is FAST:
        model.set_params(student=StudentNetRegressor(Untrained))
    with pytest.raises(error, match=message):
        model.fit(**{"X": X, "y": Y, **given})
    assert not hasattr(model, "student_")


def test_a_classifier_refuses_the_net_of_numbers():
    model = DistilledClassifier(student=StudentNetRegressor(), alpha=0)
    with pytest.raises(StudentError, match="StudentNetRegressor does not learn classes"):
        model.fit(X, Y > 150)


def test_what_speaks_of_classes_refuses_a_regressor():
    with pytest.raises(TypeError, match="a regressor, and what is compared here are class"):
        temperature_alpha_map(distil(RIDGE), X, Y)
    with pytest.raises(TeacherError, match="gives class probabilities"):
        robustness_curve({"student": distil(RIDGE).fit(X, Y)}, X, Y)


def test_verbose_says_where_it_is(capsys):
    distil(Ridge(), verbose=1).fit(X, Y)
    told = capsys.readouterr().out
    assert "5 of 5 folds" in told and "fitted on all rows" in told
