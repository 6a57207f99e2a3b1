"""Views and hidden layers for students of numbers, beside loops by hand."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetRegressor
from torch import nn

from skdistill import DistilledRegressor, StudentNetRegressor
from skdistill.exceptions import TeacherError
from skdistill.losses import HintLoss, SimilarityLoss, similarity_distance
from skdistill.students import ImagePreprocessor
from skdistill.targets import teacher_targets
from skdistill.training._views import _mix_numbers
from skdistill.transfer import Mixup, View

pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")

digits = load_digits()
X = (digits.images[:120] / 16.0).astype(np.float32)
Y = 40.0 + 7.0 * digits.target[:120]
TWO = np.column_stack([Y, -Y])
WEIGHT = np.random.default_rng(0).uniform(0.5, 1.5, size=len(X))


@pytest.fixture(autouse=True)
def own_generator():
    """Nets on their own read torch's generator: seed it, and put it back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


class Flat(nn.Sequential):
    """Two layers for images, their weights from a seed of their own."""

    def __init__(self, n_out=1, width=6, seed=0, shift=0.0):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            layers = nn.Flatten(), nn.Linear(64, width), nn.Tanh(), nn.Linear(width, n_out)
            super().__init__(*layers)
        with torch.no_grad():
            self[3].bias += shift


class Nothing(View):
    """A view that draws and changes nothing."""

    def draw(self, n_rows, generator=None):
        return ()

    def apply(self, rows, *drawn):
        return rows


def own(module=None, **settings):
    """A net of one batch an epoch, in double precision, that holds nothing back."""
    settings = {"max_epochs": 5, "batch_size": -1, "dtype": "float64", **settings}
    module = Flat() if module is None else module
    return StudentNetRegressor(module, train_split=None, callbacks__schedule=None, **settings)


def distil(teacher, student=None, y=Y, **settings):
    student = own(views=Nothing()) if student is None else student
    model = DistilledRegressor(teacher, student, random_state=0, **settings)
    return model.fit(X, y, sample_weight=WEIGHT)


def fitted_net():
    return own(Flat(seed=5), max_epochs=20, lr=0.01).fit(X, Y)


TEACHERS = {
    "module": lambda: Flat(seed=1, shift=70.0),
    "double and frozen": lambda: FrozenEstimator(Flat(seed=1, shift=70.0).double()),
    "net": fitted_net,
    "pipeline": lambda: make_pipeline(ImagePreprocessor(), own(Flat(seed=5))).fit(X, Y),
    "distilled": lambda: DistilledRegressor(None, own(Flat(seed=5)), alpha=0).fit(X, Y),
    "skorch": lambda: NeuralNetRegressor(
        Flat(seed=1, shift=70.0), max_epochs=1, verbose=0, train_split=None
    ).fit(X, np.float32(Y[:, None])),
}


@pytest.mark.parametrize("name", TEACHERS)
def test_a_view_that_changes_nothing_is_the_training_without(name):
    teacher = TEACHERS[name]()
    with_view, without = distil(teacher, alpha=0.7), distil(teacher, own(), alpha=0.7)
    plain = distil(None, own(), alpha=0)
    np.testing.assert_allclose(with_view.predict(X), without.predict(X), rtol=1e-6)
    assert np.abs(plain.predict(X) - without.predict(X)).max() > 0.01


def test_several_outputs_have_views_and_a_teacher_of_fewer_is_refused():
    teacher, student = Flat(2, seed=1, shift=70.0), own(Flat(2), views=Nothing())
    with_view, without = distil(teacher, student, TWO), distil(teacher, own(Flat(2)), TWO)
    np.testing.assert_allclose(with_view.predict(X), without.predict(X), rtol=1e-6)
    with pytest.raises(TeacherError, match=r"\(120, 1\) .*expected \(120, 2\)"):
        distil(Flat(1), student, TWO)


def test_mixed_numbers_pull_like_both_numbers():
    weight, share = torch.tensor([0.0, 1.0, 2.0, 1.0, 1.0]), torch.rand(5)
    y, t, partner = torch.randn(5, 2), torch.randn(5, 2), torch.tensor([1, 0, 3, 4, 2])
    packed = {"target": y, "teacher_target": t, "hard_weight": weight, "soft_weight": weight}
    _mix_numbers(packed, share, partner, answered=False)
    values = torch.randn(5, 2, requires_grad=True)

    def gradient(loss):
        return torch.autograd.grad(loss.sum(), values)[0]

    for name, given, of in (("target", y, "hard_weight"), ("teacher_target", t, "soft_weight")):
        mixed = packed[of][:, None] * (values - packed[name]).square()
        first = (share * weight)[:, None] * (values - given).square()
        second = ((1 - share) * weight[partner])[:, None] * (values - given[partner]).square()
        torch.testing.assert_close(gradient(mixed), gradient(first + second))


def test_mixup_of_numbers_is_that_of_a_loop_by_hand():
    drawn = []

    class Watched(Mixup):
        def draw(self, n_rows, generator=None):
            drawn.append(super().draw(n_rows, generator))
            return drawn[-1]

    teacher, start = Flat(seed=1, shift=70.0), Flat(seed=3)
    student = own(start, views=Watched(), optimizer=torch.optim.SGD, lr=0.1)
    model = DistilledRegressor(teacher, student, alpha=0.4, random_state=0).fit(X, Y)
    module, rows = Flat(seed=3).double(), torch.from_numpy(X).double()
    y = torch.from_numpy((Y - Y.mean()) / Y.std())[:, None]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    order = model.student_.history_[:, "train_loss"]
    assert len(drawn) >= len(order) == 5
    seed = int(np.random.RandomState(0).randint(2**31 - 1, size=3)[2])
    losses, order_of_rows = [], torch.Generator().manual_seed(seed)
    for share, partner in drawn[-5:]:
        # The order of a batch of all rows changes no mean, but decides who is whose partner.
        permutation = torch.randperm(len(X), generator=order_of_rows)
        batch, labels = rows[permutation], y[permutation]
        share = share.double()
        mixed = share[:, None, None] * batch + (1 - share)[:, None, None] * batch[partner]
        target = share[:, None] * labels + (1 - share)[:, None] * labels[partner]
        with torch.no_grad():
            told = (teacher(mixed.float()).double() - Y.mean()) / Y.std()
        values = module(mixed)
        loss = 0.6 * (values - target).square().mean() + 0.4 * (values - told).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(order, losses, rtol=1e-5)


def test_hidden_layers_of_a_teacher_of_numbers():
    teacher, losses = fitted_net().module_, [SimilarityLoss("1", "1", weight=50.0)]
    student = own(Flat(seed=3), optimizer=torch.optim.SGD, lr=0.1)
    model = DistilledRegressor(teacher, student, alpha=0.4, feature_losses=losses, random_state=0)
    model.fit(X, Y)
    module, rows = Flat(seed=3).double(), torch.from_numpy(X).double()
    y = torch.from_numpy((Y - Y.mean()) / Y.std())[:, None]
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    with torch.no_grad():
        told = (teacher(rows) - Y.mean()) / Y.std()
        wanted = teacher[1](rows.flatten(1))
    for _ in range(5):
        values = module(rows)
        loss = 0.6 * (values - y).square().mean() + 0.4 * (values - told).square().mean()
        loss = loss + 50.0 * similarity_distance(module[1](rows.flatten(1)), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    expected = module(rows).detach().numpy()[:, 0] * Y.std() + Y.mean()
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


def test_targets_with_layers_stand_for_the_teacher():
    losses = [HintLoss("1", "1", weight=1.0)]
    model = DistilledRegressor(
        Flat(seed=1, shift=70.0), own(), feature_losses=losses, random_state=0
    )
    targets = teacher_targets(model.teacher, X, Y, task="numbers", layers=["1"])
    alone = clone(model).set_params(teacher=None).fit(X, Y, soft_targets=targets)
    np.testing.assert_array_equal(alone.predict(X), model.fit(X, Y).predict(X))
    without = clone(model).set_params(feature_losses=None).fit(X, Y)
    assert np.abs(without.predict(X) - model.predict(X)).max() > 1e-3
