"""Losses of numbers against SciPy, scikit-learn and finite differences."""

import numpy as np
import pytest
import torch
from scipy.special import huber
from sklearn.metrics import mean_pinball_loss, mean_squared_error

from skdistill.losses import KD, MSE, HuberLoss, QuantileLoss, RegressionLoss, SquaredErrorLoss

RNG = np.random.default_rng(0)
VALUES, TARGETS = RNG.normal(size=(2, 30, 3)) * 2
WEIGHT = RNG.uniform(size=30)
ORACLES = {
    "squared_error": (
        SquaredErrorLoss(),
        lambda s, t, w: mean_squared_error(t, s, sample_weight=w),
    ),
    "huber": (
        HuberLoss(delta=0.7),
        lambda s, t, w: np.average(huber(0.7, s - t), axis=0, weights=w).mean(),
    ),
    "quantile": (
        QuantileLoss(quantile=0.9),
        lambda s, t, w: mean_pinball_loss(t, s, sample_weight=w, alpha=0.9),
    ),
}


@pytest.mark.parametrize("name", ORACLES)
def test_mean_is_the_oracle_s(name):
    loss, oracle = ORACLES[name]
    values, targets = torch.tensor(VALUES), torch.tensor(TARGETS)
    assert loss.mean(values, targets).item() == pytest.approx(oracle(VALUES, TARGETS, None))
    weight = torch.tensor(WEIGHT / WEIGHT.mean())
    weighted = loss.mean(values, targets, weight).item()
    assert weighted == pytest.approx(oracle(VALUES, TARGETS, WEIGHT))


@pytest.mark.parametrize("name", ORACLES)
def test_gradient_is_that_of_finite_differences(name):
    loss, _ = ORACLES[name]
    values = torch.tensor(VALUES, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: loss.mean(s, torch.tensor(TARGETS)), values)


@pytest.mark.parametrize("name", ORACLES)
def test_level_is_the_best_constant(name):
    loss, _ = ORACLES[name]
    targets = torch.tensor(RNG.exponential(size=(2001, 1)))
    grid = torch.linspace(0, 4, 801, dtype=torch.float64)
    losses = [loss.mean(c.expand(2001, 1), targets).item() for c in grid]
    best = grid[int(np.argmin(losses))].item()
    wanted = targets.mean() if loss.level is None else targets.quantile(loss.level)
    # Huber's best constant lies between the median and the mean.
    assert best == pytest.approx(wanted.item(), abs=0.2 if name == "huber" else 0.01)


def test_a_large_delta_is_half_the_squared_error():
    values, targets = torch.tensor(VALUES), torch.tensor(TARGETS)
    squared = SquaredErrorLoss().mean(values, targets) / 2
    torch.testing.assert_close(HuberLoss(delta=100.0).mean(values, targets), squared)


def test_names(loss_of_numbers):
    assert isinstance(loss_of_numbers("squared_error"), SquaredErrorLoss)
    assert isinstance(loss_of_numbers("huber"), HuberLoss)
    assert loss_of_numbers("quantile").quantile == 0.5
    own = QuantileLoss(quantile=0.9)
    assert loss_of_numbers(own) is own


BAD = [
    ("kd", "no logits. Got 'kd'"),
    (KD(), "no logits"),
    (MSE(), "no logits"),
    (QuantileLoss, "no logits"),
    ("squared_eror", "Did you mean 'squared_error'"),
    (QuantileLoss(quantile=1), r"'quantile' parameter of QuantileLoss must be .*\(0.0, 1.0\)"),
    (QuantileLoss(quantile="0.5"), "'quantile' parameter"),
    (HuberLoss(delta=0), "'delta' parameter of HuberLoss"),
]


@pytest.mark.parametrize(("loss", "message"), BAD)
def test_bad_losses_are_refused(loss, message, loss_of_numbers):
    with pytest.raises(ValueError, match=message):
        loss_of_numbers(loss)


@pytest.mark.parametrize("loss", ["squared_error", "quantile", HuberLoss(), QuantileLoss()])
def test_a_classifier_refuses_losses_of_numbers(loss, loss_of_classes):
    with pytest.raises(ValueError, match="DistilledRegressor takes it"):
        loss_of_classes(loss)


def test_a_loss_of_one_s_own(loss_of_numbers):
    class Cubed(RegressionLoss):
        def errors(self, values, targets):
            return (values - targets).abs() ** 3

    assert loss_of_numbers(Cubed()).mean(torch.tensor([[2.0]]), torch.tensor([[0.0]])) == 8
