"""A class that is left out of the transfer rows, and a logit that is raised afterwards.

    python benchmarks/left_out.py
    python benchmarks/left_out.py --data FOLDER

is the experiment of Hinton et al. 2015 (arXiv 1503.02531), section 3: a student learns from a
teacher's answers about rows among which a class is missing. Then the logit of that class is raised
by one number for all rows: "best" is the one with the fewest errors on test rows, as in the paper;
"fitted" is found without a test row or a student's row of the class, so that the student names
the class as often as the teacher does on the rows that the teacher learnt from. Each class is left
out in turn. Without a folder the rows are scikit-learn's digits, three splits; a folder holds
mnist.npz or fashion_mnist.npz, whose first --rows training rows are taken.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from _images import Perceptron, load_images
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.transfer import Shift

OFFSETS = np.arange(0, 20.25, 0.25)


def digits(seed):
    """Return scikit-learn's digits, two thirds of them to fit."""
    X, y = load_digits(return_X_y=True)
    X = ((X - X.mean()) / X.std()).astype(np.float32).reshape(-1, 1, 8, 8)
    X, X_test, y, y_test = train_test_split(X, y, test_size=600, stratify=y, random_state=seed)
    return X, y, X_test, y_test


def perceptron(X, units, epochs, dropout=(0.0, 0.0), **settings):
    """Return a net of two layers that keeps its last epoch."""
    return StudentNet(
        Perceptron, module__n_pixels=X[0].size, module__hidden_units=(units, units),
        module__dropout=dropout, optimizer__weight_decay=0.0, lr=1e-3, batch_size=64,
        max_epochs=epochs, train_split=None, **settings,
    )  # fmt: skip


def raised(logits, left_out):
    """Return what is predicted with each of the offsets, of shape (n_offsets, n_samples)."""
    only = np.arange(logits.shape[1]) == left_out
    return (logits + OFFSETS[:, None, None] * only).argmax(axis=2)


def leave_out(rows, left_out, taught, seed, temperature, options):
    """Return errors of all and of the class: as learnt, by the best offset, by the fitted one."""
    X, y, X_test, y_test = rows
    kept = y != left_out
    student = perceptron(X, options.student_units, options.epochs)
    model = DistilledClassifier(
        taught, student, alpha=1, temperature=temperature, device="cpu", random_state=seed
    ).fit(X[kept], y[kept], classes=range(10))
    wrong = raised(model.predict_log_proba(X_test), left_out) != y_test
    share = np.mean(raised(model.predict_log_proba(X), left_out) == left_out, axis=1)
    fitted = np.abs(share - np.mean(taught.predict(X) == left_out)).argmin()
    chosen = [0, wrong.sum(axis=1).argmin(), fitted]
    of_class = y_test == left_out
    scores = [(wrong[i].sum(), wrong[i][of_class].sum(), OFFSETS[i]) for i in chosen]
    return [*scores, ((taught.predict(X_test) != y_test).sum(), 0, 0)], of_class.sum()


def main():
    """Print a line for each class, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with the images; without it, digits")
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--teacher-units", type=int, default=1200)
    parser.add_argument("--student-units", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--left-out", type=int, action="append", help="these classes alone")
    parser.add_argument("--temperature", type=float, action="append")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    if options.data:
        name, X, y, X_test, y_test = load_images(options.data, ["mnist", "fashion_mnist"])
        splits = [(X[: options.rows], y[: options.rows], X_test, y_test)] * options.seeds
    else:
        name, splits = "digits", [digits(seed) for seed in range(options.seeds)]
    views = [Shift(2)] if name == "mnist" else []
    teachers = []
    for seed, (X, y, *_) in enumerate(splits):
        net = perceptron(X, options.teacher_units, options.epochs, (0.1, 0.3), views=views)
        arm = DistilledClassifier(student=net, alpha=0, device="cpu", random_state=seed)
        teachers.append(arm.fit(X, y).student_)
    n_rows, n_test = len(splits[0][1]), len(splits[0][3])
    print(f"{name}, {n_rows} rows, {n_test} test rows, {options.seeds} seeds, {options.epochs} ep")
    print("errors on all test rows (those on the class left out), means over the seeds")
    head = f"{'T':>3}  {'left out':>8}  {'teacher':>7}{'as learnt':>16}"
    print(f"{head}{'best':>16}{'by':>7}{'fitted':>16}{'by':>7}  of the class")
    for temperature in options.temperature or [20.0, 4.0]:
        total = []
        for left_out in options.left_out or range(10):
            found, sizes = zip(
                *(
                    leave_out(rows, left_out, teacher, seed, temperature, options)
                    for seed, (rows, teacher) in enumerate(zip(splits, teachers, strict=True))
                ),
                strict=True,
            )
            total.append((np.mean(found, axis=0), np.mean(sizes)))
            show(temperature, left_out, *total[-1])
        show(temperature, "mean", *(np.mean(part, axis=0) for part in zip(*total, strict=True)))


def show(temperature, left_out, scores, size):
    """Print a line."""
    plain, best, fitted, teacher = scores
    line = f"{temperature:3g}  {left_out!s:>8}  {teacher[0]:7.1f}{_errors(plain):>16}"
    line += "".join(f"{_errors(part):>16}{part[2]:7.2f}" for part in (best, fitted))
    print(f"{line}  {size:.0f}", flush=True)


def _errors(part):
    return f"{part[0]:.1f} ({part[1]:.1f})"


if __name__ == "__main__":
    sys.exit(main())
