"""Long work says how far it is: a bar for who looks on, plain lines in a file."""

import importlib
import inspect
import io
import os
import pickle
import re
import sys

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skdistill import (
    DistillationSearchCV,
    DistilledClassifier,
    MutualClassifier,
    MutualRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.deployment import export, prune
from skdistill.evaluation import (
    bias_variance_decomposition,
    diagnose,
    distillation_report,
    leaderboard,
    learning_curves,
    robustness_curve,
)
from skdistill.targets import teacher_probabilities, teacher_targets

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = (X[:, 0] + RNG.normal(size=80) > 0).astype(int)
ALL = (X[:60], Y[:60], X[60:], Y[60:])
TREE = LogisticRegression()
MODEL = DistilledClassifier(GaussianNB(), TREE, cv=2, random_state=0)
LOUD = {"verbose": 1}


def small(kind=StudentNet):
    return kind(max_epochs=3, module__hidden_units=(8,))


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
    "MutualClassifier": lambda: MutualClassifier([small(), small()], random_state=0, **LOUD).fit(
        X, Y
    ),
    "MutualRegressor": lambda: MutualRegressor(
        [small(StudentNetRegressor), small(StudentNetRegressor)], random_state=0, **LOUD
    ).fit(X, Y),
}
LINE = re.compile(r"\[(\w+)\] (.+): (\d+) of (\d+)( fits| epochs)?, [\d.]+ s(, about \d+ s left)?")


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
    assert len(found) < 4 or "left" in found[-2][0]


def test_what_asks_a_teacher_says_how_far_that_is(tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    teacher = GaussianNB().fit(X[:60], Y[:60])
    model = DistilledClassifier(teacher, TREE).fit(X[:60], Y[:60])
    asked = {
        "teacher_probabilities": lambda **kw: teacher_probabilities(teacher, X[60:], [0, 1], **kw),
        "export": lambda **kw: export(model, tmp_path / f"{kw}", X=X[60:], **kw),
    }
    for name, ask in asked.items():
        ask()
        assert capsys.readouterr().out == "", name
        ask(**LOUD)
        assert capsys.readouterr().out.startswith("[skdistill] teacher: 20 of 20 rows"), name
    np.testing.assert_array_equal(
        *(asked["teacher_probabilities"](verbose=verbose) for verbose in (0, 1))
    )


def test_students_that_teach_each_other_are_the_same_ones(capsys):
    quiet, loud = (
        MutualClassifier([small(), small()], random_state=0, verbose=verbose).fit(X, Y)
        for verbose in (0, 1)
    )
    assert "3 of 3 epochs" in capsys.readouterr().out
    np.testing.assert_array_equal(loud.predict_proba(X), quiet.predict_proba(X))


@pytest.mark.changes_global_rng  # by a student alone, which has no seed
def test_what_is_pruned_says_which_epoch_it_is(capsys):
    model = DistilledClassifier(GaussianNB(), small(), cv=2, random_state=0).fit(X, Y)
    quiet = prune(model, X, Y, max_epochs=2)
    assert capsys.readouterr().out == ""
    loud = prune(model, X, Y, max_epochs=2, **LOUD)
    out = capsys.readouterr().out
    assert "teacher: 2 of 2 folds" in out and "student: 2 of 2 epochs" in out
    np.testing.assert_array_equal(loud.predict_proba(X), quiet.predict_proba(X))
    assert loud.verbose == loud.student_.verbose == 0  # it goes on as quiet as it was
    alone = prune(model.student_, X.astype(np.float32), Y, max_epochs=1, **LOUD)
    assert "student: 1 of 1 epochs" in capsys.readouterr().out and alone.verbose == 0


MUCH = {
    "prune": lambda: prune(MODEL, X, Y, verbose="much"),
    "export": lambda: export(MODEL, "bundle", X=X, verbose="much"),
    "teacher_probabilities": lambda: teacher_probabilities(TREE, X, [0, 1], verbose="much"),
    "MutualClassifier": lambda: MutualClassifier([small(), small()], verbose="much").fit(X, Y),
}


@pytest.mark.parametrize("owner", MUCH)
def test_words_in_place_of_how_much_to_say_are_refused(owner, refused):
    refused(ValueError, MUCH[owner], f"'verbose' parameter of {owner} must be.*Got 'much'")


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


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_time_that_is_left_does_not_count_the_start(n_jobs, capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    class Slow(GaussianNB):
        """The first fits import and compile."""

        def fit(self, X, y, sample_weight=None):
            now[0] += 3 if now[0] > 50 * (n_jobs or 1) - 1 else 50
            return super().fit(X, y, sample_weight)

    with parallel_config("threading"):
        teacher_targets(Slow(), X, Y, cv=5, n_jobs=n_jobs, random_state=0, verbose=1)
    line = r"(\d) of 5 folds, [\d.]+ s(?:, about (\d+) s left)?\n"
    left = {int(n): seconds for n, seconds in re.findall(line, capsys.readouterr().out)}
    assert len(left) > 1 and left[5] == ""
    assert {left[n] for n in left if n <= (n_jobs or 1)} == {""}
    if n_jobs is None:  # threads are over in any order
        assert [left[n] for n in (2, 3, 4)] == ["9", "6", "3"]


def test_an_epoch_is_a_line_only_for_who_asks(capsys):
    for verbose in (1, 2):
        model = DistilledClassifier(GaussianNB(), small(), cv=2, random_state=0, verbose=verbose)
        pickle.loads(pickle.dumps(model.fit(X, Y))).predict(X)
        out = capsys.readouterr().out
        assert ("student: 3 of 3 epochs" in out) == (verbose == 1)
        assert ("train_loss" in out) == (verbose == 2)


@pytest.mark.changes_global_rng
def test_a_training_that_goes_on_counts_its_own_epochs(capsys):
    student = small().set_params(verbose=1).partial_fit(X.astype(np.float32), Y)
    student.partial_fit(X.astype(np.float32), Y)
    assert capsys.readouterr().out.count("student: 3 of 3 epochs") == 2


@pytest.mark.changes_global_rng
def test_epochs_have_colours_where_somebody_looks_on_alone(monkeypatch):
    outs = []
    for shown in (io.StringIO(), Terminal()):
        monkeypatch.setattr(sys, "stdout", shown)
        StudentNet(max_epochs=1, verbose=2).fit(X.astype(np.float32), Y)
        outs.append(shown.getvalue())
    assert ["\x1b[" in out for out in outs] == [False, True]
    assert "train_loss" in outs[0]


# The public names

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
MODULES = ("", ".evaluation", ".targets", ".model_selection", ".deployment", ".teachers")
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
    assert {"MutualClassifier", "MutualRegressor", "export", "prune"} <= loud
    assert long <= loud


def test_what_draws_has_random_state():
    draws = {"n_rounds", "n_repeats", "n_iter", "n_seeds", "n_jobs"}
    for name, taken in public():
        if taken & draws and "verbose" in taken and name != "label_dataset":
            assert "random_state" in taken or taken & SEEDED_BY_MODEL, name


class Unsized(Terminal):
    """The standard output of a process whose terminal has no size."""

    def fileno(self):
        return self.own[1]


def test_a_terminal_without_a_size_gets_a_bar_too(monkeypatch):
    pty = pytest.importorskip("pty")  # there is none on Windows
    shown = Unsized()
    shown.own = pty.openpty()
    monkeypatch.setattr(sys, "stdout", shown)
    learning_curves(MODEL, X, Y, cv=2, train_sizes=[20, 30], verbose=1)
    for end in shown.own:
        os.close(end)
    assert "100%" in shown.getvalue()
