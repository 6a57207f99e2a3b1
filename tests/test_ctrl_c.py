"""Ctrl-C ends what was asked for: no part of something longer goes on with a training cut short."""

import ast
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

import skdistill
from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.evaluation import (
    bias_variance_decomposition,
    capacity_curve,
    compare,
    diagnose,
    distillation_report,
    label_budget_curve,
    leaderboard,
    learning_curves,
    robustness_curve,
    temperature_alpha_map,
)
from skdistill.exceptions import TrainingWarning
from skdistill.targets import teacher_targets
from skdistill.teachers import EnsembleTeacher, SelfTeacher

X, Y = make_classification(
    120, 6, n_informative=4, n_classes=2, n_clusters_per_class=1, random_state=0
)
X = StandardScaler().fit_transform(X).astype(np.float32)
TEST = X[80:], Y[80:]
X, Y = X[:80], Y[:80]
ALL = (X, Y, *TEST)


class Pressed(torch.nn.Linear):
    """Ctrl-C comes in one of its training steps, of all its instances together."""

    n_steps, at = 0, None

    def __init__(self, n_features=6, n_classes=2):
        super().__init__(n_features, n_classes)

    def forward(self, rows):
        Pressed.n_steps += self.training
        if self.training and Pressed.n_steps == Pressed.at:
            signal.raise_signal(signal.SIGINT)
        return super().forward(rows)


@pytest.fixture(autouse=True)
def not_pressed():
    Pressed.n_steps, Pressed.at = 0, None
    yield
    Pressed.at = None


NET = StudentNet(Pressed, max_epochs=3, batch_size=-1, train_split=None)
FOREIGN = NeuralNetClassifier(
    Pressed, max_epochs=3, batch_size=-1, train_split=None, verbose=0, criterion=torch.nn.NLLLoss
)
PLAIN = StudentNet(max_epochs=1, batch_size=-1, train_split=None)
NB = GaussianNB()
CURVE = {"train_sizes": [40], "cv": 2, "random_state": 0}


def model(teacher=NB, student=NET, **settings):
    settings = {"cv": 2, "random_state": 0, **settings}
    return DistilledClassifier(teacher, student, **settings)


FITTED = model().fit(X, Y)


def search(estimator, grid, **settings):
    return DistillationSearchCV(estimator, grid, cv=2, **settings).fit(X, Y)


WHOLE = {
    "report": lambda: distillation_report(model(), *ALL),
    "leaderboard": lambda: leaderboard(model(), *ALL, students={"net": NET}),
    "learning curves": lambda: learning_curves(model(), X, Y, **CURVE),
    "label budget": lambda: label_budget_curve(model(), X, Y, budgets=[0.5], cv=2, random_state=0),
    "map": lambda: temperature_alpha_map(model(), X, Y, temperatures=[2.0], alphas=[0.5], cv=2),
    "capacity": lambda: capacity_curve(
        model(), X, Y, param_name="student__lr", param_range=[0.1, 0.2], cv=2
    ),
    "decomposition": lambda: bias_variance_decomposition(model(), *ALL, n_rounds=3, random_state=0),
    "comparison": lambda: compare({"plain": NET}, *ALL, n_rounds=3, random_state=0),
    "diagnosis": lambda: diagnose(model(), *ALL),
    "plain student of a robustness curve": lambda: robustness_curve(
        FITTED, *TEST, X_train=X, y_train=Y, strengths=[0, 1], random_state=0
    ),
    "search": lambda: search(model(), {"alpha": [0.2, 0.8]}),
    "search of stacks": lambda: search(model(), {"alpha": [0.2, 0.5, 0.8]}),
    "search of whole fits": lambda: search(NET, {"lr": [0.1, 0.2]}, error_score=0.0),
    "halving": lambda: search(
        model(), {"alpha": [0.2, 0.5, 0.8]}, strategy="halving", factor=2, min_resources=1
    ),
    "choice of alpha": lambda: model(alpha="auto").fit(X, Y),
    "cross-fitting": lambda: model(NET, PLAIN).fit(X, Y),
    "a teacher in its own rows": lambda: model(NET, PLAIN, cv="in-sample").fit(X, Y),
    "cross-fitting a net of skorch": lambda: model(FOREIGN, PLAIN).fit(X, Y),
    "a net of skorch in a Pipeline": lambda: teacher_targets(
        make_pipeline(StandardScaler(), FOREIGN), X, Y, cv=2, random_state=0
    ),
    "an ensemble": lambda: EnsembleTeacher([NB, FOREIGN, NET], random_state=0).fit(X, Y),
    "an ensemble that learns its weights": lambda: EnsembleTeacher(
        [NB, NET], weights="oof", cv=2, random_state=0
    ).fit(X, Y),
    "generations": lambda: model(model(model(NB, NET), PLAIN), PLAIN).fit(X, Y),
    "the student among its teachers": lambda: model([NB, SelfTeacher()]).fit(X, Y),
    "a bag of students": lambda: model(
        student=BaggingClassifier(NET, n_estimators=2, random_state=0)
    ).fit(X, Y),
}
LAST_IS_DIRECT = {"choice of alpha", "the student among its teachers"}
"""Their last training is that of the student that was asked for."""


@pytest.mark.changes_global_rng  # the module is a class of its own
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("when", ["first", "last"])
@pytest.mark.parametrize("name", WHOLE)
def test_ctrl_c_in_a_late_epoch_ends_the_whole(name, when):
    call = WHOLE[name]
    Pressed.at = 2
    if when == "last":
        Pressed.at = None
        call()
        Pressed.at, Pressed.n_steps = Pressed.n_steps - 3 * (name in LAST_IS_DIRECT), 0
    with pytest.raises(KeyboardInterrupt):
        call()
    assert Pressed.n_steps == Pressed.at
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_a_direct_fit_keeps_the_student():
    Pressed.at = 2
    with pytest.warns(TrainingWarning, match="Interrupted in epoch 2"):
        fitted = model().fit(X, Y)
    assert len(fitted.history_) == 2


def test_a_handler_that_does_not_raise_goes_on_as_it_was():
    heard = []
    own = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        Pressed.at = 2
        diagnose(model(), *ALL)
        assert heard == [1]
    finally:
        signal.signal(signal.SIGINT, own)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fits_in_a_thread_leave_the_handler_alone():
    found = []
    thread = threading.Thread(target=lambda: found.append(model(PLAIN, PLAIN).fit(X, Y)))
    thread.start()
    thread.join()
    assert len(found) == 1


# The same by the code: every inner fit is one that Ctrl-C ends

DIRECT = {
    "deployment/_prune.py": "the one training that was asked for",
    "teachers/_fit.py": "what fit_teacher, a block of its own, calls",
    "training/_boosted_student.py": "trees, which Ctrl-C ends",
    "training/_boosting.py": "trees, which Ctrl-C ends",
    "students/_table.py": "scales and categories",
    "transfer/_neighbors.py": "an encoding",
    "evaluation/_robustness/_corruptions.py": "means of columns",
    "_cli/_fit.py": "the fit that was asked for",
    "_estimators/_quantiles.py": "the fit that was asked for; its teacher's in a block of its own",
    "_estimators/_ensemble_spread.py": "members of a fold, within the block of its fit",
    "_fitting/_fit_rows.py": "steps before the student",
    "_fitting/_same_rows.py": "steps before the student",
    "evaluation/_recipes.py": "a step before the student, on few rows",
    "evaluation/_teaching.py": "steps before the student",
}


def inner_fits(tree):
    """Lines that fit something outside a block of `whole_trainings`."""
    inside = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.With) and "whole_trainings()" in ast.unparse(block.items)
        for node in ast.walk(block)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("fit", "partial_fit", "fit_transform")
        and ast.unparse(node.func.value) not in ("self", "super()")
        and id(node) not in inside
    ]


def test_every_inner_fit_is_one_that_ctrl_c_ends():
    root = Path(skdistill.__file__).parent
    sources = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.py")}
    found = {
        path.relative_to(root).as_posix(): lines
        for path, source in sources.items()
        if "fit" in source and (lines := inner_fits(ast.parse(source)))
    }
    assert found.keys() == DIRECT.keys(), found
