"""How far groups of rows are apart, of teacher and students."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import confusion_matrix, mean_squared_error
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.evaluation import distillation_report
from skdistill.evaluation._report._group_gaps import group_gaps

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


def test_intervals_are_those_of_a_loop_that_draws_rows_within_groups():
    rng = np.random.default_rng(0)
    terms = {arm: (rng.random(400) < p).astype(float)
             for arm, p in {"teacher": 0.6, "plain": 0.5, "distilled": 0.8}.items()}  # fmt: skip
    terms["distilled"][:200] *= rng.random(200) < 0.7
    among = rng.random(400) < 0.8
    groups = np.arange(200), np.arange(200, 400)
    (row,) = group_gaps([g.tolist() for g in groups], {"rate": (terms, among)}, 0)

    def change(*rows):
        gaps = []
        for arm in ("distilled", "teacher"):
            rates = [terms[arm][r][among[r]].mean() for r in rows]
            gaps.append(max(rates) - min(rates))
        return gaps[0] - gaps[1]

    drawn = [change(*(rng.choice(g, len(g)) for g in groups)) for _ in range(2000)]
    assert row["difference"] == pytest.approx(change(*groups))
    ends = np.quantile(drawn, [0.025, 0.975])
    assert [row["low"], row["high"]] == pytest.approx(ends, abs=0.015)
    assert row["low"] > 0  # the student is worse on one group than on the other


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


def test_a_group_without_such_rows_has_no_rate():
    terms = {arm: np.array([1.0, 0.0, 1.0, 1.0]) for arm in ("teacher", "plain", "distilled")}
    among = np.array([True, True, True, False])
    both = group_gaps([[0, 1], [2], [3]], {"rate": (terms, among)}, 0)
    assert (both[0]["teacher"], both[0]["difference"]) == (0.5, 0.0)
    (alone,) = group_gaps([[0, 1, 2], [3]], {"rate": (terms, among)}, 0)
    assert np.isnan([alone[key] for key in ("teacher", "difference", "low", "high")]).all()


def test_the_page_shows_them(two_classes, tmp_path):
    _, report = two_classes
    report.to_html(tmp_path / "report.html")
    assert "false_positive_rate" in (tmp_path / "report.html").read_text("utf-8")
