"""Losses of several students at once: those of each alone."""

import pytest
import torch

from skdistill.losses import (
    DIST,
    DKD,
    KD,
    MSE,
    Brier,
    Huber,
    HuberLoss,
    JensenShannon,
    QuantileLoss,
    SquaredErrorLoss,
)

SOFT = [KD(), KD(standardize=True), KD(reverse=True), DKD(), DIST(), MSE(), Huber(), Brier()]
SOFT += [JensenShannon()]
NUMBERS = [SquaredErrorLoss(), HuberLoss(), QuantileLoss(quantile=0.8)]
TEMPERATURES = torch.tensor([1.0, 2.5, 4.0], dtype=torch.float64)


def draw(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def gradients(mean, students):
    return torch.func.vmap(torch.func.grad_and_value(mean))(students, TEMPERATURES)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", SOFT, ids=repr)
def test_soft_terms_with_a_temperature_each(loss, weighted):
    students, teacher = draw(3, 20, 5), 2 * draw(20, 5)
    labels = torch.arange(20) % 5
    weight = draw(20).abs() if weighted else None

    def mean(student, temperature):
        return loss.mean(student, teacher, labels, weight, temperature)

    slopes, values = gradients(mean, students)
    for student, temperature, slope, value in zip(
        students, TEMPERATURES.tolist(), slopes, values, strict=True
    ):
        alone = student.clone().requires_grad_()
        expected = mean(alone, temperature)
        torch.testing.assert_close(value, expected.detach(), rtol=1e-12, atol=1e-14)
        expected.backward()
        torch.testing.assert_close(slope, alone.grad, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", NUMBERS, ids=repr)
def test_losses_of_numbers(loss, weighted):
    students, targets = draw(3, 20, 2), draw(20, 2) + 1
    weight = draw(20).abs() if weighted else None
    stacked = torch.func.vmap(lambda values: loss.mean(values, targets, weight))(students)
    alone = torch.stack([loss.mean(values, targets, weight) for values in students])
    torch.testing.assert_close(stacked, alone, rtol=1e-12, atol=0)
