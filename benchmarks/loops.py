"""The articles' loops end to end: teacher, student, and the student as start or teacher again.

    python benchmarks/loops.py --data FOLDER

On 700 images of scikit-learn's digits (a ConvNet) and 700 rows of Letter (a perceptron) a big
network teaches small ones, directly and through a middle one, and small ones go on as the start or
the teacher of the big one, twice. A fitted teacher is asked about the rows that it learnt from, as
the articles do. Every training has as many epochs; "epochs" are those of a whole recipe.
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
from skdistill.students import MLP, ConvNet, grow, shrink

FIT_ROWS, TEST_ROWS, EPOCHS = 700, 700, 16
MAKE = {"images": ConvNet, "rows": MLP}


def train(module, X, y, seed, teacher=None):
    """Return the fitted net of a module, or of a class of modules, taught by a net or alone."""
    net = StudentNet(module, max_epochs=EPOCHS, batch_size=32)
    alpha = 0 if teacher is None else 0.5
    return DistilledClassifier(teacher, net, alpha=alpha, random_state=seed).fit(X, y).student_


def loops(kind, X, y, seed):
    """Yield the block, the name, the net and the number of trainings of each recipe."""

    def learn(module=MAKE[kind], teacher=None):
        return train(module, X, y, seed, teacher)

    big = learn()
    middle, small = shrink(big.module_, 0.5), shrink(big.module_, 0.25)

    block = "the small network"
    yield block, "alone", learn(fresh(small, seed)), 1
    yield block, "teacher -> student", learn(fresh(small, seed), big), 2
    assistant = learn(fresh(middle, seed), big)
    yield block, "teacher -> assistant -> student", learn(fresh(small, seed), assistant), 3
    cut = learn(small, big)
    yield block, "teacher -> student cut from it", cut, 2
    halfway = learn(middle, big)
    quarter = shrink(halfway.module_, 0.5)
    yield block, "the same by way of an assistant", learn(quarter, halfway), 3

    block = "the big network"
    yield block, "alone", big, 1
    longer = learn(big.module_)
    yield block, "alone, on from there", longer, 2
    yield block, "born again: its own teacher", learn(teacher=big), 2
    again = learn(teacher=learn(teacher=big))
    yield block, "born again, twice", again, 3
    yield block, "taught by its student", learn(teacher=cut), 3
    begun = grow(cut.module_, big.module_)
    yield block, "begun with its student", learn(begun), 3
    yield block, "begun with and taught by it", learn(begun, cut), 3
    grown = learn(begun, big)
    yield block, "begun with it, taught by itself", grown, 3
    second = learn(shrink(grown.module_, 0.25), grown)
    loop = learn(grow(second.module_, grown.module_), grown)
    yield block, "the same once more", loop, 5


def fresh(module, seed):
    """Return a copy whose layers are initialised anew."""
    module = copy.deepcopy(module)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for layer in module.modules():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return module


def load(kind, folder, seed):
    """Return rows to learn and to score, and their labels."""
    if kind == "images":
        X, y = load_digits(return_X_y=True)
        X = X.reshape(-1, 1, 8, 8) / 16
    else:
        with np.load(folder / "letter.npz", allow_pickle=False) as data:
            X, y = data["X_train"].astype(np.float32), data["y_train"].astype(int)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=FIT_ROWS, test_size=TEST_ROWS, stratify=y, random_state=seed
    )
    if kind == "rows":
        scaler = StandardScaler().fit(X)
        X, X_test = scaler.transform(X), scaler.transform(X_test)
    return X, y, X_test, y_test


def main():
    """Print both blocks of both sets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with letter.npz")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for kind in MAKE:
        found = {}
        for seed in range(options.seeds):
            X, y, X_test, y_test = load(kind, options.data, seed)
            for block, name, net, n_trainings in loops(kind, X, y, seed):
                p = net.predict_proba(X_test)
                n_weights = sum(weight.numel() for weight in net.module_.parameters())
                row = np.mean(p.argmax(axis=1) == y_test), log_loss(y_test, p)
                found.setdefault((block, name, n_trainings, n_weights), []).append(row)
        print(f"{kind}, {options.seeds} seeds")
        report(found)


def report(found):
    """Print means, with the standard error of the difference to the first line of a block."""
    first = {}
    for (block, name, n_trainings, n_weights), rows in found.items():
        if block not in first:
            first[block] = np.array(rows)
            heads = f"{'accuracy':>25}{'log-loss':>25}{'weights':>9}{'epochs':>8}"
            print(f"\n{block:<33}{heads}")
        apart = np.array(rows) - first[block]
        error = apart.std(axis=0, ddof=1) / np.sqrt(len(apart))
        cells = [
            f"{f'{m:.3f}' + (f' ({d:+.3f} ± {e:.3f})' if apart.any() else ' ' * 17):>25}"
            for m, d, e in zip(np.mean(rows, axis=0), apart.mean(axis=0), error, strict=True)
        ]
        print(f"{name:<33}{''.join(cells)}{n_weights:>9,}{n_trainings * EPOCHS:>8}")
    print(flush=True)


if __name__ == "__main__":
    main()
