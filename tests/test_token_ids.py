"""Ids that an embedding has no row for are named, before anything is asked or trained."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    MutualClassifier,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.exceptions import StudentError, TeacherError

IDS = np.random.default_rng(0).integers(10, size=(3000, 5))
Y = IDS[:, 0] % 2
LATE = np.where(np.arange(15000).reshape(3000, 5) == 14999, 11, IDS)  # in the last row alone
MANY, BELOW = IDS + 5, IDS - 1


class Tokens(nn.Module):
    def __init__(self, n_outputs):
        super().__init__()
        self.words, self.head = nn.Embedding(10, 4), nn.Linear(4, n_outputs)

    def forward(self, X):
        return self.head(self.words(X).mean(dim=1))


class Bag(Tokens):
    def __init__(self, n_outputs):
        super().__init__(n_outputs)
        self.words = nn.EmbeddingBag(10, 4)

    def forward(self, X):
        return self.head(self.words(input=X))


class Columns(Tokens):
    """An embedding for each of two columns, the second of which counts from one."""

    def __init__(self, n_outputs):
        super().__init__(n_outputs)
        self.second = nn.Embedding(10, 4)

    def forward(self, X):
        return self.head(self.words(X[:, 0]) + self.second(X[:, 1] - 1))


class Named(Tokens):
    def forward(self, ids, mask):
        return super().forward(ids) + mask[:, :1]


class NeverAsked:
    classes_ = np.arange(2)

    def predict_proba(self, X):
        pytest.fail("the teacher was asked before the student was checked")


def model(module=Tokens, **settings):
    return DistilledClassifier(NeverAsked(), StudentNet(module, max_epochs=1, **settings))


def of_skorch(module=Tokens):
    return NeuralNetClassifier(module, criterion=nn.CrossEntropyLoss, max_epochs=1, verbose=0)


def named(X):
    return {"ids": X, "mask": np.ones((len(X), 2), dtype=np.float32)}


LARGER = r"num_embeddings=10; expected ids from 0 to 9\. Make it with num_embeddings={} or"
ONE = r"module Tokens cannot read rows of shape \(5,\) and dtype int64: its embedding 'words' got "
ONE = f"{ONE}the ids \\[11\\], and has {LARGER.format(12)}"
REFUSED = {
    "in the last row": (StudentError, lambda: model().fit(LATE, Y), ONE),
    "many": (
        StudentError, lambda: model().fit(MANY, Y),
        r"the ids \[10, 11, 12, 13, 14\], and.*=15 or .*map others to the id of unknown tokens\.$",
    ),
    "more than are shown": (StudentError, lambda: model().fit(7 * IDS, Y), r"49\] and more, and"),
    "below zero": (
        StudentError, lambda: model().fit(BELOW, Y),
        r"the ids \[-1\], and has num_embeddings=10; expected.*0 to 9\. Map others to the id of",
    ),
    "in a bag": (StudentError, lambda: model(Bag).fit(LATE, Y), r"ids \[11\].*=12 or"),
    "of the second embedding": (
        StudentError, lambda: model(Columns).fit(IDS, Y),
        r"'second' got the ids \[-1\]",
    ),
    "by name": (
        StudentError, lambda: model(Named).fit(named(LATE), Y),
        r"dict of the inputs 'ids', rows of shape \(5,\).*'words' got the ids \[11\]",
    ),
    "without labels": (StudentError, lambda: model().fit(IDS, Y, X_unlabeled=LATE), ONE),
    "held back": (StudentError, lambda: model().fit(IDS, Y, X_val=LATE, y_val=Y), ONE),
    "of a skorch net": (
        StudentError, lambda: DistilledClassifier(NeverAsked(), of_skorch()).fit(LATE, Y), ONE,
    ),
    "of numbers": (
        StudentError,
        lambda: DistilledRegressor(Ridge(), StudentNetRegressor(Tokens)).fit(LATE, Y + 0.5),
        ONE,
    ),
    "of peers": (
        StudentError, lambda: MutualClassifier([StudentNet(Tokens)] * 2).fit(LATE, Y), ONE,
    ),
    "floats": (
        StudentError, lambda: model().fit(IDS + 0.5, Y),
        r"'words' got numbers of torch.float32; expected ids, whole numbers\. Pass X.astype\(int\)",
    ),
    "of a teacher": (
        TeacherError, lambda: DistilledClassifier(Tokens(2)).fit(LATE, Y),
        r"^Tokens cannot be asked about rows of.*'words' got the ids \[11\].*=12 or",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, refused):
    with torch.random.fork_rng():
        refused(*REFUSED[name])


@pytest.mark.parametrize("make", [lambda: StudentNet(Tokens, max_epochs=1), of_skorch])
def test_predict_names_them(make):
    fitted = DistilledClassifier(None, make(), random_state=0)
    fitted.fit(IDS[:60], Y[:60], soft_targets=np.full((60, 2), 0.5))
    before = fitted.predict_proba(IDS)
    with pytest.raises(StudentError, match=ONE):
        fitted.predict_proba(LATE)
    assert np.array_equal(fitted.predict_proba(IDS), before)
    hooks = [part._forward_pre_hooks for part in fitted.student_.module_.modules()]
    assert not any(hooks)


def test_partial_fit_names_them():
    with torch.random.fork_rng():
        student = StudentNet(Tokens, max_epochs=1).partial_fit(IDS, Y)
        with pytest.raises(StudentError, match=ONE):
            student.partial_fit(LATE, Y)
    assert student.predict(IDS).shape == Y.shape


def test_known_ids_are_learnt():
    for module, X in (
        (Tokens, IDS),
        (Bag, IDS),
        (Columns, np.maximum(IDS, 1)),
        (Named, named(IDS)),
    ):
        fitted = DistilledClassifier(None, StudentNet(module, max_epochs=1), random_state=0)
        fitted.fit(X, Y, soft_targets=np.full((3000, 2), 0.5))
        assert fitted.predict_proba(X).shape == (3000, 2)
