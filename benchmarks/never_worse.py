"""Whether the chosen weight of a teacher ever makes a student worse: five teachers on six tables.

    python benchmarks/never_worse.py --data FOLDER

fits students of the default recipe on at most 2,000 rows of each table: the plain one, one with
the default ``alpha=0.5``, and one with ``alpha="auto", calibrate="auto"``. It prints the log-loss
of the plain student on rows that nobody was fitted on, the mean over the seeds, of which each has
a split of its own; for the others the mean difference to it, with its 95 % interval (Student's t
over the seeds) where there are several; and the weights that were chosen. All students have the
temperature that they find on the rows they hold back.

The net is a plain student of the default recipe that was fitted on as many further rows, where
the table has them: a fitted teacher, asked as it is.

With `--labels tenth` a tenth of the rows keep their labels, and the other rows are `X_unlabeled`
for the students with a teacher.

`--n-jobs` cells run at a time, each in a process with one thread. `--memory` keeps the cells that
are done, so that a run that was stopped goes on.
"""

import argparse
import sys
import time
import warnings

import numpy as np
import torch
from _tables import TABLES, load, make_teacher
from joblib import Memory, Parallel, delayed
from scipy import stats
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
TEACHERS = {
    "all": ("forest, boosting, itself", "boosting", "forest", "tree of depth 2", NET),
    "tenth": ("forest", "boosting", "both"),
}


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


def run(name, table, seed, folder, n_rows, labels):
    """Return the test log-loss by arm, the weight chosen, and the seconds of each arm."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_test, y_test, n_few = split(table, folder, seed, n_rows)
    taken = X.index.append(X_test.index)
    more = {}
    if labels == "tenth":
        more["X_unlabeled"] = X[n_few:]
        X, y = X[:n_few], y[:n_few]
    settings = {"device": "cpu", "random_state": seed}
    taught = teacher(name, table, folder, seed, len(y), taken)
    arms = {
        PLAIN: DistilledClassifier(alpha=0, **settings),
        HALF: DistilledClassifier(taught, **settings),
        AUTO: DistilledClassifier(taught, alpha="auto", calibrate="auto", **settings),
    }
    found, seconds = {}, {}
    for arm, model in arms.items():
        started = time.process_time()
        model.fit(X, y, **({} if arm == PLAIN else more))
        seconds[arm] = time.process_time() - started
        found[arm] = log_loss(y_test, model.predict_proba(X_test))
    return found, arms[AUTO].alpha_, seconds


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="rows fitted, at most")
    parser.add_argument("--labels", choices=TEACHERS, default="all", help="rows with labels")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    parser.add_argument("--teacher", action="append", help="may be repeated")
    parser.add_argument("--memory", help="folder for the cells that are done")
    options = parser.parse_args()
    tables, teachers = options.table or list(TABLES), options.teacher or TEACHERS[options.labels]
    pairs = [(t, table) for t in teachers for table in tables if t != NET or table in LARGE]
    cells = [(*pair, seed) for seed in range(options.seeds) for pair in pairs]
    cell = delayed(Memory(options.memory, verbose=0).cache(run))
    parallel = Parallel(options.n_jobs, batch_size=1, return_as="generator")
    replies = parallel(cell(*c, options.data, options.rows, options.labels) for c in cells)
    losses, chosen, cost = {}, {}, {}
    for (name, table, seed), (found, alpha, seconds) in zip(cells, replies, strict=True):
        for arm, loss in found.items():
            losses.setdefault((table, name, arm), []).append(loss)
            cost.setdefault(arm, []).append(seconds[arm])
        chosen.setdefault((table, name), []).append(alpha)
        means = " ".join(f"{loss:.4f}" for loss in found.values())
        spent = " ".join(f"{arm_seconds:.0f}" for arm_seconds in seconds.values())
        print(f"# {table} {seed}, {name}: {means}, {alpha}, {spent} s", file=sys.stderr, flush=True)
    report(losses, chosen, pairs)
    means = ", ".join(f"{arm} {np.mean(seconds):.1f}" for arm, seconds in cost.items())
    print(f"CPU seconds of a fit, the mean over all: {means}")


def report(losses, chosen, pairs):
    """Print one line for each teacher and table, and what holds over all."""
    print(f"{'teacher':<26}{'table':<12}{'plain':<8}{'alpha 0.5':<18}{'auto':<18}chosen")
    overall = {HALF: [], AUTO: []}
    for name, table in pairs:
        plain = np.array(losses[table, name, PLAIN])
        cells = []
        for arm, found in overall.items():
            differences = np.array(losses[table, name, arm]) - plain
            mean, n_seeds = differences.mean(), len(differences)
            half, shown = np.inf, f"{mean:+.4f}"
            if n_seeds > 1:
                error = differences.std(ddof=1) / np.sqrt(n_seeds)
                half = stats.t.ppf(0.975, n_seeds - 1) * error
                shown += f" +- {half:.4f}"
            found.append((mean, mean - half, max(0.01 * plain.mean(), 0.002)))
            cells.append(shown)
        weights = " ".join(f"{alpha:g}" for alpha in chosen[table, name])
        print(f"{name:<26}{table:<12}{plain.mean():<8.4f}{cells[0]:<18}{cells[1]:<18}{weights}")
    for arm, found in overall.items():
        means, lowest, allowed = np.array(found).T
        print(
            f"{arm}: mean {means.mean():+.4f}, from {means.min():+.4f} to {means.max():+.4f}; "
            f"below the plain student on {np.sum(means < 0)} of {len(means)};\n  above it by more "
            f"than 1 % and .002 on {np.sum(means > allowed)}, of which with 95 % confidence "
            f"{np.sum(lowest > allowed)}"
        )


if __name__ == "__main__":
    sys.exit(main())
