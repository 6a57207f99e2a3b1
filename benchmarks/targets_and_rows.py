"""What targets and rows do for a student: three teachers on six tables.

    python benchmarks/targets_and_rows.py --data FOLDER

fits students of the default recipe on at most 2,000 rows of each table and prints their log-loss
on rows that nobody was fitted on: with all labels, and with a tenth of them. The difference to the
plain student with one fitted temperature, which has the same labels and no teacher, stands beside
each, with an interval of plus and minus two standard errors over the test rows, the terms of each
row averaged over the seeds. "spunge" and unlabelled rows come with alpha 0.9, for a longer epoch
repeats the labels more often, and the answers for unlabelled rows are calibrated.
"""

import argparse
import sys
import tempfile
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
        "spunge": {"augment": Spunge(factor=3), "alpha": 0.9},
    },
    "a tenth of the labels": {
        "labelled rows": {},
        "and the others unlabelled": {"X_unlabeled": True, "alpha": 0.9, "calibrate": True},
    },
}


def split(table, folder, seed):
    """Return rows to fit, of which the first tenth is labelled in proportion, and test rows."""
    X, y = load(table, folder)
    n_fit = min(FIT_ROWS, int(0.7 * len(y)))
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


def run(table, folder, seed, teacher):
    """Return the terms of all arms of one teacher, None being no teacher at all."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_test, y_test, n_few = split(table, folder, seed)
    budgets = {"all labels": len(y), "a tenth of the labels": n_few}
    found = {}
    with tempfile.TemporaryDirectory() as memory:
        for budget, n_labelled in budgets.items():
            rows = X[:n_labelled], y[:n_labelled]
            if teacher is None:
                for arm, values in fit_plain(*rows, X_test, y_test, seed).items():
                    found[budget, arm] = values
                continue
            if teacher not in TEACHERS[budget]:
                continue
            for arm, settings in ARMS[budget].items():
                settings = dict(settings)
                more = {"X_unlabeled": X[n_labelled:]} if settings.pop("X_unlabeled", 0) else {}
                settings |= {"device": "cpu", "memory": memory, "random_state": seed}
                model = DistilledClassifier(members(teacher), **settings)
                found[budget, arm] = terms(y_test, model.fit(*rows, **more).predict_proba(X_test))
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    tables = options.table or list(TABLES)
    jobs = [
        (table, options.data, seed, teacher)
        for table in tables
        for seed in range(options.seeds)
        for teacher in (None, *TREES, "with a net")
    ]
    replies = Parallel(options.jobs, return_as="generator")(delayed(run)(*job) for job in jobs)
    losses = {}
    for (table, _, _, teacher), reply in zip(jobs, replies, strict=True):
        for (budget, arm), values in reply.items():
            losses.setdefault((table, budget, teacher, arm), []).append(values)
        print(f"# {table} {teacher}", file=sys.stderr, flush=True)
    report(losses, tables)


def report(losses, tables):
    """Print a block for each budget: a line for each teacher and arm, a column for each table."""
    for budget, arms in ARMS.items():
        print(f"\n{budget}\n{'-' * len(budget)}")
        print(f"{'teacher':<11}{'arm':<27}" + "".join(f"{table:<25}" for table in tables))
        lines = [(None, PLAIN), (None, SCALED), *((t, a) for t in TEACHERS[budget] for a in arms)]
        for teacher, arm in lines:
            cells = [cell(losses, (table, budget), teacher, arm) for table in tables]
            print(
                f"{teacher or '-':<11}{arm:<27}" + "".join(f"{one:<25}" for one in cells).rstrip()
            )


def cell(losses, key, teacher, arm):
    """Return the log-loss, and the interval of its difference to the scaled plain student."""
    values = np.mean(losses[*key, teacher, arm], axis=0)
    if teacher is None:
        return f"{values.mean():.3f}"
    differences = values - np.mean(losses[*key, None, SCALED], axis=0)
    mean, error = differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))
    mark = "+" if mean - 2 * error > 0 else "-" if mean + 2 * error < 0 else " "
    return f"{values.mean():.3f} {mean:+.3f} ± {2 * error:.3f} {mark}"


if __name__ == "__main__":
    sys.exit(main())
