"""What is saved and loaded answers as it did, whatever kind of student it is."""

import os
import pickle
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNet, NeuralNetClassifier
from torch import nn

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.deployment import (
    inspect,
    load,
    save,
)
from skdistill.exceptions import StudentError
from skdistill.students import (
    MLP,
    ConvNet,
    DefaultStudent,
    ImagePreprocessor,
    SoftDecisionTree,
    SparseMLP,
    TablePreprocessor,
    TabularMLP,
    freeze,
    shrink,
    truncate,
)
from skdistill.transfer import Flip

pd = pytest.importorskip("pandas")
X, y = load_iris(return_X_y=True)
X_NUMBERS, y_NUMBERS = load_diabetes(return_X_y=True)
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, 3, 8, 8), dtype=np.uint8)
GREY = RNG.normal(size=(60, 8, 8))
LABELS = np.resize([0, 1], 60)
TEXTS = ["red apple", "green pear", "blue sky", "red sky at night"] * 15


def table():
    """Return a table with columns of every kind that is read, with gaps."""
    n = 120
    frame = pd.DataFrame({"age": RNG.normal(40, 9, n), "income": RNG.lognormal(9, 2, n)})
    frame["flag"] = np.resize([True, False, False], n)
    frame["few"] = np.resize(["a", "b", None, "zwölf"], n)
    frame["many"] = [f"c{i % 23}" for i in range(n)]
    frame["kind"] = pd.Categorical(np.resize([3, 1, 2], n))
    frame["count"] = np.resize([1, 2, 3, 40], n).astype(np.int16)
    frame.loc[::7, "age"] = np.nan
    return frame, np.resize(["no", "yes", "perhaps"], n)


TABLE, TABLE_LABELS = table()


def unseen(frame):
    """Return rows of the table that hold gaps, categories and numbers that no fit saw."""
    rows = frame.head(9).copy()
    rows.loc[0, ["few", "many"]] = "new"
    rows.loc[1, ["age", "income"]] = [1e12, np.nan]
    rows.loc[2, "few"] = None
    return rows


class Mine(nn.Module):
    """A user's own module, which is random where it begins and not in what it answers."""

    def __init__(self, n_features, n_classes, width=5):
        super().__init__()
        self.first = nn.Linear(n_features, width)
        self.norm = nn.BatchNorm1d(width)
        self.last = nn.Linear(width, n_classes)

    def forward(self, X):
        return self.last(torch.tanh(self.norm(self.first(X))))


def make_mine(n_features, n_classes):
    return Mine(n_features, n_classes, width=4)


def make_sequence(n_features, n_classes):
    return nn.Sequential(nn.Linear(n_features, 7), nn.Tanh(), nn.Linear(7, n_classes))


class Residual(nn.Module):
    """Branches, and a weight of its own."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 6)
        self.norm, self.last = nn.BatchNorm1d(6), nn.Linear(6, 3)
        self.bias = nn.Parameter(torch.ones(6))

    def forward(self, X):
        X = torch.relu(self.first(X))
        return self.last(self.norm(X + torch.tanh(self.second(X)) + self.bias))


class Sum(nn.Module):
    """Reads rows of two axes, whatever their size."""

    def __init__(self, n_classes):
        super().__init__()
        self.last = nn.Linear(1, n_classes)

    def forward(self, X):
        return self.last(X.sum(dim=(1, 2)).unsqueeze(1))


def net(module=None, **settings):
    return StudentNet(module, max_epochs=2, batch_size=32, **settings)


def number_net(**settings):
    return StudentNetRegressor(max_epochs=2, batch_size=32, **settings)


def distilled(student=None, **settings):
    return DistilledClassifier(student=student, alpha=0, random_state=0, **settings)


def regressor(student=None, **settings):
    return DistilledRegressor(student=student, alpha=0, random_state=0, **settings)


def default(**settings):
    return make_pipeline(TablePreprocessor(), net(**settings))


teacher = ConvNet(3, n_classes=2, size="tiny")
sequence = nn.Sequential(nn.Linear(4, 9), nn.LayerNorm(9), nn.GELU(), nn.Linear(9, 3))

CLASSIFIERS = {
    "the default on numbers": (distilled(default()), X, y, X),
    "labels as texts": (distilled(default()), X, np.array(["a", "bb", "ccc"])[y], X),
    "labels as objects": (distilled(default()), X, np.array(["a", "bb", "c"], object)[y], X),
    "labels as booleans": (distilled(default()), X, y == 1, X),
    "labels as int8": (distilled(default()), X, y.astype(np.int8), X),
    "a table": (distilled(default()), TABLE, TABLE_LABELS, unseen(TABLE)),
    "an array of objects": (
        distilled(default()), TABLE.to_numpy(object), TABLE_LABELS, unseen(TABLE).to_numpy(object)
    ),
    "columns of numbers for names": (
        distilled(default()), pd.DataFrame(X), y, pd.DataFrame(X[:5])
    ),
    "members": (distilled(default(module__n_members=3)), TABLE, TABLE_LABELS, unseen(TABLE)),
    "one category of many": (
        distilled(make_pipeline(TablePreprocessor(max_one_hot=1), net())),
        TABLE, TABLE_LABELS, unseen(TABLE),
    ),
    "an ensemble of ours without hidden layers": (
        distilled(default(module__hidden_units=(), module__n_members=2)), X, y, X
    ),
    "no embedding": (distilled(default(module__numeric_embedding=None)), X, y, X),
    "float64": (distilled(default(dtype="float64")), X, y, X),
    "float32 rows": (distilled(default()), X.astype(np.float32), y, X.astype(np.float32)),
    "an optimiser": (distilled(default(optimizer=torch.optim.SGD, lr=0.1)), X, y, X),
    "an MLP": (distilled(net(MLP, module__dropout=0.1)), X, y, X),
    "an instance": (distilled(net(MLP(4, 3, hidden_units=(6,)))), X, y, X),
    "a sequence": (distilled(net(sequence)), X, y, X),
    "a frozen layer": (distilled(net(freeze(sequence, "0"))), X, y, X),
    "a frozen norm": (
        distilled(net(freeze(nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3)), "0"))), X, y, X
    ),
    "shrunk": (distilled(net(shrink(MLP(4, 3, hidden_units=(8, 8))))), X, y, X),
    "shrunk members": (
        distilled(net(shrink(TabularMLP(4, 3, n_numeric=4, n_members=2, hidden_units=(8, 8))))),
        X, y, X,
    ),
    "a soft tree": (
        distilled(default(module=SoftDecisionTree, module__depth=2)),
        TABLE, TABLE_LABELS, unseen(TABLE),
    ),
    "what a function makes": (distilled(net(make_sequence)), X, y, X),
    "images": (
        distilled(make_pipeline(ImagePreprocessor(), net(module__size="tiny"))),
        IMAGES, LABELS, IMAGES,
    ),
    "grey images": (
        distilled(make_pipeline(ImagePreprocessor(), net(module__size="tiny", module__dropout=.2))),
        GREY, LABELS, GREY,
    ),
    "a shrunk ConvNet": (
        distilled(make_pipeline(ImagePreprocessor(), net(shrink(teacher)))), IMAGES, LABELS, IMAGES
    ),
    "a truncated ConvNet": (
        distilled(make_pipeline(ImagePreprocessor(), net(truncate(teacher, "3")))),
        IMAGES, LABELS, IMAGES,
    ),
    "a truncated MLP": (
        distilled(net(truncate(MLP(4, 3, hidden_units=(6, 6)), "1"))), X, y, X
    ),
    "a truncated block": (distilled(net(truncate(Residual(), "norm"))), X, y, X),
    "texts": (
        distilled(DefaultStudent(max_epochs=2)),
        TEXTS, np.resize([0, 1, 2, 3], 60), [*TEXTS[:4], "", "unheard of"],
    ),
    "sparse rows": (
        distilled(make_pipeline(TablePreprocessor(), net(SparseMLP))),
        *(sparse.csr_matrix(np.round(X)), y, sparse.csr_matrix(np.round(X))),
    ),
    "a linear step before": (distilled(make_pipeline(StandardScaler(), net(MLP))), X, y, X),
    "nothing before": (distilled(Pipeline([("no", "passthrough"), ("net", net())])), X, y, X),
    "steps around": (
        make_pipeline(StandardScaler(), distilled(net(MLP))), X, y, X
    ),
    "a tree": (distilled(DecisionTreeClassifier(max_depth=3)), X, y, X),
    "a regressor for classes": (distilled(DecisionTreeRegressor(max_depth=3)), X, y, X),
    "neighbours for two classes": (distilled(KNeighborsRegressor(algorithm="brute")), X, y == 1, X),
    "a tree behind columns": (
        distilled(make_pipeline(TablePreprocessor(max_one_hot=99), DecisionTreeClassifier())),
        TABLE, TABLE_LABELS, unseen(TABLE),
    ),
    "boosted trees": (distilled(HistGradientBoostingClassifier(max_iter=3)), X, y, X),
}  # fmt: skip
REGRESSORS = {
    "the default": regressor(make_pipeline(TablePreprocessor(), number_net())),
    "a quantile": regressor(number_net(), loss="quantile"),
    "members": regressor(number_net(module__n_members=2)),
    "a tree": regressor(DecisionTreeRegressor(max_depth=3)),
    "neighbours": regressor(KNeighborsRegressor(algorithm="brute")),
}  # fmt: skip


def answers(model, rows):
    return model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_classifier_answers_as_before(kind, tmp_path):
    model, rows, labels, new = CLASSIFIERS[kind]
    model = clone(model).fit(rows, labels)
    path = save(model, tmp_path / "student.safetensors")
    again = load(path)
    assert save(again, tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert np.array_equal(again.predict_proba(new), model.predict_proba(new))
    assert np.array_equal(again.predict_log_proba(new), model.predict_log_proba(new))
    assert again.predict(new).dtype == model.predict(new).dtype
    assert np.array_equal(again.predict(new), model.predict(new))
    assert np.array_equal(again.classes_, model.classes_)
    DistilledClassifier(student=again, alpha=0, random_state=0).fit(rows, labels)


@pytest.mark.parametrize("kind", REGRESSORS)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor_answers_as_before(kind, n_outputs, tmp_path):
    targets = y_NUMBERS if n_outputs == 1 else np.column_stack([y_NUMBERS, X_NUMBERS[:, 0]])
    model = clone(REGRESSORS[kind]).fit(X_NUMBERS, targets)
    path = save(model, tmp_path / "student.safetensors")
    again = load(path)
    assert save(again, tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert np.array_equal(again.predict(X_NUMBERS), model.predict(X_NUMBERS))
    DistilledRegressor(student=again, alpha=0, random_state=0).fit(X_NUMBERS, targets)


# Modules and nets of the user's own, whose classes no file holds.

OWN = {
    "a class": (net(Mine, module__width=6), Mine, X),
    "a function": (net(make_mine), make_mine, X),
    "an instance": (net(Mine(4, 3)), Mine(4, 3), X),
    "a net of skorch": (
        NeuralNetClassifier(Mine, max_epochs=2), NeuralNetClassifier(Mine, max_epochs=9), X
    ),
    "a net of skorch, plain": (
        NeuralNet(Mine, nn.CrossEntropyLoss, max_epochs=2, train_split=None),
        NeuralNet(Mine, nn.CrossEntropyLoss),
        X,
    ),
    "one of many axes": (NeuralNetClassifier(Sum), NeuralNetClassifier(Sum), GREY.astype("f4")),
    "one that is changed by hand": (
        net(nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)))),
        nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))),
        X,
    ),
}  # fmt: skip


@pytest.mark.changes_global_rng  # by the modules that are made here
@pytest.mark.parametrize("kind", OWN)
def test_a_module_of_the_users_is_given_again(kind, tmp_path):
    student, module, rows = OWN[kind]
    labels = y if len(rows) == len(y) else LABELS
    model = distilled(student).fit(rows, labels)
    path = save(model, tmp_path / "student.safetensors")
    assert inspect(path).needs_module
    again = load(path, module=module)
    assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
    again.partial_fit(rows, labels)
    clone(again).fit(rows, labels)


def test_numbers_of_a_skorch_net_keep_their_unit(tmp_path):
    skorch_net = NeuralNet(Mine, nn.MSELoss, max_epochs=2)
    model = regressor(skorch_net).fit(X_NUMBERS, y_NUMBERS)
    again = load(save(model, tmp_path / "student.safetensors"), module=skorch_net)
    assert np.array_equal(again.predict(X_NUMBERS), model.predict(X_NUMBERS))


@pytest.mark.changes_global_rng  # a plain fit without a seed
@pytest.mark.parametrize(
    "kind", ["the default on numbers", "an instance", "a tree", "an optimiser"]
)
def test_what_is_loaded_can_learn_on(kind, tmp_path):
    model, rows, labels, _ = CLASSIFIERS[kind]
    again = load(save(clone(model).fit(rows, labels), tmp_path / "student.safetensors"))
    before = again.predict_proba(rows)
    last = again[-1] if isinstance(again, Pipeline) else again
    if hasattr(last, "partial_fit"):
        encoded = again[:-1].transform(rows) if isinstance(again, Pipeline) else rows
        last.partial_fit(encoded, labels)
        assert last.history_ and last.optimizer is model.get_params().get(
            "student__net__optimizer", last.optimizer
        )
        assert not np.array_equal(again.predict_proba(rows), before)
    assert again.fit(rows, labels).predict_proba(rows).shape == before.shape
    pickled = pickle.loads(pickle.dumps(again))
    assert np.array_equal(pickled.predict_proba(rows), again.predict_proba(rows))


@pytest.mark.changes_global_rng  # a plain fit without a seed
@pytest.mark.parametrize("student", [SoftDecisionTree(depth=2), MLP, None])
def test_what_takes_its_widths_from_the_data_still_does(student, tmp_path):
    model = distilled(net(student)).fit(X, y)
    again = load(save(model, tmp_path / "student.safetensors"))
    again.fit(X[:, :2], y == 1)
    assert type(again.module_) is type(model.student_.module_)
    assert again.predict_proba(X[:, :2]).shape == (len(X), 2)


def test_the_settings_come_back_and_what_cannot_is_named(tmp_path):
    student = net(
        lr=0.01, optimizer=torch.optim.SGD, optimizer__momentum=0.5, views=[Flip()], callbacks=[]
    )
    images = distilled(make_pipeline(ImagePreprocessor(), student)).fit(IMAGES, LABELS)
    path = save(images, tmp_path / "student.safetensors")
    assert inspect(path).left_out == ["views"]
    again = load(path)[-1].get_params()
    assert again["lr"] == 0.01 and again["optimizer"] is torch.optim.SGD
    assert again["optimizer__momentum"] == 0.5 and again["callbacks"] == []


# The file itself.


@pytest.fixture(scope="module")
def fitted():
    return distilled(default()).fit(TABLE, TABLE_LABELS)


def test_the_file_is_one_of_safetensors_and_says_what_it_holds(fitted, tmp_path):
    path = save(fitted, str(tmp_path / "a.safetensors"), metadata={"by": "me", "n": [1, None]})
    tensors = load_file(path)
    state = fitted.student_[-1].module_.state_dict()
    assert all(np.array_equal(tensors[f"module.{name}"], state[name].numpy()) for name in state)
    found = inspect(path)
    assert found.kind == "classifier" and found.classes == ["no", "perhaps", "yes"]
    assert found.metadata == {"by": "me", "n": [1, None]} and found.n_bytes == path.stat().st_size
    assert found.steps == ["TablePreprocessor", "TabularMLP"] and not found.needs_module
    kinds = {column["name"]: column["kind"] for column in found.columns}
    assert list(kinds) == TABLE.columns.tolist() and found.n_features == len(kinds)
    assert (kinds["age"], kinds["flag"], kinds["few"]) == ("number", "flag", "category")
    assert found.columns[3]["categories"] == ["a", "b", "zwölf", None]
    assert found.n_parameters == sum(p.numel() for p in fitted.student_[-1].module_.parameters())
    assert "age: number" in str(found) and "by: me" in str(found)


def test_the_same_student_is_the_same_file(fitted, tmp_path):
    first, second = (save(fitted, tmp_path / f"{name}.safetensors") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    third = save(load(first), tmp_path / "c.safetensors")
    assert third.read_bytes() == first.read_bytes()


def test_the_order_in_which_settings_were_given_makes_no_other_file(tmp_path):
    settings = {"module__hidden_units": (8,), "module__n_members": 2, "max_epochs": 1}
    nets = [StudentNet(**settings), StudentNet(**dict(reversed(settings.items())))]
    first, second = (
        save(distilled(one).fit(X, y), tmp_path / f"{i}.safetensors").read_bytes()
        for i, one in enumerate(nets)
    )
    assert first == second


def test_it_is_smaller_than_a_pickle_and_holds_no_teacher(tmp_path):
    model = DistilledClassifier(RandomForestClassifier(50), default(), random_state=0).fit(X, y)
    path = save(model, tmp_path / "a.safetensors")
    assert path.stat().st_size < len(pickle.dumps(model.student_)) < len(pickle.dumps(model))
    assert b"RandomForest" not in path.read_bytes()


def test_a_student_and_its_model_are_saved_alike(fitted, tmp_path):
    first = save(fitted, tmp_path / "a.safetensors").read_bytes()
    search = GridSearchCV(distilled(default()), {"alpha": [0.0]}, cv=2).fit(TABLE, TABLE_LABELS)
    for name, same in {
        "a student": fitted.student_,
        "a frozen one": FrozenEstimator(fitted),
        "a search": search,
    }.items():
        assert save(same, tmp_path / f"{name}.safetensors").read_bytes() == first, name


def test_a_file_has_the_rights_of_any_new_file(fitted, tmp_path):
    (tmp_path / "plain").touch()
    path = save(fitted, tmp_path / "a.safetensors")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_file_that_is_replaced_keeps_its_rights_and_its_links(fitted, tmp_path):
    target, link = tmp_path / "student.safetensors", tmp_path / "newest.safetensors"
    target.write_bytes(b"an older one")
    target.chmod(0o600)
    link.symlink_to(target)
    save(fitted, link)
    assert link.is_symlink() and not target.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert inspect(target).sha256 == inspect(link).sha256
    assert len(list(tmp_path.iterdir())) == 2


def test_texts_of_a_file_begin_no_line_of_their_own(fitted, tmp_path):
    metadata = {"note": "harmless\nsha256: 0\u2028\x1b[2J", "naïve": "日本"}
    shown = str(inspect(save(fitted, tmp_path / "s.safetensors", metadata=metadata)))
    assert r"note: harmless\nsha256: 0\u2028\x1b[2J" in shown.splitlines()
    assert "naïve: 日本" in shown.splitlines()


@pytest.mark.changes_global_rng  # by the module that is random on purpose
def test_a_refused_save_leaves_what_was_there(fitted, tmp_path):
    path = save(fitted, tmp_path / "a.safetensors")
    before = path.read_bytes()
    with pytest.raises(StudentError):
        save(distilled(net(Drawn)).fit(X, y), path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["a.safetensors"]


def test_saving_and_loading_change_nothing(fitted, tmp_path):
    before = pickle.dumps(fitted.student_[-1].module_.state_dict())
    again = load(save(fitted, tmp_path / "a.safetensors"))
    with torch.no_grad():
        next(again[-1].module_.parameters()).zero_()
    assert pickle.dumps(fitted.student_[-1].module_.state_dict()) == before


def test_inspect_imports_neither_torch_nor_scikit_learn(fitted, tmp_path):
    path = save(fitted, tmp_path / "a.safetensors")
    code = (
        "import sys; from skdistill.deployment import inspect; print(inspect(sys.argv[1]));"
        "print(sorted({'torch', 'sklearn', 'numpy', 'skorch'} & set(sys.modules)))"
    )
    words = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("classifier: ") and done.stdout.endswith("\n[]\n")


class Drawn(Mine):
    """Answers otherwise whenever it is asked."""

    def forward(self, X):
        return super().forward(X) + torch.rand(len(X), 1).cumsum(1) * torch.arange(3)
