"""Rows of several inputs: a fit is that on one array, which the module takes apart."""

import pickle
from collections import UserDict
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from skorch.callbacks import EpochScoring, GradientNormClipping
from skorch.helper import SliceDict
from torch import nn
from torch.utils.data import DataLoader

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.deployment import CascadeClassifier, inspect, load, quantize, save, to_onnx
from skdistill.evaluation import (
    adversarial_accuracy,
    diagnose,
    distillation_report,
    robustness_curve,
)
from skdistill.exceptions import ExportError, StudentError, TeacherError
from skdistill.losses import ARD, HintLoss
from skdistill.students import ImagePreprocessor, TablePreprocessor
from skdistill.targets import teacher_targets
from skdistill.teachers import load_teacher
from skdistill.transfer import VAE, Unlabeled

RNG = np.random.default_rng(0)
N = 120
IMAGES, TABLE = RNG.normal(size=(N, 4, 4)), RNG.normal(size=(N, 3))
Y = (IMAGES[:, 0].sum(axis=1) + 3 * TABLE[:, 0] > RNG.normal(scale=2, size=N)).astype(int)
X = {"image": IMAGES, "table": TABLE}
FLAT = np.hstack([IMAGES.reshape(N, 16), TABLE])
BEFORE = {name: part.copy() for name, part in X.items()}


class Two(nn.Module):
    """Reads the inputs as arguments, in another order than that of X."""

    def __init__(self, n_classes=2, width=8):
        super().__init__()
        self.image, self.table = nn.Linear(16, width), nn.Linear(3, width)
        self.head = nn.Linear(2 * width, n_classes)

    def forward(self, table, image):
        both = self.image(image.flatten(1)), self.table(table)
        return self.head(torch.cat(both, dim=1).relu())


class One(Two):
    """Reads all as one row."""

    def forward(self, rows):
        return super().forward(rows[:, 16:].contiguous(), rows[:, :16].contiguous())


class Named(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.layer = nn.Linear(3, n_classes)

    def forward(self, other):
        return self.layer(other)


class Wide(Named):
    def __init__(self, n_features, n_classes):
        super().__init__(n_classes)


class Embedded(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.word, self.head = nn.Embedding(7, 4), nn.Linear(7, n_classes)

    def forward(self, ids, table):
        return self.head(torch.cat([self.word(ids), table], dim=1))


def knowing(kind):
    """Return a module that knows by which numbers a row has its label."""
    module = kind(width=2)
    sign = torch.tensor([[1.0], [-1.0]])
    with torch.no_grad():
        for part in (module.image, module.table):
            part.weight.zero_()
            part.bias.zero_()
        module.image.weight[:, :4] = sign
        module.table.weight[:, :1] = 3 * sign
        module.head.weight.copy_(torch.tensor([[0.0] * 4, [1.0, -1.0, 1.0, -1.0]]))
        module.head.bias.zero_()
    return module


with torch.random.fork_rng():
    TEACHER, TWIN = knowing(Two), knowing(One)
net = partial(StudentNet, max_epochs=2)
table_alone = partial(FunctionTransformer, lambda rows: rows["table"])


def of_skorch(module):
    settings = {"criterion": nn.CrossEntropyLoss, "max_epochs": 3, "lr": 0.3, "verbose": 0}
    return NeuralNetClassifier(module, **settings)


def model(**params):
    return DistilledClassifier(
        **{"teacher": TEACHER, "student": net(Two), "random_state": 0, **params}
    )


def twin(**params):
    return model(**{"teacher": TWIN, "student": net(One), **params})


PAIRS = {
    "a fitted teacher": ({}, {}),
    "a cross-fitted teacher": (
        {"teacher": net(Two, max_epochs=20, lr=0.02), "cv": 3, "calibrate": True},
        {"teacher": net(One, max_epochs=20, lr=0.02), "cv": 3, "calibrate": True},
    ),
    "nets of skorch": tuple(
        {"teacher": of_skorch(kind), "student": of_skorch(kind), "cv": 2} for kind in (Two, One)
    ),
    "a forest that sees one of them": (
        {"teacher": make_pipeline(table_alone(), GaussianNB())},
        {"teacher": make_pipeline(FunctionTransformer(lambda rows: rows[:, 16:]), GaussianNB())},
    ),
    "an ensemble": ({"teacher": [TEACHER, TEACHER]}, {"teacher": [TWIN, TWIN]}),
    "batches of torch": tuple(
        {"student": net(kind, iterator_train=DataLoader, batch_size=16)} for kind in (Two, One)
    ),
    "callbacks": tuple(
        {"student": net(kind, callbacks=[EpochScoring("accuracy"), GradientNormClipping(1.0)])}
        for kind in (Two, One)
    ),
    "hidden layers": tuple({"feature_losses": [HintLoss("head", "head")]} for _ in range(2)),
    "double precision": tuple({"student": net(kind, dtype="float64")} for kind in (Two, One)),
}


@pytest.mark.filterwarnings("ignore:The teacher's log-loss")
@pytest.mark.parametrize(("params", "of_twin"), PAIRS.values(), ids=PAIRS)
def test_a_fit_is_that_on_one_array(params, of_twin):
    ours, other = model(**params).fit(X, Y), twin(**of_twin).fit(FLAT, Y)
    np.testing.assert_array_equal(ours.predict_proba(X), other.predict_proba(FLAT))
    assert ours.score(X, Y) == other.score(FLAT, Y)
    for name in X:
        np.testing.assert_array_equal(X[name], BEFORE[name])


def few(rows, n):
    return {name: part[:n] for name, part in rows.items()} if isinstance(rows, dict) else rows[:n]


GIVEN = {
    "weights": lambda rows: {"sample_weight": 1 + TABLE[:, 1] ** 2},
    "rows without labels": lambda rows: {"X_unlabeled": few(rows, 40)},
    "wrapped ones": lambda rows: {"X_unlabeled": Unlabeled(rows)},
    "rows held back": lambda rows: {"X_val": few(rows, 20), "y_val": Y[:20]},
    "answers": lambda rows: {
        "soft_targets": teacher_targets(TEACHER if isinstance(rows, dict) else TWIN, rows, Y)
    },
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_what_fit_takes_besides(given):
    teacher = None if "soft_targets" in given(X) else TEACHER
    ours = model(teacher=teacher).fit(X, Y, **given(X))
    other = twin(teacher=teacher and TWIN).fit(FLAT, Y, **given(FLAT))
    np.testing.assert_array_equal(ours.predict_proba(X), other.predict_proba(FLAT))


def test_numbers_are_learnt():
    first = FunctionTransformer(lambda rows: rows[:, 16:])
    both = [
        DistilledRegressor(make_pipeline(step, LinearRegression()), student, random_state=0)
        for step, student in (
            (table_alone(), StudentNetRegressor(Two, max_epochs=2)),
            (first, StudentNetRegressor(One, max_epochs=2)),
        )
    ]
    np.testing.assert_array_equal(
        both[0].fit(X, TABLE[:, 1]).predict(X), both[1].fit(FLAT, TABLE[:, 1]).predict(FLAT)
    )


@pytest.mark.changes_global_rng
def test_a_net_alone_learns_and_goes_on():
    ours, other = net(Two, train_split=None), net(One, train_split=None)
    for student, rows in ((ours, X), (other, FLAT)):
        torch.manual_seed(0)
        student.fit(rows, Y, X_val=few(rows, 20), y_val=Y[:20]).partial_fit(rows, Y)
    np.testing.assert_array_equal(ours.predict_proba(X), other.predict_proba(FLAT))
    other.set_params(module=Two).fit(X, Y).set_params(module=One).fit(FLAT, Y)
    assert other.n_features_in_ == 19


def test_a_student_of_one_of_them():
    student = make_pipeline(table_alone(), TablePreprocessor(), net())
    ours = model(student=student).fit(X, Y)
    targets = teacher_targets(TEACHER, X, Y)
    plain = make_pipeline(TablePreprocessor(), net())
    other = model(teacher=None, student=plain).fit(TABLE, Y, soft_targets=targets)
    np.testing.assert_array_equal(ours.predict_proba(X), other.predict_proba(TABLE))


def locked(rows):
    rows = {name: part.copy() for name, part in rows.items()}
    for part in rows.values():
        part.flags.writeable = False
    return rows


HELD = {
    "another order": lambda rows: dict(reversed(rows.items())),
    "read-only arrays": locked,
    "tensors": lambda rows: {name: torch.from_numpy(part) for name, part in rows.items()},
    "lists": lambda rows: {name: part.tolist() for name, part in rows.items()},
    "a SliceDict": lambda rows: SliceDict(**rows),
    "another mapping": UserDict,
    "columns first": lambda rows: {n: np.asfortranarray(part) for n, part in rows.items()},
}


@pytest.mark.parametrize("hold", HELD.values(), ids=HELD)
def test_what_holds_them_does_not_matter(hold):
    expected = model().fit(X, Y).predict_proba(X)
    np.testing.assert_array_equal(model().fit(hold(X), Y).predict_proba(hold(X)), expected)


def test_a_row_at_a_time():
    ours = model().fit(X, Y)
    each = [ours.predict_proba({n: part[[i]] for n, part in X.items()}) for i in range(5)]
    np.testing.assert_allclose(np.vstack(each), ours.predict_proba(X)[:5], atol=1e-6)


def test_searches_slice_a_dict():
    ours, rows, grid = model(teacher=FrozenEstimator(TEACHER)), SliceDict(**X), {"alpha": [0.2, 1]}
    scores = [
        search(one, grid, cv=2).fit(given, Y).cv_results_["mean_test_score"]
        for search, one, given in (
            (GridSearchCV, twin(), FLAT),
            (GridSearchCV, ours, rows),
            (DistillationSearchCV, ours, rows),
            (DistillationSearchCV, ours, X),
        )
    ]
    np.testing.assert_array_equal(scores, scores[:1] * 4)
    search = DistillationSearchCV(ours, grid, cv=2).fit(X, Y)
    assert search.trained_alone_ == ["its rows are a dict of several inputs"] * 2
    np.testing.assert_array_equal(
        cross_val_score(ours, rows, Y, cv=2), cross_val_score(twin(), FLAT, Y, cv=2)
    )


def test_reports_of_one_test_set_and_of_several():
    half, rest = few(X, 60), {name: part[60:] for name, part in X.items()}
    one = distillation_report(model(), half, Y[:60], rest, Y[60:])
    expected = distillation_report(twin(), FLAT[:60], Y[:60], FLAT[60:], Y[60:])
    np.testing.assert_array_equal(
        [row["log_loss"] for row in one.rows], [row["log_loss"] for row in expected.rows]
    )
    tests = {"a": rest, "b": half}
    several = distillation_report(model(), half, Y[:60], tests, {"a": Y[60:], "b": Y[:60]})
    np.testing.assert_array_equal(
        [row["log_loss"] for row in several["a"].rows], [row["log_loss"] for row in one.rows]
    )


def test_a_diagnosis_of_a_fitted_model():
    ours = model().fit(X, Y)
    assert diagnose(ours, X, Y, few(X, 50), Y[:50]).verdict
    narrow = {**X, "table": TABLE[:, :2]}
    with pytest.raises(ValueError, match=r"of 2 features.*fitted on.*'table' of 3 features"):
        diagnose(ours, narrow, Y, few(narrow, 50), Y[:50])


ASKED = []


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = TEACHER

    def forward(self, **inputs):
        ASKED.append(len(inputs["table"]))
        return self.layer(**inputs)


def test_answers_are_kept(tmp_path):
    ASKED.clear()
    ours = model(teacher=Counting(), memory=str(tmp_path))
    for rows in (X, dict(reversed(X.items())), HELD["columns first"](X), SliceDict(**X)):
        ours.fit(rows, Y)
    assert ASKED == [N]
    ours.fit({**X, "table": 1.01 * TABLE}, Y)
    assert ASKED == [N, N]


def test_whole_numbers_are_indices_where_there_is_an_embedding():
    rows = {"ids": np.arange(N) % 7, "table": TABLE}
    teacher = make_pipeline(table_alone(), GaussianNB())
    assert model(teacher=teacher, student=net(Embedded)).fit(rows, Y).predict(rows).shape == (N,)


def test_a_function_may_write_into_them():
    def answer(rows):
        rows["table"][:] = 0
        rows.pop("image")
        return np.full((N, 2), 0.5)

    model(teacher=answer, teacher_classes=[0, 1]).fit(X, Y)
    np.testing.assert_array_equal(X["table"], BEFORE["table"])
    assert list(X) == ["image", "table"]


# Shipped


@pytest.mark.parametrize("given", [net(Two), of_skorch(Two)], ids=["ours", "skorch"])
def test_saved_loaded_and_pickled(given, tmp_path):
    ours = model(student=given).fit(X, Y)
    path = save(ours, tmp_path / "two.safetensors")
    for copy in (
        load(path, module=Two if isinstance(given, StudentNet) else given),
        pickle.loads(pickle.dumps(ours)),
    ):
        np.testing.assert_array_equal(copy.predict_proba(X), ours.predict_proba(X))
        with pytest.raises(ValueError, match=r"X is an array.*fitted on a dict of the inputs"):
            copy.predict(FLAT)
    assert inspect(path).format == 2
    with pytest.raises(ExportError, match=r"a dict of the inputs.*Put the inputs side by side"):
        to_onnx(ours, tmp_path / "two.onnx")


@pytest.mark.changes_global_rng
def test_a_module_of_layers_alone_needs_no_class(tmp_path):
    with torch.random.fork_rng():
        ours = net(nn.Sequential(nn.Linear(3, 300), nn.ReLU(), nn.Linear(300, 2)))
    path = save(ours.fit({"input": TABLE}, Y), tmp_path / "one.safetensors")
    rows = {"input": TABLE}
    np.testing.assert_array_equal(load(path).predict_proba(rows), ours.predict_proba(rows))
    with pytest.raises(ValueError, match="fitted on a dict of the inputs 'input' of 3 features"):
        load(path).predict(TABLE)
    assert quantize(ours).predict(rows).shape == (N,)


def test_a_cascade():
    ours = model().fit(X, Y)
    cascade = CascadeClassifier(ours, TEACHER, threshold=2.0, confidence_score="margin")
    with torch.no_grad():
        said = TEACHER(**{n: torch.from_numpy(part).float() for n, part in X.items()})
    np.testing.assert_array_equal(cascade.predict(X), said.argmax(dim=1))


def test_teachers_from_files(tmp_path):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    weight = RNG.normal(size=(3, 2)).astype(np.float32)
    shapes = {"image": ["n", 4, 4], "table": ["n", 3]}
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("ReduceSum", ["image", "axes"], ["sum"], keepdims=0),
            onnx.helper.make_node("Unsqueeze", ["sum", "last"], ["column"]),
            onnx.helper.make_node("MatMul", ["table", "weight"], ["product"]),
            onnx.helper.make_node("Add", ["product", "column"], ["out"]),
        ],
        "two",
        [onnx.helper.make_tensor_value_info(n, 1, shape) for n, shape in shapes.items()],
        [onnx.helper.make_tensor_value_info("out", 1, ["n", 2])],
        [
            onnx.numpy_helper.from_array(weight, "weight"),
            onnx.numpy_helper.from_array(np.array([1, 2]), "axes"),
            onnx.numpy_helper.from_array(np.array([1]), "last"),
        ],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "two.onnx"
    )
    found = load_teacher(tmp_path / "two.onnx").run(SliceDict(**X))
    expected = TABLE @ weight + IMAGES.sum(axis=(1, 2))[:, None]
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("some", [{"image": torch.zeros(50, 4, 4), "table": torch.zeros(50, 3)}])
def test_an_exported_program_of_fixed_batches(some, tmp_path):
    torch.export.save(torch.export.export(TEACHER, (), some), tmp_path / "two.pt2")
    teacher = load_teacher(tmp_path / "two.pt2", trusted=True)
    np.testing.assert_allclose(
        teacher_targets(teacher, X, Y), teacher_targets(TEACHER, X, Y), atol=1e-6
    )


# What is refused


def fit(rows=X, y=Y, **params):
    return lambda: model(**params).fit(rows, y)


def other(**parts):
    return {**X, **parts}


def predict(rows):
    def attempt():
        student = make_pipeline(table_alone(), DecisionTreeClassifier(max_depth=1))
        model(student=student).fit(X, Y).predict(rows)

    return attempt


FITTED_ON = "fitted on a dict of the inputs 'image' of 4 features, 'table' of 3 features"
GAP = np.where(TABLE > 2, np.nan, TABLE)

REFUSED = {
    "none": (ValueError, fit({}), "a dict without inputs; expected an array.*Pass {'image'"),
    "other lengths": (ValueError, fit(other(table=TABLE[:9])),
                      r"different numbers of rows \({'image': 120, 'table': 9}\); expected the sa"),
    "other labels": (ValueError, fit(y=Y[1:]), "inconsistent numbers of samples"),
    "numbers as names": (TypeError, fit({0: IMAGES}), r"the key 0; expected.*DataFrame\(X\)"),
    "a table": (TypeError, fit(other(table=pd.DataFrame(TABLE))),
                r"X\['table'\] is of type DataFrame; expected an array.*X\['table'\].to_numpy\(\)"),
    "a sparse one": (TypeError, fit(other(table=sparse.csr_matrix(TABLE))),
                     r"X\['table'\] is of type csr_matrix; expected.*X\['table'\].toarray\(\)"),
    "a dict in it": (TypeError, fit(other(table={"a": TABLE})),
                     r"X\['table'\] is of type dict, and X a dict of inputs; expected an array"),
    "numbers": (TypeError, predict({"image": 1, "table": 2}),
                r"X\['image'\] is of type int, and X.*single one too: \[X\]"),
    "no rows": (ValueError, predict(few(X, 0)), r"0 sample\(s\)"),
    "strings": (StudentError, fit(other(table=np.full((N, 1), "a"))),
                "holds values that are no numbers.*StudentNet reads numbers alone. Put a step"),
    "texts": (StudentError, fit(other(table=np.array(["a"] * N))), "X holds texts.*Put a step"),
    "gaps": (StudentError, fit(other(table=GAP)), "contains NaN, and StudentNet.*Put a step"),
    "infinity": (ValueError, fit(other(table=np.full(N, np.inf))), r"X\['table'\] contains inf"),
    "names that forward lacks": (StudentError, fit(other(more=TABLE)),
        r"module Two cannot read a dict of the inputs.*argument 'more'. Its forward takes them by"),
    "names of another module": (StudentError, fit(student=net(Named)),
                                "module Named cannot read a dict.*argument 'image'. Its forward"),
    "the default student": (StudentError, fit(student=None),
        r"X is a dict of several inputs.*forward takes them.*StudentNet\(YourModule\).*DataFrame"),
    "no module": (StudentError, fit(student=net()), "X is a dict of several inputs.*YourModule"),
    "a width": (StudentError, fit(student=net(Wide)), r"module Wide needs \['n_features'\], a wid"),
    "a tree": (StudentError, fit(student=DecisionTreeClassifier()),
               r"and this student reads a table; expected one.*FunctionTransformer\(lambda X: X\["),
    "a table's step": (StudentError, fit(student=make_pipeline(TablePreprocessor(), net())),
                       "TablePreprocessor reads tables.*give a module that reads them"),
    "an image's step": (StudentError, fit(student=make_pipeline(ImagePreprocessor(), net())),
                        r"ImagePreprocessor reads numbers of shape.*got shape \(120,\)"),
    "a module of one row as teacher": (TeacherError, fit(teacher=TWIN),
                                       r"One cannot be asked about a dict.*argument 'image'"),
    "adversarial rows": (StudentError, fit(loss=ARD(epsilon=0.1)), "rows are a dict.*another loss"),
    "views": (StudentError, fit(student=net(Two, views="mixup")),
              r"views=\[Mixup\(\)\], and its rows are a dict.*expected dense.*Set views=None"),
    "to change": (ValueError, fit(augment="spunge"), "Spunge changes.*X is a dict of the inputs"),
    "to learn a density of": (ValueError, lambda: VAE().fit(X), "Got a dict of the inputs"),
    "without labels": (ValueError, lambda: model().fit(X, Y, X_unlabeled={"image": IMAGES}),
                       "X_unlabeled is a dict of the inputs 'image' of 4 features and X is a dict"),
    "held back": (ValueError, lambda: model().fit(X, Y, X_val=FLAT, y_val=Y), FITTED_ON),
    "one less at predict": (ValueError, predict({"image": IMAGES}), FITTED_ON),
    "one more at predict": (ValueError, predict(other(a=TABLE)), FITTED_ON),
    "another width": (ValueError, predict(other(table=TABLE[:, :2])), FITTED_ON),
    "an array at predict": (ValueError, predict(FLAT), f"X is an array.*{FITTED_ON}; expected the"),
    "a search": (ValueError, lambda: DistillationSearchCV(model(), {"alpha": [1]}).fit(
        other(table=TABLE[:9]), Y), "different numbers of rows"),
    "other test rows": (ValueError, lambda: distillation_report(
        model(), X, Y, {"image": IMAGES}, Y), "X_train is a dict.*X_test is a dict.*same features"),
    "labels of no test set": (ValueError, lambda: distillation_report(
        twin(), FLAT, Y, {"a": FLAT}, Y), "X_test of type dict and y_test of type ndarray"),
    "corrupted": (ValueError, lambda: robustness_curve(
        {"a": TEACHER}, X, Y, corruption="gaussian_noise"), "Got a dict of the inputs"),
    "attacked": (ValueError, lambda: adversarial_accuracy({"a": TEACHER}, X, Y, epsilon=0.1),
                 "X_test is a dict of the inputs.*an array is attacked"),
}  # fmt: skip


@pytest.mark.parametrize(("error", "attempt", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_before_training(error, attempt, message, refused):
    refused(error, attempt, message)


def test_the_input_is_named():
    with pytest.raises(StudentError) as refusal:
        model().fit(other(table=GAP), Y)
    assert refusal.value.__notes__ == ["This was found in X['table']."]


def test_a_teacher_of_numbers():
    with pytest.raises(TeacherError, match=r"LogisticRegression reads.*FunctionTransformer"):
        model(teacher=LogisticRegression()).fit(X, Y)


def test_a_clone_reads_other_rows():
    ours = clone(model().fit(X, Y)).set_params(teacher=TWIN, student=net(One)).fit(FLAT, Y)
    assert ours.predict(FLAT).shape == (N,)


def test_a_file_of_one_array(tmp_path):
    pytest.importorskip("onnxruntime")
    student = make_pipeline(StandardScaler(), net())
    fitted = model(teacher=None, alpha=0, student=student).fit(TABLE, Y)
    to_onnx(fitted, tmp_path / "table.onnx")
    teacher = load_teacher(tmp_path / "table.onnx")
    with pytest.raises(TeacherError, match=r"from a file reads one array, and X is a dict.*step"):
        teacher_targets(teacher, X, Y)
