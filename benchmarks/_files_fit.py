"""One fit on files, or in memory, in a process of its own: peak, seconds, log-loss.

`files.py` runs it, and reads the JSON that it prints: bytes at the peak beyond those before the
fit, seconds of the processor, and log-loss on other rows.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _scale_fit import measured
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import TablePreprocessor

FILE_ROWS, SMALL_ROWS = 250_000, 5_000
CLASSES = ["0", "1", "2", "3"]
FEATURES = [*(f"x{i}" for i in range(16)), *(f"kind {i}" for i in range(4))]


def made(seed, n_rows):
    """Return made-up rows: sixteen numbers, four columns of strings, labels and answers."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(0)
    X = rng.standard_normal((n_rows, 16), dtype=np.float32)
    kinds = rng.integers(0, 9, (n_rows, 4))
    hidden = (
        np.tanh(X @ fixed.standard_normal((16, 32)) / 2)
        + fixed.standard_normal((9, 32))[kinds[:, 0]]
    )
    scores = hidden @ fixed.standard_normal((32, 4))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1)
    table = pd.DataFrame(X, columns=FEATURES[:16])
    for i in range(4):
        table[f"kind {i}"] = np.array([f"kind {k}" for k in range(9)])[kinds[:, i]]
    return table.assign(y=y, **dict(zip(CLASSES, p.T, strict=True)))


def write(folder, n_rows, order, groups):
    """Write so many rows as files of `FILE_ROWS`, in the order that is named."""
    folder.mkdir(parents=True)
    parts = (made(1 + i, min(n_rows, FILE_ROWS)) for i in range(-(-n_rows // FILE_ROWS)))
    if order == "by class":
        whole = pd.concat(parts).sort_values("y", kind="stable")
        parts = (whole[i : i + FILE_ROWS] for i in range(0, n_rows, FILE_ROWS))
    for i, part in enumerate(parts):
        part.to_parquet(folder / f"{i:03}.parquet", index=False, row_group_size=groups)


def fitted(folder, way, n_epochs):
    """Return a student that has learnt from the files, read at once or some rows at a time."""
    net = StudentNet(max_epochs=n_epochs, batch_size=1024)
    student = make_pipeline(TablePreprocessor(), net)
    model = DistilledClassifier(student=student, random_state=0, device="cpu")
    if way == "files":
        return model.fit_dataset(folder, target="y", soft_targets=CLASSES, columns=FEATURES)
    table = pd.read_parquet(folder)
    answers = table[CLASSES].to_numpy()
    return model.fit(table[FEATURES], table["y"], soft_targets=answers)


def main(way, folder, n_epochs):
    """Fit, and print what it took."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    test = made(0, 50_000)
    small = Path(folder).with_name("small")
    fitted(small, way, 1).predict_proba(test[FEATURES])  # brings in what is imported once
    model, peak, seconds = measured(lambda: fitted(Path(folder), way, n_epochs))
    loss = log_loss(test["y"], model.predict_proba(test[FEATURES]))
    print(json.dumps([peak, seconds, loss]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
