"""What cannot be written as ONNX, and what of other people's files misleads."""

import json
import sys

import numpy as np
import pytest
import torch
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import CascadeClassifier, to_onnx
from skdistill.exceptions import ExportError, TeacherError, TeacherWarning
from skdistill.students import MLP, TablePreprocessor
from skdistill.teachers import load_teacher

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

X = np.random.default_rng(0).normal(size=(60, 4))
Y = np.arange(60) % 2
TEXTS = ["a good one", "a bad one"] * 30
KEEPS = "skdistill.deployment.save"


class Untraceable(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, X):
        return self.layer(X) if X.sum() > 0 else self.layer(-X)


class Sorting(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, X):
        return self.layer(torch.sort(X, dim=1).values)


class Alone(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4, 2))

    def forward(self, X):
        return X @ self.weight


def seeded(module):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return module()


def export(student, rows=X, **settings):
    """Return an attempt to write a student that is fitted before."""
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(rows, Y)
    return lambda: to_onnx(model, X=settings.pop("X", rows), **settings)


def net(module=MLP):
    return StudentNet(module, max_epochs=1)


FITTED = LogisticRegression().fit(X, Y)
HASHED = "HashingVectorizer cannot.*expected one of .*hashed by no operator.*export the rest of.*"

REFUSED = {
    "not fitted": (NotFittedError, lambda: lambda: to_onnx(DistilledClassifier()), "fit"),
    "a teacher": (
        TypeError,
        lambda: lambda: to_onnx(FITTED),
        "LogisticRegression; expected a fitted DistilledClassifier.*Fit a student",
    ),
    "a class": (
        TypeError,
        lambda: lambda: to_onnx(DistilledClassifier),
        "the class DistilledClassifier; expected a fitted.*Fit a student",
    ),
    "a cascade": (
        TypeError,
        lambda: lambda: to_onnx(CascadeClassifier(FITTED, FITTED, threshold=0.5)),
        "given CascadeClassifier, which asks a teacher.*expected the student alone.*Give its stud",
    ),
    "texts": (ExportError, lambda: export(None, TEXTS), HASHED + KEEPS),
    "another step": (
        ExportError,
        lambda: export(make_pipeline(PCA(2, random_state=0), net())),
        f"step PCA cannot.*expected one of .*TablePreprocessor.*{KEEPS}",
    ),
    "columns put together": (
        ExportError,
        lambda: export(make_pipeline(make_column_transformer(("passthrough", [0, 1])), net())),
        f"step ColumnTransformer cannot.*{KEEPS}",
    ),
    "marks of gaps": (
        ExportError,
        lambda: export(make_pipeline(SimpleImputer(add_indicator=True), net())),
        f"SimpleImputer.*expected a SimpleImputer of numbers that fills NaN.*{KEEPS}",
    ),
    "another estimator": (
        ExportError,
        lambda: export(GradientBoostingClassifier(n_estimators=2, random_state=0)),
        f"GradientBoostingClassifier cannot.*expected a network, or a linear model.*{KEEPS}",
    ),
    "categories of boosting": (
        ExportError,
        lambda: export(
            HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]), X.round()
        ),
        f"reads categories by itself.*expected numbers.*TablePreprocessor.*{KEEPS}",
    ),
    "a decision on the data": (
        ExportError,
        lambda: export(net(seeded(Untraceable))),
        f"Untraceable cannot be written as ONNX.*Expected layers.*{KEEPS}.*pip install onnxscript",
    ),
    "a step of a module": (
        ExportError,
        lambda: export(net(seeded(Sorting))),
        f"Sorting.*its step.*has no counterpart.*expected layers.*{KEEPS}.*pip install onnxscript",
    ),
    "a layer of one's own": (
        ExportError,
        lambda: export(net(seeded(Alone))),
        f"The layer Alone.*expected layers.*{KEEPS}",
    ),
    "a layer's settings": (
        ExportError,
        lambda: export(
            net(seeded(lambda: nn.Sequential(nn.Linear(4, 2), nn.GELU("tanh"), nn.Linear(2, 2))))
        ),
        f"GELU.*with an approximation.*expected layers.*{KEEPS}",
    ),
    "a precision that onnxruntime lacks": (
        ExportError,
        lambda: export(
            StudentNet(
                seeded(lambda: nn.Sequential(nn.Linear(4, 2), nn.GELU(), nn.Linear(2, 2))),
                max_epochs=1,
                dtype="float64",
            )
        ),
        f"onnxruntime cannot run.*Erf.*expected layers.*dtype='float32'.*{KEEPS}",
    ),
    "a name that says nothing": (
        ValueError,
        lambda: export(net(), path="student.bin"),
        "ends in '.bin'; expected '.onnx'.*Name it 'student.onnx'",
    ),
    "no path": (TypeError, lambda: export(net(), path=3), "path=3.*expected the path of a file"),
    "no folder": (
        FileNotFoundError,
        lambda: export(net(), path="nowhere/student.onnx"),
        "'nowhere', which is no folder; expected a file in a folder.*Make the folder",
    ),
    "other rows": (ValueError, lambda: export(net(), X=X[:, :2]), "2 features, but .* 4 features"),
}


@pytest.fixture
def attempt(case):
    return REFUSED[case][1]()  # fitted before the trainings are counted


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, attempt, refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)  # as if it were missing
    error, _, message = REFUSED[case]
    refused(error, attempt, message)


WRITTEN_BY_TORCH = {
    "a step of a module": Sorting,
    "a layer of one's own": Alone,
    "a layer's settings": lambda: nn.Sequential(nn.Linear(4, 2), nn.GELU("tanh"), nn.Linear(2, 2)),
}


@pytest.mark.slow  # torch takes its seconds
@pytest.mark.parametrize("case", WRITTEN_BY_TORCH)
def test_what_is_not_followed_is_written_by_torch(case, tmp_path, capfd):
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs it")
    student = make_pipeline(TablePreprocessor(), net(seeded(WRITTEN_BY_TORCH[case])))
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, Y)
    to_onnx(model, tmp_path / "student.onnx", X=X)
    assert capfd.readouterr() == ("", "")
    again = load_teacher(tmp_path / "student.onnx").predict_proba(X)
    np.testing.assert_allclose(again, model.predict_proba(X), rtol=0, atol=5e-5)


def test_another_answer_is_refused_with_its_row(tmp_path):
    model = DistilledClassifier(student=net(), alpha=0, random_state=0).fit(X, Y)
    before = model.predict_proba(X)
    model.student_.module_.__class__ = MLP  # the exact class that is written layer by layer
    hook = model.student_.module_.register_forward_hook(lambda module, rows, outputs: 3 * outputs)
    moved = np.abs(model.predict_proba(X) - before).max(axis=1)
    message = rf"Row {np.argmax(moved)} of X gives .* where the student says .*expected at most"
    with pytest.raises(ExportError, match=message):
        to_onnx(model, tmp_path / "student.onnx", X=X)
    assert list(tmp_path.iterdir()) == []
    assert to_onnx(model, X=X, check=False).graph.node
    hook.remove()
    to_onnx(model, X=X)


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_a_missing_extra_is_named(monkeypatch, missing):
    model = DistilledClassifier(student=net(), alpha=0, random_state=0).fit(X, Y)
    monkeypatch.setitem(__import__("sys").modules, missing, None)
    with pytest.raises(ImportError, match=rf'{missing}, which.*pip install "skdistill\[onnx\]"'):
        to_onnx(model, X=X)


def test_a_file_that_was_there_stays_when_the_new_one_is_refused(tmp_path):
    path = tmp_path / "student.onnx"
    path.write_bytes(b"before")
    model = DistilledClassifier(student=net(seeded(Untraceable)), alpha=0, random_state=0)
    model.fit(X, Y)
    with pytest.raises(ExportError):
        to_onnx(model, path)
    assert path.read_bytes() == b"before"


# Read back.


def tampered(tmp_path, **changes):
    model = DistilledClassifier(student=net(), alpha=0, random_state=0).fit(X, Y)
    written = to_onnx(model, X=X)
    said = json.loads(written.metadata_props[0].value) | changes
    written.metadata_props[0].value = json.dumps(said)
    path = tmp_path / "student.onnx"
    path.write_bytes(written.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "later format than 2; expected .* Install a later skdistill"),
        ({"columns": 3}, "metadata 'skdistill' cannot be read.*Write the file again"),
        (
            {"columns": [{"name": "a", "input": "a", "kind": "numbers"}]},
            r"name other columns than its inputs \['X'\].*Write the file again",
        ),
        ({"format": None}, "metadata 'skdistill' cannot be read.*Write the file again"),
    ],
)
def test_metadata_that_cannot_be_read(tmp_path, changes, message):
    with pytest.raises(TeacherError, match=message):
        load_teacher(tampered(tmp_path, **changes))


def test_a_table_without_a_column_is_refused(tmp_path):
    import pandas as pd

    table = pd.DataFrame(X, columns=list("abcd"))
    model = DistilledClassifier(student=net(), alpha=0, random_state=0).fit(table, Y)
    to_onnx(model, tmp_path / "student.onnx", X=table)
    teacher = load_teacher(tmp_path / "student.onnx")
    with pytest.raises(TeacherError, match=r"X has none called \['b'\]; expected a table"):
        teacher.predict_proba(table.drop(columns="b"))
    with pytest.raises(TeacherError, match=r"reads 4 columns, and X has the shape \(60, 3\)"):
        teacher.predict_proba(X[:, :3])


def test_gaps_in_the_texts_of_other_peoples_models_are_warned_of(tmp_path):
    import pandas as pd

    make = onnx.helper
    floats, texts = onnx.TensorProto.FLOAT, onnx.TensorProto.STRING
    encode = make.make_node(
        "LabelEncoder",
        ["town"],
        ["code"],
        domain="ai.onnx.ml",
        keys_strings=["a", "b"],
        values_floats=[0.2, 0.7],
        default_float=0.9,
    )
    both = make.make_node("Concat", ["code", "size"], ["probabilities"], axis=1)
    graph = make.make_graph(
        [encode, both],
        "graph",
        [
            make.make_tensor_value_info("town", texts, ["n", 1]),
            make.make_tensor_value_info("size", floats, ["n", 1]),
        ],
        [make.make_tensor_value_info("probabilities", floats, ["n", 2])],
    )
    opsets = [make.make_opsetid("", 17), make.make_opsetid("ai.onnx.ml", 3)]
    onnx.save(make.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "a.onnx")
    teacher = load_teacher(tmp_path / "a.onnx")
    table = pd.DataFrame({"town": ["a", "b"], "size": [0.8, 0.3]})
    np.testing.assert_allclose(teacher.predict_proba(table), [[0.2, 0.8], [0.7, 0.3]], rtol=1e-6)
    table.loc[0] = [None, 0.1]
    with pytest.warns(TeacherWarning, match="'town', and 1 of 2 rows have a gap.*Fill the gaps"):
        np.testing.assert_allclose(teacher.predict_proba(table)[0], [0.9, 0.1], rtol=1e-6)
