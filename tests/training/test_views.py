"""Views in training: the same ones for teacher and student, as a loop by hand would do it."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch import nn
from torch.nn.functional import cross_entropy

from skdistill import DistilledClassifier, StudentNet
from skdistill._generators import make_streams
from skdistill._random import draw_seeds
from skdistill.evaluation import distillation_report, learning_curves
from skdistill.evaluation._teaching import takes_targets
from skdistill.exceptions import DistillationWarning, StudentError, TeacherError
from skdistill.losses import HintLoss, kd_divergence
from skdistill.students import ImagePreprocessor
from skdistill.targets._tasks import ClassTask
from skdistill.training._packed import Packed
from skdistill.training._views import _mix_classes
from skdistill.transfer import Flip, Mixup, Shift, View

digits = load_digits()
X = (digits.images[:120] * 15).astype(np.uint8)
Y = digits.target[:120] % 4
X_MORE = (digits.images[120:150] * 15).astype(np.uint8)
WEIGHT = np.random.default_rng(0).uniform(0.5, 1.5, size=len(X))
ALL = ["shift", "flip", "mixup"]

pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


@pytest.fixture(autouse=True)
def own_generator():
    """Nets on their own and draws read torch's generator: seed it, and put it back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


class Flat(nn.Sequential):
    """A linear layer and another for images, its weights from a seed of its own."""

    def __init__(self, n_classes=4, width=12, seed=0, scale=1.0):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            super().__init__(
                nn.Flatten(), nn.Linear(64, width), nn.ReLU(), nn.Dropout(0.0),
                nn.Linear(width, n_classes),
            )  # fmt: skip
        self.scale = scale

    def forward(self, X):
        return super().forward(X * self.scale)


def make_teacher(**settings):
    return Flat(**{"width": 24, "seed": 1, "scale": 1 / 100, **settings})


def own(module=None, **settings):
    plain = {"train_split": None, "callbacks__schedule": None, "callbacks__keep_best": None}
    settings = {"batch_size": 32, "max_epochs": 2, "lr": 0.1, **plain, **settings}
    settings = {"optimizer": torch.optim.SGD, "dtype": "float64", **settings}
    return StudentNet(module or Flat(), **settings)


def scaled(net):
    return make_pipeline(FunctionTransformer(lambda X: X / 16.0), net)


def quick(**settings):
    return make_pipeline(
        ImagePreprocessor(), StudentNet(module__size="tiny", max_epochs=2, **settings)
    )


def weights_of(model):
    student = model.student_ if hasattr(model, "student_") else model
    student = student[-1] if hasattr(student, "steps") else student
    return torch.cat([p.flatten() for p in student.module_.state_dict().values()])


# The loop


def loop(module, teacher, views, alpha, weight, X_more, seed):
    """Train by hand, each term written out, each random number drawn in the same order."""
    n = len(X)
    raw = torch.tensor(np.concatenate([X, X_more]), dtype=torch.float64)
    labels = torch.tensor(np.concatenate([Y, np.zeros(len(X_more), dtype=int)]))
    labelled = torch.arange(len(raw)) < n
    hard = torch.where(labelled, torch.tensor(np.pad(weight, (0, len(X_more)))), 0.0)
    hard = hard / hard[:n].mean()
    soft = torch.where(labelled, hard, 1.0)
    soft = soft / soft.mean()
    share_of_labelled = n / len(raw)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    streams = make_streams(seed, torch.device("cpu"))
    for _ in range(2):
        for index in torch.randperm(len(raw), generator=streams.order).split(32):
            seen, told = raw[index] / 16.0, raw[index]
            share, partner = torch.ones(len(index)), torch.arange(len(index))
            for name in views:
                if name == "shift":
                    drawn = torch.randint(-2, 3, (2, len(index)), generator=streams.views)
                    i = torch.arange(8)
                    seen, told = (
                        torch.stack(
                            [
                                image[(i - a).clamp(0, 7)][:, (i - b).clamp(0, 7)]
                                for image, a, b in zip(rows, *drawn, strict=True)
                            ]
                        )
                        for rows in (seen, told)
                    )
                elif name == "flip":
                    mirrored = torch.rand(len(index), generator=streams.views) < 0.5
                    for rows in (seen, told):
                        rows[mirrored] = rows[mirrored].flip(-1)
                else:
                    share, partner = Mixup().draw(len(index), streams.views)
                    seen, told = (
                        share[:, None, None] * rows + (1 - share[:, None, None]) * rows[partner]
                        for rows in (seen, told)
                    )
            with torch.no_grad():
                answer = teacher(told.float()).double()
            logits = module(seen)
            losses = [cross_entropy(logits, y, reduction="none")
                      for y in (labels[index], labels[index][partner])]  # fmt: skip
            hard_term = share * hard[index] * losses[0]
            hard_term = hard_term + (1 - share) * hard[index][partner] * losses[1]
            soft_weight = share * soft[index] + (1 - share) * soft[index][partner]
            soft_term = soft_weight * kd_divergence(logits, answer, 2.0)
            loss = (1 - alpha) * hard_term.mean() / share_of_labelled + alpha * soft_term.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("views", [["shift"], ["mixup"], ALL], ids=str)
@pytest.mark.parametrize("more", [False, True])
def test_training_is_that_of_a_loop_by_hand(views, alpha, more):
    student, teacher = scaled(own(views=views)), make_teacher()
    model = DistilledClassifier(teacher, student, alpha=alpha, temperature=2.0, random_state=3)
    X_more = X_MORE if more else X_MORE[:0]
    model.fit(X, Y, sample_weight=WEIGHT, X_unlabeled=X_more if more else None)
    expected = Flat().double()
    seed = draw_seeds(3, 4)[2]
    X_more = X_more if alpha > 0 else X_MORE[:0]
    loop(expected, teacher, views, alpha, WEIGHT, X_more, seed)
    wanted = torch.cat([p.detach().flatten() for p in expected.parameters()])
    torch.testing.assert_close(weights_of(model), wanted, atol=2e-6, rtol=0)
    assert not torch.allclose(wanted, weights_of(model.set_params(
        student=scaled(own())).fit(X, Y, sample_weight=WEIGHT)), atol=1e-3)  # fmt: skip


def test_plain_student_is_the_net_alone():
    net = own(views=ALL)
    model = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X / 16.0, Y)
    alone = clone(net)
    rows = alone.prepare(X / 16.0, ClassTask(Y))
    alone.learn([rows], Packed(Y), seed=draw_seeds(0, 4)[2])
    assert torch.equal(weights_of(model), weights_of(alone))


class Nothing(View):
    """A view that draws and changes nothing."""

    def draw(self, n_rows, generator=None):
        return ()

    def apply(self, rows, *drawn):
        return rows


TEACHERS = {
    "module": lambda: make_teacher(),
    "in training mode": lambda: make_teacher().train(),
    "double": lambda: make_teacher().double(),
    "frozen": lambda: FrozenEstimator(make_teacher()),
    "more classes": lambda: make_teacher(n_classes=6),
    "fewer classes": lambda: make_teacher(n_classes=3),
    "net": lambda: own(make_teacher(), max_epochs=1, lr=0.01).fit(X, Y),
    "pipeline": lambda: quick().fit(X, Y),
    "distilled": lambda: DistilledClassifier(student=quick(), alpha=0, random_state=0).fit(X, Y),
    "skorch": lambda: NeuralNetClassifier(
        nn.Sequential(make_teacher(), nn.Softmax(1)), max_epochs=1, verbose=0, train_split=None
    ).fit(X.astype(np.float32), Y),
}


@pytest.mark.parametrize("name", TEACHERS)
@pytest.mark.parametrize("loss", ["kd", "dkd"])
def test_a_view_that_changes_nothing_is_the_training_without(name, loss):
    teacher = TEACHERS[name]()
    columns = {"more classes": [5, 2, 0, 1, 3, 4], "fewer classes": [3, 0, 1]}.get(name)
    models = [
        DistilledClassifier(
            teacher, scaled(own(views=views)), loss=loss, alpha=0.8, teacher_classes=columns,
            temperature=2.0, random_state=0,
        ).fit(X, Y)
        for views in (None, Nothing())
    ]  # fmt: skip
    torch.testing.assert_close(*map(weights_of, models), atol=1e-5, rtol=0)


@pytest.mark.parametrize("activation", [nn.Identity(), nn.Sigmoid()], ids=["logit", "sigmoid"])
def test_a_teacher_of_one_column(activation):
    teacher = nn.Sequential(make_teacher(n_classes=1), activation)
    models = [
        DistilledClassifier(
            teacher, scaled(own(Flat(n_classes=2), views=views)), alpha=1.0, random_state=0
        ).fit(X, Y > 1)
        for views in (None, Nothing())
    ]
    torch.testing.assert_close(*map(weights_of, models), atol=1e-5, rtol=0)


# What stays as it was


def test_teacher_is_asked_in_evaluation_mode_and_left_as_it_was():
    seen = []

    class Watching(Flat):
        def forward(self, X):
            seen.append((self.training, self[3].training, torch.is_grad_enabled()))
            return super().forward(X)

    teacher = Watching(scale=1 / 100)
    teacher.train()
    teacher[3].eval()
    before = copy.deepcopy(teacher.state_dict())
    model = DistilledClassifier(teacher, quick(views=ALL), random_state=0).fit(X, Y)
    assert set(seen) == {(False, False, False)}
    assert len(seen) > 6  # all rows at once, and every batch
    assert teacher.training and not teacher[3].training and teacher[4].training
    assert all(torch.equal(before[name], p) for name, p in teacher.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in teacher.parameters())
    assert b"Watching" not in pickle.dumps(model.student_)


def test_teacher_is_put_back_when_training_fails():
    class Broken(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise RuntimeError("broken")

    teacher = make_teacher().train()
    model = DistilledClassifier(teacher, quick(views=ALL, callbacks=[Broken()]), random_state=0)
    with pytest.raises(RuntimeError, match="broken"):
        model.fit(X, Y)
    assert teacher.training


def test_rows_and_generators_are_left_alone():
    rows, state = X.copy(), torch.get_rng_state()
    DistilledClassifier(make_teacher(), quick(views=ALL), random_state=0).fit(rows, Y)
    assert np.array_equal(rows, X)
    assert torch.equal(torch.get_rng_state(), state)


def test_same_seed_same_student():
    model = DistilledClassifier(make_teacher(), quick(views=ALL), random_state=5)
    first, second = (weights_of(clone(model).fit(X, Y)) for _ in range(2))
    other = weights_of(clone(model).set_params(random_state=6).fit(X, Y))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_held_back_rows_are_seen_as_they_are():
    shapes = []

    class Recorded(Flat):
        def forward(self, rows):
            if not self.training:
                shapes.append(rows.clone())
            return super().forward(rows)

    net = own(Recorded(), views=[Shift(3)], train_split=StudentNet().train_split)
    scaled_rows = torch.tensor(X / 16.0)
    DistilledClassifier(make_teacher(), net, random_state=0).fit(X / 16.0, Y)
    for rows in shapes:
        assert all((row == scaled_rows).flatten(1).all(1).any() for row in rows)


def test_the_slow_way_of_skorch_sees_the_same_views():
    class Listening(Callback):
        def on_batch_end(self, net, **kwargs):
            pass

    fits = [
        weights_of(
            DistilledClassifier(
                make_teacher(), scaled(own(views=ALL, callbacks=callbacks)), random_state=0
            ).fit(X, Y)
        )
        for callbacks in ([], [Listening()])
    ]
    torch.testing.assert_close(*fits, atol=1e-12, rtol=0)


# What goes together, and what does not


def test_bytes_stay_bytes_in_the_packed_targets():
    kept = []

    class Kept(Callback):
        def on_epoch_begin(self, net, dataset_train, **kwargs):
            kept.append(dataset_train.dataset.y["teacher_rows"])

    net = quick(views="flip", callbacks=[Kept()])
    DistilledClassifier(make_teacher(), net, random_state=0).fit(X, Y, X_unlabeled=X_MORE)
    assert kept[0].dtype == torch.uint8 and kept[0].shape == (150, 8, 8)


def test_unlabelled_rows_of_another_number_type():
    student = make_pipeline(ImagePreprocessor(), own(views="flip"))
    models = [
        DistilledClassifier(make_teacher(), student, random_state=0).fit(
            X, Y, X_unlabeled=X_MORE.astype(dtype)
        )
        for dtype in (np.uint8, np.float64)
    ]
    torch.testing.assert_close(*map(weights_of, models), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float64, ">f4", np.float16])
def test_images_of_any_number_type(dtype):
    rows = X.astype(dtype)[:, :, ::-1]
    model = DistilledClassifier(make_teacher(), quick(views=ALL), random_state=0).fit(rows, Y)
    assert model.predict(rows).shape == Y.shape


def test_mixup_of_a_table():
    table, labels = pd.DataFrame(X.reshape(-1, 64) / 16.0).add_prefix("pixel"), Y
    teacher = make_pipeline(StandardScaler(), StudentNet(max_epochs=1)).fit(table, labels)
    student = make_pipeline(StandardScaler(), StudentNet(max_epochs=1, views="mixup"))
    model = DistilledClassifier(teacher, student, random_state=0).fit(table, labels)
    assert model.predict_proba(table).shape == (120, 4)


def test_views_in_a_grid():
    model = DistilledClassifier(make_teacher(), quick(), random_state=0)
    grid = {"student__studentnet__views": [None, ["shift", Mixup(0.2)]]}
    search = GridSearchCV(model, grid, cv=2).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    net = StudentNet(views=Mixup(0.2))
    assert clone(net).views.alpha == 0.2
    net.set_params(**net.get_params())


REFUSALS = {
    "tree": (LogisticRegression(max_iter=2000).fit(X.reshape(-1, 64), Y), {}, TeacherError,
             "views were given with the teacher LogisticRegression, which has no layers"),
    "unfitted": (StudentNet(), {}, TeacherError, "which is not fitted; expected a fitted network"),
    "list": ([make_teacher(), make_teacher()], {}, TeacherError, "a list of 2 teachers"),
    "callable": (lambda X: np.full((len(X), 4), 0.25), {}, TeacherError, "has no layers"),
    "calibrated": (make_teacher(), {"calibrate": True}, ValueError, "calibrate=True was given"),
    "dkd": (make_teacher(), {"loss": "dkd"}, ValueError, "Mixup gives a row two"),
    "features": (make_teacher(), {"feature_losses": [HintLoss("2", "2")]}, ValueError,
                 "read once, from rows as they are"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_before_anything_is_trained(case):
    teacher, settings, error, message = REFUSALS[case]
    model = DistilledClassifier(teacher, quick(views=ALL), random_state=0, **settings)
    rows = X.reshape(-1, 64) if case == "tree" else X
    with pytest.raises(error, match=message):
        model.fit(rows, Y)


def test_soft_targets_are_refused():
    model = DistilledClassifier(student=quick(views=ALL))
    with pytest.raises(ValueError, match="say nothing about changed rows"):
        model.fit(X, Y, soft_targets=np.full((120, 4), 0.25))


def test_rows_that_are_no_images():
    student = make_pipeline(StandardScaler(), StudentNet(views="shift"))
    with pytest.raises(StudentError, match=r"X\.reshape\(-1, height, width\)"):
        student.fit(X.reshape(-1, 64), Y)
    flat = make_pipeline(FunctionTransformer(lambda X: X.reshape(-1, 64)), own(views=[Flip()]))
    with pytest.raises(StudentError, match="the view Flip"):
        DistilledClassifier(make_teacher(), flat).fit(X, Y)
    with pytest.raises(StudentError, match="its rows are sparse"):
        StudentNet(views="mixup").fit(sparse.csr_matrix(X.reshape(-1, 64) / 16.0), Y)
    with pytest.raises(StudentError, match="indices for an embedding"):
        StudentNet(nn.Sequential(nn.Embedding(300, 2), Flat(4)[0], nn.Linear(128, 4)),
                   views="mixup").fit(X.reshape(-1, 64), Y)  # fmt: skip


def test_teacher_of_other_images():
    cut = FunctionTransformer(lambda X: X[:, 1:, 1:])
    module = nn.Sequential(nn.Flatten(), nn.Linear(49, 4))
    teacher = make_pipeline(cut, own(module, max_epochs=1)).fit(X / 16.0, Y)
    with pytest.raises(TeacherError, match=r"reads rows of shape \(7, 7\)"):
        DistilledClassifier(teacher, quick(views="shift")).fit(X / 16.0, Y)


def test_teacher_of_sparse_rows():
    to_sparse = FunctionTransformer(lambda X: sparse.csr_matrix(X.reshape(-1, 64) / 16.0))
    teacher = make_pipeline(to_sparse, StudentNet(max_epochs=1)).fit(X, Y)
    with pytest.raises(TeacherError, match="reads sparse rows"):
        DistilledClassifier(teacher, quick(views="mixup")).fit(X, Y)


def test_a_view_that_the_teacher_cannot_read():
    class Larger(View):
        def draw(self, n_rows, generator=None):
            return ()

        def apply(self, rows, *drawn):
            return rows.repeat_interleave(2, dim=-1)

    with pytest.raises(TeacherError, match=r"cannot read the views \[Larger\(\)\]"):
        DistilledClassifier(make_teacher(), quick(views=Larger())).fit(X, Y)


def test_unknown_view():
    with pytest.raises(ValueError, match="Did you mean 'shift'"):
        DistilledClassifier(make_teacher(), quick(views="shfit")).fit(X, Y)
    with pytest.raises(ValueError, match="Did you mean 'shift'"):
        StudentNet(views="shfit").fit(X / 16.0, Y)


# Reports and comparisons


def test_targets_of_labels_are_mixed_where_nobody_is_asked():
    """Label smoothing of mixed rows is the mixture of the two rows' label smoothing."""
    torch.manual_seed(1)
    t = torch.randn(5, 3).log_softmax(1)
    weight, share = torch.tensor([0.0, 1.0, 2.0, 1.0, 1.0]), torch.rand(5)
    partner = torch.tensor([1, 0, 3, 4, 2])
    packed = {"label": torch.arange(5) % 3, "teacher_logits": t, "soft_weight": weight}
    _mix_classes(packed, share, partner, answered=False)
    logits = torch.randn(5, 3, requires_grad=True)

    def gradient(loss):
        return torch.autograd.grad(loss, logits)[0]

    mixed = packed["soft_weight"] * kd_divergence(logits, packed["teacher_logits"])
    first = share * weight * kd_divergence(logits, t)
    second = (1 - share) * weight[partner] * kd_divergence(logits, t[partner])
    torch.testing.assert_close(gradient(mixed.sum()), gradient((first + second).sum()))


@pytest.mark.slow
def test_report_has_all_arms_with_views():
    teacher = make_pipeline(ImagePreprocessor(), StudentNet(max_epochs=2, batch_size=32)).fit(X, Y)
    model = DistilledClassifier(FrozenEstimator(teacher), quick(views=ALL), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DistillationWarning)
        report = distillation_report(model, X, Y, X_MORE, digits.target[120:150] % 4)
    by_arm = {row["arm"]: row for row in report.rows}
    assert len(by_arm) == 6
    assert all(np.isfinite(row["log_loss"]) for row in by_arm.values())
    distilled = clone(model).fit(X, Y).predict_proba(X_MORE)
    expected = log_loss(digits.target[120:150] % 4, distilled)
    assert by_arm["distilled"]["log_loss"] == pytest.approx(expected, abs=1e-6)


def test_soft_targets_stand_for_no_teacher_of_views():
    model = DistilledClassifier(make_teacher(), quick(), random_state=0)
    assert takes_targets(model)
    model.set_params(student__studentnet__views="flip")
    assert not takes_targets(model)
    with pytest.raises(ValueError, match="say nothing of views"):
        learning_curves(model, X, Y)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA")
@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_cuda_sees_the_same_views(alpha):
    teacher = make_teacher()
    models = [
        DistilledClassifier(
            teacher, scaled(own(views=ALL)), alpha=alpha, device=device, random_state=0
        ).fit(X, Y, sample_weight=WEIGHT, X_unlabeled=X_MORE)
        for device in ("cpu", "cuda")
    ]
    assert next(teacher.parameters()).device.type == "cpu"
    on_cpu, on_cuda = (weights_of(model).cpu() for model in models)
    torch.testing.assert_close(on_cuda, on_cpu, atol=1e-4, rtol=0)
