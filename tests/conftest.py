"""What every test can rely on: one torch thread, and no traces of the tests before it."""

import gc
import os
import re
import signal

import numpy as np
import pytest
import sklearn
import skorch
import torch

from skdistill.evaluation import _cost


def pytest_configure():
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # The tests' nets are too small for a second thread to pay, and one thread is reproducible.
    torch.set_num_threads(1)
    # A report times each arm by up to five calls, and thirty of one row: no test is about that.
    _cost._BATCH_REPEATS = _cost._SINGLE_REPEATS = 1
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.environ.setdefault("KERAS_BACKEND", "torch")  # the one that is there
    gc.disable()  # what is imported and collected stays: looking for garbage in it takes seconds


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark as slow all cases of a test but those that its marker `slow_except` names."""
    named, found = {}, {}
    for item in items:
        marker = item.get_closest_marker("slow_except")
        if marker is None:
            continue
        named[item.originalname, item.path] = set(marker.args)
        found.setdefault((item.originalname, item.path), set()).add(item.callspec.id)
        if item.callspec.id not in marker.args:
            item.add_marker(pytest.mark.slow)
    for test, quick in named.items():
        if len(found[test]) > 1 and not quick <= found[test]:
            raise pytest.UsageError(
                f"{test[0]}: slow_except names {sorted(quick - found[test])}; expected cases of it"
            )


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def sklearn_config_restored():
    """Undo `sklearn.set_config`, metadata routing above all, after each test."""
    with sklearn.config_context():
        yield


@pytest.fixture(autouse=True)
def global_rng_untouched(request):
    """Fail a test that moves the global random state of NumPy or torch, and put it back.

    An unseeded scikit-learn estimator draws from NumPy's, as does `random_state=None`: seed it,
    or mark a test that is about this with `changes_global_rng`.
    """
    numpy_state = np.random.get_state()  # noqa: NPY002 (the legacy state is what is guarded)
    torch_state = torch.get_rng_state()
    yield
    moved = []
    if any(np.any(a != b) for a, b in zip(numpy_state, np.random.get_state(), strict=True)):  # noqa: NPY002
        moved.append("NumPy")
        np.random.set_state(numpy_state)  # noqa: NPY002
    if not torch.equal(torch_state, torch.get_rng_state()):
        moved.append("torch")
        torch.set_rng_state(torch_state)
    if moved and request.node.get_closest_marker("changes_global_rng") is None:
        pytest.fail(
            f"The test moved the global random state of {' and '.join(moved)}. Seed whatever drew "
            "from it, or mark the test with changes_global_rng.",
            pytrace=False,
        )


@pytest.fixture
def refused(monkeypatch):
    """Return a check that an attempt is refused before any net is trained, and that it says why.

    A module's table of bad input is a dict of `name: (error, attempt, message)`: the class of the
    error, a function without arguments, and a pattern that asks in turn for what came, what was
    expected and the next step. Where scikit-learn refuses first, its own words are asked for.
    """

    def train(self, *args, **kwargs):
        pytest.fail("the training of a net was reached")

    monkeypatch.setattr(skorch.NeuralNet, "fit_loop", train)

    def check(error, attempt, message):
        with pytest.raises(error) as refusal:
            attempt()
        assert re.search(message, str(refusal.value), re.DOTALL), str(refusal.value)

    return check
