"""Does a student cut from its teacher learn faster than the same network from random weights?

    python benchmarks/cut_students.py --data FOLDER

A convolutional teacher learns 6,000 images of Fashion-MNIST. One student has kept half of the units
of each of its hidden layers (`students.shrink`), another its first two blocks
(`students.truncate`). Each is distilled from the teacher for three epochs on the same images,
once with the weights that it was cut with and once with random ones; all else is equal.
"""

import argparse
import copy
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import agreement
from skdistill.students import ImagePreprocessor, shrink, truncate

FIT_ROWS, TEACHER_EPOCHS, STUDENT_EPOCHS = 6_000, 8, 3


def make_teacher():
    """Return an untrained network of three blocks of two convolutions."""
    blocks, n_channels = [], 1
    for width in (16, 32, 64):
        layers = []
        for _ in range(2):
            layers += [
                nn.Conv2d(n_channels, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            n_channels = width
        blocks.append(nn.Sequential(*layers, nn.MaxPool2d(2)))
    return nn.Sequential(
        *blocks, nn.Flatten(), nn.Linear(64 * 9, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def with_random_weights(module):
    """Return a copy whose layers are initialised anew."""
    module = copy.deepcopy(module)
    for layer in module.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return module


def run(X, y, X_test, y_test, seed):
    """Yield each arm's name and figures."""
    torch.manual_seed(seed)
    net = StudentNet(make_teacher(), max_epochs=TEACHER_EPOCHS).fit(X, y)
    teacher = net.module_
    shrunk, truncated = shrink(teacher, width=0.5), truncate(teacher, upto="1")
    arms = {
        "shrunk": shrunk,
        "shrunk, random weights": with_random_weights(shrunk),
        "truncated": truncated,
        "truncated, random weights": with_random_weights(truncated),
    }
    expected = net.predict_proba(X_test)
    yield "teacher", figures(teacher, expected, expected, y_test)
    for name, module in arms.items():
        student = StudentNet(module, max_epochs=STUDENT_EPOCHS)
        model = DistilledClassifier(teacher, student, random_state=seed)
        found = model.fit(X, y).predict_proba(X_test)
        yield name, figures(module, found, expected, y_test)


def figures(module, found, expected, y):
    """Return accuracy, log-loss, agreement with the teacher, and the number of weights."""
    accuracy = np.mean(found.argmax(axis=1) == y)
    n_weights = sum(p.numel() for p in module.parameters())
    return accuracy, log_loss(y, found), agreement(expected, found), n_weights


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with fashion_mnist.npz")
    parser.add_argument("--seeds", type=int, default=3, help="samples of the images")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = np.load(options.data / "fashion_mnist.npz", allow_pickle=False)
    print(
        f"{'student':<28}{'seed':<6}{'accuracy':>9}{'log-loss':>10}{'agreement':>11}{'weights':>9}"
    )
    everything: dict[str, list] = {}
    for seed in range(options.seeds):
        X, _, y, _ = train_test_split(
            data["X_train"],
            data["y_train"],
            train_size=FIT_ROWS,
            stratify=data["y_train"],
            random_state=seed,
        )
        scaler = ImagePreprocessor().fit(X)
        rows = scaler.transform(X)[:, None], y, scaler.transform(data["X_test"])[:, None]
        for name, row in run(*rows, data["y_test"], seed):
            print_row(name, seed, row)
            everything.setdefault(name, []).append(row)
    for name, found in everything.items():
        print_row(name, "mean", np.mean(found, axis=0))


def print_row(name, seed, row):
    """Print a line of the table."""
    accuracy, loss, agreed, n_weights = row
    print(
        f"{name:<28}{seed:<6}{accuracy:>9.3f}{loss:>10.3f}{agreed:>11.3f}{n_weights:>9,.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
