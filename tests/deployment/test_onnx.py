"""Students as ONNX graphs: what onnxruntime answers, beside what the student says."""

import numpy as np
import pandas as pd
import polars
import pytest
import torch
from scipy.sparse import random_array
from sklearn.datasets import make_friedman1
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.deployment import load, save, to_onnx
from skdistill.exceptions import TeacherWarning
from skdistill.students import (
    MLP,
    ConvNet,
    ImagePreprocessor,
    SoftDecisionTree,
    SparseMLP,
    TablePreprocessor,
    TabularMLP,
    freeze,
)
from skdistill.teachers import load_teacher

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

ARRAY, NUMBERS = make_friedman1(200, n_features=5, random_state=0)
CLASSES = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.3, 0.7]))
TOWNS = [f"town {number}" for number in range(15)]
CLOSE = {"rtol": 0, "atol": 5e-5}


def make_table(n_rows=200):
    """Return rows of every kind of column, and their labels."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": random.integers(17, 90, n_rows).astype(float),
            "income": np.exp(random.normal(9, 2, n_rows)),
            "whole": random.integers(2**40, 2**50, n_rows),
            "member": random.choice([True, False], n_rows),
            "kind": random.choice(["a", "b", None], n_rows),
            "town": random.choice(TOWNS, n_rows),
            "rooms": random.choice(["1", "2", "3"], n_rows),
            "label": random.normal(size=n_rows),
        }
    )
    table.loc[::9, "age"] = np.nan
    return table, np.where((table["age"] > 45) ^ (table["kind"] == "b"), "yes", "no")


TABLE, LABELS = make_table()


def net(*module, **settings):
    return StudentNet(*module, max_epochs=2, batch_size=32, **settings)


def plain(student=None, X=TABLE, y=LABELS):
    student = make_pipeline(TablePreprocessor(), net()) if student is None else student
    return DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)


def regressor(student, X=TABLE, y=NUMBERS):
    return DistilledRegressor(student=student, alpha=0, random_state=0).fit(X, y)


def run(graph, feeds):
    session = runtime.InferenceSession(graph.SerializeToString())
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds), strict=True))


def feeds_of(table, texts=("kind", "town", "rooms")):
    """Return a frame as somebody would feed it who knows str() and float() alone."""
    feeds = {}
    for name in table.columns:
        own = name if name != "label" else "label_"
        if name in texts:
            feeds[own] = np.array([[str(value)] for value in table[name]], dtype=object)
        else:
            feeds[own] = table[name].to_numpy(dtype=np.float64).reshape(-1, 1)
    return feeds


@pytest.fixture(autouse=True)
def torch_seeded():
    """Modules that are made here draw their weights from torch's generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="module")
def model():
    return plain()


@pytest.fixture(scope="module")
def graph(model):
    return to_onnx(model, X=TABLE)


def test_inputs_and_outputs_have_names(graph):
    assert [one.name for one in graph.graph.input] == [*TABLE.columns[:-1], "label_"]
    assert [one.name for one in graph.graph.output] == ["label", "probabilities"]


def test_a_table_is_fed_column_by_column(model, graph):
    found = run(graph, feeds_of(TABLE))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(TABLE), **CLOSE)
    assert found["label"].tolist() == model.predict(TABLE).tolist()
    assert found["probabilities"].dtype == np.float32


def odd_rows():
    rows = TABLE.iloc[:40].copy()
    rows["kind"] = ["never", None, "a", "b"] * 10
    rows["town"] = ["nowhere", TOWNS[3], None, TOWNS[0], TOWNS[14]] * 8
    rows["age"] = [np.nan, 1e12, -1e12, 0.0] * 10
    rows["income"] = [np.nan, 1e12, -1e300, 5.0, np.nan] * 8
    return rows


@pytest.mark.parametrize("row", [slice(None), slice(3, 4)])
def test_gaps_unseen_categories_and_huge_numbers(model, graph, row):
    rows = odd_rows()[row]
    found = run(graph, feeds_of(rows))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(rows), **CLOSE)
    assert found["label"].tolist() == model.predict(rows).tolist()


@pytest.mark.parametrize("gap", ["", "None", "nan", "NaN", "<NA>", "NaT"])
def test_a_gap_may_be_spelt_in_each_way(model, graph, gap):
    rows = TABLE.iloc[:20].copy()
    rows["kind"] = None
    feeds = feeds_of(rows) | {"kind": np.full((20, 1), gap, dtype=object)}
    np.testing.assert_allclose(
        run(graph, feeds)["probabilities"], model.predict_proba(rows), **CLOSE
    )


def test_a_spelling_of_a_gap_may_be_a_category():
    X = np.array([["nan"], ["b"], [None]] * 30, dtype=object)
    y = [0, 1, 2] * 30
    student = plain(make_pipeline(TablePreprocessor(), StudentNet(max_epochs=20)), X, y)
    assert student.predict(X[:3]).tolist() == [0, 1, 2]
    rows = np.array([["nan"], ["b"], [""], ["None"]], dtype=object)
    assert run(to_onnx(student, X=X), {"x0": rows})["label"].tolist() == [0, 1, 2, 2]


def test_a_whole_number_may_come_as_a_float(graph):
    rows = TABLE.iloc[:20]
    feeds = feeds_of(rows)
    floats = np.array([[f"{value}.0"] for value in rows["rooms"]], dtype=object)
    before, after = (run(graph, f)["probabilities"] for f in (feeds, feeds | {"rooms": floats}))
    np.testing.assert_array_equal(before, after)


STUDENTS = {
    "members": lambda: make_pipeline(TablePreprocessor(), net(module__n_members=3)),
    "linear in the columns": lambda: make_pipeline(
        TablePreprocessor(),
        net(TabularMLP, module__hidden_units=(), module__numeric_embedding=None),
    ),
    "double precision": lambda: make_pipeline(TablePreprocessor(), net(dtype="float64")),
    "soft tree": lambda: make_pipeline(TablePreprocessor(), net(SoftDecisionTree(depth=3))),
    "codes alone": lambda: make_pipeline(TablePreprocessor(max_one_hot=0), net()),
    "columns alone": lambda: make_pipeline(TablePreprocessor(max_one_hot=50), net(MLP)),
    "logistic regression": lambda: table_student(LogisticRegression()),
    "tree": lambda: table_student(DecisionTreeClassifier(max_depth=6, random_state=0)),
    "forest": lambda: table_student(RandomForestClassifier(9, random_state=0)),
    "boosting": lambda: table_student(HistGradientBoostingClassifier(max_iter=9)),
    "tree of probabilities": lambda: table_student(DecisionTreeRegressor(max_depth=4)),
}


def table_student(estimator):
    return make_pipeline(TablePreprocessor(max_one_hot=50), estimator)


@pytest.mark.parametrize("name", STUDENTS)
def test_students_of_tables(name):
    student = plain(STUDENTS[name]())
    rows = pd.concat([TABLE, odd_rows()])
    found = run(to_onnx(student, X=TABLE), feeds_of(rows))
    np.testing.assert_allclose(found["probabilities"], student.predict_proba(rows), **CLOSE)
    assert found["label"].tolist() == student.predict(rows).tolist()


class Residual(nn.Module):
    """A forward pass of its own."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.first, self.second = nn.Linear(n_features, 8), nn.Linear(8, 8)
        self.norm, self.last = nn.BatchNorm1d(8), nn.Linear(8, n_classes)

    def forward(self, X):
        hidden = torch.relu(self.first(X))
        hidden = hidden + torch.tanh(self.second(hidden)) * hidden
        return self.last(torch.flatten(self.norm(hidden), 1))


def sequence(n_classes):
    layers = [nn.Linear(5, 8), nn.BatchNorm1d(8), nn.GELU(), nn.LayerNorm(8), nn.SiLU()]
    layers += [nn.Linear(8, 8), nn.LeakyReLU(0.2), nn.ELU(), nn.Hardswish(), nn.ReLU6()]
    layers += [nn.Dropout(0.3), nn.Linear(8, 8), nn.SELU(), nn.Hardtanh(-0.5, 2)]
    layers += [nn.Linear(8, n_classes)]
    return nn.Sequential(*layers)


OF_ARRAYS = {
    "default": lambda n: None,
    "scaled": lambda n: make_pipeline(StandardScaler(), net(MLP)),
    "scaled without a mean": lambda n: make_pipeline(StandardScaler(with_mean=False), net(MLP)),
    "scaled to a range": lambda n: make_pipeline(MinMaxScaler((-1, 1), clip=True), net(MLP)),
    "scaled twice": lambda n: make_pipeline(RobustScaler(), MaxAbsScaler(), net(MLP)),
    "scaled in a Pipeline": lambda n: make_pipeline(
        make_pipeline(make_pipeline(StandardScaler()), "passthrough"), net(MLP)
    ),
    "as it is": lambda n: make_pipeline("passthrough", net(MLP)),
    "filled": lambda n: make_pipeline(SimpleImputer(), TablePreprocessor(), net(MLP)),
    "a sequence": lambda n: net(sequence(n)),
    "a module": lambda n: net(Residual),
    "frozen": lambda n: net(freeze(sequence(n), ["0", "1"])),
    "sparse": lambda n: net(SparseMLP),
    "skorch": lambda n: NeuralNetClassifier(Residual, max_epochs=2, verbose=0, train_split=None),
    "probabilities": lambda n: NeuralNetClassifier(
        nn.Sequential(nn.Linear(5, n), nn.Softmax(1)), max_epochs=2, verbose=0, train_split=None
    ),
    "tree": lambda n: DecisionTreeClassifier(max_depth=6, random_state=0),
    "forest": lambda n: RandomForestClassifier(9, random_state=0),
    "boosting": lambda n: HistGradientBoostingClassifier(max_iter=9),
    "logistic regression": lambda n: LogisticRegression(),
    "a regressor for each class": lambda n: HistGradientBoostingRegressor(max_iter=5),
    "least squares": lambda n: LinearRegression(),
}


@pytest.mark.parametrize("name", OF_ARRAYS)
@pytest.mark.parametrize("y", [CLASSES, CLASSES > 0], ids=["three classes", "two"])
def test_students_of_arrays(name, y):
    student = plain(OF_ARRAYS[name](len(np.unique(y))), ARRAY, y)
    found = run(to_onnx(student, X=ARRAY), {"X": ARRAY})
    np.testing.assert_allclose(found["probabilities"], student.predict_proba(ARRAY), **CLOSE)
    np.testing.assert_array_equal(found["label"], student.predict(ARRAY))
    assert found["label"].dtype == y.dtype


def test_probabilities_of_a_forest_are_not_below_zero():
    y = np.random.default_rng(0).integers(0, 3, len(ARRAY))  # leaves of one class alone
    student = plain(RandomForestClassifier(5, random_state=0), ARRAY, y)
    found = run(to_onnx(student, X=ARRAY), {"X": ARRAY})["probabilities"]
    assert (student.predict_proba(ARRAY) == 0).any()
    assert found.min() >= 0 and found.max() <= 1


def test_a_tree_of_logits():
    soft = (np.eye(3)[CLASSES] + np.random.default_rng(0).dirichlet(np.ones(3), size=200)) / 2
    tree = DecisionTreeRegressor(max_depth=5, random_state=0)
    model = DistilledClassifier(student=tree, loss="mse", alpha=1, random_state=0)
    model.fit(ARRAY, CLASSES, soft_targets=soft)
    found = run(to_onnx(model, X=ARRAY), {"X": ARRAY})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(ARRAY), **CLOSE)


def test_classes_that_an_estimator_has_not_learnt():
    soft = np.zeros((200, 3))
    soft[:, :2] = 0.5
    model = DistilledClassifier(student=LogisticRegression(), alpha=1)
    with pytest.warns(TeacherWarning):
        model.fit(ARRAY, CLASSES, soft_targets=soft)
    found = run(to_onnx(model, X=ARRAY), {"X": ARRAY})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(ARRAY), **CLOSE)
    assert not found["probabilities"][:, 2].any()


REGRESSORS = {
    "default": lambda: make_pipeline(
        TablePreprocessor(), StudentNetRegressor(max_epochs=2, batch_size=64)
    ),
    "members": lambda: make_pipeline(
        TablePreprocessor(), StudentNetRegressor(max_epochs=2, batch_size=64, module__n_members=3)
    ),
    "soft tree": lambda: make_pipeline(
        TablePreprocessor(),
        StudentNetRegressor(SoftDecisionTree(depth=2), max_epochs=2, batch_size=64),
    ),
    "ridge": lambda: table_student(Ridge()),
    "tree": lambda: table_student(DecisionTreeRegressor(max_depth=6)),
    "forest": lambda: table_student(RandomForestRegressor(9, random_state=0)),
    "extra trees": lambda: table_student(ExtraTreesRegressor(9, random_state=0)),
    "boosting": lambda: table_student(HistGradientBoostingRegressor(max_iter=9)),
}


@pytest.mark.parametrize("name", REGRESSORS)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_regressors_answer_in_the_unit_of_y(name, n_outputs):
    y = 1e6 + 300 * NUMBERS if n_outputs == 1 else np.stack([NUMBERS, -1e-3 * NUMBERS], axis=1)
    model = regressor(REGRESSORS[name](), y=y)
    wanted = model.predict(TABLE)
    got = run(to_onnx(model, X=TABLE), feeds_of(TABLE))["prediction"]
    assert got.shape == wanted.shape
    np.testing.assert_allclose((got - wanted) / wanted.std(axis=0), 0, **CLOSE)


def test_a_regressor_with_a_logarithm_as_its_link():
    model = regressor(HistGradientBoostingRegressor(loss="poisson", max_iter=5), ARRAY)
    got = run(to_onnx(model, X=ARRAY), {"X": ARRAY})["prediction"]
    np.testing.assert_allclose(got, model.predict(ARRAY), rtol=1e-5)


@pytest.mark.parametrize("estimator", [DecisionTreeClassifier, HistGradientBoostingClassifier])
def test_thresholds_send_the_rows_beside_them_the_same_way(estimator):
    X = np.array([[0.1], [0.1 + 2e-8], [16777216.0], [16777217.0]] * 50)
    y = np.array([0, 1, 2, 3] * 50)
    settings = {"min_samples_leaf": 1} if estimator is DecisionTreeClassifier else {"max_iter": 3}
    student = plain(estimator(**settings), X, y)
    graph = to_onnx(student, X=X)
    near = np.array([np.nextafter(x, side) for x in X[:4, 0] for side in (-np.inf, np.inf)])
    middles = (X[:3, 0] + X[1:4, 0]) / 2
    rows = np.concatenate([near, middles, np.nextafter(middles, 0), np.nextafter(middles, 1e9)])
    found = run(graph, {"X": rows[:, None]})["probabilities"]
    np.testing.assert_allclose(found, student.predict_proba(rows[:, None]), **CLOSE)


def test_trees_send_gaps_as_the_student_does():
    X = ARRAY.copy()
    X[::4, 0] = X[1::5, 3] = np.nan
    for estimator in (
        DecisionTreeClassifier(max_depth=5, random_state=0),
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5),
    ):
        student = plain(estimator, X, CLASSES)
        found = run(to_onnx(student, X=X), {"X": X})["probabilities"]
        np.testing.assert_allclose(found, student.predict_proba(X), **CLOSE)


@pytest.mark.parametrize("shape", [(1, 9, 8), (3, 8, 8), (8, 8)])
def test_images(shape):
    X = np.random.default_rng(0).integers(0, 256, (60, *shape)).astype(np.uint8)
    student = plain(make_pipeline(ImagePreprocessor(), net(ConvNet)), X, np.arange(60) % 3)
    found = run(to_onnx(student, X=X), {"X": X.astype(np.float64)})
    np.testing.assert_allclose(found["probabilities"], student.predict_proba(X), **CLOSE)
    bare = plain(net(ConvNet, module__size="tiny"), X / 255, np.arange(60) % 3)
    found = run(to_onnx(bare), {"X": X / 255})
    np.testing.assert_allclose(found["probabilities"], bare.predict_proba(X / 255), **CLOSE)


def test_layers_of_maps():
    layers = [nn.Conv2d(2, 4, 3, padding=1, stride=2, groups=2), nn.BatchNorm2d(4), nn.Tanh()]
    layers += [nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(4, 4, 2, bias=False), nn.Sigmoid()]
    layers += [nn.AvgPool2d(2, padding=1, count_include_pad=False), nn.Flatten()]
    layers += [nn.LazyLinear(3)]
    X = np.random.default_rng(0).normal(size=(40, 2, 11, 11))
    module = nn.Sequential(*layers)
    module(torch.zeros(2, 2, 11, 11))
    student = plain(net(module), X, np.arange(40) % 3)
    found = run(to_onnx(student, X=X), {"X": X})["probabilities"]
    np.testing.assert_allclose(found, student.predict_proba(X), **CLOSE)


def test_steep_intervals_of_numbers():
    # Values so near to each other that their product with a slope must be rounded once.
    random = np.random.default_rng(0)
    X = np.sort(random.normal(size=(400, 2)), axis=0).round(1)
    X += random.choice([0, 2e-5, 4e-5, 6e-5], size=X.shape)
    student = plain(None, X, (X[:, 0] * 1e5 % 3 > 1).astype(int))
    found = run(to_onnx(student, X=X), {"X": X})["probabilities"]
    np.testing.assert_allclose(found, student.predict_proba(X), **CLOSE)


def test_whatever_holds_a_student(model, tmp_path):
    wanted = to_onnx(model).SerializeToString()
    assert to_onnx(model.student_).SerializeToString() == wanted
    loaded = load(save(model, tmp_path / "student.safetensors"))
    assert to_onnx(loaded, X=TABLE).SerializeToString() == wanted
    search = GridSearchCV(model, {"alpha": [0]}, cv=2).fit(TABLE, LABELS)
    assert to_onnx(search, X=TABLE).SerializeToString() == wanted
    outer = make_pipeline(StandardScaler(), plain(net(MLP), ARRAY, CLASSES)).fit(ARRAY, CLASSES)
    found = run(to_onnx(outer, X=ARRAY), {"X": ARRAY})["probabilities"]
    np.testing.assert_allclose(found, outer.predict_proba(ARRAY), **CLOSE)
    alone = net(MLP).fit(ARRAY, CLASSES)
    found = run(to_onnx(alone, X=ARRAY), {"X": ARRAY})["probabilities"]
    np.testing.assert_allclose(found, alone.predict_proba(ARRAY), **CLOSE)


def test_names_of_columns_that_a_graph_cannot_have():
    names = [
        "",
        "/Sub/3",
        "_/Sub/3",
        "label",
        "label_",
        "probabilities",
        "rows",
        "X",
        "/constant/0",
    ]
    table = pd.DataFrame(np.hstack([ARRAY, ARRAY[:, :4]]), columns=names)
    student = plain(None, table, CLASSES)
    graph = to_onnx(student, X=table)
    inputs = [one.name for one in graph.graph.input]
    assert len(set(inputs)) == 9 and inputs[6:8] == ["rows", "X"]
    feeds = dict(zip(inputs, np.split(table.to_numpy(), 9, axis=1), strict=True))
    found = run(graph, feeds)["probabilities"]
    np.testing.assert_allclose(found, student.predict_proba(table), **CLOSE)


def test_sparse_rows():
    X = random_array((150, 40), density=0.2, rng=np.random.default_rng(0), format="csr")
    student = plain(make_pipeline(TablePreprocessor(), net(SparseMLP)), X, np.arange(150) % 3)
    found = run(to_onnx(student, X=X), {"X": X.toarray()})["probabilities"]
    np.testing.assert_allclose(found, student.predict_proba(X), **CLOSE)


def test_other_tables(model, graph):
    assert to_onnx(model, X=polars.from_pandas(TABLE)).SerializeToString() == (
        graph.SerializeToString()
    )


# Read back as a teacher.


def test_load_teacher_reads_classes_and_columns(model, tmp_path):
    assert to_onnx(model, tmp_path / "student.onnx", X=TABLE) == tmp_path / "student.onnx"
    assert [path.name for path in tmp_path.iterdir()] == ["student.onnx"]
    teacher = load_teacher(tmp_path / "student.onnx")
    assert teacher.classes_.tolist() == ["no", "yes"] and teacher.kind == "probabilities"
    assert teacher.feature_names_in_.tolist() == TABLE.columns.tolist()
    for rows in (TABLE, polars.from_pandas(TABLE), TABLE[TABLE.columns[::-1]], odd_rows()):
        wanted = model.predict_proba(rows[TABLE.columns.tolist()])
        np.testing.assert_allclose(teacher.predict_proba(rows), wanted, **CLOSE)
    student = make_pipeline(TablePreprocessor(), net())
    again = DistilledClassifier(teacher, student, random_state=0).fit(TABLE, LABELS)
    assert again.teacher_ is teacher


def test_load_teacher_reads_numbers(tmp_path):
    model = regressor(REGRESSORS["ridge"]())
    to_onnx(model, tmp_path / "student.onnx", X=TABLE)
    teacher = load_teacher(tmp_path / "student.onnx")
    assert teacher.kind == "numbers"
    np.testing.assert_allclose(teacher.predict(TABLE), model.predict(TABLE), rtol=1e-6)


def test_load_teacher_reads_arrays(tmp_path):
    for X, path in ((ARRAY, "a.onnx"), (TABLE[["kind", "age"]].to_numpy(object), "b.onnx")):
        model = plain(make_pipeline(TablePreprocessor(), net()), X, LABELS)
        to_onnx(model, tmp_path / path, X=X)
        teacher = load_teacher(tmp_path / path)
        np.testing.assert_allclose(teacher.predict_proba(X), model.predict_proba(X), **CLOSE)
