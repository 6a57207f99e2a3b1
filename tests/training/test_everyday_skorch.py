"""What a skorch user does with a net every day, done with a student."""

import contextlib
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import BatchScoring, EarlyStopping, EpochScoring, ProgressBar
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.exceptions import StudentError
from skdistill.students import MLP

X, Y = make_classification(300, 8, n_informative=4, random_state=0)
X = X.astype(np.float32)
TEACHER = LogisticRegression().fit(X, Y)
X_VAL, Y_VAL = X[200:], Y[200:]
X_FIT, Y_FIT = X[:200], Y[:200]
N_ROWS, N_TARGETS = make_regression(200, 5, noise=10.0, random_state=0)
AS_IT_ENDS = {"callbacks__keep_best": None, "callbacks__calibrate": None}
PLAIN = {"callbacks__schedule": None, "callbacks__keep_best": None, "train_split": None}


@pytest.fixture(autouse=True)
def own_generator():
    """Nets on their own draw from torch's generator: seed it, and put it back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def net(cls=StudentNet, **settings):
    settings = {
        "module__hidden_units": (8,),
        "max_epochs": 2,
        "batch_size": 32,
        "lr": 0.05,
    } | settings
    return cls(MLP, **settings)


def weights_of(model):
    model = getattr(model, "student_", model)
    module = getattr(model, "net_", model).module_
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def distil(student, **given):
    return DistilledClassifier(TEACHER, student, random_state=0).fit(X_FIT, Y_FIT, **given)


# Training goes on


def stateless(cls=StudentNet, **settings):
    """One step an epoch, without a memory of the steps before: n fits of an epoch are n epochs."""
    settings = {"optimizer": torch.optim.SGD, "batch_size": -1, **PLAIN, **settings}
    return net(cls, **settings)


def test_partial_fit_goes_on_from_the_weights_that_are_there():
    torch.manual_seed(1)
    whole = stateless(max_epochs=3).fit(X, Y)
    torch.manual_seed(1)
    parts = stateless(max_epochs=1)
    for _ in range(3):
        parts.partial_fit(X, Y)
    assert torch.equal(weights_of(parts), weights_of(whole))
    assert [len(m.history_) for m in (whole, parts)] == [3, 3]


def test_partial_fit_of_a_regressor_keeps_the_unit():
    torch.manual_seed(1)
    whole = stateless(StudentNetRegressor, max_epochs=3).fit(N_ROWS, N_TARGETS)
    torch.manual_seed(1)
    parts = stateless(StudentNetRegressor, max_epochs=1)
    for _ in range(3):
        parts.partial_fit(N_ROWS, N_TARGETS)
    assert torch.equal(weights_of(parts), weights_of(whole))
    unit = parts.target_mean_, parts.target_scale_
    parts.partial_fit(N_ROWS, 100 * N_TARGETS)
    assert unit == (parts.target_mean_, parts.target_scale_)


@pytest.mark.parametrize("cls", [StudentNet, StudentNetRegressor])
def test_warm_start(cls):
    rows, targets = (X, Y) if cls is StudentNet else (N_ROWS, N_TARGETS)
    torch.manual_seed(1)
    whole = stateless(cls, max_epochs=2).fit(rows, targets)
    torch.manual_seed(1)
    warm = stateless(cls, max_epochs=1, warm_start=True).fit(rows, targets)
    assert not torch.equal(weights_of(warm), weights_of(whole))
    warm.fit(rows, targets)
    assert torch.equal(weights_of(warm), weights_of(whole))
    anew = clone(warm)
    torch.manual_seed(1)
    anew.fit(rows, targets)
    assert not torch.equal(weights_of(anew), weights_of(warm))


def test_labels_of_a_first_partial_fit_may_come_later():
    model = net().partial_fit(X[Y == 1], Y[Y == 1], classes=[0, 1])
    before = log_loss(Y, model.predict_proba(X))
    assert log_loss(Y, model.partial_fit(X, Y).predict_proba(X)) < before


def test_a_student_is_fine_tuned_on_further_labels():
    student = make_pipeline(StandardScaler(), net(max_epochs=3))
    model = DistilledClassifier(TEACHER, student, alpha=1.0, random_state=0).fit(X_FIT, Y_FIT)
    taught = model.predict_proba(X_VAL)
    flipped = 1 - Y_FIT
    rows = model.student_[:-1].transform(X_FIT)
    for _ in range(6):
        model.student_[-1].partial_fit(rows, flipped)
    tuned = model.predict_proba(X_VAL)
    assert log_loss(Y_VAL, taught) < log_loss(1 - Y_VAL, taught)
    assert log_loss(1 - Y_VAL, tuned) < log_loss(Y_VAL, tuned)


# Callbacks that score


@pytest.mark.parametrize("own", [True, False], ids=["StudentNet", "skorch"])
@pytest.mark.parametrize("scoring", ["accuracy", "roc_auc"])
def test_epoch_scoring(own, scoring):
    callback = EpochScoring(scoring, lower_is_better=False, name="score")
    if own:
        student = net(callbacks=[callback], callbacks__keep_best=None)
    else:
        student = NeuralNetClassifier(
            MLP, module__hidden_units=(8,), max_epochs=2, lr=0.05, verbose=0, callbacks=[callback]
        )
    held = distil(student, X_val=X_VAL, y_val=Y_VAL)
    proba = held.predict_proba(X_VAL)[:, 1]
    score = accuracy_score(Y_VAL, proba > 0.5) if scoring == "accuracy" else None
    score = roc_auc_score(Y_VAL, proba) if score is None else score
    assert held.history_[-1]["score"] == pytest.approx(score)
    assert "score_best" in held.history_[-1]


def test_epoch_scoring_of_the_training():
    # With one step an epoch, what an epoch predicts is what the epochs before have learnt.
    callback = EpochScoring("accuracy", lower_is_better=False, name="score", on_train=True)
    scored = distil(stateless(callbacks=[callback], max_epochs=4))
    before = distil(stateless(max_epochs=3))
    assert scored.history_[-1]["score"] == before.score(X_FIT, Y_FIT)


@pytest.mark.parametrize("batch_size", ["auto", 32])
def test_a_progress_bar_counts_batches(batch_size, capsys):
    bar = ProgressBar(detect_notebook=False)
    distil(net(callbacks=[bar], max_epochs=3, batch_size=batch_size))
    n_batches = 1 + (20 if batch_size == "auto" else 5)  # the rows held back are one
    assert f"/{n_batches} [" in capsys.readouterr().err
    assert bar.batches_per_epoch == "auto"


def test_labels_that_are_strings_are_scored():
    names = np.array(["no", "yes"])
    callback = EpochScoring("accuracy", lower_is_better=False, name="score")
    student = net(callbacks=[callback], callbacks__keep_best=None)
    student.fit(X_FIT, names[Y_FIT], X_val=X_VAL, y_val=names[Y_VAL])
    assert student.history_[-1]["score"] == student.score(X_VAL, names[Y_VAL])


def test_batch_scoring():
    callback = BatchScoring("accuracy", lower_is_better=False, name="score")
    student = net(callbacks=[callback], callbacks__keep_best=None, iterator_valid__batch_size=7)
    held = distil(student, X_val=X_VAL, y_val=Y_VAL)
    assert held.history_[-1]["score"] == pytest.approx(held.score(X_VAL, Y_VAL))


def test_epoch_scoring_of_a_regressor_is_in_the_users_unit():
    callback = EpochScoring("r2", lower_is_better=False, name="score")
    mae = EpochScoring("neg_mean_absolute_error", lower_is_better=False, name="mae")
    student = net(StudentNetRegressor, callbacks=[callback, mae], callbacks__keep_best=None)
    teacher = LinearRegression().fit(N_ROWS, N_TARGETS)
    model = DistilledRegressor(teacher, student, random_state=0)
    model.fit(N_ROWS[:150], N_TARGETS[:150], X_val=N_ROWS[150:], y_val=N_TARGETS[150:])
    predicted = model.predict(N_ROWS[150:])
    assert model.history_[-1]["score"] == pytest.approx(r2_score(N_TARGETS[150:], predicted))
    error = np.abs(predicted - N_TARGETS[150:]).mean()
    assert model.history_[-1]["mae"] == pytest.approx(-error)


def test_early_stopping_has_held_back_rows_also_below_100():
    stop = EarlyStopping(patience=2, threshold=10.0)
    student = net(max_epochs=20, callbacks=[stop])
    model = DistilledClassifier(TEACHER, student, random_state=0).fit(X[:60], Y[:60])
    assert len(model.history_) == 3 and "valid_loss" in model.history_[0]
    with pytest.raises(StudentError, match=r"read what a net makes of held-back rows.*Set"):
        distil(net(callbacks=[EarlyStopping()], train_split=None))


# Rows to choose the best epoch by


def held_back_loss(model):
    return model.history_[-1]["valid_loss"]


def as_datasets():
    return [
        Dataset(X_VAL, Y_VAL),
        TensorDataset(torch.from_numpy(X_VAL), torch.from_numpy(Y_VAL)),
    ]


@pytest.mark.parametrize("dataset", as_datasets(), ids=["skorch", "torch"])
def test_predefined_split(dataset):
    student = net(train_split=predefined_split(dataset), **AS_IT_ENDS)
    alone = clone(student).fit(X_FIT, Y_FIT)
    for model in (alone, distil(student)):
        loss = log_loss(Y_VAL, model.predict_proba(X_VAL))
        assert held_back_loss(model.student_ if model is not alone else alone) == pytest.approx(
            loss, rel=1e-5
        )


@pytest.mark.parametrize(
    "make_rows", [np.asarray, list, torch.from_numpy], ids=lambda f: f.__name__
)
def test_rows_of_ones_own_are_those_of_a_predefined_split(make_rows):
    splits = net(train_split=predefined_split(Dataset(X_VAL, Y_VAL)))
    expected = distil(splits)
    got = distil(net(), X_val=make_rows(X_VAL), y_val=Y_VAL)
    assert torch.equal(weights_of(got), weights_of(expected))


def test_rows_of_ones_own_pass_the_steps_before_the_net():
    student = make_pipeline(StandardScaler(), net(**AS_IT_ENDS))
    model = distil(student, X_val=X_VAL, y_val=Y_VAL)
    assert held_back_loss(model) == pytest.approx(
        log_loss(Y_VAL, model.predict_proba(X_VAL)), rel=1e-5
    )
    without = distil(student)
    assert torch.equal(
        torch.tensor(model.student_[0].mean_), torch.tensor(without.student_[0].mean_)
    )


def test_rows_without_labels_stay_apart_from_those_held_back():
    model = distil(net(**AS_IT_ENDS), X_val=X_VAL, y_val=Y_VAL, X_unlabeled=X[::3] + 1)
    assert held_back_loss(model) == pytest.approx(
        log_loss(Y_VAL, model.predict_proba(X_VAL)), rel=1e-5
    )


def test_skorchs_own_split():
    model = distil(net(train_split=ValidSplit(5, stratified=True)))
    assert "valid_loss" in model.history_[0]


# Iterators


@pytest.mark.parametrize("workers", [0, 1])
def test_a_data_loader_gives_the_same_batches(workers):
    plain = net(iterator_train__shuffle=False, batch_size=32)
    expected = distil(plain)
    loader = clone(plain).set_params(
        iterator_train=DataLoader, iterator_train__num_workers=workers, iterator_valid=DataLoader
    )
    assert torch.equal(weights_of(distil(loader)), weights_of(expected))


def test_drop_last():
    seen = []

    class Counting(MLP):
        def forward(self, rows):
            if self.training:
                seen.append(len(rows))
            return super().forward(rows)

    student = StudentNet(
        Counting, max_epochs=1, batch_size=64, iterator_train__drop_last=True, train_split=None
    )
    distil(student)
    assert seen == [64, 64, 64]


@pytest.mark.parametrize(
    ("part", "what"), [("train", "to learn from"), ("valid", "to choose the best epoch by")]
)
def test_a_data_loader_that_drops_every_batch(part, what):
    settings = {f"iterator_{part}": DataLoader, f"iterator_{part}__drop_last": True}
    student = StudentNet(MLP, max_epochs=1, **settings, **{f"iterator_{part}__batch_size": 1024})
    with pytest.raises(StudentError, match=f"There is no batch of rows {what}; expected at least"):
        distil(student)


def test_a_sampler_chooses_the_rows():
    weights = torch.zeros(200)
    weights[:10] = 1
    generator = torch.Generator().manual_seed(0)
    sampler = WeightedRandomSampler(weights, 40, generator=generator)
    student = net(train_split=None, max_epochs=1, lr=1e-30, iterator_train__sampler=sampler)
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X_FIT, Y_FIT)
    chosen = list(WeightedRandomSampler(weights, 40, generator=generator.manual_seed(0)))
    loss = log_loss(Y_FIT[chosen], model.predict_proba(X_FIT[chosen]), labels=[0, 1])
    assert model.history_[0]["train_loss"] == pytest.approx(loss, rel=1e-5)
    assert max(chosen) < 10


# Subclasses, inference mode


class Private(StudentNet):
    """Keeps something to itself, as skorch's AccelerateMixin does."""

    def __init__(self, module=None, **settings):
        super().__init__(module, **settings)
        self._place = "here"


def test_a_subclass_with_a_private_attribute():
    model = distil(net(Private))
    assert torch.equal(weights_of(model), weights_of(distil(net())))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    grid = GridSearchCV(
        DistilledClassifier(TEACHER, net(Private), random_state=0), {"alpha": [0.5, 1.0]}, cv=2
    )
    assert grid.fit(X_FIT, Y_FIT).best_score_ > 0.5


@pytest.mark.parametrize("make_student", [net, lambda: NeuralNetClassifier(MLP, verbose=0)])
def test_fit_inside_inference_mode(make_student):
    expected = distil(make_student())
    with torch.inference_mode():
        model = distil(make_student())
    assert torch.equal(weights_of(model), weights_of(expected))


def test_training_goes_on_inside_inference_mode_and_after_it():
    def further(mode):
        student = distil(net()).student_
        with mode:
            student.partial_fit(X_FIT, Y_FIT)
        return student.partial_fit(X_FIT, Y_FIT)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        expected = weights_of(further(contextlib.nullcontext()))
        torch.manual_seed(0)
        assert torch.equal(weights_of(further(torch.inference_mode())), expected)


def test_a_batch_norm_student_in_inference_mode_keeps_its_statistics():
    class Normed(nn.Sequential):
        def __init__(self, n_features, n_classes):
            super().__init__(nn.BatchNorm1d(n_features), nn.Linear(n_features, n_classes))

    expected = distil(StudentNet(Normed, max_epochs=2)).student_.module_.state_dict()
    with torch.inference_mode():
        got = distil(StudentNet(Normed, max_epochs=2)).student_.module_.state_dict()
    assert all(torch.equal(got[name], values) for name, values in expected.items())


# Refusals


def distilled(**settings):
    return lambda: distil(net(**settings))


FITTED = net(max_epochs=1)
with torch.random.fork_rng():
    torch.manual_seed(0)
    FITTED.fit(X, Y)
    NUMBERS = net(StudentNetRegressor, max_epochs=1).fit(N_ROWS, N_TARGETS)

REFUSED = {
    "X_val alone": (
        ValueError, lambda: distil(net(), X_val=X_VAL),
        "y_val is None; expected both X_val and y_val",
    ),
    "y_val alone": (
        ValueError, lambda: distil(net(), y_val=Y_VAL),
        "X_val is None; expected both X_val and y_val",
    ),
    "X_val of another length": (
        ValueError, lambda: distil(net(), X_val=X_VAL, y_val=Y_VAL[:-1]),
        "inconsistent numbers of samples",
    ),
    "X_val of another width": (
        ValueError, lambda: distil(net(), X_val=X_VAL[:, :3], y_val=Y_VAL),
        "3 features.*expecting 8",
    ),
    "y_val with another label": (
        ValueError, lambda: distil(net(), X_val=X_VAL, y_val=Y_VAL + 5),
        r"holds the labels \[5, 6\].*expected labels among them.*Leave",
    ),
    "partial_fit with another label": (
        ValueError, lambda: FITTED.partial_fit(X, Y + 1),
        r"holds the labels \[2\].*expected labels among.*Leave these rows out",
    ),
    "partial_fit with other classes": (
        ValueError, lambda: FITTED.partial_fit(X, Y, classes=[0, 1, 2]),
        "were given to a student that has learnt.*expected the same.*Leave them out",
    ),
    "partial_fit with another width": (
        ValueError, lambda: FITTED.partial_fit(X[:, :3], Y), "3 features.*expecting 8",
    ),
    "partial_fit with two outputs": (
        ValueError, lambda: NUMBERS.partial_fit(N_ROWS, np.c_[N_TARGETS, N_TARGETS]),
        "y has 2 columns; expected 1",
    ),
    "a setting that no iterator knows": (
        StudentError, distilled(iterator_train__n_workers=2),
        "iterator_train=TensorBatches.*n_workers.*iterator_train__",
    ),
    "workers without a DataLoader": (
        StudentError, distilled(iterator_train__num_workers=2),
        "num_workers.*expected batch_size, shuffle, drop_last or sampler.*DataLoader",
    ),
    "every batch dropped": (
        StudentError, distilled(iterator_train__drop_last=True, batch_size=1024),
        "leaves no batch: there are 200 rows.*expected",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, refused):
    refused(*REFUSED[name])


EMPTY = TensorDataset(torch.ones(0, 8), torch.ones(0))


@pytest.mark.parametrize(
    "rows", [TensorDataset(torch.ones(3, 8)), Dataset(np.ones((3, 8))), EMPTY], ids=["1", "2", "0"]
)
def test_held_back_rows_without_labels_are_refused(rows):
    with pytest.raises(StudentError, match=r"no pairs; expected .row, label. for each. Give fit"):
        distil(net(train_split=predefined_split(rows)))


def test_a_schedule_begins_anew_in_every_partial_fit():
    rates = net(callbacks__schedule__event_name="rate", max_epochs=4, lr=0.1).fit(X, Y)
    rates.set_params(lr=0.01, max_epochs=2).partial_fit(X, Y)
    cosine = [0.5 * (1 + np.cos(np.pi * np.array(range(n)) / n)) for n in (4, 2)]
    expected = np.concatenate([0.1 * cosine[0], 0.01 * cosine[1]])
    assert rates.history_[:, "rate"] == pytest.approx(expected)


def test_warm_start_with_other_classes_is_refused():
    student = net(max_epochs=1, warm_start=True).fit(X, Y)
    before = weights_of(student)
    with pytest.raises(ValueError, match=r"y holds the classes .*expected the same. Set warm"):
        student.fit(X, Y + 1)
    assert torch.equal(weights_of(student), before)
    assert student.classes_.tolist() == [0, 1]


def test_ctrl_c_in_a_partial_fit_of_an_epoch_leaves_what_was_learnt_before():
    class Interrupting(MLP):
        steps = 0

        def forward(self, rows):
            if self.training:
                Interrupting.steps += 1
                if Interrupting.steps == 30:
                    raise KeyboardInterrupt
            return super().forward(rows)

    student = StudentNet(Interrupting, max_epochs=1, batch_size=32).fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        for _ in range(4):
            before = weights_of(student)
            student.partial_fit(X, Y)
    assert torch.equal(weights_of(student), before)
    assert len(student.history_) == 3
