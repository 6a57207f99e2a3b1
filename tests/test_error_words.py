"""Errors show the beginning of a long value, and join what others say into whole sentences."""

import re

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression
from sklearn.naive_bayes import GaussianNB
from torch import nn

from skdistill import (
    DistilledClassifier,
    DistilledMultilabelClassifier,
    DistilledRegressor,
    MutualClassifier,
    MutualRegressor,
    StudentNet,
)
from skdistill.evaluation import compare
from skdistill.teachers import EnsembleTeacher
from skdistill.transfer import Sampler, Shift

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.arange(40) % 2
TEXTS = np.array([f"begin {'and so on ' * 500} end {number}" for number in range(40)], dtype=object)
MANY = [DummyClassifier(constant=number, random_state=0, strategy="prior") for number in range(50)]


class Echo:
    """A teacher that answers with the rows themselves."""

    classes_ = np.arange(2)

    def predict_proba(self, X):
        return list(X)


class Saying:
    """Fails with a sentence."""

    def fit(self, X, y=None):
        raise ValueError("This cannot be fitted.")

    def sample(self, n_samples):
        raise ValueError("This cannot be sampled.")


class Fails(nn.Linear):
    def forward(self, X):
        raise RuntimeError("This cannot be run.")


def labels(y):
    return lambda: DistilledMultilabelClassifier(DummyRegressor()).fit(X, y)


LONG = {
    "answers that are texts": (lambda: DistilledClassifier(Echo()).fit(TEXTS, Y), "gave .*begin"),
    "texts for a teacher of numbers": (
        lambda: DistilledClassifier(GaussianNB()).fit(TEXTS, Y), "X holds texts .*begin.*end ",
    ),
    "texts as numbers": (
        lambda: DistilledRegressor(LinearRegression()).fit(X, TEXTS), "y holds what is no.*begin",
    ),
    "texts as labels of a row": (labels(np.c_[TEXTS, TEXTS]), r"such as \['begin.*\.\.\.; exp"),
    "a table of texts": (
        lambda: DistilledClassifier(GaussianNB()).fit(np.c_[TEXTS, TEXTS], Y), "begin.*TablePrep",
    ),
    "an unknown class": (
        lambda: StudentNet(max_epochs=1).partial_fit(X, TEXTS, classes=["a", "b"]),
        r"labels \['begin.*\.\.\., and the classes",
    ),
    "an array as alpha": (
        lambda: DistilledClassifier(DummyClassifier(), alpha=np.arange(99)).fit(X, Y),
        r"'alpha' parameter.*Got array\(\[ 0, 1.*\.\.\. instead\.$",
    ),
    "an array as a student's setting": (
        lambda: StudentNet(lr=np.arange(99)).fit(X, Y), r"'lr' .*Got array\(.*\.\.\. instead\.$",
    ),
    "an array as models": (
        lambda: MutualClassifier(np.array(MANY)).fit(X, Y), r"Got array\(.*\.\.\. instead\.$",
    ),
    "a tuple as models": (
        lambda: MutualRegressor(tuple(MANY)).fit(X, Y), r"Got \(Dummy.*\.\.\. instead\.$",
    ),
    "a list as a teacher": (
        lambda: EnsembleTeacher(MANY, weights=[1] * 99).fit(X, Y), r"weights=\[1.*\.\.\. was given",
    ),
    "models for compare": (lambda: compare(MANY, X, Y, X, Y), r"Got \[Dummy.*\.\.\. instead; "),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
def test_a_long_value_is_cut(name):
    attempt, message = LONG[name]
    with torch.random.fork_rng(), pytest.raises((TypeError, ValueError)) as refusal:
        attempt()
    said = str(refusal.value)
    assert re.search(message, said, re.DOTALL), said
    assert len(said) < 700


SENTENCES = {
    "settings of batches": lambda: DistilledClassifier(
        DummyClassifier(), StudentNet(iterator_train__num_workers=2)
    ).fit(X, Y),
    "a student's module": lambda: StudentNet(Fails(3, 2)).fit(X, Y),
    "a teacher's module": lambda: DistilledClassifier(Fails(3, 2)).fit(X, Y),
    "views of a teacher": lambda: DistilledClassifier(
        nn.Linear(3, 2), StudentNet(views=Shift(pixels=1))
    ).fit(X, Y),
    "a density": lambda: DistilledClassifier(
        DummyClassifier(), augment=Sampler(Saying()), random_state=0
    ).fit(X, Y),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_what_others_say_ends_with_one_dot(name):
    with torch.random.fork_rng(), pytest.raises((TypeError, ValueError)) as refusal:
        SENTENCES[name]()
    assert not re.search(r"[^.]\.\.(?!\.)", str(refusal.value)), str(refusal.value)
    assert "\n" not in str(refusal.value)
