"""Tests speak through public names. Those that may not are listed here, each with its reason."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ORACLE = "a pure function is compared with its formula, which a whole fit would hide"
PACKED = "the labels, answers and weights of a net are made without the fit that makes them"
DRAWN = "what a training draws is drawn again by hand, from the generators that it has"
MAY_IMPORT_PRIVATE = {
    "test_gap_test.py": ORACLE,
    "evaluation/test_bias_variance.py": ORACLE,
    "evaluation/test_cascade_arm.py": "nothing is timed, which asks the teacher again, or drawn",
    "evaluation/test_curves.py": ORACLE,
    "evaluation/test_diagnose.py": "the rules are tried on figures that no fit gives at will",
    "evaluation/test_metrics.py": ORACLE,
    "evaluation/test_report_parts.py": "verdicts and faces of intervals that no fit gives at will",
    "evaluation/test_rows_of_fit.py": "positions as other machines hold them have the same digest",
    "evaluation/test_words.py": "the rules are tried on figures that no fit gives at will",
    "evaluation/test_teacher_asked_once.py": "nothing is timed, for that asks the teacher again",
    "students/test_table.py": "the scale of a column and the widths of a module, each alone",
    "targets/test_keys.py": "two teachers, or arrays, are told apart without asking a teacher",
    "training/test_boosted_student.py": ORACLE,
    "training/test_criterion.py": PACKED,
    "training/test_estimator_student.py": ORACLE,
    "training/test_fast_paths.py": "the fast lane is shut, for the slow one to be its oracle",
    "training/test_regressor_net.py": PACKED,
    "training/test_regressor_views.py": ORACLE,
    "training/test_student_net.py": "batches and held-back rows are looked at one by one",
    "training/test_views.py": DRAWN,
    "transfer/test_vae.py": ORACLE,
    "transfer/test_munge.py": "distances and neighbours are compared with a search by hand",
}
FILES = {path.relative_to(TESTS).as_posix(): path for path in TESTS.rglob("test_*.py")}


def private_imports(source):
    """List the private names of the package that a file imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [
        name
        for name in names
        if name.startswith("skdistill.")
        and any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
    ]


@pytest.mark.parametrize("file", FILES)
def test_private_names_are_imported_where_the_table_says_why(file):
    found = private_imports(FILES[file].read_text(encoding="utf-8"))
    assert bool(found) == (file in MAY_IMPORT_PRIVATE), found


def test_the_table_names_files_that_are_there():
    assert MAY_IMPORT_PRIVATE.keys() <= FILES.keys()


def test_private_imports_are_found():
    source = """
from skdistill import StudentNet, __version__
from skdistill.losses import KD, _base
import skdistill._input._rows
def f():
    from skdistill.losses._kd import KD
"""
    found = ["skdistill.losses._base", "skdistill._input._rows", "skdistill.losses._kd.KD"]
    assert sorted(private_imports(source)) == sorted(found)
