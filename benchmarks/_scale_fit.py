"""Memory and time of one fit and one prediction on made-up rows, in a process of its own.

`scale.py` runs it, and reads the JSON that it prints: peak bytes beyond the user's own data, and
seconds of the processor.
"""

import json
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import TablePreprocessor

PAGE = 4096


def numbers(rng, n_rows):
    """Twenty columns of numbers."""
    return rng.standard_normal((n_rows, 20), dtype=np.float32)


def categories(rng, n_rows, n_kinds):
    """Twenty columns of strings."""
    kinds = np.array([f"kind {i}" for i in range(n_kinds)])
    names = [kinds[rng.integers(0, n_kinds, n_rows)] for _ in range(20)]
    return pd.DataFrame({f"x{i}": pd.array(column) for i, column in enumerate(names)})


CASES = {
    "20 numbers, float32 array": numbers,
    "20 numbers, float64 array": lambda rng, n: numbers(rng, n).astype(np.float64),
    "20 numbers, float32 table": lambda rng, n: pd.DataFrame(numbers(rng, n)),
    "20 columns of strings, 9 kinds": lambda rng, n: categories(rng, n, 9),
    "20 columns of strings, 40 kinds": lambda rng, n: categories(rng, n, 40),
    "20 categorical columns, 9 kinds": lambda rng, n: categories(rng, n, 9).astype("category"),
}


def measured(call):
    """Return what a call takes in peak bytes, and in seconds of the processor."""
    before, seen, over = resident(), [], threading.Event()

    def watch():
        while not over.wait(0.002):
            seen.append(resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.process_time()
    result = call()
    seconds = time.process_time() - started
    over.set()
    watcher.join()
    return result, max([before, *seen]) - before, seconds


def resident():
    """Return the resident bytes of this process."""
    return PAGE * int(Path("/proc/self/statm").read_text().split()[1])


def fitted(X, y, soft_targets):
    """Return a small student that has learnt for one epoch."""
    settings = {"module__hidden_units": (16,), "module__numeric_embedding": None}
    net = StudentNet(**settings, max_epochs=1, batch_size=4096)
    model = DistilledClassifier(student=make_pipeline(TablePreprocessor(), net), device="cpu")
    return model.fit(X, y, soft_targets=soft_targets)


def main(case, n_rows):
    """Fit, predict, and print what it took."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    sizes = 5_000, n_rows  # the first brings in what is imported once
    for size in sizes:
        X, y = CASES[case](rng, size), rng.integers(0, 2, size)
        share = rng.random(size)
        soft = np.stack([1 - share, share], axis=1)
        model, fit_bytes, fit_seconds = measured(lambda given=(X, y, soft): fitted(*given))
        _, bytes_, seconds = measured(lambda model=model, X=X: model.predict_proba(X))
    print(json.dumps([fit_bytes, fit_seconds, bytes_, seconds]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
