"""Students of several labels of a row: saved, written as ONNX, served and made smaller."""

import csv
import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import hamming_loss, log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor
from skorch import NeuralNet
from torch import nn

from skdistill import DistilledClassifier, DistilledMultilabelClassifier, StudentNetMultilabel
from skdistill.__main__ import main
from skdistill.deployment import export, inspect, load, prune, quantize, save, to_onnx
from skdistill.exceptions import ExportError
from skdistill.students import MLP, SoftDecisionTree, TablePreprocessor
from skdistill.teachers import load_teacher

pd = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"age": RNG.normal(40, 9, 120), "kind": RNG.choice(["a", "b", None], 120)})
TABLE["many"] = [f"c{i % 23}" for i in range(120)]
TABLE.loc[::9, "age"] = np.nan
LABELS = pd.DataFrame({"old": TABLE["age"] > 40, "a kind": TABLE["kind"] == "a"}).astype(int)
LABELS["odd"] = ((TABLE["age"] > 45) | (TABLE["kind"] == "b")).astype(int)
NEW = TABLE.head(9).assign(
    kind=["new", *TABLE["kind"][1:9]], age=[1e12, np.nan, *TABLE["age"][2:9]]
)
ARRAY = RNG.normal(size=(120, 4))
CLOSE = {"rtol": 0, "atol": 5e-5}


class Mine(nn.Module):
    """A user's own module."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, 32), nn.Linear(32, n_classes)

    def forward(self, X):
        return self.last(torch.tanh(self.first(X)))


def net(*module, **settings):
    return StudentNetMultilabel(*module, max_epochs=2, batch_size=32, **settings)


def behind(student, **settings):
    return make_pipeline(TablePreprocessor(**settings), student)


def distilled(student, **settings):
    return DistilledMultilabelClassifier(student=student, alpha=0, random_state=0, **settings)


STUDENTS = {
    "the default": behind(net()),
    "members": behind(net(module__n_members=2)),
    "float64": behind(net(dtype="float64")),
    "an MLP": behind(net(MLP), max_one_hot=30),
    "a soft tree": behind(net(SoftDecisionTree(depth=3))),
    "a tree": behind(DecisionTreeRegressor(max_depth=3, random_state=0), max_one_hot=30),
    "a forest": behind(RandomForestRegressor(5, random_state=0), max_one_hot=30),
    "a line": behind(Ridge(), max_one_hot=30),  # beyond 0 and 1, which its student is not
}


@pytest.fixture(scope="module")
def model():
    teacher = RandomForestClassifier(10, random_state=0)
    teacher = behind(teacher, max_one_hot=30)
    model = DistilledMultilabelClassifier(teacher, behind(net()), random_state=0)
    return model.fit(TABLE, LABELS)


@pytest.mark.parametrize("kind", STUDENTS)
def test_what_is_loaded_answers_as_before(kind, tmp_path):
    model = distilled(clone(STUDENTS[kind])).fit(TABLE, LABELS)
    path = save(model, tmp_path / "student.safetensors")
    again = load(path)
    assert save(again, tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    for rows in (TABLE, NEW):
        assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
        assert np.array_equal(again.predict(rows), model.predict(rows))
    assert again.predict(NEW).dtype == model.predict(NEW).dtype
    assert [values.tolist() for values in again.classes_] == [[0, 1]] * 3
    assert again.score(TABLE, LABELS) == model.score(TABLE, LABELS)
    distilled(again).fit(TABLE, LABELS)


@pytest.mark.changes_global_rng  # by the modules that are made here
@pytest.mark.parametrize("kind", ["a class", "a net of skorch"])
def test_a_module_of_the_users_is_given_again(kind, tmp_path):
    own = {"a class": Mine, "a net of skorch": NeuralNet(Mine, nn.BCEWithLogitsLoss, max_epochs=2)}
    rows = ARRAY.astype(np.float32)
    student = net(Mine) if kind == "a class" else own[kind]
    model = distilled(student).fit(rows, LABELS)
    path = save(model, tmp_path / "student.safetensors")
    assert inspect(path).needs_module
    again = load(path, module=own[kind])
    assert np.array_equal(again.predict_proba(rows), model.predict_proba(rows))
    clone(again).fit(rows, LABELS)


@pytest.mark.changes_global_rng  # a plain fit without a seed
def test_what_is_loaded_can_learn_on(model, tmp_path):
    again = load(save(model, tmp_path / "student.safetensors"))
    before = again.predict_proba(TABLE)
    again[-1].partial_fit(again[:-1].transform(TABLE), LABELS)
    assert not np.array_equal(again.predict_proba(TABLE), before)
    assert np.array_equal(load(tmp_path / "student.safetensors").predict_proba(TABLE), before)


def test_whatever_holds_a_student_is_saved_alike(model, tmp_path):
    wanted = save(model, tmp_path / "a.safetensors").read_bytes()
    assert save(model.student_, tmp_path / "b.safetensors").read_bytes() == wanted
    search = GridSearchCV(distilled(net(MLP)), {"alpha": [0]}, cv=2, scoring="average_precision")
    around = make_pipeline(StandardScaler(), search).fit(ARRAY, LABELS)
    again = load(save(around, tmp_path / "c.safetensors"))
    assert np.array_equal(again.predict_proba(ARRAY), around.predict_proba(ARRAY))


NAMES = {
    "a table": (LABELS, ["old", "a kind", "odd"]),
    "numbers": (LABELS.set_axis([5, 3, 1], axis=1), [5, 3, 1]),
    "an array": (LABELS.to_numpy(), [0, 1, 2]),
    "twice the same": (LABELS.set_axis(["a", "b", "a"], axis=1), [0, 1, 2]),
}


@pytest.mark.parametrize("case", NAMES)
def test_inspect_names_the_labels(case, tmp_path):
    y, names = NAMES[case]
    model = distilled(net(MLP)).fit(ARRAY, y)
    summary = inspect(save(model, tmp_path / "student.safetensors"))
    assert (summary.kind, summary.classes) == ("multilabel classifier", names)
    assert f"labels: {names[0]}, {names[1]}, {names[2]}" in str(summary).splitlines()


def test_only_what_older_releases_do_not_know_is_of_a_newer_format(model, tmp_path):
    assert inspect(save(model, tmp_path / "labels.safetensors")).format == 2
    classes = DistilledClassifier(student=DecisionTreeRegressor(max_depth=1), alpha=0)
    classes.fit(ARRAY, LABELS["odd"])
    assert inspect(save(classes, tmp_path / "classes.safetensors")).format == 1
    formats = [
        json.loads(to_onnx(one, check=False).metadata_props[0].value)["format"]
        for one in (model, classes)
    ]
    assert formats == [2, 1]


def test_a_file_of_the_second_format_is_read():
    model = load(Path(__file__).with_name("format_2.safetensors"))
    rows = pd.DataFrame({"size": [0.5, -1, np.nan], "colour": ["red", None, "violet"]})
    expected = [[0.87375725, 0.96422671], [0.18619403, 0.68708577], [0.48214264, 0.62906217]]
    np.testing.assert_allclose(model.predict_proba(rows), expected, atol=1e-6)


# As ONNX.


def run(graph, rows):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(graph.SerializeToString())
    feeds = {
        name: rows[name].to_numpy(float)[:, None]
        if name == "age"
        else np.array([["" if v is None else v] for v in rows[name]], dtype=object)
        for name in rows
    }
    return session.run(["labels", "probabilities"], feeds)


@pytest.mark.parametrize("kind", STUDENTS)
def test_a_graph_answers_as_the_student_does(kind):
    pytest.importorskip("onnx")
    model = distilled(clone(STUDENTS[kind])).fit(TABLE, LABELS)
    graph = to_onnx(model, X=TABLE)
    for rows in (TABLE, NEW):
        labels, p = run(graph, rows)
        wanted = model.predict_proba(rows)
        np.testing.assert_allclose(p, wanted, **CLOSE)
        is_sure = np.abs(wanted - 0.5) > 5e-5
        assert labels.dtype == np.int64
        np.testing.assert_array_equal(labels[is_sure], model.predict(rows)[is_sure])


def test_a_graph_with_other_labels_is_refused(model, monkeypatch):
    onnx = pytest.importorskip("onnx")
    make, other = onnx.helper.make_node, {"Greater": "Less"}
    monkeypatch.setattr(
        onnx.helper, "make_node", lambda op, *more, **a: make(other.get(op, op), *more, **a)
    )
    with pytest.raises(ExportError, match=r"where the student says .*, with another label"):
        to_onnx(model, X=TABLE)


def test_load_teacher_reads_the_graph(model, tmp_path):
    pytest.importorskip("onnxruntime")
    to_onnx(model, tmp_path / "student.onnx", X=TABLE)
    teacher = load_teacher(tmp_path / "student.onnx")
    tree = behind(DecisionTreeRegressor(max_depth=3, random_state=0), max_one_hot=30)
    again = DistilledMultilabelClassifier(teacher, tree, alpha=1).fit(TABLE, LABELS)
    given = DistilledMultilabelClassifier(student=tree, alpha=1)
    given.fit(TABLE, LABELS, soft_targets=model.predict_proba(TABLE))
    np.testing.assert_allclose(again.predict_proba(TABLE), given.predict_proba(TABLE), **CLOSE)


# As a folder that serves.


def script_of(folder):
    name = f"labels_{folder.parent.name}_{folder.name}"
    spec = importlib.util.spec_from_file_location(name, folder / "predict.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.mark.parametrize("runtime", ["onnx", "numpy"])
def test_a_folder_answers_with_the_labels_of_a_row(model, runtime, tmp_path):
    pytest.importorskip("onnxruntime")
    folder = export(model, tmp_path / "bundle", X=TABLE, y=LABELS, runtime=runtime)
    script, wanted = script_of(folder), model.predict_proba(TABLE)
    answers = script.predict(TABLE.to_dict("records"))
    got = np.array([list(one["probabilities"].values()) for one in answers])
    np.testing.assert_allclose(got, wanted, **CLOSE)
    for answer, row in zip(answers, got, strict=True):
        assert answer["labels"] == [n for n, p in zip(LABELS, row, strict=True) if p > 0.5]
    assert list(answers[0]["probabilities"]) == ["old", "a kind", "odd"]
    alone = script.predict(TABLE.iloc[3].to_dict())
    assert alone["labels"] == answers[3]["labels"]
    assert script.self_test(script.load()) <= 5e-5
    TABLE.to_csv(tmp_path / "rows.csv", index=False)
    command = [sys.executable, folder / "predict.py", tmp_path / "rows.csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    head, *rows = csv.reader(io.StringIO(done.stdout))
    assert head[:4] == ["has old", "has a kind", "has odd", "probability of old"]
    np.testing.assert_array_equal(np.array(rows, float)[:, :3], got > 0.5)
    np.testing.assert_allclose(np.array(rows, float)[:, 3:], got, rtol=1e-6)


def test_the_card_has_the_figures_of_labels(model, tmp_path):
    pytest.importorskip("onnxruntime")
    turned = LABELS[LABELS.columns[::-1]]  # columns are found by their names
    card = (export(model, tmp_path / "bundle", X=TABLE, y=turned) / "README.md").read_text()
    p, y = model.predict_proba(TABLE), LABELS.to_numpy()
    losses = [log_loss(y[:, i], p[:, i]) for i in range(3)]
    for line in (
        f"| rows with all labels right | {model.score(TABLE, LABELS):.4f} |",
        f"| labels right | {1 - hamming_loss(y, p > 0.5):.4f} |",
        f"| log-loss, mean of the labels | {np.mean(losses):.4f} |",
        "the probability of each of 3 labels, of which it may have several: 'old', 'a kind', 'odd'",
    ):
        assert line in card
    assert "right" not in (export(model, tmp_path / "alone", X=TABLE) / "README.md").read_text()


REFUSED = {
    "labels of another number": (LABELS.to_numpy()[:, :2], "y has 2 columns; expected 3"),
    "a label for each row": (LABELS["odd"], r"shape \(120,\).*expected 0 and 1"),
    "other values": (LABELS + 1, "expected 0 and 1"),
    "other rows": (LABELS[:50], "inconsistent numbers of samples"),
    "other names": (LABELS.set_axis(["a", "b", "c"], axis=1), "has the columns .*same names"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_labels_that_a_card_cannot_count(case, model, refused, tmp_path):
    pytest.importorskip("onnxruntime")
    y, message = REFUSED[case]
    refused(ValueError, lambda: export(model, tmp_path / "new", X=TABLE, y=y), message)
    assert list(tmp_path.iterdir()) == []


# Smaller, and from the command line.


@pytest.mark.parametrize("weights", ["int8", "float16"])
def test_weights_in_fewer_bytes(weights, model, tmp_path):
    small, before = quantize(model, weights), model.predict_proba(TABLE)
    path = save(small, tmp_path / "small.safetensors")
    assert np.array_equal(load(path).predict_proba(TABLE), small.predict_proba(TABLE))
    assert 0 < np.abs(small.predict_proba(TABLE) - before).max() < 0.02
    assert np.array_equal(model.predict_proba(TABLE), before)
    whole = save(model, tmp_path / "whole.safetensors").stat().st_size
    assert path.stat().st_size < {"int8": 0.3, "float16": 0.55}[weights] * whole
    assert inspect(path).weights == weights


def test_fewer_units(model, tmp_path):
    small = prune(model, TABLE, LABELS, amount=0.75, max_epochs=1)
    path = save(small, tmp_path / "small.safetensors")
    assert inspect(path).n_parameters < 0.3 * sum(
        weights.numel() for weights in model.student_[-1].module_.parameters()
    )
    assert np.array_equal(load(path).predict_proba(NEW), small.predict_proba(NEW))


@pytest.mark.parametrize("kind", ["the default", "a tree"])
def test_the_command_line_answers_for_each_label(kind, tmp_path, capsys, monkeypatch):
    model = distilled(clone(STUDENTS[kind])).fit(TABLE, LABELS)
    path = save(model, tmp_path / "student.safetensors")
    TABLE.to_csv(tmp_path / "rows.csv", index=False)
    if kind == "the default":  # which NumPy computes
        monkeypatch.setattr("skdistill.deployment.load", lambda path: pytest.fail("torch"))
    assert main(["predict", str(path), str(tmp_path / "rows.csv")]) == 0
    found = pd.read_csv(io.StringIO(capsys.readouterr().out))
    names = [f"prediction_{n}" for n in LABELS] + [f"p({n})" for n in LABELS]
    assert found.columns.tolist() == names
    wanted = model.predict_proba(TABLE)
    np.testing.assert_allclose(found.iloc[:, 3:], wanted, **CLOSE)
    is_sure = np.abs(wanted - 0.5) > 5e-5
    np.testing.assert_array_equal(
        found.iloc[:, :3].to_numpy()[is_sure], model.predict(TABLE)[is_sure]
    )


def test_the_command_line_exports_without_a_target_alone(model, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    path = save(model, tmp_path / "student.safetensors")
    TABLE.assign(odd=1).to_csv(tmp_path / "rows.csv", index=False)
    command = ["export", str(path), str(tmp_path / "rows.csv"), "-o", str(tmp_path / "bundle")]
    assert main([*command, "--target", "odd"]) == 2
    assert "may have several labels; expected none" in capsys.readouterr().err
    assert main(command) == 0
    assert script_of(tmp_path / "bundle").predict(TABLE.iloc[0].to_dict())["probabilities"]
