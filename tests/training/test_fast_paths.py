"""What is fast is what is slow: the fast epoch and the fast lane for rows change no answer."""

import re
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from skorch.callbacks import Callback
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill._input._rows import is_plain
from skdistill.students import MLP, TablePreprocessor, _table
from skdistill.training import DistillationCriterion, _fitted, _number_rows
from skdistill.training._batches import TensorRows

X, Y = make_classification(300, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
SOFT = 0.5 * np.eye(3)[Y] + 0.5 * np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))


class Watching(Callback):
    """A callback with a hook for batches, which sends an epoch skorch's own way."""

    def on_train_begin(self, net, **kwargs):
        self.n_batches_ = 0

    def on_batch_end(self, net, batch=None, training=None, **kwargs):
        self.n_batches_ += 1


class NeedsClosure(torch.optim.SGD):
    """An optimiser that evaluates the loss itself, as LBFGS does."""

    def step(self, closure):
        with torch.enable_grad():
            loss = closure()
        super().step()
        return loss


class OwnZeroGrad(torch.optim.SGD):
    """An optimiser that keeps gradients of zero."""

    n_calls = 0

    def zero_grad(self, set_to_none=True):
        OwnZeroGrad.n_calls += 1
        super().zero_grad(set_to_none=False)


def distil(X=X, *, sample_weight=None, soft=SOFT, alpha=0.5, **settings):
    settings = {"module__hidden_units": (16,), "max_epochs": 3, "batch_size": 32} | settings
    student = StudentNet(**settings)
    model = DistilledClassifier(student=student, alpha=alpha, temperature=2.0, random_state=0)
    return model.fit(X, Y, soft_targets=soft, sample_weight=sample_weight)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.student_.module_.parameters()])


# The epoch


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"module__dropout": 0.3},
        {"train_split": None},
        {"optimizer": torch.optim.SGD},
        {"batch_size": 1, "max_epochs": 1},
    ],
    ids=["plain", "dropout", "no hold-out", "SGD", "many batches"],
)
def test_the_fast_epoch_is_skorchs_epoch(settings, alpha, weighted):
    sample_weight = np.linspace(0.5, 1.5, len(X)) if weighted else None
    fast = distil(alpha=alpha, sample_weight=sample_weight, **settings)
    slow = distil(
        alpha=alpha, sample_weight=sample_weight, callbacks=[("watch", Watching())], **settings
    )
    assert dict(slow.student_.callbacks_)["watch"].n_batches_ > 0
    assert torch.equal(weights(fast), weights(slow))
    for fast_epoch, slow_epoch in zip(fast.history_, slow.history_, strict=True):
        for name in {"train_loss", "valid_loss"} & set(slow_epoch):
            assert fast_epoch[name] == pytest.approx(slow_epoch[name], rel=1e-6)
        assert fast_epoch["train_batch_count"] == slow_epoch["train_batch_count"]


@pytest.mark.parametrize("optimizer", [NeedsClosure, OwnZeroGrad])
def test_an_optimiser_with_ways_of_its_own_keeps_them(optimizer):
    OwnZeroGrad.n_calls = 0
    own, plain = distil(optimizer=optimizer, lr=0.1), distil(optimizer=torch.optim.SGD, lr=0.1)
    torch.testing.assert_close(weights(own), weights(plain))
    assert optimizer is NeedsClosure or OwnZeroGrad.n_calls > 0


def test_weights_of_one_are_no_weights():
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    label = torch.arange(20) % 3
    plain = DistillationCriterion()(logits, {"label": label})
    weighted = DistillationCriterion()(logits, {"label": label, "hard_weight": torch.ones(20)})
    torch.testing.assert_close(plain, weighted)


def test_rows_and_targets_of_a_batch_belong_together():
    rows = TensorRows(torch.arange(10.0)[:, None], {"label": torch.arange(10)})
    batch, targets = rows.batch(torch.tensor([7, 2]))
    assert batch[:, 0].tolist() == targets["label"].tolist() == [7, 2]


def test_epochs_are_printed_for_who_reads_them(capsys):
    distil(max_epochs=2)
    assert capsys.readouterr().out == ""
    distil(max_epochs=2, verbose=2)
    assert len(capsys.readouterr().out.splitlines()) == 4  # two of them the head
    distil(max_epochs=2, verbose=1)
    assert len(capsys.readouterr().out.splitlines()) == 1
    lines = []
    distil(max_epochs=2, callbacks__print_log__sink=lines.append)
    assert len(lines) == 4


# The lane for rows that need no further look

PLAIN_ROWS = {
    "single precision": X.astype(np.float32),
    "double precision": X,
    "one row": X[:1],
    "Fortran order": np.asfortranarray(X),
    "every other row": X[::2],
    "backwards": X[::-1, ::-1][:, ::-1],
    "read-only": np.frombuffer(X.tobytes()).reshape(X.shape),
    "sum too large": np.full((4, 6), 3e38, dtype=np.float32),
    "opposite and large": np.array([[1e30, -1e30, 1, 2, 3, 4]], dtype=np.float32),
}
OTHER_ROWS = {
    "NaN": np.where(np.arange(6) == 2, np.nan, X),
    "infinite": np.where(np.arange(6) == 2, np.inf, X),
    "both infinities": np.array([[np.inf, -np.inf, 0, 0, 0, 0]]),
    "too large for single precision": np.where(np.arange(6) == 2, 1e300, X),
    "largest of doubles": np.full((3, 6), 1.7e308),
    "too wide": np.c_[X, X],
    "too narrow": X[:, :3],
    "one dimension": X[0],
    "three dimensions": X.reshape(100, 3, 6),
    "no rows": X[:0],
    "no columns": X[:, :0],
    "a list": X.tolist(),
    "strings": X.astype(str),
    "integers": X.astype(int),
    "half precision": X.astype(np.float16),
    "foreign byte order": X.astype(">f8"),
    "masked": np.ma.masked_invalid(X),
    "table": pd.DataFrame(X, columns=list("abcdef")),
    "table in another order": pd.DataFrame(X, columns=list("bacdef")),
    "table without names": pd.DataFrame(X),
    "None": None,
}


@pytest.fixture(scope="module")
def models():
    distilled = distil()
    return {
        "distilled": distilled,
        "net": distilled.student_,
        "named": distil(pd.DataFrame(X, columns=list("abcdef"))),
        "double": distil(dtype="float64"),
        "default": with_default_student(),
        "gaps refused": with_default_student(LogisticRegression(), cv=3),
    }


def with_default_student(teacher=None, **settings):
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1))
    model = DistilledClassifier(teacher, student, random_state=0, **settings)
    return model.fit(X, Y, soft_targets=None if teacher else SOFT)


def outcome(model, rows, method="predict_proba"):
    """Return what came of it: an answer, or the refusal, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = getattr(model, method)(rows)
        except (ValueError, TypeError) as refusal:
            answer = type(refusal), re.sub(r"0x\w+", "", str(refusal))
    return answer, [(w.category, str(w.message)) for w in caught]


@pytest.mark.parametrize("rows", [*PLAIN_ROWS, *OTHER_ROWS])
@pytest.mark.parametrize(
    "model", ["distilled", "net", "named", "double", "default", "gaps refused"]
)
def test_the_fast_lane_changes_no_outcome(model, rows, models, monkeypatch):
    model, rows = models[model], (PLAIN_ROWS | OTHER_ROWS)[rows]
    before = np.array(rows)
    fast, fast_warnings = outcome(model, rows)
    if hasattr(model, "student_") and isinstance(model.student_, Pipeline):
        monkeypatch.setattr(_fitted, "looks_plain", lambda X, estimator: False)
    for module in (_fitted, _number_rows, _table):
        monkeypatch.setattr(module, "is_plain", lambda X, estimator: False)
    slow, slow_warnings = outcome(model, rows)
    assert fast_warnings == slow_warnings
    if isinstance(slow, tuple):
        assert fast == slow
    else:
        np.testing.assert_array_equal(fast, slow)
    assert before.dtype.kind in "OU" or np.array_equal(before, rows, equal_nan=True)


@pytest.mark.parametrize("rows", PLAIN_ROWS)
def test_plain_rows_are_seen_as_such(rows, models):
    finite_sum = rows != "sum too large"
    assert is_plain(PLAIN_ROWS[rows], models["distilled"]) == finite_sum
    assert not is_plain(PLAIN_ROWS[rows], models["named"])  # the names are missing


@pytest.mark.parametrize("rows", OTHER_ROWS)
def test_other_rows_are_looked_at(rows, models):
    too_large = rows in ("too large for single precision",)  # finite: the net's own matter
    assert is_plain(OTHER_ROWS[rows], models["distilled"]) == too_large


@pytest.mark.parametrize(
    "unfitted", [DistilledClassifier(), StudentNet()], ids=["distilled", "net"]
)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba"])
def test_without_a_fit_there_is_no_answer(unfitted, method):
    with pytest.raises(NotFittedError, match=f"This {type(unfitted).__name__} instance is not"):
        getattr(unfitted, method)(X)


def test_a_module_that_works_in_place_leaves_the_rows_alone():
    with torch.random.fork_rng():
        module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(6, 3))
    model = DistilledClassifier(student=StudentNet(module, max_epochs=1), random_state=0)
    model.fit(X, Y, soft_targets=SOFT)
    for rows in (X.copy(), X.astype(np.float32)):
        before = rows.copy()
        model.predict_proba(rows)
        np.testing.assert_array_equal(rows, before)


def test_a_module_left_in_training_mode_answers_in_evaluation_mode():
    model = distil(module__dropout=0.5)
    expected = model.predict_proba(X)
    model.student_.module_.train()
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    assert not model.student_.module_.training


def test_probabilities_agree_with_their_logarithms_and_stay_finite():
    with torch.random.fork_rng():
        module = MLP(6, 3, hidden_units=())
        nn.init.constant_(module[0].weight, 1e6)
    net = StudentNet(module, max_epochs=1, lr=1e-30)
    with torch.random.fork_rng():
        net.fit(X, Y)
    logs = net.predict_log_proba(X)
    assert np.isfinite(logs).all()
    np.testing.assert_allclose(np.exp(logs), net.predict_proba(X), rtol=1e-12)
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(net.predict(X), net.classes_[logs.argmax(axis=1)])
    assert logs.dtype == np.float64


def test_the_checks_of_a_table_find_what_is_wrong_by_name():
    table = pd.DataFrame(X, columns=list("abcdef"))
    model = DistilledClassifier(random_state=0, student=None)
    model.fit(table.assign(f="word"), Y, soft_targets=SOFT)
    with pytest.raises(ValueError, match=r"infinity in the columns \['b', 'd'\]"):
        model.predict(table.assign(f="word", b=np.inf, d=-np.inf))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.assign(f="word")[list("bacdef")])
    assert isinstance(model.student_[0], TablePreprocessor)


def test_a_memory_map_that_is_read_only_is_not_copied(tmp_path):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 60)).astype(np.float32)
    y = (rows[:, 0] > 0).astype(int)
    soft_targets = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    np.save(tmp_path / "rows.npy", rows)
    net = StudentNet(MLP, module__hidden_units=(4,), max_epochs=1, batch_size=4096)
    found, peaks = [], []
    for same in (rows, rows, np.load(tmp_path / "rows.npy", mmap_mode="r")):  # first come imports
        model = DistilledClassifier(student=net, device="cpu", random_state=0)
        tracemalloc.start()
        model.fit(same, y, soft_targets=soft_targets)
        found.append(model.predict_proba(same))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    np.testing.assert_array_equal(found[2], found[1])
    assert peaks[2] < peaks[1] + rows.nbytes / 10
