"""What targets and rows do for a student: three teachers on six tables.

    python benchmarks/targets_and_rows.py --data FOLDER

fits students of the default recipe on at most 2,000 rows of each table and prints their log-loss
on rows that nobody was fitted on: with all labels, and with a tenth of them. The difference to the
plain student with one fitted temperature, which has the same labels and no teacher, stands beside
each, plus and minus two standard errors: over the test rows or over the seeds, of which each has a
split of its own, whichever is greater. Unlabelled rows come with alpha 0.9, for a longer epoch
repeats the labels more often, and with calibrated answers.

`--n-jobs` cells run at a time, each in a process with one thread, the long ones first.
"""

import argparse
import sys
import tempfile
import time
import warnings

import numpy as np
import torch
from _tables import TABLES, load, make_teacher
from joblib import Parallel, delayed
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_predict

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning
from skdistill.targets import fit_temperature
from skdistill.transfer import Spunge

FIT_ROWS, TEST_ROWS = 2_000, 4_000
TREES = ("forest", "boosting", "both")
TEACHERS = {"all labels": TREES, "a tenth of the labels": (*TREES, "with a net")}
PLAIN, SCALED = "plain", "plain + temperature"
ARMS = {
    "all labels": {
        "in-sample": {"cv": "in-sample"},
        "out of fold": {},
        "calibrated": {"calibrate": True},
        "spunge": {"augment": Spunge(factor=3)},
    },
    "a tenth of the labels": {
        "labelled rows": {},
        "and the others unlabelled": {"X_unlabeled": True, "alpha": 0.9, "calibrate": True},
    },
}


def split(table, folder, seed, n_rows):
    """Return rows to fit, of which the first tenth is labelled in proportion, and test rows."""
    X, y = load(table, folder)
    n_fit = min(n_rows, int(0.7 * len(y)))
    n_test = min(TEST_ROWS, len(y) - n_fit)
    cut = StratifiedShuffleSplit(1, train_size=n_fit, test_size=n_test, random_state=seed)
    fit, test = next(cut.split(X, y))
    tenth = StratifiedShuffleSplit(1, train_size=n_fit // 10, random_state=seed)
    few, rest = next(tenth.split(fit, y[fit]))
    fit = fit[np.append(few, rest)]
    return X.iloc[fit], y[fit], X.iloc[test], y[test], len(few)


def members(teacher):
    """Return a teacher; "with a net" are both kinds of trees and the plain student."""
    if teacher != "with a net":
        return make_teacher(teacher)
    net = DistilledClassifier(alpha=0, device="cpu")
    return [make_teacher("forest"), make_teacher("boosting"), net]


def terms(y, probabilities):
    """Return the log-loss of each row."""
    return -np.log(np.maximum(probabilities[np.arange(len(y)), y], np.finfo(float).eps))


def fit_plain(X, y, X_test, y_test, seed):
    """Return the terms of the plain student, without and with one fitted temperature."""
    model = DistilledClassifier(alpha=0, device="cpu", random_state=seed).fit(X, y)
    held_out = cross_val_predict(model, X, y, cv=3, method="predict_log_proba")
    temperature = fit_temperature(held_out, y)
    log_p = model.predict_log_proba(X_test) / temperature
    scaled = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    scaled /= scaled.sum(axis=1, keepdims=True)
    return {PLAIN: terms(y_test, model.predict_proba(X_test)), SCALED: terms(y_test, scaled)}


def run(budget, teacher, table, seed, folder, n_rows):
    """Return the terms of all arms of one teacher, None being no teacher, and the seconds."""
    started = time.process_time()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_test, y_test, n_few = split(table, folder, seed, n_rows)
    n_labelled = len(y) if budget == "all labels" else n_few
    rows, others = (X[:n_labelled], y[:n_labelled]), X[n_labelled:]
    if teacher is None:
        return fit_plain(*rows, X_test, y_test, seed), time.process_time() - started
    found = {}
    # The generated rows first: the clones that answer them answer the others in the same go.
    arms = sorted(ARMS[budget].items(), key=lambda arm: "augment" not in arm[1])
    with tempfile.TemporaryDirectory() as memory:
        for arm, settings in arms:
            settings = settings | {"device": "cpu", "memory": memory, "random_state": seed}
            more = {"X_unlabeled": others} if settings.pop("X_unlabeled", False) else {}
            model = DistilledClassifier(members(teacher), **settings)
            found[arm] = terms(y_test, model.fit(*rows, **more).predict_proba(X_test))
    return found, time.process_time() - started


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="rows fitted, at most")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    parser.add_argument("--budget", action="append", choices=ARMS, help="may be repeated")
    options = parser.parse_args()
    tables, budgets = options.table or list(TABLES), options.budget or list(ARMS)
    cells = [
        (budget, teacher, table, seed)
        for budget in budgets
        for teacher in (*reversed(TEACHERS[budget]), None)
        for table in reversed(tables)
        for seed in range(options.seeds)
    ]
    # One at a time to a process, so that none waits behind a long one.
    parallel = Parallel(options.n_jobs, batch_size=1, return_as="generator")
    replies = parallel(delayed(run)(*cell, options.data, options.rows) for cell in cells)
    losses = {}
    for (budget, teacher, table, seed), (found, seconds) in zip(cells, replies, strict=True):
        for arm, values in found.items():
            losses.setdefault((table, budget, teacher, arm), {})[seed] = values
        print(
            f"# {budget}, {table} {seed}, {teacher}: {seconds:.0f} s", file=sys.stderr, flush=True
        )
    report(losses, tables, budgets)


def report(losses, tables, budgets):
    """Print a block for each budget: a line for each teacher and arm, a column for each table."""
    for budget in budgets:
        arms = ARMS[budget]
        print(f"\n{budget}\n{'-' * len(budget)}")
        head = "".join(f"{table:<25}" for table in tables).rstrip()
        print(f"{'teacher':<11}{'arm':<27}{head}")
        lines = [(None, PLAIN), (None, SCALED), *((t, a) for t in TEACHERS[budget] for a in arms)]
        for teacher, arm in lines:
            cells = [cell(losses, (table, budget), teacher, arm) for table in tables]
            print(
                f"{teacher or '-':<11}{arm:<27}" + "".join(f"{one:<25}" for one in cells).rstrip()
            )


def cell(losses, key, teacher, arm):
    """Return the log-loss, and the interval of its difference to the scaled plain student."""
    values = losses[*key, teacher, arm]
    level = np.mean([rows.mean() for rows in values.values()])
    if teacher is None:
        return f"{level:.3f}"
    plain = losses[*key, None, SCALED]
    return f"{level:.3f}" + difference(values.values(), [plain[seed] for seed in values])


def difference(values, others):
    """Return the mean difference and its interval; each a list of arrays, one for each seed."""
    rows = [a - b for a, b in zip(values, others, strict=True)]
    mean, error = np.mean([one.mean() for one in rows]), standard_error(np.concatenate(rows))
    if len(rows) > 1:
        error = max(error, standard_error([one.mean() for one in rows]))
    mark = "+" if mean - 2 * error > 0 else "-" if mean + 2 * error < 0 else " "
    return f" {mean:+.3f} ± {2 * error:.3f} {mark}"


def standard_error(values):
    """Return the standard error of a mean."""
    return np.std(values, ddof=1) / np.sqrt(len(values))


if __name__ == "__main__":
    sys.exit(main())
