"""Folders that serve a student: what their script answers, beside what the student says."""

import csv
import importlib.util
import io
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.datasets import make_friedman1
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, log_loss, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.deployment import export
from skdistill.exceptions import ExportError
from skdistill.students import (
    MLP,
    ConvNet,
    ImagePreprocessor,
    SoftDecisionTree,
    TablePreprocessor,
)
from skdistill.teachers import load_teacher

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

ARRAY, NUMBERS = make_friedman1(120, n_features=4 + 1, random_state=0)
FILES = {
    *("README.md", "predict.py", "requirements.txt", "schema.json", "self_test.json"),
    "student.onnx",
}
CLOSE = {"rtol": 0, "atol": 5e-5}


def make_table():
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": random.integers(17, 90, 120).astype(float),
            "member": random.choice([True, False], 120),
            "kind": random.choice(["a", "b, or c", None], 120),
            "rooms": pd.array(random.choice([1, 2, 3], 120)).astype("str"),
        }
    )
    table.loc[::9, "age"] = np.nan
    return table, np.where((table["age"] > 45) ^ (table["kind"] == "a"), "yes", "no")


TABLE, LABELS = make_table()


def net(*module):
    return StudentNet(*module, max_epochs=2, batch_size=32)


def fit(student, X=TABLE, y=LABELS):
    return DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)


def fit_regressor(X, y):
    student = make_pipeline(TablePreprocessor(max_one_hot=50), Ridge())
    return DistilledRegressor(student=student, alpha=0, random_state=0).fit(X, y)


@pytest.fixture(scope="module")
def model():
    return fit(make_pipeline(TablePreprocessor(), net()))


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return export(model, tmp_path_factory.mktemp("served") / "bundle", X=TABLE, y=LABELS)


def script_of(folder):
    """Import the script of a folder, as a service beside it does."""
    spec = importlib.util.spec_from_file_location(f"served_{folder.name}", folder / "predict.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def run(folder, *arguments):
    command = [sys.executable, folder / "predict.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder.parent, timeout=60)


def test_the_folder_is_whole(folder):
    names = {path.name for path in folder.iterdir()}
    assert names - {"__pycache__"} == FILES  # which Python writes where its script is imported
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_dicts_are_answered_as_the_student_answers(model, folder):
    predict = script_of(folder).predict
    wanted = model.predict_proba(TABLE)
    answers = predict(TABLE.to_dict("records"))
    got = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(got, wanted, **CLOSE)
    assert [answer["label"] for answer in answers] == model.predict(TABLE).tolist()
    assert list(answers[0]["probabilities"]) == ["no", "yes"]
    alone = predict({**TABLE.iloc[3].to_dict(), "a column of others": object()})
    np.testing.assert_allclose(list(alone["probabilities"].values()), wanted[3], **CLOSE)
    assert predict([]) == []


@pytest.mark.parametrize(
    ("cells", "same"),
    [
        ({"age": "39"}, {"age": 39.0}),
        ({"age": np.float32(39)}, {"age": 39.0}),
        ({"age": None}, {"age": np.nan}),
        ({"age": ""}, {"age": np.nan}),
        ({"age": pd.NA}, {"age": np.nan}),
        ({"member": "True"}, {"member": True}),
        ({"member": "false"}, {"member": 0}),
        ({"kind": np.nan}, {"kind": None}),
        ({"kind": ""}, {"kind": None}),
        ({"kind": "never seen"}, {"kind": "nor was this"}),
        ({"rooms": 2}, {"rooms": "2"}),
        ({"rooms": 2.0}, {"rooms": "2"}),
    ],
)
def test_cells_that_are_the_same(model, folder, cells, same):
    row = {"age": 50.0, "member": True, "kind": "a", "rooms": "1"}
    predict = script_of(folder).predict
    answer = predict({**row, **cells})
    assert answer == predict({**row, **same})
    wanted = model.predict_proba(pd.DataFrame([{**row, **same}]))[0]
    np.testing.assert_allclose(list(answer["probabilities"].values()), wanted, **CLOSE)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"age": 1.0, "kind": "a", "rooms": "1"},
            "Row 0 has no 'member'; expected.*None",
        ),
        (
            {"age": "old", "member": 1, "kind": "a", "rooms": "1"},
            "'age' cannot.*'old'.*expected",
        ),
        (
            {"age": np.inf, "member": 1, "kind": "a", "rooms": "1"},
            "'age' cannot.*inf.*expected a",
        ),
        ({"age": [1], "member": 1, "kind": "a", "rooms": "1"}, "'age' cannot.*expected a dict"),
        ([1.0, True, "a", "1"], "'age' cannot be read.*expected a dict for each row"),
        (3, "'age' cannot be read.*expected a dict for each row"),
        (None, "'age' cannot be read.*expected a dict for each row"),
    ],
)
def test_rows_that_are_refused(folder, row, message):
    with pytest.raises(ValueError, match=message):
        script_of(folder).predict([row] if isinstance(row, list) else row)


def test_a_table_is_answered_from_the_shell(model, folder, tmp_path):
    TABLE.assign(more=1).to_csv(tmp_path / "rows.csv", index=False)
    done = run(folder, tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr
    head, *rows = csv.reader(io.StringIO(done.stdout))
    assert head == ["label", "probability of no", "probability of yes"]
    assert [row[0] for row in rows] == model.predict(TABLE).tolist()
    got = [[float(p) for p in row[1:]] for row in rows]
    np.testing.assert_allclose(got, model.predict_proba(TABLE), **CLOSE)


def test_what_the_shell_cannot_answer(folder, tmp_path):
    (tmp_path / "empty.csv").write_text("age,member,kind,rooms\n")
    (tmp_path / "narrow.csv").write_text("age\n3\n")
    row = "3,True,a,1"
    (tmp_path / "long.csv").write_text(f"age,member,kind,rooms\n{row}\n{row},b\n")
    (tmp_path / "short.csv").write_text(f"age,member,kind,rooms\n{row}\n3,Tr")
    (tmp_path / "twice.csv").write_text(f"age,age,member,kind,rooms\n4,{row}\n")
    (tmp_path / "latin.csv").write_bytes(b"age,member,kind,rooms\n3,True,\xe9,1\n")
    (tmp_path / "endless.csv").write_text(f"age,member,kind,rooms\n3,True,{'a' * 2**18},1\n")
    for name, message in (
        ("empty.csv", "no rows below its header"),
        ("narrow.csv", "Row 0 has no 'member'"),
        ("nowhere.csv", "No such file"),
        ("long.csv", "has 5 fields; expected 4, as its header. Put texts with commas into quotes"),
        ("short.csv", "Row 1 of"),
        ("twice.csv", "names a column twice"),
        ("latin.csv", "expected a CSV file in UTF-8"),
        ("endless.csv", "field larger than field limit"),
    ):
        done = run(folder, tmp_path / name)
        assert done.returncode == 1 and message in done.stderr and "Trace" not in done.stderr
    assert run(folder).returncode == 2


def test_the_self_test_passes_and_fails(folder, tmp_path):
    done = run(folder, "--self-test")
    assert done.returncode == 0 and done.stdout.startswith("passed")
    for name in FILES:
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    kept = json.loads((tmp_path / "self_test.json").read_text())
    kept["answers"][2][0] += 1e-3
    (tmp_path / "self_test.json").write_text(json.dumps(kept))
    done = run(tmp_path, "--self-test")
    assert done.returncode == 1 and done.stdout.startswith("FAILED: at most 1.0e-03 off")


def loaded_by(folder, *more):
    """Return which packages a process has loaded that has answered, as a list in a text."""
    unwanted = ("torch", "sklearn", "skdistill", "pandas", "scipy", "onnx", *more)
    check = (
        "import sys; sys.path.insert(0, sys.argv[1]); import predict\n"
        "predict.predict({'age': 1, 'member': True, 'kind': None, 'rooms': '1'})\n"
        f"print([name for name in {unwanted} if name in sys.modules])"
    )
    command = [sys.executable, "-c", check, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_the_script_needs_neither_torch_nor_scikit_learn(folder):
    assert loaded_by(folder) == "[]"


def test_nothing_of_the_users_rows_is_kept(folder):
    kept = json.loads((folder / "self_test.json").read_text())["rows"]
    assert len(kept) == 8
    assert not {row["age"] for row in kept} & set(TABLE["age"].tolist())


def test_the_schema_describes_a_row(folder):
    schema = json.loads((folder / "schema.json").read_text())
    assert schema["required"] == TABLE.columns.tolist()
    assert schema["properties"]["age"] == {"type": ["number", "null"]}
    assert schema["properties"]["member"] == {"type": ["number", "boolean", "null"]}
    assert schema["properties"]["kind"]["examples"] == ["a", "b, or c"]
    for row in json.loads((folder / "self_test.json").read_text())["rows"]:
        assert list(row) == schema["required"]


def test_the_card_has_the_figures(model, folder):
    card = (folder / "README.md").read_text()
    accuracy = accuracy_score(LABELS, model.predict(TABLE))
    loss = log_loss(LABELS, model.predict_proba(TABLE))
    assert f"| accuracy | {accuracy:.4f} |" in card and f"| log-loss | {loss:.4f} |" in card
    assert "`self_test.json` holds whole ones" in card
    assert "'no', 'yes'" in card and "- `kind`: a category" in card


def test_the_graph_of_a_folder_is_a_teacher(model, folder):
    teacher = load_teacher(folder / "student.onnx")
    np.testing.assert_allclose(teacher.predict_proba(TABLE), model.predict_proba(TABLE), **CLOSE)


def test_rows_without_names(tmp_path):
    y = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.3, 0.7]))
    model = fit(make_pipeline(TablePreprocessor(), net()), ARRAY, y)
    folder = export(model, tmp_path / "bundle", X=ARRAY)
    script, wanted = script_of(folder), model.predict_proba(ARRAY)
    answers = script.predict(ARRAY)
    got = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(got, wanted, **CLOSE)
    assert answers[0]["label"] == model.predict(ARRAY)[0] and list(answers[0]["probabilities"]) == [
        0,
        1,
        2,
    ]
    assert script.predict(ARRAY[4].tolist()) == script.predict(ARRAY[4:5])[0]
    with pytest.raises(ValueError, match=r"array of shape \(2, 3\); expected .* shape \[5\]"):
        script.predict(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"no arrays of numbers of one shape.*expected"):
        script.predict([["a"] * 5])
    pd.DataFrame(ARRAY).to_csv(tmp_path / "rows.csv", index=False)
    done = run(folder, tmp_path / "rows.csv")
    assert len(done.stdout.splitlines()) == 121
    assert run(folder, "--self-test").returncode == 0
    assert "accuracy" not in (folder / "README.md").read_text()
    schema = json.loads((folder / "schema.json").read_text())
    assert (schema["minItems"], schema["items"]) == (5, {"type": ["number", "null"]})


def test_images(tmp_path):
    X = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8)).astype(np.uint8)
    model = fit(make_pipeline(ImagePreprocessor(), net(ConvNet)), X, np.arange(40) % 3)
    folder = export(model, tmp_path / "bundle", X=X, y=np.arange(40) % 3)
    answer = script_of(folder).predict(X[0])
    np.testing.assert_allclose(
        list(answer["probabilities"].values()), model.predict_proba(X[:1])[0], **CLOSE
    )
    assert run(folder, "--self-test").returncode == 0


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers(tmp_path, n_outputs):
    y = 1e4 * NUMBERS if n_outputs == 1 else np.stack([NUMBERS, 1e-4 * NUMBERS], axis=1)
    model = fit_regressor(TABLE, y)
    folder = export(model, tmp_path / "bundle", X=TABLE, y=y)
    answers = script_of(folder).predict(TABLE.to_dict("records"))
    got, wanted = np.array([one["prediction"] for one in answers]), model.predict(TABLE)
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert run(folder, "--self-test").returncode == 0
    assert f"| R² | {r2_score(y, wanted):.4f} |" in (folder / "README.md").read_text()
    TABLE.to_csv(tmp_path / "rows.csv", index=False)
    assert len(run(folder, tmp_path / "rows.csv").stdout.splitlines()[1].split(",")) == n_outputs


SERVED_BY_NUMPY = {
    "default": lambda: make_pipeline(TablePreprocessor(), net()),
    "members": lambda: make_pipeline(
        TablePreprocessor(max_one_hot=2), StudentNet(max_epochs=2, module__n_members=3)
    ),
    "soft tree": lambda: make_pipeline(TablePreprocessor(), net(SoftDecisionTree(depth=3))),
    "logistic regression": lambda: make_pipeline(TablePreprocessor(), LogisticRegression()),
    "probabilities of a ridge": lambda: make_pipeline(TablePreprocessor(), Ridge()),
}


@pytest.mark.parametrize("name", SERVED_BY_NUMPY)
def test_numpy_alone_answers_as_the_student_does(tmp_path, name):
    model = fit(SERVED_BY_NUMPY[name]())
    folder = export(model, tmp_path / "bundle", X=TABLE, y=LABELS, runtime="numpy")
    assert {path.name for path in folder.iterdir()} == FILES - {"student.onnx"} | {"student.npz"}
    assert "onnxruntime" not in (folder / "requirements.txt").read_text()
    script = script_of(folder)
    rows = pd.concat([TABLE, TABLE.assign(age=1e12, kind="never seen"), TABLE.assign(age=np.nan)])
    answers = script.predict(rows.to_dict("records"))
    got = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(got, model.predict_proba(rows), **CLOSE)
    assert [answer["label"] for answer in answers] == model.predict(rows).tolist()
    assert script.self_test(script.load()) <= 5e-5


@pytest.mark.parametrize("step", [TablePreprocessor(), StandardScaler()])
def test_numpy_alone_reads_arrays(tmp_path, step):
    y = np.digitize(NUMBERS, np.quantile(NUMBERS, [0.3, 0.7]))
    model = fit(make_pipeline(step, net(MLP)), ARRAY, y)
    script = script_of(export(model, tmp_path / "bundle", X=ARRAY, runtime="numpy"))
    got = [list(answer["probabilities"].values()) for answer in script.predict(ARRAY)]
    np.testing.assert_allclose(got, model.predict_proba(ARRAY), **CLOSE)
    assert script.predict(ARRAY[0])["label"] == model.predict(ARRAY[:1])[0]


def test_numpy_alone_gives_numbers(tmp_path):
    y = np.stack([NUMBERS, 1e-4 * NUMBERS], axis=1)
    model = fit_regressor(TABLE, y)
    folder = export(model, tmp_path / "bundle", X=TABLE, y=y, runtime="numpy")
    answers = script_of(folder).predict(TABLE.to_dict("records"))
    got = np.array([one["prediction"] for one in answers])
    np.testing.assert_allclose(got, model.predict(TABLE), rtol=1e-6)


def test_numpy_alone_needs_nothing_else(model, tmp_path):
    folder = export(model, tmp_path / "bundle", X=TABLE, runtime="numpy")
    assert loaded_by(folder, "onnxruntime") == "[]"
    assert run(folder, "--self-test").returncode == 0


MODEL = fit(make_pipeline(TablePreprocessor(), net()))
REGRESSOR = fit_regressor(ARRAY, NUMBERS)

REFUSED = {
    "a folder that is there": (
        FileExistsError,
        lambda place: export(MODEL, place, X=TABLE),
        "is there already; expected a new one.*Remove it",
    ),
    "nowhere": (
        FileNotFoundError,
        lambda place: export(MODEL, place / "a" / "b", X=TABLE),
        "'.*a' is no folder; expected one.*Make it",
    ),
    "no path": (TypeError, lambda place: export(MODEL, None, X=TABLE), "folder=None.*expected the"),
    "no student": (
        TypeError,
        lambda place: export(Ridge(), place / "new", X=TABLE),
        "export was given Ridge; expected a fitted.*Fit a student",
    ),
    "another length": (
        ValueError,
        lambda place: export(MODEL, place / "new", X=TABLE, y=LABELS[:3]),
        "inconsistent numbers of samples",
    ),
    "other labels": (
        ValueError,
        lambda place: export(MODEL, place / "new", X=TABLE, y=["perhaps"] * 120),
        r"labels \['perhaps'\].*does not know; expected labels.*'no', 'yes'.*Leave such rows",
    ),
    "a column of labels": (
        ValueError,
        lambda place: export(MODEL, place / "new", X=TABLE, y=np.reshape(LABELS, (-1, 1))),
        r"y has the shape \(120, 1\); expected one label for each row, shape \(120,\).*y\.ravel",
    ),
    "numbers with a gap": (
        ValueError,
        lambda place: export(REGRESSOR, place / "new", X=ARRAY, y=[np.nan] * 120),
        r"expected finite numbers of shape \(120,\).*Give the numbers",
    ),
    "other columns": (
        ValueError,
        lambda place: export(MODEL, place / "new", X=TABLE[["age"]]),
        "age",
    ),
    "another runtime": (
        ValueError,
        lambda place: export(MODEL, place / "new", X=TABLE, runtime="torch"),
        r"'runtime' parameter of export must be one of \['onnx', 'numpy'\]. Got 'torch'",
    ),
    "trees by NumPy": (
        ExportError,
        lambda place: export(TREE, place / "new", X=ARRAY, runtime="numpy"),
        r"operators \['TreeEnsembleRegressor'\]; expected a network.*Set runtime='onnx'",
    ),
    "texts": (
        ExportError,
        lambda place: export(TEXTS, place / "new", X=["a good one"]),
        "hashed by no operator",
    ),
}
TREE = fit(DecisionTreeClassifier(max_depth=2), ARRAY, NUMBERS > 10)
TEXTS = fit(None, ["a good one", "a bad one"] * 60)


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    error, attempt, message = REFUSED[case]
    refused(error, lambda: attempt(tmp_path), message)
    assert list(tmp_path.iterdir()) == []


def test_the_card_bounds_how_often_the_student_differs_from_its_teacher(tmp_path):
    rows, labels = ARRAY, np.median(NUMBERS) < NUMBERS
    student = DecisionTreeClassifier(max_depth=2, random_state=0)
    model = DistilledClassifier(LogisticRegression(), student, random_state=0)
    model.fit(rows[:60], labels[:60])
    card = (export(model, tmp_path / "bundle", X=rows[60:]) / "README.md").read_text()
    n_different = np.sum(model.predict(rows[60:]) != model.teacher_.predict(rows[60:]))
    bound = binomtest(int(n_different), 60, alternative="less").proportion_ci(0.95, "exact").high
    words = f"on {n_different} rows; on at most {100 * bound:.2g} % of new ones like these (95 %)"
    assert f"| differs from its teacher | {words} |" in card
    alone = export(model.student_, tmp_path / "alone", X=rows[60:]) / "README.md"
    assert "teacher |" not in alone.read_text()
