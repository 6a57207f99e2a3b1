"""Training that ends early leaves a student that can be used, and says so where nobody asked."""

import signal

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TrainingWarning
from skdistill.students import MLP

N = 120
X, Y = make_classification(
    N, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
X = StandardScaler().fit_transform(X).astype(np.float32)
TEACHER = GaussianNB().fit(X, Y)
BATCHES = 3  # in an epoch, with and without rows held back


class Faulty(MLP):
    """Has a fault in its n-th training step, counted from one, and NaN in all that follow."""

    def __init__(self, n_features, n_classes, step=None, fault="nan"):
        super().__init__(n_features, n_classes, hidden_units=(8,))
        self.step = step
        self.fault = fault
        self.n_steps = 0

    def forward(self, rows):
        logits = super().forward(rows)
        if not self.training or self.step is None:
            return logits
        self.n_steps += 1
        if self.n_steps == self.step and self.fault == "raised":
            raise KeyboardInterrupt
        if self.n_steps == self.step and self.fault == "signalled":
            signal.raise_signal(signal.SIGINT)
        if self.n_steps == self.step + 1 and self.fault == "nan, then signalled":
            signal.raise_signal(signal.SIGINT)
        return logits * torch.nan if self.n_steps >= self.step else logits


class Record(Callback):
    """Keep the weights of every epoch."""

    def initialize(self):
        self.weights = []
        return self

    def on_epoch_end(self, net, **kwargs):
        self.weights.append({n: v.clone() for n, v in net.module_.state_dict().items()})


class PressCtrlC(Callback):
    """Do as a person who presses Ctrl-C while a callback runs."""

    def on_batch_end(self, net, **kwargs):
        if len(net.history) == 2:
            signal.raise_signal(signal.SIGINT)


def own(**settings):
    """A StudentNet at a constant rate, whose last epoch counts."""
    plain = {"train_split": None, "callbacks__schedule": None, "callbacks__keep_best": None}
    settings = {"max_epochs": 4, "lr": 0.02, "batch_size": N // BATCHES, **plain, **settings}
    return StudentNet(Faulty, **settings)


def foreign(**settings):
    settings = {"max_epochs": 4, "lr": 0.2, "batch_size": N // BATCHES, **settings}
    settings = {"train_split": None, "iterator_train__shuffle": True, "verbose": 0, **settings}
    return NeuralNetClassifier(Faulty, **settings)


def after(n_epochs, make_student):
    """Return a student of n epochs; of none, one whose weights stay as they were drawn."""
    return make_student(max_epochs=n_epochs) if n_epochs else make_student(max_epochs=1, lr=1e-30)


def distil(student):
    return DistilledClassifier(TEACHER, student, random_state=0).fit(X, Y)


def distil_faulty(make_student, step, fault="nan", message=None, **settings):
    student = make_student(module__step=step, module__fault=fault, **settings)
    with pytest.warns(TrainingWarning, match=message):
        return distil(student)


def trained_net(model):
    return getattr(model.student_, "net_", model.student_)


STUDENTS = pytest.mark.parametrize("make_student", [own, foreign])

# A loss that is no number


@STUDENTS
@pytest.mark.parametrize("in_epoch", [1, BATCHES], ids=["first batch", "last batch"])
@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_the_last_finite_weights_are_kept(make_student, epoch, in_epoch):
    message = rf"NaN or infinite in epoch {epoch}; the weights of epoch {epoch - 1} are kept. Lower"
    model = distil_faulty(make_student, (epoch - 1) * BATCHES + in_epoch, message=message)
    shorter = distil(after(epoch - 1, make_student))
    np.testing.assert_array_equal(model.predict_proba(X), shorter.predict_proba(X))
    assert np.isfinite(model.predict_proba(X)).all()
    assert len(model.history_) == epoch


@STUDENTS
def test_a_rate_that_is_far_too_high(make_student):
    student = make_student(optimizer=torch.optim.SGD, lr=1e30)
    with pytest.warns(TrainingWarning, match="in epoch 1; .*Lower the learning rate"):
        model = distil(student)
    assert np.isfinite(model.predict_proba(X)).all()


@STUDENTS
def test_weights_that_overflow_while_the_loss_is_finite(make_student):
    student = make_student(
        optimizer=torch.optim.SGD, lr=1e38, batch_size=N, optimizer__weight_decay=1e10
    )
    with pytest.warns(TrainingWarning, match="a weight became NaN or infinite in epoch 1"):
        model = distil(student)
    assert np.isfinite(model.history_[0]["train_loss"])
    assert np.isfinite(model.predict_proba(X)).all()


def test_running_statistics_that_are_no_numbers_are_put_back_too():
    class Normed(nn.Sequential):
        def __init__(self, n_features, n_classes):
            super().__init__(nn.BatchNorm1d(n_features), nn.Linear(n_features, n_classes))

        def forward(self, rows):
            return super().forward(rows * torch.nan if self.training else rows)

    with pytest.warns(TrainingWarning, match="in epoch 1"):
        model = distil(StudentNet(Normed, max_epochs=2, batch_size=32))
    assert np.isfinite(model.predict_proba(X)).all()


# Ctrl-C


@STUDENTS
@pytest.mark.parametrize("fault", ["raised", "signalled"])
@pytest.mark.parametrize("step", [BATCHES + 1, BATCHES + 2, 2 * BATCHES + 2])
def test_ctrl_c_leaves_a_usable_student(make_student, step, fault):
    epoch = 1 + (step - 1) // BATCHES
    message = f"Interrupted in epoch {epoch}; the student keeps what it has learnt so far"
    model = distil_faulty(make_student, step, fault, message)
    proba = model.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert set(model.predict(X)) <= set(Y)
    net = trained_net(model)
    assert not any(part.training for part in net.module_.modules())
    assert all(p.grad is None for p in net.module_.parameters())
    before = distil(after(epoch - 1, make_student)).predict_proba(X)
    assert np.array_equal(proba, before) == (step == BATCHES + 1)


@STUDENTS
@pytest.mark.parametrize("fault", ["raised", "signalled"])
@pytest.mark.parametrize("step", [1, BATCHES])
def test_ctrl_c_in_the_first_epoch_ends_the_fit_and_leaves_the_one_before(
    make_student, step, fault
):
    model = distil(make_student())
    before = model.predict_proba(X)
    model.set_params(student__module__step=step, student__module__fault=fault)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), before)
    with pytest.raises(KeyboardInterrupt):
        clone(model).fit(X, Y)


def test_a_student_that_was_interrupted_can_be_fitted_again():
    model = distil_faulty(own, BATCHES + 2, "raised", "Interrupted in epoch 2")
    model.set_params(student__module__step=None).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), distil(own()).predict_proba(X))


@STUDENTS
def test_ctrl_c_while_a_callback_runs_warns(make_student):
    with pytest.warns(TrainingWarning, match="Interrupted in epoch 2"):
        distil(make_student(callbacks=[PressCtrlC()]))


# The best epoch


@pytest.mark.parametrize("fault", ["nan", "raised", "signalled"])
def test_the_best_epoch_is_restored_after(fault):
    student = StudentNet(
        Faulty,
        max_epochs=8,
        lr=0.5,
        callbacks__calibrate=None,
        optimizer__weight_decay=0.0,
        batch_size=N // BATCHES,
        callbacks=[("record", Record())],
        module__step=5 * BATCHES + 2,
        module__fault=fault,
    )
    with pytest.warns(TrainingWarning, match="in epoch 6"):
        model = distil(student)
    best = int(np.argmin([epoch["valid_loss"] for epoch in model.history_[:5]]))
    weights = dict(model.student_.callbacks_)["record"].weights[best]
    assert best < 4
    for name, values in model.student_.module_.state_dict().items():
        torch.testing.assert_close(values, weights[name], rtol=0, atol=0)


# An end that a callback asks for


@STUDENTS
@pytest.mark.parametrize("load_best", [False, True])
def test_early_stopping_ends_without_a_warning(make_student, load_best):
    stop = EarlyStopping("train_loss", patience=2, threshold=10.0, load_best=load_best)
    model = distil(make_student(max_epochs=20, callbacks=[stop]))
    assert len(model.history_) == 3
    assert np.isfinite(model.predict_proba(X)).all()


# Two things at once


@STUDENTS
@pytest.mark.parametrize("cause", ["early stopping", "Ctrl-C"])
def test_finite_weights_are_kept_whatever_ends_the_training(make_student, cause):
    step = BATCHES + 1
    if cause == "Ctrl-C":
        model = distil_faulty(make_student, step, "nan, then signalled")
    else:
        stop = EarlyStopping("train_loss", patience=1)
        model = distil_faulty(make_student, step, "nan", callbacks=[stop])
    assert np.isfinite(model.predict_proba(X)).all()


@STUDENTS
@pytest.mark.parametrize("settings", [{"callbacks": "disable"}, {"callbacks__train_loss": None}])
def test_nets_without_skorchs_own_callbacks_are_guarded_too(make_student, settings):
    model = distil_faulty(make_student, BATCHES + 1, message="in epoch 2", **settings)
    assert np.isfinite(model.predict_proba(X)).all()


# The teacher


class Interrupted(GaussianNB):
    """A teacher at whose third fit somebody presses Ctrl-C."""

    n_fits = 0

    def fit(self, X, y):
        Interrupted.n_fits += 1
        if Interrupted.n_fits == 3:
            signal.raise_signal(signal.SIGINT)
        return super().fit(X, y)


@pytest.mark.parametrize(("cv", "n_fits"), [(5, 0), (2, 0), ("in-sample", 2)])
def test_ctrl_c_while_the_teacher_is_fitted_ends_the_fit(cv, n_fits, monkeypatch):
    monkeypatch.setattr(Interrupted, "n_fits", n_fits)
    model = DistilledClassifier(Interrupted(), own(), cv=cv, random_state=0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y)
    assert Interrupted.n_fits == 3
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.fit(X, Y).predict(X)
