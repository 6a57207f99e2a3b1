"""Reports on several test sets: each is that which its set has alone."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    RandomForestClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    DistillationReport,
    DistillationReports,
    distillation_report,
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
