import numpy as np
import pytest
import torch
from scipy.special import log_softmax, rel_entr, softmax

from skdistill.exceptions import DistillationWarning
from skdistill.losses import KD, kd_divergence


def draw_logits(n_samples=50, n_classes=7, seed=0):
    rng = np.random.default_rng(seed)
    return 3 * rng.normal(size=(2, n_samples, n_classes))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("n_classes", [2, 7])
def test_kd_is_the_relative_entropy_of_scipy(temperature, n_classes):
    student, teacher = draw_logits(n_classes=n_classes)
    p, q = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
    expected = temperature**2 * rel_entr(p, q).sum(axis=1)
    found = kd_divergence(torch.tensor(student), torch.tensor(teacher), temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_kd_sums_over_classes_and_not_over_elements():
    # A class that neither side believes in changes nothing; a mean over elements would.
    student, teacher = torch.tensor([[[0.0, 1.0]], [[1.0, 0.0]]], dtype=torch.float64)
    nobody = torch.full((1, 1), -200.0, dtype=torch.float64)
    wide = [torch.cat([logits, nobody], dim=1) for logits in (student, teacher)]
    torch.testing.assert_close(kd_divergence(*wide), kd_divergence(student, teacher))


def test_kd_asks_what_the_teacher_believes():
    # KL(p‖q) with p the teacher's: a class that only the student believes in costs little.
    sure, unsure = torch.tensor([[8.0, 0.0]]), torch.tensor([[0.0, 0.0]])
    assert kd_divergence(unsure, sure) < kd_divergence(sure, unsure)


@pytest.mark.parametrize("shift", [-5.0, 100.0])
def test_a_shift_of_a_row_changes_nothing(shift):
    student, teacher = torch.tensor(draw_logits())
    torch.testing.assert_close(
        kd_divergence(student + shift, teacher - shift, 2.0), kd_divergence(student, teacher, 2.0)
    )


def test_log_probabilities_are_logits():
    student, teacher = draw_logits()
    found = kd_divergence(torch.tensor(student), torch.tensor(log_softmax(teacher, axis=1)), 3.0)
    expected = kd_divergence(torch.tensor(student), torch.tensor(teacher), 3.0)
    torch.testing.assert_close(found, expected)


def test_kd_becomes_half_the_squared_difference_of_logits_at_high_temperature():
    student, teacher = draw_logits()
    centred = [z - z.mean(axis=1, keepdims=True) for z in (student, teacher)]
    limit = 0.5 * ((centred[0] - centred[1]) ** 2).mean(axis=1)
    found = kd_divergence(torch.tensor(student), torch.tensor(teacher), 1e4)
    np.testing.assert_allclose(found, limit, rtol=2e-3)


def test_soft_cross_entropy_has_the_same_gradient():
    student, teacher = torch.tensor(draw_logits())
    gradients = []
    for loss in (
        lambda z: kd_divergence(z, teacher).sum(),
        lambda z: torch.nn.functional.cross_entropy(z, teacher.softmax(dim=1), reduction="sum"),
    ):
        z = student.clone().requires_grad_()
        loss(z).backward()
        gradients.append(z.grad)
    torch.testing.assert_close(*gradients)


def test_gradient_is_that_of_finite_differences():
    student, teacher = torch.tensor(draw_logits(4, 3))
    assert torch.autograd.gradcheck(
        lambda z: kd_divergence(z, teacher, 2.0), student.requires_grad_()
    )


def test_kd_is_0_for_equal_distributions_and_finite_for_extreme_ones():
    _, teacher = torch.tensor(draw_logits())
    assert kd_divergence(teacher + 1, teacher).abs().max() < 1e-12
    sure = torch.tensor([[0.0, -1000.0]])
    assert torch.isfinite(kd_divergence(sure.flip(1), sure)).all()


@pytest.mark.parametrize(
    ("kind", "n_classes", "expected"),
    [
        ("probabilities", 2, 1),
        ("probabilities", 100, 1),
        ("logits", 2, 1),
        ("logits", 3, 2),
        ("logits", 9, 2),
        ("logits", 10, 4),
    ],
)
def test_default_temperature(kind, n_classes, expected):
    assert KD().default_temperature(kind, n_classes) == expected
    assert KD(standardize=True).default_temperature(kind, n_classes) == 2


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_reverse_swaps_teacher_and_student(temperature):
    student, teacher = draw_logits()
    p, q = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
    found = KD(reverse=True).rows(torch.tensor(student), torch.tensor(teacher), None, temperature)
    np.testing.assert_allclose(found, temperature**2 * rel_entr(q, p).sum(axis=1), rtol=1e-10)


def test_standardised_logits_have_mean_0_and_deviation_1_on_both_sides():
    student, teacher = draw_logits()
    scaled = [
        torch.tensor((z - z.mean(1, keepdims=True)) / z.std(1, keepdims=True))
        for z in (student, teacher)
    ]
    loss = KD(standardize=True)
    found = loss.rows(torch.tensor(7 * student + 3), torch.tensor(teacher), None, 2.0)
    torch.testing.assert_close(found, kd_divergence(*scaled, 2.0))
    with pytest.warns(DistillationWarning, match="two classes"):
        loss.check_classes(2)


def test_standardised_equal_logits_have_a_finite_gradient():
    z = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    KD(standardize=True).rows(z, torch.tensor(draw_logits(1, 4)[0]), None, 2.0).sum().backward()
    assert torch.isfinite(z.grad).all()


def test_losses_by_name_and_instance(loss_of_classes):
    assert isinstance(loss_of_classes("kd"), KD)
    loss = KD(weight=9.0)
    assert loss_of_classes(loss) is loss
    assert loss.get_params() == {"weight": 9.0, "standardize": False, "reverse": False}
