"""One file of rows, answered by the command line and by the script of a folder: the same."""

import csv
import importlib.util
import io

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.__main__ import main
from skdistill.deployment import export, save
from skdistill.students import TablePreprocessor

pd = pytest.importorskip("pandas")
pytest.importorskip("onnxruntime")

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"Unnamed: 0": RNG.normal(size=80), " a": RNG.normal(40, 9, 80)})
TABLE["flag"] = RNG.choice([True, False], 80)
TABLE["land"] = RNG.choice(["NA", "DE", "", "fr ", None], 80)
TABLE["rooms"] = RNG.choice(["1", "2", "3"], 80)
TABLE.loc[::9, " a"] = np.nan
LABELS = np.where(TABLE["flag"] ^ (TABLE["land"] == "NA"), "yes", "no")

HEAD = ', a,flag,land,rooms,"more, or less"\n'


def served(frame, place):
    """Return what the command line and what the script of a folder make of a file of rows."""
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=3))
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(frame, LABELS)
    path = save(model, place / "student.safetensors")
    folder = export(model, place / "bundle", X=frame)
    spec = importlib.util.spec_from_file_location("served", folder / "predict.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    def both(text, capsys):
        rows = place / "rows.csv"
        rows.write_text(text, encoding="utf-8-sig")
        codes = main(["predict", str(path), str(rows)]), script.main([str(rows)])
        return codes, capsys.readouterr()

    return both


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    return served(TABLE, tmp_path_factory.mktemp("same"))


def answers_of(out):
    """Return the two tables that stand below each other, without their heads."""
    lines = list(csv.reader(io.StringIO(out)))
    half = len(lines) // 2
    parts = [lines[1:half], lines[half + 1 :]]
    labels = [[line[0] for line in part] for part in parts]
    return labels, [np.array([line[1:] for line in part], dtype=float) for part in parts]


ROWS = {
    "as they are": "1,40,True,NA,1,\n2,41.5,False,DE,2,x\n",
    "gaps": "?,NA,True,null,1,\n1,,False,?,2,\n1,n/a,True,#N/A,,\nNULL,nan,,,NaN,\n",
    "texts that are no gaps": "1,1,True,Null,1,\n1,1,True, NA,2,\n1,1,True,fr ,3,\n",
    "numbers": " 1,+40,TRUE,NA,1.0,\n1e2,4.,false,NA,2.0,\n.5,\t40 ,true,NA,02,\n",
    "blank lines": "\n1,40,True,NA,1,\n   \n2,41,False,DE,2,x\n\n",
    "flags": "1,1,tRUE,NA,1,\n1,1,FALSE,NA,1,\n",
    "flags as numbers": "1,40,1,NA,1,\n1,40,0,NA,1,\n1,40,,NA,1,\n",
    "numbers as flags": "1,True,True,NA,1,\n1,False,False,NA,1,\n",
    "whole numbers of any length": "123456789012345678901234567890,1,True,NA,1,\n2,1,True,NA,1,\n",
}


@pytest.mark.parametrize("case", ROWS)
def test_the_same_rows_get_the_same_answers(case, ask, capsys):
    codes, shown = ask(HEAD + ROWS[case], capsys)
    assert codes == (0, 0), shown.err
    labels, values = answers_of(shown.out)
    assert len(labels[0]) == len(labels[1]) > 0 and labels[0] == labels[1]
    np.testing.assert_allclose(*values, rtol=0, atol=5e-5)


REFUSED = {
    "an underscore": "1_000,1,True,NA,1,\n",
    "digits of another script": "1,\uff11\uff12,True,NA,1,\n",
    "infinity": "1,inf,True,NA,1,\n",
    "a number too large": "1,1e400,True,NA,1,\n",
    "a gap that pandas does not know": "1,NAN,True,NA,1,\n",
    "a space of another kind": "1,1\xa0,True,NA,1,\n",
    "a word for a flag": "1,1,yes,NA,1,\n",
    "flags among numbers": "1,1,True,NA,1,\n1,1,1,NA,1,\n",
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_same_rows_are_refused(case, ask, capsys):
    codes, shown = ask(HEAD + REFUSED[case], capsys)
    assert codes == (2, 1) and not shown.out, shown
    assert shown.err.count("expected") == 2, shown.err


@pytest.mark.parametrize("names", [[3, 1, 2], None])
def test_columns_whose_names_are_no_texts_count_by_position(names, tmp_path, capsys):
    table = TABLE[[" a", "flag", "land"]]
    table = table.to_numpy(object) if names is None else table.set_axis(names, axis=1)
    rows = "x,y,z\n40,True,NA\n41,False,DE\n"
    codes, shown = served(table, tmp_path)(rows, capsys)
    assert codes == (0, 0), shown.err
    labels, values = answers_of(shown.out)
    assert labels[0] == labels[1] and len(labels[0]) == 2
    np.testing.assert_allclose(*values, rtol=0, atol=5e-5)
