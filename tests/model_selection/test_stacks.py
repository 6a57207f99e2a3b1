"""Students that are trained in lock-step: those of GridSearchCV, which trains each alone."""

import re
from functools import partial

import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, EpochScoring, GradientNormClipping
from torch import nn, optim

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.losses import DIST, DKD, HuberLoss
from skdistill.students import MLP, SoftDecisionTree, TablePreprocessor, TabularMLP
from skdistill.teachers import SelfTeacher
from skdistill.training import HoldOut

TEACHER = GaussianNB()
SOFT = {"temperature": [1, 3], "alpha": [0.4, 1]}


def net(module=MLP, **settings):
    if module in (MLP, TabularMLP):
        settings = {"module__hidden_units": (8,)} | settings
    settings = {"max_epochs": 3, "batch_size": 24, "dtype": "float64", "lr": 0.01} | settings
    return StudentNet(module, **settings)


def model(student, teacher=TEACHER, **settings):
    settings = {"cv": 2, "random_state": 0, "device": "cpu"} | settings
    return DistilledClassifier(teacher, student, **settings)


def instance():
    with torch.random.fork_rng():
        return MLP(6, 3, hidden_units=(4,), dropout=0.1)


class WithNorm(nn.Module):
    """A module with batch norm, and a layer that does not learn."""

    def __init__(self, n_features, n_classes):
        super().__init__()
        self.first = nn.Linear(n_features, 8)
        self.norm = nn.BatchNorm1d(8)
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.last = nn.Linear(8, n_classes)

    def forward(self, X):
        return self.last(self.frozen(self.norm(self.first(X)).relu()).relu())


class Scaled(nn.Module):
    """A module with a setting that its repr does not show."""

    def __init__(self, n_features, n_classes, factor=1.0):
        super().__init__()
        self.layer = nn.Linear(n_features, n_classes)
        self.factor = factor

    def forward(self, X):
        return self.factor * self.layer(X)


TABLE = make_pipeline(TablePreprocessor(), net(TabularMLP, module__dropout=0.2))
NET = "student__"
OPTIMISERS = (
    optim.Adam,
    optim.Adagrad,
    optim.Adamax,
    optim.RMSprop,
    optim.NAdam,
    optim.RAdam,
)

TOGETHER = {
    "temperatures and alphas": lambda: (model(net()), SOFT),
    "no teacher's term": lambda: (model(net()), {"alpha": [0, 0.0], "student__lr": [0.01, 0.02]}),
    "rates, decays, lengths": lambda: (
        model(net()),
        [
            {NET + "lr": [0.01, 0.03], NET + "optimizer__weight_decay": [0.0, 0.1]},
            {NET + "max_epochs": [1, 5, 3]},
        ],
    ),
    "seeds": lambda: (model(net(module__dropout=0.3)), {"random_state": [0, 1, 2, 3]}),
    "one seed, and dropout": lambda: (model(net(module__dropout=0.3)), SOFT),
    "one seed, dropout, and lengths": lambda: (
        model(net(module__dropout=0.3)),
        {NET + "max_epochs": [1, 2, 4]},
    ),
    "numbers embedded": lambda: (model(TABLE), SOFT),
    "a soft tree": lambda: (model(net(SoftDecisionTree, module__depth=2)), SOFT),
    "members": lambda: (model(net(TabularMLP, module__n_members=2)), SOFT),
    "a linear model": lambda: (model(net(module__hidden_units=())), SOFT),
    "an instance": lambda: (model(net(instance())), SOFT),
    "batch norm and a frozen layer": lambda: (model(net(WithNorm)), SOFT),
    "an early end": lambda: (
        model(net(callbacks=[EarlyStopping(patience=1, threshold=0.02)], max_epochs=8)),
        {NET + "lr": [0.001, 0.01, 0.1, 0.5]},
    ),
    "the last epoch, uncalibrated": lambda: (
        model(net(callbacks__keep_best=None, callbacks__calibrate=None, callbacks__schedule=None)),
        SOFT,
    ),
    "no rows held back": lambda: (model(net(train_split=None)), SOFT),
    "groups of another size": lambda: (
        model(net(train_split=HoldOut(0.3), batch_size=-1)),
        SOFT,
    ),
    "a last batch left out": lambda: (model(net(iterator_train__drop_last=True)), SOFT),
    "a loss over classes": lambda: (model(net(), loss=DKD(warmup_epochs=3)), SOFT),
    "a loss over batches": lambda: (model(net(), loss=DIST()), SOFT),
    "a step before": lambda: (make_pipeline(StandardScaler(), model(net())), None),
    "a calibrated list of teachers": lambda: (
        model(net(), [TEACHER, TEACHER], calibrate=True),
        SOFT,
    ),
    "rows that are made": lambda: (model(net(), augment="gaussian_noise"), SOFT),
    "the student as its teacher": lambda: (model(net(), SelfTeacher()), SOFT),
    "numbers": lambda: (
        DistilledRegressor(
            Ridge(),
            StudentNetRegressor(
                MLP, module__hidden_units=(8,), max_epochs=3, dtype="float64", batch_size=16
            ),
            loss=HuberLoss(),
            random_state=0,
            device="cpu",
        ),
        [{"alpha": [0.2, 0.6, 1]}, {"alpha": [0, 0.0], "loss": [HuberLoss(), HuberLoss(0.1)]}],
    ),
    **{
        f"steps of {kind.__name__}": partial(
            lambda kind: (model(net(optimizer=kind)), {NET + "lr": [0.01, 0.02, 0.02, 0.03]}), kind
        )
        for kind in OPTIMISERS
    },
    "steps with momentum": lambda: (
        model(net(optimizer=optim.SGD, optimizer__momentum=0.9)),
        {NET + "max_epochs": [1, 3], NET + "lr": [0.01, 0.1]},
    ),
}


SLOW = {f"steps of {kind.__name__}" for kind in OPTIMISERS[1:]} | {
    "the student as its teacher",
    "rows that are made",
    "rates, decays, lengths",
    "no rows held back",
    "seeds",
    "a calibrated list of teachers",
    "a chosen alpha",
    "rates by layer",
    "a callback of gradients",
    "a last batch left out",
    "a loss over classes",
    "an early end",
    "an instance",
    "groups of another size",
    "no teacher's term",
    "one seed, dropout, and lengths",
    "steps with momentum",
    "the last epoch, uncalibrated",
}


def with_slow_ones(cases):
    return [pytest.param(case, marks=[pytest.mark.slow] * (case in SLOW)) for case in cases]


@pytest.mark.parametrize("case", with_slow_ones(TOGETHER))
def test_the_students_of_a_stack(case, search_both):
    estimator, grid = TOGETHER[case]()
    if grid is None:
        grid = {f"distilledclassifier__{name}": values for name, values in SOFT.items()}
    search = search_both(estimator, grid, atol=1e-7 if "norm" in case else 1e-9)
    assert search.trained_alone_ == [None] * len(search.trained_alone_)


class OwnNet(StudentNet):
    """A net of the user's."""


def absolute(student_logits, teacher_logits, labels, weight):
    return (weight * (student_logits - teacher_logits).abs().mean(1)).mean()


class Branching(Scaled):
    """A module that looks at its rows."""

    def forward(self, X):
        return super().forward(X) if X.sum() > 0 else super().forward(2 * X)


ALONE = {
    "a tree": (
        lambda: model(DecisionTreeClassifier(max_depth=3, random_state=0)),
        "trains by itself",
    ),
    "a skorch net": (
        lambda: model(
            NeuralNetClassifier(
                Scaled, module__n_features=6, module__n_classes=3, max_epochs=2, verbose=0
            )
        ),
        "trains by itself",
    ),
    "a subclass": (lambda: model(OwnNet(MLP, max_epochs=2, dtype="float64")), "your own class"),
    "a callback of scores": (
        lambda: model(net(callbacks=[EpochScoring("accuracy")])),
        "EpochScoring",
    ),
    "a callback of gradients": (
        lambda: model(net(callbacks=[GradientNormClipping(1.0)])),
        "GradientNormClipping",
    ),
    "a function as the loss": (lambda: model(net(), loss=absolute), "of your own making"),
    "an optimiser over all weights": (
        lambda: model(net(optimizer=optim.ASGD)),
        "the optimiser ASGD",
    ),
    "a chosen alpha": (
        lambda: model(net(max_epochs=1), alpha="auto"),
        "alpha='auto' trains several students",
    ),
    "batches of torch": (
        lambda: model(net(iterator_train=torch.utils.data.DataLoader)),
        "iterator or data set",
    ),
    "rates by layer": (
        lambda: model(net(optimizer__param_groups=[("0*", {"lr": 0.1})])),
        "several parameter groups",
    ),
    "dropout of torch": (
        lambda: model(net(nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.5)))),
        "torch.func cannot run Sequential.*random",
    ),
    "a module that looks": (lambda: model(net(Branching)), "torch.func cannot run Branching"),
}


@pytest.mark.parametrize("case", with_slow_ones(ALONE))
@pytest.mark.slow_except(
    "a tree", "a skorch net", "a function as the loss", "dropout of torch", "a module that looks"
)
def test_what_is_trained_alone(case, search_both):
    make, reason = ALONE[case]
    with torch.random.fork_rng():
        estimator = make()
        values = {"temperature": [1, 2, 3]} if estimator.alpha == "auto" else {"alpha": [0.2, 0.9]}
        search = search_both(estimator, values)
    assert all(re.search(reason, alone, re.DOTALL) for alone in search.trained_alone_)


def test_candidates_of_several_shapes(search_both):
    grid = {NET + "module__hidden_units": [(4,), (5, 5)], "alpha": [0.2, 0.8]}
    assert search_both(model(net()), grid).trained_alone_ == [None] * 4


def test_settings_that_no_repr_shows_are_another_shape(search_both):
    search = search_both(model(net(Scaled)), {NET + "module__factor": [1.0, 2.0]})
    assert search.trained_alone_ == ["fewer than 3 are of its shape"] * 2
