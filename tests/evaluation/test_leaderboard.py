"""Many students of one teacher: their scores, their costs, the fronts, and refusals."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import pyplot
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import make_classification, make_friedman1
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, r2_score, root_mean_squared_error
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import Leaderboard, LeaderboardDisplay, leaderboard
from skdistill.exceptions import StudentError, TeacherWarning

X, Y = make_classification(240, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0)
NAMES = np.array(["fox", "hen", "owl"])[Y]
ROWS = (X[:160], NAMES[:160], X[160:], NAMES[160:])
STUDENTS = {
    "tree": DecisionTreeClassifier(max_leaf_nodes=6),
    "linear": LogisticRegression(),
    "net": StudentNet(module__hidden_units=(4,), max_epochs=2),
}
NUMBERS = make_friedman1(200, n_features=6, noise=0.5, random_state=0)
NUMBER_ROWS = tuple(part[half] for half in (slice(120), slice(120, None)) for part in NUMBERS)


@pytest.fixture(autouse=True)
def no_figures():
    yield
    pyplot.close("all")


class Counted(RandomForestClassifier):
    """A forest that counts its fits and the rows that it is asked about."""

    fits, asked = 0, 0

    def fit(self, X, y, sample_weight=None):
        Counted.fits += 1
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        Counted.asked += len(X)
        return super().predict_proba(X)


def recipe(teacher=None, **settings):
    teacher = RandomForestClassifier(20, max_depth=4) if teacher is None else teacher
    return DistilledClassifier(teacher, **{"random_state": 3, "cv": 3, **settings})


@pytest.fixture(scope="module")
def board():
    return leaderboard(recipe(), *ROWS, students=STUDENTS)


def numbers(result):
    """The scores of a board by student and arm."""
    keys = ("log_loss", "accuracy", "rmse", "r2")
    return {
        (row["student"], row["arm"]): [row[key] for key in keys if key in row]
        for row in result.rows
    }


# The table.


def test_the_rows_are_fits_of_the_model_with_each_student(board):
    X_train, y_train, X_test, y_test = ROWS
    expected = {}
    for name, student in STUDENTS.items():
        model = recipe().set_params(student=student)
        for arm, alpha in (("plain", 0), ("distilled", 0.5)):
            fitted = clone(model).set_params(alpha=alpha).fit(X_train, y_train)
            expected[name, arm] = fitted
            shown = board.models[name, arm]
            np.testing.assert_allclose(shown.predict_proba(X), fitted.predict_proba(X), rtol=1e-6)
    teacher = expected["tree", "distilled"].teacher_
    expected["teacher", "teacher"] = teacher
    found = numbers(board)
    assert found.keys() == expected.keys()
    for key, model in expected.items():
        scores = (
            log_loss(y_test, model.predict_proba(X_test)),
            accuracy_score(y_test, model.predict(X_test)),
        )
        np.testing.assert_allclose(found[key], scores, rtol=1e-6)


def test_rows_are_sorted_and_hold_what_is_promised(board):
    losses = [row["log_loss"] for row in board.rows]
    assert losses == sorted(losses)
    assert len(board.rows) == 1 + 2 * 3
    assert list(board.rows[0]) == [
        *("student", "arm", "log_loss", "accuracy", "us_per_row", "us_single_row"),
        *("n_bytes", "fit_seconds", "front"),
    ]
    assert all(row["us_per_row"] > 0 and row["n_bytes"] > 0 for row in board.rows)
    assert all(row["fit_seconds"] > 0 for row in board.rows)


@pytest.mark.parametrize("cost, name", [("us_per_row", "time"), ("n_bytes", "size")])
def test_the_front_is_what_nobody_beats(board, cost, name):
    def beats(one, other):
        pairs = [(one[key], other[key]) for key in ("log_loss", cost)]
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    for row in board.rows:
        beaten = any(beats(other, row) for other in board.rows)
        assert (name in row["front"].split(", ")) is not beaten
    front = board.front(cost)
    assert front and board.rows[0] in front
    assert [row[cost] for row in front] == sorted(row[cost] for row in front)
    losses = [row["log_loss"] for row in front]
    assert losses == sorted(losses, reverse=True)


def test_it_prints_and_is_a_frame(board):
    text = repr(board)
    assert text.startswith("Leaderboard: 80 test rows, 3 students\n")
    assert len(text.splitlines()) == 3 + len(board.rows)
    assert "us per row" in text
    assert board._repr_html_().count("<tr>") == 1 + len(board.rows)
    frame = board.to_frame()
    assert frame["student"].tolist() == [row["student"] for row in board.rows]
    assert isinstance(board, Leaderboard)


def test_the_models_are_ready_to_ship(board):
    model = board.models["tree", "distilled"]
    assert model.teacher_ is None
    assert model.predict(X[:3]).shape == (3,)
    assert isinstance(model.student_.estimator_, DecisionTreeClassifier)
    assert set(board.models) == {(s, a) for s in STUDENTS for a in ("plain", "distilled")}


def test_the_teacher_is_asked_once_and_nothing_is_changed():
    Counted.fits, Counted.asked = 0, 0
    model = recipe(Counted(20, max_depth=3, random_state=0))
    before, given = repr(model), {"tree": clone(STUDENTS["tree"]), "linear": LogisticRegression()}
    leaderboard(model, *ROWS, students=given, n_seeds=2)
    assert Counted.fits == 3 + 1
    assert repr(model) == before
    assert not hasattr(given["tree"], "tree_")


@pytest.mark.slow
def test_several_seeds():
    students = {"tree": DecisionTreeClassifier(max_features=2, max_leaf_nodes=6)}
    one = leaderboard(recipe(), *ROWS, students=students, n_seeds=2)
    rows = {(row["student"], row["arm"]): row for row in one.rows}
    assert np.isnan(rows["teacher", "teacher"]["log_loss_std"])
    alone = [
        leaderboard(recipe(random_state=3 + i), *ROWS, students=students).models for i in range(2)
    ]
    losses = [log_loss(ROWS[3], m["tree", "plain"].predict_proba(ROWS[2])) for m in alone]
    row = rows["tree", "plain"]
    found = row["log_loss"], row["log_loss_std"]
    np.testing.assert_allclose(found, [np.mean(losses), np.std(losses, ddof=1)])
    assert "± " in repr(one)


def test_numbers():
    X_train, y_train, X_test, y_test = NUMBER_ROWS
    model = DistilledRegressor(RandomForestRegressor(10), random_state=0, cv=3)
    students = {"tree": DecisionTreeRegressor(max_leaf_nodes=8), "linear": LinearRegression()}
    board = leaderboard(model, *NUMBER_ROWS, students=students)
    assert board.loss == "rmse"
    found = numbers(board)
    for name, student in students.items():
        for arm, alpha in (("plain", 0), ("distilled", 0.5)):
            fitted = clone(model).set_params(student=student, alpha=alpha).fit(X_train, y_train)
            answer = fitted.predict(X_test)
            expected = [root_mean_squared_error(y_test, answer), r2_score(y_test, answer)]
            np.testing.assert_allclose(found[name, arm], expected)
    display = LeaderboardDisplay(board).plot(cost="n_bytes")
    assert display.ax_.get_ylabel() == "test root mean squared error"


@pytest.mark.parametrize("regresses", [False, True])
@pytest.mark.slow_except("False")
def test_without_students_there_is_one_of_each_kind(regresses):
    rows = [part[:60] for part in (NUMBER_ROWS if regresses else ROWS)]
    kind = DistilledRegressor if regresses else DistilledClassifier
    forest = RandomForestRegressor if regresses else RandomForestClassifier
    board = leaderboard(kind(forest(20, max_depth=3), random_state=0, cv=2), *rows)
    kinds = {row["student"] for row in board.rows}
    assert kinds == {"teacher", "linear", "tree", "boosting", "soft tree", "net"}


def test_boosted_trees_are_among_the_students():
    lightgbm = pytest.importorskip("lightgbm")
    students = {"lightgbm": lightgbm.LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)}
    board = leaderboard(recipe(temperature=2), *ROWS, students=students)
    assert board.models["lightgbm", "distilled"].temperature_ == 2


def test_a_teacher_that_knows_its_rows_by_heart_is_warned_of():
    teacher = RandomForestClassifier(20, random_state=0).fit(*ROWS[:2])
    with pytest.warns(TeacherWarning, match="has memorised the rows that it teaches"):
        one = leaderboard(recipe(teacher, cv=None), *ROWS, students={"tree": STUDENTS["tree"]})
    assert one.title == "Leaderboard: 80 test rows, 1 student"


# The picture.


def test_the_picture_shows_every_row_and_the_front(board):
    display = LeaderboardDisplay(board).plot()
    ax = display.ax_
    points = {
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in ax.lines
        if len(line.get_xdata()) == 1
    }
    assert points == {(row["us_per_row"], row["log_loss"]) for row in board.rows}
    (front,) = (line for line in ax.lines if line.get_label() == "front")
    shown = [(row["us_per_row"], row["log_loss"]) for row in board.front()]
    assert list(zip(*front.get_data(), strict=True)) == shown
    # It goes on to the edges: nothing is cheaper than its first, and nothing better than its last.
    up, right = (
        line for line in ax.lines if line.get_label().startswith("_child") and line.get_lw() == 4
    )
    assert up.get_xydata().tolist() == [list(shown[0]), [shown[0][0], ax.get_ylim()[1]]]
    assert right.get_xydata().tolist() == [list(shown[-1]), [ax.get_xlim()[1], shown[-1][1]]]
    assert (ax.get_xlabel(), ax.get_xscale()) == ("time per row in a batch (µs)", "log")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(labels) == sorted([*STUDENTS, "front", "teacher", "hollow: on labels alone"])
    assert len(display.frame()) == len(board.rows)


# Refusals.


class Untouched(RandomForestClassifier):
    """A teacher that must not be fitted."""

    def fit(self, X, y, sample_weight=None):
        pytest.fail("the teacher was fitted before the refusal")


def attempt(**changes):
    given = dict(zip(("X_train", "y_train", "X_test", "y_test"), ROWS, strict=True))
    given |= {"model": recipe(Untouched()), "students": {"tree": STUDENTS["tree"]}, **changes}
    return functools.partial(leaderboard, **given)


SPARSE = {"X_train": sparse.csr_matrix(ROWS[0]), "X_test": sparse.csr_matrix(ROWS[2])}
# fmt: off
REFUSED = {
    "a list of students": (TypeError, attempt(students=[STUDENTS["tree"]]),
                           "must be a dict of names and students. Got .*pass students="),
    "numbers for names": (TypeError, attempt(students={1: STUDENTS["tree"]}),
                          "must be a dict of names and students. Got {1: .*pass students="),
    "no students": (ValueError, attempt(students={}), "is empty; expected one.*Pass students="),
    "a second teacher": (ValueError, attempt(students={"teacher": None}),
                         "called 'teacher'.*expected another name. Rename"),
    "none for sparse rows": (ValueError, attempt(students=None, **SPARSE),
                             r"shape \(160, 6\) and is sparse; expected a dict.*Pass students="),
    "a student without weights": (StudentError, attempt(students={"k": KNeighborsClassifier()}),
                                  "takes no sample_weight.*expected one that does.*Or give"),
    "no student at all": (StudentError, attempt(students={"x": 3}), "The student is 3; expected"),
    "a loss that a tree cannot hear": (StudentError, attempt(model=recipe(Untouched(), loss="dkd")),
                                       "cannot learn with loss=.*Expected loss='kd'"),
    "generated rows": (ValueError, attempt(model=recipe(Untouched(), augment="munge")),
                       "leaderboard compares students on the same rows, and augment=.*pass"),
    "views": (ValueError, attempt(students={"net": StudentNet(views="mixup")}),
              "leaderboard asks the teacher once.*pass a model"),
    "no distilled model": (TypeError, attempt(model=STUDENTS["tree"]),
                           "'model' parameter of leaderboard must be.*Got DecisionTreeClassifier"),
    "no teacher": (ValueError, attempt(model=DistilledClassifier()), "needs a teacher.*Pass"),
    "no seeds": (ValueError, attempt(n_seeds=0), r"'n_seeds'.*\[1, inf\). Got 0"),
    "no workers": (ValueError, attempt(n_jobs=0), "'n_jobs' parameter of leaderboard.*Got 0"),
    "an unknown label": (ValueError, attempt(y_test=np.full(80, "cat")), "y_test does not fit"),
    "other columns": (ValueError, attempt(X_test=ROWS[2][:, :4]), r"shape \(6,\).*\(4,\); pass"),
    "a front of nothing": (ValueError, lambda: LEAST.front("price"),
                           "'cost' parameter of Leaderboard.front must be one of.*Got 'price'"),
}
# fmt: on
LEAST = leaderboard(recipe(), *ROWS, students={"tree": STUDENTS["tree"]})


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_a_note_names_the_student():
    with pytest.raises(StudentError) as refusal:
        attempt(students={"tree": STUDENTS["tree"], "k": KNeighborsClassifier()})()
    assert refusal.value.__notes__ == ["This was found with the student 'k'."]


def test_one_great_loss_does_not_squash_the_others(board):
    assert LeaderboardDisplay(board).plot().ax_.get_yscale() == "linear"
    rows = [dict(row) for row in board.rows]
    rows[-1]["log_loss"] = 20.0
    assert LeaderboardDisplay(replace(board, rows=rows)).plot().ax_.get_yscale() == "log"
