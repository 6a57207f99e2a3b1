"""Whether the chosen weight of a teacher ever makes a student worse: five teachers on six tables.

    python benchmarks/never_worse.py --data FOLDER

fits students of the default recipe on at most 2,000 rows of each table: the plain one, one with
the default ``alpha=0.5``, and one with ``alpha="auto", calibrate="auto"``. It prints the log-loss
of the plain student on rows that nobody was fitted on, the mean over the seeds, of which each has
a split of its own; and for the others the difference to it, with each seed, and the weights that
were chosen. All students have the temperature that they find on the rows they hold back.

The net is a plain student of the default recipe that was fitted on as many further rows, where
the table has them: a fitted teacher, asked as it is.

`--n-jobs` cells run at a time, each in a process with one thread, the long ones first.
"""

import argparse
import sys
import time
import warnings

import numpy as np
import torch
from _tables import TABLES, load, make_teacher
from joblib import Parallel, delayed
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from targets_and_rows import FIT_ROWS, split

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning
from skdistill.teachers import SelfTeacher

PLAIN, HALF, AUTO, NET = "plain", "alpha 0.5", "auto", "net"
LARGE = {"adult", "bank", "california", "letter"}
TEACHERS = ("forest, boosting, itself", "boosting", "forest", "tree of depth 2", NET)


def teacher(name, table, folder, seed, n_rows, rows):
    """Return a teacher; the net is fitted on rows of the table that are not among these."""
    if name == "forest, boosting, itself":
        return [make_teacher("forest"), make_teacher("boosting"), SelfTeacher()]
    if name == "tree of depth 2":
        encode = make_teacher("boosting")[0]
        return make_pipeline(encode, DecisionTreeClassifier(max_depth=2, random_state=0))
    if name != NET:
        return make_teacher(name)
    X, y = load(table, folder)
    further = np.flatnonzero(~X.index.isin(rows))
    mine = np.random.default_rng(seed).permutation(further)[:n_rows]
    net = DistilledClassifier(alpha=0, device="cpu", random_state=seed + 100)
    return FrozenEstimator(net.fit(X.iloc[mine], y[mine]))


def run(name, table, seed, folder, n_rows):
    """Return the test log-loss by arm, the weight chosen, and the seconds."""
    started = time.process_time()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_test, y_test, _ = split(table, folder, seed, n_rows)
    taken = X.index.append(X_test.index)
    settings = {"device": "cpu", "random_state": seed}
    arms = {PLAIN: DistilledClassifier(alpha=0, **settings)}
    taught = teacher(name, table, folder, seed, len(y), taken)
    arms[HALF] = DistilledClassifier(taught, **settings)
    arms[AUTO] = DistilledClassifier(taught, alpha="auto", calibrate="auto", **settings)
    found = {arm: log_loss(y_test, m.fit(X, y).predict_proba(X_test)) for arm, m in arms.items()}
    return found, arms[AUTO].alpha_, time.process_time() - started


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="rows fitted, at most")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    parser.add_argument("--teacher", action="append", choices=TEACHERS, help="may be repeated")
    options = parser.parse_args()
    tables, teachers = options.table or list(TABLES), options.teacher or TEACHERS
    pairs = [(t, table) for t in teachers for table in tables if t != NET or table in LARGE]
    cells = [(*pair, seed) for pair in pairs for seed in range(options.seeds)]
    parallel = Parallel(options.n_jobs, batch_size=1, return_as="generator")
    replies = parallel(delayed(run)(*cell, options.data, options.rows) for cell in cells)
    losses, chosen = {}, {}
    for (name, table, seed), (found, alpha, seconds) in zip(cells, replies, strict=True):
        for arm, loss in found.items():
            losses.setdefault((table, name, arm), []).append(loss)
        chosen.setdefault((table, name), []).append(alpha)
        means = " ".join(f"{loss:.4f}" for loss in found.values())
        print(
            f"# {table} {seed}, {name}: {means}, {alpha}, {seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    report(losses, chosen, pairs)


def report(losses, chosen, pairs):
    """Print one line for each teacher and table, and what holds over all."""
    print(f"{'teacher':<26}{'table':<12}{'plain':<8}{'alpha 0.5':<18}{'auto':<18}chosen")
    overall = {HALF: [], AUTO: []}
    for name, table in pairs:
        plain = losses[table, name, PLAIN]
        cells = []
        for arm, found in overall.items():
            differences = [a - b for a, b in zip(losses[table, name, arm], plain, strict=True)]
            found.append(np.mean(differences))
            cells.append(" ".join(f"{value:+.4f}" for value in differences))
        weights = " ".join(f"{alpha:g}" for alpha in chosen[table, name])
        print(f"{name:<26}{table:<12}{np.mean(plain):<8.4f}{cells[0]:<18}{cells[1]:<18}{weights}")
    for arm, means in overall.items():
        found = np.array(means)
        print(
            f"{arm}: mean {found.mean():+.4f}, from {found.min():+.4f} to {found.max():+.4f}; "
            f"below the plain student on {np.sum(found < 0)} of {len(found)}, above on "
            f"{np.sum(found > 0)}"
        )


if __name__ == "__main__":
    sys.exit(main())
