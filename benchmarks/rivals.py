"""This package's students and the rivals', on the same rows and from the same kind of teacher.

    python benchmarks/rivals.py --data FOLDER

draws rows of Adult and of Letter, fits every arm of `_rivals.py` on them, and prints log-loss,
accuracy and area under the ROC curve on the official test rows, and the seconds of processor time
of fitting and predicting: means over the seeds, with the lowest and the highest log-loss. Each fit
is a process of its own with one thread and `--limit` seconds of processor time.

What is not installed is left out, and said so. `--kept` names a file for the fits that are done:
the script can be run with several interpreters, one after another, on the same file, and prints
all that is in it.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"}

import numpy as np
import pandas as pd
from _rivals import ARMS, PACKAGES
from _tables import load
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

NUMBERS = ("log-loss", "accuracy", "AUC", "seconds")
LOWEST = 1e-6  # probabilities below count as this one


def rows(table, folder, n_rows, seed):
    """Return drawn training rows and their labels, and all test rows and theirs."""
    X, y = load(table, folder)
    drawn = np.random.default_rng(seed).permutation(len(y))[:n_rows]
    if table == "adult":
        test = pd.read_csv(folder / "adult_test.csv.gz", na_values="?")
        y_test = test.pop(test.columns[-1]).str.contains(">").to_numpy().astype(int)
    else:
        with np.load(folder / "letter.npz") as arrays:
            test = pd.DataFrame(arrays["X_test"].astype(float), columns=X.columns)
            y_test = np.unique(arrays["y_test"], return_inverse=True)[1]
    both = pd.concat([X.iloc[drawn], test], ignore_index=True)
    texts = both.columns[[not pd.api.types.is_numeric_dtype(t) for t in both.dtypes]]
    both[texts] = both[texts].fillna("missing").astype("category")
    return both[: len(drawn)], y[drawn], both[len(drawn) :].reset_index(drop=True), y_test


def fit(cell, folder, n_rows, limit, pipe, log):
    """Fit one arm, and send its scores or the reason why it has none."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    warnings.simplefilter("ignore")
    table, arm, seed = cell
    X, y, X_test, y_test = rows(table, folder, n_rows, seed)
    with tempfile.TemporaryDirectory() as tempfile.tempdir:
        try:
            call = ARMS[arm][1](X, y, X_test, seed)
            started = time.process_time()
            p = call()
            seconds = time.process_time() - started
            pipe.send(dict(zip(NUMBERS, [*scores(y_test, p), seconds], strict=True)))
        except Exception as error:
            pipe.send({"failed": f"{type(error).__name__}: {error}"[:200]})
            raise


def scores(y, p):
    """Return log-loss, accuracy and, for two classes, the area under the ROC curve.

    A student of AutoGluon is a regressor of the probability and may go beyond 0 and 1.
    """
    p = np.clip(np.asarray(p, dtype=float), LOWEST, 1)
    p /= p.sum(axis=1, keepdims=True)
    area = roc_auc_score(y, p[:, 1]) if p.shape[1] == 2 else None
    return log_loss(y, p), accuracy_score(y, p.argmax(axis=1)), area


def in_its_process(cell, options, log):
    """Return what one arm found, in a process that is its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    arguments = (cell, options.data, options.rows, options.limit, theirs, log)
    child = context.Process(target=fit, args=arguments)
    child.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        child.join()
        over = child.exitcode == -signal.SIGXCPU
        return {"failed": f"over {options.limit} s" if over else f"exit code {child.exitcode}"}
    finally:
        child.join()


def show(found, options):
    """Print the table."""
    for table in options.table:
        print(f"{table}, {options.rows:,} rows")
        print(f"{'':<29}seeds  log-loss  lowest highest  accuracy     AUC  seconds")
        for arm in options.arm:
            cells = [found[c] for s in range(options.seeds) if (c := (table, arm, s)) in found]
            reasons = [cell["failed"] for cell in cells if "failed" in cell]
            if reasons or not cells:
                print(f"{arm:<29}{reasons[0] if reasons else 'not installed'}")
                continue
            loss, accuracy, area, seconds = ([cell[name] for cell in cells] for name in NUMBERS)
            auc = "--" if area[0] is None else f"{np.mean(area):.4f}"
            print(
                f"{arm:<29}{len(cells):5}  {np.mean(loss):8.4f}  {min(loss):.4f}  {max(loss):.4f}"
                f"  {np.mean(accuracy):8.4f}  {auc:>6}  {np.mean(seconds):7.0f}"
            )
        print()


def main():
    """Fit what is installed and not yet done, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the tables")
    parser.add_argument("--rows", type=int, default=4_000, help="rows fitted")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--limit", type=int, default=600, help="seconds for a fit")
    parser.add_argument("--table", action="append", choices=("adult", "letter"))
    parser.add_argument("--arm", action="append", choices=ARMS, help="may be repeated")
    parser.add_argument("--kept", type=Path, help="file with the fits that are done")
    options = parser.parse_args()
    options.table = options.table or ["adult", "letter"]
    options.arm = options.arm or list(ARMS)
    found = {}
    if options.kept and options.kept.exists():
        lines = map(json.loads, options.kept.read_text().splitlines())
        found = {tuple(line["cell"]): line["found"] for line in lines}
    log = Path(os.devnull) if options.kept is None else options.kept.with_suffix(".log")
    cells = [(t, a, s) for s in range(options.seeds) for t in options.table for a in options.arm]
    for cell in cells:
        if cell in found or importlib.util.find_spec(ARMS[cell[1]][0]) is None:
            continue
        found[cell] = in_its_process(cell, options, log)
        line = json.dumps({"cell": cell, "found": found[cell]})
        print(line, file=sys.stderr, flush=True)
        if options.kept:
            with options.kept.open("a") as file:
                print(line, file=file)
    show(found, options)
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    print(", ".join(versions))


if __name__ == "__main__":
    sys.exit(main())
