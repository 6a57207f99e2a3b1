"""What a cascade of numbers could promise, and what that would cost, on California housing.

    python benchmarks/cascade_numbers.py --data FOLDER

fits teachers and distilled students on 6,000 rows and takes the other rows as all that there are.
From them it draws 3,000 rows, with replacement, 200 times. A third of them teaches boosted trees
how far a student is from its teacher, by the columns and the student's number; of the others a
tenth places 51 thresholds on what these say, and the rest tests two kinds of promises in a fixed
order, as `TunedCascadeClassifier` does:

- far: at most such a share of the rows gets a number that is farther from the teacher's than so
  many thousand dollars. The test is exact (binomial).
- error: the mean squared error is at most so much above the teacher's. There is no exact test, for
  a squared error has no bound; this one takes its mean for normal.

A cell is the share of all rows that goes to the teacher, and the share of draws in which the
promise is broken. The tables' own test splits are not read.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from regression import BOOSTING, FOREST, encoded, load
from scipy.stats import binom, norm
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledRegressor
from skdistill.exceptions import DistillationWarning

FIT_ROWS = 6_000
SHARES = np.linspace(0, 1, 51)
RISK = 0.05
PAIRS = {
    "boosting, net": (BOOSTING, None),
    "forest, net": (FOREST, None),
    "boosting, tree": (BOOSTING, encoded(DecisionTreeRegressor(max_leaf_nodes=128))),
}
FAR = [(50, 0.02), (30, 0.05), (20, 0.1)]
ERROR = [0.05, 0.02]


def record(teacher, student, X, y):
    """Return the rows as numbers, and what student and teacher say of those they do not know."""
    drawn = np.random.RandomState(0).permutation(len(y))
    fit, rest = drawn[:FIT_ROWS], drawn[FIT_ROWS:]
    model = DistilledRegressor(
        clone(teacher), student, alpha=0.5 if student is None else 0.9, device="cpu", random_state=0
    ).fit(X.iloc[fit], y[fit])
    texts = X.select_dtypes(exclude="number").columns
    codes = X.assign(**{name: OrdinalEncoder().fit_transform(X[[name]])[:, 0] for name in texts})
    rows = X.iloc[rest]
    return codes.iloc[rest].to_numpy(), model.predict(rows), model.teacher_.predict(rows), y[rest]


def promises(student, teacher, y):
    """Return by name what each row adds, kept or deferred, and the test of the mean."""
    found = {}
    for distance, share in FAR:
        is_far = (np.abs(student - teacher) > distance).astype(float)
        found[f"far {distance}, {100 * share:g} %"] = (is_far, 0 * is_far, share, exact)
    for more in ERROR:
        kept = (student - y) ** 2 - (1 + more) * (teacher - y) ** 2
        found[f"error {100 * more:g} %"] = (kept, -more * (teacher - y) ** 2, 0.0, normal)
    return found


def exact(values, most):
    """Return the p-value of each row of zeros and ones that its rate is above `most`."""
    return binom.cdf(values.sum(axis=1), values.shape[1], most)


def normal(values, most):
    """Return the p-value of each row that its mean is above `most`."""
    error = values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return norm.cdf((values.mean(axis=1) - most) / error)


def measure(X, student, teacher, y, options):
    """Return for each promise the mean share deferred, and the share of draws that break it."""
    rng, known = np.random.default_rng(0), np.column_stack([X, student])
    terms = promises(student, teacher, y)
    found = {name: [] for name in terms}
    for _ in range(options.repetitions):
        drawn = rng.integers(len(y), size=options.rows)
        learns, others = np.split(drawn, [options.rows // 3])
        trees = HistGradientBoostingRegressor(max_iter=60, random_state=0)
        trees.fit(known[learns], np.abs(student - teacher)[learns])
        doubt = trees.predict(known)
        places, tests = others[::10], np.delete(others, np.s_[::10])
        thresholds = np.quantile(doubt[places], 1 - SHARES)
        thresholds[0], thresholds[-1] = np.inf, -np.inf
        keeps = doubt[tests] <= thresholds[:, None]
        for name, (kept, deferred, most, test) in terms.items():
            passed = test(np.where(keeps, kept[tests], deferred[tests]), most) <= RISK
            failed = np.flatnonzero(~passed[:-1])  # all deferred needs no test
            chosen = failed[-1] + 1 if len(failed) else 0
            is_kept = doubt <= thresholds[chosen]
            truth = np.where(is_kept, kept, deferred).mean()
            found[name].append((1 - is_kept.mean(), truth > most))
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--rows", type=int, default=3_000, help="that find the threshold")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DistillationWarning)
    X, y = load(Path(options.data))
    report({name: record(*pair, X, y) for name, pair in PAIRS.items()}, options)


def report(records, options):
    """Print a line for each pair of teacher and student."""
    for number, (pair, (X, student, teacher, y)) in enumerate(records.items()):
        found = measure(X, student, teacher, y, options)
        if number == 0:
            heads = "".join(f"{name:>19}" for name in found)
            print(f"{'':<16}{'mean squared error':^18}{'':4}deferred, broken\n{'':<16}", end="")
            print(f"{'teacher':>9}{'student':>9}{heads}")
        errors = "".join(f"{np.mean((said - y) ** 2):9.0f}" for said in (teacher, student))
        cells = "".join(f"{100 * a:9.1f} %{100 * b:6.1f} %" for a, b in found.values())
        print(f"{pair:<16}{errors}{cells}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
