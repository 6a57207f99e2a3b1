"""
Text: an ensemble on words teaches a network on hashed ones, sparse from end to end
===================================================================================

The teacher averages a linear support vector machine and naive Bayes on tf-idf of words and pairs of
words: a dictionary and several tables as long as it. The student is a small network on words that
are hashed into 2**18 columns, and holds no dictionary. X is a list of texts: both Pipelines begin
with their own way to read them, and no row is ever made dense.

``python examples/08_text.py`` writes its own texts: each of eight topics prefers words of its own,
all words come as Zipf's law has it, and topics overlap. ``python examples/08_text.py
newsgroups20.csv.gz`` takes 20 Newsgroups, a table with the columns ``split`` ("train" or "test"),
``subject``, ``text`` and ``newsgroup``; it needs pandas.
"""

import pickle
import sys
import time
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import SparseMLP, TablePreprocessor

N_COLUMNS = 2**18


def write_texts(n, random_state, n_topics=8, n_words=20_000):
    """Return texts, each of a topic with a taste for some words, and the topics."""
    rng = np.random.default_rng(random_state)
    tastes = np.random.default_rng(0).exponential(size=(n_topics, n_words)) ** 2
    chances = tastes / (np.arange(n_words) + 2.7)  # Zipf's law, bent by the taste
    chances /= chances.sum(axis=1, keepdims=True)
    mixed = 0.75 * chances.mean(axis=0) + 0.25 * chances  # three words of four are common to all
    topics = rng.integers(n_topics, size=n)
    lengths = rng.poisson(rng.gamma(2.0, 40.0, n)) + 5
    texts = [
        " ".join(f"w{word}" for word in rng.choice(n_words, length, p=mixed[topic]))
        for topic, length in zip(topics, lengths, strict=True)
    ]
    return texts, topics


def load_texts():
    """Return texts and topics to learn from, and others to be judged by."""
    if len(sys.argv) == 1:
        return *write_texts(4000, 1), *write_texts(4000, 2)
    import pandas as pd

    table = pd.read_csv(sys.argv[1], keep_default_na=False)
    table["text"] = table.subject + "\n" + table.text
    train, test = table[table.split == "train"], table[table.split == "test"]
    return train.text.tolist(), train.newsgroup, test.text.tolist(), test.newsgroup


texts, y, texts_test, y_test = load_texts()

# %%
# The teacher and the student
# ---------------------------
# Margins are no probabilities, and naive Bayes is too sure of itself: one temperature each, which
# scikit-learn fits from 1.8 on. Before, ``method="sigmoid"`` is the nearest.


def calibrated(classifier):
    """Return a classifier whose probabilities can be averaged with others'."""
    return CalibratedClassifierCV(classifier, method="temperature", cv=3, ensemble=False)


teacher = make_pipeline(
    TfidfVectorizer(sublinear_tf=True, min_df=2, ngram_range=(1, 2)),
    VotingClassifier(
        [
            ("svm", calibrated(LinearSVC(C=0.5, random_state=0))),
            ("bayes", calibrated(ComplementNB(alpha=0.1))),
        ],
        voting="soft",
    ),
)
student = make_pipeline(
    HashingVectorizer(n_features=N_COLUMNS, alternate_sign=False, norm=None),
    TfidfTransformer(sublinear_tf=True),
    TablePreprocessor(),  # leaves out the columns that a single text fills
    StudentNet(SparseMLP, max_epochs=15),
)

# %%
# A tenth of the labels
# ---------------------
# The other texts have none: the teacher labels them for the student.

few, rest, y_few, _ = train_test_split(texts, y, train_size=0.1, stratify=y, random_state=0)
model = DistilledClassifier(teacher, student, alpha=0.9, calibrate=True, random_state=0)
tracemalloc.start()
model.fit(few, y_few, X_unlabeled=rest)
peak = tracemalloc.get_traced_memory()[1]
tracemalloc.stop()
dense = 4 * len(texts) * N_COLUMNS
assert peak < dense / 8, "a table of hashed words was made dense"
print(f"peak memory of the fit: {peak / 1e6:.0f} MB; dense rows alone: {dense / 1e6:.0f} MB")

plain = DistilledClassifier(student=student, alpha=0, random_state=0).fit(few, y_few)

# %%
# What it brought and what it costs
# ---------------------------------

arms = {"teacher": model.teacher_, "plain": plain.student_, "distilled": model.student_}
found = {}
for name, classifier in arms.items():
    started = time.perf_counter()
    p = classifier.predict_proba(texts_test)
    seconds = time.perf_counter() - started
    found[name] = {
        "accuracy": accuracy_score(y_test, classifier.classes_[p.argmax(axis=1)]),
        "log-loss": log_loss(y_test, p),
        "megabytes": len(pickle.dumps(classifier)) / 1e6,
        "ms per text": 1000 * seconds / len(texts_test),
    }
    print(f"{name:10}" + "".join(f"   {key} {value:.3f}" for key, value in found[name].items()))

# %%
# A picture
# ---------

figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
for axis, quantity in zip(axes, found["teacher"], strict=True):
    bars = axis.bar(list(arms), [found[name][quantity] for name in arms], color=["C7", "C1", "C0"])
    axis.bar_label(bars, fmt="%.3g")
    axis.margins(y=0.15)
    axis.set_title(quantity)
figure.suptitle(f"{len(few):,} texts with labels, {len(rest):,} without")
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "text.png")
