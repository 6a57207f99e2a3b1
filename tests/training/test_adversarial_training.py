"""Losses of adversarial rows in training, as a loop by hand would do it."""

import copy

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import distillation_report
from skdistill.exceptions import StudentError
from skdistill.losses import ARD, RSLAD, AdversarialTraining
from skdistill.students import MLP, TabularMLP
from skdistill.transfer import Mixup

DIGITS = load_digits()
X, Y = DIGITS.data[:96] / 16, DIGITS.target[:96] % 3
X_MORE = DIGITS.data[96:128] / 16
RNG = np.random.default_rng(0)
WEIGHT = RNG.uniform(0.5, 1.5, size=len(X))
SOFT, SOFT_MORE = (RNG.dirichlet(np.ones(3), size=n) for n in (96, 32))
BALL = {"epsilon": 0.1, "n_steps": 3, "bounds": (0, 1)}

pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


class Net(nn.Sequential):
    """A hidden layer and batch norm; keeps the rows that it learns from."""

    def __init__(self, scale=1.0):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            super().__init__(
                nn.Linear(64, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Linear(12, 3)
            )  # fmt: skip
        self.scale = scale
        self.seen = []

    def forward(self, X):
        if self.training:
            self.seen.append(X.detach().clone())
        return self.scale * super().forward(X)


def own(module=None, **settings):
    bare = {"train_split": None, "callbacks__schedule": None}
    bare = {**bare, "callbacks__keep_best": None, "optimizer": torch.optim.SGD}
    settings = {"batch_size": 32, "max_epochs": 2, "lr": 0.1, "dtype": "float64", **settings}
    return StudentNet(module or Net(), **{**bare, **settings})


def distilled(loss, alpha=1.0, student=None, teacher=None, **settings):
    student = own() if student is None else student
    return DistilledClassifier(teacher, student, loss=loss, alpha=alpha, random_state=0, **settings)


def answers(X):
    """Answer for rows that `fit` has; fail for others, such as moved ones."""
    known = {row.tobytes(): p for row, p in zip([*X_ALL], [*SOFT_ALL], strict=True)}
    return np.array([known[row.tobytes()] for row in np.ascontiguousarray(X)])


X_ALL, SOFT_ALL = np.concatenate([X, X_MORE]), np.concatenate([SOFT, SOFT_MORE])


def kl(logits, log_p, temperature):
    log_p = log_softmax(log_p / temperature, dim=1)
    log_q = log_softmax(logits / temperature, dim=1)
    return temperature**2 * (log_p.exp() * (log_p - log_q)).sum(dim=1)


def loop(name, alpha, temperature, more):
    """Train by hand: the ascent, the terms and their weights written out."""
    raw = torch.tensor(X_ALL if more else X)
    labels = torch.tensor(np.append(Y, np.full(len(raw) - len(Y), -1)))
    log_p = torch.tensor(SOFT_ALL if more else SOFT).log()
    is_labelled = labels >= 0
    hard = torch.zeros(len(raw), dtype=torch.float64)
    hard[is_labelled] = torch.tensor(WEIGHT)
    soft = torch.where(is_labelled, hard / WEIGHT.mean(), 1.0)
    hard, soft = hard / hard.mean(), soft / soft.mean()
    climbed = torch.where(is_labelled, labels, log_p.argmax(dim=1))
    module = Net().double()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    seed = int(np.random.RandomState(0).randint(2**31 - 1, size=3)[2])
    order, starts = (torch.Generator().manual_seed(seed + (of << 32)) for of in (0, 2))
    for _ in range(2):
        for index in torch.randperm(len(raw), generator=order).split(32):
            rows = raw[index]

            def move(rows=rows, index=index):
                start = torch.rand(rows.shape, generator=starts, dtype=torch.float64)
                moved = (rows + 0.1 * (2 * start - 1)).clamp(0, 1)
                module.eval()
                for _ in range(3):
                    moved.requires_grad_()
                    if name == "rslad":
                        up = kl(module(moved), log_p[index], temperature).sum()
                    else:
                        up = cross_entropy(module(moved), climbed[index], reduction="sum")
                    slope = torch.autograd.grad(up, moved)[0].sign()
                    moved = moved.detach() + 0.025 * slope
                    moved = torch.min(torch.max(moved, rows - 0.1), rows + 0.1).clamp(0, 1)
                module.train()
                return moved

            if name == "training":
                near = far = module.train()(move())
            else:  # batch norm sees the clean rows first
                near = module.train()(rows)
                far = module(move())
            ce = cross_entropy(near, labels[index], reduction="none", ignore_index=-1)
            parts = [kl(z, log_p[index], temperature) for z in (near, far)]
            share = {"training": 0.0, "ard": 0.0, "rslad": 1 / 6}[name]
            taught = share * parts[0] + (1 - share) * parts[1]
            loss = (1 - alpha) * (hard[index] * ce).mean() + alpha * (soft[index] * taught).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return module.state_dict()


KINDS = {"training": AdversarialTraining, "ard": ARD, "rslad": RSLAD}


@pytest.mark.parametrize(
    ("name", "alpha", "temperature", "more"),
    [
        ("training", 0.0, 1.0, False),
        ("training", 0.6, 2.0, True),
        ("ard", 0.6, 2.0, True),
        ("ard", 1.0, 1.0, False),
        ("rslad", 0.6, 2.0, True),
        ("rslad", 1.0, 1.0, True),
    ],
)
def test_a_training_is_that_of_a_loop_by_hand(name, alpha, temperature, more):
    model = distilled(KINDS[name](**BALL), alpha, temperature=temperature)
    soft = {"soft_targets": SOFT} if not more and alpha else {}
    if more:
        model.set_params(teacher=answers)
        soft = {"X_unlabeled": X_MORE}
    model.fit(X, Y, sample_weight=WEIGHT, **soft)
    expected = loop(name, alpha, temperature, more)
    for key, values in model.student_.module_.state_dict().items():
        torch.testing.assert_close(values, expected[key], rtol=1e-9, atol=1e-11)


def moved_and_plain(loss, alpha, student, **given):
    """Return the rows of the last batch as a module learnt from them, with those as they are."""
    model = distilled(loss, alpha, student=student).fit(X, Y, **given)
    return model.student_.module_.seen[-1].numpy()


@pytest.mark.parametrize("scale", [1.0, 1e3])
def test_a_student_that_is_very_sure_is_attacked_all_the_same(scale):
    net = own(Net(scale), lr=1e-12, batch_size=-1, max_epochs=1, dtype="float32")
    net.set_params(iterator_train__shuffle=False)
    loss = AdversarialTraining(epsilon=0.1, n_steps=9, step=0.1)
    moved = moved_and_plain(loss, 0.0, net)
    at_the_edge = np.abs(np.abs(moved - X) - 0.1) < 1e-6
    assert at_the_edge.mean() > 0.99  # the cross-entropy's own gradient is 0 for most


@pytest.mark.parametrize("loss", [ARD(**BALL), RSLAD(**BALL), AdversarialTraining(**BALL)])
def test_moved_rows_stay_in_their_ball_and_bounds(loss):
    net = own(batch_size=-1, max_epochs=1, iterator_train__shuffle=False)
    moved = moved_and_plain(loss, 0.5, net, soft_targets=SOFT)
    assert 0.05 < np.abs(moved - X).max() <= 0.1 + 1e-12
    assert moved.min() >= 0 and moved.max() <= 1


@pytest.mark.parametrize("kind", [ARD, RSLAD])
def test_without_the_teacher_it_is_the_plain_student(kind):
    plain, other = (
        distilled(loss, alpha=0).fit(X, Y).student_.module_.state_dict()
        for loss in ("kd", kind(**BALL))
    )
    assert all(torch.equal(plain[key], other[key]) for key in plain)


def test_a_tree_as_teacher_views_and_members_go_with_it():
    tree = DecisionTreeClassifier(random_state=0)
    net = StudentNet(TabularMLP, module__n_members=2, module__hidden_units=(8,), max_epochs=2)
    images = X.reshape(-1, 8, 8)
    flat = StudentNet(nn.Sequential(nn.Flatten(), Net()), views="shift", max_epochs=2)
    for student, rows, alpha in ((net, X, 0.5), (flat, images, 0.0)):
        loss = ARD(**BALL) if alpha else AdversarialTraining(**BALL)
        model = distilled(loss, alpha, student=student, teacher=tree if alpha else None)
        assert model.fit(rows, Y).history_[-1]["train_loss"] > 0


def test_all_students_of_a_report_learn_the_rows_that_an_attack_moves():
    net = StudentNet(MLP, module__hidden_units=(8,), max_epochs=2, batch_size=32)
    tree = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, Y)
    loss = AdversarialTraining(weight=2.0, **BALL)
    model = DistilledClassifier(tree, net, loss=loss, random_state=0)
    report = distillation_report(model, X, Y, X_MORE, DIGITS.target[96:128] % 3)
    alone = clone(model).set_params(teacher=None, alpha=1, loss=AdversarialTraining(**BALL))
    targets = {
        "label smoothing": 0.9 * np.eye(3)[Y] + 0.1 / 3,
        "teacher's hard labels": np.eye(3)[tree.predict(X)],
    }
    for arm, soft in targets.items():
        expected = clone(alone).fit(X, Y, soft_targets=soft).predict_proba(X_MORE)
        np.testing.assert_allclose(report.probabilities[arm], expected, atol=1e-5, err_msg=arm)


def test_settings_are_parameters():
    model = clone(distilled(ARD(**BALL))).set_params(loss__epsilon=0.2)
    assert model.loss.epsilon == 0.2 and model.loss.bounds == (0, 1)


def fit(loss, alpha=0.5, student=None, rows=X, y=Y, teacher=None):
    teacher = DecisionTreeClassifier() if teacher is None and alpha else teacher
    return lambda: distilled(loss, alpha, copy.deepcopy(student), teacher).fit(rows, y)


def setting(name, value):
    return rf"'{name}' parameter of ARD must be .*Got {value} instead"


CODES = TabularMLP(3, n_classes=3, n_numeric=2, cardinalities=(4,))
REFUSED = {
    "epsilon 0": (ValueError, fit(ARD(epsilon=0)), setting("epsilon", 0)),
    "epsilon NaN": (ValueError, fit(ARD(epsilon=np.nan)), setting("epsilon", "nan")),
    "step below 0": (ValueError, fit(ARD(step=-1.0)), setting("step", "-1.0")),
    "no steps": (ValueError, fit(ARD(n_steps=0)), setting("n_steps", 0)),
    "bounds the wrong way round": (
        ValueError,
        fit(ARD(bounds=(1, 0))),
        r"'bounds' parameter of ARD must be None or \(low, high\).*Got \(1, 0\) instead",
    ),
    "bounds in words": (ValueError, fit(ARD(bounds="01")), "'bounds' parameter.*Got '01' instead"),
    "a bound": (ValueError, fit(ARD(bounds=1.0)), "'bounds' parameter.*Got 1.0 instead"),
    "rows out of bounds": (
        ValueError,
        fit(AdversarialTraining(bounds=(0, 1)), alpha=0, rows=16 * X),
        r"from 0 to 16.*bounds=\(0, 1\); expected rows within.*Scale them",
    ),
    "a tree as the student": (
        StudentError,
        fit(AdversarialTraining(), alpha=0, student=DecisionTreeClassifier()),
        "AdversarialTraining was given.*no StudentNet.*expected one.*StudentNet.module.",
    ),
    "a tree as the student, taught": (
        StudentError,
        fit(ARD(), student=DecisionTreeClassifier()),
        "cannot learn with loss=ARD.*Expected loss='kd', or a StudentNet",
    ),
    "another skorch net": (
        StudentError,
        fit(RSLAD(), student=NeuralNetClassifier(MLP)),
        "RSLAD was given with a student that is no StudentNet.*expected one",
    ),
    "sparse rows": (
        StudentError,
        fit(ARD(), student=StudentNet(), rows=sparse.csr_matrix(X)),
        "moves every number.*are sparse; expected dense",
    ),
    "categories": (
        StudentError,
        fit(ARD(), student=StudentNet(CODES), rows=np.abs(X[:, :3]).round()),
        "module TabularMLP reads codes of categories.*expected numbers alone",
    ),
    "two labels a row": (
        ValueError,
        fit(AdversarialTraining(), alpha=0, student=StudentNet(MLP, views=Mixup())),
        "reads the label of each row, and Mixup gives a row two; expected one.*Leave Mixup",
    ),
    "numbers": (
        ValueError,
        lambda: DistilledRegressor(student=StudentNet(), loss=ARD(), alpha=0).fit(X, Y),
        "'loss' parameter must be .*Got ARD",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
