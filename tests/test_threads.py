"""Threads and forks: a fit gives what it gives alone, and nobody waits for it without a reason."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.students import TablePreprocessor
from skdistill.targets import teacher_targets
from skdistill.transfer import View

LONG = 60  # seconds after which a test that hangs gives up
X, Y = make_classification(200, 6, n_informative=4, n_classes=3, random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")


def forest(seed=0):
    return RandomForestClassifier(5, random_state=seed)


def module(dropout=0.0):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 3))


class Drawing:
    """Another thread that draws from torch's own generator for as long as the block runs."""

    def __enter__(self):
        self.drawn, self.stop, self.started = [], threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._draw, daemon=True)
        self.thread.start()
        assert self.started.wait(LONG)
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(LONG)

    def _draw(self):
        while not self.stop.is_set():
            self.drawn.append(torch.rand(3))
            self.started.set()


class Waiting(View):
    """Stop a training in its first batch until it is let go."""

    def __init__(self, reached, released):
        self.reached = reached
        self.released = released

    def __sklearn_clone__(self):
        return self

    def draw(self, n_rows, generator=None):
        self.reached()
        assert self.released()
        return ()

    def apply(self, rows, *drawn):
        return rows


# Our own modules draw from generators of their own

STUDENTS = {
    "default": make_pipeline(TablePreprocessor(), StudentNet(max_epochs=3, batch_size=32)),
    "dropout": StudentNet(module__dropout=0.5, max_epochs=3, batch_size=32),
    "views": StudentNet(views="mixup", max_epochs=3, batch_size=32),
    "an instance": StudentNet(module(), max_epochs=3, batch_size=32),
}


def fit(student, seed=0):
    if isinstance(student, StudentNet) and student.views:
        model = DistilledClassifier(None, student, alpha=0, random_state=seed)
    else:
        model = DistilledClassifier(forest(), student, cv=2, random_state=seed)
    return model.fit(X, Y).predict_proba(X)


@pytest.mark.changes_global_rng
@pytest.mark.parametrize("student", STUDENTS)
def test_a_seed_gives_one_result_whatever_other_threads_draw(student):
    alone = fit(STUDENTS[student])
    with Drawing():
        beside = fit(STUDENTS[student])
    np.testing.assert_array_equal(beside, alone)


@pytest.mark.changes_global_rng
@pytest.mark.parametrize("student", STUDENTS)
def test_what_other_threads_draw_is_what_they_draw_alone(student):
    torch.manual_seed(0)
    with Drawing() as other:
        fit(STUDENTS[student])
    torch.manual_seed(0)
    for drawn in other.drawn:
        assert torch.equal(drawn, torch.rand(3))


def waiting(reached):
    return StudentNet(views=Waiting(reached, lambda: True), max_epochs=3, batch_size=32)


def test_students_are_trained_side_by_side_and_are_what_they_are_alone():
    alone = [fit(waiting(lambda: None), seed) for seed in (1, 2)]
    meeting = threading.Barrier(2)
    met = threading.Event()

    def meet():
        if not met.is_set():  # in the first batch of each
            meeting.wait(LONG)
            met.set()

    student = waiting(meet)
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda seed: fit(student, seed), (1, 2)))
    np.testing.assert_array_equal(together, alone)


def test_regressors_too():
    def fit(seed):
        student = make_pipeline(
            TablePreprocessor(), StudentNetRegressor(max_epochs=3, batch_size=32)
        )
        model = DistilledRegressor(None, student, alpha=0, random_state=seed)
        return model.fit(X, X[:, 0]).predict(X)

    alone = [fit(1), fit(2)]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(fit, (1, 2)))
    np.testing.assert_array_equal(together, alone)


# Rows are asked about while somebody fits


@pytest.fixture
def held_training():
    """Another thread that is in the middle of a fit until the test ends, and holds what it can."""
    started, go_on = threading.Event(), threading.Event()

    class Held(nn.Linear):
        """A module of the user's, which may draw from torch's own generator."""

        def __init__(self):
            super().__init__(6, 3)

        def forward(self, rows):
            if self.training and not go_on.is_set():
                started.set()
                go_on.wait(LONG)
            return super().forward(rows)

    thread = threading.Thread(target=fit, args=(StudentNet(Held, max_epochs=1),), daemon=True)
    thread.start()
    assert started.wait(LONG)
    yield
    assert not go_on.is_set()
    go_on.set()
    thread.join(LONG)
    assert not thread.is_alive()


def ask_module():
    return np.asarray(teacher_targets(module(), X[:1], teacher_classes=[0, 1, 2]))


@pytest.mark.usefixtures("held_training")
@pytest.mark.parametrize("ask", [ask_module, lambda: fit(STUDENTS["dropout"])], ids=["ask", "fit"])
def test_nobody_waits_for_a_fit_of_somebody_elses_module(ask):
    with ThreadPoolExecutor(1) as threads:
        assert np.isfinite(threads.submit(ask).result(LONG)).all()


def test_a_module_that_several_threads_ask_gets_its_mode_back():
    teacher = module(dropout=0.5).train()
    teacher[0].eval()
    asked, go_on = threading.Barrier(3), threading.Event()
    modes = []

    def watch(part, inputs):
        asked.wait(LONG)
        go_on.wait(LONG)
        modes.append(part.training)

    hook = teacher.register_forward_pre_hook(watch)
    with ThreadPoolExecutor(2) as threads:
        replies = [threads.submit(teacher_targets, teacher, X[:1], teacher_classes=[0, 1, 2])
                   for _ in range(2)]  # fmt: skip
        asked.wait(LONG)
        go_on.set()
        first, second = (np.asarray(reply.result(LONG)) for reply in replies)
    hook.remove()
    assert modes == [False, False]
    np.testing.assert_array_equal(first, second)
    assert [part.training for part in teacher.modules()] == [True, False, True, True, True]


# Forks


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
@pytest.mark.usefixtures("held_training")
@pytest.mark.parametrize("student", ["dropout", "of the user"])
def test_a_process_that_was_forked_while_a_thread_fits_fits_too(student):
    context = multiprocessing.get_context("fork")
    replies = context.SimpleQueue()
    chosen = STUDENTS["dropout"] if student == "dropout" else StudentNet(module(0.5), max_epochs=2)

    def work():
        replies.put(fit(chosen))

    child = context.Process(target=work)
    child.start()
    child.join(LONG)
    assert child.exitcode == 0
    if student == "dropout":  # the other one must wait here, where the thread still fits
        np.testing.assert_array_equal(replies.get(), fit(chosen))
