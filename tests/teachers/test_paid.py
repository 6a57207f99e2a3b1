"""A teacher that costs something for each row: a fake API that counts what it is asked."""

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.datasets import load_iris
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.exceptions import TeacherError
from skdistill.teachers import PaidTeacher

X, POSITIONS = load_iris(return_X_y=True)
X, first = np.unique(X, axis=0, return_index=True)
CLASSES = np.array(["setosa", "versicolor", "virginica"])
Y = CLASSES[POSITIONS[first]]
MODEL = LogisticRegression(max_iter=1000).fit(X, Y)
P = MODEL.predict_proba(X)


class Api:
    """Answers as a model does, counts, and fails at some calls."""

    def __init__(self, answer=MODEL.predict_proba, fails=()):
        self.answer = answer
        self.fails = fails
        self.calls = 0
        self.rows = 0

    def __call__(self, rows):
        self.calls += 1
        if self.calls in self.fails:
            raise ConnectionError("no route")
        self.rows += len(rows)
        return self.answer(rows)


def make(ask, folder, **settings):
    return PaidTeacher(ask, folder, classes=CLASSES, **{"wait": 0.0, **settings})


def test_each_row_is_asked_once_and_kept(tmp_path):
    api = Api()
    teacher = make(api, tmp_path, cost_per_row=0.5)
    twice = np.concatenate([X, X[::-1]])
    np.testing.assert_allclose(teacher.predict_proba(twice), np.concatenate([P, P[::-1]]))
    assert (api.rows, api.calls) == (len(X), -(-len(X) // 20))
    assert teacher.spent == 0.5 * len(X)
    again = Api()
    np.testing.assert_array_equal(make(again, tmp_path).predict_proba(X), teacher.predict_proba(X))
    assert again.calls == 0


def test_threads_ask_about_no_row_twice(tmp_path):
    def wait_and_answer(rows):
        time.sleep(0.05)  # the others come meanwhile
        return MODEL.predict_proba(rows)

    api = Api(wait_and_answer)
    teacher = make(api, tmp_path, batch_size=100, cost_per_row=1, budget=len(X))
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(teacher.predict_proba, [X, X, X]))
    assert api.rows == len(X)
    np.testing.assert_allclose(found, [P] * 3)


def test_an_interrupted_labelling_goes_on(tmp_path):
    def interrupted(rows):
        if interrupted.left == 0:
            raise KeyboardInterrupt
        interrupted.left -= 1
        return MODEL.predict_proba(rows)

    interrupted.left = 3
    with pytest.raises(KeyboardInterrupt):
        make(interrupted, tmp_path).predict_proba(X)
    api = Api()
    np.testing.assert_allclose(make(api, tmp_path).predict_proba(X), P)
    assert api.rows == len(X) - 60


def test_a_call_that_fails_is_tried_again_and_what_is_there_stays(tmp_path):
    api = Api(fails={2, 3})
    np.testing.assert_allclose(make(api, tmp_path / "a", retries=2).predict_proba(X), P)
    with pytest.raises(TeacherError, match=r"failed 2 times.*no route.*20 answers are kept"):
        make(Api(fails={2, 3}), tmp_path / "b", retries=1).predict_proba(X)


def test_pauses_grow_and_calls_keep_their_distance(tmp_path, monkeypatch):
    clock = [0.0]
    pauses = []

    def sleep(seconds):
        pauses.append(seconds)
        clock[0] += seconds

    monkeypatch.setattr("skdistill.teachers._paid.time.sleep", sleep)
    monkeypatch.setattr("skdistill.teachers._paid.time.time", lambda: clock[0])
    make(Api(fails={1, 2, 3}), tmp_path / "a", wait=1.0).predict_proba(X[:20])
    assert pauses == [1.0, 2.0, 4.0]
    pauses.clear()
    teacher = make(Api(), tmp_path / "b", rate_limit=30)
    assert teacher.dry_run(X[:60]).seconds == 4.0
    teacher.predict_proba(X[:60])
    assert pauses == [0.0, 2.0, 2.0]
    again = make(Api(), tmp_path / "b", rate_limit=30)
    again.predict_proba(X[:80])
    assert pauses == [0.0, 2.0, 2.0, 2.0]


def test_the_budget_is_compared_before_the_first_question(tmp_path):
    api = Api()
    teacher = make(api, tmp_path, cost_per_row=0.1, budget=3.0)
    plan = teacher.dry_run(X)
    assert (plan.n_rows, plan.n_new, plan.n_affordable) == (len(X), len(X), 30)
    assert plan.cost == pytest.approx(0.1 * len(X))
    with pytest.raises(TeacherError, match=r"enough for 30; expected.*Nobody was asked"):
        DistilledClassifier(teacher, DecisionTreeRegressor()).fit(X, Y)
    assert api.calls == 0
    teacher.predict_proba(X[:30])
    assert teacher.dry_run(X[:31])[1:] == (1, 0.1, pytest.approx(3.0), 0, 0.0)
    with pytest.raises(TeacherError, match="0 of the budget of 3 are left, enough for 0"):
        teacher.predict_proba(X[:31])


ANSWERS = {
    "the first of several": ({"setosa": 0.7}, [0.7, 0.15, 0.15]),
    "two of them": ({"virginica": 0.5, "setosa": 0.3}, [0.3, 0.2, 0.5]),
    "none of them": ({}, [1 / 3, 1 / 3, 1 / 3]),
    "all, not quite one": (dict(zip(CLASSES, [0.5, 0.2, 0.2], strict=True)), [5 / 9, 2 / 9, 2 / 9]),
    "a label": ("versicolor", [0.1, 0.8, 0.1]),
    "a text": ("It is a Virginica, I think.", [0.1, 0.1, 0.8]),
    "a text that names two": ("setosa or virginica", [1 / 3, 1 / 3, 1 / 3]),
    "a text that names none": ("no idea; setosas vary", [1 / 3, 1 / 3, 1 / 3]),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_in_all_forms(name, tmp_path):
    answer, expected = ANSWERS[name]
    teacher = make(lambda rows: [answer] * len(rows), tmp_path, smoothing=0.2)
    np.testing.assert_allclose(teacher.predict_proba(X[:2]), [expected] * 2)


NAMES = [
    (["spam", "not spam"], "Not spam.", [0.1, 0.9]),
    (["spam", "not spam"], "spam, not spam", [0.5, 0.5]),
    ([-1, 1], "-1", [0.9, 0.1]),
    (["C", "C++"], "I say C++!", [0.1, 0.9]),
]


@pytest.mark.parametrize(("classes", "answer", "expected"), NAMES)
def test_a_name_within_a_longer_one_is_not_meant(classes, answer, expected, tmp_path):
    teacher = PaidTeacher(lambda rows: [answer] * len(rows), tmp_path, classes=classes)
    np.testing.assert_allclose(teacher.predict_proba(X[:1]), [expected])


def test_smoothing_holds_for_answers_that_are_kept(tmp_path):
    half = {"setosa": 0.5, "virginica": 0.5}
    make(lambda rows: ["setosa", half], tmp_path).predict_proba(X[:2])
    found = make(Api(), tmp_path, smoothing=0.4).predict_proba(X[:2])
    np.testing.assert_allclose(found, [[0.6, 0.2, 0.2], [0.5, 0, 0.5]])


def test_what_can_be_read_of_a_call_is_kept(tmp_path, refused):
    teacher = make(lambda rows: ["setosa", None, "virginica"][: len(rows)], tmp_path)
    refused(TeacherError, lambda: teacher.predict_proba(X[:3]), r"labels \[None\] came")
    assert teacher.dry_run(X[:3]).n_new == 1
    found = make(lambda rows: ["versicolor"] * len(rows), tmp_path).predict_proba(X[:3])
    assert found.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_folder_from_before_it_named_the_classes(tmp_path, refused):
    make(Api(), tmp_path).predict_proba(X)
    with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as base, base:
        base.execute("DROP TABLE about")
    np.testing.assert_allclose(make(Api(fails={1}), tmp_path).predict_proba(X), P)
    two = PaidTeacher(Api(), tmp_path, classes=["a", "b"])
    refused(TeacherError, lambda: two.dry_run(X), "are about 3 classes, and the classes are")


def test_numbers_as_labels(tmp_path):
    teacher = PaidTeacher(lambda rows: rows[:, 0].astype(int), tmp_path, classes=[0, 1, 2])
    np.testing.assert_allclose(teacher.predict_proba([[2.0]]), [[0.05, 0.05, 0.9]])


def test_a_student_learns_what_was_bought(tmp_path):
    tree = DecisionTreeRegressor(max_depth=3, random_state=0)
    model = DistilledClassifier(make(Api(), tmp_path), tree, random_state=0).fit(X, Y)
    expected = DistilledClassifier(MODEL, tree, random_state=0).fit(X, Y)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=1e-9)
    remembered = DistilledClassifier(make(Api(), tmp_path), tree, memory=str(tmp_path / "m"))
    np.testing.assert_array_equal(remembered.fit(X, Y).predict(X), model.predict(X))


def test_a_table_is_handed_on_as_one(tmp_path):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"text": ["good", "bad", "good"], "n": [1, 2, 1]})
    teacher = PaidTeacher(lambda rows: rows["text"].tolist(), tmp_path, classes=["bad", "good"])
    assert teacher.predict_proba(table).argmax(axis=1).tolist() == [1, 0, 1]
    assert teacher.dry_run(table).n_new == 0
    # A row is known by all that the function can see of it.
    assert teacher.dry_run(table.astype({"n": "float32"})).n_new == 2
    assert teacher.dry_run(table.set_axis(["words", "n"], axis=1)).n_new == 2
    assert teacher.dry_run(table.set_axis([7, 8, 9])).n_new == 0


def test_an_answer_that_tells_no_class_apart_is_right_by_chance(tmp_path):
    def ask(rows):
        texts = {0.0: "No idea.", 1.0: {"a": 0.4, "b": 0.4}, 2.0: "It is c."}
        return [texts[row[0]] for row in rows]

    teacher = PaidTeacher(ask, tmp_path / "answers", classes=["a", "b", "c"])
    assert teacher.audit([[0.0]] * 4, ["a"] * 4).accuracy == pytest.approx(1 / 3)
    assert teacher.audit([[1.0]] * 4, ["a", "b", "c", "c"]).accuracy == pytest.approx(1 / 4)
    assert teacher.audit([[2.0]] * 4, ["a", "c", "c", "c"]).accuracy == pytest.approx(3 / 4)


def test_the_last_row_that_the_budget_buys_is_bought(tmp_path):
    rows = np.arange(263.0)[:, None]
    settings = {"cost_per_row": 0.05, "budget": 263 * 0.05, "batch_size": 263}
    teacher = make(lambda rows: ["setosa"] * len(rows), tmp_path, **settings)
    teacher.predict_proba(rows[:-1])
    assert teacher.spent == 262 * 0.05  # a sum of 262 copies of 0.05 is more
    assert teacher.dry_run(rows).n_affordable == 1
    assert len(teacher.predict_proba(rows)) == 263


def test_the_audit_counts_and_says_how_sure_it_is(tmp_path):
    teacher = make(Api(), tmp_path, cost_per_row=2.0)
    audit = teacher.audit(X[:100], Y[:100])
    n_right = int((MODEL.predict(X[:100]) == Y[:100]).sum())
    assert (audit.n_rows, audit.accuracy, audit.cost) == (100, n_right / 100, 200.0)
    expected = binomtest(n_right, 100).proportion_ci(0.95, "wilson")
    np.testing.assert_allclose(audit.interval, expected, atol=1e-4)
    assert teacher.audit(X[:100], Y[:100]).cost == 0
    with pytest.warns(DataConversionWarning, match="column-vector"):
        assert teacher.audit(X[:100], Y[:100, None]) == audit._replace(cost=0.0)


def test_progress(tmp_path, capsys):
    make(Api(), tmp_path, verbose=1).predict_proba(X[:40])
    said = capsys.readouterr().out.splitlines()[0]
    assert re.fullmatch(r"\[paid teacher\] 1 of 2 calls, \d+\.\d s", said)


def bad(answer):
    return lambda folder: make(lambda rows: answer, folder).predict_proba(X[:2])


def bad_folder(folder, classes):
    """Ask with a folder that another teacher has used; nobody is to be asked."""
    make(Api(), folder).predict_proba(X)
    return PaidTeacher(Api(fails={1}), folder, classes=classes).predict_proba(X)


def no_folder(folder, content):
    """Ask with a file where the folder, or in it the file of answers, is to be."""
    api, place = Api(), folder / "answers.sqlite"
    place.write_bytes(content)
    try:
        return make(api, folder if content else place).predict_proba(X)
    finally:
        assert api.calls == 0


REFUSED = {
    "classes in another order": (
        lambda folder: bad_folder(folder, CLASSES[::-1]),
        r"are about \['setosa'.*expected the same ones in the same order.*another folder",
    ),
    "other classes": (
        lambda folder: bad_folder(folder, ["setosa", "versicolor"]),
        r"and the classes are \['setosa', 'versicolor'\]; expected the same ones",
    ),
    "a file of another kind": (
        lambda folder: no_folder(folder, b"no answers" * 200),
        "cannot keep the answers of a paid teacher.*not a database.*another folder",
    ),
    "a file for a folder": (
        lambda folder: no_folder(folder, b""),
        "cannot keep the answers of a paid teacher.*expected.*that can be written to",
    ),
    "words for probabilities": (bad([{"setosa": "high"}] * 2), "'high'.*expected probabilities"),
    "rows of different lengths": (bad([[0.5, 0.5, 0], [1]]), r"an array of shape \(n_rows, 3\)"),
    "a set": (bad({"setosa", "virginica"}), "gave a set; expected a list"),
    "no labels of an audit": (
        lambda folder: make(Api(), folder).audit(X[:2], None),
        "y is None; expected a label for each row. Pass y",
    ),
    "several labels of an audit": (
        lambda folder: make(Api(), folder).audit(X[:2], [["setosa", "virginica"]] * 2),
        "should be a 1d array",
    ),
    "one text": (bad("setosa"), "gave a str; expected a list with an answer for each of the 2"),
    "too few": (bad(["setosa"]), "gave 1 answers for 2 rows; expected one for each"),
    "another width": (bad(P[:2, :2]), "gave 2 columns for 3 classes"),
    "no probabilities": (bad(3 * P[:2]), "rows that do not sum to one"),
    "more than one": (bad([{"setosa": 1.2}] * 2), "sum to one at most"),
    "logarithms": (bad([{"setosa": -0.2}] * 2), "none negative.*exp"),
    "a stranger in a dict": (bad([{"rose": 0.5}] * 2), "'rose'.*expected.*'setosa'"),
    "a stranger": (bad([7, 7]), r"labels \[7\] came.*'setosa'"),
    "a negative cost": (
        lambda folder: make(Api(), folder, cost_per_row=-1).dry_run(X),
        "'cost_per_row' parameter of PaidTeacher must be",
    ),
    "a class twice": (
        lambda folder: PaidTeacher(Api(), folder, classes=["a", "a"]).dry_run(X),
        "expected two different labels or more",
    ),
    "labels of an audit": (
        lambda folder: make(Api(), folder).audit(X[:2], ["rose", "setosa"]),
        "labels \\['rose'\\] came",
    ),
    "numbers": (
        lambda folder: DistilledRegressor(make(Api(), folder)).fit(X, POSITIONS[first]),
        "tells classes apart",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, tmp_path):
    attempt, message = REFUSED[case]
    refused(ValueError, lambda: attempt(tmp_path), message)
