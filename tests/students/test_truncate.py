"""Students cut from the beginning of their teacher."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from skdistill.exceptions import StudentError
from skdistill.students import (
    MLP,
    ConvNet,
    TabularMLP,
    layer_names,
    truncate,
)


class Vgg(nn.Module):
    """Two blocks of convolutions and two linear layers, with steps that are no layers."""

    def __init__(self, pool=2):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(pool)),
            *(nn.Conv2d(6, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU(inplace=True)),
        )
        self.hidden = nn.Linear(8 * 16, 10)
        self.norm = nn.BatchNorm1d(10)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(10, 4)

    def forward(self, X):
        X = X.unsqueeze(1)
        X = torch.flatten(self.features(X), 1)
        X = self.dropout(F.relu(self.norm(self.hidden(X))))
        return self.head(X)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(5, 6)
        self.inner = nn.Linear(6, 6)
        self.act = nn.ReLU()
        self.head = nn.Linear(6, 3)

    def forward(self, X):
        X = self.act(self.stem(X))
        return self.head(X + torch.tanh(self.inner(X)))


class Forward(nn.Module):
    """Layers by name, and any forward pass over them."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, X):
        return self.run(self, X)


def ready(make, *args, **kwargs):
    """Make a module with lived-in batch norms, in evaluation mode, moving no global state."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = make(*args, **kwargs)
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.affine:
                for values in (layer.weight, layer.running_var):
                    values.data.uniform_(0.5, 2)
                for values in (layer.bias, layer.running_mean):
                    values.data.normal_()
    return module.eval()


def rows(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def same_weights(first, second):
    a, b = first.state_dict(), second.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


CHAINS = {
    "mlp": (lambda: MLP(5, 3, hidden_units=(8, 7, 6), dropout=0.2), rows(9, 5)),
    "vgg": (Vgg, rows(9, 8, 8)),
    "convnet": (lambda: ConvNet(2, 3, size="medium"), rows(4, 2, 9, 8)),
    "conv1d": (
        lambda: nn.Sequential(
            *(nn.Conv1d(2, 6, 3), nn.BatchNorm1d(6), nn.GELU(), nn.AvgPool1d(2), nn.Flatten()),
            *(nn.BatchNorm1d(6 * 4), nn.Linear(6 * 4, 5), nn.ELU(), nn.Linear(5, 3)),
        ),
        rows(4, 2, 10),
    ),
    "functions": (
        lambda: Forward(
            lambda m, X: m.b(
                m.a(F.max_pool2d(m.conv(X / 255).relu(), 2)).sigmoid().mean(dim=(2, 3))
            ).log_softmax(1),
            conv=nn.Conv2d(3, 6, 3),
            a=nn.Conv2d(6, 4, 1),
            b=nn.Linear(4, 3),
        ),
        rows(4, 3, 9, 9),
    ),
    "view": (
        lambda: Forward(
            lambda m, X: m.b((lambda Z: Z.view(Z.size(0), -1))(m.a(X))),
            a=nn.Conv2d(1, 6, 3),
            b=nn.Linear(24, 3),
        ),
        rows(4, 1, 4, 4),
    ),
    "tabular": (
        lambda: TabularMLP(5, 3, n_numeric=3, cardinalities=(4,), hidden_units=(8, 6)),
        torch.cat([rows(9, 4), torch.arange(9.0)[:, None] % 4], dim=1),
    ),
    "in front": (
        lambda: nn.Sequential(
            *(nn.LayerNorm(5), nn.Softmax(1), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)),
        ),
        rows(4, 5),
    ),
}


# Truncate


def part(module, upto, X):
    """Return what a layer gives, by a hook."""
    seen = []
    layer = module.get_submodule(upto)
    handle = layer.register_forward_hook(lambda _, args, result: seen.append(result.clone()))
    module(X)
    handle.remove()
    return seen[0]


@pytest.mark.parametrize(
    ("make", "X", "upto", "width"),
    [
        (Vgg, rows(5, 8, 8), "features.2", 6),
        (Vgg, rows(5, 8, 8), "features.3", 6),
        (Vgg, rows(5, 8, 8), "features.4", 8),
        (Vgg, rows(5, 8, 8), "hidden", 10),
        (Vgg, rows(5, 8, 8), "dropout", 10),
        (Residual, rows(5, 5), "act", 6),
        (Residual, rows(5, 5), "inner", 6),
        (lambda: MLP(5, 3, hidden_units=(8, 7)), rows(5, 5), "1", 8),
        (lambda: ConvNet(2, 3), rows(5, 2, 9, 9), "7", 32),
        (CHAINS["conv1d"][0], rows(5, 2, 10), "4", 24),  # read off the layer after it
        (CHAINS["conv1d"][0], rows(5, 2, 10), "3", 6),
        (lambda: nn.Sequential(ready(Residual), nn.Linear(3, 2)), rows(5, 5), "0", 3),
        (lambda: nn.Sequential(ready(Residual), nn.Linear(3, 2)), rows(5, 5), "0.act", 6),
    ],
)
def test_the_body_gives_what_the_layer_gives(make, X, upto, width):
    teacher = ready(make)
    before = copy.deepcopy(teacher)
    student = truncate(teacher, upto, pool=2)
    assert same_weights(teacher, before)
    expected = part(teacher, upto, X)
    assert torch.equal(student.body(X), expected)
    n_axes = expected.ndim - 2
    assert student.head.in_features == width * 2**n_axes
    last = [m for m in teacher.modules() if isinstance(m, nn.Linear)][-1]
    assert student(X).shape == (5, last.out_features)
    if n_axes:
        pool = F.adaptive_avg_pool1d if n_axes == 1 else F.adaptive_avg_pool2d
        expected = pool(expected, 2).flatten(1)
    student.head.weight.data.fill_(1.0)
    torch.testing.assert_close(student(X)[:, 0], expected.sum(dim=1), rtol=1e-4, atol=1e-4)
    student.norm.train()
    found = student.norm(expected)
    torch.testing.assert_close(found.mean(dim=0), torch.zeros(found.shape[1]))
    kept = student.body.state_dict()
    assert kept.keys() < teacher.state_dict().keys()
    student.body.get_parameter(next(iter(kept))).data.zero_()
    assert same_weights(teacher, before)


def test_a_block_with_a_sum_at_its_end():
    def make():
        block = Forward(lambda m, X: X + m.a(X), a=nn.Linear(5, 5))
        return nn.Sequential(nn.Linear(5, 5), block, nn.Tanh(), nn.Linear(5, 2))

    teacher = ready(make)
    student = truncate(teacher, "1")
    X = rows(4, 5)
    assert torch.equal(student.body(X), part(teacher, "1", X))
    assert list(layer_names(student.body)) == ["0", "1", "1.a"]


def test_an_activation_that_a_block_calls_twice_is_no_second_call_of_the_block():
    def make():
        block = Forward(
            lambda m, X: m.relu(m.b(m.relu(m.a(X))) + X),
            a=nn.Linear(5, 5),
            b=nn.Linear(5, 5),
            relu=nn.ReLU(),
        )
        return nn.Sequential(nn.Linear(5, 5), block, nn.Linear(5, 2))

    teacher = ready(make)
    X = rows(4, 5)
    assert torch.equal(truncate(teacher, "1").body(X), part(teacher, "1", X))


def test_the_head_starts_at_zero_and_the_number_of_classes_is_given():
    student = truncate(ready(Vgg), "features.2", n_classes=7)
    assert not student(rows(3, 8, 8)).any()
    assert student.head.out_features == 7
    assert student.head.in_features == 6 * 16
    names = [name for name, _ in student.named_children()]
    assert names == ["body", "pool", "flatten", "norm", "head"]
    names = [name for name, _ in truncate(ready(Vgg), "hidden").named_children()]
    assert names == ["body", "norm", "head"]


def test_dropout_and_batch_norm_of_the_body_are_those_of_training_in_training():
    teacher = ready(Vgg)
    body = truncate(teacher, "dropout").train().body
    with torch.random.fork_rng():
        assert (body(rows(20, 8, 8)) == 0).float().mean() > 0.5
    assert not torch.equal(body.norm.running_mean, teacher.norm.running_mean)
    assert not truncate(teacher, "dropout").eval().body.dropout.training


CANNOT_BE_CUT = {
    "called twice": (
        lambda: Forward(lambda m, X: m.b(m.a(m.a(X))), a=nn.Linear(4, 4), b=nn.Linear(4, 2)),
        "a",
        "is called 2 times",
    ),
    "block called twice": (
        lambda: Forward(
            lambda m, X: m.b(m.a(m.a(X))),
            a=nn.Sequential(nn.Linear(4, 4), nn.ReLU()),
            b=nn.Linear(4, 2),
        ),
        "a",
        "is called 2 times",
    ),
    "never called": (
        lambda: Forward(lambda m, X: m.b(X), a=nn.Linear(4, 4), b=nn.Linear(4, 2)),
        "a",
        "hands on 0 values",
    ),
    "several results": (
        lambda: Forward(
            lambda m, X: m.b(sum(m.a(X))),
            a=Forward(lambda m, X: (m.c(X), m.d(X)), c=nn.Linear(4, 4), d=nn.Linear(4, 4)),
            b=nn.Linear(4, 2),
        ),
        "a",
        "hands on 2 values",
    ),
    "unknown width": (
        lambda: nn.Sequential(nn.Linear(4, 4), nn.Unflatten(1, (2, 2)), nn.Flatten(), nn.Tanh()),
        "1",
        "number of units after '1' cannot be read",
    ),
    "no classes": (
        lambda: nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3), nn.Softmax(1)),
        "1",
        r"number of classes cannot be read.*n_classes=10",
    ),
    "functional dropout": (
        lambda: Forward(
            lambda m, X: m.b(F.dropout(m.a(X), 0.5, m.training)),
            a=nn.Sequential(nn.Linear(4, 4)),
            b=nn.Linear(4, 2),
        ),
        "b",
        r"calls 'dropout' with training=True.*torch.nn.Dropout",
    ),
    "decision": (
        lambda: Forward(lambda m, X: m.a(X) if X.sum() > 0 else X, a=nn.Linear(4, 4)),
        "a",
        "cannot be truncated.*torch.fx",
    ),
}


@pytest.mark.parametrize("name", CANNOT_BE_CUT)
def test_what_cannot_be_truncated_is_refused(name):
    make, upto, message = CANNOT_BE_CUT[name]
    with pytest.raises(StudentError, match=message):
        truncate(ready(make), upto)


def test_a_grid_without_cells_is_refused():
    with pytest.raises(ValueError, match=r"'pool' parameter of truncate.*Got 0 instead"):
        truncate(ready(Vgg), "features", pool=0)
