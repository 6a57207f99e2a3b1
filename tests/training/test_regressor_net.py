"""The criterion, the packing and the nets of a regressor against arithmetic and plain loops."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression, Ridge
from skorch import NeuralNetRegressor
from skorch.callbacks import EpochScoring
from skorch.dataset import ValidSplit
from torch.utils.data import Subset

from skdistill import StudentNet, StudentNetRegressor
from skdistill.exceptions import StudentError, TeacherWarning
from skdistill.losses import HuberLoss, QuantileLoss, SquaredErrorLoss
from skdistill.students import MLP
from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.training import HoldOut, RegressionCriterion
from skdistill.training._links import standardization
from skdistill.training._packed import Packed
from skdistill.training._skorch_student import SkorchRegressorStudent

RNG = np.random.default_rng(0)
N, K, MORE = 40, 2, 15
Y, T = RNG.normal(size=(2, N, K))
T_MORE = RNG.normal(size=(MORE, K))
WEIGHT = RNG.uniform(0.5, 2, N)
X_DIABETES, Y_DIABETES = load_diabetes(return_X_y=True)
LOSSES = [SquaredErrorLoss(), HuberLoss(delta=0.7), QuantileLoss(quantile=0.3)]


def tensors(packed):
    return {name: torch.as_tensor(values) for name, values in packed.items()}


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_criterion_is_two_weighted_means(loss, alpha):
    answers = T.copy()
    answers[:5] = np.nan
    s = RNG.normal(size=(N + MORE, K))
    packed = Packed(Y, [answers, T_MORE], WEIGHT, 2.0).arrays()
    found = RegressionCriterion(loss, alpha).train()(torch.tensor(s), tensors(packed)).item()

    def errors(a, b):
        return loss.errors(torch.tensor(a), torch.tensor(b)).numpy().mean(axis=1)

    hard = np.average(errors(s[:N], Y), weights=WEIGHT)
    weight = np.append(WEIGHT[5:] / WEIGHT.mean(), np.full(MORE, 2.0))
    soft = np.average(errors(s[5:], np.vstack([T[5:], T_MORE])), weights=weight)
    assert found == pytest.approx((1 - alpha) * hard + alpha * soft)


def test_held_back_rows_are_judged_by_true_targets():
    packed = tensors(Packed(Y, [T]).arrays())
    s = torch.tensor(RNG.normal(size=(N, K)))
    found = RegressionCriterion(alpha=0.9).eval()(s, packed)
    torch.testing.assert_close(found, (s - torch.tensor(Y)).square().mean())


def test_packing_without_answers():
    packed = Packed(Y).arrays()
    assert set(packed) == {"label", "target"}
    np.testing.assert_array_equal(packed["target"], Y)
    with pytest.raises(ValueError, match="alpha=1 leaves the labels out"):
        Packed(Y, [np.full((N, K), np.nan)]).check(alpha=1)
    with pytest.warns(TeacherWarning, match="labels alone"):
        Packed(Y, [np.full((N, K), np.nan)]).check(alpha=0.5)


def test_standardization_is_weighted():
    mean, scale = standardization(Y, WEIGHT)
    np.testing.assert_allclose(mean, np.average(Y, axis=0, weights=WEIGHT))
    np.testing.assert_allclose(scale**2, np.average((Y - mean) ** 2, axis=0, weights=WEIGHT))


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300])
def test_a_constant_target_has_the_scale_1(value):
    mean, scale = standardization(np.full((7, 1), value))
    assert mean == pytest.approx(value) and scale == 1


def test_no_square_leaves_the_range_of_floats():
    _, scale = standardization(Y * 1e200)
    np.testing.assert_allclose(scale, Y.std(axis=0) * 1e200)


def test_numbers_are_not_stratified():
    rows = range(200)
    y = np.repeat([0.0, 1.0], [180, 20])
    _, by_class = HoldOut()(rows, y.astype(int))
    _, by_number = HoldOut()(rows, y)
    assert y[by_class.indices].sum() == 4
    assert len(by_number.indices) == 40 and isinstance(by_number, Subset)


def make_net(**settings):
    settings = {"module__hidden_units": (8,), "max_epochs": 3, "batch_size": 32, **settings}
    return StudentNetRegressor(MLP, **settings)


def train(net, X, packed, n_outputs=1, **settings):
    X = net.prepare(X, NumberTask(np.zeros((1, n_outputs))), seed=1)
    return net.learn([X], packed, seed=2, **settings)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_training_is_a_plain_loop(loss):
    y, t = Y_DIABETES[:, None], Ridge().fit(X_DIABETES, Y_DIABETES).predict(X_DIABETES)[:, None]
    net = make_net(train_split=None, batch_size=-1, dtype="float64", callbacks__schedule=None)
    train(net, X_DIABETES, Packed(y, [t]), loss=loss, alpha=0.4)

    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = MLP(10, 1, (8,)).double()
    X, y_n, t_n = (
        torch.tensor(v) for v in (X_DIABETES, *((v - y.mean()) / y.std() for v in (y, t)))
    )
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.002, weight_decay=0.1)
    for _ in range(3):
        s = module(X)
        value = 0.6 * loss.errors(s, y_n).mean() + 0.4 * loss.errors(s, t_n).mean()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    expected = module(X).detach().numpy()[:, 0] * y.std() + y.mean()
    np.testing.assert_allclose(net.predict(X_DIABETES), expected, rtol=1e-10)


@pytest.mark.parametrize("unit", [2.0**20, 2.0**-30])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_no_unit_matters(unit, loss):
    y, t = Y_DIABETES[:, None], Y_DIABETES[::-1, None]
    plain = train(make_net(), X_DIABETES, Packed(y, [t]), loss=loss, alpha=0.5)
    packed = Packed(y * unit, [t * unit])
    scaled = train(make_net(), X_DIABETES, packed, loss=loss, alpha=0.5)
    np.testing.assert_allclose(scaled.predict(X_DIABETES), plain.predict(X_DIABETES) * unit)


def test_a_linear_module_learns_the_mixed_target():
    X = (X_DIABETES - X_DIABETES.mean(axis=0)) / X_DIABETES.std(axis=0)
    y, t = np.column_stack([Y_DIABETES, -Y_DIABETES]), RNG.normal(size=(len(X), 2))
    net = StudentNetRegressor(
        torch.nn.Linear,
        optimizer=torch.optim.LBFGS,
        lr=1.0,
        optimizer__max_iter=200,
        optimizer__tolerance_grad=1e-12,
        batch_size=-1,
        train_split=None,
        callbacks__schedule=None,
        dtype="float64",
        max_epochs=3,
    )
    train(net, X, Packed(y, [t], WEIGHT.repeat(12)[: len(X)]), 2, alpha=0.3)
    weight = WEIGHT.repeat(12)[: len(X)]
    expected = LinearRegression().fit(X, 0.7 * y + 0.3 * t, sample_weight=weight).predict(X)
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-4, atol=1e-3)


def test_the_best_epoch_is_that_of_held_back_targets():
    net = train(make_net(max_epochs=30, lr=0.1), X_DIABETES, Packed(Y_DIABETES[:, None]))
    losses = net.history_[:, "valid_loss"]
    _, held = HoldOut()(range(len(X_DIABETES)), Y_DIABETES)
    errors = (net.predict(X_DIABETES) - Y_DIABETES)[held.indices] / Y_DIABETES.std()
    assert min(losses) < losses[-1]
    assert np.mean(errors**2) == pytest.approx(min(losses), rel=1e-4)


def test_predictions_have_the_form_of_y():
    one = train(make_net(), X_DIABETES, Packed(Y_DIABETES[:, None]))
    two = train(make_net(), X_DIABETES, Packed(np.column_stack([Y_DIABETES] * 2)), 2)
    assert one.predict(X_DIABETES).shape == (442,)
    assert two.predict(X_DIABETES).shape == (442, 2)
    assert not hasattr(one, "predict_proba")


def test_settings_that_would_go_unheard_are_refused():
    with pytest.raises(StudentError, match=r"RegressionCriterion .*the DistilledRegressor"):
        make_net(criterion=torch.nn.MSELoss).prepare(X_DIABETES, NumberTask(np.zeros((1, 1))))
    with pytest.raises(StudentError, match=r"StudentNetRegressor sets .'criterion__alpha'."):
        make_net(criterion__alpha=0.5).prepare(X_DIABETES, NumberTask(np.zeros((1, 1))))
    with pytest.raises(StudentError, match="DistilledClassifier"):
        StudentNet(criterion=RegressionCriterion).prepare(X_DIABETES, ClassTask(np.arange(2)))


def test_a_module_of_another_width_is_refused():
    net = StudentNetRegressor(torch.nn.Linear, module__out_features=3)
    with pytest.raises(StudentError, match=r"numbers of shape \(8, 2\), one for each column"):
        net.prepare(X_DIABETES, NumberTask(np.zeros((1, 2))), seed=0)


class ScoreSplit:
    """A split that remembers what it is shown."""

    def __call__(self, dataset, y, **fit_params):
        self.shown = y
        return ValidSplit(4)(dataset, y, **fit_params)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_any_skorch_net_learns_numbers(n_outputs):
    split = ScoreSplit()
    y = np.column_stack([Y_DIABETES, -Y_DIABETES])[:, :n_outputs]
    scoring = EpochScoring("neg_mean_absolute_error", lower_is_better=False, name="mae")
    net = NeuralNetRegressor(
        torch.nn.Linear,
        max_epochs=40,
        lr=0.5,
        train_split=split,
        callbacks=[scoring],
        verbose=0,
    )
    student = SkorchRegressorStudent(net)
    X = student.prepare(X_DIABETES, NumberTask(np.zeros((1, n_outputs))), seed=0)
    student.learn([X], Packed(y, [y]), loss=SquaredErrorLoss(), alpha=0.5, seed=0)
    assert student.net_.train_split.shown.shape == ((442,) if n_outputs == 1 else (442, 2))
    assert student.score(X_DIABETES, y if n_outputs == 2 else y[:, 0]) > 0.2
    assert "mae" in student.history_[-1]
    assert not hasattr(student, "classes_")
