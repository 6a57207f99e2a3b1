"""The report: honest arms, right numbers, readable faces, clear refusals."""

import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    DistillationReport,
    agreement,
    distillation_report,
    expected_calibration_error,
    kl_to_teacher,
)
from skdistill.exceptions import TeacherWarning

ARMS = [
    "teacher",
    "plain",
    "plain + temperature",
    "label smoothing",
    "teacher's hard labels",
    "distilled",
]
COLUMNS = [
    "arm",
    "accuracy",
    "log_loss",
    "brier",
    "ece",
    "roc_auc",
    "average_precision",
    "agreement",
    "kl",
    "n_parameters",
    "n_bytes",
    "us_per_row",
    "us_single_row",
    "fit_seconds",
]


def two_classes(n=360, n_test=120, seed=0):
    X, y = make_classification(n, 8, n_informative=4, flip_y=0.1, random_state=seed)
    return X[:-n_test], y[:-n_test], X[-n_test:], y[-n_test:]


def three_classes():
    X, y = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(150)
    X, y = X[order], np.array(["setosa", "versicolor", "virginica"])[y[order]]
    return X[:100], y[:100], X[100:], y[100:]


def small_net(**parameters):
    return make_pipeline(
        StandardScaler(),
        StudentNet(
            **{"module__hidden_units": (8,), "max_epochs": 3, "batch_size": 32, **parameters}
        ),
    )


def recipe(teacher=None, student=None, **parameters):
    """A forest and a small net: seconds are for other tests."""
    return DistilledClassifier(
        RandomForestClassifier(5, random_state=0) if teacher is None else teacher,
        small_net() if student is None else student,
        **{"random_state": 0, **parameters},
    )


@pytest.fixture(scope="module")
def report():
    return distillation_report(recipe(), *two_classes(), groups=["b", "a", "a"] * 40)


@pytest.fixture(scope="module")
def multiclass_report():
    return distillation_report(recipe(), *three_classes())


def by_arm(report):
    return {row["arm"]: row for row in report.rows}


class Bias(nn.Module):
    """A student that can learn one distribution for all rows."""

    def __init__(self, n_classes):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_classes))

    def forward(self, X):
        return X.new_zeros(len(X), 1) + self.logits


# ---------------------------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------------------------


def test_rows_have_the_documented_arms_and_columns(report):
    assert isinstance(report, DistillationReport)
    assert [row["arm"] for row in report.rows] == ARMS
    assert all(list(row) == COLUMNS for row in report.rows)


def test_rows_equal_the_metrics_of_the_probabilities(report):
    _, _, _, y_test = two_classes()
    teacher = report.probabilities["teacher"]
    for arm, p in report.probabilities.items():
        row = by_arm(report)[arm]
        assert row["accuracy"] == pytest.approx(accuracy_score(y_test, p.argmax(axis=1)))
        assert row["log_loss"] == pytest.approx(log_loss(y_test, p))
        assert row["brier"] == pytest.approx(brier_score_loss(y_test, p, scale_by_half=False))
        assert row["roc_auc"] == pytest.approx(roc_auc_score(y_test, p[:, 1]))
        assert row["ece"] == pytest.approx(expected_calibration_error(y_test, p))
        assert row["agreement"] == pytest.approx(agreement(teacher, p))
        assert row["kl"] == pytest.approx(kl_to_teacher(teacher, p))
    assert by_arm(report)["teacher"]["agreement"] == 1.0
    assert by_arm(report)["teacher"]["kl"] == 0.0


def test_costs_are_counted(report):
    rows = by_arm(report)
    assert rows["distilled"]["n_parameters"] == 8 * 8 + 8 + 8 * 2 + 2
    assert rows["teacher"]["n_parameters"] > 100
    assert rows["teacher"]["n_bytes"] > rows["distilled"]["n_bytes"] > 0
    assert rows["plain + temperature"]["n_parameters"] == rows["plain"]["n_parameters"] + 1
    for row in report.rows:
        assert row["us_per_row"] > 0
        assert row["us_single_row"] > 0
        assert row["fit_seconds"] > 0


def test_intervals_are_of_distilled_minus_each_other_arm(report):
    rows = by_arm(report)
    pairs = [(entry["comparison"], entry["metric"]) for entry in report.intervals]
    assert pairs == [
        (comparison, metric)
        for comparison in (
            *(f"distilled - {arm}" for arm in ("plain", "(plain + temperature)", "teacher")),
            *(f"distilled - {arm}" for arm in ("label smoothing", "teacher's hard labels")),
            "(plain + temperature) - plain",
        )
        for metric in ("accuracy", "log_loss", "brier")
    ]
    for entry in report.intervals:
        arm, baseline = (name.strip("()") for name in entry["comparison"].split(" - "))
        difference = rows[arm][entry["metric"]] - rows[baseline][entry["metric"]]
        assert entry["difference"] == pytest.approx(difference, abs=1e-12)
        assert entry["low"] <= entry["difference"] <= entry["high"]


@pytest.mark.slow
def test_several_seeds_give_means_and_spreads():
    X_train, y_train, X_test, y_test = two_classes()
    report = distillation_report(
        recipe(random_state=5), X_train, y_train, X_test, y_test, n_seeds=3
    )
    plain = recipe(alpha=0.0).set_params(teacher=None)
    fits = [clone(plain).set_params(random_state=s).fit(X_train, y_train) for s in (5, 6, 7)]
    losses = [log_loss(y_test, fit.predict_proba(X_test)) for fit in fits]
    row = by_arm(report)["plain"]
    assert row["log_loss"] == pytest.approx(np.mean(losses))
    assert row["log_loss_std"] == pytest.approx(np.std(losses, ddof=1))
    np.testing.assert_array_equal(report.probabilities["plain"], fits[0].predict_proba(X_test))
    assert set(row) == {*COLUMNS, *(f"{name}_std" for name in COLUMNS[1:])}
    assert np.isnan(by_arm(report)["teacher"]["log_loss_std"])
    assert "±" in str(report)


def test_per_class_equals_scikit_learn(multiclass_report):
    _, _, _, y_test = three_classes()
    for arm, p in multiclass_report.probabilities.items():
        entries = [entry for entry in multiclass_report.per_class if entry["arm"] == arm]
        expected = precision_recall_fscore_support(
            y_test, multiclass_report.classes[p.argmax(axis=1)], zero_division=np.nan
        )
        assert [entry["class"] for entry in entries] == ["setosa", "versicolor", "virginica"]
        for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
            assert [entry[name] for entry in entries] == pytest.approx(values.tolist(), nan_ok=True)


def test_agreement_by_group(report):
    _, _, _, y_test = two_classes()
    groups = np.array(["b", "a", "a"] * 40)
    teacher, distilled = report.probabilities["teacher"], report.probabilities["distilled"]
    assert [entry["group"] for entry in report.agreement_by_group] == ["a", "b"]
    for entry in report.agreement_by_group:
        rows = groups == entry["group"]
        assert entry["n"] == rows.sum()
        assert entry["agreement"] == pytest.approx(agreement(teacher[rows], distilled[rows]))
        for name, p in (("teacher", teacher), ("distilled", distilled)):
            right = accuracy_score(y_test[rows], p[rows].argmax(axis=1))
            assert entry[f"{name}_accuracy"] == pytest.approx(right)


def test_missing_segments_are_one_segment():
    X_train, y_train, X_test, y_test = two_classes()
    groups = ["a", None, float("nan"), pd.NA, "a"]
    student = DecisionTreeClassifier(max_depth=2)
    report = distillation_report(
        recipe(student=student), X_train, y_train, X_test[:5], y_test[:5], groups=groups
    )
    without, with_name = report.agreement_by_group  # the largest first
    right = report.probabilities["distilled"].argmax(axis=1) == y_test[:5]
    for entry, group, rows in ((without, None, [1, 2, 3]), (with_name, "a", [0, 4])):
        assert (entry["group"], entry["n"]) == (group, len(rows))
        assert entry["distilled_accuracy"] == right[rows].mean()


def test_side_changes_are_counted_from_both_sides(report):
    teacher = np.array([0.9, 0.6, 0.2, 0.4, 0.5])
    student = np.array([0.8, 0.4, 0.7, 0.45, 0.1])
    said = {"teacher": teacher, "distilled": student}
    found = replace(
        report,
        probabilities={arm: np.column_stack([1 - p, p]) for arm, p in said.items()},
        y_index=np.array([1, 1, 1, 0, 0]),
        classes=np.array(["no", "yes"]),
    ).side_changes(0.5)
    assert found["positive_class"] == "yes"
    lost, won = found["positive_to_negative"], found["negative_to_positive"]
    assert (lost["n"], lost["teacher_right"], lost["student_right"]) == (2, 1, 1)
    assert lost["rows"].tolist() == [1, 4]
    assert (won["n"], won["teacher_right"], won["student_right"]) == (1, 0, 1)
    assert won["rows"].tolist() == [2]


def test_side_changes_of_a_report_are_those_of_its_probabilities(report):
    found = report.side_changes(0.3)
    teacher = report.probabilities["teacher"][:, 1] >= 0.3
    student = report.probabilities["distilled"][:, 1] >= 0.3
    changed = {*found["positive_to_negative"]["rows"], *found["negative_to_positive"]["rows"]}
    assert changed == set(np.flatnonzero(teacher != student))


# ---------------------------------------------------------------------------------------------
# Kinds of data and models
# ---------------------------------------------------------------------------------------------


def test_data_frames_and_string_labels(multiclass_report):
    X_train, y_train, X_test, y_test = three_classes()
    names = list("abcd")
    report = distillation_report(
        recipe(),
        pd.DataFrame(X_train, columns=names),
        pd.Series(y_train),
        pd.DataFrame(X_test, columns=names, index=range(7, 57)),
        pd.Series(y_test, index=range(7, 57)),
        groups=pd.Series(["a", None] * 25, dtype="string"),
    )
    for arm in ARMS:
        np.testing.assert_allclose(
            report.probabilities[arm], multiclass_report.probabilities[arm], atol=1e-5
        )
    assert {entry["group"] for entry in report.agreement_by_group} == {"a", None}


def test_lists_are_rows_too(report):
    X_train, y_train, X_test, y_test = two_classes()
    again = distillation_report(
        recipe(), X_train.tolist(), y_train.tolist(), torch.tensor(X_test), y_test.tolist()
    )
    for arm in ARMS:
        np.testing.assert_array_equal(again.probabilities[arm], report.probabilities[arm])


def test_a_model_with_alpha_0_is_its_own_plain_student():
    X_train, y_train, X_test, y_test = two_classes()
    model = recipe(alpha=0.0).fit(X_train, y_train)
    report = distillation_report(model, X_train, y_train, X_test, y_test)
    np.testing.assert_array_equal(report.probabilities["distilled"], report.probabilities["plain"])
    assert report.intervals[1] == {
        "comparison": "distilled - plain",
        "metric": "log_loss",
        "difference": 0.0,
        "low": 0.0,
        "high": 0.0,
    }
    assert by_arm(report)["teacher"]["accuracy"] > 0.7


def test_test_rows_may_lack_a_class():
    X_train, y_train, X_test, y_test = three_classes()
    rows = y_test != "versicolor"
    report = distillation_report(recipe(), X_train, y_train, X_test[rows], y_test[rows])
    assert report.probabilities["plain"].shape == (rows.sum(), 3)
    assert np.isfinite(by_arm(report)["distilled"]["log_loss"])
    assert np.isnan(by_arm(report)["distilled"]["roc_auc"])
    absent = [entry for entry in report.per_class if entry["class"] == "versicolor"]
    assert all(entry["support"] == 0 and np.isnan(entry["recall"]) for entry in absent)
    assert " - " in str(report)


def test_one_test_row_is_enough():
    X_train, y_train, X_test, y_test = two_classes()
    report = distillation_report(recipe(), X_train, y_train, X_test[:1], y_test[:1])
    assert str(report)


def test_a_network_as_teacher():
    X_train, y_train, X_test, y_test = two_classes()
    linear = LogisticRegression().fit(X_train, y_train)
    with torch.random.fork_rng():
        teacher = nn.Linear(8, 2)
    with torch.no_grad():
        teacher.weight[:] = torch.tensor(np.vstack([-linear.coef_, linear.coef_]) / 2)
        teacher.bias[:] = torch.tensor([-linear.intercept_[0], linear.intercept_[0]]) / 2
    report = distillation_report(recipe(teacher), X_train, y_train, X_test, y_test)
    np.testing.assert_allclose(
        report.probabilities["teacher"], linear.predict_proba(X_test), atol=1e-5
    )
    row = by_arm(report)["teacher"]
    assert row["n_parameters"] == 18
    assert np.isnan(row["fit_seconds"])
    assert teacher.training


# ---------------------------------------------------------------------------------------------
# Warnings and refusals
# ---------------------------------------------------------------------------------------------


def test_a_teacher_that_memorised_its_training_rows_is_warned_of():
    X_train, y_train, X_test, y_test = two_classes()
    forest = RandomForestClassifier(50, random_state=0)
    with pytest.warns(TeacherWarning, match=r"(?s)memorised.*clone\(teacher\)"):
        distillation_report(
            recipe(clone(forest).fit(X_train, y_train)), X_train, y_train, X_test, y_test
        )
    with pytest.warns(TeacherWarning, match="memorised"):
        distillation_report(recipe(forest, cv="in-sample"), X_train, y_train, X_test, y_test)


def test_out_of_fold_targets_and_honest_teachers_are_not_warned_of():
    # Warnings are errors in these tests.
    X_train, y_train, X_test, y_test = two_classes()
    distillation_report(recipe(), X_train, y_train, X_test, y_test)
    X_other, y_other, X_new, y_new = two_classes(n=700, n_test=460)
    elsewhere = RandomForestClassifier(50, min_samples_leaf=5, random_state=0)
    elsewhere.fit(X_other, y_other)
    distillation_report(recipe(elsewhere), X_new[:300], y_new[:300], X_new[300:], y_new[300:])


class Diverged(Bias):
    def forward(self, X):
        return super().forward(X) if self.training else super().forward(X) * torch.nan


def test_a_student_that_diverged_is_named():
    student = StudentNet(Diverged, max_epochs=1, train_split=None)
    with pytest.raises(ValueError, match=r"'plain'.*not finite"):
        distillation_report(recipe(GaussianNB(), student), *two_classes())


def test_side_changes_refuse_three_classes_and_odd_thresholds(report, multiclass_report):
    with pytest.raises(ValueError, match="two classes, and this report has 3"):
        multiclass_report.side_changes()
    with pytest.raises(ValueError, match=r"Got 1.0 instead"):
        report.side_changes(1.0)


# ---------------------------------------------------------------------------------------------
# Faces
# ---------------------------------------------------------------------------------------------


def test_text_face(report):
    text = str(report)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 110
    assert lines[0] == "Distillation report: 120 test rows, 2 classes, 1 seed"
    assert all(any(line.startswith(arm + " ") for line in lines) for arm in ARMS)
    assert " ".join(text.split()).endswith(" ".join(report.verdict.split()))
    assert repr(report) == text


def test_columns_of_the_text_face_are_aligned(report):
    lines = str(report).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("arm "))
    ends = {line.index(".") for line in lines[start + 1 : start + 1 + len(ARMS)]}
    assert len(ends) == 1


def test_spreads_are_shown_without_the_leading_zero(report):
    row = {**report.rows[1], "accuracy": 0.5, "accuracy_std": 0.0125, "log_loss_std": 10.003}
    text = str(replace(report, rows=[report.rows[0], row, *report.rows[2:]]))
    assert "0.500±.013" in text or "0.500±.012" in text
    assert "±10.003" in text


def test_html_face_is_well_formed_and_marks_the_best_by_a_sign(report):
    tree = ElementTree.fromstring(report._repr_html_())
    tables = tree.findall(".//table")
    assert len(tables) == 3  # quality, cost, differences: side by side they would not fit a page
    quality, cost = (
        ["".join(cell.itertext()).strip() for cell in table.findall("./thead/tr/th")]
        for table in tables[:2]
    )
    assert quality[0] == cost[0] == "arm"
    assert len(quality + cost[1:]) == len(COLUMNS)
    rows = tables[0].findall("./tbody/tr")
    assert [row.find("th").text for row in rows] == ARMS
    best = max(by_arm(report)[arm]["accuracy"] for arm in ARMS[1:])
    for arm, row in zip(ARMS, rows, strict=True):
        cell = "".join(row.findall("td")[0].itertext())
        assert cell.endswith("*") == (arm != "teacher" and by_arm(report)[arm]["accuracy"] == best)


def test_to_frame_has_the_rows(report):
    frame = report.to_frame()
    assert list(frame.index) == ARMS
    assert frame.loc["plain", "brier"] == by_arm(report)["plain"]["brier"]


def test_to_frame_without_pandas_says_what_to_install(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        report.to_frame()


def test_verbose_prints_a_line_for_each_arm(capsys):
    distillation_report(recipe(verbose=1), *two_classes())
    printed = capsys.readouterr().out
    for arm in ARMS:
        assert f"[distillation_report] {arm}" in printed
    distillation_report(recipe(), *two_classes())
    assert capsys.readouterr().out == ""


def test_generated_rows_belong_to_the_distilled_arm_alone():
    X, y = make_classification(300, random_state=0)
    net = StudentNet(module__hidden_units=(8,), max_epochs=5, batch_size=32)
    model = DistilledClassifier(GaussianNB(), net, augment="spunge", random_state=0)
    report = distillation_report(model, X[:200], y[:200], X[200:], y[200:])
    expected = clone(model).fit(X[:200], y[:200]).predict_proba(X[200:])
    assert np.array_equal(report.probabilities["distilled"], expected)
    plain = clone(model).set_params(teacher=None, alpha=0).fit(X[:200], y[:200])
    assert np.array_equal(report.probabilities["plain"], plain.predict_proba(X[200:]))
