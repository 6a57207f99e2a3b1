"""The share of each term in the loss, whatever is held back: the formula of the user guide."""

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.dataset import Dataset, ValidSplit

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.students import MLP
from skdistill.training import HoldOut

X, Y = make_classification(200, 6, n_informative=4, n_classes=3, random_state=0)
X = X.astype(np.float32)
MORE = np.random.default_rng(0).normal(size=(2000, 6)).astype(np.float32)
WEIGHT = np.random.default_rng(1).exponential(size=200)
TEACHER = LogisticRegression().fit(X, Y)
N_X, N_Y = make_regression(200, 6, noise=5.0, random_state=0)
N_X = N_X.astype(np.float32)
SPLITS = {"held back": HoldOut(), "half": HoldOut(size=0.5), "none": None}
STILL = {"max_epochs": 1, "lr": 1e-30, "batch_size": -1}  # the loss of the first weights
ALPHA, TEMPERATURE = 0.3, 2.0


class Repeat:
    """Generates the rows of MORE, whatever it is given."""

    def rows(self, X, *, random_state=None):
        return MORE


def kept_rows(split, y):
    if split is None:
        return np.arange(len(y))
    return np.asarray(split(list(y), y)[0].indices)


def expected_loss(model, kept, *, more, weight):
    """Return what the guide promises, in float64 by numpy."""
    rows = np.concatenate([X[kept], MORE]) if more else X[kept]
    weight = np.ones(len(Y)) if weight is None else weight
    w = weight[kept] / weight.mean()
    with torch.no_grad():
        net = getattr(model.student_, "net_", model.student_)
        logits = net.module_(torch.from_numpy(rows)).double().numpy()
    nll = -log_softmax(logits[: len(kept)], axis=1)[np.arange(len(kept)), Y[kept]]
    p = softmax(TEACHER.predict_log_proba(rows) / TEMPERATURE, axis=1)
    soft = (p * (np.log(p) - log_softmax(logits / TEMPERATURE, axis=1))).sum(axis=1)
    soft *= TEMPERATURE**2
    # Of rows that a fitted teacher may know by heart it is not heard, where others are generated.
    told = w * (more != "augment")
    v = np.append(told, np.ones(len(MORE))) if more else w
    return (1 - ALPHA) * (w * nll).sum() / w.sum() + ALPHA * (v * soft).sum() / v.sum()


def own(split):
    off = {"callbacks__keep_best": None, "callbacks__calibrate": None}
    return StudentNet(MLP, train_split=split, **off, **STILL)


def foreign(split):
    return NeuralNetClassifier(
        MLP, train_split=split, verbose=0, iterator_valid__batch_size=64, **STILL
    )


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.DistillationWarning")
@pytest.mark.parametrize("make_student", [own, foreign], ids=["own", "foreign"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("more", [None, "X_unlabeled", "augment"])
@pytest.mark.parametrize("split", SPLITS)
def test_each_term_has_the_share_that_alpha_says(make_student, split, more, weight):
    augment = Repeat() if more == "augment" else None
    given = {"X_unlabeled": MORE} if more == "X_unlabeled" else {}
    model = DistilledClassifier(
        TEACHER,
        make_student(SPLITS[split]),
        alpha=ALPHA,
        temperature=TEMPERATURE,
        augment=augment,
        random_state=0,
    ).fit(X, Y, sample_weight=weight, **given)
    kept = kept_rows(SPLITS[split], Y)
    expected = expected_loss(model, kept, more=more, weight=weight)
    assert model.history_[0]["train_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_loss_of_held_back_rows_is_their_weighted_log_loss(weight):
    model = DistilledClassifier(TEACHER, own(HoldOut()), alpha=ALPHA, random_state=0)
    model.fit(X, Y, sample_weight=weight, X_unlabeled=MORE)
    held = np.setdiff1d(np.arange(200), kept_rows(HoldOut(), Y))
    logs = np.log(model.predict_proba(X[held]))
    expected = np.average(
        -logs[np.arange(len(held)), Y[held]], weights=None if weight is None else weight[held]
    )
    assert model.history_[0]["valid_loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("foreign_net", [False, True])
@pytest.mark.parametrize("more", [False, True])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_shares_of_a_regressor(foreign_net, more, weight):
    teacher = LinearRegression().fit(N_X, N_Y + 5)
    split = HoldOut(size=0.5)
    student = StudentNetRegressor(MLP, train_split=split, callbacks__keep_best=None, **STILL)
    if foreign_net:
        student = NeuralNetRegressor(MLP, train_split=split, verbose=0, **STILL)
    model = DistilledRegressor(teacher, student, alpha=ALPHA, random_state=0)
    model.fit(N_X, N_Y, sample_weight=weight, X_unlabeled=MORE if more else None)
    weight = np.ones(200) if weight is None else weight
    kept = kept_rows(split, N_Y)
    rows = np.concatenate([N_X[kept], MORE]) if more else N_X[kept]
    scale = np.sqrt(np.average((N_Y - np.average(N_Y, weights=weight)) ** 2, weights=weight))
    said = model.predict(rows)
    w = weight[kept] / weight.mean()
    v = np.append(w, np.ones(len(MORE))) if more else w
    hard = np.average(((said[: len(kept)] - N_Y[kept]) / scale) ** 2, weights=w)
    soft = np.average(((said - teacher.predict(rows)) / scale) ** 2, weights=v)
    expected = (1 - ALPHA) * hard + ALPHA * soft
    assert model.history_[0]["train_loss"] == pytest.approx(expected, rel=1e-4)


def test_a_split_of_skorch_counts_like_ours():
    split = ValidSplit(0.5, stratified=True, random_state=0)
    model = DistilledClassifier(
        TEACHER, own(split), alpha=ALPHA, temperature=TEMPERATURE, random_state=0
    ).fit(X, Y, X_unlabeled=MORE)
    kept = np.asarray(split(Dataset(X), Y)[0].indices)
    expected = expected_loss(model, kept, more="X_unlabeled", weight=None)
    assert model.history_[0]["train_loss"] == pytest.approx(expected, rel=1e-4)
