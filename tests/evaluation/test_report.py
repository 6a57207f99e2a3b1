"""The report: honest arms, right numbers, readable faces, clear refusals."""

import pickle
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    DistillationReport,
    DistillationReports,
    agreement,
    distillation_report,
    expected_calibration_error,
    kl_to_teacher,
)
from skdistill.evaluation._bootstrap import BootstrapInterval
from skdistill.evaluation._cost import count_parameters, pickled_bytes, prediction_times
from skdistill.evaluation._report._render import Face, render_html, render_text
from skdistill.evaluation._report._segments import by_group, rows_of_groups, side_changes
from skdistill.evaluation._verdict import verdict_sentences
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


# ---------------------------------------------------------------------------------------------
# No arm sees a test label
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fitted", [pytest.param(False, marks=pytest.mark.slow), True])
def test_permuted_test_labels_leave_every_probability_as_it_was(fitted):
    X_train, y_train, X_test, y_test = two_classes()
    model = recipe()
    if fitted:
        model.fit(X_train, y_train)
    permuted = np.random.default_rng(0).permutation(y_test)
    assert not np.array_equal(permuted, y_test)
    first = distillation_report(model, X_train, y_train, X_test, y_test)
    second = distillation_report(model, X_train, y_train, X_test, permuted)
    assert list(first.probabilities) == ARMS
    for arm in ARMS:
        np.testing.assert_array_equal(first.probabilities[arm], second.probabilities[arm])
    assert first.temperature == second.temperature
    assert by_arm(first)["plain"]["log_loss"] != by_arm(second)["plain"]["log_loss"]


SEEN = []


class SpyTeacher(ClassifierMixin, BaseEstimator):
    """Naive Bayes that remembers the rows that any copy of it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        SEEN.append(("teacher", np.asarray(X)))
        self.inner_ = GaussianNB().fit(X, y, sample_weight)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)


class SpyStep(TransformerMixin, BaseEstimator):
    """A student's preprocessing that remembers the rows that any copy of it was fitted on."""

    def fit(self, X, y=None):
        SEEN.append(("student", np.asarray(X)))
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


def spy_recipe(**parameters):
    return recipe(
        SpyTeacher(), make_pipeline(SpyStep(), *dict(small_net().steps).values()), **parameters
    )


@pytest.fixture
def spied():
    SEEN.clear()
    return SEEN


def test_no_fit_is_given_a_test_row(spied):
    X_train, y_train, X_test, y_test = two_classes()
    distillation_report(spy_recipe(), X_train, y_train, X_test, y_test, n_seeds=2)
    assert {name for name, _ in spied} == {"teacher", "student"}
    test_rows = {row.tobytes() for row in X_test}
    for _, X in spied:
        assert not test_rows & {np.ascontiguousarray(row).tobytes() for row in X}


def test_the_temperature_is_fitted_on_rows_that_its_student_was_not_fitted_on(spied):
    X_train, y_train, X_test, y_test = two_classes()
    distillation_report(spy_recipe(), X_train, y_train, X_test, y_test)
    kept = [X for name, X in spied if name == "student" and len(X) < len(X_train)]
    assert len(kept) == 3
    assert sum(len(X_train) - len(X) for X in kept) == len(X_train)  # each row is left out once


# ---------------------------------------------------------------------------------------------
# The arms are what their names say
# ---------------------------------------------------------------------------------------------


class Bias(nn.Module):
    """A student that can learn one distribution for all rows."""

    def __init__(self, n_classes):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(n_classes))

    def forward(self, X):
        return X.new_zeros(len(X), 1) + self.logits


def converged(module):
    return StudentNet(
        module,
        optimizer=torch.optim.SGD,
        lr=2.0,
        max_epochs=100,
        batch_size=-1,
        train_split=None,
        callbacks__schedule=None,
        callbacks__keep_best=None,
    )


def test_arms_of_a_student_that_can_learn_one_distribution_only():
    X_train, y_train, X_test, y_test = two_classes()
    teacher = GaussianNB().fit(X_train, y_train)
    model = recipe(teacher, converged(Bias), alpha=0.25)
    report = distillation_report(model, X_train, y_train, X_test, y_test)
    rates = np.bincount(y_train) / len(y_train)
    taught = teacher.predict_proba(X_train)
    expected = {
        "teacher": teacher.predict_proba(X_test),
        "plain": rates,
        "label smoothing": 0.9 * rates + 0.05,
        "teacher's hard labels": np.bincount(taught.argmax(axis=1)) / len(y_train),
        "distilled": 0.75 * rates + 0.25 * taught.mean(axis=0),
    }
    for arm, p in expected.items():
        np.testing.assert_allclose(
            report.probabilities[arm], np.broadcast_to(p, (len(y_test), 2)), atol=1e-5, err_msg=arm
        )


def test_plain_is_the_recipe_fitted_with_alpha_0(report):
    X_train, y_train, X_test, _ = two_classes()
    plain = recipe(alpha=0.0).set_params(teacher=None).fit(X_train, y_train)
    np.testing.assert_array_equal(report.probabilities["plain"], plain.predict_proba(X_test))


def test_plain_with_temperature_is_plain_softened_by_one_number():
    X_train, y_train, X_test, y_test = two_classes()
    X_train, y_train = X_train[:80], y_train[:80]
    student = small_net(module__hidden_units=(64,), lr=0.05, max_epochs=40, train_split=None)
    report = distillation_report(recipe(student=student), X_train, y_train, X_test, y_test)
    assert report.temperature > 1  # a net that was trained for too long is sure of itself
    log_p = np.log(np.maximum(report.probabilities["plain"], 1e-12))
    np.testing.assert_allclose(
        report.probabilities["plain + temperature"],
        softmax(log_p / report.temperature, axis=1),
        atol=1e-12,
    )
    rows = by_arm(report)
    assert rows["plain + temperature"]["log_loss"] < rows["plain"]["log_loss"]
    assert rows["plain + temperature"]["accuracy"] == rows["plain"]["accuracy"]


def test_classes_of_one_or_two_rows_leave_no_row_to_fit_the_temperature_on():
    X, y = np.arange(8.0).reshape(-1, 1), np.array([0, 1, 0, 1, 0, 1, 0, 1])
    few = [0, 1, 2, 3]
    teacher = GaussianNB().fit(X, y)
    report = distillation_report(recipe(teacher), X[few], y[few], X, y)
    assert report.temperature == 1.0


@pytest.mark.parametrize(
    "teacher", ["fitted", "cross-fitted", pytest.param("in-sample", marks=pytest.mark.slow)]
)
def test_an_unfitted_model_gives_the_arms_of_a_fitted_one(teacher):
    X_train, y_train, X_test, y_test = three_classes()
    unseeded = RandomForestClassifier(20, min_samples_leaf=5)
    model = {
        "fitted": recipe(GaussianNB().fit(X_train, y_train), temperature=2.0),
        "cross-fitted": recipe(unseeded, calibrate=True),
        "in-sample": recipe(unseeded, cv="in-sample"),
    }[teacher]
    unfitted = distillation_report(model, X_train, y_train, X_test, y_test)
    assert not hasattr(model, "student_")
    model.fit(X_train, y_train)
    fitted = distillation_report(model, X_train, y_train, X_test, y_test)
    for arm in ARMS:
        np.testing.assert_allclose(
            unfitted.probabilities[arm], fitted.probabilities[arm], atol=1e-6, err_msg=arm
        )


def test_a_fitted_model_is_used_as_it_is(spied):
    X_train, y_train, X_test, y_test = two_classes()
    model = spy_recipe().fit(X_train, y_train)
    before = pickle.dumps(model)
    spied.clear()
    report = distillation_report(model, X_train, y_train, X_test, y_test)
    assert pickle.dumps(model) == before
    np.testing.assert_array_equal(report.probabilities["distilled"], model.predict_proba(X_test))
    np.testing.assert_allclose(
        report.probabilities["teacher"], model.teacher_.predict_proba(X_test), rtol=1e-9
    )
    # Cross-fitted once for the hard labels and not on all rows; three arms and three folds.
    assert [name for name, _ in spied].count("teacher") == 5
    assert [name for name, _ in spied].count("student") == 6


def test_the_teacher_is_fitted_once_for_all_seeds(spied):
    distillation_report(spy_recipe(), *two_classes(), n_seeds=3)
    assert [name for name, _ in spied].count("teacher") == 6  # 5 folds and all rows


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
    members = rows_of_groups(["a", None, float("nan"), pd.NA, "a"])
    found = by_group(members, lambda rows: {"first": rows[0]})
    assert found == [
        {"group": None, "n": 3, "first": 1},
        {"group": "a", "n": 2, "first": 0},
    ]


def test_side_changes_are_counted_from_both_sides():
    teacher = np.array([0.9, 0.6, 0.2, 0.4, 0.5])
    student = np.array([0.8, 0.4, 0.7, 0.45, 0.1])
    found = side_changes(
        np.column_stack([1 - teacher, teacher]),
        np.column_stack([1 - student, student]),
        np.array([1, 1, 1, 0, 0]),
        np.array(["no", "yes"]),
        0.5,
    )
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


def test_html_face_escapes_what_it_shows(report):
    row = {**report.rows[0], "arm": "<b>&"}
    intervals = [dict(comparison="<u>", metric="accuracy", difference=0.0, low=0.0, high=0.0)]
    face = Face([row], intervals, "<i>", headline="<s>", verdict="a < b", students=["<b>&"])
    html = render_html(face)
    assert "&lt;b&gt;&amp;" in html
    for raw in ("<b>", "<i>", "<s>", "<u>", "a < b"):
        assert raw not in html
    assert "<b>&" in render_text(face)


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


# ---------------------------------------------------------------------------------------------
# The verdict
# ---------------------------------------------------------------------------------------------

worse, same, better = (-0.03, -0.04, -0.02), (0.0, -0.02, 0.02), (0.03, 0.02, 0.04)
teacher_cases = [
    (better, "More accurate than the teacher"),
    ((0.0, -0.004, 0.004), "Not inferior to the teacher within 0.5 points of accuracy"),
    (same, "As accurate as the teacher on these rows, but non-inferiority within 0.5 points"),
    ((-0.01, -0.018, -0.002), "Less accurate than the teacher"),
    (worse, "Inferior to the teacher by more than 0.5 points"),
]
gain_cases = [
    (worse, worse, "lower than the plain", "is not mere calibration"),
    (worse, same, "lower than the plain", "may be mere calibration"),
    (worse, better, "lower than the plain", "is mere calibration: one fitted"),
    (same, same, "No difference in log-loss", "no shown gain"),
    (same, better, "No difference in log-loss", "Calibration alone does more"),
    (better, better, "higher than the plain", "Calibration alone does more"),
    (better, same, "higher than the plain", "no shown gain"),
]


def verdict(
    to_teacher=same, to_plain=same, to_scaled=same, scaled=worse, teacher_helps=True, n_seeds=2
):
    return verdict_sentences(
        {"accuracy": BootstrapInterval(*to_teacher)},
        {"log_loss": BootstrapInterval(*to_plain), "accuracy": BootstrapInterval(*same)},
        {"log_loss": BootstrapInterval(*to_scaled)},
        BootstrapInterval(*scaled),
        teacher_helps=teacher_helps,
        n_seeds=n_seeds,
    )


@pytest.mark.parametrize(("to_teacher", "words"), teacher_cases)
def test_verdict_against_the_teacher(to_teacher, words):
    assert verdict(to_teacher=to_teacher)[0].startswith(words)
    assert "95 %" in verdict(to_teacher=to_teacher)[0]


@pytest.mark.parametrize(("to_plain", "to_scaled", "plain_words", "calibration_words"), gain_cases)
def test_verdict_on_the_gain(to_plain, to_scaled, plain_words, calibration_words):
    sentences = verdict(to_plain=to_plain, to_scaled=to_scaled)
    assert plain_words in sentences[1]
    assert calibration_words in sentences[2]


def test_verdict_names_a_useless_teacher_and_a_single_seed():
    assert len(verdict()) == 3
    assert "no better than the plain" in verdict(teacher_helps=False)[3]
    assert "One seed" in verdict(n_seeds=1)[3]


# ---------------------------------------------------------------------------------------------
# Costs
# ---------------------------------------------------------------------------------------------


def counted_models():
    X, y, _, _ = two_classes()
    linear = LogisticRegression().fit(X, y)
    small = make_pipeline(StandardScaler(), LogisticRegression())
    forest = RandomForestClassifier(3, random_state=0).fit(X, y)
    boosted = GradientBoostingClassifier(n_estimators=3, random_state=0).fit(X, y)
    mlp = MLPClassifier((5,), max_iter=1000, tol=1, random_state=0).fit(X, y)
    return [
        (linear, 9),
        (make_pipeline(StandardScaler(), linear), 9),
        (GridSearchCV(linear, {"C": [1.0]}).fit(X, y), 9),
        (VotingClassifier([("a", small), ("b", make_pipeline(linear))]).fit(X, y), 18),
        (StackingClassifier([("a", small)], LogisticRegression()).fit(X, y), 9 + 2),
        (forest, sum(tree.tree_.node_count for tree in forest.estimators_)),
        (boosted, sum(tree.tree_.node_count for tree in boosted.estimators_[:, 0])),
        (mlp, 8 * 5 + 5 + 5 + 1),
        (nn.Sequential(Bias(3), nn.ReLU(), Bias(4)), 7),
        ([linear, linear], 18),
    ]


def test_parameters_are_counted():
    for model, expected in counted_models():
        assert count_parameters(model) == expected, model


def test_what_cannot_be_counted_is_nan():
    X, y, _, _ = two_classes()
    hist = HistGradientBoostingClassifier(max_iter=2, random_state=0).fit(X, y)
    for model in (GaussianNB().fit(X, y), hist, len, object()):
        assert np.isnan(count_parameters(model))


def test_bytes_are_those_of_the_pickle():
    X, y, _, _ = two_classes()
    for model in (
        LogisticRegression().fit(X, y),
        RandomForestClassifier(5, random_state=0).fit(X, y),
    ):
        assert pickled_bytes(model) == len(pickle.dumps(model, pickle.HIGHEST_PROTOCOL))
    assert np.isnan(pickled_bytes(lambda X: X))


def test_prediction_times_ask_for_the_batch_and_for_single_rows():
    asked = []
    per_row, single = prediction_times(lambda X: asked.append(len(X)), np.zeros((7, 2)))
    assert set(asked) == {7, 1}
    assert per_row >= 0
    assert single >= 0


def test_a_slow_model_is_asked_a_few_times_only(monkeypatch):
    monkeypatch.setattr("skdistill.evaluation._cost._BUDGET_SECONDS", -1.0)
    asked = []
    prediction_times(lambda X: asked.append(len(X)), np.zeros((7, 2)))
    assert asked == [7, 1]  # what was to warm it up is all that it is asked


# ---------------------------------------------------------------------------------------------
# Several test sets
# ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_sets():
    _, _, X_test, y_test = two_classes()
    noise = np.random.default_rng(0).normal(size=(60, 8))
    return {"clean": X_test, "2019": X_test[:60] + noise}, {"clean": y_test, "2019": y_test[:60]}


@pytest.fixture(scope="module")
def reports(two_sets):
    X_train, y_train, _, _ = two_classes()
    groups = {"2019": ["a", "b"] * 30}
    return distillation_report(recipe(), X_train, y_train, *two_sets, groups=groups)


@pytest.mark.slow
def test_each_test_set_has_the_report_that_it_has_alone(reports, two_sets):
    X_train, y_train, _, _ = two_classes()
    assert isinstance(reports, DistillationReports)
    assert list(reports) == ["clean", "2019"] and len(reports) == 2
    for name, several in reports.items():
        alone = distillation_report(
            recipe(), X_train, y_train, two_sets[0][name], two_sets[1][name]
        )
        assert isinstance(several, DistillationReport)
        assert several.intervals == alone.intervals
        assert several.verdict == alone.verdict
        for arm in ARMS:
            np.testing.assert_array_equal(several.probabilities[arm], alone.probabilities[arm])
        quality = COLUMNS[1:9]
        assert [[row[key] for key in quality] for row in several.rows] == [
            [row[key] for key in quality] for row in alone.rows
        ]
    assert reports["clean"].agreement_by_group is None
    assert [entry["n"] for entry in reports["2019"].agreement_by_group] == [30, 30]


def test_students_are_fitted_once_for_all_test_sets(spied, two_sets):
    X_train, y_train, _, _ = two_classes()
    distillation_report(spy_recipe(), X_train, y_train, *two_sets)
    fits = [name for name, _ in spied]
    spied.clear()
    distillation_report(spy_recipe(), X_train, y_train, two_sets[0]["clean"], two_sets[1]["clean"])
    assert fits == [name for name, _ in spied]


def test_rows_of_several_test_sets_name_their_set(reports):
    assert [row["test_set"] for row in reports.rows] == ["clean"] * 6 + ["2019"] * 6
    assert all(list(row) == ["test_set", *COLUMNS] for row in reports.rows)
    costs = COLUMNS[9:]
    clean, other = reports.rows[:6], reports.rows[6:]
    for a, b in zip(clean, other, strict=True):
        np.testing.assert_equal([a[key] for key in costs], [b[key] for key in costs])
    frame = reports.to_frame()
    assert frame.loc[("2019", "distilled"), "accuracy"] == other[-1]["accuracy"]


def test_faces_of_several_test_sets(reports):
    text = repr(reports)
    assert text.index("Test set clean. ") < text.index("Test set 2019. ")
    assert text.count("log loss   brier") == 2 and text.count("us/single row") == 1
    for report in reports.values():
        assert report.verdict.splitlines()[0][:60] in text
    html = reports._repr_html_()
    ElementTree.fromstring(f"<html>{html}</html>")
    assert html.count("us/single row") == 1 and "Test set 2019. " in html


@pytest.mark.slow
def test_only_the_first_test_set_tells_of_a_teacher_that_memorised():
    X_train, y_train, X_test, y_test = two_classes()
    teacher = RandomForestClassifier(20, random_state=0).fit(X_train, y_train)
    sets = {"seen": X_train, "new": X_test}, {"seen": y_train, "new": y_test}
    distillation_report(recipe(teacher), X_train, y_train, *sets)
    turned = [dict(reversed(part.items())) for part in sets]
    with pytest.warns(TeacherWarning, match="memorised"):
        distillation_report(recipe(teacher), X_train, y_train, *turned)


def test_generated_rows_belong_to_the_distilled_arm_alone():
    X, y = make_classification(300, random_state=0)
    net = StudentNet(module__hidden_units=(8,), max_epochs=5, batch_size=32)
    model = DistilledClassifier(GaussianNB(), net, augment="spunge", random_state=0)
    report = distillation_report(model, X[:200], y[:200], X[200:], y[200:])
    expected = clone(model).fit(X[:200], y[:200]).predict_proba(X[200:])
    assert np.array_equal(report.probabilities["distilled"], expected)
    plain = clone(model).set_params(teacher=None, alpha=0).fit(X[:200], y[:200])
    assert np.array_equal(report.probabilities["plain"], plain.predict_proba(X[200:]))
