"""Is a student that was made smaller better than a smaller one that was trained in full?

    python benchmarks/smaller.py --data FOLDER

The default student learns from boosted trees, on Letter from a forest. It is then quantized, or
pruned and trained for some epochs more (`deployment.quantize`, `prune`), and students of the pruned
widths are trained from the start for all their epochs, by the same teacher. Printed are the
log-loss, or of numbers the root mean squared error in standard deviations of y, on rows that nobody
has seen, the accuracy, or R², and the bytes of the saved file: means over the seeds, each a sample
of rows. "less full" is the loss less that of the full student, with its standard error.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _tables import load, make_teacher
from sklearn.base import is_regressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import log_loss, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.deployment import prune, quantize, save
from skdistill.students import TablePreprocessor

TEST_ROWS = 4_000
WIDTH = 256
"""Of each of the two hidden layers of the default student."""

SHARES = {"1/2": 0.5, "1/4": 0.25}


def california(folder):
    """Return California housing's rows and prices."""
    table = pd.read_csv(Path(folder) / "california_housing.csv.gz")
    price = table.pop("median_house_value").to_numpy()
    return table.drop(columns="ocean_proximity"), price / price.std()


TABLES = {
    "Adult": (lambda folder: load("adult", folder), make_teacher("boosting")),
    "Letter": (lambda folder: load("letter", folder), make_teacher("forest")),
    "California, prices": (california, HistGradientBoostingRegressor(random_state=0)),
}
"""What reads each table, and the teacher."""


def make_model(teacher, width, epochs, seed, memory):
    """Return an unfitted model whose student has two hidden layers of a width."""
    is_number = is_regressor(teacher)
    net = (StudentNetRegressor if is_number else StudentNet)(module__hidden_units=(width, width))
    if epochs is not None:
        net.set_params(max_epochs=epochs)
    student = make_pipeline(TablePreprocessor(), net)
    distilled = DistilledRegressor if is_number else DistilledClassifier
    return distilled(teacher, student, device="cpu", random_state=seed, memory=memory)


def run(X, y, teacher, seed, epochs, memory):
    """Yield the name of each arm and its fitted model."""

    def make(width):
        return make_model(teacher, width, epochs, seed, memory)

    full = make(WIDTH).fit(X, y)
    yield "full", full
    yield "full, float16", quantize(full, "float16")
    yield "full, int8", quantize(full)
    for name, share in SHARES.items():
        pruned = prune(full, X, y, amount=1 - share)
        small = make(round(share * WIDTH)).fit(X, y)
        yield f"{name} of the units, pruned", pruned
        yield f"{name} of the units, in full", small
        yield f"{name} of the units, in full, int8", quantize(small)


def figures(model, X, y, is_number, folder):
    """Return the loss, the accuracy or R², and the bytes of the file."""
    n_bytes = save(model, Path(folder) / "student.safetensors").stat().st_size
    if is_number:
        found = model.predict(X)
        return root_mean_squared_error(y, found), r2_score(y, found), n_bytes
    p = model.predict_proba(X)
    return log_loss(y, p, labels=model.classes_), np.mean(model.predict(X) == y), n_bytes


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the rows")
    parser.add_argument("--rows", type=int, default=3_000, help="to learn from")
    parser.add_argument("--epochs", type=int, help="of a student in full; its default")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    print(f"{options.rows} rows to learn from, {options.seeds} seeds")
    for table in options.tables:
        measure(table, options)


def measure(table, options):
    """Print the lines of one table."""
    read, teacher = TABLES[table]
    X, y = read(options.data)
    is_number = is_regressor(teacher)
    everything: dict[str, list] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seeds):
            kept = None if is_number else y
            sizes = {"train_size": options.rows, "test_size": TEST_ROWS}
            parts = train_test_split(X, y, **sizes, stratify=kept, random_state=seed)
            X_train, X_test, y_train, y_test = parts
            for name, model in run(X_train, y_train, teacher, seed, options.epochs, folder):
                row = figures(model, X_test, y_test, is_number, folder)
                everything.setdefault(name, []).append(row)
                print(f"{table}, seed {seed}, {name}: {row[0]:.4f}", file=sys.stderr, flush=True)
    loss, score = ("RMSE", "R2") if is_number else ("log-loss", "accuracy")
    print(f"\n{table:<34}{loss:>9}{'less full':>11}{'+-':>8}{score:>10}{'bytes':>9}{'share':>7}")
    reference = np.array(everything["full"])
    for name, rows in everything.items():
        found = np.array(rows)
        difference = found[:, 0] - reference[:, 0]
        error = np.std(difference, ddof=1) / len(rows) ** 0.5 if len(rows) > 1 else np.nan
        mean, whole = found.mean(axis=0), reference[:, 2].mean()
        print(
            f"{name:<34}{mean[0]:>9.4f}{difference.mean():>+11.4f}{error:>8.4f}{mean[1]:>10.4f}"
            f"{mean[2]:>9,.0f}{mean[2] / whole:>7.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
