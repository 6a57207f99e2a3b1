"""What others have written and draws from torch's own generator: it repeats, and leaves no trace.

The fixture `global_rng_untouched` fails a test that moves that generator.
"""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import RandomSampler, WeightedRandomSampler

from skdistill import DistilledClassifier, StudentNet
from skdistill.losses import HintLoss
from skdistill.students import MLP

X, Y = make_classification(120, 6, n_informative=4, n_classes=3, random_state=0)


def module(*first):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(*first, nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def hooked():
    own = module()
    own[0].register_forward_hook(lambda layer, rows, out: out + 0.1 * torch.randn(out.shape))
    return own


class Noisy(nn.Module):
    """Draws in evaluation mode too, and so in the first look at a module."""

    def __init__(self):
        super().__init__()
        self.layers = module()

    def forward(self, rows):
        return (
            self.layers(rows) + 0.1 * torch.rand(len(rows), 3) * self.training + torch.rand(1) * 0
        )


class NoisyHint(HintLoss):
    """A distance between layers that draws."""

    def mean(self, *given):
        return super().mean(*given) * torch.rand(())


def images():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Unflatten(1, (1, 2, 3)), nn.FractionalMaxPool2d(1, output_size=2), nn.Flatten(),
            nn.Linear(4, 3),
        )  # fmt: skip


WEIGHTED = WeightedRandomSampler(np.linspace(1, 2, 96), 96)
STUDENTS = {
    "weighted sampler": lambda: StudentNet(MLP, iterator_train__sampler=WEIGHTED),
    "random sampler": lambda: StudentNet(MLP, iterator_train__sampler=RandomSampler(range(96))),
    "hook": lambda: StudentNet(hooked()),
    "module": lambda: StudentNet(Noisy()),
}


def fit(student, teacher=None, **settings):
    student.set_params(max_epochs=3, batch_size=32)
    model = DistilledClassifier(teacher, student, random_state=0, device="cpu", **settings)
    return model.fit(X, Y).history_


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_that_draws_elsewhere(name):
    first, again = (fit(STUDENTS[name](), alpha=0) for _ in range(2))
    assert [e["train_loss"] for e in first] == [e["train_loss"] for e in again]


def test_a_pooling_that_draws():
    first, again = (fit(StudentNet(images(), train_split=None), alpha=0) for _ in range(2))
    assert [e["train_loss"] for e in first] == [e["train_loss"] for e in again]


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_a_loss_between_layers_that_draws():
    hints = [NoisyHint("0", "0")]
    first, again = (
        fit(StudentNet(MLP, module__hidden_units=(8,)), module(), feature_losses=hints)
        for _ in range(2)
    )
    assert [e["train_loss"] for e in first] == [e["train_loss"] for e in again]
