"""Reliability, agreement and the report drawn: right numbers first, then what is on the axes."""

import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from scipy.stats import norm
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    AgreementDisplay,
    BiasVarianceDisplay,
    PairedDifferencesDisplay,
    ReliabilityDisplay,
    ReportDisplay,
    RobustnessDisplay,
    agreement,
    agreement_by_class,
    compare,
    distillation_report,
    expected_calibration_error,
    reliability_bins,
    robustness_curve,
)


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    pyplot.close("all")


def answers(n=300, n_classes=3, seed=0):
    """Labels, and the probabilities of a better and a worse arm."""
    rng = np.random.default_rng(seed)
    y = rng.integers(n_classes, size=n)
    sharp = rng.dirichlet(np.ones(n_classes), n) + 1.2 * np.eye(n_classes)[y]
    vague = rng.dirichlet(np.ones(n_classes), n) + 0.5 * np.eye(n_classes)[y]
    return y, *(p / p.sum(axis=1, keepdims=True) for p in (sharp, vague))


def recipe(**parameters):
    student = make_pipeline(
        StandardScaler(),
        StudentNet(module__hidden_units=(8,), max_epochs=3, batch_size=32, lr=0.01),
    )
    teacher = RandomForestClassifier(10, random_state=0)
    return DistilledClassifier(teacher, student, random_state=0, **parameters)


@pytest.fixture(scope="module")
def rows():
    X, y = make_classification(300, 6, flip_y=0.1, random_state=0)
    return X, np.array(["no", "yes"])[y]


@pytest.fixture(scope="module")
def model(rows):
    X, y = rows
    return recipe().fit(X[:200], y[:200])


@pytest.fixture(scope="module")
def report(rows):
    X, y = rows
    return distillation_report(recipe(), X[:200], y[:200], X[200:], y[200:])


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def ticks(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


# ---------------------------------------------------------------------------------------------
# Reliability
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bins", [1, 4, 15])
def test_bins_are_those_of_a_loop(n_bins):
    y, p, _ = answers()
    found = reliability_bins(y, p, n_bins=n_bins)
    assert [row["bin"] for row in found] == list(range(n_bins))
    confidence, correct = p.max(axis=1), p.argmax(axis=1) == y
    for row in found:
        assert row["arm"] == "model"
        members = [i for i in range(len(y)) if row["low"] < confidence[i] <= row["high"]]
        assert row["n"] == len(members)
        if members:
            assert row["confidence"] == pytest.approx(confidence[members].mean())
            assert row["accuracy"] == pytest.approx(correct[members].mean())
        else:
            assert np.isnan(row["confidence"]) and np.isnan(row["accuracy"])


def test_bins_give_the_calibration_error():
    y, p, q = answers()
    found = reliability_bins(y, {"teacher": p, "student": q})
    for arm, probabilities in {"teacher": p, "student": q}.items():
        own = [row for row in found if row["arm"] == arm and row["n"]]
        error = sum(row["n"] * abs(row["accuracy"] - row["confidence"]) for row in own) / len(y)
        assert error == pytest.approx(expected_calibration_error(y, probabilities))


def test_a_certain_row_is_in_the_last_bin_and_an_edge_below_it():
    found = reliability_bins([0, 0], [[1.0, 0.0], [0.75, 0.25]], labels=[0, 1], n_bins=4)
    assert [row["n"] for row in found] == [0, 0, 1, 1]


def test_labels_name_the_columns():
    _, p, _ = answers(n_classes=2)
    y = np.array(["b", "a"])[p.argmin(axis=1)]
    (row,) = reliability_bins(y, p, labels=["a", "b"], n_bins=1)
    assert row["accuracy"] == 1.0
    (row,) = reliability_bins(pd.Series(y), p, labels=["b", "a"], n_bins=1)
    assert row["accuracy"] == 0.0


def test_reliability_picture():
    y, p, q = answers()
    display = ReliabilityDisplay.from_predictions(y, {"teacher": p, "distilled": q}, n_bins=5)
    assert display.rows == reliability_bins(y, {"teacher": p, "distilled": q}, n_bins=5)
    assert display.figure_ is display.ax_.figure
    assert legend(display.ax_) == [
        "calibrated",
        f"teacher (ECE {expected_calibration_error(y, p, n_bins=5):.3f})",
        f"distilled (ECE {expected_calibration_error(y, q, n_bins=5):.3f})",
        "larger marks: more rows",
    ]
    drawn = [
        line for line in display.ax_.lines if line.get_color() == "black" and len(line.get_xdata())
    ]
    own = [row for row in display.rows if row["arm"] == "teacher" and row["n"]]
    np.testing.assert_allclose(drawn[0].get_xdata(), [row["confidence"] for row in own])
    np.testing.assert_allclose(drawn[0].get_ydata(), [row["accuracy"] for row in own])
    assert display.ax_.get_xlabel() == "confidence (largest probability)"
    assert display.histogram_ax_.get_ylabel() == "share of rows"
    for stairs in display.histogram_ax_.patches:
        assert stairs.get_data().values.sum() == pytest.approx(1.0)
    # Without colour: no two arms share a line.
    assert len({str(s.get_linestyle()) for s in display.histogram_ax_.patches}) == 2


def test_reliability_of_an_estimator(model, rows):
    X, y = rows[0][200:], rows[1][200:]
    display = ReliabilityDisplay.from_estimator(model, X, y)
    teacher, student = model.teacher_.predict_proba(X), model.predict_proba(X)
    assert display.rows == reliability_bins(y, {"teacher": teacher, "distilled": student})
    display = ReliabilityDisplay.from_estimator(model.teacher_, X, y, n_bins=4)
    assert display.rows == reliability_bins(y, {"RandomForestClassifier": teacher}, n_bins=4)


def test_a_student_without_a_teacher_stands_alone(rows):
    X, y = rows
    plain = recipe(alpha=0).fit(X[:200], y[:200])
    display = ReliabilityDisplay.from_estimator(plain, X[200:], y[200:])
    assert {row["arm"] for row in display.rows} == {"distilled"}


def test_reliability_of_a_report(report, rows):
    display = ReliabilityDisplay.from_report(report)
    assert list(dict.fromkeys(row["arm"] for row in display.rows)) == [
        "teacher",
        "plain",
        "distilled",
    ]
    for arm in ("teacher", "distilled"):
        own = [row for row in display.rows if row["arm"] == arm]
        assert own == [
            {**row, "arm": arm}
            for row in reliability_bins(rows[1][200:], report.probabilities[arm])
        ]
    all_arms = ReliabilityDisplay.from_report(report, arms=list(report.probabilities))
    assert len(legend(all_arms.ax_)) == 8


# ---------------------------------------------------------------------------------------------
# Agreement
# ---------------------------------------------------------------------------------------------


def test_agreement_is_that_of_the_metrics():
    y, p, q = answers()
    found = agreement_by_class(y, p, q)
    assert [row["class"] for row in found] == [0, 1, 2]
    for row in found:
        own = y == row["class"]
        assert row["n"] == own.sum()
        assert row["agreement"] == pytest.approx(agreement(p[own], q[own]))
    for name, probabilities in (("teacher", p), ("student", q)):
        np.testing.assert_allclose(
            [row[f"{name}_accuracy"] for row in found],
            recall_score(y, probabilities.argmax(axis=1), average=None),
        )


def test_interval_is_wilson_s():
    y, p, q = answers()
    z = norm.ppf(0.975)
    for row in agreement_by_class(y, p, q):
        share, n = row["agreement"], row["n"]
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        assert row["agreement_low"] == pytest.approx(centre - half)
        assert row["agreement_high"] == pytest.approx(centre + half)


def test_a_class_without_rows_is_not_drawn():
    y, p, q = answers()
    kept = y != 1
    display = AgreementDisplay.from_predictions(y[kept], p[kept], q[kept], labels=[0, 1, 2])
    empty = display.rows[1]
    assert empty["n"] == 0
    assert all(np.isnan(value) for key, value in empty.items() if key not in ("class", "n"))
    assert len(ticks(display.ax_.yaxis)) == 2


def test_agreement_picture_has_the_lowest_at_the_top():
    y, p, q = answers(1000, 26)
    display = AgreementDisplay.from_predictions(y, p, q)
    line = next(line for line in display.ax_.lines if "agreement" in line.get_label())
    assert (np.diff(line.get_xdata()) >= 0).all()
    assert display.ax_.yaxis_inverted()
    lowest = min(display.rows, key=lambda row: row["agreement"])
    assert ticks(display.ax_.yaxis)[0] == f"{lowest['class']}  (n = {lowest['n']})"
    assert len(ticks(display.ax_.yaxis)) == 26
    assert display.figure_.get_figheight() > 8
    assert len({line.get_marker() for line in display.ax_.lines}) == 3


def test_of_very_many_classes_the_lowest_forty_are_drawn():
    y, p, q = answers(3000, 60)
    display = AgreementDisplay.from_predictions(y, p, q)
    assert len(display.rows) == 60 and len(ticks(display.ax_.yaxis)) == 40
    assert display.ax_.get_ylabel() == "true class (20 with more agreement left out)"


def test_agreement_of_an_estimator_and_of_a_report(model, report, rows):
    X, y = rows[0][200:], rows[1][200:]
    display = AgreementDisplay.from_estimator(model, X, y)
    teacher = model.teacher_.predict_proba(X)
    assert display.rows == agreement_by_class(y, teacher, model.predict_proba(X))
    display = AgreementDisplay.from_report(report)
    p = report.probabilities
    assert display.rows == agreement_by_class(y, p["teacher"], p["distilled"])
    display = AgreementDisplay.from_report(report, arm="plain")
    assert display.rows == agreement_by_class(y, p["teacher"], p["plain"])


# ---------------------------------------------------------------------------------------------
# The report
# ---------------------------------------------------------------------------------------------


def test_report_picture_has_scores_and_intervals(report):
    display = ReportDisplay(report).plot(metric="log_loss")
    scores = {row["arm"]: row["log_loss"] for row in report.rows}
    assert ticks(display.ax_.yaxis) == list(scores)
    marks = [line for line in display.ax_.lines if line.get_linestyle() == "None"]
    assert [line.get_xdata()[0] for line in marks] == list(scores.values())
    bars = {
        segment[0, 1]: segment[:, 0]
        for bar in display.ax_.collections
        for segment in bar.get_segments()
    }
    assert sorted(bars) == [0, 1, 2, 3, 4]  # all arms but distilled
    (entry,) = [
        e
        for e in report.intervals
        if e["comparison"] == "distilled - plain" and e["metric"] == "log_loss"
    ]
    # What the bar keeps from the line is what the interval of the difference says.
    np.testing.assert_allclose(
        scores["distilled"] - bars[1], [entry["high"], entry["low"]], atol=1e-12
    )
    assert (bars[1][0] < scores["plain"] < bars[1][1]) == (
        entry["low"] < entry["difference"] < entry["high"]
    )


@pytest.mark.parametrize("metric", ["ece", "n_parameters", "us_single_row"])
def test_report_picture_of_what_has_no_interval(report, metric):
    display = ReportDisplay(report).plot(metric=metric)
    assert not list(display.ax_.collections)


# ---------------------------------------------------------------------------------------------
# All of them
# ---------------------------------------------------------------------------------------------


def draw_all(report, ax=None):
    y, p, q = answers()
    return [
        ReliabilityDisplay.from_predictions(y, {"a": p, "b": q}, ax=ax),
        AgreementDisplay.from_predictions(y, p, q, ax=ax),
        ReportDisplay(report).plot(ax),
    ]


@pytest.mark.parametrize("i", range(3))
def test_given_axes_are_drawn_on(report, i):
    figure, ax = pyplot.subplots()
    size = figure.get_size_inches().tolist()
    display = draw_all(report, ax)[i]
    assert display.ax_ is ax and display.figure_ is figure
    assert figure.get_size_inches().tolist() == size
    assert pyplot.get_fignums() == [1]
    assert display.plot() is display
    assert display.ax_ is not ax


TREES = {
    "deep": DecisionTreeClassifier(random_state=0),
    "stump": DecisionTreeClassifier(max_depth=1, random_state=0),
}


def framed(rows):
    """A display of each kind by its name, and the rows that its frame should hold."""
    X, y = rows
    parts = (X[:100], y[:100], X[100:], y[100:])
    compared = compare(TREES, *parts, loss=["brier", "zero_one"], n_rounds=3, random_state=0)
    fitted = {name: tree.fit(*parts[:2]) for name, tree in TREES.items()}
    robust = robustness_curve(fitted, *parts[2:], strengths=[0, 1], random_state=0)
    y_true, p, q = answers()
    classes, bins = agreement_by_class(y_true, p, q), reliability_bins(y_true, {"p": p, "q": q})
    bars = [
        {
            "arm": arm,
            "metric": metric,
            "loss": part.loss,
            "bias": part.bias,
            "loss_se": part.loss_se,
        }
        for arm, by_metric in compared.decompositions.items()
        for metric, part in by_metric.items()
    ]
    return {
        "agreement": (AgreementDisplay(classes), classes),
        "reliability": (ReliabilityDisplay(bins), bins),
        "robustness": (RobustnessDisplay(robust), robust.rows),
        "differences": (PairedDifferencesDisplay(compared), compared.differences),
        "bias and variance": (BiasVarianceDisplay(compared), bars),
    }


@pytest.mark.parametrize(
    "name", ["agreement", "reliability", "robustness", "differences", "bias and variance"]
)
def test_frame_holds_the_numbers_of_the_picture(name, rows):
    display, expected = framed(rows)[name]
    frame = display.frame()
    assert not hasattr(display, "ax_")  # nothing is drawn for it
    columns = list(expected[0])
    pd.testing.assert_frame_equal(frame[columns], pd.DataFrame(expected), check_exact=True)


def test_frame_of_a_report_holds_scores_and_bars(report):
    frame = ReportDisplay(report).frame().set_index(["metric", "arm"])
    assert list(frame.columns) == ["score", "low", "high"]
    for row in report.rows:
        assert frame.loc[("brier", row["arm"]), "score"] == row["brier"]
    drawn = frame.dropna()
    entries = [e for e in report.intervals if e["comparison"].startswith("distilled - ")]
    assert len(drawn) == len(entries) == 15
    for entry in entries:
        arm = entry["comparison"].removeprefix("distilled - ").strip("()")
        bar, own = drawn.loc[(entry["metric"], arm)], frame.loc[(entry["metric"], "distilled")]
        assert own["score"] - bar["low"] == pytest.approx(entry["high"])
        assert own["score"] - bar["high"] == pytest.approx(entry["low"])


def test_frame_without_pandas_says_what_to_install(report, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    display = ReportDisplay(report)
    with pytest.raises(ImportError, match=r"ReportDisplay.frame needs pandas.*in its rows"):
        display.frame()
    assert len(display.rows) == 13 * 6


def test_without_matplotlib_the_numbers_remain(report, monkeypatch):
    y, p, q = answers()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    assert len(reliability_bins(y, p)) == 15 and len(agreement_by_class(y, p, q)) == 3
    for draw in (
        lambda: ReliabilityDisplay.from_predictions(y, p),
        lambda: AgreementDisplay.from_predictions(y, p, q),
        lambda: ReportDisplay(report).plot(),
    ):
        with pytest.raises(ImportError, match=r'pip install "skdistill\[plot\]"'):
            draw()


@pytest.mark.parametrize("label", ["$5", "$a$", "a_b$^$", "<b>&", "\\frac{", "a\nb", ""])
def test_labels_are_text_and_no_formula(label):
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    y, labels = [label, "other"], [label, "other"]
    for display in (
        ReliabilityDisplay.from_predictions(y, {label: p}, labels=labels),
        AgreementDisplay.from_predictions(y, p, p, labels=labels),
    ):
        display.figure_.draw_without_rendering()
    assert matplotlib.cbook.is_math_text(ticks(display.ax_.yaxis)[0]) is False


def test_nothing_is_changed(model, rows):
    X, y = rows[0].copy(), rows[1].copy()
    before = model.predict_proba(X)
    ReliabilityDisplay.from_estimator(model, X, y)
    AgreementDisplay.from_estimator(model, X, y)
    np.testing.assert_array_equal(X, rows[0])
    np.testing.assert_array_equal(y, rows[1])
    np.testing.assert_array_equal(model.predict_proba(X), before)
