"""How far groups of rows are apart, of teacher and students."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import confusion_matrix, mean_squared_error
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.evaluation import distillation_report

GROUPS = np.array(["a", "b", "c", "a"] * 50)


def report_of(n_classes=2, groups=GROUPS, n_seeds=1):
    X, y = make_classification(
        500, n_informative=6, n_classes=n_classes, flip_y=0.2, random_state=0
    )
    teacher = RandomForestClassifier(20, random_state=0)
    student = DecisionTreeClassifier(max_depth=2)
    model = DistilledClassifier(teacher, student, random_state=0)
    args = X[:300], y[:300], X[300:], y[300:]
    return y[300:], distillation_report(model, *args, groups=groups, n_seeds=n_seeds)


@pytest.fixture(scope="module")
def two_classes():
    return report_of()


def rates_by_hand(y, named):
    (tn, fp), (fn, tp) = confusion_matrix(y, named)
    return {
        "accuracy": (tp + tn) / len(y),
        "selection_rate": (tp + fp) / len(y),
        "true_positive_rate": tp / (tp + fn),
        "false_positive_rate": fp / (fp + tn),
    }


def test_gaps_of_two_classes_are_those_of_confusion_matrices(two_classes):
    y, report = two_classes
    assert len(report.group_gaps) == 4
    for row in report.group_gaps:
        for arm in ("teacher", "plain", "distilled"):
            named = report.probabilities[arm].argmax(axis=1)
            rates = [
                rates_by_hand(y[g == GROUPS], named[g == GROUPS])[row["metric"]] for g in "abc"
            ]
            assert row[arm] == pytest.approx(max(rates) - min(rates))
        assert row["difference"] == pytest.approx(row["distilled"] - row["teacher"])
        assert row["low"] <= row["high"]


class Told(ClassifierMixin, BaseEstimator):
    """Is sure of what it is told to say of the row whose number is the feature."""

    def __init__(self, said):
        self.said = said

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.arange(2)
        return self

    def predict_proba(self, X):
        return np.eye(2)[self.said[X[:, 0].astype(int)]]

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


def report_of_answers(y, teacher, student, groups):
    """A report on rows of which teacher and student say what they are told."""
    X = np.arange(len(y))[:, None]
    model = DistilledClassifier(Told(teacher).fit(X, y), Told(student), random_state=0)
    learnt = np.tile(X, (5, 1)), np.tile(y, 5)
    return distillation_report(model, *learnt, X, y, groups=groups)


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_intervals_are_those_of_a_loop_that_draws_rows_within_groups():
    rng = np.random.default_rng(0)
    y = (rng.random(400) < 0.8).astype(int)
    right = {arm: rng.random(400) < p for arm, p in {"teacher": 0.6, "distilled": 0.8}.items()}
    right["distilled"][:200] &= rng.random(200) < 0.5
    said = {arm: np.where(own, y, 1 - y) for arm, own in right.items()}
    groups = np.arange(200), np.arange(200, 400)
    report = report_of_answers(y, *said.values(), np.repeat(["one", "other"], 200))
    every = np.ones(400, dtype=bool)
    rates = {
        "accuracy": (right, every),
        "selection_rate": (said, every),
        "true_positive_rate": (said, y == 1),
        "false_positive_rate": (said, y == 0),
    }
    for row in report.group_gaps:
        terms, among = rates.pop(row["metric"])

        def change(*rows, terms=terms, among=among):
            gaps = []
            for arm in ("distilled", "teacher"):
                of_groups = [terms[arm][r][among[r]].mean() for r in rows]
                gaps.append(max(of_groups) - min(of_groups))
            return gaps[0] - gaps[1]

        drawn = [change(*(rng.choice(g, len(g)) for g in groups)) for _ in range(2000)]
        assert row["difference"] == pytest.approx(change(*groups))
        ends = np.quantile(drawn, [0.025, 0.975])
        assert [row["low"], row["high"]] == pytest.approx(ends, abs=0.015)
        if row["metric"] == "true_positive_rate":
            assert row["low"] > 0  # the student is worse on one group than on the other
    assert not rates


def test_of_three_classes_and_two_seeds_there_is_the_mean_accuracy_alone():
    _, report = report_of(n_classes=3, n_seeds=2)
    (row,) = report.group_gaps
    assert row["metric"] == "accuracy"
    for arm in ("teacher", "distilled"):
        right = [entry[f"{arm}_accuracy"] for entry in report.agreement_by_group]
        assert row[arm] == pytest.approx(max(right) - min(right))


def test_of_numbers_it_is_the_squared_error():
    X, y = make_regression(200, n_features=4, noise=5.0, random_state=0)
    model = DistilledRegressor(
        RandomForestRegressor(5, random_state=0), DecisionTreeRegressor(max_depth=2)
    )
    groups = np.where(X[100:, 0] > 0, "right", None)
    report = distillation_report(model, X[:100], y[:100], X[100:], y[100:], groups=groups)
    (row,) = report.group_gaps
    errors = [
        mean_squared_error(y[100:][part], report.predictions["distilled"][part])
        for part in (groups == "right", groups != "right")
    ]
    assert row["metric"] == "mse"
    assert row["distilled"] == pytest.approx(max(errors) - min(errors))


@pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
def test_a_group_without_such_rows_has_no_rate():
    y, said = np.array([1, 1, 1, 0]), np.array([1, 0, 1, 1])

    def gap_of(groups):
        gaps = report_of_answers(y, said, said, list(groups)).group_gaps
        return next(row for row in gaps if row["metric"] == "true_positive_rate")

    both = gap_of("aabc")
    assert (both["teacher"], both["difference"]) == (0.5, 0.0)
    alone = gap_of("aaab")
    assert np.isnan([alone[key] for key in ("teacher", "difference", "low", "high")]).all()


def test_the_page_shows_them(two_classes, tmp_path):
    _, report = two_classes
    report.to_html(tmp_path / "report.html")
    assert "false_positive_rate" in (tmp_path / "report.html").read_text("utf-8")
