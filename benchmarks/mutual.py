"""Do students gain from learning side by side, and can several of them improve a teacher?

    python benchmarks/mutual.py --data FOLDER

Perceptrons learn 700 rows of scikit-learn's digits, of Letter and of Fashion-MNIST. Each arm has
the accuracy and the log-loss on new rows, with the difference to the first arm of its block.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, MutualClassifier, StudentNet
from skdistill.students import MLP

FIT_ROWS, TEST_ROWS, EPOCHS, SMALL, BIG = 700, 700, 25, (32,), (128, 128)


def load(name, folder):
    """Return rows and labels."""
    if name == "digits":
        return load_digits(return_X_y=True)
    with np.load(folder / f"{name}.npz", allow_pickle=False) as data:
        X, y = data["X_train"], data["y_train"]
    return X.reshape(len(X), -1).astype(np.float32), y.astype(int)


def net(units=SMALL):
    """Return a perceptron behind a scaler."""
    return make_pipeline(
        StandardScaler(),
        StudentNet(MLP, module__hidden_units=units, max_epochs=EPOCHS, batch_size=32),
    )


def blocks(X, y, X_test, seed):
    """Return the probabilities of each arm, by block."""

    def fit(teacher=None, student=None, **settings):
        settings = {"alpha": 0 if teacher is None else 0.5, "random_state": seed, **settings}
        student = net() if student is None else student
        return DistilledClassifier(teacher, student, **settings).fit(X, y)

    def together(model, n=2):
        return MutualClassifier([model] * n, random_state=seed).fit(X, y)

    def proba(model):
        return model.predict_proba(X_test)

    forest = RandomForestClassifier(100, random_state=seed)
    taught = DistilledClassifier(forest, net())
    alone = [fit(random_state=seed + 100 * i) for i in range(4)]
    pair, four, heard = together(net()), together(net(), 4), together(taught)
    distilled = [fit(forest, random_state=seed + 100 * i) for i in range(2)]
    small = DistilledClassifier(student=net(), alpha=0)
    teacher = fit(student=net(BIG))
    begun = StudentNet(teacher.student_[-1].module_, max_epochs=EPOCHS, batch_size=32)
    begun = make_pipeline(StandardScaler(), begun)
    return {
        "small students": {
            "one alone": proba(alone[0]),
            "one of two, mutual": proba(pair.students_[0]),
            "one of four, mutual": proba(four.students_[0]),
            "one with a forest": proba(distilled[0]),
            "one of two with a forest": proba(heard.students_[0]),
            "mean of two alone": np.mean([proba(model) for model in alone[:2]], axis=0),
            "mean of two, mutual": proba(pair),
            "mean of four alone": np.mean([proba(model) for model in alone], axis=0),
            "mean of four, mutual": proba(four),
            "mean of two with a forest": np.mean([proba(model) for model in distilled], axis=0),
            "mean of two of both": proba(heard),
        },
        "the big network": {
            "alone": proba(teacher),
            "alone, twice as long": proba(fit(student=begun)),
            "taught by one": proba(fit(small, net(BIG), cv=3)),
            "taught by three": proba(fit([small] * 3, net(BIG), cv=3)),
            "taught by three, mutual": proba(fit(MutualClassifier([net()] * 3), net(BIG), cv=3)),
            "begun, taught by three": proba(fit([small] * 3, begun, cv=3)),
        },
    }


def main():
    """Print the blocks of each table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with letter.npz, fashion_mnist.npz")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in ["digits", "letter", "fashion_mnist"] if options.data else ["digits"]:
        X, y = load(name, options.data)
        found = {}
        for seed in range(options.seeds):
            X_fit, X_test, y_fit, y_test = train_test_split(
                X, y, train_size=FIT_ROWS, test_size=TEST_ROWS, stratify=y, random_state=seed
            )
            for block, arms in blocks(X_fit, y_fit, X_test, seed).items():
                for arm, p in arms.items():
                    pair = np.mean(p.argmax(axis=1) == y_test), log_loss(y_test, p)
                    found.setdefault((block, arm), []).append(pair)
        print(f"{name}: {FIT_ROWS} rows, {EPOCHS} epochs, {options.seeds} seeds")
        print_blocks(found)


def print_blocks(found):
    """Print means, and the mean and standard error of the difference to a block's first arm."""
    first = {}
    for (block, arm), pairs in found.items():
        if block not in first:
            first[block] = np.array(pairs)
            print(f"\n{block:<28}{'accuracy':>10}{'':>20}{'log-loss':>10}")
        apart = np.array(pairs) - first[block]
        error = apart.std(axis=0, ddof=1) / np.sqrt(len(apart))
        cells = [
            f"{mean:>10.3f}{f'({d:+.3f} ± {e:.3f})' if apart.any() else '':>20}"
            for mean, d, e in zip(np.mean(pairs, axis=0), apart.mean(axis=0), error, strict=True)
        ]
        print(f"{arm:<28}{''.join(cells)}".rstrip())
    print(flush=True)


if __name__ == "__main__":
    main()
