"""The soft terms beside kd: formulas, identities, gradients, and the edges that all must bear."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import huber as scipy_huber
from scipy.special import rel_entr, softmax
from scipy.stats import pearsonr
from skorch.callbacks import Callback
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import DistillationWarning
from skdistill.losses import (
    DIST,
    DKD,
    KD,
    MSE,
    Brier,
    Huber,
    JensenShannon,
    dkd_divergence,
    kd_divergence,
)
from skdistill.students import MLP
from skdistill.training import DistillationCriterion

NAMED = {
    "kd": KD(),
    "reverse_kl": KD(reverse=True),
    "mse": MSE(),
    "huber": Huber(),
    "brier": Brier(),
    "js": JensenShannon(),
    "dkd": DKD(),
    "dist": DIST(),
}
ALL = {**NAMED, "kd, standardised": KD(standardize=True)}


def draw(n_samples=30, n_classes=6, seed=0):
    rng = np.random.default_rng(seed)
    student, teacher = 2 * rng.normal(size=(2, n_samples, n_classes))
    return student, teacher, rng.integers(n_classes, size=n_samples)


def rows_of(loss, student, teacher, labels=None, temperature=1.0):
    labels = None if labels is None else torch.as_tensor(labels)
    return loss.rows(torch.as_tensor(student), torch.as_tensor(teacher), labels, temperature)


def mean_of(loss, student, teacher, labels, weight=None, temperature=1.0):
    weight = None if weight is None else torch.as_tensor(weight)
    tensors = (torch.as_tensor(values) for values in (student, teacher, labels))
    return loss.mean(*tensors, weight, temperature)


def centre(z):
    return z - z.mean(axis=1, keepdims=True)


@pytest.mark.parametrize("name", NAMED)
def test_losses_by_name(name, loss_of_classes):
    assert repr(loss_of_classes(name)) == repr(NAMED[name])


def test_mse_is_the_mean_squared_error_of_centred_logits():
    student, teacher, _ = draw()
    expected = ((centre(student) - centre(teacher)) ** 2).mean(axis=1)
    np.testing.assert_allclose(rows_of(MSE(), student, teacher + 50), expected)


def test_kd_tends_to_half_of_mse():
    student, teacher, _ = draw()
    limit = rows_of(MSE(), student, teacher) / 2
    np.testing.assert_allclose(rows_of(KD(), student, teacher, None, 1e4), limit, rtol=2e-3)


@pytest.mark.parametrize("delta", [0.1, 1.0, 100.0])
def test_huber_is_that_of_scipy(delta):
    student, teacher, _ = draw()
    expected = scipy_huber(delta, centre(student) - centre(teacher)).mean(axis=1)
    np.testing.assert_allclose(rows_of(Huber(delta=delta), student, teacher), expected)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_brier_and_js_are_those_of_the_probabilities(temperature):
    student, teacher, _ = draw()
    p, q = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
    found = rows_of(Brier(), student, teacher, None, temperature)
    np.testing.assert_allclose(found, ((p - q) ** 2).sum(axis=1))
    found = rows_of(JensenShannon(), student, teacher, None, temperature)
    np.testing.assert_allclose(found, jensenshannon(p, q, axis=1) ** 2)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_dkd_is_the_two_divergences_of_scipy(temperature):
    student, teacher, y = draw()
    p, q = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
    rows = np.arange(len(y))
    of_target = [np.stack([r[rows, y], 1 - r[rows, y]], axis=1) for r in (p, q)]
    others = [np.delete(r[i], y[i]) for r in (p, q) for i in rows]
    others = np.array(others).reshape(2, len(y), -1)
    others /= others.sum(axis=2, keepdims=True)
    expected = 3 * rel_entr(*of_target).sum(axis=1) + 5 * rel_entr(*others).sum(axis=1)
    loss = DKD(target_weight=3.0, other_weight=5.0)
    found = rows_of(loss, student, teacher, y, temperature)
    np.testing.assert_allclose(found, temperature**2 * expected)


def test_dkd_with_the_weights_of_kd_is_kd():
    student, teacher, y = (torch.as_tensor(values) for values in draw())
    p_y = (teacher / 2).softmax(dim=1)[torch.arange(len(y)), y]
    found = dkd_divergence(student, teacher, y, 2.0, 1.0, 1 - p_y)
    torch.testing.assert_close(found, kd_divergence(student, teacher, 2.0))


@pytest.mark.parametrize("some", [[], [0, 3], range(30)])
def test_rows_without_a_label_take_kd_in_dkd(some):
    student, teacher, y = draw()
    expected = rows_of(DKD(), student, teacher, y, 2.0).numpy()
    expected[some] = rows_of(KD(), student, teacher, None, 2.0).numpy()[some]
    y[some] = -1
    np.testing.assert_allclose(rows_of(DKD(), student, teacher, y, 2.0), expected)


def test_dkd_of_two_classes_is_kd_and_says_so():
    student, teacher, y = draw(n_classes=2)
    found = rows_of(DKD(target_weight=3.0), student, teacher, y, 2.0)
    np.testing.assert_allclose(found, 3 * rows_of(KD(), student, teacher, None, 2.0), rtol=1e-9)
    with pytest.warns(DistillationWarning, match="3 times kd"):
        DKD(target_weight=3.0).check_classes(2)


def weighted_correlation(a, b, weight):
    a, b = a - np.average(a, weights=weight), b - np.average(b, weights=weight)
    means = [np.average(x, weights=weight) for x in (a * b, a * a, b * b)]
    return means[0] / np.sqrt(means[1] * means[2])


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_dist_is_one_minus_the_correlations_of_scipy(weighted, temperature):
    student, teacher, y = draw()
    p, q = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
    w = np.random.default_rng(1).uniform(size=len(y)) if weighted else np.ones(len(y))
    w /= w.mean()
    inter = np.average([1 - pearsonr(a, b)[0] for a, b in zip(q, p, strict=True)], weights=w)
    intra = np.mean([1 - weighted_correlation(a, b, w) for a, b in zip(q.T, p.T, strict=True)])
    if not weighted:
        assert intra == pytest.approx(
            1 - np.mean([pearsonr(a, b)[0] for a, b in zip(q.T, p.T, strict=True)])
        )
    found = mean_of(DIST(1, 2, 5), student, teacher, y, w if weighted else None, temperature)
    assert found.item() == pytest.approx(temperature**2 * (2 * inter + 5 * intra))


@pytest.mark.parametrize("edge", ["one row", "constant column", "constant rows", "no weight"])
def test_dist_where_a_correlation_says_nothing(edge):
    student, teacher, y = draw()
    weight = np.ones(len(y))
    if edge == "one row":
        student, teacher, y, weight = (values[:1] for values in (student, teacher, y, weight))
    if edge == "constant column":
        teacher[:] = teacher[0]
    if edge == "constant rows":
        student[:] = 0
    if edge == "no weight":
        weight[:] = 0
    z = torch.tensor(student, requires_grad=True)
    loss = DIST().mean(z, torch.tensor(teacher), torch.tensor(y), torch.tensor(weight), 1.0)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(z.grad).all()
    if edge == "one row":
        rho = pearsonr(softmax(student[0]), softmax(teacher[0]))[0]
        assert loss.item() == pytest.approx(1 - rho)
    if edge in ("constant rows", "no weight"):
        assert loss.item() == 0


@pytest.mark.parametrize("n_classes", [2, 5])
@pytest.mark.parametrize("name", ALL)
def test_gradients_are_those_of_finite_differences(name, n_classes):
    student, teacher, y = (torch.as_tensor(v) for v in draw(5, n_classes))
    y[0] = -1
    weight = torch.tensor([0.0, 1.0, 2.0, 1.0, 1.0], dtype=torch.float64)
    if name == "kd, standardised" and n_classes == 2:
        return  # constant but for jumps
    assert torch.autograd.gradcheck(
        lambda z: ALL[name].mean(z, teacher, y, weight, 2.0), student.requires_grad_()
    )


@pytest.mark.parametrize("name", ALL)
def test_every_loss_is_0_at_the_teacher_and_positive_elsewhere(name):
    student, teacher, y = draw()
    assert mean_of(ALL[name], teacher + 1, teacher, y).item() == pytest.approx(0, abs=1e-9)
    assert mean_of(ALL[name], student, teacher, y).item() > 0.01


@pytest.mark.parametrize("name", ALL)
def test_rows_of_weight_0_count_for_nothing(name):
    student, teacher, y = draw()
    weight = np.repeat([1.5, 0.0], [20, 10])
    wild = teacher.copy()
    wild[20:] *= -30
    found = mean_of(ALL[name], student, wild, y, weight)
    expected = mean_of(ALL[name], student[:20], teacher[:20], y[:20], weight[:20])
    assert found.item() == pytest.approx(20 / 30 * expected.item())


class Zeros(nn.Linear):
    """A module whose logits are all zero at first."""

    def __init__(self, n_features, n_classes):
        super().__init__(n_features, n_classes)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("batch_size", [1, 16])
def test_exact_zeros_of_a_teacher_stay_finite(name, batch_size):
    y = np.arange(8) % 3
    certain = np.eye(3)
    net = StudentNet(Zeros, max_epochs=1, batch_size=batch_size, train_split=None)
    model = DistilledClassifier(lambda X: X, net, loss=ALL[name], alpha=0.5, random_state=0)
    model.fit(certain[y], y, X_unlabeled=certain[y])
    assert np.isfinite(model.history_[-1]["train_loss"])
    assert all(torch.isfinite(p).all() for p in model.student_.module_.parameters())


@pytest.mark.parametrize("name", ALL)
def test_a_student_comes_near_its_teacher_by_any_loss(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    logits = X @ rng.normal(size=(4, 3))
    y = logits.argmax(axis=1)
    settings = {"max_epochs": 20, "batch_size": 32, "lr": 0.2, "train_split": None}
    net = StudentNet(MLP, module__hidden_units=(), **settings)
    model = DistilledClassifier(student=net, loss=ALL[name], alpha=1, random_state=0)
    model.fit(X, y, soft_targets=softmax(logits, axis=1))
    assert model.score(X, y) > 0.95


def test_a_function_is_a_loss(loss_of_classes):
    student, teacher, y = draw()
    seen = []

    def squared(student_logits, teacher_logits, labels, weight):
        seen.append((labels, weight))
        return (weight[:, None] * (student_logits - teacher_logits) ** 2).mean()

    found = mean_of(loss_of_classes(squared), student, teacher, y)
    assert found.item() == pytest.approx(((student - teacher) ** 2).mean())
    assert seen[-1][0].tolist() == y.tolist() and seen[-1][1].tolist() == [1.0] * len(y)
    X = np.random.default_rng(0).normal(size=(40, 3))
    net = StudentNet(MLP, module__hidden_units=(), max_epochs=1)
    model = DistilledClassifier(student=net, loss=squared, random_state=0)
    model.fit(X, y[:30].repeat(2)[:40] % 2, soft_targets=np.full((40, 2), 0.5))
    assert len(seen) > 4 and model.temperature_ == 1


@pytest.mark.parametrize(("loss", "hint"), [("kl", ""), ("JS", "'js'"), (KD, ""), (3, "")])
def test_what_is_no_loss_is_refused(loss, hint, loss_of_classes):
    with pytest.raises(
        ValueError, match=f"must be one of.*{', '.join(sorted(map(repr, NAMED)))}.*{hint}"
    ):
        loss_of_classes(loss)


def test_dkd_warms_up():
    criterion = DistillationCriterion(DKD(weight=3.0, warmup_epochs=4), alpha=1.0)
    student, teacher, y = draw()
    packed = {"label": torch.tensor(y), "teacher_logits": torch.tensor(teacher)}
    full = 3 * rows_of(DKD(), student, teacher, y).mean().item()
    for epoch, share in [(1, 0.25), (3, 0.75), (4, 1.0), (9, 1.0)]:
        criterion.epoch = epoch
        assert criterion(torch.tensor(student), packed).item() == pytest.approx(share * full)


class KeepEpochs(Callback):
    def initialize(self):
        self.epochs = []
        return self

    def on_epoch_end(self, net, **kwargs):
        self.epochs.append(net.criterion_.epoch)


def test_the_criterion_knows_the_epoch():
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    net = StudentNet(MLP, module__hidden_units=(), max_epochs=3, callbacks=[("keep", KeepEpochs())])
    model = DistilledClassifier(student=net, random_state=0)
    model.fit(X, y, soft_targets=np.full((30, 2), 0.5))
    assert dict(model.student_.callbacks_)["keep"].epochs == [1, 2, 3]
