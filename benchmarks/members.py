"""What several members in one network bring, and what they cost.

    python benchmarks/members.py --data FOLDER

fits plain students of 3,000 rows at most on six tables and prints, for each candidate, the
log-loss (for house prices the root mean squared error, in standard deviations) on other rows,
the mean change of its logarithm against the default network, and how many times the default's
processor time the fit took. One thread; no row of the tables' own test splits is read.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd
import torch
from _tables import load
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.students import TablePreprocessor

FIT_ROWS, OTHER_ROWS = 3_000, 5_000

TABLES = ("adult", "california", "letter", "pendigits", "spoken", "prices")

# Members, units of both hidden layers, dropout.
CANDIDATES = [
    (1, 256, 0.2),
    (1, 512, 0.1),
    (4, 256, 0.2),
    (8, 256, 0.2),
    (8, 256, 0.1),
    (4, 512, 0.1),
    (8, 512, 0.1),
]


def split(table, folder, seed):
    """Return rows to fit and other rows, then their labels, or standardised numbers."""
    if table == "prices":
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
        stratify=None if table == "prices" else y,
    )


def measure(table, folder, seed, members, units, dropout):
    """Return the loss of one student on other rows, and the seconds of its fit."""
    X, X_other, y, y_other = split(table, folder, seed)
    learns, net = DistilledClassifier, StudentNet
    if table == "prices":
        learns, net = DistilledRegressor, StudentNetRegressor
    net = net(
        module__n_members=members, module__hidden_units=(units, units), module__dropout=dropout
    )
    student = make_pipeline(TablePreprocessor(), net)
    model = learns(student=student, alpha=0, device="cpu", random_state=seed)
    start = time.process_time()
    model.fit(X, y)
    seconds = time.process_time() - start
    if table == "prices":
        return np.sqrt(np.mean((model.predict(X_other) - y_other) ** 2)), seconds
    return log_loss(y_other, model.predict_proba(X_other)), seconds


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=1, help="splits of each table")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tables = options.table or TABLES
    columns = " ".join(f"{table:>10}" for table in tables)
    print(f"{'members, units, dropout':<24}{columns}  mean log      time")
    first = None
    for candidate in CANDIDATES:
        found = np.array(
            [
                [measure(table, options.data, seed, *candidate) for seed in range(options.seeds)]
                for table in tables
            ]
        ).mean(axis=1)
        first = found if first is None else first
        change, slower = np.log(found / first).mean(axis=0)
        name = "{}, 2 x {}, {}".format(*candidate)
        cells = " ".join(f"{loss:10.4f}" for loss in found[:, 0])
        print(f"{name:<24}{cells} {100 * change:+8.1f} % {np.exp(slower):8.1f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
