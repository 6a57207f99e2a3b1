"""One small network, or several with a gate: what a student gains that is split, at equal weights.

    python benchmarks/split.py --data FOLDER

A perceptron of 256 and 192 units learns 4,000 rows of Letter, of Pendigits and of Adult, and
teaches students on 2,000 others: the shrunk teacher with a quarter of its units, the same network
from random weights, alone and taught, and the teacher split (`students.split`) by classes and by
features into 2 and 4 experts with a gate. All of them have as many weights as the first, within
2 %. A convolutional network does the same for Fashion-MNIST, where it is split by classes.
"""

import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from _tables import load as load_table
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP, ConvNet, ImagePreprocessor, TablePreprocessor, shrink, split

TEACHER_ROWS, FIT_ROWS, TEST_ROWS, EPOCHS, IMAGE_EPOCHS = 4_000, 2_000, 1_400, 20, 8


def load(name, folder):
    """Return rows and labels."""
    if name != "fashion_mnist":
        return load_table(name, folder)
    with np.load(folder / f"{name}.npz", allow_pickle=False) as data:
        return data["X_train"], data["y_train"].astype(int)


def with_random_weights(module, seed):
    """Return a copy whose layers are initialised anew."""
    module = copy.deepcopy(module)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in module.modules():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return module


def fit(module, X, y, seed, teacher=None):
    """Return the fitted net of a module."""
    epochs = IMAGE_EPOCHS if X.ndim > 2 else EPOCHS
    net = StudentNet(module, max_epochs=epochs, batch_size=32)
    alpha = 0 if teacher is None else 0.5
    return DistilledClassifier(teacher, net, alpha=alpha, random_state=seed).fit(X, y).student_


def students(teacher, n_classes, is_table, seed):
    """Yield the name of each student, its module, and whether it is taught."""
    small = shrink(teacher, 0.25 if is_table else 0.4)
    fresh = with_random_weights(small, seed)
    yield "shrunk", small, True
    yield "random weights", fresh, True
    yield "random weights, alone", fresh, False
    budget = count(small)

    def make(groups, by="classes"):
        return nearest(lambda width: split(teacher, groups, by=by, width=width), budget)

    n_experts = (2, 4) if is_table else (2,)  # few channels come near no budget
    if n_classes > 2:
        for n in n_experts:
            yield f"by classes, {n}", make(n), True
        mixed = np.random.default_rng(seed).permutation(n_classes)
        n = n_experts[-1]
        yield f"by classes, {n} at random", make(np.array_split(mixed, n)), True
        yield f"by classes, {n}, random weights", with_random_weights(make(n), seed), True
    if is_table:
        for n in n_experts:
            yield f"by features, {n}", make(n, "features"), True


def nearest(make, budget):
    """Return the module of that many weights, within 2 %."""
    low, high = 0.02, 0.9
    for _ in range(12):  # a wider student has more weights
        middle = (low + high) / 2
        low, high = (middle, high) if count(make(middle)) < budget else (low, middle)
    found = min((make(low), make(high)), key=lambda module: abs(count(module) - budget))
    assert abs(count(found) / budget - 1) <= 0.02, (count(found), budget)
    return found


def count(module):
    """Return the number of weights."""
    return sum(weight.numel() for weight in module.parameters())


def main():
    """Print a block for each set of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"$ python benchmarks/split.py --data FOLDER --seeds {options.seeds}", flush=True)
    for name in ("letter", "pendigits", "adult", "fashion_mnist"):
        X, y = load(name, options.data)
        found: dict[str, list] = {}
        for seed in range(options.seeds):
            is_table = name != "fashion_mnist"
            X_own, X_rest, y_own, y_rest = train_test_split(
                X, y, train_size=TEACHER_ROWS, stratify=y, random_state=seed
            )
            X_fit, X_test, y_fit, y_test = train_test_split(
                X_rest,
                y_rest,
                train_size=FIT_ROWS,
                test_size=TEST_ROWS,
                stratify=y_rest,
                random_state=seed,
            )
            step = TablePreprocessor(max_one_hot=99) if is_table else ImagePreprocessor()
            X_own = step.fit_transform(X_own)
            X_fit, X_test = step.transform(X_fit), step.transform(X_test)
            n_classes = int(y.max()) + 1
            start = (
                MLP(X_own.shape[1], n_classes, hidden_units=(256, 192))
                if is_table
                else ConvNet(1, n_classes)
            )
            teacher = fit(with_random_weights(start, seed), X_own, y_own, seed)
            nets = {"teacher": teacher}
            for arm, module, is_taught in students(teacher.module_, n_classes, is_table, seed):
                nets[arm] = fit(module, X_fit, y_fit, seed, teacher if is_taught else None)
            for arm, net in nets.items():
                p = net.predict_proba(X_test)
                row = np.mean(p.argmax(axis=1) == y_test), log_loss(y_test, p), count(net.module_)
                found.setdefault(arm, []).append(row)
        print_block(name, found)


def print_block(name, found):
    """Print the mean of each figure, with the standard error of the first two."""
    print(f"\n{name:<32}{'accuracy':>16}{'log-loss':>16}{'weights':>9}")
    for arm, rows in found.items():
        mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
        cells = [f"{m:.3f} ± {e:.3f}" for m, e in zip(mean[:2], error[:2], strict=True)]
        print(f"{arm:<32}" + "".join(f"{cell:>16}" for cell in cells) + f"{mean[2]:>9,.0f}")
    print(end="", flush=True)


if __name__ == "__main__":
    main()
