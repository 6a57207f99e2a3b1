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
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNetRegressor
from skdistill.exceptions import TeacherError
from skdistill.targets import teacher_targets
from skdistill.teachers import CallableTeacher, EnsembleTeacher, RegressorEnsemble, load_teacher

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


def ask(teacher, y=None, **settings):
    return teacher_targets(teacher, X, y, task="numbers", **settings)


def fit(teacher, y=Y, **settings):
    tree = DecisionTreeRegressor(max_depth=2)
    return DistilledRegressor(teacher, tree, random_state=0, **settings).fit(X, y)


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
    "list": ([lambda X: X[:, 0], MODULE], (X[:, :1] + EXPECTED) / 2),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_is_asked_alike(name):
    teacher, expected = GOOD[name]
    targets = ask(teacher)
    assert targets.kind == "numbers" and targets.dtype == np.float64
    np.testing.assert_allclose(targets, expected, rtol=1e-5, atol=1e-6)


def test_a_student_net_reads_rows_of_any_kind():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = StudentNetRegressor(max_epochs=1, module__hidden_units=(4,)).fit(X, Y)
    np.testing.assert_array_equal(ask(net).values[:, 0], net.predict(X))


def test_a_module_keeps_its_mode():
    module = torch.nn.Sequential(torch.nn.Dropout(0.5), linear_module()).train()
    np.testing.assert_array_equal(ask(module), ask(module))
    assert module.training


BAD = {
    "classifier": (LogisticRegression(), "gives class probabilities"),
    "net of classes": (NeuralNetClassifier(MODULE), "gives class probabilities"),
    "ensemble of classifiers": (EnsembleTeacher([LogisticRegression()]), "class probabilities"),
    "class": (LinearRegression, r"the class LinearRegression.*Write LinearRegression\(...\)"),
    "number": (7, "expected a regressor with predict"),
    "in a list": ([LINEAR, LogisticRegression()], "probabilities"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_regressor_is_refused(name):
    teacher, message = BAD[name]
    with pytest.raises(TeacherError, match=message):
        fit(teacher)


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="empty list"):
        fit([])


def test_a_regressor_is_read_from_a_file(tmp_path):
    path = tmp_path / "teacher.joblib"
    joblib.dump(LINEAR, path)
    targets = ask(load_teacher(path, trusted=True))
    np.testing.assert_array_equal(targets.values[:, 0], LINEAR.predict(X))


def test_undecided_before_the_fit():
    assert fit(StackingRegressor([("a", Ridge())])).predict(X).shape == Y.shape


ANSWERS = [
    ([[1.0], [np.nan]], "NaN or infinite values for 1 of 2 rows"),
    ([1.0, np.inf], "NaN or infinite"),
    ([1.0], r"shape \(1,\) for 2 rows; expected \(2, n_outputs\)"),
    ([[1.0, 2.0]] * 2, r"shape \(2, 2\) for 2 rows; expected \(2, 1\)"),
    ([["a"], ["b"]], "no array of numbers"),
    (np.zeros((2, 1, 1)), r"shape \(2, 1, 1\)"),
]


@pytest.mark.parametrize(("answer", "message"), ANSWERS)
def test_bad_answers_are_refused(answer, message):
    with pytest.raises(TeacherError, match=message):
        DistilledRegressor(lambda rows: answer).fit(X[:2], Y[:2])


def test_members_of_different_widths_are_refused():
    with pytest.raises(TeacherError, match=r"shape \(442, 2\) for 442 rows; expected \(442, 1\)"):
        ask([LINEAR, GOOD["two outputs"][0]])


def test_a_list_fits_what_is_not_and_keeps_what_is():
    members = [DecisionTreeRegressor(), LINEAR]
    model = fit(members)
    teacher = model.teacher_
    assert teacher.teachers_[1] is LINEAR and clone(model).teacher[1] is LINEAR
    assert not hasattr(members[0], "tree_")
    expected = np.mean([member.predict(X) for member in teacher.teachers_], axis=0)
    np.testing.assert_allclose(teacher.predict(X), expected)
    np.testing.assert_array_equal(fit(members).teacher_.predict(X), teacher.predict(X))


@pytest.mark.filterwarnings("ignore:The teacher's squared error")
@pytest.mark.parametrize("y", [Y, YY])
@pytest.mark.parametrize(
    "wrap", [lambda net: net, lambda net: make_pipeline(StandardScaler(), net)]
)
def test_a_skorch_net_is_fitted_in_its_own_precision(y, wrap):
    net = wrap(NeuralNetRegressor(linear_module(y[0].size), max_epochs=2, lr=0.1, verbose=0))
    first, second = (ask(net, y, cv=2, random_state=0) for _ in range(2))
    assert first.shape == (len(X), y[0].size) and first.out_of_fold
    np.testing.assert_array_equal(first, second)


def test_weights_reach_a_pipeline_s_last_step():
    weight = np.arange(len(X), dtype=float)
    teacher = make_pipeline(
        StandardScaler(), GradientBoostingRegressor(n_estimators=3, random_state=0)
    )
    settings = {"cv": "in-sample", "sample_weight": weight}
    rows = StandardScaler().fit_transform(X)
    expected = clone(teacher[-1]).fit(rows, Y, sample_weight=weight).predict(rows)
    np.testing.assert_allclose(ask(teacher, Y, **settings).values[:, 0], expected)


def test_weights_of_a_mean():
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    ensemble = RegressorEnsemble([tree, LINEAR, MODULE], weights=[1, 2, 5], random_state=0)
    parts = [clone(tree).fit(X, YY[:, 0]).predict(X), LINEAR.predict(X), EXPECTED[:, 0]]
    expected = np.average(parts, axis=0, weights=[1, 2, 5])
    np.testing.assert_allclose(ensemble.fit(X, Y).predict(X), expected, rtol=1e-5)
    np.testing.assert_allclose(ask(ensemble).values[:, 0], expected, rtol=1e-5)
    again = clone(ensemble)
    assert again.weights == [1, 2, 5] and not hasattr(again, "teachers_")


def test_weights_are_those_of_every_fold(tmp_path):
    members = [Ridge(), DecisionTreeRegressor(max_depth=3, random_state=0)]
    splits = list(KFold(3).split(X))
    for memory in (None, str(tmp_path), str(tmp_path)):  # to be kept, and found again
        found = ask(RegressorEnsemble(members, weights=[3, 1]), YY, cv=splits, memory=memory)
        parts = [cross_val_predict(member, X, YY, cv=splits) for member in members]
        expected = np.average(parts, axis=0, weights=[3, 1])
        np.testing.assert_allclose(found, expected)


def test_equal_weights_are_the_mean_of_a_list():
    members = [LINEAR, DecisionTreeRegressor(max_depth=3, random_state=0).fit(X, Y)]
    weighed = ask(RegressorEnsemble(members, weights=[2, 2]))
    np.testing.assert_allclose(weighed, ask(members), rtol=1e-12)
    np.testing.assert_array_equal(ask(RegressorEnsemble(members)), ask(members))


# fmt: off
REFUSED = {
    "too few weights": (ValueError, lambda: fit(RegressorEnsemble([LINEAR, MODULE], weights=[1])),
        r"weights=\[1\] was given for 2 teachers; expected as many finite numbers, none of them"),
    "a negative weight": (ValueError, lambda: fit(RegressorEnsemble([LINEAR], weights=[-1])),
        r"weights=\[-1\] was given for 1 teachers"),
    "no weight": (ValueError, lambda: fit(RegressorEnsemble([LINEAR], weights=[0])),
        r"weights=\[0\] are 0 for all teachers"),
    "weights by name": (ValueError, lambda: fit(RegressorEnsemble([LINEAR], weights="best")),
        "The 'weights' parameter of RegressorEnsemble must be.*an array-like.*Got 'best' instead"),
    "out of fold, and fitted": (ValueError,
        lambda: fit(RegressorEnsemble([LINEAR, Ridge().fit(X, Y)], weights="oof")),
        "weights='oof' was given with members that are not fitted here.*'Ridge'.*clone"),
    "no list": (ValueError, lambda: fit(RegressorEnsemble(LINEAR)),
        "The 'teachers' parameter of RegressorEnsemble must be an instance of 'list' or"),
    "a classifier": (TeacherError, lambda: fit(RegressorEnsemble([LogisticRegression()])),
        "LogisticRegression gives class probabilities; expected a regressor"),
    "where classes are learnt": (TeacherError,
        lambda: DistilledClassifier(RegressorEnsemble([LINEAR])).fit(X, Y > 100),
        "RegressorEnsemble has predict but no predict_proba; expected a classifier"),
    "rows of another width": (ValueError,
        lambda: RegressorEnsemble([LINEAR]).fit(X, Y).predict(X[:, :3]),
        "X has 3 features, but RegressorEnsemble is expecting 10"),
    "fewer targets than rows": (ValueError, lambda: RegressorEnsemble([Ridge()]).fit(X, Y[:-1]),
        "inconsistent numbers of samples"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
