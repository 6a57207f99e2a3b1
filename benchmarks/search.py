"""What a search costs: DistillationSearchCV beside GridSearchCV, and beside a net by hand.

    python benchmarks/search.py --data FOLDER --rows 8000 --epochs 40

tries 12 candidates (4 temperatures, 3 alphas) on 5 folds, with a forest as the teacher, fitted or
not, and prints for each case the seconds of the search, how many times as long GridSearchCV takes
over the same estimator and over a skorch net that asks its teacher in `get_loss`, how far scores
are apart at most (accuracy, and log-loss in per cent), and the peak of memory in MB of the search
and of GridSearchCV. The net by hand is trained for `--asking-epochs`, and its time is scaled to all
epochs. Every arm runs in a process of its own. Without `--data` the rows are made.

    python benchmarks/search.py --data FOLDER --rows 8000 --epochs 40 --halving

prints instead, for `strategy="halving"` beside the whole search, the seconds of both (of CPU time
where one process does all), how many times as long the whole one takes, how far the best log-losses
are apart in per cent, and the place that the candidate of halving has in the whole search.
`--rates 4` tries four learning rates with each of the 12.
"""

import argparse
import itertools
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _asking_net import AskingNet
from _tables import TABLES, load
from joblib.externals.loky import get_reusable_executor
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.students import MLP, TablePreprocessor

GRID = {"temperature": [1.0, 2.0, 3.0, 4.0], "alpha": [0.3, 0.6, 0.9]}
SCORING = ["accuracy", "neg_log_loss"]
RATES = [0.002, 0.0005, 0.008, 0.03]
MADE = "made"


def read(table, n_rows, folder):
    """Return numbers and labels: some rows of a table, or rows that are made."""
    if table == MADE:
        X, y = make_classification(n_rows, 16, n_informative=10, n_classes=4, random_state=0)
        return X.astype(np.float32), y
    X, y = load(table, folder)
    X = pd.get_dummies(pd.DataFrame(X)).fillna(0).to_numpy(np.float32)
    rows = np.random.default_rng(0).permutation(len(y))[:n_rows]
    return StandardScaler().fit_transform(X[rows]), np.unique(y, return_inverse=True)[1][rows]


def run(arm, case, options):
    """Return the seconds of an arm, its mean scores, and the peak of memory in MB.

    With `--halving` the position of the best candidate in place of the memory.
    """
    table, fitted, student, width, n_jobs = case
    torch.set_num_threads(options.threads)
    X, y = read(table, options.rows, options.data)
    teacher = RandomForestClassifier(options.trees, min_samples_leaf=3, random_state=0)
    teacher = FrozenEstimator(teacher.fit(X, y)) if fitted else teacher
    settings = {"cv": 5, "scoring": SCORING, "refit": False, "n_jobs": n_jobs}
    grid = GRID
    if options.halving:
        settings |= {"scoring": "neg_log_loss", "strategy": arm}
        rate = "student__lr" if student == "plain" else "student__studentnet__lr"
        grid = GRID | {rate: RATES[: options.rates]}
    if arm == "by hand":
        settings_of_net = {"module__hidden_units": (width,), "module__n_features": X.shape[1]}
        model = AskingNet(
            MLP,
            teacher=teacher,
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            lr=0.002,
            max_epochs=options.asking_epochs,
            batch_size=128,
            iterator_train__shuffle=True,
            train_split=None,
            verbose=0,
            module__n_classes=int(y.max()) + 1,
            **settings_of_net,
        )
    else:
        net = {"batch_size": 128, "max_epochs": options.epochs}
        if student == "plain":
            learner = StudentNet(MLP, module__hidden_units=(width,), **net)
        else:
            learner = make_pipeline(
                TablePreprocessor(), StudentNet(module__hidden_units=(width, width), **net)
            )
        model = DistilledClassifier(teacher, learner, device="cpu", random_state=0)
    kind = GridSearchCV if arm in ("grid", "by hand") else DistillationSearchCV
    warm_up(X[:200], y[:200])
    clock = time.process_time if n_jobs is None else time.perf_counter
    started = clock()
    search = kind(model, grid, **settings).fit(X, y)
    seconds = clock() - started
    if n_jobs is not None:
        get_reusable_executor().shutdown()  # or this process waits for its workers to be idle long
    if arm == "by hand":
        seconds *= options.epochs / options.asking_epochs
    if options.halving:
        return seconds, search.cv_results_["mean_test_score"], search.best_index_
    scores = np.array([search.cv_results_[f"mean_test_{name}"] for name in SCORING])
    users = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return seconds, scores, max(resource.getrusage(user).ru_maxrss for user in users) / 1024


def warm_up(X, y):
    """Let torch import what the first steps need, of one net and of several side by side."""
    model = DistilledClassifier(None, StudentNet(max_epochs=1), alpha=0, random_state=0)
    DistillationSearchCV(model, {"student__lr": [0.001, 0.002]}, cv=2, refit=False).fit(X, y)


def in_a_process(arm, case, options):
    """Run an arm in a new process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(run, arm, case, options).result()


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the tables; rows are made without")
    parser.add_argument("--table", action="append", choices=[*TABLES, MADE], help="may be repeated")
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--asking-epochs", type=int, default=1)
    parser.add_argument("--trees", type=int, default=100, help="of the teacher")
    parser.add_argument("--width", type=int, action="append", help="may be repeated")
    parser.add_argument("--student", action="append", choices=["plain", "default"])
    parser.add_argument("--teacher", action="append", choices=["fitted", "unfitted"])
    parser.add_argument("--n-jobs", type=int, action="append", help="1 is none; may be repeated")
    parser.add_argument("--threads", type=int, default=1, help="of torch, in each process")
    parser.add_argument("--without-asking", action="store_true", help="leave the net by hand out")
    parser.add_argument("--halving", action="store_true", help="beside the whole search")
    parser.add_argument("--rates", type=int, default=1, help="with --halving, up to 4")
    options = parser.parse_args()
    tables = options.table or (["adult", "letter"] if options.data else [MADE])
    cases = itertools.product(
        tables,
        [name == "fitted" for name in options.teacher or ["fitted", "unfitted"]],
        options.student or ["plain", "default"],
        options.width or [64, 256],
        [None if n == 1 else n for n in options.n_jobs or [1, 2]],
    )
    n_candidates = 12 * (options.rates if options.halving else 1)
    print(f"{options.rows} rows, {options.epochs} epochs, {n_candidates} candidates, 5 folds")
    (compare_with_halving if options.halving else compare_with_grid)(cases, options)


def name_of(case):
    """Return what a case is called in the table."""
    table, fitted, student, width, n_jobs = case
    return f"{table}, {'fitted' if fitted else 'unfitted'}, {student} {width}, n_jobs={n_jobs}"


def print_row(name, columns):
    """Print a row of the table."""
    print(f"{name:<42}" + "".join(f"{text:>12}" for text in columns), flush=True)


def compare_with_halving(cases, options):
    """Print the table of halving beside the whole search."""
    print_row("case", ("search s", "halving s", "search x", "log-loss %", "place"))
    for case in cases:
        seconds, scores, best = in_a_process("full", case, options)
        its_seconds, its_scores, its_best = in_a_process("halving", case, options)
        worse = (scores[best] - its_scores[its_best]) / np.abs(scores[best])
        shown = [
            f"{seconds:.1f}",
            f"{its_seconds:.1f}",
            f"{seconds / its_seconds:.1f}",
            f"{worse:.2%}",
            f"{1 + (scores > scores[its_best]).sum()}",
        ]
        print_row(name_of(case), shown)


def compare_with_grid(cases, options):
    """Print the table of the search beside GridSearchCV and a net by hand."""
    head = ("search s", "grid x", "by hand x", "accuracy", "log-loss %", "MB", "MB of grid")
    print_row("case", head)
    asked = {}
    for case in cases:
        table, fitted, _, width, n_jobs = case
        found = {arm: in_a_process(arm, case, options) for arm in ("search", "grid")}
        (seconds, scores, memory), (grid_seconds, grid_scores, grid_memory) = found.values()
        by_hand = table, fitted, width, n_jobs  # whichever student it stands beside
        if not options.without_asking and by_hand not in asked:
            asked[by_hand] = in_a_process("by hand", case, options)[0]
        apart = np.abs(scores - grid_scores)
        shown = [
            f"{seconds:.1f}",
            f"{grid_seconds / seconds:.1f}",
            f"{asked[by_hand] / seconds:.1f}" if by_hand in asked else "",
            f"{apart[0].max():.4f}",
            f"{(apart[1] / np.abs(grid_scores[1])).max():.2%}",
            f"{memory:.0f}",
            f"{grid_memory:.0f}",
        ]
        print_row(name_of(case), shown)


if __name__ == "__main__":
    sys.exit(main())
