"""Attacks on networks that are very sure of themselves, against closed forms and double precision.

Where a gradient says nothing, the number says so: `no_gradient` bounds what the attack missed.
"""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill import StudentNet
from skdistill.evaluation import adversarial_accuracy
from skdistill.exceptions import DistillationWarning

DIGITS, LABELS = load_digits(return_X_y=True)
X, Y = DIGITS[600:800] / 16, LABELS[600:800]
WEIGHT = np.array([0.5, -2.0, 1.0])
NORM = np.abs(WEIGHT).sum()


class Times(nn.Module):
    """What comes in, times a number."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, X):
        return self.factor * X


class TwoLogits(nn.Module):
    """Minus and plus half of a single logit."""

    def forward(self, X):
        return torch.cat([-X / 2, X / 2], dim=1)


class Rounded(nn.Module):
    """Steps, through which no gradient goes, on a slope that leads astray."""

    def __init__(self, slope):
        super().__init__()
        self.slope = slope

    def forward(self, X):
        return X.round() - self.slope * X


def linear(*more):
    """The logit ``X @ WEIGHT`` of the second of two classes, and what comes after."""
    with torch.random.fork_rng(), torch.no_grad():
        module = nn.Linear(3, 1, bias=False)
        module.weight.copy_(torch.tensor(WEIGHT)[None])
    return nn.Sequential(module, *more)


def network(n_classes, *more, n_features=64):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(n_features, 16), nn.Tanh(), nn.Linear(16, n_classes))
    return nn.Sequential(net, *more)


def rows_of_margin(margin, n=200):
    """Rows named rightly by `linear`, with margins evenly spread around one, and their labels."""
    rng = np.random.default_rng(0)
    sides = np.where(np.arange(n) % 2, 1.0, -1.0)
    margins = margin * rng.uniform(0.5, 1.5, size=n)
    rows = rng.normal(size=(n, 3))
    rows += (sides * margins - rows @ WEIGHT)[:, None] * WEIGHT / (WEIGHT @ WEIGHT)
    return rows, (sides > 0).astype(int), margins


@pytest.fixture(scope="module")
def even():
    """A trained network that tells even digits from odd ones, its rows and labels."""
    net = StudentNet(module__hidden_units=(16,), module__numeric_embedding=None, max_epochs=10)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net.fit(DIGITS[:600] / 16, LABELS[:600] % 2)
    return net.module_


# ---------------------------------------------------------------------------------------------
# The objective
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_the_step_has_the_sign_of_the_gradient_of_the_cross_entropy(n_classes):
    module, y = network(n_classes).double(), Y % n_classes
    x = torch.tensor(X, requires_grad=True)
    cross_entropy(module(x), torch.tensor(y), reduction="sum").backward()
    assert x.grad.abs().min() > 1e-9  # nothing saturates here
    changed = adversarial_accuracy({"m": module}, X, y, epsilon=0.1).adversarial["m"]
    np.testing.assert_array_equal(np.sign(changed - X), x.grad.sign().numpy())


@pytest.mark.parametrize("margin", [10, 30, 100])
@pytest.mark.parametrize("more", [(), (TwoLogits(),)], ids=["one logit", "two logits"])
@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_of_a_linear_network_every_margin_shrinks_by_the_norm_of_its_weights(margin, more, attack):
    rows, y, margins = rows_of_margin(margin)
    epsilon = margin / NORM
    result = adversarial_accuracy(
        {"m": linear(*more)}, rows, y, attack=attack, epsilon=epsilon, random_state=0
    )
    left, row = margins - epsilon * NORM, result.rows[0]
    assert 0.3 < (left > 0).mean() < 0.7
    assert row["clean_accuracy"] == 1 and row["no_gradient"] == 0
    assert row["accuracy"] == (left > 0).mean()
    loss = np.logaddexp(0, -left)
    assert row["log_loss"] == pytest.approx(np.minimum(loss, -np.log(2.3e-16)).mean(), rel=1e-3)


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_of_two_classes_the_logits_times_a_factor_change_nothing(even, attack):
    settings = {"attack": attack, "epsilon": 0.1, "bounds": (0, 1), "random_state": 0}
    plain, exact, sure = (
        adversarial_accuracy({"m": nn.Sequential(even, Times(factor))}, X, Y % 2, **settings)
        for factor in (1, 16, 20)
    )
    margins = np.abs(np.diff(20 * even(torch.tensor(X).float()).detach().numpy()))
    assert (margins > 16.6).mean() > 0.2  # where p rounds to 1 in single precision
    assert plain.rows[0]["accuracy"] < plain.rows[0]["clean_accuracy"] - 0.1
    assert sure.rows[0]["accuracy"] == plain.rows[0]["accuracy"]
    np.testing.assert_array_equal(exact.adversarial["m"], plain.adversarial["m"])


@pytest.mark.parametrize("factor", [1, 20, 200])
def test_of_many_classes_the_others_count_as_much_as_they_are_probable(factor):
    module = network(10, Times(factor))
    changed = adversarial_accuracy({"m": module}, X, Y, epsilon=0.1).adversarial["m"]
    double = network(10, Times(factor)).double()
    slopes = torch.func.vmap(torch.func.jacrev(double))(torch.tensor(X)).detach().numpy()
    logits = double(torch.tensor(X)).detach().numpy()
    own = np.arange(10) == Y[:, None]
    share = softmax(np.where(own, -np.inf, logits), axis=1) - own
    expected = np.einsum("nc,ncf->nf", share, slopes)
    clear = np.abs(expected) > 1e-4 * factor  # single precision turns what is next to nothing
    assert clear.mean() > 0.95
    np.testing.assert_array_equal(np.sign(changed - X)[clear], np.sign(expected)[clear])


# ---------------------------------------------------------------------------------------------
# Networks that return probabilities
# ---------------------------------------------------------------------------------------------


SOFTMAX = (TwoLogits(), nn.Softmax(dim=1))


@pytest.mark.parametrize(
    ("more", "margin"),
    [(SOFTMAX, 10), (SOFTMAX, 50), ((nn.Sigmoid(),), 10), ((TwoLogits(), nn.LogSoftmax(1)), 100)],
    ids=["softmax", "sure softmax", "sigmoid", "log-probabilities"],
)
def test_probabilities_are_attacked_as_their_logits_are(more, margin):
    rows, y, margins = rows_of_margin(margin)
    epsilon = margin / NORM
    row = adversarial_accuracy({"m": linear(*more)}, rows, y, epsilon=epsilon).rows[0]
    assert row["accuracy"] == (margins > epsilon * NORM).mean() and row["no_gradient"] == 0


@pytest.mark.parametrize(
    ("more", "margin", "lost"),
    [
        (SOFTMAX, 100, lambda y, margins: margins > 88),  # e**-88 is 0 in single precision
        ((nn.Sigmoid(),), 30, lambda y, margins: (y == 1) & (margins > 17)),  # 1 - p is 0
    ],
    ids=["softmax", "sigmoid"],
)
@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
def test_probabilities_that_are_0_have_no_gradient_and_the_number_says_so(
    more, margin, lost, attack
):
    rows, y, margins = rows_of_margin(margin)
    epsilon = margin / NORM
    settings = {"attack": attack, "epsilon": epsilon, "random_start": False}
    with pytest.warns(DistillationWarning, match=r"(?s)'m'.*no gradient.*without its last"):
        row = adversarial_accuracy({"m": linear(*more)}, rows, y, **settings).rows[0]
    true = (margins > epsilon * NORM).mean()
    assert row["no_gradient"] == pytest.approx(lost(y, margins).mean(), abs=0.03)
    assert row["accuracy"] - row["no_gradient"] <= true < row["accuracy"] - 0.05
    logits = adversarial_accuracy({"m": linear(*more)[:-1]}, rows, y, **settings).rows[0]
    assert logits["accuracy"] == true and logits["no_gradient"] == 0  # what the warning advises


# ---------------------------------------------------------------------------------------------
# Flat networks, and gradients that lead astray
# ---------------------------------------------------------------------------------------------


def dead():
    """Names the first class wherever its only unit is at rest, and has no gradient there."""
    with torch.random.fork_rng(), torch.no_grad():
        module = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 2))
        module[0].weight.fill_(1.0)
        module[0].bias.fill_(0.0)
        module[2].weight.copy_(torch.tensor([[0.0], [10.0]]))
        module[2].bias.copy_(torch.tensor([2.0, 1.0]))
    return module


def test_units_at_rest_have_no_gradient_and_the_number_says_so():
    rows, y = np.full((80, 1), -0.05), np.zeros(80, dtype=int)
    rows[:19], rows[19], y[19] = 0.05, 0.25, 1
    settings = {"epsilon": 0.2, "random_state": 0}
    with pytest.warns(DistillationWarning, match=r"(?s)60 of the 80 test rows.*random_start"):
        row = adversarial_accuracy({"m": dead()}, rows, y, **settings).rows[0]
    assert row["clean_accuracy"] == 1 and row["accuracy"] == row["no_gradient"] == 0.75
    # A start elsewhere wakes some of them, as the warning says.
    with pytest.warns(DistillationWarning, match="of the 80 test rows"):
        row = adversarial_accuracy({"m": dead()}, rows, y, attack="pgd", **settings).rows[0]
    assert 0.3 < row["accuracy"] == row["no_gradient"] < 0.6


def test_a_single_flat_row_of_many_is_counted_and_not_warned_of():
    rows, y = np.full((200, 1), 0.05), np.zeros(200, dtype=int)
    rows[0], rows[1], y[1] = -3.0, 0.25, 1
    row = adversarial_accuracy({"m": dead()}, rows, y, epsilon=0.2).rows[0]
    assert row["accuracy"] == row["no_gradient"] == 1 / 200


def test_steps_have_no_gradient_and_the_number_says_so():
    rows, y, _ = rows_of_margin(2)
    module = nn.Sequential(Rounded(0.0), linear())
    with pytest.warns(DistillationWarning, match="no gradient"):
        row = adversarial_accuracy({"m": module}, rows, y, epsilon=1.0).rows[0]
    assert row["accuracy"] == row["no_gradient"] > 0.5


def test_a_gradient_that_leads_astray_shows_where_any_row_could_become_any_other(even):
    """The test for masking that the docstring gives."""
    rows, y, _ = rows_of_margin(2)
    masked = nn.Sequential(Rounded(0.01), linear())
    settings = {"attack": "pgd", "random_state": 0}
    small, large = (
        adversarial_accuracy({"m": masked}, rows, y, epsilon=e, **settings).rows[0]
        for e in (0.5, 10.0)
    )
    assert small["no_gradient"] == large["no_gradient"] == 0  # it has one, and a wrong one
    assert small["accuracy"] > 0.7 and large["accuracy"] > 0.7
    honest = adversarial_accuracy({"m": linear()}, rows, y, epsilon=10.0, **settings).rows[0]
    assert honest["accuracy"] == 0
    honest = adversarial_accuracy({"m": even}, X, Y % 2, epsilon=1.0, bounds=(0, 1), **settings)
    assert honest.rows[0]["accuracy"] < 0.1


def test_a_model_that_is_asked_about_rows_that_did_not_move_says_so_too():
    rows, y, _ = rows_of_margin(30)
    models = {"m": linear(nn.Sigmoid()), "f": lambda X: np.eye(2)[(X @ WEIGHT > 0).astype(int)]}
    with pytest.warns(DistillationWarning):
        own, other = adversarial_accuracy(models, rows, y, epsilon=30 / NORM).rows
    assert (other["model"], other["attacked"]) == ("f", "m")
    assert other["no_gradient"] == own["no_gradient"] > 0.2


class Distance(nn.Module):
    """Its gradient at the origin is 0 / 0."""

    def forward(self, X):
        return (X**2).sum(dim=1, keepdim=True).sqrt() - 1


def test_a_gradient_of_nan_is_refused():
    rows = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    with pytest.raises(
        ValueError, match=r"'m' has a gradient of NaN for 1 of 3 rows.*\[0.0, 0.0\]"
    ):
        adversarial_accuracy({"m": Distance()}, rows, [0, 1, 1])
