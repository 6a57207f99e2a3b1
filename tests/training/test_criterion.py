import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from skdistill.losses import KD, kd_divergence
from skdistill.training import DistillationCriterion
from skdistill.training._packed import Packed


def draw(n_samples=40, n_classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return (
        torch.tensor(rng.normal(size=(n_samples, n_classes))),
        rng.integers(n_classes, size=n_samples),
        rng.dirichlet(np.ones(n_classes), size=n_samples),
        rng.uniform(0.1, 2.0, size=n_samples),
    )


def tensors(arrays):
    return {name: torch.as_tensor(values) for name, values in arrays.items()}


def pack(y, p, w=None, *more, more_weight=1.0):
    return Packed(y, [p, *more], w, more_weight).arrays()


def loss_of(logits, arrays, **settings):
    return DistillationCriterion(KD(), **settings)(logits, tensors(arrays)).item()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_loss_is_the_weighted_mean_of_both_terms(alpha, weighted):
    logits, y, p, w = draw()
    w = w if weighted else np.ones(len(y))
    hard = cross_entropy(logits, torch.tensor(y), reduction="none").numpy()
    soft = kd_divergence(logits, torch.tensor(np.log(p)), 2.0).numpy()
    expected = (1 - alpha) * np.average(hard, weights=w) + alpha * np.average(soft, weights=w)
    found = loss_of(logits, pack(y, p, w), alpha=alpha, temperature=2.0)
    assert found == pytest.approx(expected, rel=1e-12)


def test_rows_without_a_target_do_not_shrink_the_soft_term():
    logits, y, p, w = draw()
    told = np.arange(len(y)) % 4 > 0
    gaps = np.where(told[:, None], p, np.nan)
    hard = cross_entropy(logits, torch.tensor(y), reduction="none").numpy()
    soft = kd_divergence(logits, torch.tensor(np.log(p))).numpy()
    expected = 0.5 * np.average(hard, weights=w) + 0.5 * np.average(soft[told], weights=w[told])
    assert loss_of(logits, pack(y, gaps, w), alpha=0.5) == pytest.approx(expected)


@pytest.mark.parametrize("n_unlabeled", [1, 100])
def test_rows_without_a_label_carry_the_soft_term_alone(n_unlabeled):
    logits, y, p, w = draw()
    more_logits, _, more_p, _ = draw(n_unlabeled, seed=1)
    packed = pack(y, p, w, more_p[:1], more_p[1:], more_weight=2.0)
    hard = cross_entropy(logits, torch.tensor(y), reduction="none").numpy()
    every, every_p = torch.cat([logits, more_logits]), np.vstack([p, more_p])
    soft = kd_divergence(every, torch.tensor(np.log(every_p))).numpy()
    weights = np.append(w, np.full(n_unlabeled, 2.0 * w.mean()))
    expected = 0.7 * np.average(hard, weights=w) + 0.3 * np.average(soft, weights=weights)
    assert (packed["label"] >= 0).sum() == 40
    assert loss_of(every, packed, alpha=0.3) == pytest.approx(expected)


def test_batches_of_one_size_average_to_the_loss_of_all_rows():
    logits, y, p, w = draw()
    packed = pack(y, p, w)
    parts = [
        loss_of(logits[i : i + 10], {name: v[i : i + 10] for name, v in packed.items()}, alpha=0.4)
        for i in range(0, 40, 10)
    ]
    assert np.mean(parts) == pytest.approx(loss_of(logits, packed, alpha=0.4))


def test_the_scale_of_the_weights_does_not_matter_and_weight_0_takes_a_row_away():
    logits, y, p, w = draw()
    expected = loss_of(logits, pack(y, p, w), alpha=0.4)
    assert loss_of(logits, pack(y, p, 1000 * w), alpha=0.4) == pytest.approx(expected)
    w[10:] = 0
    fewer = loss_of(logits[:10], pack(y[:10], p[:10], w[:10]), alpha=0.4)
    assert loss_of(logits, pack(y, p, w), alpha=0.4) == pytest.approx(fewer)


def test_on_held_back_rows_it_is_the_log_loss_of_the_labels():
    logits, y, p, _ = draw()
    criterion = DistillationCriterion(KD(weight=7.0), alpha=0.9, temperature=5.0).eval()
    expected = cross_entropy(logits, torch.tensor(y)).item()
    assert criterion(logits, tensors(pack(y, p))).item() == pytest.approx(expected)


def test_the_weight_of_a_loss_multiplies_its_term():
    logits, y, p, _ = draw()
    soft = kd_divergence(logits, torch.tensor(np.log(p))).mean().item()
    criterion = DistillationCriterion(KD(weight=9.0), alpha=1.0)
    assert criterion(logits, tensors(pack(y, p))).item() == pytest.approx(9 * soft)


def test_a_module_of_probabilities_has_the_loss_of_one_of_logits():
    logits, y, p, _ = draw()
    packed = tensors(pack(y, p))
    criterion = DistillationCriterion(KD(), alpha=0.5, from_probabilities=True)
    found = criterion(torch.softmax(logits, dim=1), packed)
    torch.testing.assert_close(found, DistillationCriterion(KD(), alpha=0.5)(logits, packed))


def test_exact_zeros_of_a_teacher_stay_finite():
    packed = pack(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    logits = torch.zeros(2, 2, dtype=torch.float64)
    assert loss_of(logits, packed, alpha=1.0) == pytest.approx(np.log(2))
