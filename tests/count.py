"""Count the tests by what they try: collected, not run.

    python tests/count.py > docs/tested.txt

Each row of a table of cases is a test. A test belongs to the first line whose pattern fits its
name, "file::test[case]".
"""

import contextlib
import io
import re
import sys

import pytest

REFUSED = r"::test_\w*(refus|bad_(?!imports))"
FILES = r"/test_load(_[a-z]+)?_refused\.py.*::test_refused"
LINES = {
    "scikit-learn's estimator checks": {
        "classifiers and what prepares their rows": r"tests/test_estimator_checks\.py",
        "regressors": r"tests/test_regressor_checks\.py",
        "ensembles of teachers": r"::test_estimator_checks",
    },
    "Files from elsewhere": {
        "hostile, damaged or foreign files refused": FILES,
        "readers: old ones refused, patched ones read": r"/test_load_versions\.py",
        "other files: honest ones read, others not run": r"/test_load\w*\.py",
    },
    "Inputs refused, with the reason": {
        "rows, labels, weights and settings of a fit": r"tests/test_bad_input\.py" + REFUSED,
        "tables and texts": r"tests/test_(tables|labels_and_frames|texts)\.py" + REFUSED,
        "rows without labels, generated rows": r"(transfer/|test_more_rows)\w*\.py" + REFUSED,
        "regressors": r"regressor(_net|s)?\.py" + REFUSED,
        "teachers": r"teachers/\w+\.py" + REFUSED,
        "targets, calibration and memory": r"targets/\w+\.py" + REFUSED,
        "losses": r"losses/\w+\.py" + REFUSED,
        "networks and what prepares their rows": r"students/\w+\.py" + REFUSED,
        "nets, their settings and callbacks": r"training/\w+\.py" + REFUSED,
        "reports, curves, scores and pictures": r"evaluation/\w+\.py" + REFUSED,
        "the command line": r"tests/test_main\.py" + REFUSED,
        "parameters and compositions": REFUSED,
    },
    "Odd inputs taken, with the right value": {
        "rows, labels and settings": r"::test_\w*(odd_|_are_taken)",
        "tables and texts": r"tests/test_(tables|labels_and_frames|texts)\.py",
    },
    "Faults survived": {
        "interruptions, numbers that overflow": r"tests/test_(interruptions|first_seconds)\.py",
        "a full disk, a damaged or locked cache": r"::test_\w*(full_disk|damaged|_locked|_rights)",
        "forks": r"::test_\w*fork",
        "threads": r"tests/test_threads\.py|::test_\w*threads",
    },
    "Left as it was": {
        "arrays, tables, teachers, random streams": r"tests/test_untouched\.py|::test_\w*untouched",
        "an earlier fit, when the next one fails": r"tests/test_atomic\.py",
        "clones and parameters": r"tests/test_cloning\.py",
    },
    "All other tests": {
        "examples of the docstrings": r"^skdistill/",
        "the code, the docs and the scripts": r"tests/test_(layers|packaging|docs|examples)\.py",
        "values, against oracles and closed forms": r"",
    },
}


class Names:
    """A plugin of pytest that keeps the names of what was collected."""

    def __init__(self):
        self.names = []

    def pytest_collection_finish(self, session):
        """Keep the names."""
        self.names = [item.nodeid for item in session.items]


def collected():
    """Return the names of all tests, slow ones among them."""
    names, said = Names(), io.StringIO()
    with contextlib.redirect_stdout(said):
        status = pytest.main(["--collect-only", "-q", "-m", "slow or not slow"], plugins=[names])
    if status:
        sys.exit(said.getvalue())
    return names.names


def counted(names):
    """Return how many of the names belong to each line."""
    counts = {(area, line): 0 for area, lines in LINES.items() for line in lines}
    for name in names:
        counts[_line(name)] += 1
    return counts


def _line(name):
    for area, lines in LINES.items():
        for line, pattern in lines.items():
            if re.search(pattern, name):
                return area, line
    raise LookupError(name)


def main():
    """Print the table."""
    names = collected()
    counts = counted(names)
    for area, lines in LINES.items():
        print(f"{area:52}{sum(counts[area, line] for line in lines):7,}")
        for line in lines:
            print(f"  {line:50}{counts[area, line]:7,}")
        print()
    print(f"{'All':52}{len(names):7,}")


if __name__ == "__main__":
    main()
