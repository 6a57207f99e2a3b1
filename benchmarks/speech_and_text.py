"""Speech and text: what a teacher that reads more does for a student that reads less.

    python benchmarks/speech_and_text.py --data FOLDER

Speech: a network over log-mel frames teaches an MLP on the 80 summary columns of a clip. Text: an
ensemble on words and pairs of words teaches an MLP on hashed words. Both take what they read out of
one X, by the first steps of their own Pipelines.

The training rows are shuffled first, for clips come sorted by speaker, and folds that are cut in
that order would leave whole speakers out.

Each line is a mean over the seeds, which draw the weights, the order of the rows and, where a tenth
of the labels is used, which tenth. Beside it stand the difference in accuracy to the plain student,
and in log-loss to the plain student with one fitted temperature, plus and minus two standard
errors over the test rows, the terms of each row averaged over the seeds.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, train_test_split
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP, SparseMLP, TablePreprocessor
from skdistill.targets import fit_temperature

N_FRAMES, N_BANDS = 64, 40
N_COLUMNS = N_FRAMES * N_BANDS
PLAIN, SCALED = "plain", "plain + temperature"


class Task(NamedTuple):
    """Rows, labels, and who learns from them."""

    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray
    X_more: Any
    teacher: Any
    student: Any
    reference: Any = None


class FrameNet(nn.Module):
    """Convolutions along the time of a clip, then the mean and the maximum over it."""

    def __init__(self, n_features, n_classes, width=32):
        super().__init__()
        layers = []
        for n_inputs in (n_features, width, width):
            layers += [
                nn.Conv1d(n_inputs, width, 5, padding=2, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
                nn.MaxPool1d(2),
            ]
        self.body = nn.Sequential(*layers[:-1])
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * width, n_classes))

    def forward(self, X):
        """Return logits of clips of shape (n_clips, n_frames, n_bands)."""
        heard = self.body(X.transpose(1, 2))
        return self.head(torch.cat([heard.mean(dim=2), heard.amax(dim=2)], dim=1))


def take_frames(X):
    """Return the frames of clips, scaled by what log-mel bands usually are."""
    return (X[:, :N_COLUMNS].reshape(-1, N_FRAMES, N_BANDS) + 7) / 4


def take_summary(X):
    """Return the mean and the standard deviation of each band."""
    return X[:, N_COLUMNS:]


def speech(folder, seed, label, *, new_digits=False, share=1.0):
    """Return a task on spoken digits, a share of the training clips being labelled.

    With new digits 7 to 9 are tested and the others learnt.
    """
    with np.load(folder / "spoken_digits_logmel.npz") as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    X, y, digit = [], [], []
    for part in ("train", "test"):
        frames = parts[f"X_{part}"].astype(np.float32).reshape(-1, N_COLUMNS)
        X.append(np.hstack([frames, parts[f"S_{part}"]]))
        y.append(parts[f"y_{label}_{part}"])
        digit.append(parts[f"y_digit_{part}"])
    train = np.arange(len(X[0]) + len(X[1])) < len(X[0])
    test = ~train
    X, y, digit = map(np.concatenate, (X, y, digit))
    if new_digits:
        train, test = train & (digit < 7), digit >= 7
    train = np.random.default_rng(seed).permutation(np.flatnonzero(train))
    more = None
    if share < 1:
        train, more = train_test_split(
            train, train_size=share, stratify=y[train], random_state=seed
        )
    hears = StudentNet(FrameNet, max_epochs=20)
    reads = StudentNet(MLP, module__hidden_units=(64,))
    return Task(
        X[train],
        y[train],
        X[test],
        y[test],
        None if more is None else X[more],
        make_pipeline(FunctionTransformer(take_frames), hears),
        make_pipeline(FunctionTransformer(take_summary), StandardScaler(), reads),
    )


def hashed_words():
    """Return steps from texts to tf-idf of hashed words."""
    return (
        HashingVectorizer(n_features=2**18, alternate_sign=False, norm=None),
        TfidfTransformer(sublinear_tf=True),
    )


def news(folder, seed, *, share=1.0):
    """Return a task on 20 Newsgroups, a share of the training texts being labelled."""
    table = pd.read_csv(folder / "newsgroups20.csv.gz", keep_default_na=False)
    texts = (table.subject + "\n" + table.text).to_numpy(dtype=object)
    y = np.unique(table.newsgroup, return_inverse=True)[1]
    train, test = (np.flatnonzero(table.split == part) for part in ("train", "test"))
    train = np.random.default_rng(seed).permutation(train)
    X, y_train, X_more = texts[train], y[train], None
    if share < 1:
        X, X_more, y_train, _ = train_test_split(
            X, y_train, train_size=share, stratify=y_train, random_state=seed
        )
    members = [("svm", LinearSVC(C=0.5, random_state=0)), ("bayes", ComplementNB(alpha=0.1))]
    members = [
        (name, CalibratedClassifierCV(member, method="temperature", cv=3, ensemble=False))
        for name, member in members
    ]
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2))
    net = StudentNet(SparseMLP, max_epochs=15)
    return Task(
        X,
        y_train,
        texts[test],
        y[test],
        X_more,
        make_pipeline(words, VotingClassifier(members, voting="soft")),
        make_pipeline(*hashed_words(), TablePreprocessor(), net),
        make_pipeline(*hashed_words(), LogisticRegression(C=10, tol=1e-3)),
    )


TASKS = {
    "digits": lambda folder, seed: speech(folder, seed, "digit"),
    "speakers": lambda folder, seed: speech(folder, seed, "speaker"),
    "speakers, other digits": lambda folder, seed: speech(folder, seed, "speaker", new_digits=True),
    "digits, a tenth of the labels": lambda folder, seed: speech(folder, seed, "digit", share=0.1),
    "newsgroups": news,
    "newsgroups, a tenth of the labels": lambda folder, seed: news(folder, seed, share=0.1),
}


def fit_arms(task, seed, memory):
    """Yield the name of each arm and its probabilities of the test rows."""
    plain = DistilledClassifier(student=task.student, alpha=0, device="cpu", random_state=seed)
    plain.fit(task.X, task.y)
    yield PLAIN, plain.predict_proba(task.X_test)
    held_out = cross_val_predict(clone(plain), task.X, task.y, cv=3, method="predict_log_proba")
    log_p = plain.predict_log_proba(task.X_test) / fit_temperature(held_out, task.y)
    yield SCALED, np.exp(log_p - np.logaddexp.reduce(log_p, axis=1)[:, None])
    arms = {"distilled": {}, "distilled, calibrated": {"calibrate": True}}
    if task.X_more is not None:
        arms["and the others unlabelled"] = {"calibrate": True, "alpha": 0.9}
    for arm, settings in arms.items():
        model = clone(plain).set_params(
            teacher=task.teacher, memory=memory, **{"alpha": 0.5, **settings}
        )
        more = {"X_unlabeled": task.X_more} if arm.startswith("and") else {}
        model.fit(task.X, task.y, **more)
        yield arm, model.predict_proba(task.X_test)
    yield "teacher", model.teacher_.predict_proba(task.X_test)
    if task.reference is not None:
        fitted = clone(task.reference).fit(task.X, task.y)
        yield "logistic regression", fitted.predict_proba(task.X_test)


def terms(y, probabilities):
    """Return whether each row is right, and its log-loss."""
    told = np.maximum(probabilities[np.arange(len(y)), y], np.finfo(float).eps)
    return np.stack([probabilities.argmax(axis=1) == y, -np.log(told)])


def report(name, found):
    """Print the lines of a task."""
    means = {arm: np.mean(values, axis=0) for arm, values in found.items()}
    n_seeds, n_test = len(found[PLAIN]), means[PLAIN].shape[1]
    print(f"\n{name}: {n_test:,} test rows, {n_seeds} seed{'s' * (n_seeds > 1)}")
    print(f"{'':<28}{'accuracy':>9}{'to plain':>18}{'log-loss':>11}{'to plain + temp.':>20}")
    for arm in sorted(means, key=lambda arm: arm != "teacher"):
        accuracy, loss = means[arm].mean(axis=1)
        cells = [
            interval(means[arm][row] - means[other][row])
            for row, other in enumerate((PLAIN, SCALED))
        ]
        print(f"{arm:<28}{accuracy:>9.3f}{cells[0]:>18}{loss:>11.3f}{cells[1]:>20}", flush=True)


def interval(differences):
    """Return a mean and two standard errors of it."""
    error = 2 * differences.std(ddof=1) / np.sqrt(len(differences))
    return f"{differences.mean():+.3f} ± {error:.3f}"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, type=Path, help="folder with the data")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--task", action="append", choices=TASKS, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    for name in options.task or TASKS:
        found = {}
        for seed in range(options.seeds):
            task = TASKS[name](options.data, seed)
            with tempfile.TemporaryDirectory() as memory:
                for arm, probabilities in fit_arms(task, seed, memory):
                    found.setdefault(arm, []).append(terms(task.y_test, probabilities))
        report(name, found)


if __name__ == "__main__":
    sys.exit(main())
