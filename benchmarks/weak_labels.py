"""Distillation beside what else helps with few or poor labels, or makes a network small.

    python benchmarks/weak_labels.py

needs no data beyond the digits that come with scikit-learn. All students are of one size, a hidden
layer of 64 units, where no other is named; the teacher is a vote of the ten nearest neighbours,
asked out of fold. In each block all arms have the same rows, 1,000 where nothing else is said, and
the same test rows:

- weak labels: seven labellers vote, each of whom takes some digits for others and is silent one
  time in five; no true label is known. The label model is Dawid and Skene's.
- noisy labels: a share of the labels is drawn anew. "cleaned" leaves out rows that the teacher
  gives, out of fold, to another class with a probability of more than a half.
- another task: 50 labelled rows of the digits 5 to 9, 400 without labels, and a network that has
  learnt 0 to 4.
- size: two hidden layers, of 256 units and of 64.

A cell is the mean over the seeds, plus and minus its standard error.
"""

import argparse
import copy
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.deployment import inspect, prune, quantize, save
from skdistill.exceptions import DistillationWarning, TeacherWarning

N_LABELLERS, SILENT = 7, 0.2
RATES = (0.0, 0.1, 0.2, 0.4)
TEACHER = KNeighborsClassifier(10)


def net(*units):
    """Return a student with hidden layers of such widths."""
    return StudentNet(module__hidden_units=units or (64,))


def distil(teacher, seed, student=None, alpha=0.9):
    """Return an unfitted student of a teacher; alpha 0 is the plain one."""
    student = net() if student is None else student
    settings = {"alpha": alpha, "device": "cpu", "random_state": seed}
    return DistilledClassifier(teacher, student, **settings)


def vote(y, rng):
    """Return what the labellers say of each row, -1 where they are silent.

    Returns
    -------
    ndarray of shape (n_samples, n_labellers)
    """
    n_classes, votes = y.max() + 1, []
    for _ in range(N_LABELLERS):
        right = rng.uniform(0.3, 0.9, n_classes)  # the share of each class that is told rightly
        other = rng.permutation(n_classes)  # what this labeller takes most of the others for
        taken = np.where(rng.random(len(y)) < 0.7, other[y], rng.integers(n_classes, size=len(y)))
        said = np.where(rng.random(len(y)) < right[y], y, taken)
        votes.append(np.where(rng.random(len(y)) < SILENT, -1, said))
    return np.stack(votes, axis=1)


def count_votes(votes, n_classes):
    """Return the share of the votes that each class has; all alike where nobody voted."""
    shares = (votes[:, :, None] == np.arange(n_classes)).sum(axis=1) + 1e-9
    return shares / shares.sum(axis=1, keepdims=True)


def label_model(votes, n_classes, n_steps=30):
    """Return the probabilities of the classes by the model of Dawid and Skene (1979).

    Each labeller has a confusion matrix. Expectation and maximisation take turns: the classes'
    probabilities given the matrices, the matrices given the probabilities.
    """
    hot = (votes[:, :, None] == np.arange(n_classes)).astype(float)
    p = count_votes(votes, n_classes)
    for _ in range(n_steps):
        confusion = np.einsum("nk,nvc->vkc", p, hot) + 0.1
        confusion /= confusion.sum(axis=2, keepdims=True)
        log_p = np.log(p.mean(axis=0)) + np.einsum("nvc,vkc->nk", hot, np.log(confusion))
        p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
    return p


def weak(X, y, seed):
    """Yield the arms of the first block."""
    votes = vote(y, np.random.default_rng(seed))
    for name, p in {
        "majority": count_votes(votes, 10),
        "label model": label_model(votes, 10),
    }.items():
        labels = p.argmax(axis=1)
        yield f"{name}: labels", distil(None, seed, alpha=0).fit(X, labels)
        yield f"{name}: probabilities", distil(None, seed, alpha=1).fit(X, None, soft_targets=p)
        yield (
            f"{name}: neighbours by its labels, distilled",
            distil(TEACHER, seed).fit(X, labels),
        )
    yield "true labels", distil(None, seed, alpha=0).fit(X, y)


def noisy(X, y, seed):
    """Yield the arms of the second block."""
    rng = np.random.default_rng(seed)
    for rate in RATES:
        labels = np.where(rng.random(len(y)) < rate, rng.integers(10, size=len(y)), y)
        p = cross_val_predict(TEACHER, X, labels, cv=5, method="predict_proba")
        clean = (p.argmax(axis=1) == labels) | (p.max(axis=1) < 0.5)
        yield f"{rate}: plain", distil(None, seed, alpha=0).fit(X, labels)
        yield f"{rate}: cleaned", distil(None, seed, alpha=0).fit(X[clean], labels[clean])
        for alpha in (0.5, 1):
            model = distil(TEACHER, seed, alpha=alpha)
            yield f"{rate}: distilled, alpha {alpha}", model.fit(X, labels)


def other_task(X, y, X_source, y_source, seed):
    """Yield the arms of the third block."""
    few, more = X[:50], X[50:450]
    torch.manual_seed(seed)
    source = StudentNet(stack(64), device="cpu").fit(X_source, y_source).module_
    wide = StudentNet(stack(256), device="cpu").fit(X_source, y_source).module_

    def plain(module):
        return distil(None, seed, StudentNet(module), alpha=0).fit(few, y[:50])

    def taught(teacher, module):
        return distil(teacher, seed, StudentNet(module)).fit(few, y[:50], X_unlabeled=more)

    yield "plain", plain(stack(64))
    yield "fine-tuned", plain(new_head(source))
    yield "distilled from neighbours", taught(TEACHER, stack(64))
    yield "fine-tuned and distilled", taught(TEACHER, new_head(source))
    wide = plain(new_head(wide))
    yield "of 256 units, fine-tuned", wide
    yield "distilled from that", taught(wide.student_.module_, stack(64))


def stack(width, n_classes=5):
    """Return a network with one hidden layer."""
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, n_classes))


def new_head(module):
    """Return a copy with random weights in the last layer."""
    module = copy.deepcopy(module).cpu()
    module[-1].reset_parameters()
    return module


def size(X, y, seed):
    """Yield the arms of the fourth block."""
    whole = distil(TEACHER, seed, net(256, 256)).fit(X, y)
    yield "whole", whole
    yield "whole, 8 bits", quantize(whole)
    pruned = prune(whole, X, y, amount=0.75)
    yield "pruned to a quarter", pruned
    yield "pruned to a quarter, 8 bits", quantize(pruned)
    yield "narrow, plain", distil(None, seed, net(64, 64), alpha=0).fit(X, y)
    narrow = distil(TEACHER, seed, net(64, 64)).fit(X, y)
    yield "narrow, distilled", narrow
    yield "narrow, distilled, 8 bits", quantize(narrow)


def run(seed):
    """Yield each block, arm, accuracy, log-loss and kilobytes."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    rows = train_test_split(X, y, train_size=1000, stratify=y, random_state=seed)
    X_fit, X_test, y_fit, y_test = rows
    high_fit, high_test = y_fit > 4, y_test > 4
    source = X_fit[~high_fit], y_fit[~high_fit]
    blocks = {
        "weak labels": weak(X_fit, y_fit, seed),
        "noisy labels": noisy(X_fit, y_fit, seed),
        "another task": other_task(X_fit[high_fit], y_fit[high_fit] - 5, *source, seed),
        "size": size(X_fit, y_fit, seed),
    }
    for block, arms in blocks.items():
        of_five = block == "another task"
        X_asked, labels = (
            (X_test[high_test], y_test[high_test] - 5) if of_five else (X_test, y_test)
        )
        for arm, model in arms:
            p = model.predict_proba(X_asked)
            with tempfile.TemporaryDirectory() as folder:
                n_bytes = inspect(save(model, Path(folder) / "student.safetensors")).n_bytes
            found = accuracy_score(labels, p.argmax(axis=1)), log_loss(labels, p), n_bytes / 1024
            yield (block, arm), found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for category in (DistillationWarning, TeacherWarning):
        warnings.simplefilter("ignore", category)
    found = {}
    for seed in range(options.seeds):
        for key, figures in run(seed):
            found.setdefault(key, []).append(figures)
            print(f"# {seed} {key}: {figures}", file=sys.stderr, flush=True)
    shown = None
    for (block, arm), figures in found.items():
        if block != shown:
            print(f"\n{block:<50}{'accuracy':<16}{'log-loss':<16}{'KB':>4}")
            shown = block
        means = np.mean(figures, axis=0)
        errors = np.std(figures, axis=0, ddof=1) / np.sqrt(len(figures))
        cells = [f"{m:.3f} ± {e:.3f}" for m, e in zip(means[:2], errors[:2], strict=True)]
        print(f"{arm:<50}{cells[0]:<16}{cells[1]:<16}{means[2]:>4.0f}")


if __name__ == "__main__":
    sys.exit(main())
