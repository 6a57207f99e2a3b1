"""The parts of a report by themselves: costs, the verdict, a face of what no fit gives."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import (
    distillation_report,
)
from skdistill.evaluation._bootstrap import BootstrapInterval
from skdistill.evaluation._cost import count_parameters, pickled_bytes, prediction_times
from skdistill.evaluation._report._render import Face, render_html, render_text
from skdistill.evaluation._verdict import number_verdict, verdict_sentences


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


def test_html_face_escapes_what_it_shows(report):
    row = {**report.rows[0], "arm": "<b>&"}
    intervals = [dict(comparison="<u>", metric="accuracy", difference=0.0, low=0.0, high=0.0)]
    face = Face([row], intervals, "<i>", headline="<s>", verdict="a < b", students=["<b>&"])
    html = render_html(face)
    assert "&lt;b&gt;&amp;" in html
    for raw in ("<b>", "<i>", "<s>", "<u>", "a < b"):
        assert raw not in html
    assert "<b>&" in render_text(face)


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


OF_R2 = {
    "More exact than the teacher by R² (+0.010 to +0.050, 95 %).": (0.03, 0.01, 0.05),
    "Not inferior to the teacher within 0.01 of R² (-0.0099": (0.0, -0.0099, 0.005),
    "Less exact than the teacher by 0.005 of R² on these rows, and non-inferiority within 0.01": (
        -0.005,
        -0.011,
        0.01,
    ),
    "Less exact than the teacher by R²": (-0.01, -0.015, -0.005),
    "Inferior to the teacher by more than 0.01 of R²": (-0.03, -0.05, -0.012),
}


@pytest.mark.parametrize("sentence", OF_R2)
def test_the_verdict_on_numbers_reads_the_interval_and_the_margin(sentence):
    interval = BootstrapInterval(*OF_R2[sentence])
    first, second, *rest = number_verdict(interval, interval, teacher_helps=False, n_seeds=2)
    assert first.startswith(sentence)
    said = {(True, False): "lower", (False, True): "higher"}
    word = said.get((interval.high < 0, interval.low > 0), "No difference")
    assert word in second
    assert "no better than the plain student's" in rest[0] and len(rest) == 1


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
