"""All displays have the same ways to be made: of a result, and of an estimator and rows."""

import inspect

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, StudentNet, evaluation
from skdistill.evaluation import (
    AgreementDisplay,
    BiasVarianceDisplay,
    CapacityCurveDisplay,
    LeaderboardDisplay,
    LearningCurvesDisplay,
    LossCurveDisplay,
    PairedDifferencesDisplay,
    ReliabilityDisplay,
    ReportDisplay,
    RobustnessDisplay,
    TemperatureAlphaDisplay,
    TreeDisplay,
    agreement_by_class,
    bias_variance_decomposition,
    capacity_curve,
    compare,
    distillation_report,
    explain_tree,
    leaderboard,
    learning_curves,
    reliability_bins,
    robustness_curve,
    temperature_alpha_map,
)
from skdistill.students import SoftDecisionTree
from skdistill.targets import teacher_probabilities

Y = np.arange(120) % 2
X = np.random.default_rng(0).normal(size=(120, 2)) + 1.5 * Y[:, None]
SPLIT = (X[:80], Y[:80], X[80:], Y[80:])
TEST = SPLIT[2:]
DISPLAYS = [getattr(evaluation, name) for name in evaluation.__all__ if name.endswith("Display")]
TIMES = {"us_per_row", "us_single_row", "fit_seconds", "n_bytes", "front"}


def recipe(student=None, **settings):
    student = DecisionTreeClassifier(max_depth=2, random_state=0) if student is None else student
    return DistilledClassifier(GaussianNB(), student, **{"cv": 2, "random_state": 0, **settings})


TREES = {"a": DecisionTreeClassifier(max_depth=1), "b": DecisionTreeClassifier(max_depth=3)}
ROUNDS = {"n_rounds": 3, "random_state": 0}
CURVE = {"train_sizes": [30, 60], "cv": 2}
SIZES = {"param_range": [2, 4], "cv": 2}
MAP = {"temperatures": [1], "alphas": [0.2, 0.5], "cv": 2}
NOISE = {"strengths": [0, 1], "random_state": 0}


@pytest.fixture(scope="module")
def models():
    fitted = recipe().fit(*SPLIT[:2])
    net = recipe(StudentNet(max_epochs=2)).fit(*SPLIT[:2])
    soft = DistilledClassifier(student=SoftDecisionTree(depth=1), alpha=0, random_state=0)
    return {"fitted": fitted, "net": net, "soft": soft.fit(*SPLIT[:2])}


def case(display, models):
    """The result that a display shows, and the arguments that `from_estimator` makes it of."""
    fitted, net, soft = (models[name] for name in ("fitted", "net", "soft"))
    teacher = teacher_probabilities(fitted.teacher_, TEST[0], [0, 1])
    student = fitted.predict_proba(TEST[0])
    both = {"teacher": teacher, "distilled": student}
    cases = {
        AgreementDisplay: (
            lambda: agreement_by_class(TEST[1], teacher, student), (fitted, *TEST), {},
        ),
        BiasVarianceDisplay: (
            lambda: bias_variance_decomposition(TREES["a"], *SPLIT, **ROUNDS),
            (TREES["a"], *SPLIT), ROUNDS,
        ),
        CapacityCurveDisplay: (
            lambda: capacity_curve(recipe(), X, Y, **SIZES), (recipe(), X, Y), SIZES,
        ),
        LeaderboardDisplay: (
            lambda: leaderboard(recipe(), *SPLIT, students=TREES),
            (recipe(), *SPLIT), {"students": TREES},
        ),
        LearningCurvesDisplay: (
            lambda: learning_curves(recipe(), X, Y, **CURVE), (recipe(), X, Y), CURVE,
        ),
        LossCurveDisplay: (lambda: {"net": net.history_}, ({"net": net},), {}),
        PairedDifferencesDisplay: (
            lambda: compare(TREES, *SPLIT, **ROUNDS), (TREES, *SPLIT), ROUNDS,
        ),
        ReliabilityDisplay: (lambda: reliability_bins(TEST[1], both), (fitted, *TEST), {}),
        ReportDisplay: (lambda: distillation_report(recipe(), *SPLIT), (recipe(), *SPLIT), {}),
        RobustnessDisplay: (
            lambda: robustness_curve(fitted, *TEST, **NOISE), (fitted, *TEST), NOISE,
        ),
        TemperatureAlphaDisplay: (
            lambda: temperature_alpha_map(recipe(), X, Y, **MAP), (recipe(), X, Y), MAP,
        ),
        TreeDisplay: (lambda: explain_tree(soft, X), (soft, X), {}),
    }  # fmt: skip
    return cases[display]


def numbers(display):
    """The rows of a display without what a clock says."""
    rows = sorted(display.rows, key=lambda row: str([row.get("student"), row.get("arm")]))
    untimed = (row for row in rows if row.get("metric") not in TIMES)
    return [{k: v for k, v in row.items() if k not in TIMES} for row in untimed]


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: display.__name__)
def test_a_display_is_made_of_a_result_and_of_an_estimator(display, models):
    compute, given, settings = case(display, models)
    result = compute()
    _, (left, right) = pyplot.subplots(1, 2)
    shown = display.from_result(result, ax=left)
    assert type(shown) is display and shown.ax_ is left and left.has_data() + len(left.texts)
    made = display.from_estimator(*given, ax=right, **settings)
    assert type(made) is display and made.ax_ is right
    np.testing.assert_equal(numbers(made), numbers(shown))
    np.testing.assert_equal(numbers(display(result)), numbers(shown))
    pyplot.close("all")


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: display.__name__)
def test_axes_are_looked_at_before_anything_is_computed(display, models, monkeypatch):
    _, given, settings = case(display, models)
    asked = []
    for kind in (GaussianNB, DecisionTreeClassifier):
        monkeypatch.setattr(kind, "predict_proba", lambda *_: asked.append(1))
        monkeypatch.setattr(kind, "fit", lambda *_: asked.append(1))
    with pytest.raises(
        TypeError, match=r"'ax' parameter of .* must be matplotlib.axes.Axes or None"
    ):
        display.from_estimator(*given, ax="here", **settings)
    assert asked == []


@pytest.mark.parametrize("display", DISPLAYS, ids=lambda display: display.__name__)
def test_the_choices_of_plot_are_those_of_from_result(display, models):
    compute, _, _ = case(display, models)
    choices = set(inspect.signature(display.plot).parameters) - {"self", "ax"}
    first = {"metric": None, "cost": "n_bytes"}
    if display is RobustnessDisplay:
        first["metric"] = "log_loss"
    drawn = display.from_result(compute(), **{name: first[name] for name in choices})
    again = display(compute()).plot(**{name: first[name] for name in choices})
    assert drawn.ax_.get_ylabel() == again.ax_.get_ylabel()
    assert drawn.ax_.get_xlabel() == again.ax_.get_xlabel()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        display.from_result(compute(), colour="red")
    pyplot.close("all")


def test_differences_are_drawn_under_their_old_name_too():
    display = PairedDifferencesDisplay.from_estimators(TREES, *SPLIT, **ROUNDS)
    assert type(display) is PairedDifferencesDisplay
    pyplot.close("all")


REFUSED = {
    "several test sets": (
        ValueError,
        lambda: ReportDisplay.from_estimator(recipe(), *SPLIT[:2], {"a": X}, {"a": Y}),
        r"X_test holds the test sets \['a'\].* expected its rows. Pass one of them",
    ),
    "a metric that no report has": (
        ValueError,
        lambda: ReportDisplay.from_estimator(recipe(), *SPLIT, metric="f1"),
        "'metric' parameter of ReportDisplay must be one of accuracy.*Got 'f1'",
    ),
    "several labels of a row": (
        TypeError,
        lambda: AgreementDisplay.from_estimator(
            DecisionTreeClassifier(random_state=0).fit(X, np.c_[Y, Y]), X, Y
        ),
        "must give one label to each row. Got DecisionTreeClassifier.*from_predictions takes",
    ),
    "no report": (
        TypeError,
        lambda: ReportDisplay.from_result([1]),
        "ReportDisplay shows a DistillationReport. Got list instead; pass what",
    ),
}


@pytest.mark.parametrize("case_", REFUSED)
def test_refused(case_, refused):
    refused(*REFUSED[case_])
