"""The temperature for a network teacher of many classes: 1, 2 and 4, at two weights of its answers.

    OMP_NUM_THREADS=1 python benchmarks/teacher_temperature.py --data FOLDER --seeds 3

trains a torch network of 2 x 512 units on some rows, and small networks that it teaches on the same
rows: the users' most natural call. Prints for each temperature, with `loss="kd"`, the log-loss and
the accuracy on other rows, beside the student of labels alone, as means over the seeds; "all" is
the mean over tables of the change in log-loss in per cent and of the difference in accuracy, with
twice the standard error over tables and seeds.
"""

import argparse
import sys
import warnings
from itertools import product

import numpy as np
import torch
from _tables import load
from joblib import Parallel, delayed
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP

TEST_ROWS = 2_000
ARMS = {"labels alone": {"alpha": 0}} | {
    f"T = {T}, alpha {alpha}": {"temperature": T, "alpha": alpha}
    for alpha, T in product((0.5, 0.9), (1, 2, 4))
}


def read(table, size, seed, folder):
    """Return scaled rows to learn from and others, with their labels."""
    if table == "fashion":
        with np.load(f"{folder}/fashion_mnist.npz") as arrays:
            X, y = arrays["X_train"][:20_000].reshape(-1, 784), arrays["y_train"][:20_000]
    else:
        X, y = load(table, folder)
    X = np.asarray(X, dtype=np.float32)
    size = min(size, int(0.7 * len(y)))
    n_test = min(TEST_ROWS, len(y) - size)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=size, test_size=n_test, random_state=seed, stratify=y
    )
    scaler = StandardScaler().fit(X)
    return scaler.transform(X), scaler.transform(X_test), y, y_test


def run(table, size, seed, folder):
    """Return the log-loss and the accuracy of the teacher and of each arm."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, X_test, y, y_test = read(table, size, seed, folder)

    def net(units):
        return StudentNet(MLP, module__hidden_units=(units, units))

    settings = {"device": "cpu", "random_state": seed}
    teacher = DistilledClassifier(None, net(512), alpha=0, **settings).fit(X, y)
    models = [teacher]
    for arm in ARMS.values():
        model = DistilledClassifier(teacher.student_.module_, net(64), **settings, **arm)
        models.append(model.fit(X, y))
    p = [model.predict_proba(X_test) for model in models]
    return [(log_loss(y_test, one), accuracy_score(y_test, one.argmax(1))) for one in p]


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, action="append", help="may be repeated")
    parser.add_argument("--n-jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    tables = ["letter", "pendigits", "spoken", "fashion"]
    for size in options.rows or [1_000, 4_000]:
        cells = list(product(tables, [size], range(options.seeds), [options.data]))
        found = Parallel(options.n_jobs)(delayed(run)(*cell) for cell in cells)
        found = np.reshape(found, (len(tables), options.seeds, len(ARMS) + 1, 2))
        for metric, name in enumerate(("log-loss", "accuracy")):
            print_table(f"{size:,} rows: {name}", tables, found[..., metric], is_loss=metric == 0)


def print_table(title, tables, found, *, is_loss):
    """Print the means of a metric, of shape (n_tables, n_seeds, n_arms)."""
    print(f"\n{title}\n{'-' * len(title)}")
    print(f"{'':<20}" + "".join(f"{table:<11}" for table in tables) + "all")
    plain = found[..., 1:2]
    changes = 100 * (found / plain - 1 if is_loss else found - plain)
    spread = changes.std(axis=(0, 1), ddof=1) / np.sqrt(np.prod(changes.shape[:2]))
    for i, arm in enumerate(["teacher", *ARMS]):
        line = "".join(f"{level:<11.4f}" for level in found[..., i].mean(1))
        all_tables = f"{changes[..., i].mean():+.1f} +- {2 * spread[i]:.1f}" if i > 1 else ""
        print(f"{arm:<20}{line}{all_tables}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
