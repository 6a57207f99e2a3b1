"""A fit on a data set of torch beside the fit in memory: peak memory, time and log-loss.

    python benchmarks/torch_dataset.py

Images of 28 by 28 in ten classes are made when they are asked for, by their place. A network is the
teacher, a smaller one the student. Each fit is in a process of its own. Bytes are those beyond the
process before the fit, at their peak; time is that of the processor, of one thread, and so is the
teacher's part of it; making an image takes some of it too. It reads /proc, so it runs on Linux
alone.
"""

import argparse
import json
import subprocess
import sys
import time
import warnings

import numpy as np
import torch
from _scale_fit import measured
from sklearn.metrics import log_loss
from torch import nn
from torch.utils.data import Dataset, IterableDataset

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP

MEANS = np.random.default_rng(0).standard_normal((10, 1, 28, 28), dtype=np.float32) / 10


def made(place):
    """Return an image and its class."""
    label = place % 10
    noise = np.random.default_rng(place).standard_normal((1, 28, 28), dtype=np.float32)
    return MEANS[label] + noise, label


class ByPlace(Dataset):
    """Images, each at any time."""

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def __len__(self):
        return self.n_rows

    def __getitem__(self, place):
        return made(place)


class InTurn(IterableDataset):
    """The same images, one after the other."""

    def __init__(self, n_rows):
        self.n_rows = n_rows

    def __iter__(self):
        return map(made, range(self.n_rows))


def arrays(places):
    """Return images and classes as arrays."""
    rows, labels = zip(*map(made, places), strict=True)
    return np.stack(rows), np.array(labels)


def model(n_epochs):
    """Return the student, and its teacher, the best there is for these classes."""
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.Linear(512, 10))
    means = torch.as_tensor(MEANS.reshape(10, -1))
    with torch.no_grad():
        teacher[1].weight.zero_()
        teacher[1].bias.zero_()
        teacher[1].weight[:10] = means
        teacher[2].weight.zero_()
        teacher[2].weight[:, :10] = torch.eye(10)
        teacher[2].bias[:] = -(means**2).sum(1) / 2
    student = nn.Sequential(nn.Flatten(), MLP(784, 10, (32,)))
    net = StudentNet(student, max_epochs=n_epochs, batch_size=256)
    return DistilledClassifier(teacher, net, alpha=0.9, random_state=0, device="cpu")


def fit(way, n_rows, n_epochs):
    """Fit in this process; return bytes, seconds, the teacher's share and log-loss."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    fitted = model(n_epochs)
    fitted.fit_dataset(ByPlace(500))  # brings in what is imported once
    if way == "memory":
        _, peak, seconds = measured(lambda: fitted.fit(*arrays(range(n_rows))))
    else:
        pairs = {"by place": ByPlace, "in turn": InTurn}[way](n_rows)
        _, peak, seconds = measured(lambda: fitted.fit_dataset(pairs))
    X, y = arrays(range(10**9, 10**9 + 10_000))
    started = time.process_time()
    arrays(range(2000))
    making = (time.process_time() - started) / 2000
    return peak, seconds, making, log_loss(y, fitted.predict_proba(X))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs=2, default=[40_000, 200_000])
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("WAY", "ROWS", "EPOCHS"), help="a single fit")
    options = parser.parse_args()
    if options.one:
        way, n_rows, n_epochs = options.one
        print(json.dumps(fit(way, int(n_rows), int(n_epochs))))
        return
    few, many = options.rows
    print(
        f"{'fit':<10}{'rows':>8}{'epochs':>8}{'MB at the peak':>16}{'us a row, epoch':>17}"
        f"{'us to make one':>16}{'log-loss':>10}"
    )
    ways = ("by place", "in turn")
    cases = [*((way, few, options.epochs) for way in ("memory", *ways))]
    for case in [*cases, *((way, n_rows, 1) for way in ways for n_rows in (few, many))]:
        command = [sys.executable, __file__, "--one", *map(str, case)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peak, seconds, making, loss = json.loads(done.stdout)
        way, n_rows, n_epochs = case
        print(
            f"{way:<10}{n_rows:>8}{n_epochs:>8}{peak / 1e6:>16.0f}"
            f"{seconds / n_rows / n_epochs * 1e6:>17.0f}{making * 1e6:>16.0f}{loss:>10.4f}",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
