"""How the defaults of the student for columns were chosen.

    python benchmarks/defaults.py --data FOLDER

fits plain and distilled students on six tables, each candidate differing from the defaults in
one thing, and prints the log-loss on validation rows, cut from the training rows; no test row is
read. The teacher's targets are out of fold and computed on the fitted rows alone: computed on all
rows, they would have seen the labels of the validation rows.
"""

import argparse
import sys
import tempfile
import warnings
from functools import partial

import numpy as np
import torch
from _tables import TABLES, load, make_teacher
from joblib import Memory, Parallel, delayed
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import TablePreprocessor
from skdistill.targets import teacher_targets

FIT_ROWS, VALIDATION_ROWS = 5_000, 5_000

# What differs from the defaults; "alpha" concerns the distilled arms alone.
CANDIDATES = {
    "defaults": {},
    "no numeric embedding": {"module__numeric_embedding": None},
    "16 bins": {"module__n_bins": 16},
    "64 bins": {"module__n_bins": 64},
    "embedding size 16": {"module__embedding_size": 16},
    "one-hot up to 64 categories": {"max_one_hot": 64},
    "2 x 128": {"module__hidden_units": (128, 128)},
    "3 x 256": {"module__hidden_units": (256, 256, 256)},
    "no dropout": {"module__dropout": 0.0},
    "dropout 0.1": {"module__dropout": 0.1},
    "dropout 0.3": {"module__dropout": 0.3},
    "weight decay 0.01": {"optimizer__weight_decay": 0.01},
    "weight decay 0.3": {"optimizer__weight_decay": 0.3},
    "learning rate 0.001": {"lr": 0.001},
    "learning rate 0.004": {"lr": 0.004},
    "20 epochs": {"max_epochs": 20},
    "80 epochs": {"max_epochs": 80},
    "batches of 64": {"batch_size": 64},
    "batches of 256": {"batch_size": 256},
    "no hold-out": {"train_split": None},
    "alpha 0.3": {"alpha": 0.3},
    "alpha 0.7": {"alpha": 0.7},
    "alpha 0.9": {"alpha": 0.9},
    "alpha 1": {"alpha": 1.0},
}
ARMS = ("plain", "boosting", "forest")


def split(name, folder, seed):
    """Return fitted and validation rows of a table, and their labels."""
    X, y = load(name, folder)
    n_fit = min(FIT_ROWS, int(0.7 * len(y)))
    n_validation = min(VALIDATION_ROWS, len(y) - n_fit)
    cut = StratifiedShuffleSplit(1, train_size=n_fit, test_size=n_validation, random_state=seed)
    fit, validation = next(cut.split(X, y))
    return X.iloc[fit], y[fit], X.iloc[validation], y[validation]


def soft_targets(name, folder, seed, arm):
    """Return the teacher's out-of-fold answers on the fitted rows."""
    X, y, _, _ = split(name, folder, seed)
    return teacher_targets(make_teacher(arm), X, y, random_state=seed)


def validate(name, folder, seed, arm, changes, targets):
    """Return the log-loss of one student on the validation rows."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_validation, y_validation = split(name, folder, seed)
    changes = dict(changes)
    alpha = {"alpha": changes.pop("alpha")} if "alpha" in changes else {}
    preprocessing = {k: changes.pop(k) for k in ("max_one_hot",) if k in changes}
    student = make_pipeline(TablePreprocessor(**preprocessing), StudentNet(**changes))
    if arm == "plain":
        alpha, answers = {"alpha": 0.0}, None
    else:
        answers = targets(name, folder, seed, arm)
    model = DistilledClassifier(student=student, device="cpu", random_state=seed, **alpha)
    model.fit(X, y, soft_targets=answers)
    return log_loss(y_validation, model.predict_proba(X_validation))


def compare(candidates, options, targets):
    """Fit each candidate on each table, arm and seed; print a line for each candidate and arm."""
    jobs = [
        (candidate, arm, table, seed)
        for candidate, changes in candidates.items()
        for arm in options.arm or ARMS
        for table in options.table or TABLES
        for seed in range(options.seeds)
        if is_judged(arm, changes)
    ]
    work = (
        delayed(validate)(table, options.data, seed, arm, candidates[candidate], targets)
        for candidate, arm, table, seed in jobs
    )
    losses = {}
    for job, loss in zip(jobs, options.parallel(work), strict=True):
        candidate, arm, *_ = job
        losses.setdefault((candidate, arm), []).append(loss)
        if len(losses[candidate, arm]) == len(options.table or TABLES) * options.seeds:
            report(candidate, arm, losses, options)


def is_judged(arm, changes):
    """Whether an arm judges a candidate: a forest judges alpha alone, labels all else."""
    if "alpha" in changes:
        return arm != "plain"
    return arm != "forest" or not changes


def report(candidate, arm, losses, options):
    """Print the mean loss on each table, and the mean change of its logarithm."""
    means = np.reshape(losses[candidate, arm], (-1, options.seeds)).mean(axis=1)
    defaults = np.reshape(losses["defaults", arm], (-1, options.seeds)).mean(axis=1)
    change = np.log(means / defaults).mean()
    cells = " ".join(f"{mean:10.4f}" for mean in means)
    print(f"{candidate:<28} {arm:<9}{cells} {100 * change:+8.1f} %", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=1, help="splits of each table")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", action="append", choices=CANDIDATES, help="may be repeated")
    parser.add_argument("--arm", action="append", choices=ARMS, help="may be repeated")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    options.parallel = Parallel(options.jobs, return_as="generator")
    names = ["defaults", *(options.only or [name for name in CANDIDATES if name != "defaults"])]
    columns = " ".join(f"{name:>10}" for name in options.table or TABLES)
    print(f"{'differs from the defaults in':<28} {'arm':<9}{columns}  mean log")
    with tempfile.TemporaryDirectory() as folder:
        targets = Memory(folder, verbose=0).cache(soft_targets)
        prepare = partial(delayed(targets), folder=options.data)
        list(
            options.parallel(
                prepare(table, seed=seed, arm=arm)
                for table in options.table or TABLES
                for seed in range(options.seeds)
                for arm in options.arm or ARMS
                if arm != "plain"
            )
        )
        compare({name: CANDIDATES[name] for name in names}, options, targets)


if __name__ == "__main__":
    sys.exit(main())
