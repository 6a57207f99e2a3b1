"""What the tests of losses share: the loss that a net learns with."""

import numpy as np
import pytest
from skorch.callbacks import Callback

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.students import MLP

X = np.random.default_rng(0).normal(size=(6, 3))


class KeepLoss(Callback):
    """Keeps the loss of the criterion while a net learns."""

    def on_train_begin(self, net, **kwargs):
        self.loss = net.criterion_.loss


def learn(model, net, y, loss, **given):
    student = net(
        MLP,
        module__hidden_units=(),
        max_epochs=1,
        train_split=None,
        callbacks=[("keep", KeepLoss())],
    )
    model = model(student=student, loss=loss, random_state=0).fit(X, y, **given)
    return dict(model.student_.callbacks_)["keep"].loss


@pytest.fixture
def loss_of_classes():
    """Return a function that fits with a loss, and says which one the net of classes met."""
    y, answers = np.arange(6) % 3, np.full((6, 3), 1 / 3)
    return lambda loss: learn(DistilledClassifier, StudentNet, y, loss, soft_targets=answers)


@pytest.fixture
def loss_of_numbers():
    """Return a function that fits with a loss, and says which one the net of numbers met."""
    y = X[:, 0]
    return lambda loss: learn(DistilledRegressor, StudentNetRegressor, y, loss, soft_targets=y)
