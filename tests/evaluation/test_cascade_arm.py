"""The cascade as an arm of the report: the one that `deployment` makes, at no further asking."""

from collections import Counter

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.deployment import TunedCascadeClassifier
from skdistill.evaluation import _shipped, distillation_report
from skdistill.evaluation._report import _html
from skdistill.teachers import CallableTeacher

X, POSITIONS = make_classification(
    2600, 6, n_informative=5, n_redundant=0, class_sep=1.2, flip_y=0.02, random_state=0
)
Y = np.array(["no", "yes"])[POSITIONS]
ROWS = (X[:300], Y[:300], X[300:600], Y[300:600])
HELD_BACK = (X[600:], Y[600:])
TIMES = {"n_bytes", "us_per_row", "us_single_row", "fit_seconds"}


def recipe(teacher=None):
    teacher = GaussianNB() if teacher is None else teacher
    return DistilledClassifier(teacher, DecisionTreeClassifier(max_leaf_nodes=24), random_state=0)


@pytest.fixture(scope="module")
def model():
    return recipe().fit(*ROWS[:2])


@pytest.fixture(scope="module")
def report(model):
    return distillation_report(model, *ROWS, cascade=HELD_BACK)


def by_arm(report):
    return {row["arm"]: row for row in report.rows}


def test_it_is_the_tuned_cascade_of_student_and_teacher(model, report):
    tuned = TunedCascadeClassifier(model, model.teacher_, tolerance=0.005).fit(*HELD_BACK)
    np.testing.assert_allclose(report.probabilities["cascade"], tuned.predict_proba(X[300:600]))
    row = by_arm(report)["cascade"]
    assert row["deferred_share"] == tuned.defers(X[300:600]).mean()
    assert 0 < row["deferred_share"] < 1
    assert row["accuracy"] == pytest.approx(tuned.score(X[300:600], Y[300:600]))


def test_what_it_costs_is_the_student_and_a_share_of_the_teacher(report):
    rows = by_arm(report)
    student, teacher, cascade = (rows[name] for name in ("distilled", "teacher", "cascade"))
    share = cascade["deferred_share"]
    for name in ("us_per_row", "us_single_row"):
        assert cascade[name] == pytest.approx(student[name] + share * teacher[name])
    assert cascade["n_bytes"] == student["n_bytes"] + teacher["n_bytes"]
    assert cascade["fit_seconds"] == student["fit_seconds"]
    assert [rows[name]["deferred_share"] for name in ("teacher", "plain", "distilled")] == [1, 0, 0]


def test_the_other_arms_are_what_they_are_without_it(model, report):
    alone = distillation_report(model, *ROWS)
    assert list(by_arm(report)) == [*by_arm(alone), "cascade"]
    for row in alone.rows:
        there = by_arm(report)[row["arm"]]
        assert "deferred_share" not in row
        np.testing.assert_equal(
            {name: there[name] for name in row if name not in TIMES},
            {name: row[name] for name in row if name not in TIMES},
        )
    assert {entry["comparison"] for entry in alone.intervals} == {
        entry["comparison"] for entry in report.intervals
    } - {"cascade - teacher"}


def test_no_test_label_is_seen(model, report):
    turned = distillation_report(model, *ROWS[:3], ROWS[3][::-1], cascade=HELD_BACK)
    found, expected = (one.probabilities["cascade"] for one in (turned, report))
    np.testing.assert_array_equal(found, expected)


def test_its_interval_is_that_of_cascade_minus_teacher(report):
    right = {
        name: report.probabilities[name].argmax(axis=1) == report.y_index
        for name in ("cascade", "teacher")
    }
    (entry,) = (
        entry
        for entry in report.intervals
        if (entry["comparison"], entry["metric"]) == ("cascade - teacher", "accuracy")
    )
    difference = right["cascade"].mean() - right["teacher"].mean()
    assert entry["difference"] == pytest.approx(difference)
    assert entry["low"] <= difference <= entry["high"]


def test_the_faces_show_it_and_give_it_no_star(report, tmp_path, monkeypatch):
    monkeypatch.setattr(_html, "draw_pictures", lambda report: None)
    share = by_arm(report)["cascade"]["deferred_share"]
    lines = [line for line in str(report).splitlines() if line.startswith("cascade ")]
    assert len(lines) == 3 and not any("*" in line for line in lines)
    assert f"{share:.3f}" in lines[1]
    said = f"The cascade hands {100 * share:.1f} % of the rows to the teacher."
    report.to_html(tmp_path / "report.html")
    for face in (report.verdict, report._repr_html_(), (tmp_path / "report.html").read_text()):
        assert said in face and "A thousand rows take it " in face
    assert report.settings["data"]["rows of the cascade"] == len(HELD_BACK[1])
    assert max(map(len, str(report).splitlines())) <= 110


def test_each_test_set_has_its_own_share(model):
    tests = {"near": X[300:600], "far": X[300:600] + 3.0}
    labels = dict.fromkeys(tests, Y[300:600])
    reports = distillation_report(model, *ROWS[:2], tests, labels, cascade=HELD_BACK)
    tuned = TunedCascadeClassifier(model, model.teacher_, tolerance=0.005).fit(*HELD_BACK)
    shares = {name: by_arm(reports[name])["cascade"]["deferred_share"] for name in tests}
    assert shares == {name: tuned.defers(rows).mean() for name, rows in tests.items()}
    assert shares["near"] != shares["far"]
    for name, share in shares.items():
        assert f"hands {100 * share:.1f} % of the rows" in reports[name].verdict


class Asked:
    """A teacher behind a function, and the rows that it was asked about."""

    def __init__(self):
        self.model = LogisticRegression().fit(*HELD_BACK)
        self.rows = []

    def __call__(self, rows):
        self.rows += [row.tobytes() for row in np.asarray(rows)]
        return self.model.predict_proba(rows)


def test_the_teacher_is_asked_once_about_each_row_that_chooses_or_is_tested(monkeypatch):
    # To be timed a teacher has to be asked.
    monkeypatch.setattr(_shipped, "prediction_times", lambda *_: (np.nan, np.nan))
    asked = Asked()
    teacher = CallableTeacher(asked, classes=["no", "yes"])
    distillation_report(recipe(teacher), *ROWS, cascade=HELD_BACK, n_seeds=2)
    times = Counter(asked.rows)
    assert {times[row.tobytes()] for row in X[300:]} == {1}
