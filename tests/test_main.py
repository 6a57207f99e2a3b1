import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from skdistill import __main__ as program
from skdistill import evaluation

pd = pytest.importorskip("pandas")


@pytest.fixture
def csv(tmp_path):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    table = X.iloc[:160, :4].copy()
    table.columns = ["radius", "texture", "perimeter", "area"]
    table["texture"] = table["texture"].where(table["texture"] < 25)
    table["size"] = np.where(table.pop("area") > 600, "big", "?")
    table["diagnosis"] = np.where(y[:160], "benign", "malignant")
    path = tmp_path / "table.csv.gz"
    table.to_csv(path, index=False)
    return path


@pytest.mark.slow  # a whole report
def test_demo_on_a_table_with_strings_and_gaps(csv, capsys):
    assert program.main(["demo", "--data", str(csv), "--target", "diagnosis"]) == 0
    shown = capsys.readouterr().out
    assert "128 training rows, 32 test rows, 2 classes" in shown
    for arm in ("teacher", "plain + temperature", "label smoothing", "distilled"):
        assert f"\n{arm} " in shown
    assert "5 of 5 folds" in shown


@pytest.mark.slow  # another whole report
def test_demo_with_test_rows_and_rows_without_a_label(csv, capsys, tmp_path):
    table = pd.read_csv(csv)
    table.loc[:2, "diagnosis"] = None
    table.to_csv(tmp_path / "train.csv", index=False)
    words = ["demo", "--data", str(tmp_path / "train.csv"), "--test", str(csv)]
    assert program.main([*words, "--target", "diagnosis"]) == 0
    shown = capsys.readouterr().out
    assert "3 rows without a label are left out" in shown
    assert "157 training rows, 160 test rows" in shown


# What is refused, before anything is fitted: the files, other words than their names, the message


def table(n_rows=40, **columns):
    """A table of two numbers, a text and a label; columns may be added or replaced."""
    rng = np.random.default_rng(0)
    start = {"a": rng.normal(size=n_rows), "b": np.arange(n_rows) % 7}
    start["c"] = np.resize(["x", "y", "z"], n_rows)
    return pd.DataFrame(start | columns | {"label": columns.get("label", labels(n_rows))})


def labels(n_rows, *first):
    """Labels of two classes, some named ones before them."""
    return [*first, *np.resize(["no", "yes"], n_rows - len(first))]


def first_of(values, first):
    return [first, *values[1:]]


TABLE = table()
TEXT = TABLE.to_csv(index=False)
PACKED = gzip.compress(TEXT.encode())
READ = "; expected a table in UTF-8.*Save the table anew"
OPEN = "expected a .csv or .csv.gz file. Check its name and its rights"
NO_COLUMN = "has no column 'label'; it has .*--target must name one of the columns"
RARE = "expected at least 5 of each label. Leave the rows of .* out, or merge"
CLASSES = "expected the labels of 2 to 100 classes. Name another column as --target"
NO_NUMBER = "which is no whole number; expected labels. Name another column.*report --regression"
NO_LABEL = "holds no label; expected one in each row.*Fill it, or name another column"
INFINITE = (
    r"infinite numbers in the columns \['a'\]; expected finite ones. Leave these fields empty"
)
EMPTY = r"no value in the columns \['g'\] of its training rows; expected columns with.*Remove these"
UNKNOWN = r"with labels that .* lacks, such as 'odd'; expected \['no', 'yes'\]. Correct or remove"
TWICE = "several columns of the name.*expected different names. Rename or remove"
WIDE = "more fields in its rows than.*expected a name for each. Add the missing names, or remove"
TEXT_TEST = (
    r"'b' of .* holds text \('many'\).* numbers; expected the same kind. Leave such fields empty"
)
OTHER = r"other columns than .*: it lacks \['a'\].*expected the same names. Rename, add or remove"

REFUSED = {
    # the file
    "no such file": ({"data": None}, [], r"\(No such file or directory\); " + OPEN),
    "a folder": ({"data": Path}, [], r"\(Is a directory\); " + OPEN),
    "an empty file": ({"data": ""}, [], "cannot be read .No columns to parse.*" + READ),
    "blank lines": ({"data": "\n\n\n"}, [], READ),
    "latin-1": ({"data": TEXT.replace("x", "é").encode("latin1")}, [], "utf-8.*" + READ),
    "UTF-16": ({"data": TEXT.encode("utf-16")}, [], READ),
    "bytes": ({"data": bytes(range(256)) * 20}, [], READ),
    "a row with more fields": ({"data": TEXT + "1,2,3,4,5,6\n"}, [], "line 42.*" + READ),
    "a quote without its end": ({"data": TEXT + '"1,2,3'}, [], READ),
    "no gzip": ({"data.gz": TEXT}, [], "Not a gzipped file.*" + READ),
    "half a gzip": ({"data.gz": PACKED[: len(PACKED) // 2]}, [], READ),
    "a garbled gzip": ({"data.gz": PACKED[:30] + bytes(40) + PACKED[70:]}, [], READ),
    "an empty gzip": ({"data.gz": b""}, [], READ),
    "no zip": ({"data.zip": TEXT}, [], READ),
    "test rows that are no file": ({"data": TABLE, "test": None}, [], OPEN),
    "half a gzip for test rows": ({"data": TABLE, "test.gz": PACKED[:60]}, [], READ),
    # the columns
    "no header": ({"data": TABLE.to_csv(index=False, header=False)}, [], NO_COLUMN),
    "semicolons": ({"data": TABLE.to_csv(index=False, sep=";")}, [], NO_COLUMN + ".*by commas"),
    "tabs": ({"data": TABLE.to_csv(index=False, sep="\t")}, [], NO_COLUMN + ".*by commas"),
    "another target": (
        {"data": TABLE},
        ["--target", "Label"],
        "no column 'Label'; .*Did you mean 'label'",
    ),
    "no target name": ({"data": TABLE}, ["--target", ""], "has no column ''; it has"),
    "a thousand columns": (
        {"data": pd.DataFrame(np.zeros((20, 1000))).add_prefix("n")},
        [],
        r"it has \['n0', 'n1', .*'n9'\] and 990 more",
    ),
    "two columns of one name": ({"data": TEXT.replace("b", "a", 1)}, [], TWICE),
    "two targets": ({"data": TEXT.replace("c", "label", 1)}, [], TWICE),
    "more fields than names": ({"data": TEXT.replace("a,", "", 1)}, [], WIDE),
    "the target alone": ({"data": TABLE[["label"]]}, [], "no column but the target.*Add them"),
    "a column of gaps": ({"data": table(g=np.nan)}, [], EMPTY),
    "a column of question marks": ({"data": table(g="?")}, [], EMPTY),
    "commas at the ends": (
        {"data": TEXT.replace("\n", ",\n")},
        [],
        r"no value in the columns \['Unnamed: 4'\].*Remove these",
    ),
    "gaps but for a test row": (
        {"data": table(g=first_of([np.nan] * 40, 1.0))},
        ["--seed", "0"],
        EMPTY,
    ),
    "an infinite number": ({"data": table(a=first_of(TABLE["a"], np.inf))}, [], INFINITE),
    "too large a number": ({"data": table(a=first_of(TABLE["a"], "1e400"))}, [], INFINITE),
    "a number of 400 digits": ({"data": table(a=first_of([1] * 40, "9" * 400))}, [], INFINITE),
    # the labels
    "a label of one row": ({"data": table(label=labels(40, "odd"))}, [], "1 row.* 'odd'; " + RARE),
    "a number of one row": ({"data": table(label=[7] + [1, 2, 3] * 13)}, [], "label 7; " + RARE),
    "two labels of one row": (
        {"data": table(label=labels(40, "odd", "even"))},
        [],
        r"Leave the rows of \['even', 'odd'\] out",
    ),
    "a label of one row, and test rows": (
        {"data": table(label=labels(40, "odd")), "test": TABLE},
        [],
        RARE,
    ),
    "two rows": ({"data": table(2)}, [], RARE),
    "the header alone": ({"data": TABLE[:0]}, [], NO_LABEL),
    "a target of gaps": ({"data": table(label=np.nan)}, [], NO_LABEL),
    "one class": ({"data": table(label="yes")}, [], "holds 1 different.*" + CLASSES),
    "too many classes": (
        {"data": table(600, label=np.arange(600) % 101)},
        [],
        "holds 101 different.*" + CLASSES,
    ),
    "numbers for labels": ({"data": TABLE}, ["--target", "a"], NO_NUMBER),
    "few numbers for labels": ({"data": table(label=[0.5, 1.5] * 20)}, [], "0.5, " + NO_NUMBER),
    "an infinite label": ({"data": table(label=[0.0, np.inf] * 20)}, [], "inf, " + NO_NUMBER),
    # the test rows
    "an unknown label": ({"data": TABLE, "test": table(label=labels(40, "odd"))}, [], UNKNOWN),
    "a label with a space": (
        {"data": TABLE, "test": table(label="yes ")},
        [],
        r"40 row\(s\) with labels.*such as 'yes '",
    ),
    "no target": ({"data": TABLE, "test": TABLE.drop(columns="label")}, [], NO_COLUMN),
    "no test label": ({"data": TABLE, "test": table(label=None)}, [], NO_LABEL),
    "no test row": ({"data": TABLE, "test": TABLE[:0]}, [], NO_LABEL),
    "a column less": ({"data": TABLE, "test": TABLE.drop(columns="a")}, [], OTHER),
    "a column more": ({"data": TABLE, "test": table(d=1)}, [], r"has \['d'\] besides"),
    "text among numbers": (
        {"data": TABLE, "test": table(b=first_of(["1"] * 40, "many"))},
        [],
        TEXT_TEST,
    ),
    "text among truth values": (
        {"data": table(b=[True, False] * 20), "test": table(b=first_of([True] * 40, "many"))},
        [],
        TEXT_TEST,
    ),
    "an infinite test number": ({"data": TABLE, "test": table(a=-np.inf)}, [], INFINITE),
    # the other words
    "no command": (None, [], "arguments are required: command"),
    "another command": (None, ["distil"], "invalid choice: 'distil'"),
    "no target's name": (None, ["demo", "--data", "x.csv"], "--data and --target go together"),
    "a target alone": (None, ["demo", "--target", "y"], "--data and --target go together"),
    "test rows alone": (None, ["demo", "--test", "x.csv"], "--test needs --data and --target"),
    "no folder for a page": (
        None,
        ["demo", "--html=none/such.html"],
        "The page cannot be written.*there is no folder 'none'. Make it",
    ),
    "a page is a folder": (None, ["demo", "--html=."], "'.' is a folder; pass the path of"),
    "no folder for a picture": (
        None,
        ["demo", "--picture=none/such.png"],
        "The picture cannot be written.*there is no folder 'none'. Make it",
    ),
    "another kind of picture": (
        {"data": TABLE},
        ["--picture=a.txt"],
        "--picture a.txt ends in '.txt'; expected one of .png, .svg, .pdf. Name it a.png",
    ),
    "no seeds": (None, ["demo", "--n-seeds=0"], "--n-seeds must be at least 1, got 0"),
    "negative seeds": (None, ["demo", "--n-seeds=-2"], "--n-seeds must be at least 1, got -2"),
    "one and a half seeds": (None, ["demo", "--n-seeds=1.5"], "invalid int value: '1.5'"),
    "alpha of 2": (None, ["demo", "--alpha=2"], r"--alpha: must be auto or lie in \[0, 1\], got 2"),
    "alpha of NaN": (
        None,
        ["demo", "--alpha=nan"],
        "--alpha: must be auto or lie in .*got nan",
    ),
    "alpha as text": (None, ["demo", "--alpha=half"], "--alpha: must be auto or lie in .*got half"),
    "a negative seed": (None, ["demo", "--seed=-1"], r"--seed must lie in \[0, 4294967295\]"),
    "a large seed": (None, ["demo", "--seed=4294967296"], r"--seed must lie in .*got 4294967296"),
    "a seed with test rows": ({"data": TABLE, "test": TABLE}, ["--seed=-1"], "--seed must lie in"),
}


def write(folder, files):
    """Write tables, texts or bytes, and return the words that name them."""
    words = []
    for name, content in files.items():
        option, _, packing = name.partition(".")
        path = folder / f"{option}.csv{packing and '.'}{packing}"
        if content is Path:
            path.mkdir()
        elif isinstance(content, pd.DataFrame):
            content.to_csv(path, index=False)
        elif content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        words += [f"--{option}", str(path)]
    return ["demo", *words]


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, tmp_path, capsys, monkeypatch):
    files, words, message = REFUSED[case]
    if files is not None:
        target = [] if "--target" in words else ["--target", "label"]
        words = [*write(tmp_path, files), *target, *words]
    monkeypatch.setattr(evaluation, "distillation_report", lambda *_, **__: pytest.fail("fitted"))
    try:
        code = program.main(words)
    except SystemExit as stop:  # how argparse refuses
        code = stop.code
    shown = capsys.readouterr().err
    assert code == 2
    assert re.search(message, shown, re.DOTALL), shown
    assert len(re.findall("(?m)^(?:skdistill|python -m skdistill).*: ", shown)) == 1


# What is taken


@pytest.fixture
def loaded(monkeypatch, tmp_path):
    """Return a function that gives what the report would get of some files."""
    calls = []
    monkeypatch.setattr(evaluation, "distillation_report", lambda *parts, **_: calls.append(parts))

    def load(*words, **files):
        assert program.main([*write(tmp_path, files), "--target", "label", *words]) == 0
        return calls[-1][1:]

    return load


def test_test_rows_are_read_as_the_training_rows(loaded):
    train = table(c=["1", "2", "k", "1"] * 10, label=["1", "2", "k", "1"] * 10)
    test = table(8, c=[1, 2] * 4, label=[1, 2] * 4)[["label", "c", "b", "a"]]
    X, y, X_test, y_test = loaded(data=train, test=test)
    assert list(X_test) == list(X) == ["a", "b", "c"]
    assert X_test["c"].tolist() == ["1", "2"] * 4
    assert y_test.tolist() == ["1", "2"] * 4
    assert set(y) == {"1", "2", "k"}


def test_labels_that_are_numbers_or_truth_values_may_have_gaps(loaded):
    gaps = [1, None, 2, 1] * 10
    _, y, _, y_test = loaded(data=table(label=[1, 2] * 20), test=table(label=gaps))
    assert set(y) == set(y_test) == {1, 2}
    _, y, _, y_test = loaded(data=table(label=[True, None, False, True] * 10))
    assert y.dtype == y_test.dtype == bool
    assert len(y) + len(y_test) == 30


def test_truth_values_with_gaps_and_long_integers_are_numbers(loaded):
    odd = {"b": [True, None, False, True] * 10, "a": [10**30, 1, 2, 3] * 10}
    X, _, X_test, _ = loaded(data=table(**odd), test=TABLE)
    np.testing.assert_array_equal(X["b"], [1, np.nan, 0, 1] * 10)
    np.testing.assert_array_equal(X["a"], [1e30, 1, 2, 3] * 10)
    assert X_test["b"].tolist() == TABLE["b"].tolist()


def test_columns_of_gaps_among_the_test_rows_keep_their_kind(loaded):
    X, _, X_test, _ = loaded(data=TABLE, test=table(8, b=np.nan, c="?"))
    assert X_test["b"].dtype == float
    assert X_test["c"].dtype == X_test["c"].astype("category").dtype
    assert X_test[["b", "c"]].isna().all(axis=None)
    assert X["c"].dtype == "category"


def test_text_that_looks_like_numbers_in_the_first_rows_is_text(loaded):
    n_rows = 100_000  # more than pandas reads at once
    codes = np.arange(n_rows).astype(str)
    codes[-1] = "none of them"
    X, y, _, _ = loaded(data=pd.DataFrame({"c": codes, "label": np.arange(n_rows) % 2}))
    assert {type(value) for value in X["c"].cat.categories} == {str}
    assert len(y) == 80_000


def test_the_teacher_of_tables_takes_columns_that_are_empty_in_a_fold(monkeypatch, tmp_path):
    given = []
    monkeypatch.setattr(evaluation, "distillation_report", lambda *parts, **_: given.append(parts))
    assert program.main([*write(tmp_path, {"data": TABLE}), "--target", "label"]) == 0
    X = table(g=np.nan, h=pd.Series([None] * 40, dtype="category"))
    y = X.pop("label")
    teacher = given[0][0].teacher
    teacher.set_params(histgradientboostingclassifier__random_state=0).fit(X, y)
    full = X.assign(g=1.0, h=pd.Series(["u"] * 40, dtype="category"))
    np.testing.assert_array_equal(teacher.predict_proba(full), teacher.predict_proba(X))
    assert teacher[0].get_feature_names_out().tolist() == [
        "ordinalencoder__c",
        "passthrough__a",
        "passthrough__b",
    ]


def test_demo_learns_from_a_hundred_labels_and_all_other_rows_but_the_test(monkeypatch):
    given = {}

    def keep(model, *parts, **more):
        given.update(more, model=model, parts=parts)

    monkeypatch.setattr(evaluation, "distillation_report", keep)
    assert program.main(["demo", "--seed", "3"]) == 0
    X_train, y_train, X_test, y_test = given["parts"]
    rows = np.concatenate([X_train, given["X_unlabeled"], X_test])
    assert [len(y_train), len(given["X_unlabeled"]), len(y_test)] == [100, 978, 719]
    assert sorted(map(bytes, rows)) == sorted(map(bytes, load_digits().data))
    assert given["model"].random_state == 3


@pytest.mark.slow
def test_demo_on_digits(capsys, tmp_path):
    page, picture = tmp_path / "demo.html", tmp_path / "demo.PNG"
    assert program.main(["demo", "--html", str(page), "--picture", str(picture)]) == 0
    shown = capsys.readouterr().out
    assert "100 training rows and 978 without labels, 719 test rows, 10 classes" in shown
    assert "smaller" in shown and "ship it" in shown
    gain = re.search(r"distilled - plain +\S+ \[(\S+), \S+\] +\S+ \[\S+, (\S+)\]", shown)
    assert float(gain[1]) > 0 > float(gain[2])  # accuracy, log-loss
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert picture.read_bytes().startswith(b"\x89PNG")
