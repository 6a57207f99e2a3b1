"""Students that are grown, bounded and factorized: all start from weights of their teacher."""

import copy

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import load, save, to_onnx
from skdistill.exceptions import StudentError
from skdistill.students import (
    MLP,
    ConvNet,
    SparseMLP,
    TabularMLP,
    factorize,
    grow,
    shrink,
    truncate,
    weight_norms,
)
from skdistill.training import NormBound

pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")

DIGITS = load_digits()
X, Y = DIGITS.data[:120] / 16, DIGITS.target[:120] % 3
IMAGES = DIGITS.images[:120, None] / 16


def ready(make, *args, **kwargs):
    """Make a module with lived-in batch norms, in evaluation mode, moving no global state."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return lived_in(make(*args, **kwargs))


def lived_in(module):
    """Fill a module with drawn numbers."""
    generator = torch.Generator().manual_seed(len(list(module.parameters())))
    for name, values in module.state_dict().items():
        if name.endswith("running_var"):
            values.uniform_(0.5, 2, generator=generator)
        elif values.is_floating_point():
            values.normal_(0, 0.5, generator=generator)
    return module.eval()


def rows(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


CODES = torch.cat([rows(9, 4), torch.arange(9.0)[:, None] % 4], dim=1)
CHAINS = {
    "mlp": (lambda: MLP(5, 3, hidden_units=(8, 7, 6)), rows(9, 5)),
    "sparse": (lambda: SparseMLP(5, 3, hidden_units=(8, 6)), rows(9, 5)),
    "convnet": (lambda: ConvNet(2, 3, size="medium"), rows(4, 2, 9, 8)),
    "flattened": (
        lambda: nn.Sequential(
            *(nn.Conv1d(2, 6, 3), nn.BatchNorm1d(6), nn.GELU(), nn.AvgPool1d(2), nn.Flatten()),
            *(nn.BatchNorm1d(6 * 4), nn.Linear(6 * 4, 5), nn.ELU(), nn.Linear(5, 3)),
        ),
        rows(4, 2, 10),
    ),
    "tabular": (
        lambda: TabularMLP(5, 3, n_numeric=3, cardinalities=(4,), hidden_units=(8, 6)),
        CODES,
    ),
}

# Growing


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("width", [0.3, 0.5, 1.0])
def test_a_grown_student_answers_as_before_and_has_the_teachers_other_units(name, width):
    make, X = CHAINS[name]
    teacher = ready(make)
    before = copy.deepcopy(teacher.state_dict())
    student = lived_in(shrink(teacher, width))  # all its weights are others now
    grown = grow(student, teacher)
    torch.testing.assert_close(grown.double()(X.double()), student.double()(X.double()))
    shapes = {name: values.shape for name, values in before.items()}
    assert {name: values.shape for name, values in grown.state_dict().items()} == shapes
    again = shrink(grown, 1.0)
    assert grown is not again and type(grown) is type(teacher)
    assert all(torch.equal(before[name], values) for name, values in teacher.state_dict().items())


def test_the_units_that_come_back_are_those_of_the_teacher():
    teacher = ready(MLP, 5, 3, hidden_units=(4, 4))
    with torch.no_grad():
        for layer, strengths in ((teacher[0], (3, 1, 4, 2)), (teacher[2], (1, 9, 8, 2))):
            layer.weight.copy_(torch.tensor(strengths)[:, None] * torch.ones_like(layer.weight))
    student = lived_in(shrink(teacher, 0.5))  # units 0 and 2, then 1 and 2
    grown = grow(student, teacher)
    torch.testing.assert_close(grown[0].weight[[1, 3]], teacher[0].weight[[1, 3]])
    torch.testing.assert_close(grown[0].weight[[0, 2]], student[0].weight)
    torch.testing.assert_close(grown[2].weight[[0, 3]], teacher[2].weight[[0, 3]])
    torch.testing.assert_close(grown[2].weight[1:3][:, [0, 2]], student[2].weight)
    assert not grown[2].weight[1:3][:, [1, 3]].any()
    assert not grown[4].weight[:, [0, 3]].any()


def test_growing_by_rounds_trains_the_strongest_units_first():
    teacher = ready(MLP, 64, 3, hidden_units=(16,))
    half = shrink(teacher, 0.5)
    student = shrink(half, 0.5)
    for larger in (half, teacher):
        net = StudentNet(student, max_epochs=2)
        fitted = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, Y).student_
        student = grow(fitted.module_, larger)
    assert student[0].out_features == 16


# Norms


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
def test_a_bound_holds_as_in_a_loop_by_hand(optimizer):
    teacher = ready(MLP, 64, 3, hidden_units=(8,)).double()
    bounds = {name: 0.4 * weight.norm() for name, weight in teacher.named_parameters()}
    settings = {"lr": 0.2, "optimizer": optimizer, "optimizer__weight_decay": 0.0}
    net = StudentNet(
        shrink(teacher, 0.5),
        **settings,
        dtype="float64",
        batch_size=-1,
        max_epochs=4,
        train_split=None,
        callbacks=[NormBound(weight_norms(teacher), factor=0.4)],
        callbacks__schedule=None,
        callbacks__calibrate=None,
    )
    found = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, Y).student_.module_
    module = shrink(teacher, 0.5).train()
    steps = optimizer(module.parameters(), lr=0.2, weight_decay=0.0)
    for _ in range(4):
        steps.zero_grad()
        F.cross_entropy(module(torch.tensor(X)), torch.tensor(Y)).backward()
        steps.step()
        with torch.no_grad():
            for name, weight in module.named_parameters():
                if weight.ndim == 2 and weight.norm() > bounds[name]:
                    weight *= bounds[name] / weight.norm()
    for name, weight in module.named_parameters():
        torch.testing.assert_close(found.get_parameter(name), weight, rtol=1e-9, atol=1e-12)
    held = [norm / bounds[name].item() for name, norm in weight_norms(found).items()]
    assert max(held) == pytest.approx(1)


def test_a_truncated_student_is_bounded_by_its_body():
    teacher = ready(MLP, 64, 3, hidden_units=(16, 16))
    norms = weight_norms(teacher)
    student = StudentNet(
        truncate(teacher, "1"), lr=0.1, max_epochs=3, callbacks=[NormBound(norms, 0.5)]
    )
    module = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, Y).student_
    found = weight_norms(module.module_)
    assert found["body.0.weight"] <= 0.5001 * norms["0.weight"]
    assert found["head.weight"] > 0


# Factors


class Maps(nn.Module):
    """Two convolutions with settings of every kind, and two linear layers."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(
            6, 9, (3, 2), stride=2, padding=1, dilation=(1, 2), padding_mode="circular"
        )
        self.second = nn.Conv2d(9, 8, 3, bias=False)
        self.hidden = nn.Linear(8, 6, bias=False)
        self.head = nn.Linear(6, 3)

    def forward(self, X):
        X = torch.tanh(self.second(torch.tanh(self.first(X)))).mean(dim=(2, 3))
        return self.head(torch.tanh(self.hidden(X)))


def of_low_rank(weight, rank):
    u, s, vh = np.linalg.svd(weight.detach().numpy().reshape(len(weight), -1))
    return ((u[:, :rank] * s[:rank]) @ vh[:rank]).reshape(weight.shape)


def of_depthwise(weight):
    parts = []
    for channel in weight.detach().numpy().swapaxes(0, 1):
        u, s, vh = np.linalg.svd(channel.reshape(len(channel), -1), full_matrices=False)
        parts.append((s[0] * np.outer(u[:, 0], vh[0])).reshape(channel.shape))
    return np.stack(parts, axis=1)


@pytest.mark.parametrize("kind", ["low-rank", "depthwise"])
def test_two_layers_are_the_best_that_numpy_finds(kind):
    teacher, X = ready(Maps).double(), rows(4, 6, 9, 9).double()
    student, expected = factorize(teacher, rank=2, kind=kind), copy.deepcopy(teacher)
    with torch.no_grad():
        for layer in (expected.first, expected.second):
            best = (
                of_low_rank(layer.weight, 2) if kind == "low-rank" else of_depthwise(layer.weight)
            )
            layer.weight.copy_(torch.tensor(best))
        expected.hidden.weight.copy_(torch.tensor(of_low_rank(expected.hidden.weight, 2)))
    torch.testing.assert_close(student(X), expected(X))
    assert isinstance(student.head, nn.Linear)  # the answers keep their rank
    assert student.first[0].groups == (1 if kind == "low-rank" else 6)
    assert not student.training


@pytest.mark.parametrize("rank", [1.0, 100])
def test_of_full_rank_nothing_is_lost_or_nothing_is_won(rank):
    teacher = ready(MLP, 6, 2, hidden_units=(40,))
    with pytest.raises(StudentError, match=r"no linear or convolutional layer .* fewer weights"):
        factorize(teacher, rank)


def test_a_share_is_one_of_the_full_rank():
    student = factorize(ready(MLP, 64, 30, hidden_units=(40, 30)), rank=0.25)
    assert [student[0][0].out_features, student[2][0].out_features] == [10, 8]  # of 40, of 30
    assert isinstance(student[4], nn.Linear)


def test_a_factorized_student_learns_and_is_shipped(tmp_path):
    teacher = ready(ConvNet, 1, 3, size="tiny")
    for kind in ("low-rank", "depthwise"):
        module = factorize(teacher, rank=0.5, kind=kind)
        net = StudentNet(module, max_epochs=2)
        model = DistilledClassifier(teacher, net, random_state=0).fit(IMAGES, Y)
        expected = model.predict_proba(IMAGES)
        again = load(save(model, tmp_path / "student.safetensors"))
        np.testing.assert_allclose(again.predict_proba(IMAGES), expected, atol=1e-6)
        assert to_onnx(model, tmp_path / "student.onnx").exists()
    frozen = ready(MLP, 64, 3, hidden_units=(40,)).requires_grad_(False)
    assert not any(weight.requires_grad for weight in factorize(frozen, 2).parameters())


def shared():
    layer = nn.Linear(9, 9)
    return nn.Sequential(layer, nn.ReLU(), layer)


def bounded(norms, factor=1.0):
    net = StudentNet(MLP, callbacks=[NormBound(norms, factor)], max_epochs=1)
    return lambda: DistilledClassifier(student=net, alpha=0).fit(X, Y)


SMALL = ready(MLP, 9, 3, hidden_units=(8,))
REFUSED = {
    "another teacher": (
        StudentError,
        lambda: grow(shrink(SMALL), ready(MLP, 8, 3, hidden_units=(8,))),
        "no cut of MLP: '0.weight' has the shape .4, 9.; expected .4, 8.*Give what",
    ),
    "other layers": (
        StudentError,
        lambda: grow(shrink(SMALL), ready(MLP, 9, 3, hidden_units=(8, 8))),
        "no cut of MLP.*expected.*Give what",
    ),
    "more units than the teacher": (
        StudentError,
        lambda: grow(ready(MLP, 9, 3, hidden_units=(9,)), SMALL),
        "no cut of MLP.*has the shape .9.*expected .8",
    ),
    "no student": (StudentError, lambda: grow(X, SMALL), "Expected a torch.nn.Module"),
    "no teacher": (StudentError, lambda: grow(SMALL, None), "Expected a torch.nn.Module"),
    "norms of nothing": (StudentError, lambda: weight_norms(X), "Expected a torch.nn.Module"),
    "no bound": (StudentError, bounded({}), "cannot be made.*norms of NormBound: {}; expected a"),
    "a teacher for its norms": (StudentError, bounded(SMALL), "norms of .*: MLP; expected a dict"),
    "norms in words": (StudentError, bounded({"0.weight": "a"}), "'a'}; expected a dict of finite"),
    "a bound of 0": (StudentError, bounded({"0.weight": 1.0}, 0), "factor=0 of .*above 0"),
    "a bound in words": (StudentError, bounded({"0.weight": 1.0}, "1"), "factor='1' of .*above 0"),
    "norms of another net": (
        StudentError,
        bounded({"body": 1.0}),
        r"norms of \['body'\].*has the weights.*expected one.*Give weight_norms",
    ),
    "nothing to factorize": (
        StudentError,
        lambda: factorize(ready(nn.Sequential, nn.ReLU(), SMALL[2]), 3),
        "Sequential cannot be factorized.*fewer weights; expected one.*Lower the rank",
    ),
    "a layer that is in no module": (
        StudentError,
        lambda: factorize(ready(nn.Linear, 9, 9), 1),
        "Linear cannot be factorized.*expected one.*Lower the rank",
    ),
    "two places": (
        StudentError,
        lambda: factorize(ready(shared), 1),
        "the layer '2' is '0' too; expected a layer of its own in each place",
    ),
    "its weight is computed": (
        StudentError,
        lambda: factorize(nn.Sequential(parametrizations.weight_norm(ready(nn.Linear, 9, 9))), 1),
        "cannot be factorized.*fewer weights; expected one",
    ),
    "rank 0": (ValueError, lambda: factorize(SMALL, 0), "'rank' parameter of factorize must be"),
    "rank 1.5": (ValueError, lambda: factorize(SMALL, 1.5), "'rank' parameter .*Got 1.5 instead"),
    "kind": (
        ValueError,
        lambda: factorize(SMALL, kind="cp"),
        "'kind' parameter of factorize must be a str among.*Got 'cp' instead",
    ),
    "no module": (StudentError, lambda: factorize(X), "Expected a torch.nn.Module"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
