"""Bounds on norms, growing by rounds, and cheaper layers: what students cut from a teacher gain.

    python benchmarks/cheaper_students.py --data FOLDER

Perceptrons of 2 x 128 units learn 700 rows of scikit-learn's digits, of Letter and of Pendigits and
teach what is cut from them: a quarter of their units, held near the teacher by weight decay or by a
bound on each layer's norm, and a half of them, trained at once or grown from a quarter. A
convolutional network does the same for 700 images of the digits and of Fashion-MNIST, with units
left out, layers of low rank or depthwise ones, all with about as many weights.
"""

import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP, ConvNet, factorize, grow, shrink, weight_norms
from skdistill.training import NormBound

FIT_ROWS, TEST_ROWS, EPOCHS, IMAGE_EPOCHS = 700, 700, 24, 10


def load(name, folder):
    """Return rows and labels."""
    if name == "digits":
        return load_digits(return_X_y=True)
    with np.load(folder / f"{name}.npz", allow_pickle=False) as data:
        return data["X_train"].astype(np.float32), data["y_train"].astype(int)


def with_random_weights(module, seed):
    """Return a copy whose layers are initialised anew."""
    module = copy.deepcopy(module)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in module.modules():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return module


def fit(module, X, y, seed, epochs, teacher=None, **settings):
    """Return the fitted net of a module."""
    net = StudentNet(module, max_epochs=epochs, batch_size=32, **settings)
    alpha = 0 if teacher is None else 0.5
    return DistilledClassifier(teacher, net, alpha=alpha, random_state=seed).fit(X, y).student_


def cut_rows(X, y, seed):
    """Yield the block, the name and the fitted net of each arm for rows."""
    start = MLP(X.shape[1], int(y.max()) + 1, hidden_units=(128, 128))
    teacher = fit(with_random_weights(start, seed), X, y, seed, EPOCHS)
    module, norms = teacher.module_, weight_norms(teacher.module_)
    half = shrink(module, 0.5)
    quarter = shrink(half, 0.5)

    def taught(student, epochs=EPOCHS, decay=0.1, factor=None):
        callbacks = [] if factor is None else [NormBound(norms, factor)]
        settings = {"optimizer__weight_decay": decay, "callbacks": callbacks}
        return fit(student, X, y, seed, epochs, teacher, **settings)

    block = "a quarter of the units"
    yield block, "teacher", teacher
    yield block, "decay 0.1 (default)", taught(quarter)
    yield block, "random weights", taught(with_random_weights(quarter, seed))
    yield block, "decay 0", taught(quarter, decay=0.0)
    yield block, "decay 1", taught(quarter, decay=1.0)
    for factor in (1.0, 0.7, 0.5):
        yield block, f"decay 0, bound {factor}", taught(quarter, decay=0.0, factor=factor)
    block = "half of the units"
    yield block, "at once", taught(half)
    yield block, "random weights", taught(with_random_weights(half, seed))
    first = taught(quarter, EPOCHS // 2)
    yield block, "grown from a quarter", taught(grow(first.module_, half), EPOCHS // 2)


def cut_images(X, y, seed):
    """Yield the block, the name and the fitted net of each arm for images."""
    start = with_random_weights(ConvNet(1, int(y.max()) + 1), seed)
    teacher = fit(start, X, y, seed, 2 * IMAGE_EPOCHS)
    module = teacher.module_
    yield "cheaper convolutions", "teacher", teacher
    depthwise = factorize(module, 0.5, kind="depthwise")
    budget = count(depthwise)
    arms = {
        "units left out": nearest(lambda width: shrink(module, width), budget),
        "low rank": nearest(lambda rank: factorize(module, rank), budget),
        "depthwise": depthwise,
    }
    for name, student in arms.items():
        yield "cheaper convolutions", name, fit(student, X, y, seed, IMAGE_EPOCHS, teacher)
        fresh = with_random_weights(student, seed)
        net = fit(fresh, X, y, seed, IMAGE_EPOCHS, teacher)
        yield "cheaper convolutions", f"{name}, random", net


def nearest(make, budget):
    """Return the module of that many weights, as nearly as can be."""
    modules = [make(share) for share in np.linspace(0.05, 0.6, 45)]
    return min(modules, key=lambda module: abs(count(module) - budget))


def count(module):
    """Return the number of weights."""
    return sum(weight.numel() for weight in module.parameters())


def main():
    """Print the blocks of each set of rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the .npz files")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = [("digits", cut_rows), ("letter", cut_rows), ("pendigits", cut_rows)]
    for name, cut in [*sets, ("digits", cut_images), ("fashion_mnist", cut_images)]:
        X, y = load(name, options.data)
        found = {}
        for seed in range(options.seeds):
            X_fit, X_test, y_fit, y_test = train_test_split(
                X, y, train_size=FIT_ROWS, test_size=TEST_ROWS, stratify=y, random_state=seed
            )
            if cut is cut_rows:
                scaler = StandardScaler().fit(X_fit)
                X_fit, X_test = scaler.transform(X_fit), scaler.transform(X_test)
            else:
                side = int(np.sqrt(X[0].size))
                shape, most = (-1, 1, side, side), X_fit.max()
                X_fit, X_test = (part.reshape(shape) / most for part in (X_fit, X_test))
            for block, arm, net in cut(X_fit, y_fit, seed):
                p = net.predict_proba(X_test)
                row = np.mean(p.argmax(axis=1) == y_test), log_loss(y_test, p), count(net.module_)
                found.setdefault((block, arm), []).append(row)
        print(f"{name}{' as images' if cut is cut_images else ''}, {options.seeds} seeds")
        print_blocks(found)


def print_blocks(found):
    """Print the mean of each figure, with the standard error of the first two."""
    seen = set()
    for (block, arm), rows in found.items():
        if block not in seen:
            seen.add(block)
            print(f"\n{block:<28}{'accuracy':>16}{'log-loss':>16}{'weights':>9}")
        mean, error = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
        cells = [f"{m:.3f} ± {e:.3f}" for m, e in zip(mean[:2], error[:2], strict=True)]
        print(f"{arm:<28}" + "".join(f"{cell:>16}" for cell in cells) + f"{mean[2]:>9,.0f}")
    print(flush=True)


if __name__ == "__main__":
    main()
