"""What all comparisons share: finished fits are kept, fits run side by side, progress is told."""

import copy
import re
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNetClassifier
from skorch.callbacks import EarlyStopping, LRScheduler
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import (
    bias_variance_decomposition,
    capacity_curve,
    compare,
    distillation_report,
    label_budget_curve,
    leaderboard,
    learning_curves,
    temperature_alpha_map,
)
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP

Y = np.arange(120) % 2
X = np.random.default_rng(0).normal(size=(120, 2)) + 1.5 * Y[:, None]
TEST = (X[:80], Y[:80], X[80:], Y[80:])
FROZEN = FrozenEstimator(GaussianNB().fit(X[:80], Y[:80]))
TIMES = ("us_per_row", "us_single_row", "fit_seconds", "front")  # what the clock says


class Teacher(GaussianNB):
    """Counts the fits of all its clones."""

    fits = 0

    def fit(self, X, y, sample_weight=None):
        Teacher.fits += 1
        return super().fit(X, y)


def recipe(teacher=None, **settings):
    student = DecisionTreeClassifier(max_depth=2, random_state=0)
    teacher = Teacher() if teacher is None else teacher
    return DistilledClassifier(teacher, student, **{"cv": 2, "random_state": 0, **settings})


def rows_of(result, without=TIMES):
    """The numbers of a result but for its times."""
    return [{k: v for k, v in row.items() if not k.startswith(without)} for row in result.rows]


def arms(model):
    return {"a": model, "b": DecisionTreeClassifier(max_depth=1), "c": model.set_params(alpha=0.9)}


CALLS = {
    "report": lambda model, **s: distillation_report(model, *TEST, n_seeds=2, **s),
    "learning curves": lambda model, **s: learning_curves(
        model, X, Y, train_sizes=[30, 60], cv=2, **s
    ),
    "label budget": lambda model, **s: label_budget_curve(model, X, Y, budgets=[30, 60], cv=2, **s),
    "capacity": lambda model, **s: capacity_curve(model, X, Y, param_range=[2, 4], cv=2, **s),
    "map": lambda model, **s: temperature_alpha_map(
        model, X, Y, temperatures=[1], alphas=[0, 0.3, 0.5], cv=2, **s
    ),
    "leaderboard": lambda model, **s: leaderboard(
        model, *TEST, students={str(n): DecisionTreeClassifier(max_depth=n) for n in (1, 2)}, **s
    ),
    "decomposition": lambda model, **s: bias_variance_decomposition(
        model, *TEST, n_rounds=4, random_state=0, **s
    ),
    "compare": lambda model, **s: compare(arms(model), *TEST, n_rounds=4, random_state=0, **s),
}


@pytest.fixture
def students(monkeypatch):
    """Count the fits of students, and interrupt one of them."""

    class Fits(list):
        last = np.inf

    fits, fit = Fits(), DistilledClassifier.fit

    def counting(model, *args, **given):
        if len(fits) == fits.last:
            raise KeyboardInterrupt
        fits.append(model)
        return fit(model, *args, **given)

    monkeypatch.setattr(DistilledClassifier, "fit", counting)
    return fits


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.slow_except("map", "leaderboard", "decomposition", "compare")
def test_what_was_interrupted_goes_on_where_it_was(name, students, tmp_path):
    call = CALLS[name]
    expected = rows_of(call(recipe()))
    n_fits = len(students)
    students.clear()
    students.last = n_fits - 1
    with pytest.raises(KeyboardInterrupt):
        call(recipe(), memory=str(tmp_path))
    students.clear()
    students.last = np.inf
    Teacher.fits = 0
    np.testing.assert_equal(rows_of(call(recipe(), memory=str(tmp_path))), expected)
    assert 1 <= len(students) < n_fits  # the fits of the last cell
    if name in ("report", "leaderboard"):
        assert Teacher.fits == 0  # it had been fitted and asked
    students.clear()
    Teacher.fits = 0
    np.testing.assert_equal(rows_of(call(recipe(), memory=str(tmp_path))), expected)
    assert (len(students), Teacher.fits) == (0, 0)


def test_what_is_kept_is_known_by_rows_arms_and_seed(students, tmp_path):
    def fits(model=None, X=X, **settings):
        students.clear()
        settings = {"train_sizes": [30, 60], "cv": 2, "memory": str(tmp_path), **settings}
        learning_curves(recipe() if model is None else model, X, Y, **settings)
        return len(students)

    assert fits() == 2 * 2 * 3
    assert fits() == 0
    assert fits(train_sizes=[60, 40]) == 2 * 3  # 40 rows of each split are new
    assert fits(X=X + 1e-9) == 2 * 2 * 3
    assert fits(recipe(random_state=1)) == 2 * 2 * 3
    assert fits(recipe(alpha=0.4)) == 2 * 2 * 3
    assert fits(recipe(FROZEN, cv=None)) == 2 * 2 * 3
    assert fits(recipe(FROZEN, cv=None)) == 0


def test_what_differs_by_its_time_alone_is_kept_with_it(tmp_path):
    first, again = (distillation_report(recipe(), *TEST, memory=str(tmp_path)) for _ in range(2))
    assert [row["fit_seconds"] for row in first.rows] == [row["fit_seconds"] for row in again.rows]


@pytest.mark.parametrize("name", ["report", "decomposition"])
def test_the_number_of_jobs_changes_nothing(name):
    # The bytes of a pickle depend on which of its objects are one, and so on the process.
    without = (*TIMES, "n_bytes")
    one, two = (rows_of(CALLS[name](recipe(), n_jobs=n_jobs), without) for n_jobs in (None, 2))
    np.testing.assert_equal(one, two)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.slow_except("report", "map", "leaderboard", "decomposition")
def test_every_cell_is_told_of_with_the_time_that_is_left(name, capsys):
    CALLS[name](recipe(), verbose=1)
    lines = [line for line in capsys.readouterr().out.splitlines() if " of " in line]
    n_cells = len(lines)
    assert n_cells >= 2
    # A teacher is not like the students; the first of these pays for the start.
    n_first = sum("teacher:" in line for line in lines) + 1
    for number, line in enumerate(lines, 1):
        left = "" if number == n_cells or number <= n_first else r", about \d+ s left"
        assert re.fullmatch(rf"\[\w+\] .+: {number} of {n_cells}, [\d.]+ s{left}", line), line


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.slow_except("report", "map", "leaderboard", "compare")
def test_silence_is_the_default(name, capsys):
    CALLS[name](recipe())
    assert capsys.readouterr().out == ""


def unnamed(**settings):
    return recipe(lambda X: np.full((len(X), 2), 0.5), cv=None, **settings)


REFUSED = {
    **{
        f"{name}: a number as memory": (
            ValueError,
            lambda call=call: call(recipe(), memory=3),
            r"memory is 3; expected None, the name of a folder.*Pass memory=",
        )
        for name, call in CALLS.items()
    },
    "a function as teacher": (
        ValueError,
        lambda: CALLS["label budget"](unnamed(), memory=".nowhere"),
        "is a function and was given with memory.*cache_key",
    ),
    "jobs of a report": (
        ValueError,
        lambda: CALLS["report"](recipe(), n_jobs="all"),
        "'n_jobs' parameter of distillation_report must be an int other than 0.*Got 'all'",
    ),
    "a part that nobody can name": (
        ValueError,
        lambda: CALLS["compare"](recipe(Hidden()), memory=".nowhere"),
        "compare was given memory, and what it compares has no key.*Give that part a name",
    ),
}


class Hidden(GaussianNB):
    """A teacher that no other process can be given."""

    def __init__(self, how=None):
        super().__init__()
        self.how = how

    def __reduce__(self):
        raise TypeError("it is not pickled")


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    refused(*REFUSED[case])


def test_a_map_is_for_classes():
    with pytest.raises(TypeError, match=r"must be a DistilledClassifier. Got DistilledRegressor"):
        temperature_alpha_map(DistilledRegressor(), X, X[:, 0])


class Interrupted(nn.Module):
    """Ctrl-C comes in its third epoch, once."""

    calls, at = 0, 0

    def __init__(self, n_features=6, n_outputs=2):
        super().__init__()
        self.layer = nn.Linear(n_features, n_outputs)

    def forward(self, X):
        Interrupted.calls += self.training
        if Interrupted.calls == Interrupted.at:
            raise KeyboardInterrupt
        return self.layer(X)


@pytest.mark.parametrize("learns", ["targets", "its own teacher"])
def test_ctrl_c_in_a_late_epoch_ends_the_run_and_keeps_no_fit_that_was_cut_short(tmp_path, learns):
    X, y = make_classification(300, 6, random_state=0)
    student = StudentNet(Interrupted, max_epochs=6, batch_size=-1, train_split=None)
    model = DistilledClassifier(RandomForestClassifier(5, random_state=0), student, random_state=0)
    if learns == "targets":
        call = partial(learning_curves, model, X, y, train_sizes=[75, 150], cv=2)
    else:
        call = partial(compare, {"plain": clone(student)}, X, y, X, y, n_rounds=3, random_state=0)
    Interrupted.calls, Interrupted.at = 0, 10**9
    whole = call().rows
    Interrupted.calls, Interrupted.at = 0, Interrupted.calls // 2 + 2
    with pytest.raises(KeyboardInterrupt):
        call(memory=str(tmp_path))
    Interrupted.at = 10**9
    assert call(memory=str(tmp_path)).rows == whole


def frozen(module):
    module = copy.deepcopy(module)
    module[0].requires_grad_(False)
    return module


@pytest.mark.parametrize("other", ["callbacks", "frozen weights"])
def test_a_cell_is_known_by_all_that_trains_its_student(tmp_path, other):
    X, y = make_classification(120, 4, n_informative=3, n_redundant=0, random_state=0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    one = StudentNet(module, max_epochs=6, lr=0.05)
    two = clone(one)
    if other == "callbacks":
        two.set_params(callbacks=[EarlyStopping(patience=1)])
    else:
        two = StudentNet(frozen(module), max_epochs=6, lr=0.05)

    def scores(student, memory):
        model = DistilledClassifier(LogisticRegression(), student, random_state=0)
        cv = [(np.arange(80), np.arange(80, 120))]
        return learning_curves(model, X, y, memory=memory, cv=cv, train_sizes=[40]).rows[-1]

    first = scores(one, str(tmp_path))
    second = scores(two, str(tmp_path))
    assert second == scores(two, None) != first


def test_arms_whose_teachers_train_otherwise_have_teachers_of_their_own():
    X, y = make_classification(120, 4, n_informative=3, n_redundant=0, random_state=0)

    def arm(callbacks):
        net = NeuralNetClassifier(
            MLP, max_epochs=5, lr=0.5, callbacks=callbacks, train_split=None, verbose=0,
            module__n_features=4, module__n_classes=2, classes=[0, 1],
        )  # fmt: skip
        tree = DecisionTreeRegressor(max_depth=3, random_state=0)
        return DistilledClassifier(net, tree, alpha=1.0, cv=2, random_state=0)

    slow = [("schedule", LRScheduler("StepLR", step_size=1, gamma=0.01))]
    settings = {"n_rounds": 3, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TeacherWarning)
        both = compare({"a": arm(None), "b": arm(slow)}, X, y, X, y, **settings)
        alone = compare({"b": arm(slow)}, X, y, X, y, **settings)
    assert both.decompositions["b"].loss == alone.decompositions["b"].loss
    assert both.decompositions["a"].loss != alone.decompositions["b"].loss
