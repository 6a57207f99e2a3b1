"""What the temperature that a student finds on its held-back rows does: six tables, three sizes.

    python benchmarks/student_temperature.py --data FOLDER

fits plain students and students of a forest (out of fold, calibrated), each with the default
recipe, and prints their log-loss on rows that nobody was fitted on: with the temperature, and the
change in per cent against the very same student without it. Means of the seeds; in the last column
the mean change and the worst of all tables and seeds.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from _tables import TABLES, load, make_teacher
from joblib import Parallel, delayed
from scipy.special import log_softmax
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning

SIZES, TEST_ROWS = (200, 1_000, 3_000), 4_000
STUDENTS = ("plain", "of a forest")


def run(student, table, size, seed, folder):
    """Return the log-loss with the temperature and without."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y = load(table, folder)
    size = min(size, int(0.7 * len(y)))
    n_test = min(TEST_ROWS, len(y) - size)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=size, test_size=n_test, random_state=seed, stratify=y
    )
    settings = {"device": "cpu", "random_state": seed}
    model = DistilledClassifier(alpha=0, **settings)
    if student != "plain":
        model = DistilledClassifier(make_teacher("forest"), calibrate=True, **settings)
    log_p = model.fit(X, y).predict_log_proba(X_test)
    temperature = model.student_[-1].calibration_temperature_
    rows = np.arange(len(y_test)), y_test
    return [-logs[rows].mean() for logs in (log_p, log_softmax(log_p * temperature, axis=1))]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    tables = options.table or list(TABLES)
    lines = [(student, size) for student in STUDENTS for size in SIZES]
    cells = [
        (student, table, size, seed)
        for student, size in lines
        for table in tables
        for seed in range(options.seeds)
    ]
    found = Parallel(options.n_jobs)(delayed(run)(*cell, options.data) for cell in cells)
    found = np.reshape(found, (len(lines), len(tables), options.seeds, 2))
    head = "".join(f"{table:<16}" for table in tables)
    print(f"{'student':<13}{'rows':<7}{head}mean and worst change")
    for (student, size), losses in zip(lines, found, strict=True):
        changes = losses[..., 0] / losses[..., 1] - 1
        parts = [
            f"{level:.3f} {change:+.1%}"
            for level, change in zip(losses[..., 0].mean(1), changes.mean(1), strict=True)
        ]
        line = "".join(f"{part:<16}" for part in parts)
        print(f"{student:<13}{size:<7,}{line}{changes.mean():+.1%} {changes.max():+.1%}")


if __name__ == "__main__":
    sys.exit(main())
