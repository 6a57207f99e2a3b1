"""Students cut from their teacher: names, truncate, shrink, freeze."""

import copy
import itertools
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, prune

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import StudentError
from skdistill.students import (
    MLP,
    ConvNet,
    SparseMLP,
    TabularMLP,
    freeze,
    layer_names,
    shrink,
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


# Names


def test_layer_names_lists_layers_and_blocks_with_shapes():
    found = layer_names(ready(Vgg))
    assert list(found)[:3] == ["features", "features.0", "features.1"]
    assert found["features"] == {}
    assert found["features.0"] == {"weight": (6, 1, 3, 3), "bias": (6,)}
    assert found["features.4"] == {"weight": (8, 6, 3, 3)}
    assert found["head"] == {"weight": (4, 10), "bias": (4,)}


@pytest.mark.parametrize(
    "cut", [lambda m, name: truncate(m, name), lambda m, name: freeze(m, ["head", name])]
)
def test_a_wrong_name_suggests_near_ones(cut):
    with pytest.raises(StudentError, match=r"Vgg has no layer 'feature.4'.*'features.4'"):
        cut(ready(Vgg), "feature.4")
    with pytest.raises(StudentError, match=r"no layer 'zzz'.*'features', 'features.0'"):
        cut(ready(Vgg), "zzz")


@pytest.mark.parametrize("cut", [shrink, layer_names, lambda m: truncate(m, "0")])
def test_what_is_no_module_is_refused(cut):
    with pytest.raises(StudentError, match=r"Expected a torch.nn.Module, got StudentNet.*module_"):
        cut(StudentNet())


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


# Shrink


@pytest.mark.parametrize("name", CHAINS)
def test_a_width_of_1_is_the_teacher_bit_for_bit(name):
    make, X = CHAINS[name]
    teacher = ready(make)
    before = copy.deepcopy(teacher.state_dict())
    student = shrink(teacher, 1.0)
    assert type(student) is type(teacher) and not student.training
    assert torch.equal(student(X), teacher(X))
    assert all(torch.equal(before[key], value) for key, value in teacher.state_dict().items())
    assert student.state_dict().keys() == before.keys()


def strongest(layer, n_kept):
    """Rank units one by one, by a loop over their weights."""
    strengths = [float(unit.abs().sum()) for unit in layer.weight.detach()]
    ranked = sorted(range(len(strengths)), key=lambda unit: -strengths[unit])
    return sorted(ranked[:n_kept])


def silence(teacher, width):
    """Return the teacher with the weak units' outgoing weights at 0, and what is kept."""
    teacher = copy.deepcopy(teacher)
    layers = [m for m in teacher.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)]
    kept = []
    for layer, following in itertools.pairwise(layers):
        n_units = len(layer.weight)
        units = strongest(layer, max(1, round(width * n_units)))
        kept.append(units)
        block = following.weight.shape[1] // n_units
        for unit in set(range(n_units)) - set(units):
            following.weight.data[:, unit * block : (unit + 1) * block] = 0
    return teacher, kept


@pytest.mark.parametrize("width", [0.01, 0.3, 0.5])
@pytest.mark.parametrize("name", CHAINS)
def test_what_is_left_is_the_teacher_with_silent_units(name, width):
    make, X = CHAINS[name]
    teacher = ready(make)
    student = shrink(teacher, width)
    silent, kept = silence(teacher, width)
    torch.testing.assert_close(student(X), silent(X), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(silent(X), teacher(X), rtol=1e-3)
    layers = [m for m in student.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)]
    assert [len(layer.weight) for layer in layers[:-1]] == [len(units) for units in kept]


def test_kept_units_are_the_teachers():
    teacher = ready(Vgg)
    student = shrink(teacher, 0.5)
    first, second, hidden = silence(teacher, 0.5)[1]
    found, expected = student.features, teacher.features
    assert torch.equal(found[0].weight, expected[0].weight[first])
    assert torch.equal(found[0].bias, expected[0].bias[first])
    for name in ("weight", "bias", "running_mean", "running_var"):
        assert torch.equal(getattr(found[1], name), getattr(expected[1], name)[first])
    assert torch.equal(found[4].weight, expected[4].weight[second][:, first])
    assert (found[0].out_channels, found[1].num_features, found[4].in_channels) == (3, 3, 3)
    columns = [16 * unit + place for unit in second for place in range(16)]
    assert torch.equal(student.hidden.weight, teacher.hidden.weight[hidden][:, columns])
    assert (student.hidden.in_features, student.hidden.out_features) == (64, 5)
    assert torch.equal(student.head.bias, teacher.head.bias)
    assert student.head.out_features == 4


def test_strong_weights_decide_who_is_kept():
    teacher = ready(MLP, 2, 2, hidden_units=(3,))
    teacher[0].weight.data = torch.tensor([[1.0, -1.0], [0.0, 3.0], [0.5, 0.5]])
    assert shrink(teacher, 0.67)[0].weight.tolist() == [[1.0, -1.0], [0.0, 3.0]]
    assert shrink(teacher, 0.34)[0].weight.tolist() == [[0.0, 3.0]]


def test_the_units_that_read_sparse_rows_are_left_out():
    teacher = ready(SparseMLP, 30, 3, hidden_units=(8,))
    student = shrink(teacher, 0.5)
    first, last = teacher.first, teacher.rest[-1][0]
    kept = np.sort(np.argsort(-first.weight.detach().abs().sum(dim=0).numpy())[:4])
    rows = torch.eye(5, 30)
    hidden = torch.relu(rows @ first.weight[:, kept] + first.bias[kept])
    expected = hidden @ last.weight[:, kept].T + last.bias
    for X in (rows, rows.to_sparse()):
        assert torch.allclose(student(X), expected, atol=1e-6)
    assert student.first.weight.shape == (30, 4)


def test_a_shrunk_module_is_trained_and_shrunk_again():
    teacher = freeze(ready(Vgg), "features.0")
    student = shrink(shrink(teacher, 0.5), 0.5).train()
    assert student.features[0].out_channels == 2
    assert not student.features[0].weight.requires_grad
    with torch.random.fork_rng():
        student(rows(6, 8, 8)).sum().backward()
    assert student.head.weight.grad is not None


def tied():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 2))
    module[2].weight = module[0].weight
    return module


def pruned():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2))
    prune.l1_unstructured(module[0], "weight", 0.5)
    with torch.no_grad():
        module(rows(1, 4))  # computes the weight, now without a gradient
    return module


def chain(*layers, width=6):
    return lambda: nn.Sequential(nn.Linear(4, 6), *layers, nn.Linear(width, 2))


REFUSED = {
    "residual sum": (Residual, "'inner'.*branches meet or part"),
    "branch": (
        lambda: Forward(
            lambda m, X: (lambda Z: torch.cat([m.b(Z), m.c(Z)], 1))(m.a(X)),
            a=nn.Linear(4, 5),
            b=nn.Linear(5, 2),
            c=nn.Linear(5, 2),
        ),
        "'b'.*branches",
    ),
    "towers": (
        lambda: Forward(
            lambda m, X: m.c(m.a(X) * m.b(X)),
            a=nn.Linear(4, 5),
            b=nn.Linear(4, 5),
            c=nn.Linear(5, 2),
        ),
        "'mul'.*branches",
    ),
    "result": (
        lambda: Forward(lambda m, X: (m.a(X), m.b(X)), a=nn.Linear(4, 5), b=nn.Linear(4, 2)),
        "'output'",
    ),
    "called twice": (
        lambda: Forward(lambda m, X: m.b(m.a(m.a(X))), a=nn.Linear(4, 4), b=nn.Linear(4, 2)),
        "'a' is used in several places",
    ),
    "norm called twice": (
        lambda: Forward(
            lambda m, X: m.b(m.n(m.n(m.a(X)))),
            a=nn.Linear(4, 4),
            n=nn.BatchNorm1d(4, affine=False),
            b=nn.Linear(4, 2),
        ),
        "'n' is used in several places",
    ),
    "weight read apart": (
        lambda: Forward(
            lambda m, X: m.b(m.a(X)) @ m.a.weight, a=nn.Linear(4, 4), b=nn.Linear(4, 4)
        ),
        "'a.weight' is used in several places",
    ),
    "tied": (tied, "'2.weight' is used in several places"),
    "pruned": (pruned, "'0'.*computed from others"),
    "parametrized": (
        lambda: nn.Sequential(
            nn.Linear(4, 4), parametrizations.weight_norm(nn.Linear(4, 4)), nn.Linear(4, 2)
        ),
        r"'1' \(ParametrizedLinear\)",
    ),
    "groups": (
        lambda: nn.Sequential(
            *(nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 3, groups=2)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)),
        ),
        "'1'.*groups",
    ),
    "layer norm": (chain(nn.LayerNorm(6)), r"'1' \(LayerNorm\)"),
    "softmax": (chain(nn.Softmax(1)), r"'1' \(Softmax\)"),
    "glu": (chain(nn.GLU(), width=3), r"'1' \(GLU\)"),
    "pooled units": (chain(nn.MaxPool1d(2), width=3), r"'1' \(MaxPool1d\)"),
    "recurrent": (chain(nn.RNNCell(6, 6)), r"'1' \(RNNCell\)"),
    "sequence": (chain(nn.Flatten(), width=18), "'2'.*does not read the 6 units"),
    "places": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 1), nn.Linear(4, 2)),
        "'1'.*does not read the 4",
    ),
    "partly flat": (
        lambda: nn.Sequential(nn.Conv2d(1, 4, 1), nn.Flatten(2), nn.Linear(16, 2)),
        r"'1' \(Flatten\)",
    ),
    "squeezed": (
        lambda: Forward(
            lambda m, X: m.b(m.a(X).squeeze()), a=nn.Conv2d(1, 4, 3), b=nn.Linear(4, 2)
        ),
        "'squeeze'",
    ),
    "numbers in the forward pass": (
        lambda: Forward(
            lambda m, X: m.b(m.a(X).view(-1, 16)), a=nn.Conv2d(1, 4, 2), b=nn.Linear(16, 2)
        ),
        "'view'",
    ),
    "decision": (
        lambda: Forward(
            lambda m, X: m.b(m.a(X)) if X.sum() > 0 else X, a=nn.Linear(4, 4), b=nn.Linear(4, 2)
        ),
        "cannot be followed symbolically by torch.fx.*TraceError",
    ),
    "no hidden layer": (lambda: nn.Linear(4, 2), "0 linear and convolutional layers"),
    "one layer": (lambda: MLP(4, 2, hidden_units=()), "1 linear and convolutional layers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_shrunk_soundly_is_refused(name):
    make, message = REFUSED[name]
    with pytest.raises(StudentError, match=message):
        shrink(ready(make))


@pytest.mark.parametrize("width", [0, -1, 1.5, float("nan")])
def test_a_width_out_of_range_is_refused(width):
    with pytest.raises(ValueError, match=r"'width' parameter of shrink.*\(0.0, 1.0\]"):
        shrink(ready(MLP, 4, 2), width)


# Freeze


def test_frozen_layers_are_not_trained_and_their_statistics_stay():
    teacher = ready(Vgg)
    before = copy.deepcopy(teacher)
    student = freeze(teacher, ["features", "norm"])
    assert same_weights(teacher, before) and all(p.requires_grad for p in teacher.parameters())
    trained = {name for name, p in student.named_parameters() if p.requires_grad}
    assert trained == {"hidden.weight", "hidden.bias", "head.weight", "head.bias"}
    X = rows(5, 8, 8)
    assert torch.equal(student(X), teacher(X))
    student.train()
    with torch.random.fork_rng():
        student(X)
    for name, values in before.named_buffers():
        name = name.replace("features.1", "features.1.norm").replace(
            "features.5", "features.5.norm"
        )
        name = name.replace("norm.run", "norm.norm.run") if name.startswith("norm.run") else name
        if "num_batches" not in name:
            assert torch.equal(student.get_buffer(name), values), name
    assert student.dropout.training and not student.norm.norm.training


def test_freezing_twice_is_freezing_once():
    once = freeze(ready(Vgg), "features")
    assert list(layer_names(freeze(once, ["features", "features.1"]))) == list(layer_names(once))


def test_a_frozen_body_stays_frozen_when_it_is_cut():
    X = rows(5, 8, 8)
    for cut in (lambda m: truncate(m, "features"), lambda m: shrink(m, 1.0)):
        student = cut(freeze(ready(Vgg), "features")).train()
        expected = copy.deepcopy(student.state_dict())
        with torch.random.fork_rng():
            student(X)
        found = {k: v for k, v in student.state_dict().items() if "features" in k}
        assert found and all(torch.equal(expected[name], found[name]) for name in found)
        features = [p for name, p in student.named_parameters() if "features" in name]
        assert features and not any(p.requires_grad for p in features)


# As students


IMAGES = rows(120, 8, 8).numpy()
LABELS = np.arange(120) % 4
IMAGES[np.arange(120), LABELS] += 3


@pytest.fixture(scope="module")
def trained_teacher():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return StudentNet(Vgg(), max_epochs=10, batch_size=16, lr=0.02).fit(IMAGES, LABELS).module_


STUDENTS = {
    "shrunk": lambda teacher: shrink(teacher, 0.5),
    "truncated": lambda teacher: truncate(teacher, "features"),
    "frozen": lambda teacher: freeze(teacher, "features"),
    "frozen and truncated": lambda teacher: freeze(truncate(teacher, "features.6"), "body"),
}


@pytest.mark.parametrize("name", STUDENTS)
def test_cut_students_are_distilled(name, trained_teacher):
    teacher = trained_teacher
    before = copy.deepcopy(teacher)
    module = STUDENTS[name](teacher)
    start = copy.deepcopy(module.state_dict())
    student = StudentNet(module, max_epochs=4, batch_size=16, lr=0.02, train_split=None)
    model = DistilledClassifier(teacher, student, random_state=0).fit(IMAGES, LABELS)
    assert same_weights(teacher, before)
    assert all(torch.equal(start[key], value) for key, value in module.state_dict().items())
    assert model.score(IMAGES, LABELS) > 0.8
    expected = model.predict_proba(IMAGES)
    again = clone(model).fit(IMAGES, LABELS)
    np.testing.assert_array_equal(again.predict_proba(IMAGES), expected)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict_proba(IMAGES), expected)
    for key, parameter in model.student_.module_.named_parameters():
        wanted = dict(module.named_parameters())[key].requires_grad
        assert parameter.requires_grad == wanted
        assert torch.equal(parameter, start[key]) != wanted, key


def test_frozen_statistics_stay_in_a_fit(trained_teacher):
    student = StudentNet(freeze(trained_teacher, "features"), max_epochs=2, batch_size=32)
    model = DistilledClassifier(trained_teacher, student, random_state=0).fit(IMAGES, LABELS)
    found = model.student_.module_.features[1].norm.running_mean
    assert torch.equal(found, trained_teacher.features[1].running_mean)
    assert not torch.equal(
        model.student_.module_.norm.running_mean, trained_teacher.norm.running_mean
    )
