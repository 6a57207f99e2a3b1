"""Teachers of numbers: every kind asked in the same way, and what is refused."""

import joblib
import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, StackingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor

from skdistill import StudentNetRegressor
from skdistill.exceptions import TeacherError
from skdistill.teachers import CallableTeacher, EnsembleTeacher, load_teacher
from skdistill.teachers._ensemble import as_teacher
from skdistill.teachers._fit import check_kind, fit_teacher, is_fitted
from skdistill.teachers._regressors import adapt_regressor, check_values

X, Y = load_diabetes(return_X_y=True)
X32 = X.astype(np.float32)
YY = np.column_stack([Y, -Y])


def linear_module(n_outputs=1):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torch.nn.Linear(10, n_outputs)


def fitted_net(kind=NeuralNetRegressor):
    module = linear_module()
    net = kind(module, criterion=torch.nn.MSELoss, max_epochs=1, iterator_train__shuffle=False)
    return net.initialize()


MODULE = linear_module()
EXPECTED = X32 @ MODULE.weight.detach().numpy().T + MODULE.bias.detach().numpy()
LINEAR = LinearRegression().fit(X, Y)

GOOD = {
    "estimator": (LINEAR, LINEAR.predict(X)[:, None]),
    "frozen": (FrozenEstimator(LINEAR), LINEAR.predict(X)[:, None]),
    "two outputs": (LinearRegression().fit(X, YY), LinearRegression().fit(X, YY).predict(X)),
    "module": (MODULE, EXPECTED),
    "flat module": (torch.nn.Sequential(MODULE, torch.nn.Flatten(0)), EXPECTED),
    "skorch": (fitted_net(), EXPECTED),
    "plain skorch": (fitted_net(NeuralNet), EXPECTED),
    "callable": (lambda rows: rows[:, 0], X[:, :1]),
    "tensor": (lambda rows: torch.tensor(rows[:, :2]), X[:, :2]),
    "in chunks": (CallableTeacher(lambda rows: rows[:, 0], chunk_size=7), X[:, :1]),
    "list": (as_teacher([lambda X: X[:, 0], MODULE], regresses=True), (X[:, :1] + EXPECTED) / 2),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_is_asked_alike(name):
    teacher, expected = GOOD[name]
    values, kind = adapt_regressor(teacher, n_outputs=expected.shape[1]).ask(X)
    assert kind == "values" and values.dtype == np.float64
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


def test_a_student_net_reads_rows_of_any_kind():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = StudentNetRegressor(max_epochs=1, module__hidden_units=(4,)).fit(X, Y)
    values, _ = adapt_regressor(net).ask(X)
    np.testing.assert_array_equal(values[:, 0], net.predict(X))


def test_a_module_keeps_its_mode():
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), linear_module()).train()
    first = adapt_regressor(module).ask(X)[0]
    np.testing.assert_array_equal(adapt_regressor(module).ask(X)[0], first)
    assert module.training


BAD = {
    "classifier": (LogisticRegression(), "gives class probabilities"),
    "net of classes": (NeuralNetClassifier(MODULE), "gives class probabilities"),
    "ensemble of classifiers": (EnsembleTeacher([LogisticRegression()]), "class probabilities"),
    "class": (LinearRegression, r"the class LinearRegression.*Write LinearRegression\(...\)"),
    "number": (7, "expected a regressor with predict"),
    "in a list": (as_teacher([LINEAR, LogisticRegression()], regresses=True), "probabilities"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_regressor_is_refused(name):
    teacher, message = BAD[name]
    with pytest.raises(TeacherError, match=message):
        check_kind(teacher, regresses=True)


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="empty list"):
        check_kind(as_teacher([], regresses=True), regresses=True)


def test_a_regressor_is_read_from_a_file(tmp_path):
    path = tmp_path / "teacher.joblib"
    joblib.dump(LINEAR, path)
    values, _ = adapt_regressor(load_teacher(path, trusted=True)).ask(X)
    np.testing.assert_array_equal(values[:, 0], LINEAR.predict(X))


def test_undecided_before_the_fit():
    check_kind(StackingRegressor([("a", Ridge())]), regresses=True)


ANSWERS = [
    ([[1.0], [np.nan]], "NaN or infinite values for 1 of 2 rows"),
    ([1.0, np.inf], "NaN or infinite"),
    ([1.0], r"shape \(1,\) for 2 rows; expected \(2, 1\)"),
    ([[1.0, 2.0]] * 2, r"shape \(2, 2\) for 2 rows; expected \(2, 1\)"),
    ([["a"], ["b"]], "no array of numbers"),
    (np.zeros((2, 1, 1)), r"shape \(2, 1, 1\)"),
]


@pytest.mark.parametrize(("answer", "message"), ANSWERS)
def test_bad_answers_are_refused(answer, message):
    with pytest.raises(TeacherError, match=message):
        check_values(answer, 2, "The teacher", 1)


def test_members_of_different_widths_are_refused():
    teacher = as_teacher([LINEAR, GOOD["two outputs"][0]], regresses=True)
    with pytest.raises(TeacherError, match=r"give \[1, 2\] numbers"):
        adapt_regressor(teacher).ask(X)


def test_a_list_fits_what_is_not_and_keeps_what_is():
    members = [DecisionTreeRegressor(), LINEAR]
    teacher = as_teacher(members, regresses=True)
    assert not is_fitted(teacher) and is_fitted(as_teacher([LINEAR], regresses=True))
    fitted = fit_teacher(teacher, X, Y, seed=0)
    assert fitted.teachers_[1] is LINEAR and clone(fitted).teachers[1] is LINEAR
    assert not is_fitted(members[0])
    expected = np.mean([member.predict(X) for member in fitted.teachers_], axis=0)
    np.testing.assert_allclose(fitted.predict(X), expected)
    again = fit_teacher(teacher, X, Y, seed=0)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))


@pytest.mark.parametrize("y", [Y, YY])
def test_a_skorch_net_is_fitted_in_its_own_precision(y):
    net = NeuralNetRegressor(linear_module(y[0].size), max_epochs=2, lr=0.1)
    fitted = fit_teacher(net, X, y, seed=0)
    values, _ = adapt_regressor(fitted).ask(X)
    assert values.shape == (len(X), y[0].size)
    np.testing.assert_array_equal(adapt_regressor(fit_teacher(net, X, y, seed=0)).ask(X)[0], values)


def test_weights_reach_a_pipeline_s_last_step():
    weight = np.arange(len(X), dtype=float)
    teacher = make_pipeline(StandardScaler(), GradientBoostingRegressor(n_estimators=3))
    fitted = fit_teacher(teacher, X, Y, seed=0, sample_weight=weight)
    alone = fit_teacher(teacher[-1], StandardScaler().fit_transform(X), Y, seed=0)
    assert not np.array_equal(fitted.predict(X), alone.predict(StandardScaler().fit_transform(X)))
