"""Boosted trees as students: on labels, on weighted copies of the rows, and by the loss itself.

    python benchmarks/boosted_students.py --data FOLDER

fits LightGBM, with its own settings, on draws of the training rows of Adult and Letter, and prints
the log-loss and the accuracy on their test rows and the seconds of processor time of each fit, means
over the draws. The teachers' answers are out of fold.
"""

import argparse
import sys
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
from _tables import adult, letter
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skdistill import DistilledClassifier
from skdistill.targets import teacher_targets

TEACHERS = {
    "forest": RandomForestClassifier(300, min_samples_leaf=3, n_jobs=1),
    "boosting": HistGradientBoostingClassifier(learning_rate=0.05),
}


def read(name, folder):
    """Return training rows, their labels, test rows and theirs; categories are codes."""
    if name == "letter":
        data = np.load(folder / "letter.npz")
        X, y = letter(folder)
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
    return student.fit(X[rows], classes[columns], sample_weight=mixture[rows, columns])


def show(*cells):
    """Print a row of the table."""
    print("{:8}{:10}{:26}{:>10}{:>10}{:>10}".format(*cells), flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    show("", "teacher", "student", "log-loss", "accuracy", "seconds")
    for name, n_rows in (("adult", 8000), ("letter", 4000)):
        X_all, y_all, X_test, y_test = read(name, Path(options.data))
        found = {}
        for seed in range(options.seeds):
            rows = np.random.default_rng(seed).permutation(len(y_all))[:n_rows]
            X, y = X_all[rows], y_all[rows]
            student = LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed)
            model = DistilledClassifier(student=student, random_state=seed)
            tasks = {("none", "on labels"): lambda m=model: m.set_params(alpha=0).fit(X, y)}
            for teacher, estimator in TEACHERS.items():
                p = np.asarray(teacher_targets(estimator, X, y, random_state=seed).values)
                for alpha in (0.5, 0.9):
                    tasks[teacher, f"copies, alpha {alpha}"] = lambda a=alpha, p=p: fit_copies(
                        student, X, y, p, a
                    )
                    for T in (1, 2):
                        tasks[teacher, f"its loss, alpha {alpha}, T {T}"] = (
                            lambda a=alpha, p=p, T=T: model.set_params(alpha=a, temperature=T).fit(
                                X, y, soft_targets=p
                            )
                        )
            for key, fit in tasks.items():
                start = process_time()
                fitted = fit()
                seconds = process_time() - start
                answer = fitted.predict_proba(X_test)
                scores = log_loss(y_test, answer), accuracy_score(y_test, fitted.predict(X_test))
                found.setdefault(key, []).append([*scores, seconds])
        for (teacher, student), values in found.items():
            loss, accuracy, seconds = np.mean(values, axis=0)
            show(name, teacher, student, f"{loss:.4f}", f"{accuracy:.4f}", f"{seconds:.1f}")


if __name__ == "__main__":
    sys.exit(main())
