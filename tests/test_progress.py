"""Long work says how far it is: a bar for who looks on, plain lines in a file."""

import importlib
import inspect
import io
import re
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skdistill import DistillationSearchCV, DistilledClassifier, StudentNet
from skdistill.evaluation import (
    bias_variance_decomposition,
    diagnose,
    distillation_report,
    leaderboard,
    learning_curves,
    robustness_curve,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = (X[:, 0] + RNG.normal(size=80) > 0).astype(int)
ALL = (X[:60], Y[:60], X[60:], Y[60:])
TREE = LogisticRegression()
MODEL = DistilledClassifier(GaussianNB(), TREE, cv=2, random_state=0)
LOUD = {"verbose": 1}
CALLS = {
    "distillation_report": lambda: distillation_report(MODEL, *ALL, **LOUD),
    "leaderboard": lambda: leaderboard(MODEL, *ALL, students={"a": TREE}, n_seeds=2, **LOUD),
    "learning_curves": lambda: learning_curves(MODEL, X, Y, cv=2, train_sizes=[20, 30], **LOUD),
    "bias_variance_decomposition": lambda: bias_variance_decomposition(
        MODEL, *ALL, n_rounds=3, random_state=0, **LOUD
    ),
    "diagnose": lambda: diagnose(MODEL, *ALL, **LOUD),
    "robustness_curve": lambda: robustness_curve(
        {"a": LogisticRegression().fit(X, Y)}, X, Y, strengths=[0, 1], random_state=0, **LOUD
    ),
    "skdistill": lambda: DistillationSearchCV(
        MODEL, {"alpha": [0.2, 0.8]}, cv=2, refit=False, **LOUD
    ).fit(X, Y),
}
LINE = re.compile(r"\[(\w+)\] (.+): (\d+) of (\d+)( fits)?, [\d.]+ s(, about \d+ s left)?")


@pytest.mark.parametrize("owner", CALLS)
def test_plain_lines_count_the_whole_up_and_name_their_parts(owner, capsys):
    CALLS[owner]()
    out = capsys.readouterr().out
    assert "\r" not in out and "\x1b" not in out
    found = [match for line in out.splitlines() if (match := LINE.fullmatch(line))]
    assert {match[1] for match in found} == {owner}
    counts = [int(match[3]) for match in found]
    assert counts == sorted(set(counts)) and counts[-1] == int(found[0][4])
    assert "left" not in found[-1][0]
    assert "left" in found[-2][0] or len(found) < 3


class Terminal(io.StringIO):
    """Says that somebody looks on."""

    def isatty(self):
        return True


@pytest.mark.parametrize("tqdm", [True, False])
def test_who_looks_on_gets_one_bar_where_there_is_tqdm(tqdm, monkeypatch):
    if not tqdm:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    shown = Terminal()
    monkeypatch.setattr(sys, "stdout", shown)
    learning_curves(MODEL, X, Y, cv=2, train_sizes=[20, 30], verbose=1)
    out = shown.getvalue()
    assert ("\r" in out) == tqdm
    assert "100%" in out if tqdm else "4 of 4" in out
    assert out.count("\n") == (1 if tqdm else 4)


@pytest.mark.changes_global_rng
def test_epochs_have_colours_where_somebody_looks_on_alone(monkeypatch):
    outs = []
    for shown in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stdout", shown)
        StudentNet(max_epochs=1, verbose=1).fit(X.astype(np.float32), Y)
        outs.append(shown.getvalue())
    assert ["\x1b[" in out for out in outs] == [False, True]
    assert "train_loss" in outs[0]


# The public names

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MODULES = ("", ".evaluation", ".targets", ".model_selection", ".deployment", ".teachers")
SILENT = {"teacher_probabilities": "one question to a fitted teacher"}
SEEDED_BY_MODEL = {"model", "estimator", "models"}


def public():
    for module in MODULES:
        home = importlib.import_module("skdistill" + module)
        for name in home.__all__:
            thing = getattr(home, name)
            if callable(thing):
                try:
                    yield name, set(inspect.signature(thing).parameters)
                except ValueError:  # an error class
                    continue


def test_what_takes_long_has_verbose():
    long = {n for n, taken in public() if taken & {"n_jobs", "memory", "n_repeats"}}
    loud = {n for n, taken in public() if "verbose" in taken}
    assert {"diagnose", "distillation_report", "DistillationSearchCV"} <= loud
    assert long - loud == SILENT.keys()


def test_what_draws_has_random_state():
    draws = {"n_rounds", "n_repeats", "n_iter", "n_seeds", "n_jobs"}
    for name, taken in public():
        if taken & draws and "verbose" in taken and name != "label_dataset":
            assert "random_state" in taken or taken & SEEDED_BY_MODEL, name
