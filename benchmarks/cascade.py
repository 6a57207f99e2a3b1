"""Does a cascade keep its promise, and what does that cost?

    python benchmarks/cascade.py --data FOLDER

fits a teacher and its distilled default student on 6,000 rows of three tables and takes the other
rows as all that there are. From them it draws 3,000 rows, with replacement, 200 times; each time
`TunedCascadeClassifier` finds a threshold, and so does who takes the estimate for the truth (the
least deferral whose estimated loss of accuracy is within the tolerance). A promise is broken if, on
all the rows, the accuracy is below the teacher's by more than the tolerance. The tables' own test
splits are not read.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from _tables import load, make_teacher
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier
from skdistill.deployment import CascadeClassifier, TunedCascadeClassifier
from skdistill.exceptions import DistillationWarning

FIT_ROWS = 6_000
TEACHERS = {"adult": "boosting", "letter": "forest", "california": "boosting"}


class Recorded(ClassifierMixin, BaseEstimator):
    """A classifier whose answers are known; its rows are their numbers."""

    def __init__(self, answers):
        self.answers = answers
        self.classes_ = np.arange(answers.shape[1])

    def fit(self, X, y):
        """Learn nothing."""
        return self

    def predict_proba(self, X):
        """Look the answers up."""
        return self.answers[np.asarray(X)[:, 0]]

    def predict(self, X):
        """Return the class with the greatest."""
        return self.predict_proba(X).argmax(axis=1)


def record(table, folder):
    """Return student, teacher and labels of all rows that neither has learnt from."""
    X, y = load(table, folder)
    X_fit, X, y_fit, y = train_test_split(X, y, train_size=FIT_ROWS, random_state=0, stratify=y)
    teacher = make_teacher(TEACHERS[table])
    model = DistilledClassifier(teacher, device="cpu", random_state=0).fit(X_fit, y_fit)
    answers = model.predict_proba(X), model.teacher_.predict_proba(X)
    return *(Recorded(p) for p in answers), y


def measure(student, teacher, y, options, rng):
    """Return, for the estimate and for the promise, shares of rows deferred and of broken ones."""
    rows = np.arange(len(y))[:, None]
    goal = teacher.score(rows, y) - options.tolerance
    accuracies = {}  # of a threshold, on all rows
    shares = {"estimate": [], "promise": []}
    broken = {"estimate": [], "promise": []}
    for _ in range(options.repetitions):
        drawn = rng.integers(len(y), size=options.rows)
        cascade = TunedCascadeClassifier(student, teacher, tolerance=options.tolerance)
        curve = cascade.fit(rows[drawn], y[drawn]).curve_
        fine = np.flatnonzero(curve["gap"] <= options.tolerance)[0]
        for name, threshold in (
            ("estimate", curve["threshold"][fine]),
            ("promise", cascade.threshold_),
        ):
            if threshold not in accuracies:
                fixed = CascadeClassifier(student, teacher, threshold=min(threshold, 2.0))
                accuracies[threshold] = fixed.score(rows, y), fixed.defers(rows).mean()
            accuracy, share = accuracies[threshold]
            shares[name].append(share)
            broken[name].append(accuracy < goal)
    return [100 * np.mean(of[name]) for name in shares for of in (shares, broken)]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--rows", type=int, default=3_000, help="that find the threshold")
    parser.add_argument("--tolerance", type=float, default=0.005)
    parser.add_argument("--table", action="append", choices=TEACHERS, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DistillationWarning)
    print(f"{'':<29}   {'by the estimate':>19}   {'by the promise':>19}")
    print(f"{'table':<11}{'student':>9}{'teacher':>9}" + f"   {'deferred':>10}{'broken':>9}" * 2)
    for table in options.table or TEACHERS:
        student, teacher, y = record(table, options.data)
        rows = np.arange(len(y))[:, None]
        found = measure(student, teacher, y, options, np.random.default_rng(0))
        scores = f"{student.score(rows, y):9.4f}{teacher.score(rows, y):9.4f}"
        cells = "".join(
            f"   {share:8.1f} %{broken:7.1f} %" for share, broken in (found[:2], found[2:])
        )
        print(f"{table:<11}{scores}{cells}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
