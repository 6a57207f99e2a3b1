"""What results and their pictures refuse, and say why, before anything is computed or drawn."""

import functools

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import (
    AgreementDisplay,
    BiasVarianceDisplay,
    CapacityCurveDisplay,
    DistillationReports,
    LeaderboardDisplay,
    LearningCurvesDisplay,
    LossCurveDisplay,
    PairedDifferencesDisplay,
    ReliabilityDisplay,
    ReportDisplay,
    RobustnessDisplay,
    TemperatureAlphaDisplay,
    compare,
    distillation_report,
    robustness_curve,
    temperature_alpha_map,
)

X, Y = make_classification(80, 6, n_informative=4, random_state=0)
X0, Y0, X1, Y1 = X[:50], Y[:50], X[50:], Y[50:]
TREE = DecisionTreeClassifier(random_state=0)
NB = GaussianNB().fit(X0, Y0)
FITTED = DistilledClassifier(GaussianNB(), TREE, random_state=0).fit(X0, Y0)
PLAIN = DistilledClassifier(student=TREE, alpha=0, random_state=0).fit(X0, Y0)
RIDGE = Ridge().fit(X0, Y0)
MARGINS = LinearSVC(random_state=0).fit(X0, Y0)
P = np.full((4, 2), 0.5)
EVEN = np.full((3, 3, 2), 0.5)


class Untouched(ClassifierMixin, BaseEstimator):
    """An unfitted classifier that nobody may fit or ask."""

    def fit(self, X, y):
        pytest.fail("something was fitted before the refusal")

    def predict(self, X):
        pytest.fail("something was asked before the refusal")

    predict_proba = predict


UNTRAINED = DistilledClassifier(Untouched(), StudentNet(max_epochs=1))
REPORT = distillation_report(FITTED, X0, Y0, X1, Y1)
SETS = DistillationReports({"a": REPORT})
CURVE = robustness_curve({"m": NB}, X1, Y1, strengths=[0, 1], random_state=0)
ARMS = {"a": GaussianNB(), "b": TREE}
COMPARISON = compare(ARMS, X0, Y0, X1, Y1, n_rounds=3, random_state=0)
MAP = temperature_alpha_map(FITTED, X, Y, temperatures=[1], alphas=[0, 0.5], cv=2)


def attempts(function, **given):
    """Return a function from changed arguments to an attempt without arguments."""
    return lambda **changes: functools.partial(function, **{**given, **changes})


PARTS = {"X": X0, "y": Y0, "X_test": X1, "y_test": Y1}
LEARNT = {"X_train": X0, "y_train": Y0, "X_test": X1, "y_test": Y1}
reliability = attempts(ReliabilityDisplay.from_estimator, estimator=FITTED, X=X1, y=Y1)
agreement = attempts(AgreementDisplay.from_estimator, estimator=FITTED, X=X1, y=Y1)
predictions = attempts(ReliabilityDisplay.from_predictions, y_true=[0, 1, 0, 1], y_proba=P)
arms = attempts(ReliabilityDisplay.from_report, report=REPORT)
arm = attempts(AgreementDisplay.from_report, report=REPORT)
column = attempts(ReportDisplay(REPORT).plot)
bars = attempts(BiasVarianceDisplay(COMPARISON).plot)
differences = attempts(PairedDifferencesDisplay(COMPARISON).plot)
given = attempts(BiasVarianceDisplay.from_predictions, y_test=[0, 1, 1], predictions=EVEN)
rounds = attempts(BiasVarianceDisplay.from_estimator, estimator=Untouched(), **PARTS)
pairs = attempts(PairedDifferencesDisplay.from_estimator, estimators={}, **PARTS)
curves = attempts(LearningCurvesDisplay.from_estimator, model=UNTRAINED, X=X, y=Y)
sizes = attempts(CapacityCurveDisplay.from_estimator, model=UNTRAINED, X=X, y=Y)
boards = attempts(LeaderboardDisplay.from_estimator, model=UNTRAINED, **LEARNT)
losses = attempts(LossCurveDisplay.from_estimator, models=FITTED)
grid = attempts(TemperatureAlphaDisplay.from_estimator, model=UNTRAINED, X=X, y=Y)
corrupted = attempts(RobustnessDisplay.from_estimator, models={"m": NB}, X_test=X1, y_test=Y1)

# fmt: off
RESULTS = {
    "a threshold of 1": (ValueError, lambda: REPORT.side_changes(1.0), r"\(0, 1\). Got 1.0"),
    "a threshold as text": (ValueError, lambda: REPORT.side_changes("half"), "'threshold'.*'half'"),
    "a threshold NaN": (ValueError, lambda: REPORT.side_changes(np.nan), "'threshold'.*Got nan"),
    "a page nowhere": (TypeError, lambda: REPORT.to_html(None), "path-like. Got None.*such as"),
    "a page in no folder": (FileNotFoundError, lambda: SETS.to_html("no/such/page.html"),
                            "there is no folder 'no/such'. Make it first, or pass another path"),
    "a set that is none": (KeyError, lambda: SETS["b"], "a test set 'b'; there are those on 'a'"),
    "reports without names": (TypeError, lambda: DistillationReports([REPORT]), "Got list of"),
    "reports of something else": (TypeError, lambda: DistillationReports({"a": CURVE}),
                                  "a dict of names and reports, as distillation_report returns"),
    "the best by nothing": (ValueError, lambda: MAP.best_params("auc"), "of log_loss, .*Got 'auc'"),
    "two rounds": (ValueError, given(predictions=EVEN[:2]), r"n_rounds >= 3.*shape \(2, 3, 2\)"),
    "rounds of other rows": (ValueError, given(y_test=[0, 1]), r"n_test = 2.*shape \(3, 3, 2\)"),
    "rounds of scores": (ValueError, given(predictions=2 * EVEN), r"predictions\[0\].*the sum 1"),
    "rounds of other classes": (ValueError, given(labels=[0, 1, 2]), "2 columns, but there are 3"),
    "rounds NaN": (ValueError, given(predictions=np.full((3, 3), np.nan)), "contains NaN"),
    "rounds in words": (ValueError, given(predictions="abc"), "predictions must have the shape"),
    "one round": (ValueError, given(predictions=np.zeros(3)), r"Got shape \(3,\) instead"),
    "a loss of numbers": (ValueError, given(loss="squared"), "for classifiers. Got 'squared'"),
    "no test points": (ValueError, given(y_test=[], predictions=EVEN[:, :0]), "y_test has no rows"),
    "values NaN": (ValueError, given(y_test=[0, np.nan, 1], predictions=np.zeros((3, 3))), "NaN"),
    "words for values": (ValueError, given(y_test=list("aba"), predictions=np.zeros((3, 3))),
                         "y_test holds what is no number.*For labels pass a classifier"),
    "an unknown label": (ValueError, given(labels=[0, 7]), "no class were found: 1.*Drop"),
    "a label twice": (ValueError, given(labels=[0, 0]), "must name each column once"),
}
PICTURES = {
    "a report of a curve": (TypeError, lambda: ReportDisplay(CURVE), "Got RobustnessCurve instead"),
    "a report of sets": (TypeError, lambda: ReportDisplay(SETS), r"pass one of \['a'\] from it"),
    "a curve of a report": (TypeError, lambda: RobustnessDisplay(REPORT), "Got DistillationReport"),
    "arms of a curve": (TypeError, arms(report=CURVE), "Got RobustnessCurve instead; pass what"),
    "an arm of sets": (TypeError, arm(report=SETS), r"pass one of \['a'\] from it"),
    "an arm that is none": (ValueError, arm(arm="student"), "'student'.*its arms are 'teacher'"),
    "a list for an arm": (ValueError, arm(arm=["plain"]), "'arms' must be a sequence of arms"),
    "arms as text": (ValueError, arms(arms="plain"), "must be a sequence of arms.*Got 'plain'"),
    "no arms": (ValueError, arms(arms=[]), r"must be a sequence of arms.*Got \[\]"),
    "a number of arms": (ValueError, arms(arms=3), "must be a sequence of arms.*Got 3"),
    "no estimator": (TypeError, reliability(estimator=None), "Got None instead; from_predictions"),
    "a class": (TypeError, reliability(estimator=GaussianNB), "Got the class GaussianNB instead"),
    "a function": (TypeError, agreement(estimator=NB.predict_proba), "from_predictions takes"),
    "an unfitted model": (NotFittedError, reliability(estimator=UNTRAINED), "not fitted yet. Call"),
    "a regressor": (TypeError, reliability(estimator=RIDGE), "Got Ridge instead, a regressor"),
    "margins": (TypeError, reliability(estimator=MARGINS), "none. CalibratedClassifierCV gives"),
    "nobody to agree with": (ValueError, agreement(estimator=PLAIN), "with a teacher. Got .* pass"),
    "rows of None": (ValueError, reliability(X=None), "X is of type NoneType; expected rows"),
    "no rows": (ValueError, agreement(X=X1[:0], y=[]), "X has no rows; expected at least one"),
    "fewer labels": (ValueError, reliability(y=Y1[1:]), "30 rows and y has 29 labels; pass one"),
    "other labels": (ValueError, agreement(y=Y1 + 5), "does not fit the estimator.* 5, 6.*Drop"),
    "no bins": (ValueError, reliability(n_bins=0), r"'n_bins'.*\[1, inf\). Got 0 instead"),
    "metric of a report": (ValueError, column(metric="f1"), "one of accuracy, .*Got 'f1'"),
    "metrics of a report": (ValueError, column(metric=["ece"]), r"of accuracy, .*Got \['ece'\]"),
    "metric of a corruption": (ValueError, corrupted(metric="speed"), "ece. Got .speed. instead"),
    "metric of a comparison": (ValueError, bars(metric="x"),
                               r"losses of the comparison, \['log_loss'\]. Got 'x'"),
    "metric of differences": (ValueError, differences(metric=3),
                              r"losses of the comparison, \['log_loss'\]. Got 3"),
    "metric of curves": (ValueError, curves(metric="auc"), "log_loss, accuracy, brier. Got 'auc'"),
    "metrics of sizes": (ValueError, sizes(metric=["brier"]), r"brier. Got \['brier'\] instead"),
    "cost of a board": (ValueError, boards(cost="price"), "of us_per_row, n_bytes. Got 'price'"),
    "axes of a board": (TypeError, boards(ax=3), "'ax' parameter of LeaderboardDisplay.*Got int"),
    "a number of a grid": (ValueError, grid(metric=3), "log_loss, accuracy, brier. Got 3 instead"),
    "accuracy of numbers": (ValueError, sizes(metric="accuracy", model=DistilledRegressor(TREE)),
                            "must be one of rmse, mse, mae, r2. Got 'accuracy' instead"),
    "axes as text": (TypeError, predictions(ax="a"), "'ax'.*Got str instead; of a figure pass"),
    "a figure": (TypeError, column(ax=pyplot.Figure()), "Got Figure.*pass figure.subplots"),
    "axes of curves": (TypeError, curves(ax=3), "'ax' parameter of LearningCurvesDisplay.*Got int"),
    "axes of sizes": (TypeError, sizes(ax=3), "'ax' parameter of CapacityCurveDisplay.*Got int"),
    "axes of a grid": (TypeError, grid(ax=3), "'ax' parameter of TemperatureAlphaDisplay.*Got int"),
    "axes of rounds": (TypeError, rounds(ax=3), "'ax' parameter of BiasVarianceDisplay.*Got int"),
    "axes of arms": (TypeError, pairs(ax=3), "'ax' parameter of PairedDifferencesDisplay.*Got int"),
    "axes of a corruption": (TypeError, corrupted(ax=3), "'ax' parameter of RobustnessDisplay"),
    "axes of losses": (TypeError, losses(ax=3), "'ax' parameter of LossCurveDisplay.*Got int"),
    "no fit": (TypeError, losses(models={}), "dict of histories.*Got {} instead; pass"),
    "losses of a tree": (ValueError, losses(models=FITTED), "'DistilledClassifier', whose history"
                         " has no epoch; expected a fit in epochs.*draw LearningCurvesDisplay"),
    "losses before a fit": (NotFittedError, losses(models={"a": UNTRAINED}),
                            "'a', which is DistilledClassifier before its fit; expected.*Fit it"),
    "losses of no net": (TypeError, losses(models=NB), "GaussianNB, without history_; expected a"),
    "losses of text": (TypeError, losses(models="net"), "'str', which is str, without history_"),
    "a history without epochs": (TypeError, lambda: LossCurveDisplay({"a": [{"epoch": 1}]}),
                                 r"epoch and train_loss. Got {'a': \[{'epoch': 1}\]} inst.*pass"),
    "one arm": (ValueError, pairs(estimators={"a": Untouched()}),
                "two arms at least; compare had a alone. Add the estimator"),
}
DISPLAYS = {
    AgreementDisplay: "list of dicts with the keys class.*agreement_by_class returned",
    BiasVarianceDisplay: "a BiasVarianceDecomposition, a dict.*or compare returned",
    CapacityCurveDisplay: "shows a CapacityCurve.*pass what capacity_curve returned",
    LeaderboardDisplay: "shows a Leaderboard.*pass what leaderboard returned",
    LossCurveDisplay: "shows a dict of histories.*pass {'name': model.history_}",
    LearningCurvesDisplay: "shows a LearningCurves.*or label_budget_curve returned",
    PairedDifferencesDisplay: "shows a Comparison.*pass what compare returned",
    ReliabilityDisplay: "list of dicts with the keys arm.*reliability_bins returned",
    ReportDisplay: "shows a DistillationReport.*pass what distillation_report returned",
    RobustnessDisplay: "shows a RobustnessCurve.*pass what robustness_curve returned",
    TemperatureAlphaDisplay: "shows a TemperatureAlphaMap.*what temperature_alpha_map returned",
}
WRONG = {
    "None": None, "text": "a", "no rows": [], "rows of numbers": [1], "other rows": [{"a": 1}],
    "a dict": {"a": 1}, "an empty dict": {}, "a model": FITTED, "an array": P,
}
# fmt: on
REFUSED = {f"result: {name}": case for name, case in RESULTS.items()}
REFUSED |= {f"picture: {name}": case for name, case in PICTURES.items()}
REFUSED |= {
    f"{display.__name__} of {name}": (TypeError, functools.partial(display, wrong), message)
    for display, message in DISPLAYS.items()
    for name, wrong in WRONG.items()
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])
    assert pyplot.get_fignums() == []
