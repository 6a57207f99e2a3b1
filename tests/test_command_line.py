"""The command line on files: a student is fitted, looked at and asked; misuse is told plainly."""

import re
import subprocess
import sys

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skdistill import DistilledClassifier, StudentNet, evaluation
from skdistill.__main__ import main
from skdistill.deployment import inspect, load, save

pd = pytest.importorskip("pandas")


def table(n_rows=60):
    """A table of numbers, texts, truth values and gaps, with labels and numbers to learn."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n_rows), "b": np.arange(n_rows) % 7})
    frame["c"] = np.resize(["x", "y", "z, or so", None], n_rows)
    frame["code"] = np.resize(["1", "2", "k"], n_rows)
    frame["flag"] = np.resize([True, False], n_rows)
    frame.loc[::9, "a"] = np.nan
    frame["label"] = np.where(frame["b"] > 3, "yes", "no")
    frame["price"] = 3.0 * frame["b"] + 100
    return frame


TABLE = table()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table, and students of it."""
    folder = tmp_path_factory.mktemp("files")
    TABLE.to_csv(folder / "table.csv", index=False)
    common = ["fit", str(folder / "table.csv"), "--alpha", "0"]
    classes = ["--target", "label", "-o", str(folder / "classes.safetensors")]
    numbers = ["--target", "price", "--regression", "-o", str(folder / "numbers.safetensors")]
    assert main([*common, *classes]) == main([*common, *numbers]) == 0
    return folder


def test_a_student_is_fitted_looked_at_and_asked(folder, tmp_path, capsys):
    assert inspect(folder / "classes.safetensors").metadata == {"target": "label"}
    assert main(["inspect", str(folder / "classes.safetensors")]) == 0
    shown = capsys.readouterr().out
    assert "classes: no, yes" in shown and "c: category of x, y, z, or so, a gap" in shown
    # Other columns are left alone, and the order is that of the student.
    rows = TABLE.drop(columns="label")[["code", "flag", "c", "b", "price", "a"]].head(7)
    rows.loc[0, "c"] = "new"
    rows.to_csv(tmp_path / "rows.csv", index=False)
    words = ["predict", str(folder / "classes.safetensors"), str(tmp_path / "rows.csv")]
    assert main([*words, "-o", str(tmp_path / "answers.csv")]) == 0
    head, *lines = (tmp_path / "answers.csv").read_text().splitlines()
    assert head == "prediction,p(no),p(yes)"
    student = load(folder / "classes.safetensors")
    expected = student.predict_proba(rows[list(student.feature_names_in_)])
    found = [[float(p) for p in line.split(",")[1:]] for line in lines]
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-5)
    assert [line.split(",")[0] for line in lines] == student.classes_[
        expected.argmax(axis=1)
    ].tolist()
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out == (tmp_path / "answers.csv").read_text()


def test_categories_that_look_like_numbers_in_the_rows_stay_categories(folder, tmp_path, capsys):
    rows = TABLE[TABLE["code"] != "k"].head(5)
    rows.to_csv(tmp_path / "rows.csv", index=False)
    assert main(["predict", str(folder / "classes.safetensors"), str(tmp_path / "rows.csv")]) == 0
    student = load(folder / "classes.safetensors")
    expected = student.predict_proba(rows[list(student.feature_names_in_)])
    shown = capsys.readouterr().out.splitlines()[1:]
    found = [float(line.split(",")[1]) for line in shown]
    np.testing.assert_allclose(found, expected[:, 0], rtol=0, atol=5e-5)


def test_a_student_becomes_a_folder_that_serves_it(folder, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    words = ["export", str(folder / "classes.safetensors"), str(folder / "table.csv")]
    assert main([*words, "--target", "label", "-o", str(tmp_path / "service")]) == 0
    assert "student.onnx" in capsys.readouterr().out
    assert "yes" in (tmp_path / "service" / "README.md").read_text()
    assert main([*words, "-o", str(tmp_path / "service")]) == 2
    assert "service" in capsys.readouterr().err


def test_a_folder_can_hold_rounded_weights(folder, tmp_path):
    pytest.importorskip("onnxruntime")
    words = ["export", str(folder / "classes.safetensors"), str(folder / "table.csv")]
    assert main([*words, "-o", str(tmp_path / "full")]) == 0
    assert main([*words, "--weights", "int8", "-o", str(tmp_path / "small")]) == 0
    full, small = ((tmp_path / n / "student.onnx").stat().st_size for n in ("full", "small"))
    assert small < 0.6 * full


def texts_and_gaps():
    """Texts that a reader of tables takes for gaps, and numbers that are categories."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=60)})
    frame["land"] = rng.choice(["NA", "?", "None", "", "DE"], 60)
    frame["code"] = rng.choice(["01", "1", "2"], 60)
    frame["year"] = pd.Categorical(rng.choice([1.0, 2.0, 2.5], 60))
    return frame


@pytest.mark.parametrize("has_names", [True, False])
def test_what_the_student_knows_as_a_category_is_no_gap(has_names, tmp_path, capsys, recwarn):
    frame = texts_and_gaps()
    X = frame if has_names else frame.to_numpy(dtype=object)
    student = DistilledClassifier(alpha=0, random_state=0).fit(X, frame["a"] > 0)
    save(student, tmp_path / "known.safetensors")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    recwarn.clear()
    words = ["predict", str(tmp_path / "known.safetensors"), str(tmp_path / "rows.csv")]
    assert main(words) == 0
    shown, complaints = capsys.readouterr()
    found = [float(line.split(",")[1]) for line in shown.splitlines()[1:]]
    np.testing.assert_allclose(found, student.predict_proba(X)[:, 0], rtol=0, atol=5e-5)
    assert not complaints and not recwarn.list


@pytest.mark.parametrize("student", [None, StudentNet(max_epochs=2)], ids=["table", "numbers"])
def test_labels_that_look_like_gaps_or_numbers_are_those_of_the_student(student, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    X, y = TABLE[["b", "price"]], np.resize(["1", "NA"], len(TABLE))
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    save(model, tmp_path / "s.safetensors")
    X.assign(label=y).to_csv(tmp_path / "rows.csv", index=False)
    words = ["export", str(tmp_path / "s.safetensors"), str(tmp_path / "rows.csv")]
    assert main([*words, "--target", "label", "-o", str(tmp_path / "service")]) == 0
    card = (tmp_path / "service" / "README.md").read_text()
    assert f"| accuracy | {model.score(X, y):.4f} |" in card
    assert f"| rows of the comparison | {len(TABLE)} |" in card


def test_rows_for_a_student_without_names_have_its_columns(tmp_path, capsys):
    frame = texts_and_gaps()
    student = DistilledClassifier(alpha=0, random_state=0)
    save(student.fit(frame.to_numpy(dtype=object), frame["a"] > 0), tmp_path / "s.safetensors")
    frame.drop(columns="code").to_csv(tmp_path / "rows.csv", index=False)
    assert main(["predict", str(tmp_path / "s.safetensors"), str(tmp_path / "rows.csv")]) == 2
    assert re.search("has 3 columns; expected 4 in the order.*Remove or", capsys.readouterr().err)


def test_numbers_are_answered_by_numbers(folder, capsys):
    words = ["predict", str(folder / "numbers.safetensors"), str(folder / "table.csv")]
    assert main(words) == 0
    shown = capsys.readouterr().out.splitlines()
    student = load(folder / "numbers.safetensors")
    assert shown[0] == "prediction" and len(shown) == len(TABLE) + 1
    expected = student.predict(TABLE[list(student.feature_names_in_)])
    found = [float(line) for line in shown[1:]]
    np.testing.assert_allclose(found, expected, atol=5e-5 * expected.std())


def test_a_fitted_teacher_comes_from_a_file(tmp_path, capsys):
    rows = TABLE[["b", "price", "label"]]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    teacher = LogisticRegression(max_iter=1000).fit(rows[["b", "price"]], rows["label"])
    joblib.dump(teacher, tmp_path / "teacher.joblib")
    words = ["fit", str(tmp_path / "rows.csv"), "--target", "label"]
    words += ["--teacher", str(tmp_path / "teacher.joblib"), "-o", str(tmp_path / "s.safetensors")]
    assert main(words) == 2
    assert re.search("Pass trusted=True if.*--trust says", capsys.readouterr().err)
    assert main([*words, "--trust"]) == 0
    out = capsys.readouterr().out
    assert "Teacher: LogisticRegression" in out
    assert "student: 40 of 40 epochs" in out and "train_loss" not in out
    assert f"Next: `skdistill predict {tmp_path / 's.safetensors'} new.csv`" in out
    assert main([*words, "--trust", "--verbose"]) == 0
    out = capsys.readouterr().out
    assert "student: 40" not in out and "train_loss" in out


def test_inspect_and_predict_start_without_torch(folder):
    code = (
        "import sys; from skdistill.__main__ import main; main(['inspect', sys.argv[1]]);"
        "assert {'torch', 'sklearn'}.isdisjoint(sys.modules);"
        "main(['predict', *sys.argv[1:]]); assert 'torch' not in sys.modules"
    )
    words = [sys.executable, "-c", code, folder / "classes.safetensors", folder / "table.csv"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) > len(TABLE)


def test_a_command_that_is_asked_says_how_it_is_used(capsys):
    for words in (
        ["--help"],
        ["report", "--help"],
        ["fit", "--help"],
        ["predict", "--help"],
        ["--version"],
    ):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert "skdistill fit customers.csv --target churned -o student.safetensors" in shown


@pytest.mark.parametrize("test", [True, False])
def test_a_cascade_is_chosen_on_a_share_of_the_rows_or_on_a_file(test, tmp_path, monkeypatch):
    """The parts are all rows, each once, and the teacher and the student see none of the others."""
    heard = []
    monkeypatch.setattr(
        evaluation, "distillation_report", lambda model, *rows, **words: heard.append((rows, words))
    )
    frame = table(2000).assign(a=np.arange(2000))
    frame.to_csv(tmp_path / "all.csv", index=False)
    frame[:50].to_csv(tmp_path / "test.csv", index=False)
    words = ["report", str(tmp_path / "all.csv"), "--target", "label"]
    words += ["--test", str(tmp_path / "test.csv")] * test
    assert main([*words, "--cascade", "0.5"]) == 0
    assert main([*words, "--cascade", str(tmp_path / "all.csv")]) == 0
    (X, y, X_test, _), given = heard[0]
    held, labels = given["cascade"]
    assert len(held) == len(labels) == 1000
    assert len(y) == 1000 if test else 600
    parts = [X, held] if test else [X, held, X_test]
    assert sorted(pd.concat(parts)["a"]) == list(range(2000))
    (_, y, _, _), given = heard[1]
    assert given["cascade"][0].equals(frame[X.columns].astype(given["cascade"][0].dtypes))
    assert len(y) == 2000 if test else 1600


@pytest.mark.slow  # a whole report
def test_the_report_shows_the_cascade(tmp_path, capsys):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(2200, 3)), columns=list("abc"))
    frame["label"] = np.where(frame["a"] * frame["b"] + frame["c"] > 0, "yes", "no")
    frame.to_csv(tmp_path / "all.csv", index=False)
    words = ["report", str(tmp_path / "all.csv"), "--target", "label", "--cascade", "0.5"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "660 training rows, 440 test rows, 1100 for the cascade, 2 classes" in shown
    assert "\ncascade " in shown and "The cascade hands " in shown


FIT = ["fit", "table.csv", "--target", "label", "-o"]
REPORT = ["report", "table.csv", "--target", "label"]
REFUSED = {
    "another suffix": ([*FIT, "s.pkl"], "ends in '.pkl'; expected '.safetensors'.*Name it"),
    "no folder": ([*FIT, "no/s.safetensors"], "is no folder; expected.*Make the folder"),
    "no output": (FIT[:-1], "required: -o/--output"),
    "no target": (["fit", "table.csv", "-o", "s.safetensors"], "required: --target"),
    "two targets": (
        [*FIT, "s.safetensors", "--target", "a"],
        "--target takes one value and got 'label' and 'a'.*DistilledMultilabelClassifier",
    ),
    "two targets in one word": (
        ["fit", "table.csv", "--target", "label,a", "-o", "s.safetensors"],
        "no column 'label,a'.*learnt in Python: DistilledMultilabelClassifier",
    ),
    "a target in capitals": (
        ["fit", "table.csv", "--target", "LABEL", "-o", "s.safetensors"], "Did you mean 'label'"
    ),
    "two teachers": (
        [*REPORT, "--teacher", "a.onnx", "--teacher", "b.onnx"],
        "--teacher takes one value and got 'a.onnx' and 'b.onnx': leave one out",
    ),
    "trust in nobody": ([*FIT, "s.safetensors", "--trust"], "--trust needs --teacher"),
    "no teacher": (
        [*FIT, "s.safetensors", "--teacher", "t.onnx"], "no file 't.onnx' to load a teacher from"
    ),
    "labels as numbers": (
        [*FIT, "s.safetensors", "--regression"],
        r"'label' of table.csv holds text \('no'\); expected numbers for --regression. Leave",
    ),
    "numbers as labels": (
        ["report", "table.csv", "--target", "a"], "no whole number.*report --regression"
    ),
    "one number": (
        ["report", "one.csv", "--target", "one", "--regression"], "one number alone; expected"
    ),
    "too few rows for a cascade": (
        [*REPORT, "--cascade", "0.3"],
        "--cascade 0.3 holds back has 18 rows; expected 909 or more.*a greater share, or a larger",
    ),
    "too few rows of a file for a cascade": (
        [*REPORT, "--cascade", "table.csv"], "--cascade table.csv holds back has 60 rows; expected"
    ),
    "a cascade without rows": (
        [*REPORT, "--cascade", "none.csv"], "none.csv cannot be read .*expected a .csv.*Check"
    ),
    "all rows for a cascade": (
        [*REPORT, "--cascade", "0.9"], r"a file, or a share in \(0, 0.8\), got 0.9"
    ),
    "a cascade of numbers": (
        ["report", "table.csv", "--target", "price", "--regression", "--cascade", "0.5"],
        "--cascade goes by the probabilities of labels",
    ),
    "no student": (["inspect", "none.safetensors"], "no file .* to read a student from.*expected"),
    "a table as a student": (["inspect", "table.csv"], "cannot be read as a saved student"),
    "rows that lack columns": (
        ["predict", "classes.safetensors", "one.csv"],
        r"one.csv lacks the columns \['b', 'c', 'code', .*; expected .*Add them",
    ),
    "text among numbers": (
        ["predict", "classes.safetensors", "odd.csv"],
        r"'a' of odd.csv holds text \('many'\).*expected the same kind. Leave such fields empty",
    ),
    "no rows": (["predict", "classes.safetensors", "none.csv"], "none.csv cannot be read.*Check"),
    "a class of somebody's own": (
        ["predict", "own.safetensors", "table.csv"], "weights of Own.*module is None"
    ),
    "answers into no folder": (
        ["predict", "classes.safetensors", "table.csv", "-o", "no/a.csv"],
        "is no folder; expected.*Make",
    ),
}  # fmt: skip


@pytest.mark.changes_global_rng  # by a plain fit without a seed
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, folder, capsys, monkeypatch):
    from torch import nn

    class Own(nn.Linear):
        pass

    monkeypatch.chdir(folder)
    pd.DataFrame({"a": [1.0, 2.0] * 9, "one": 1}).to_csv("one.csv", index=False)
    TABLE.assign(a=["many", *TABLE["a"][1:]]).to_csv("odd.csv", index=False)
    net = StudentNet(Own, max_epochs=1).fit(np.eye(4), [0, 1, 0, 1])
    save(net, "own.safetensors")
    words, message = REFUSED[case]
    capsys.readouterr()
    try:
        code = main(words)
    except SystemExit as stop:  # how argparse refuses
        code = stop.code
    shown = capsys.readouterr().err
    assert code == 2
    assert re.search(message, shown, re.DOTALL), shown
    assert "Traceback" not in shown
