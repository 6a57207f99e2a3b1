import re

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

from skdistill import __main__ as program

pd = pytest.importorskip("pandas")


@pytest.fixture
def csv(tmp_path):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    table = X.iloc[:240, :4].copy()
    table.columns = ["radius", "texture", "perimeter", "area"]
    table["texture"] = table["texture"].where(table["texture"] < 25)
    table["size"] = np.where(table.pop("area") > 600, "big", "?")
    table["diagnosis"] = np.where(y[:240], "benign", "malignant")
    path = tmp_path / "table.csv.gz"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(autouse=True)
def quick_teacher(monkeypatch):
    monkeypatch.setattr(program, "digits_teacher", lambda: RandomForestClassifier(10))


def test_demo_on_a_table_with_strings_and_gaps(csv, capsys):
    assert program.main(["demo", "--data", str(csv), "--target", "diagnosis"]) == 0
    shown = capsys.readouterr().out
    assert "192 training rows, 48 test rows, 2 classes" in shown
    for arm in ("teacher", "plain + temperature", "label smoothing", "distilled"):
        assert f"\n{arm} " in shown
    assert "fold 5 of 5" in shown


def test_demo_with_test_rows_and_rows_without_a_label(csv, capsys, tmp_path):
    table = pd.read_csv(csv)
    table.loc[:2, "diagnosis"] = None
    table.to_csv(tmp_path / "train.csv", index=False)
    words = ["demo", "--data", str(tmp_path / "train.csv"), "--test", str(csv)]
    assert program.main([*words, "--target", "diagnosis"]) == 0
    shown = capsys.readouterr().out
    assert "3 rows without a label are left out" in shown
    assert "237 training rows, 240 test rows" in shown


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "outcome"}, "has no column 'outcome'; it has .'radius'"),
        ({"target": "radius"}, "labels of 2 to 100 classes"),
        ({"data": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_demo_refuses_tables_that_it_cannot_use(csv, capsys, change, message):
    chosen = {"data": str(csv), "target": "diagnosis"} | change
    words = [word for name, value in chosen.items() for word in (f"--{name}", value)]
    assert program.main(["demo", *words]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_test_rows_with_other_columns_are_refused(csv, capsys, tmp_path):
    pd.read_csv(csv).drop(columns="radius").to_csv(tmp_path / "test.csv", index=False)
    words = ["demo", "--data", str(csv), "--target", "diagnosis"]
    assert program.main([*words, "--test", str(tmp_path / "test.csv")]) == 2
    assert "other columns" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["demo", "--data", "x.csv"],
        ["demo", "--test", "x.csv"],
        ["demo", "--n-seeds=0"],
        ["demo", "--alpha=2"],
    ],
)
def test_words_that_do_not_go_together(words, capsys):
    with pytest.raises(SystemExit) as stop:
        program.main(words)
    assert stop.value.code == 2


@pytest.mark.slow
def test_demo_on_digits(capsys, monkeypatch):
    monkeypatch.undo()
    assert program.main(["demo"]) == 0
    assert "360 test rows, 10 classes" in capsys.readouterr().out
