"""Adversarial rows: against hand-written torch, closed forms and their limits."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import AdversarialAccuracy, adversarial_accuracy

DIGITS, LABELS = load_digits(return_X_y=True)
X_TRAIN, Y_TRAIN = DIGITS[:600] / 16, LABELS[:600]
X, Y = DIGITS[600:800] / 16, LABELS[600:800]
KEYS = ["model", "attack", "attacked", "epsilon", "accuracy", "log_loss"]
KEYS += ["no_gradient", "clean_accuracy"]


def network(n_features=64, n_classes=10, *more, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Linear(n_features, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, n_classes), *more
        )


def linear_module(weight, bias=0.0):
    """One logit for the second of two classes."""
    with torch.random.fork_rng(), torch.no_grad():
        module = nn.Linear(len(weight), 1)
        module.weight.copy_(torch.tensor([weight]))
        module.bias.fill_(bias)
    return module


@pytest.fixture(scope="module")
def student():
    return small_model().fit(X_TRAIN, Y_TRAIN)


def small_model(student=None):
    net = StudentNet(module__hidden_units=(16,), module__numeric_embedding=None, max_epochs=5)
    teacher = DecisionTreeClassifier(max_depth=8, random_state=0)
    return DistilledClassifier(teacher, net if student is None else student, random_state=0)


def by_hand(module, X, y, *, epsilon, step, n_steps, start=0.0, low=-np.inf, high=np.inf):
    """The attack, written once more as a torch loop in double precision."""
    module = copy.deepcopy(module).eval().double()
    clean = torch.tensor(np.asarray(X, dtype=float))
    x = (clean + torch.as_tensor(start)).clamp(low, high)
    for _ in range(n_steps):
        x = x.detach().requires_grad_()
        cross_entropy(module(x), torch.tensor(y)).backward()
        x = x.detach() + step * x.grad.sign()
        x = clean + (x - clean).clamp(-epsilon, epsilon)
        x = x.clamp(low, high)
    return x.detach().numpy()


# ---------------------------------------------------------------------------------------------
# The attacks
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [None, (0, 1)])
def test_fgsm_is_a_step_along_the_sign_of_the_gradient(bounds):
    module = network().double()
    result = adversarial_accuracy({"net": module}, X, Y, epsilon=0.1, bounds=bounds)
    low, high = bounds or (-np.inf, np.inf)
    expected = by_hand(module, X, Y, epsilon=0.1, step=0.1, n_steps=1, low=low, high=high)
    np.testing.assert_allclose(result.adversarial["net"], expected, atol=1e-12)


@pytest.mark.parametrize("step", [None, 0.03])
def test_pgd_is_the_hand_written_loop(step):
    module = network().double()
    settings = {"attack": "pgd", "epsilon": 0.1, "bounds": (0, 1), "step": step, "n_steps": 6}
    result = adversarial_accuracy({"net": module}, X, Y, random_start=False, **settings)
    expected = by_hand(module, X, Y, epsilon=0.1, step=step or 0.025, n_steps=6, low=0.0, high=1.0)
    np.testing.assert_allclose(result.adversarial["net"], expected, atol=1e-12)

    seed = np.random.RandomState(5).randint(2**31 - 1)
    start = 0.1 * np.random.default_rng(seed).uniform(-1, 1, size=X.shape)
    result = adversarial_accuracy({"net": module}, X, Y, random_state=5, **settings)
    expected = by_hand(
        module, X, Y, epsilon=0.1, step=step or 0.025, n_steps=6, start=start, low=0.0, high=1.0
    )
    np.testing.assert_allclose(result.adversarial["net"], expected, atol=1e-12)


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_of_a_linear_model_the_logit_moves_by_epsilon_times_the_norm_of_its_weights(attack):
    weight, epsilon = [0.5, -2.0, 1.0], 0.3
    rows = np.random.default_rng(0).normal(size=(50, 3))
    y = (rows.sum(axis=1) > 0).astype(int)
    result = adversarial_accuracy(
        {"linear": linear_module(weight)}, rows, y, attack=attack, epsilon=epsilon, random_state=0
    )
    sign = np.where(y == 1, 1, -1)
    margin = sign * (rows @ weight) - epsilon * np.abs(weight).sum()
    row = result.rows[0]
    assert row["log_loss"] == pytest.approx(np.log1p(np.exp(-margin)).mean(), rel=1e-5)
    assert row["accuracy"] == pytest.approx((margin > 0).mean())
    moved = (result.adversarial["linear"] - rows) @ weight
    np.testing.assert_allclose(moved, -sign * epsilon * np.abs(weight).sum(), rtol=1e-6)


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
@pytest.mark.parametrize("scale", [1.0, np.linspace(0, 2, 64)])
def test_rows_stay_in_the_ball_and_in_the_bounds(attack, scale):
    result = adversarial_accuracy(
        {"net": network()}, X, Y, attack=attack, epsilon=0.2, step=0.5, scale=scale, bounds=(0, 1)
    )
    changed = result.adversarial["net"]
    assert (np.abs(changed - X) <= 0.2 * scale + 1e-12).all()
    assert changed.min() >= 0 and changed.max() <= 1
    assert (np.abs(changed - X) > 0.19 * np.asarray(scale)).any(axis=0)[1:].sum() > 50


def test_scale_is_the_unit_of_each_feature():
    scale = np.array([1.0, 10.0, 0.0])
    rows = np.random.default_rng(0).normal(size=(20, 3))
    y = np.arange(20) % 2
    module = linear_module([1.0, 1.0, 1.0])
    changed = adversarial_accuracy({"m": module}, rows, y, epsilon=0.5, scale=scale).adversarial
    np.testing.assert_allclose(np.abs(changed["m"] - rows), [[0.5, 5.0, 0.0]] * 20, atol=1e-12)


def test_pgd_finds_no_less_than_fgsm(student):
    fgsm, pgd = (
        adversarial_accuracy({"s": student}, X, Y, attack=a, epsilon=0.1, random_state=0).rows[0]
        for a in ("fgsm", "pgd")
    )
    assert fgsm["clean_accuracy"] > fgsm["accuracy"]
    assert pgd["log_loss"] >= fgsm["log_loss"]


# ---------------------------------------------------------------------------------------------
# Networks of every kind
# ---------------------------------------------------------------------------------------------


class Talkative(nn.Module):
    """Returns more than its logits, as many a library's models do."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, X):
        return self.module(X), "more"


@pytest.mark.parametrize(
    "wrap",
    [
        FrozenEstimator,
        Talkative,
        lambda module: nn.Sequential(module, nn.Softmax(dim=1)),
        lambda module: NeuralNetClassifier(module).initialize(),
    ],
    ids=["frozen", "tuple", "probabilities", "skorch"],
)
@pytest.mark.changes_global_rng  # skorch's initialize draws
def test_the_same_network_in_other_clothes_is_attacked_alike(wrap):
    module = network()
    settings = {"epsilon": 0.1, "bounds": (0, 1)}
    plain = adversarial_accuracy({"m": module}, X, Y, **settings)
    other = adversarial_accuracy({"m": wrap(module)}, X, Y, **settings)
    np.testing.assert_allclose(other.adversarial["m"], plain.adversarial["m"], atol=1e-12)
    assert other.rows[0]["log_loss"] == pytest.approx(plain.rows[0]["log_loss"], rel=1e-5)


def test_a_single_column_of_probabilities_is_that_of_the_second_class():
    weight = [0.5, -2.0, 1.0]
    rows = np.random.default_rng(0).normal(size=(30, 3))
    y = np.where(rows[:, 0] > 0, "yes", "no")
    one, two = (
        adversarial_accuracy({"m": module}, rows, y, epsilon=0.2)
        for module in (
            linear_module(weight),
            nn.Sequential(linear_module(weight), nn.Sigmoid()),
        )
    )
    np.testing.assert_array_equal(one.adversarial["m"], two.adversarial["m"])


def test_columns_in_another_order_are_named():
    module = linear_module([1.0])
    rows, y = np.array([[1.0], [-1.0], [2.0]]), np.array(["b", "a", "b"])
    sorted_, turned = (
        adversarial_accuracy({"m": module}, rows, y, epsilon=0.5, teacher_classes=classes)
        for classes in (None, ["b", "a"])
    )
    np.testing.assert_allclose(sorted_.adversarial["m"], [[0.5], [-0.5], [1.5]])
    np.testing.assert_allclose(turned.adversarial["m"], [[1.5], [-1.5], [2.5]])
    assert sorted_.rows[0]["accuracy"] == 1 and turned.rows[0]["accuracy"] == 0


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((-1, 1)), RobustScaler()])
def test_scalers_before_the_network_are_part_of_it(scaler):
    rows = X_TRAIN[:, 10:30] * np.arange(1, 21) + 3  # columns of different units
    net = StudentNet(
        module__hidden_units=(16,), module__numeric_embedding=None, max_epochs=3, batch_size=32
    )
    student = make_pipeline(scaler, "passthrough", net)
    model = small_model(student).fit(rows, Y_TRAIN)
    result = adversarial_accuracy({"s": model}, rows[:50], Y_TRAIN[:50], epsilon=0.1)
    module = copy.deepcopy(model.student_[-1].module_).eval().double()
    x = torch.tensor(model.student_[:-1].transform(rows[:50]), requires_grad=True)
    cross_entropy(module(x), torch.tensor(Y_TRAIN[:50])).backward()
    slope = model.student_[0].transform(np.ones((1, 20))) - model.student_[0].transform(
        np.zeros((1, 20))
    )
    expected = rows[:50] + 0.1 * np.sign(x.grad.numpy() * slope)
    # Single precision turns the sign of a gradient that is next to nothing.
    clear = np.abs(x.grad.numpy()) > 1e-9
    np.testing.assert_allclose(result.adversarial["s"][clear], expected[clear], atol=1e-12)
    assert clear.mean() > 0.9


def test_scalers_before_a_student_that_has_its_own():
    net = StudentNet(
        module__hidden_units=(8,), module__numeric_embedding=None, max_epochs=3, batch_size=32
    )
    model = small_model(make_pipeline(StandardScaler(), net))
    outer = make_pipeline(MinMaxScaler((-3, 5)), model).fit(10 * X_TRAIN, Y_TRAIN)
    inner = adversarial_accuracy({"m": model}, outer[:-1].transform(10 * X), Y, epsilon=0.8)
    whole = adversarial_accuracy({"m": outer}, 10 * X, Y, epsilon=0.8, scale=outer[0].scale_ ** -1)
    moved = outer[:-1].transform(whole.adversarial["m"])
    varies = X_TRAIN.std(axis=0) > 0
    np.testing.assert_allclose(moved[:, varies], inner.adversarial["m"][:, varies], atol=1e-6)


def test_images_keep_their_shape():
    with torch.random.fork_rng():
        module = nn.Sequential(nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 4, 3), nn.Flatten())
        module = nn.Sequential(module, nn.Linear(4 * 6 * 6, 10))
    images = X.reshape(-1, 8, 8).astype(np.float32)
    changed = adversarial_accuracy({"m": module}, images, Y, bounds=(0, 1)).adversarial["m"]
    assert changed.shape == images.shape and changed.dtype == np.float32
    assert np.abs(changed - images).max() == pytest.approx(8 / 255, rel=1e-5)


def test_data_frames_stay_data_frames():
    frame = pd.DataFrame(X_TRAIN, columns=[f"pixel {i}" for i in range(64)])
    net = StudentNet(module__hidden_units=(8,), max_epochs=2)
    model = small_model(make_pipeline(StandardScaler(), net)).fit(frame, Y_TRAIN)
    before = frame.copy()
    result = adversarial_accuracy(model, frame, Y_TRAIN, epsilon=0.1, scale=frame.std())
    pd.testing.assert_frame_equal(frame, before)
    assert list(result.adversarial["distilled"].columns) == list(frame.columns)
    with_array = small_model(make_pipeline(StandardScaler(), net)).fit(X_TRAIN, Y_TRAIN)
    same = adversarial_accuracy(
        with_array, X_TRAIN, Y_TRAIN, epsilon=0.1, scale=X_TRAIN.std(axis=0, ddof=1)
    )
    assert [list(row.values()) for row in same.rows] == [list(row.values()) for row in result.rows]


# ---------------------------------------------------------------------------------------------
# The table
# ---------------------------------------------------------------------------------------------


def test_a_model_without_gradients_is_asked_about_the_rows_of_each_network(student):
    tree = student.teacher_
    models = {"tree": tree, "student": student, "other": network()}
    result = adversarial_accuracy(models, X, Y, epsilon=0.1, bounds=(0, 1))
    assert isinstance(result, AdversarialAccuracy)
    assert all(list(row) == KEYS for row in result.rows)
    assert [(row["model"], row["attacked"]) for row in result.rows] == [
        ("tree", "student"),
        ("tree", "other"),
        ("student", "white-box"),
        ("other", "white-box"),
    ]
    for row, rows in zip(result.rows, ["student", "other", "student", "other"], strict=True):
        assert (row["attack"], row["epsilon"]) == ("fgsm", 0.1)
        if row["model"] == "other":
            continue
        changed = result.adversarial[rows]
        model = models[row["model"]]
        assert row["accuracy"] == accuracy_score(Y, model.predict(changed))
        assert row["log_loss"] == pytest.approx(log_loss(Y, model.predict_proba(changed)))
        assert row["clean_accuracy"] == model.score(X, Y)


def test_a_distilled_classifier_with_its_plain_student(student):
    result = adversarial_accuracy(
        student, X, Y, attack="pgd", random_state=0, X_train=X_TRAIN, y_train=Y_TRAIN
    )
    assert [(row["model"], row["attacked"]) for row in result.rows] == [
        ("teacher", "plain"),
        ("teacher", "distilled"),
        ("plain", "white-box"),
        ("distilled", "white-box"),
    ]


def test_the_same_seed_gives_the_same_rows(student):
    first, second, other = (
        adversarial_accuracy({"s": student}, X, Y, attack="pgd", n_steps=1, random_state=seed)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.adversarial["s"], second.adversarial["s"])
    assert not np.array_equal(first.adversarial["s"], other.adversarial["s"])


def test_faces(student, capsys):
    result = adversarial_accuracy(student, X, Y, verbose=1)
    assert "white-box" in repr(result) and "200 test rows" in repr(result)
    assert "clean accuracy" in result._repr_html_()
    assert len(result.to_frame()) == 2
    assert capsys.readouterr().out.startswith("[adversarial_accuracy] distilled")


# ---------------------------------------------------------------------------------------------
# Nothing is left behind
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_module_gradients_mode_and_rows_are_untouched(attack):
    module = network()
    module[0].eval()
    module[3].weight.grad = torch.ones_like(module[3].weight)
    module[0].weight.requires_grad_(False)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    rows = X.copy()
    rows.setflags(write=False)
    adversarial_accuracy({"m": module}, rows, Y, attack=attack, random_state=0)
    np.testing.assert_array_equal(rows, X)
    assert [part.training for part in module] == [False, True, True, True]
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module[0].weight.grad is None and (module[3].weight.grad == 1).all()
    assert not module[0].weight.requires_grad and module[3].weight.requires_grad


def test_a_module_may_write_into_its_rows():
    module = nn.Sequential(nn.ReLU(inplace=True), network())
    assert adversarial_accuracy({"m": module}, X - 0.5, Y).rows[0]["accuracy"] <= 1
