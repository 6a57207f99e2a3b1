"""Students that are several cuts of their teacher and a gate: by classes and by features."""

import copy
import importlib.util
import io
import pickle

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from scipy.special import log_softmax, logsumexp, softmax
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from torch import nn

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledMultilabelClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetMultilabel,
    StudentNetRegressor,
    deployment,
)
from skdistill.__main__ import main
from skdistill.deployment import export, load, save, to_onnx
from skdistill.exceptions import StudentError
from skdistill.students import (
    MLP,
    ConvNet,
    SoftDecisionTree,
    SparseMLP,
    TablePreprocessor,
    TabularMLP,
    freeze,
    shrink,
    split,
)

DIGITS, LABELS = load_digits(return_X_y=True)
X, Y = DIGITS[:200].astype(np.float32) / 16, LABELS[:200]
NUMBERS = X[:, 20:24].sum(axis=1)
GROUPS = [[7, 0, 3], [1, 2, 4, 5], [6, 8, 9]]
COLUMNS = [list(range(40, 64)), list(range(1, 40)), [0]]
KINDS = {"classes": GROUPS, "features": COLUMNS}


def ready(make, *args, **kwargs):
    """Make a module in evaluation mode, moving no global state."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make(*args, **kwargs).eval()


def teacher(n_outputs=10):
    return ready(MLP, 64, n_outputs, hidden_units=(16, 12))


def rows(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def by_hand(mlp, rows):
    """Return what a perceptron answers, by NumPy."""
    layers = [layer for layer in mlp if isinstance(layer, nn.Linear)]
    for i, layer in enumerate(layers):
        rows = rows @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
        rows = np.maximum(rows, 0) if i < len(layers) - 1 else rows
    return rows


# What it answers


def test_log_probabilities_are_those_of_the_group_and_within_it():
    module = split(teacher().double(), GROUPS, width=0.5)
    found = module(torch.tensor(X, dtype=torch.float64)).detach().numpy()
    of_all = log_softmax(by_hand(module.gate, X.astype(float)), axis=1)
    for k, (group, part) in enumerate(zip(GROUPS, module.experts, strict=True)):
        start = sum(map(len, GROUPS[:k]))  # the gate has the classes of a group side by side
        of_group = logsumexp(of_all[:, start : start + len(group)], axis=1)
        within = log_softmax(by_hand(part, X.astype(float)), axis=1)
        for i, label in enumerate(group):
            np.testing.assert_allclose(found[:, label], of_group + within[:, i], rtol=1e-10)
    np.testing.assert_allclose(np.exp(found).sum(axis=1), 1)


def test_outputs_are_the_mean_of_the_parts_by_the_weights_of_the_gate():
    module = split(teacher().double(), COLUMNS, by="features", width=0.5)
    module.gate[-1].weight.data.normal_(generator=torch.Generator().manual_seed(0))
    found = module(torch.tensor(X, dtype=torch.float64)).detach().numpy()
    weights = softmax(by_hand(module.gate, X.astype(float)), axis=1)
    expected = sum(
        weights[:, [k]] * by_hand(part, X[:, group].astype(float))
        for k, (group, part) in enumerate(zip(COLUMNS, module.experts, strict=True))
    )
    np.testing.assert_allclose(found, expected, rtol=1e-10)


# What it begins with

WHOLE = {
    "mlp": (lambda: MLP(5, 7, hidden_units=(8, 6), dropout=0.2), rows(9, 5)),
    "convnet": (lambda: ConvNet(2, 7, size="tiny"), rows(4, 2, 9, 8)),
    "tabular": (
        lambda: TabularMLP(5, 7, n_numeric=3, cardinalities=(4,), hidden_units=(8, 6)),
        torch.cat([rows(9, 4), torch.arange(9.0)[:, None] % 4], dim=1),
    ),
    "sparse": (lambda: SparseMLP(30, 7, hidden_units=(8,)), torch.eye(5, 30).to_sparse()),
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_width_of_1_has_the_probabilities_of_the_teacher(name):
    make, X = WHOLE[name]
    whole = ready(make)
    student = split(whole, [[0, 4], [6, 1], [5, 2, 3]], width=1.0)
    torch.testing.assert_close(student(X), whole(X).log_softmax(dim=1), rtol=1e-5, atol=1e-5)


def test_each_part_is_the_shrunk_teacher_with_the_outputs_of_its_group():
    module, small = split(teacher(), GROUPS), shrink(teacher(), 0.25)
    for group, part in zip(GROUPS, module.experts, strict=True):
        assert torch.equal(part[2].weight, small[2].weight)
        assert torch.equal(part[-1].weight, small[-1].weight[group])
        assert torch.equal(part[-1].bias, small[-1].bias[group])
    assert torch.equal(module.gate[0].weight, small[0].weight)


def test_by_features_parts_read_their_columns_and_count_alike_at_first():
    module = split(teacher(), COLUMNS, by="features", width=1.0)
    means = []
    for group, part in zip(COLUMNS, module.experts, strict=True):
        others = copy.deepcopy(teacher())
        silent = sorted(set(range(64)) - set(group))
        others[0].weight.data[:, silent] = 0
        means.append(others(torch.tensor(X)))
        assert part[0].in_features == len(group)
    torch.testing.assert_close(module(torch.tensor(X)), torch.stack(means).mean(dim=0))


@pytest.mark.parametrize("by", KINDS)
def test_the_teacher_the_mode_and_the_generator_stay(by):
    whole, state = teacher(), torch.random.get_rng_state()
    before = copy.deepcopy(whole.state_dict())
    student = split(whole, 3, by=by)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not student.training and split(whole.train(), 3, by=by).training
    for weight in student.parameters():
        weight.data.zero_()
    assert all(torch.equal(before[name], values) for name, values in whole.state_dict().items())
    trained = [w.requires_grad for w in split(freeze(whole, "0"), 3, by=by).parameters()]
    assert 0 < sum(trained) < len(trained)


# Groups that are found


def test_classes_of_like_weights_are_together():
    whole = teacher()
    kinds = np.array([2, 0, 1, 2, 0, 1, 2, 0, 1, 0])
    directions = torch.eye(12)[:3] * torch.tensor([[3.0], [4.0], [5.0]])
    whole[-1].weight.data = directions[kinds] + 0.1 * rows(10, 12)
    groups = split(whole, 3).places.argsort().split(split(whole, 3).sizes)
    assert [group.tolist() for group in groups] == [
        np.flatnonzero(kinds == kind).tolist() for kind in (2, 0, 1)
    ]


def test_columns_of_like_weights_are_together():
    whole = ready(MLP, 6, 2, hidden_units=(16,))
    halves = torch.tensor([0, 1, 1, 0, 1, 0])
    whole[0].weight.data = (torch.eye(16)[halves] + 0.1 * rows(6, 16)).T.contiguous()
    assert split(whole, by="features").places.tolist() == [0, 3, 5, 1, 2, 4]


@pytest.mark.parametrize("n_groups", [2, 3, 4, 5])
def test_groups_are_of_equal_size_as_nearly_as_may_be(n_groups):
    for by, total in (("classes", 10), ("features", 64)):
        student = split(teacher(), n_groups, by=by)
        assert sorted(student.places.tolist()) == list(range(total))
        assert len(student.sizes) == n_groups
        assert max(student.sizes) - min(student.sizes) <= 1
    assert split(teacher(), np.int64(2)).sizes == [5, 5]


def test_groups_may_be_arrays_and_tuples():
    given = tuple(np.array_split(np.arange(10), 3))
    assert split(teacher(), given).sizes == [4, 3, 3]


# Training and shipping


def module_at(path):
    spec = importlib.util.spec_from_file_location("predict", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fit(by, rows=X, **settings):
    net = StudentNet(split(teacher(), KINDS[by], by=by), max_epochs=2, **settings)
    student = make_pipeline(TablePreprocessor(), net)
    model = DistilledClassifier(LogisticRegression(C=30), student, cv=5, random_state=0)
    return model.fit(rows, Y)


@pytest.mark.parametrize("by", KINDS)
def test_a_split_student_learns_the_same_each_time_and_all_of_it_learns(by):
    model = fit(by)
    expected = model.predict_proba(X)
    assert np.array_equal(clone(model).fit(X, Y).predict_proba(X), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict_proba(X), expected)
    before = split(teacher(), KINDS[by], by=by).state_dict()
    after = model.student_[-1].module_.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"gate", "experts"}


@pytest.mark.parametrize("by", KINDS)
def test_split_students_are_trained_in_lock_step(by):
    net = StudentNet(split(teacher(), KINDS[by], by=by), max_epochs=2, dtype="float64")
    model = DistilledClassifier(student=net, alpha=0, random_state=0)
    grid, scores = {"student__lr": [0.01, 0.02]}, {"scoring": "neg_log_loss", "cv": 2}
    together = DistillationSearchCV(model, grid, **scores).fit(X, Y)
    alone = GridSearchCV(model, grid, **scores).fit(X, Y)
    assert together.trained_alone_ == [None, None]
    np.testing.assert_allclose(
        together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"], rtol=1e-9
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("by", KINDS)
def test_a_split_student_is_shipped(by, dtype, tmp_path):
    model = fit(by, dtype=dtype)
    expected = model.predict_proba(X)
    again = load(save(model, tmp_path / "student.safetensors"))
    assert np.array_equal(again.predict_proba(X), expected)
    folder = export(model, tmp_path / "bundle", X=X, y=Y, runtime="numpy")
    found = module_at(folder / "predict.py").predict(X[:9])
    found = [list(answer["probabilities"].values()) for answer in found]
    np.testing.assert_allclose(found, expected[:9], rtol=0, atol=1e-6)


@pytest.mark.parametrize("by", KINDS)
def test_a_split_student_is_a_graph(by):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = fit(by)
    session = runtime.InferenceSession(to_onnx(model, X=X).SerializeToString())
    (found,) = session.run(["probabilities"], {"X": X.astype(np.float64)})
    np.testing.assert_allclose(found, model.predict_proba(X), rtol=0, atol=1e-6)


@pytest.mark.parametrize("by", KINDS)
def test_a_file_of_a_split_student_answers_without_torch(by, tmp_path, monkeypatch, capsys):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(64)])
    model = fit(by, table)
    path = save(model, tmp_path / "student.safetensors")
    table.to_csv(tmp_path / "rows.csv", index=False)
    monkeypatch.setattr(deployment, "load", lambda path: pytest.fail("torch was asked"))
    assert main(["predict", str(path), str(tmp_path / "rows.csv")]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out)).iloc[:, 1:]
    np.testing.assert_allclose(found, model.predict_proba(table), rtol=0, atol=5e-5)


def test_images_and_sparse_rows_are_learnt_by_classes():
    images = X.reshape(-1, 8, 8)
    whole = ready(ConvNet, 1, 10, size="tiny")
    net = StudentNet(split(whole, 2), max_epochs=1)
    model = DistilledClassifier(student=net, alpha=0, random_state=0).fit(images, Y)
    np.testing.assert_allclose(model.predict_proba(images).sum(axis=1), 1, rtol=1e-5)
    net = StudentNet(split(ready(SparseMLP, 64, 10), 2), max_epochs=1)
    model = DistilledClassifier(student=net, alpha=0, random_state=0).fit(csr_array(X), Y)
    np.testing.assert_allclose(
        model.predict_proba(csr_array(X)), model.predict_proba(X), rtol=1e-4, atol=1e-6
    )


def test_numbers_are_learnt_by_features():
    module = split(teacher(1), 2, by="features", width=1.0)
    net = StudentNetRegressor(module, max_epochs=15)
    model = DistilledRegressor(LinearRegression(), net, random_state=0).fit(X, NUMBERS)
    assert model.score(X, NUMBERS) > 0.5


# What is refused


class Unasked(LinearRegression):
    """A teacher that nobody may fit: what is refused is refused before."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")


class UnaskedClassifier(LogisticRegression):
    """Its sibling for classes."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")


def fit_numbers():
    net = StudentNetRegressor(split(teacher(4), 2), max_epochs=1)
    DistilledRegressor(Unasked(), net).fit(X, X[:, 20:24])


def fit_labels():
    net = StudentNetMultilabel(split(teacher(4), 2), max_epochs=1)
    DistilledMultilabelClassifier(UnaskedClassifier(), net).fit(X, X[:, 20:24] > 0.5)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.inner, self.head = nn.Linear(5, 6), nn.Linear(6, 6), nn.Linear(6, 4)

    def forward(self, X):
        X = torch.relu(self.stem(X))
        return self.head(X + torch.tanh(self.inner(X)))


def test_the_gate_of_columns_is_trained_where_the_teacher_is_frozen():
    frozen = teacher().requires_grad_(False)
    student = split(frozen, 2, by="features")
    trained = [name for name, weight in student.named_parameters() if weight.requires_grad]
    assert trained == ["gate.4.weight", "gate.4.bias"]
    net = StudentNet(student, max_epochs=2)
    fitted = DistilledClassifier(None, net, alpha=0, random_state=0).fit(X, Y).student_.module_
    assert fitted.gate[4].weight.any()
    assert torch.equal(fitted.experts[0][0].weight, student.experts[0][0].weight)


REFUSED = {
    "an array without axes": (
        StudentError,
        lambda: split(teacher(), [np.array(3), range(10)]),
        r"The group array\(3\) is no list of ints. Expected classes from 0 to 9",
    ),
    "masks": (
        StudentError,
        lambda: split(teacher(2), [[True], [False]], by="features"),
        r"The group \[True\] is no list of ints. Expected columns from 0 to 63",
    ),
    "too many groups of classes": (
        StudentError,
        lambda: split(teacher(), 6),
        r"groups=6 of 10 classes are too many: each has 2 or more. Expected an int in \[2, 5\]",
    ),
    "two classes": (
        StudentError,
        lambda: split(teacher(2)),
        "groups=2 of 2 classes are too many.*expected 4 classes or more; split by features",
    ),
    "too many groups of columns": (
        StudentError,
        lambda: split(teacher(), 65, by="features"),
        r"groups=65 of 64 columns are too many.*Expected an int in \[2, 64\]",
    ),
    "classes in two groups": (
        StudentError,
        lambda: split(teacher(), [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8, 9]]),
        r"The classes \[4\] stand in the groups more than once. Expected classes from 0 to 9",
    ),
    "classes in no group": (
        StudentError,
        lambda: split(teacher(), [[0, 1], [2, 3, 4]]),
        r"The classes \[5, 6, 7, 8, 9\] are in no group. Expected classes from 0 to 9",
    ),
    "classes that are not there": (
        StudentError,
        lambda: split(teacher(), [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10]]),
        r"The classes \[10\] are not there. Expected classes from 0 to 9",
    ),
    "columns in no group": (
        StudentError,
        lambda: split(teacher(), [range(30), range(31, 64)], by="features"),
        r"The columns \[30\] are in no group. Expected columns from 0 to 63",
    ),
    "a class by itself": (
        StudentError,
        lambda: split(teacher(), [[0], list(range(1, 10))]),
        r"The group \[0\] has fewer than 2 classes.*Put it together with another",
    ),
    "no column": (
        StudentError,
        lambda: split(teacher(), [[], range(64)], by="features"),
        r"The group \[\] has fewer than 1 columns.*Put it together",
    ),
    "one group": (
        StudentError,
        lambda: split(teacher(), [range(10)]),
        "There is one group. Expected classes from 0 to 9.*two groups or more",
    ),
    "names": (
        StudentError,
        lambda: split(teacher(), [["zero", "one"], ["two"]]),
        r"The group \['zero', 'one'\] is no list of ints. Expected classes from 0 to 9",
    ),
    "a flat list": (
        StudentError, lambda: split(teacher(), [0, 1]), "The group 0 is no list of ints.*Expected"
    ),
    "groups=1": (ValueError, lambda: split(teacher(), 1), "'groups' parameter of split must be"),
    "by": (ValueError, lambda: split(teacher(), by="rows"), "'by' parameter of split.*'rows'"),
    "width": (ValueError, lambda: split(teacher(), width=0), "'width' parameter of split"),
    "no module": (StudentError, lambda: split(StudentNet()), "Expected a torch.nn.Module"),
    "branches": (StudentError, lambda: split(ready(Residual)), "cannot be shrunk.*branches meet"),
    "probabilities": (
        StudentError,
        lambda: split(ready(nn.Sequential, *teacher(), nn.Softmax(1))),
        "do not come from a linear layer as they are; expected logits.*Leave out",
    ),
    "members": (
        StudentError,
        lambda: split(ready(TabularMLP, 4, 4, n_members=2)),
        "TabularMLP cannot be split: it has several members.*n_members=1",
    ),
    "a soft tree": (
        StudentError,
        lambda: split(ready(SoftDecisionTree, 4, 4)),
        "cannot be shrunk: each unit of a soft tree",
    ),
    "images by features": (
        StudentError,
        lambda: split(ready(ConvNet, 1, 10), by="features"),
        "ConvNet cannot be split by features: its first layer.*Conv2d.*split by classes",
    ),
    "embeddings by features": (
        StudentError,
        lambda: split(ready(TabularMLP, 4, 3, n_numeric=4), by="features"),
        "TabularMLP cannot be split by features: its first layer, 'mlp.0' .Linear., is no linear",
    ),
    "a split student": (
        StudentError,
        lambda: shrink(split(teacher())),
        "GatedClasses cannot be shrunk at the step 'log_softmax'.*Expected a chain",
    ),
    "numbers by classes": (
        StudentError,
        fit_numbers,
        r"split by classes.*numbers are learnt; expected split\(teacher, groups, by='features'\)",
    ),
    "labels by classes": (
        StudentError,
        fit_labels,
        r"split by classes.*numbers are learnt; expected split\(teacher, groups, by='features'\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
