"""What several members in one network bring, and what they cost.

    python benchmarks/members.py --data FOLDER [--teacher boosting]

fits students of at most 3,000 rows, plain ones or distilled, on six tables and prints, for each
candidate, the log-loss (for house prices the root mean squared error, in standard deviations) on
other rows, the mean change of its logarithm against the default network, and how many times the
default's processor time the fit took. One thread; the tables' own test splits are not read.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd
import torch
from _tables import load, make_teacher
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.students import TablePreprocessor
from skdistill.targets import teacher_targets

FIT_ROWS, OTHER_ROWS = 3_000, 5_000

PRICES = "prices"  # the one table of numbers
TABLES = ("adult", "california", "letter", "pendigits", "spoken", PRICES)

CANDIDATES = {
    f"{members}, 2 x {units}, {dropout}": {
        "module__n_members": members,
        "module__hidden_units": (units, units),
        "module__dropout": dropout,
    }
    for members, units, dropout in [
        (1, 256, 0.2),
        (1, 512, 0.1),
        (3, 256, 0.2),
        (4, 256, 0.2),
        (4, 256, 0.1),
        (8, 256, 0.2),
        (8, 256, 0.1),
        (4, 512, 0.1),
        (8, 512, 0.1),
    ]
}
DEFAULT = next(iter(CANDIDATES))


def split(table, folder, seed):
    """Return rows to fit and other rows, then their labels, or standardised numbers."""
    if table == PRICES:
        X = pd.read_csv(f"{folder}/california_housing.csv.gz")
        y = X.pop("median_house_value").to_numpy()
        y = (y - y.mean()) / y.std()
    else:
        X, y = load(table, folder)
    n_fit = min(FIT_ROWS, int(0.7 * len(y)))
    return train_test_split(
        X,
        y,
        train_size=n_fit,
        test_size=min(OTHER_ROWS, len(y) - n_fit),
        random_state=seed,
        stratify=None if table == PRICES else y,
    )


def measure(rows, seed, settings, answers):
    """Return the loss of one student on other rows, and the seconds of its fit."""
    X, X_other, y, y_other = rows
    of_numbers = y.dtype.kind == "f"
    learns = DistilledRegressor if of_numbers else DistilledClassifier
    net = StudentNetRegressor if of_numbers else StudentNet
    student = make_pipeline(TablePreprocessor(), net(**settings))
    model = learns(student=student, device="cpu", random_state=seed)
    model.set_params(alpha=0 if answers is None else 0.5)
    start = time.process_time()
    model.fit(X, y, soft_targets=answers)
    seconds = time.process_time() - start
    if of_numbers:
        return np.sqrt(np.mean((model.predict(X_other) - y_other) ** 2)), seconds
    return log_loss(y_other, model.predict_proba(X_other)), seconds


def compare(names, tables, options):
    """Measure each candidate on each table and seed; print a line for each candidate."""
    problems = []
    for table in tables:
        for seed in range(options.seeds):
            rows = split(table, options.data, seed)
            answers = None
            if options.teacher:
                teacher = make_teacher(options.teacher)
                answers = teacher_targets(teacher, rows[0], rows[2], random_state=seed)
            problems.append((rows, seed, answers))
    default = None
    for name in names:
        found = [measure(rows, seed, CANDIDATES[name], said) for rows, seed, said in problems]
        found = np.reshape(found, (len(tables), options.seeds, 2)).mean(axis=1)
        default = found if default is None else default
        change, slower = np.log(found / default).mean(axis=0)
        cells = " ".join(f"{loss:10.4f}" for loss in found[:, 0])
        print(f"{name:<24}{cells} {100 * change:+8.1f} % {np.exp(slower):8.1f}", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=1, help="splits of each table")
    parser.add_argument("--teacher", choices=["boosting", "forest"], help="none: plain students")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    parser.add_argument("--only", action="append", choices=CANDIDATES, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    known = [table for table in TABLES if not (options.teacher and table == PRICES)]
    tables = options.table or known
    names = [DEFAULT, *(name for name in options.only or CANDIDATES if name != DEFAULT)]
    columns = " ".join(f"{table:>10}" for table in tables)
    print(f"{'members, units, dropout':<24}{columns}  mean log      time")
    compare(names, tables, options)


if __name__ == "__main__":
    sys.exit(main())
