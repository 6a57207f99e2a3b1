"""Boosted trees as students: on labels, on weighted copies of the rows, and by the loss itself.

    python benchmarks/boosted_students.py --data FOLDER

fits LightGBM, with its own settings, on draws of the training rows of Adult and Letter, and prints
the log-loss and the accuracy on their test rows and the seconds of processor time of each fit,
means over the draws. The teachers' answers are out of fold, and calibrated.
"""

import argparse
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from _tables import adult, letter
from lightgbm import LGBMClassifier
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.preprocessing import OrdinalEncoder

from skdistill import DistilledClassifier
from skdistill.targets import teacher_targets

TEACHERS = {
    "forest": RandomForestClassifier(300, min_samples_leaf=3, n_jobs=1),
    "boosting": HistGradientBoostingClassifier(learning_rate=0.05),
}
N_ROWS = {"adult": 8000, "letter": 4000}
N_DRAWS = {"adult": 3, "letter": 1}


def read(name, folder):
    """Return training rows, their labels, test rows and theirs; categories are codes."""
    if name == "letter":
        X, y = letter(folder)
        with np.load(folder / "letter.npz") as data:
            return np.asarray(X), np.asarray(y), data["X_test"], data["y_test"]
    X, y = adult(folder)
    test = pd.read_csv(folder / "adult_test.csv.gz", na_values="?")
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = (codes, make_column_selector(dtype_exclude="number"))
    encode = make_column_transformer(columns, remainder="passthrough").fit(X)
    y_test = np.asarray(test.iloc[:, -1])
    return encode.transform(X), np.asarray(y), encode.transform(test.iloc[:, :-1]), y_test


def fit_copies(student, X, y, targets, alpha):
    """Fit on each row once for each class, weighed by the mixture of label and answer."""
    classes = np.unique(y)
    mixture = (1 - alpha) * (y[:, None] == classes) + alpha * targets
    rows, columns = np.nonzero(mixture > 1e-12)
    return clone(student).fit(X[rows], classes[columns], sample_weight=mixture[rows, columns])


def fits_of(student, X, y, seed):
    """Yield a teacher, a way to learn, and a fit of the student by it, as a function."""
    model = DistilledClassifier(student=student, random_state=seed)
    yield "none", "labels", clone(student).fit, (X, y)
    for name, teacher in TEACHERS.items():
        targets = teacher_targets(teacher, X, y, calibrate=True, random_state=seed)
        p = np.asarray(targets.values)
        for alpha in (0.5, 0.9):
            yield name, f"copies, alpha {alpha}", fit_copies, (student, X, y, p, alpha)
            for T in (1, 2):
                by_loss = clone(model).set_params(alpha=alpha, temperature=T)
                yield name, f"its loss, alpha {alpha}, T {T}", by_loss.fit, (X, y, p)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--draws", type=int, help="of rows; 3 of Adult and 1 of Letter otherwise")
    parser.add_argument("--tables", nargs="+", default=list(N_ROWS), choices=list(N_ROWS))
    options = parser.parse_args()
    line = "{:8}{:10}{:26}{:>10}{:>10}{:>10}"
    print(line.format("", "teacher", "learns", "log-loss", "accuracy", "seconds"), flush=True)
    for table in options.tables:
        X_all, y_all, X_test, y_test = read(table, Path(options.data))
        found = {}
        for seed in range(options.draws or N_DRAWS[table]):
            rows = np.random.default_rng(seed).permutation(len(y_all))[: N_ROWS[table]]
            student = LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed)
            for teacher, way, fit, given in fits_of(student, X_all[rows], y_all[rows], seed):
                start = process_time()
                fitted = fit(*given[:2], soft_targets=given[2]) if len(given) == 3 else fit(*given)
                seconds = process_time() - start
                loss = log_loss(y_test, fitted.predict_proba(X_test))
                accuracy = accuracy_score(y_test, fitted.predict(X_test))
                found.setdefault((teacher, way), []).append([loss, accuracy, seconds])
        for (teacher, way), values in found.items():
            loss, accuracy, seconds = np.mean(values, axis=0)
            shown = f"{loss:.4f}", f"{accuracy:.4f}", f"{seconds:.1f}"
            print(line.format(table, teacher, way, *shown), flush=True)


if __name__ == "__main__":
    sys.exit(main())
