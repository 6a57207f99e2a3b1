"""Feature terms between hidden layers of a network teacher and the student's, in training."""

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    bias_variance_decomposition,
    distillation_report,
    learning_curves,
)
from skdistill.exceptions import StudentError, TeacherError, TrainingWarning
from skdistill.losses import (
    HintLoss,
    SimilarityLoss,
    hint_error,
    kd_divergence,
    similarity_distance,
)
from skdistill.students import MLP
from skdistill.targets import teacher_targets

X, Y = make_classification(60, 6, n_informative=4, n_classes=3, random_state=0)
X_MORE = np.random.default_rng(1).normal(size=(20, 6))
WEIGHT = np.random.default_rng(2).uniform(0.2, 2.0, size=len(X))
BOTH = [HintLoss("2", "1", weight=0.7), SimilarityLoss("3", "0", weight=5.0)]


def make_module(hidden_units, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return MLP(6, 3, hidden_units).double()


def run_layers(module, n_layers, rows):
    """Run the first layers of an MLP."""
    for layer in list(module)[:n_layers]:
        rows = layer(rows)
    return rows


def make_teacher():
    module, rows, labels = make_module((16, 12), seed=1), torch.tensor(X), torch.tensor(Y)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    for _ in range(30):  # not so sure that an answer is clipped
        optimizer.zero_grad()
        cross_entropy(module(rows), labels).backward()
        optimizer.step()
    optimizer.zero_grad()
    return module


TEACHER = make_teacher()


class FixedHint(HintLoss):
    """A hint whose adapter starts from weights that the test knows, and can be looked at."""

    made: list = []

    def adapter(self, student_shape, teacher_shape):
        adapter = super().adapter(student_shape, teacher_shape)
        for parameter in adapter.parameters():
            nn.init.constant_(parameter, 0.125)
        FixedHint.made.append(adapter)
        return adapter


def own(module, **settings):
    plain = {"train_split": None, "callbacks__schedule": None, "callbacks__keep_best": None}
    settings = {"batch_size": -1, "max_epochs": 8, "lr": 0.1, **plain, **settings}
    return StudentNet(module, **{"optimizer": torch.optim.SGD, "dtype": "float64", **settings})


def foreign(module, **settings):
    settings = {"batch_size": -1, "max_epochs": 8, "lr": 0.1, **settings}
    return NeuralNetClassifier(module, train_split=None, verbose=0, **settings)


def quick(**settings):
    settings = {"module__hidden_units": (8,), "max_epochs": 3, "batch_size": 16, **settings}
    return StudentNet(MLP, **settings)


def distil(losses, student=None, teacher=TEACHER, **settings):
    model = DistilledClassifier(
        teacher, student or quick(), feature_losses=losses, random_state=0, **settings
    )
    return model.fit(X, Y)


UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
STUDENTS = pytest.mark.parametrize("make_student", [own, foreign])

# The loss


def loop(module, alpha, weight, X_more):
    """Train by hand: all rows in a batch, each term written out."""
    adapter = nn.Linear(8, 12).double()
    for parameter in adapter.parameters():
        nn.init.constant_(parameter, 0.125)
    rows = torch.tensor(np.vstack([X, X_more]))
    labels, n = torch.tensor(Y), len(X)
    with torch.no_grad():
        hint, similar = run_layers(TEACHER, 3, rows), run_layers(TEACHER, 4, rows)
        answers = TEACHER(rows)
    w = torch.tensor(weight)
    w_all = torch.cat([w, w.mean().expand(len(X_more))])
    w_all = w_all / w_all.mean()
    parameters = [*module.parameters(), *adapter.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    for _ in range(8):
        first = module[0](rows)
        second = module[1](first)
        logits = module[2](second)
        hard = (w * cross_entropy(logits[:n], labels, reduction="none")).sum() / w.sum()
        soft = (w_all * kd_divergence(logits, answers, 2.0)).mean()
        loss = (1 - alpha) * hard + alpha * soft
        loss = loss + 0.7 * (w_all * hint_error(adapter(second), hint)).mean()
        loss = loss + 5.0 * similarity_distance(first, similar, w_all)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return adapter


@STUDENTS
@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_more", [0, 20])
def test_training_is_that_of_a_loop_by_hand(make_student, alpha, weighted, n_more):
    start = make_module((8,), seed=2)
    expected = copy.deepcopy(start)
    weight = WEIGHT if weighted else np.ones(len(X))
    with torch.random.fork_rng():
        adapter = loop(expected, alpha, weight, X_MORE[:n_more])
    losses = [FixedHint("2", "1", weight=0.7), BOTH[1]]
    model = DistilledClassifier(
        TEACHER, make_student(start), alpha=alpha, temperature=2.0, feature_losses=losses
    )
    model.fit(
        X,
        Y,
        sample_weight=weight if weighted else None,
        X_unlabeled=X_MORE[:n_more] if n_more else None,
    )
    for found, wanted in zip(
        model.student_.module_.parameters(), expected.parameters(), strict=True
    ):
        torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-10)
    for found, wanted in zip(FixedHint.made[-1].parameters(), adapter.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-8, atol=1e-10)


def test_the_slow_epoch_gives_what_the_fast_one_gives():
    class Watching(Callback):
        def on_batch_end(self, net, **kwargs):
            pass

    fast, slow = (distil(BOTH, quick(callbacks=c)) for c in (None, [Watching()]))
    np.testing.assert_array_equal(fast.predict_proba(X), slow.predict_proba(X))


def test_terms_of_weight_0_change_nothing():
    # Not the order of the rows and not dropout either: the generator is where it was.
    losses = [clone(loss).set_params(weight=0.0) for loss in BOTH]
    student = quick(module__dropout=0.3)
    np.testing.assert_array_equal(
        distil(losses, student).predict_proba(X), distil(None, student).predict_proba(X)
    )


def unexplained(mine, its):
    """Mean square of what no linear map of one layer tells of the other."""
    mine, its = np.column_stack([mine, np.ones(len(mine))]), its.numpy()
    return np.mean((mine @ np.linalg.lstsq(mine, its, rcond=None)[0] - its) ** 2)


@pytest.mark.parametrize(
    ("term", "distance"), [(HintLoss, unexplained), (SimilarityLoss, similarity_distance)]
)
def test_each_term_brings_the_layers_closer(term, distance):
    distances = []
    for losses in ([term("2", "1")], None):
        model = distil(losses, quick(max_epochs=20, lr=0.02))
        rows = torch.tensor(X)
        with torch.no_grad():
            mine = run_layers(model.student_.module_.double(), 2, rows)
            its = run_layers(TEACHER, 3, rows)
        distances.append(float(distance(mine, its)))
    assert distances[0] < 0.8 * distances[1]


@UNTRAINED
def test_maps_go_through_a_convolution_of_size_1():
    images = np.random.default_rng(0).normal(size=(40, 1, 6, 6)).astype(np.float32)

    def network(channels):
        head = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
        module = nn.Sequential(nn.Conv2d(1, channels, 3), nn.ReLU(), head)
        module(torch.zeros(1, 1, 6, 6))
        return module

    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher, student = network(5), network(2)
    losses = [FixedHint("1", "1"), SimilarityLoss("2", "0")]
    model = DistilledClassifier(teacher, student, feature_losses=losses, random_state=0)
    model.set_params(student=StudentNet(student, max_epochs=2)).fit(images, Y[:40])
    assert model.student_.predict(images).shape == (40,)
    assert FixedHint.made[-1].weight.shape == (5, 2, 1, 1)


@pytest.mark.parametrize("optimizer", [torch.optim.AdamW, torch.optim.LBFGS])
def test_the_adapter_is_trained(optimizer):
    distil([FixedHint("2", "1")], quick(optimizer=optimizer, lr=0.01))
    assert all((p != 0.125).any() for p in FixedHint.made[-1].parameters())


# What is left afterwards


def hooks_of(module):
    return [hook for part in module.modules() for hook in part._forward_hooks.values()]


@STUDENTS
def test_nothing_is_left_of_the_terms(make_student):
    start = make_module((8,), seed=2)
    with_terms, without = (distil(losses, make_student(start)) for losses in (BOTH, None))
    sizes = [len(pickle.dumps(model.student_)) for model in (with_terms, without)]
    assert sizes[0] == pytest.approx(sizes[1], abs=100)  # the digits of what history_ says
    net = getattr(with_terms.student_, "net_", with_terms.student_)
    assert hooks_of(net.module_) == [] and net.criterion_.terms == ()
    trained = [id(p) for group in net.optimizer_.param_groups for p in group["params"]]
    assert trained == [id(p) for p in net.module_.parameters()]
    again = pickle.loads(pickle.dumps(with_terms.student_))
    np.testing.assert_array_equal(again.predict_proba(X), with_terms.predict_proba(X))


def test_ctrl_c_leaves_no_hooks():
    class Interrupting(MLP):
        n_steps = 0

        def forward(self, rows):
            self.n_steps += self.training
            if self.training and self.n_steps == 2:
                raise KeyboardInterrupt
            return super().forward(rows)

    student = StudentNet(Interrupting, module__hidden_units=(8,), max_epochs=3, batch_size=-1)
    with pytest.warns(TrainingWarning, match="Interrupted in epoch 2"):
        model = distil(BOTH, student)
    assert hooks_of(model.student_.module_) == [] and model.student_.criterion_.terms == ()
    assert model.predict(X).shape == (60,)


def test_the_teacher_is_left_as_it_was():
    teacher = copy.deepcopy(TEACHER)
    teacher[1].eval()
    before = copy.deepcopy(teacher.state_dict())
    distil(BOTH, teacher=teacher)
    assert [part.training for part in teacher] == [True, False, True, True, True]
    assert hooks_of(teacher) == [] and all(p.grad is None for p in teacher.parameters())
    for name, values in teacher.state_dict().items():
        torch.testing.assert_close(values, before[name], rtol=0, atol=0)


# Same seed, same student


def test_the_same_seed_gives_the_same_student():
    model = distil(BOTH)
    for other in (clone(model), model):
        expected = model.predict_proba(X)
        np.testing.assert_array_equal(other.fit(X, Y).predict_proba(X), expected)
    assert [loss.get_params() for loss in clone(model).feature_losses] == [
        loss.get_params() for loss in BOTH
    ]


def test_lists_of_terms_stand_in_a_grid():
    model = DistilledClassifier(FrozenEstimator(TEACHER), quick(), random_state=0)
    grid = {"feature_losses": [None, BOTH, BOTH[:1]], "alpha": [0.0, 0.5]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, Y)
    assert len(set(search.cv_results_["mean_test_score"])) > 1


# Teachers


def fitted(kind):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        if kind == "skorch net":
            module = copy.deepcopy(TEACHER).float()
            net = NeuralNetClassifier(module, max_epochs=1, lr=1e-3, train_split=None, verbose=0)
            return net.fit(X.astype(np.float32), Y)
        net = StudentNet(MLP, module__hidden_units=(16, 12), max_epochs=2, train_split=None)
        if kind == "student":
            return net.fit(X, Y)
        if kind == "distilled":
            return DistilledClassifier(DummyClassifier(), net, random_state=0).fit(X, Y)
        return make_pipeline(StandardScaler(), "passthrough", net).fit(X, Y)


def features_of(teacher, layers):
    targets = teacher_targets(teacher, X, X_unlabeled=X_MORE, layers=layers)
    assert all([*map(len, parts)] == [len(X), len(X_MORE)] for parts in targets.features.values())
    return {name: np.concatenate(parts) for name, parts in targets.features.items()}


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("kind", ["module", "student", "skorch net", "pipeline", "distilled"])
def test_teachers_that_hold_a_network(kind, frozen):
    teacher = TEACHER if kind == "module" else fitted(kind)
    holder = FrozenEstimator(teacher) if frozen else teacher
    found = features_of(holder, ["2", "3"])
    rows = np.vstack([X, X_MORE])
    if kind == "pipeline":
        rows, teacher = teacher[0].transform(rows), teacher[-1]
    module = getattr(getattr(teacher, "student_", teacher), "module_", teacher)
    with torch.no_grad():
        rows = torch.tensor(rows, dtype=next(module.parameters()).dtype)
        hidden = run_layers(module, 3, rows)
    torch.testing.assert_close(torch.tensor(found["2"]), hidden)
    torch.testing.assert_close(torch.tensor(found["3"]), module[3](hidden))
    assert found["2"].dtype == (np.float64 if kind == "module" else np.float32)
    assert distil(BOTH, teacher=holder).predict(X).shape == (60,)


def test_a_teacher_and_a_student_behind_steps_of_their_own():
    frame = pd.DataFrame(1000 * X, columns=list("abcdef"))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher = make_pipeline(StandardScaler(), quick(module__hidden_units=(16, 12)))
        teacher.fit(frame, Y)
    student = make_pipeline(StandardScaler(), quick())
    model = DistilledClassifier(teacher, student, feature_losses=BOTH, random_state=0)
    assert model.fit(frame, Y).predict(frame).shape == (60,)


def test_rows_go_through_the_teacher_in_batches():
    teacher, sizes, rows = (
        copy.deepcopy(TEACHER),
        [],
        np.random.default_rng(0).normal(size=(2500, 6)),
    )
    teacher[0].register_forward_hook(lambda module, args, out: sizes.append(len(out)))
    (found,) = teacher_targets(teacher, rows, layers=["2"]).features["2"]
    assert max(sizes) < 2500
    expected = run_layers(TEACHER, 3, torch.tensor(rows)).detach()
    torch.testing.assert_close(torch.tensor(found), expected)


def test_generated_rows_carry_the_terms_and_a_memorising_teachers_rows_do_not():
    # Rows that the teacher may have been fitted on learn from their labels alone beside others.
    seen = []

    class Recording(HintLoss):
        def mean(self, student_features, teacher_features, row_weight):
            seen.append(row_weight.clone())
            return super().mean(student_features, teacher_features, row_weight)

    distil([Recording("2", "1")], quick(batch_size=-1, max_epochs=1), augment="gaussian_noise")
    assert (seen[0] == 0).sum() == len(X) and (seen[0] > 0).sum() >= len(X)


# Refusals


class OddLayers(nn.Module):
    """Has layers that are not called, return something else than rows, or overflow."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(6, 3)
        self.unused = nn.Linear(6, 3)
        self.joined = nn.Flatten(0)
        self.infinite = nn.Threshold(1e9, float("inf"))

    def forward(self, rows):
        self.joined(rows)
        self.infinite(rows)
        return self.body(rows)


def script(module):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit")  # torch says it will go
        return torch.jit.script(nn.Sequential(*module))


def hint(teacher_layer="2", student_layer="1"):
    return [HintLoss(teacher_layer, student_layer)]


UNFITTED = quick(module__hidden_units=(16, 12))
BAD = {
    "an unfitted teacher": (
        partial(distil, hint(), teacher=UNFITTED),
        "not fitted; expected a fitted network.*FrozenEstimator",
    ),
    "an unfitted teacher with cv": (
        partial(distil, hint(), teacher=UNFITTED, cv="in-sample"),
        "not fitted; expected a fitted network",
    ),
    "cv": (partial(distil, hint(), cv=3), "cv=3 was given with a fitted teacher"),
    "a teacher without layers": (
        lambda: distil(hint(), teacher=LogisticRegression().fit(X, Y)),
        "LogisticRegression, which has no layers; expected one network",
    ),
    "a callable": (
        lambda: distil(hint(), teacher=lambda rows: np.full((len(rows), 3), 1 / 3)),
        "function, which has no layers",
    ),
    "a list": (partial(distil, hint(), teacher=[TEACHER, TEACHER]), "a list of 2 teachers"),
    "no teacher": (partial(distil, hint(), teacher=None, alpha=0.0), "without a teacher"),
    "a near name": (
        partial(distil, hint(teacher_layer="22")),
        "The teacher MLP has no layer '22'.*Did you mean '2'",
    ),
    "no near name": (
        partial(distil, hint(student_layer="relu")),
        r"The student's module MLP has no layer 'relu'.*It has \['0', '1', '2'\]",
    ),
    "a number for a name": (
        partial(distil, hint(student_layer=1)),
        "must be an instance of .str.*Got 1",
    ),
    "a scripted teacher": (
        lambda: distil(hint(), teacher=script(TEACHER)),
        "is scripted, and calls no layers.*Give the module that it was made from",
    ),
    "a single term": (
        partial(distil, HintLoss("2", "1")),
        r"'feature_losses' parameter must be a list .*Got HintLoss\(.*Put it into a list",
    ),
    "something else": (partial(distil, ["hint"]), "a list of instances of HintLoss.*Got 'hint'"),
    "a class": (partial(distil, [HintLoss]), "a list of instances of HintLoss"),
    "a negative weight": (
        partial(distil, [HintLoss("2", "1", weight=-1)]),
        "'weight' parameter of HintLoss must be a float in the range",
    ),
    "a layer that is not called": (
        partial(distil, hint(student_layer="unused"), OddLayers()),
        "The layer 'unused' of the student's module OddLayers was not called",
    ),
    "a layer without rows": (
        partial(distil, hint(student_layer="joined"), OddLayers()),
        r"returns a tensor of shape \(48,\) for 8 rows",
    ),
    "features that are not finite": (
        lambda: distil(hint("infinite"), teacher=OddLayers()),
        "The layer 'infinite' of the teacher OddLayers gave NaN or infinite values",
    ),
}


@UNTRAINED
@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_refused_before_training(case, monkeypatch):
    def trained(*args, **kwargs):
        raise AssertionError("trained")

    monkeypatch.setattr(StudentNet, "fit_loop", trained)
    call, message = BAD[case]
    with torch.random.fork_rng(), pytest.raises(ValueError, match=message):
        call()


def test_soft_targets_have_no_layers():
    model = DistilledClassifier(student=quick(), feature_losses=hint())
    with pytest.raises(ValueError, match="soft targets have no layers"):
        model.fit(X, Y, soft_targets=np.eye(3)[Y])


def test_a_teacher_of_other_rows():
    with torch.random.fork_rng():
        teacher = nn.Sequential(nn.Linear(5, 3))
    with pytest.raises(TeacherError, match=r"teacher Sequential cannot read rows of shape \(6,\)"):
        distil(hint("0"), teacher=teacher)


def test_maps_of_different_size():
    with torch.random.fork_rng():
        teacher = nn.Sequential(nn.Unflatten(1, (6, 1)), nn.Flatten(), nn.Linear(6, 3))
    with pytest.raises(StudentError, match="HintLoss cannot compare"):
        distil(hint("0"), teacher=teacher)


# Around it


def test_a_report_has_the_terms_in_the_distilled_arm_alone():
    model = DistilledClassifier(TEACHER, quick(), feature_losses=BOTH, alpha=0.0, random_state=0)
    report = distillation_report(model, X, Y, X, Y)
    rows = {row["arm"]: row for row in report.rows}
    assert rows["distilled"]["log_loss"] != rows["plain"]["log_loss"]


def test_a_curve_teaches_the_terms_and_asks_for_all_rows_at_once():
    model = DistilledClassifier(TEACHER, quick(), feature_losses=BOTH, random_state=0)
    half = np.arange(len(X)) % 2 == 0
    curves = learning_curves(model, X, Y, train_sizes=[1.0], cv=[(half, ~half)])
    alone = clone(model).fit(X[half], Y[half])
    row = curves.rows[-1]
    assert row["arm"] == "distilled"
    expected = log_loss(Y[~half], alone.predict_proba(X[~half]))
    assert row["test_log_loss"] == pytest.approx(expected, rel=1e-9)
    plain = clone(model).set_params(feature_losses=None).fit(X[half], Y[half])
    assert expected != log_loss(Y[~half], plain.predict_proba(X[~half]))


def test_a_decomposition_teaches_the_terms():
    model = DistilledClassifier(TEACHER, quick(), feature_losses=BOTH, random_state=0)
    settings = {"design": "seed", "n_rounds": 3, "random_state": 0}
    found = bias_variance_decomposition(model, X, Y, X, Y, **settings)
    _, _, *seeds = np.random.RandomState(0).randint(2**31 - 1, size=5)
    for seed, probabilities in zip(seeds, found.predictions, strict=True):
        state = np.random.SeedSequence([seed, *b"random_state"]).generate_state(1)[0]
        own_seed = int(state % (2**31 - 1))
        alone = clone(model).set_params(random_state=own_seed).fit(X, Y)
        np.testing.assert_array_equal(probabilities, alone.predict_proba(X))
    without = clone(model).set_params(feature_losses=None)
    assert bias_variance_decomposition(without, X, Y, X, Y, **settings).loss != found.loss
