"""Tests speak through public names. Those that may not are listed here, each with its reason."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ORACLE = "a pure function is compared with its formula, which a whole fit would hide"
READ = "a name or an object is read, which every fit does first"
COUNTED = "what is asked, or drawn, is counted at the place where it happens"
MAY_IMPORT_PRIVATE = {
    "evaluation/test_adversarial.py": ORACLE,
    "evaluation/test_bias_variance.py": ORACLE,
    "evaluation/test_compare.py": ORACLE,
    "evaluation/test_curves.py": ORACLE,
    "evaluation/test_diagnose.py": "the rules are tried on figures that no fit gives at will",
    "evaluation/test_metrics.py": ORACLE,
    "evaluation/test_numbers.py": "the verdict is tried on intervals that no fit gives at will",
    "evaluation/test_report.py": ORACLE,
    "evaluation/test_robustness.py": ORACLE,
    "evaluation/test_rows_of_fit.py": ORACLE,
    "evaluation/test_teacher_asked_once.py": COUNTED,
    "students/test_sparse.py": ORACLE,
    "students/test_table.py": ORACLE,
    "targets/test_calibration.py": ORACLE,
    "targets/test_keys.py": ORACLE,
    "targets/test_memory.py": COUNTED,
    "targets/test_prior.py": ORACLE,
    "targets/test_warnings.py": "warnings are tried on answers that no teacher gives at will",
    "teachers/test_align.py": ORACLE,
    "teachers/test_ensemble.py": ORACLE,
    "teachers/test_load.py": "Keras is imported with torch beneath it, as the loader does",
    "teachers/test_load_keras_refused.py": "Keras is imported with torch beneath it",
    "teachers/test_load_versions.py": "Keras is imported with torch beneath it",
    "test_atomic.py": "a net of skorch that goes on is reached only inside a fitted model",
    "test_bad_input.py": COUNTED,
    "test_cuda.py": "the device that is chosen is read",
    "test_tables.py": ORACLE,
    "test_texts.py": "the memory of a long text is looked at before a teacher reads it",
    "training/test_criterion.py": ORACLE,
    "training/test_estimator_regressor.py": ORACLE,
    "training/test_estimator_student.py": ORACLE,
    "training/test_fast_paths.py": COUNTED,
    "training/test_feature_training.py": READ,
    "training/test_regressor_net.py": ORACLE,
    "training/test_regressor_views.py": "a loop by hand draws what a training draws",
    "training/test_student_net.py": ORACLE,
    "training/test_views.py": COUNTED,
    "transfer/test_munge.py": ORACLE,
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
import skdistill._rows
def f():
    from skdistill.losses._kd import KD
"""
    found = ["skdistill.losses._base", "skdistill._rows", "skdistill.losses._kd.KD"]
    assert sorted(private_imports(source)) == sorted(found)
