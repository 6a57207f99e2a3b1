"""On a GPU: what comes out is what a CPU gives, and everything is back in its place afterwards.

All but the last test need CUDA and are skipped without it.
"""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from skorch.exceptions import DeviceWarning
from torch import nn

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.exceptions import StudentError
from skdistill.losses import (
    DIST,
    DKD,
    KD,
    MSE,
    Brier,
    HintLoss,
    Huber,
    JensenShannon,
    SimilarityLoss,
)
from skdistill.students import MLP, ConvNet, ImagePreprocessor, TablePreprocessor
from skdistill.targets import teacher_targets
from skdistill.transfer import Unlabeled

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")

DEVICE = "cuda"
X, Y = make_classification(400, 6, n_informative=4, n_redundant=0, n_classes=3, random_state=0)
SOFT = 0.5 * np.eye(3)[Y] + 0.5 * np.random.default_rng(0).dirichlet(np.ones(3), size=len(X))
IMAGES, DIGITS = load_digits(return_X_y=True)
IMAGES, DIGITS = IMAGES[:300].reshape(-1, 8, 8), DIGITS[:300]


@pytest.fixture(autouse=True)
def cuda_generator_untouched():
    """Fail a test that moves the generator of the GPU."""
    if not torch.cuda.is_available():
        yield
        return
    before = torch.cuda.get_rng_state()
    yield
    assert torch.equal(before, torch.cuda.get_rng_state())


def torch_teacher(n_inputs=6, n_classes=3):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return MLP(n_inputs, n_classes, hidden_units=(12,), dropout=0.5)


def exact_net(module=None, **settings):
    """Return a net whose results on two devices differ by rounding alone."""
    return StudentNet(module, dtype="float64", max_epochs=4, batch_size=64, **settings)


def table_student(**settings):
    return make_pipeline(TablePreprocessor(), exact_net(module__dropout=0.0, **settings))


def assert_same_on_both(model, rows, X, y, **fit_params):
    """Fit on the CPU and on the GPU, compare, and return the one on the GPU."""
    own = copy.deepcopy(model).set_params(device="cpu").fit(X, y, **fit_params)
    other = copy.deepcopy(model).set_params(device=DEVICE).fit(X, y, **fit_params)
    assert device_of(own) == "cpu"
    assert device_of(other) == DEVICE
    np.testing.assert_allclose(other.predict_proba(rows), own.predict_proba(rows), atol=1e-5)
    for one, two in zip(own.history_, other.history_, strict=True):
        assert one["train_loss"] == pytest.approx(two["train_loss"], rel=1e-5)
    return other


def net_of(model):
    return model.student_[-1] if hasattr(model.student_, "steps") else model.student_


def device_of(model):
    (device,) = {parameter.device.type for parameter in net_of(model).module_.parameters()}
    return device


@needs_cuda
def test_auto_is_cuda():
    model = DistilledClassifier(student=exact_net(), random_state=0)
    assert device_of(model.fit(X, Y, soft_targets=SOFT)) == DEVICE


@needs_cuda
def test_a_table_with_the_default_student():
    model = DistilledClassifier(random_state=0).fit(X, Y, soft_targets=SOFT)
    assert device_of(model) == DEVICE
    assert np.mean(model.predict(X) == Y) > 0.8
    again = DistilledClassifier(random_state=0).fit(X, Y, soft_targets=SOFT)
    np.testing.assert_allclose(model.predict_proba(X), again.predict_proba(X), atol=1e-3)


@needs_cuda
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_table_is_as_on_the_cpu(alpha, weighted):
    model = DistilledClassifier(student=table_student(), alpha=alpha, random_state=0)
    given = {} if alpha == 0 else {"soft_targets": SOFT}
    weight = np.linspace(0.5, 1.5, len(X)) if weighted else None
    assert_same_on_both(model, X, X, Y, sample_weight=weight, **given)


@needs_cuda
def test_a_mixed_table_with_gaps_and_codes():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(X, columns=list("abcdef"))
    frame = frame.assign(many=rng.choice(list("abcdefghijklmnop"), len(X)), few=np.array(Y > 1))
    frame.loc[::7, "a"] = np.nan
    model = DistilledClassifier(student=table_student(), random_state=0)
    assert_same_on_both(model, frame[:1], frame, Y, soft_targets=SOFT)


@needs_cuda
def test_sparse_rows():
    rows = sparse.random(300, 40, density=0.1, format="csr", random_state=0)
    labels = np.asarray(rows.sum(axis=1)).ravel() > rows.sum(axis=1).mean()
    model = DistilledClassifier(LogisticRegression(), table_student(), random_state=0)
    assert_same_on_both(model, rows, rows, labels)


@needs_cuda
def test_images():
    student = make_pipeline(ImagePreprocessor(), exact_net(ConvNet, module__size="tiny"))
    soft = 0.1 * np.full((len(IMAGES), 10), 0.1) + 0.9 * np.eye(10)[DIGITS]
    model = DistilledClassifier(student=student, random_state=0)
    assert_same_on_both(model, IMAGES, IMAGES, DIGITS, soft_targets=soft)
    default = DistilledClassifier(random_state=0).fit(IMAGES, DIGITS, soft_targets=soft)
    assert isinstance(net_of(default).module_, ConvNet)
    assert default.score(IMAGES, DIGITS) > 0.8


@needs_cuda
def test_a_teacher_on_the_cpu_stays_there():
    teacher = torch_teacher()
    teacher.train()
    before = copy.deepcopy(teacher.state_dict())
    model = DistilledClassifier(teacher, table_student(), device=DEVICE, random_state=0)
    model.fit(X, Y)
    assert model.teacher_ is teacher
    assert all(part.training for part in teacher.modules())
    assert {parameter.device.type for parameter in teacher.parameters()} == {"cpu"}
    for name, values in teacher.state_dict().items():
        assert torch.equal(values, before[name])
    found = teacher_targets(teacher, X, Y, device=DEVICE)
    with torch.no_grad():
        teacher.eval()
        expected = teacher(torch.tensor(X, dtype=torch.float32)).softmax(dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@needs_cuda
def test_a_teacher_on_the_gpu_stays_there():
    teacher = torch_teacher().to(DEVICE)
    model = DistilledClassifier(teacher, table_student(), device="cpu", random_state=0).fit(X, Y)
    assert device_of(model) == "cpu"
    assert {parameter.device.type for parameter in teacher.parameters()} == {DEVICE}
    other = DistilledClassifier(torch_teacher(), table_student(), device="cpu", random_state=0)
    expected = other.fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)


@needs_cuda
def test_rows_without_labels_and_generated_ones():
    more = np.random.default_rng(1).normal(size=(150, 6))
    teacher = RandomForestClassifier(20, random_state=0).fit(X, Y)
    model = DistilledClassifier(teacher, table_student(), random_state=0)
    assert_same_on_both(model, X, X, Y, X_unlabeled=Unlabeled(more))
    model.set_params(augment="spunge")
    assert_same_on_both(model, X, X, Y)


@needs_cuda
def test_feature_losses():
    losses = [HintLoss("1", "1"), SimilarityLoss("1", "1")]
    student = exact_net(MLP, module__hidden_units=(8,))
    model = DistilledClassifier(
        torch_teacher(), student, feature_losses=losses, random_state=0, temperature=2.0
    )
    assert_same_on_both(model, X, X, Y)


@needs_cuda
def test_views_for_a_teacher_on_the_gpu():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        teacher = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).double()
    views = ["shift", "flip", "mixup"]
    student = exact_net(ConvNet, module__size="tiny", views=views)
    model = DistilledClassifier(teacher, student, random_state=0)
    assert_same_on_both(model, IMAGES / 16, IMAGES / 16, DIGITS)
    assert {parameter.device.type for parameter in teacher.parameters()} == {"cpu"}


@needs_cuda
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor_is_as_on_the_cpu(n_outputs):
    target = X[:, 0] + X[:, 1] ** 2
    target = target if n_outputs == 1 else np.c_[target, X[:, 2]]
    net = StudentNetRegressor(dtype="float64", max_epochs=4, module__dropout=0.0)
    model = DistilledRegressor(Ridge(), make_pipeline(TablePreprocessor(), net), random_state=0)
    own = clone(model).set_params(device="cpu").fit(X, target)
    other = clone(model).set_params(device=DEVICE).fit(X, target)
    assert device_of(other) == DEVICE
    np.testing.assert_allclose(other.predict(X), own.predict(X), atol=1e-5)


LOSSES = [KD(), KD(reverse=True), MSE(), Huber(), Brier(), JensenShannon(), DKD(), DIST()]


@needs_cuda
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_a_loss_and_its_gradient(loss):
    generator = torch.Generator().manual_seed(0)
    logits, answer = torch.randn(2, 20, 4, generator=generator, dtype=torch.float64)
    labels, weight = torch.arange(20) % 4, torch.linspace(0.5, 1.5, 20, dtype=torch.float64)
    labels[::5] = -1
    losses, gradients = [], []
    for device in ("cpu", DEVICE):
        student = logits.detach().to(device).requires_grad_()
        given = (student, answer.to(device), labels.to(device), weight.to(device))
        found = loss.mean(*given, 2.0)
        found.backward()
        losses.append(found.item())
        gradients.append(student.grad.cpu())
    assert losses[0] == pytest.approx(losses[1], rel=1e-9)
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-12)


@needs_cuda
def test_rows_that_do_not_fit_are_moved_batch_by_batch(monkeypatch):
    model = DistilledClassifier(student=table_student(), device=DEVICE, random_state=0)
    expected = model.fit(X, Y, soft_targets=SOFT).predict_proba(X)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device=None: (0, 0))
    found = model.fit(X, Y, soft_targets=SOFT).predict_proba(X)
    np.testing.assert_allclose(found, expected, atol=1e-8)


@needs_cuda
def test_another_skorch_net_keeps_its_device():
    net = NeuralNetClassifier(
        torch_teacher().eval().double(), criterion=nn.CrossEntropyLoss, device=DEVICE,
        max_epochs=2, verbose=0,
    )  # fmt: skip
    model = DistilledClassifier(student=net, random_state=0).fit(X, Y, soft_targets=SOFT)
    assert device_of(model) == DEVICE
    assert np.isfinite(model.predict_proba(X)).all()


@needs_cuda
def test_many_rows_are_single_rows():
    model = DistilledClassifier(student=table_student(), device=DEVICE, random_state=0)
    model.fit(X, Y, soft_targets=SOFT)
    rows = np.random.default_rng(0).normal(size=(9_000, 6))  # three batches
    found = model.predict_proba(rows)
    for i in (0, 4_095, 4_096, 8_999):
        np.testing.assert_allclose(model.predict_proba(rows[i : i + 1])[0], found[i], atol=1e-10)


@needs_cuda
def test_a_pickled_student_answers_on_both_devices(monkeypatch):
    model = DistilledClassifier(student=table_student(), device=DEVICE, random_state=0)
    expected = model.fit(X, Y, soft_targets=SOFT).predict_proba(X)
    pickled = pickle.dumps(model)
    found = pickle.loads(pickled)
    assert device_of(found) == DEVICE
    np.testing.assert_array_equal(found.predict_proba(X), expected)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(DeviceWarning):
        found = pickle.loads(pickled)
    assert device_of(found) == "cpu"
    np.testing.assert_allclose(found.predict_proba(X), expected, atol=1e-10)


@needs_cuda
def test_the_gpu_is_not_waited_for_in_each_batch():
    def n_waits(batch_size):
        net = StudentNet(MLP, module__hidden_units=(8,), max_epochs=2, batch_size=batch_size)
        model = DistilledClassifier(student=net, device=DEVICE, random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, Y, soft_targets=SOFT)
        return sum("synchronizing" in str(warning.message) for warning in caught)

    n_waits(32)  # what is loaded and compiled once
    always, mode = torch.is_warn_always_enabled(), torch.cuda.get_sync_debug_mode()
    torch.set_warn_always(True)
    torch.cuda.set_sync_debug_mode("warn")
    try:
        assert n_waits(8) == n_waits(64) > 0
    finally:
        torch.set_warn_always(always)
        torch.cuda.set_sync_debug_mode(mode)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_a_student_of_a_gpu_answers_on_a_machine_without():
    model = DistilledClassifier(student=table_student(), device="cpu", random_state=0)
    expected = model.fit(X, Y, soft_targets=SOFT).predict_proba(X)
    vars(net_of(model))["device"] = "cuda"  # as the pickle of one that was trained there says
    pickled = pickle.dumps(model)
    with pytest.warns(DeviceWarning):
        found = pickle.loads(pickled)
    assert net_of(found).device == torch.device("cpu")
    np.testing.assert_array_equal(found.predict_proba(X), expected)


def own_net(**settings):
    return NeuralNetClassifier(
        torch_teacher(), criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0, **settings
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
@pytest.mark.parametrize("student", [table_student, own_net])
def test_what_is_left_of_a_gpu_answers_on_a_machine_without(student):
    model = DistilledClassifier(student=student(), device="cpu", random_state=0)
    rows = X.astype(np.float32)
    expected = model.fit(rows, Y, soft_targets=SOFT).predict_proba(rows)
    net = net_of(model)
    vars(getattr(net, "net_", net))["device"] = "cuda"  # as one that was trained there says
    pickled = pickle.dumps(model.fitted_)
    with pytest.warns(DeviceWarning):
        found = pickle.loads(pickled)
    np.testing.assert_array_equal(found.predict_proba(rows), expected)


@needs_cuda
@pytest.mark.parametrize("student", [table_student, lambda: own_net(device=DEVICE)])
def test_what_is_left_answers_on_both_devices(student, monkeypatch):
    model = DistilledClassifier(student=student(), device=DEVICE, random_state=0)
    rows = X.astype(np.float32)
    expected = model.fit(rows, Y, soft_targets=SOFT).predict_proba(rows)
    pickled = pickle.dumps(model.fitted_)
    np.testing.assert_array_equal(pickle.loads(pickled).predict_proba(rows), expected)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(DeviceWarning):
        found = pickle.loads(pickled)
    np.testing.assert_allclose(found.predict_proba(rows), expected, atol=1e-6)


class Tokens(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.words, self.head = nn.Embedding(10, 4), nn.Linear(4, n_classes)

    def forward(self, X):
        return self.head(self.words(X).mean(dim=1))


@needs_cuda
def test_the_gpu_computes_on_after_ids_that_an_embedding_has_not():
    model = DistilledClassifier(
        None, StudentNet(Tokens, max_epochs=1), device=DEVICE, random_state=0
    )
    ids = np.random.default_rng(0).integers(10, size=(400, 5))
    with pytest.raises(StudentError, match="num_embeddings=10; expected ids from 0 to 9"):
        model.fit(ids + 1, Y, soft_targets=SOFT)
    model.fit(ids, Y, soft_targets=SOFT)
    with pytest.raises(StudentError, match="num_embeddings=10; expected ids from 0 to 9"):
        model.predict(ids + 1)
    assert model.predict(ids).shape == Y.shape
