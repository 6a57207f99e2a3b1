"""What the student among its teachers does for a student: three teachers on six tables.

    python benchmarks/self_teacher.py --data FOLDER

fits students of the default recipe on at most 2,000 rows of each table and prints their log-loss on
rows that nobody was fitted on. The difference to the plain student, which has the same labels and
no teacher, stands beside each, plus and minus two standard errors: over the test rows or over the
seeds, of which each has a split of its own, whichever is greater. All students have the
temperature that they find on the rows they hold back.

`--n-jobs` cells run at a time, each in a process with one thread.
"""

import argparse
import sys
import warnings

import torch
from _tables import TABLES, make_teacher
from joblib import Parallel, delayed
from targets_and_rows import FIT_ROWS, difference, split, terms

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning
from skdistill.teachers import SelfTeacher

PLAIN = "plain"
TREES = {
    "forest": ["forest"],
    "boosting": ["boosting"],
    "forest, boosting": ["forest", "boosting"],
}
ARMS = {
    PLAIN: None,
    **TREES,
    "itself": [],
    **{f"{name}, itself": trees for name, trees in TREES.items()},
}


def make_model(arm, seed):
    """Return the unfitted model of an arm."""
    settings = {"device": "cpu", "random_state": seed}
    if arm == PLAIN:
        return DistilledClassifier(alpha=0, **settings)
    teachers = [make_teacher(name) for name in ARMS[arm]]
    if arm.endswith("itself"):
        teachers.append(SelfTeacher())
    teacher = teachers if len(teachers) > 1 else teachers[0]
    return DistilledClassifier(teacher, calibrate=True, **settings)


def run(arm, table, seed, folder, n_rows):
    """Return the log-loss of each test row."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_test, y_test, _ = split(table, folder, seed, n_rows)
    model = make_model(arm, seed).fit(X, y)
    return terms(y_test, model.predict_proba(X_test))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="rows fitted, at most")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    tables = options.table or list(TABLES)
    cells = [(arm, t, seed) for t in tables for seed in range(options.seeds) for arm in ARMS]
    parallel = Parallel(options.n_jobs, batch_size=1, return_as="generator")
    replies = parallel(delayed(run)(*cell, options.data, options.rows) for cell in cells)
    losses = {}
    for (arm, table, seed), values in zip(cells, replies, strict=True):
        losses.setdefault((table, arm), []).append(values)
        print(f"# {table} {seed}, {arm}: {values.mean():.4f}", file=sys.stderr, flush=True)
    print(f"{'teacher':<26}" + "".join(f"{table:<25}" for table in tables).rstrip())
    for arm in ARMS:
        parts = [cell(losses, table, arm) for table in tables]
        print(f"{arm:<26}" + "".join(f"{part:<25}" for part in parts).rstrip())


def cell(losses, table, arm):
    """Return the log-loss, and the interval of its difference to the plain student."""
    values = losses[table, arm]
    level = f"{sum(rows.mean() for rows in values) / len(values):.3f}"
    return level if arm == PLAIN else level + difference(values, losses[table, PLAIN])


if __name__ == "__main__":
    sys.exit(main())
