"""What metrics, corruptions and attacks refuse, and say why."""

import functools

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import (
    BiasVarianceDisplay,
    DistillationReports,
    adversarial_accuracy,
    agreement,
    agreement_by_class,
    compare,
    distillation_report,
    expected_calibration_error,
    kl_to_teacher,
    reliability_bins,
    robustness_curve,
    temperature_alpha_map,
)
from skdistill.exceptions import TeacherError

X, Y = make_classification(80, 6, n_informative=4, random_state=0)
X0, Y0, X1, Y1 = X[:50], Y[:50], X[50:], Y[50:]
TABLE = pd.DataFrame(X1, columns=list("abcdef"))
TEXTS = ["good day", "bad day"] * 15
DATES = np.full((30, 1), "2020-01-01", dtype="M8[D]")
GAPS = np.column_stack([X1, np.full(30, np.nan)])
TREE = DecisionTreeClassifier(random_state=0)
NB = GaussianNB().fit(X0, Y0)
MARGINS = LinearSVC(random_state=0).fit(X0, Y0)
FITTED = DistilledClassifier(GaussianNB(), TREE, random_state=0).fit(X0, Y0)
PLAIN = DistilledClassifier(student=TREE, alpha=0, random_state=0).fit(X0, Y0)
P = np.full((4, 2), 0.5)
Q = pd.DataFrame(P, columns=["a", "b"])
A, B = ["a", "b", "a", "b"], [0, 1, 0, 1]


class Untouched(ClassifierMixin, BaseEstimator):
    """An unfitted classifier that nobody may fit or ask."""

    def fit(self, X, y):
        pytest.fail("something was fitted before the refusal")

    def predict(self, X):
        pytest.fail("something was asked before the refusal")

    predict_proba = predict


class Decided(nn.Module):
    """Returns hard decisions, through which no gradient goes."""

    def forward(self, X):
        return nn.functional.one_hot((X[:, 0] > 0).long(), 2).float() * 3


def even(X):
    """Answers the same for any row."""
    return np.full((len(X), 2), 0.5)


def attempts(function, **given):
    """Return a function from changed arguments to an attempt without arguments."""
    return lambda **changes: functools.partial(function, **{**given, **changes})


with torch.random.fork_rng():
    torch.manual_seed(0)
    MODULE, WIDE, NARROW = nn.Linear(6, 2), nn.Linear(6, 5), nn.Linear(3, 2)
    CODES = nn.Sequential(nn.Embedding(20, 2), nn.Flatten(), nn.Linear(12, 2))
    QUANTILES, CLIPPED = (
        make_pipeline(step, StudentNet(nn.Linear(6, 2), max_epochs=1)).fit(X0, Y0)
        for step in (QuantileTransformer(n_quantiles=10), MinMaxScaler(clip=True))
    )
UNTRAINED = DistilledClassifier(Untouched(), StudentNet(max_epochs=1))
REPORT = distillation_report(FITTED, X0, Y0, X1, Y1)
SETS = DistillationReports({"a": REPORT})
CURVE = robustness_curve({"m": NB}, X1, Y1, strengths=[0, 1], random_state=0)
TWO = {"a": GaussianNB(), "b": TREE}
COMPARISON = compare(TWO, X0, Y0, X1, Y1, n_rounds=3, random_state=0)
MAP = temperature_alpha_map(FITTED, X, Y, temperatures=[1], alphas=[0, 0.5], cv=2)

ece = attempts(expected_calibration_error, y_true=B, y_proba=P)
bins = attempts(reliability_bins, y_true=B, y_proba=P)
by_class = attempts(agreement_by_class, y_true=B, teacher_proba=P, y_proba=P)
agree = attempts(agreement, teacher_proba=P, y_proba=P)
divergence = attempts(kl_to_teacher, teacher_proba=P, y_proba=P)
robust = attempts(robustness_curve, models={"m": NB}, X_test=X1, y_test=Y1)
anybody = attempts(robustness_curve, models={"m": even}, X_test=X1, y_test=Y1)
attack = attempts(adversarial_accuracy, models={"m": MODULE}, X_test=X1, y_test=Y1)
drawn = attempts(BiasVarianceDisplay.from_predictions, y_test=[0, 1, 1])
NO = {"X_test": X1[:0], "y_test": Y1[:0]}

# fmt: off
METRICS = {
    "a vector": (ValueError, agree(y_proba=[0.5, 0.5]),
                 r"shape \(n_samples.*\(2,\).*predict_proba"),
    "no rows": (ValueError, agree(y_proba=np.empty((0, 2))), "at least one row and two columns."),
    "one column": (ValueError, divergence(y_proba=[[1.0]]), r"two columns. Got shape \(1, 1\)"),
    "None": (ValueError, agree(teacher_proba=None), r"teacher_proba .*Got shape \(\) instead;"),
    "text": (ValueError, divergence(y_proba="abc"), "no array of real numbers but of type str;"),
    "a classifier": (ValueError, agree(y_proba=NB), "of type GaussianNB; expected.*predict_proba"),
    "a dict": (ValueError, divergence(y_proba={"a": P}), "of type dict; expected shape"),
    "ragged": (ValueError, agree(y_proba=[[0.5, 0.5], [1]]), "of type list; expected shape"),
    "sparse": (ValueError, agree(y_proba=sparse.csr_matrix(P)), "of type csr_matrix; expected"),
    "complex": (ValueError, divergence(y_proba=1j * P), "no array of real numbers"),
    "sums": (ValueError, agree(y_proba=[[0.5, 0.6]]), "must be probabilities.*sums from"),
    "logits": (ValueError, divergence(y_proba=[[1.5, -0.5]]), "values from -0.5 to 1.5.*softmax"),
    "NaN": (ValueError, agree(y_proba=[[np.nan, 0.5]]), "not finite in 1 rows.*learning rate"),
    "other classes": (ValueError, divergence(y_proba=P[:, [0, 1, 1]] / 1.5), "the same classes"),
    "other rows": (ValueError, agree(y_proba=P[:3]), r"\(4, 2\) and .* \(3, 2\).*same rows"),
    "named otherwise": (ValueError, agree(teacher_proba=Q, y_proba=Q[["b", "a"]]),
                        r"\['b', 'a'\], and those of teacher_proba \['a', 'b'\].*Pass y_proba\[\["),
    "another length": (ValueError, ece(y_true=[0, 1]), "y_true has 2 rows and y_proba has 4; pass"),
    "no labels": (ValueError, ece(y_true=None), "y_true is of type NoneType; expected a label"),
    "a table of labels": (ValueError, ece(y_true=P), r"y_true has shape \(4, 2\);"),
    "labels NaN": (ValueError, ece(y_true=[0, 1, np.nan, 1]), "y_true has 1 missing.*row 2.*Leave"),
    "labels of two kinds": (ValueError, ece(y_true=np.array([0, "a"] * 2, dtype=object)),
                            "of the types int, str.*expected one type. Write"),
    "one class": (ValueError, ece(y_true=[0] * 4), "2 columns, but there are 1 classes. Pass one"),
    "an unknown label": (ValueError, ece(y_true=[0, 7] * 2, labels=[0, 1]), "no class were found:"),
    "more names": (ValueError, ece(labels=[0, 1, 2]), "2 columns, but there are 3 classes. Pass"),
    "a name twice": (ValueError, ece(labels=[0, 0]), r"name each column once.*\[0, 0\]; pass the"),
    "a table of names": (ValueError, ece(labels=[[0], [1]]), "name each column once.*classes_"),
    "names as text": (ValueError, ece(labels="01"), "name each column once.*Got '01'"),
    "columns in another order": (ValueError, ece(y_true=A, y_proba=Q[["b", "a"]]),
                                 r"columns of y_proba are \['b', 'a'\], and the classes \['a'"),
    "no bins": (ValueError, ece(n_bins=0), r"'n_bins' parameter of expected.*\[1, inf\). Got 0"),
    "half a bin": (ValueError, bins(n_bins=2.0), "'n_bins' parameter of reliability_bins.*Got 2.0"),
    "bins None": (ValueError, bins(n_bins=None), "'n_bins'.*int.*Got None"),
    "no arms": (ValueError, bins(y_proba={}), "empty dict; pass the probabilities of one arm"),
    "an arm of None": (ValueError, bins(y_proba={"a": None}), r"y_proba\['a'\] must have shape"),
    "an arm of scores": (ValueError, bins(y_proba={"a": 2 * P}), r"y_proba\['a'\].*softmax first"),
    "a shorter arm": (ValueError, bins(y_proba={"a": P, "b": P[:3]}), r"y_proba\['b'\] has 3;"),
    "a narrow teacher": (ValueError, by_class(labels=[0, 1, 2]), "teacher_proba has 2 columns,"),
    "a shorter student": (ValueError, by_class(y_proba=P[:3]), "4 rows and y_proba has 3; pass"),
}
ROBUST = {
    "a classifier": (TypeError, robust(models=NB), "dict of names and fitted.*Got GaussianNB"),
    "a list": (TypeError, robust(models=[NB]), r"dict of names.*Got \[GaussianNB\(\)\] instead"),
    "nobody": (TypeError, robust(models={}), "dict of names and fitted.*Got {} instead"),
    "a regressor": (TypeError, robust(models=DistilledRegressor(Ridge())), "or one fitted"),
    "unfitted": (NotFittedError, robust(models=UNTRAINED), "not fitted yet. Call 'fit'"),
    "an unfitted member": (ValueError, robust(models={"m": LogisticRegression()}),
                           "'m' is a LogisticRegression that is not fitted;.*Call its fit"),
    "None for a member": (TeacherError, robust(models={"m": None}), "is None .*expected a"),
    "a path for a member": (TeacherError, robust(models={"m": "a.pt"}), "'a.pt' of type str;"),
    "a class for a member": (TeacherError, robust(models={"m": GaussianNB}),
                             "the class GaussianNB;"),
    "numbers": (TeacherError, robust(models={"m": Ridge().fit(X0, Y0)}), "no predict_proba;"),
    "margins": (TeacherError, robust(models={"m": MARGINS}), "Calibrate it first"),
    "an empty ensemble": (ValueError, robust(models={"m": []}), r"teachers=\[\]; expected at"),
    "another width": (ValueError, robust(models={"m": GaussianNB().fit(X0[:, :2], Y0)}),
                      "expecting 2"),
    "a module of another width": (TeacherError, robust(models={"m": NARROW}),
                                  r"cannot be asked about rows of shape \(6,\).*Give it rows"),
    "other classes": (TeacherError, robust(models={"m": WIDE}), "5 columns .*Name the columns"),
    "labels of another kind": (ValueError, robust(models={
        "m": NB, "n": GaussianNB().fit(X0, Y0.astype(str))}), "y_test does not fit the models"),
    "no test rows": (ValueError, robust(**NO), "X_test has no rows; expected at least one.*a"),
    "X_test is None": (ValueError, robust(X_test=None), "X_test is of type NoneType; expected"),
    "another length": (ValueError, robust(y_test=Y1[:9]), "30 rows and y_test has 9 labels; pass"),
    "an unknown label": (ValueError, robust(y_test=Y1 + 2), "y_test does not fit the models.*"),
    "labels NaN": (ValueError, robust(y_test=np.where(Y1, np.nan, 0)), "y_test has .* missing"),
    "teacher_classes twice": (ValueError, anybody(teacher_classes=[0, 0]), "name each column once"),
    "teacher_classes as text": (ValueError, anybody(teacher_classes="01"), "'teacher_classes'"),
    "corruption": (ValueError, robust(corruption="fog"), "'gaussian_noise'.*callable.*Got 'fog'"),
    "no corruption": (ValueError, robust(corruption=None), "'corruption'.*callable.*Got None"),
    "a list of corruptions": (ValueError, robust(corruption=["shift"]), r"Got \['shift'\] instead"),
    "a function of one argument": (ValueError, robust(corruption=lambda X: X, strengths=[1]),
                                   "does not take three arguments; expected .*Write lambda X,"),
    "fewer rows": (ValueError, robust(corruption=lambda X, s, r: X[1:], strengths=[1]),
                   "the same sha"),
    "no rows back": (ValueError, robust(corruption=lambda X, s, r: None, strengths=[1]),
                     r"gave rows of shape \(\) for rows of shape \(10, 6\); expected"),
    "images": (ValueError, robust(corruption="blur"), r"images of shape.*\(30, 6\).*reshape"),
    "a shift of images": (ValueError, anybody(X_test=X1.reshape(30, 2, 3), corruption="shift"),
                          "is for tables .*for images there are 'blur'"),
    "texts": (ValueError, anybody(X_test=TEXTS), "for tables, and .*Got texts instead; pass a"),
    "gaps in texts": (ValueError, anybody(X_test=TEXTS, corruption="missing"), "Got texts instead"),
    "imputed texts": (ValueError, anybody(X_test=TEXTS, corruption="imputed"), "Got texts instead"),
    "blurred texts": (ValueError, anybody(X_test=TEXTS, corruption="blur"), "Got texts instead"),
    "gaps in dates": (ValueError, anybody(X_test=DATES, corruption="missing"), r"datetime64\[D\]"),
    "images of words": (ValueError, anybody(X_test=np.full((30, 2, 2), "a")), "images of numbers."),
    "words": (ValueError, anybody(X_test=np.full((30, 2), "a")), "X has none; use.*'missing', or"),
    "nothing but gaps": (ValueError, anybody(X_test=GAPS, corruption="imputed"),
                         "nothing but gaps;"),
    "gaps for all": (ValueError, anybody(X_test=GAPS * np.nan), "no numeric column of the 30 rows"),
    "gaps for a model without": (ValueError, robust(corruption="missing"),
                                 "'m' refused.*'imputed'"),
    "sparse": (ValueError, robust(X_test=sparse.csr_matrix(X1)), "zeros of a sparse X; pass dense"),
    "strength beyond the most": (ValueError, robust(corruption="missing", strengths=[1.5]),
                                 r"from 0 to 1 .*Got \[1.5\] instead"),
    "negative strength": (ValueError, robust(strengths=[-1]), r"'strengths'.*Got \[-1\] instead"),
    "strength NaN": (ValueError, robust(strengths=[np.nan]), r"'strengths'.*Got \[nan\] instead"),
    "no strengths": (ValueError, robust(strengths=[]), r"'strengths'.*list.*Got \[\] instead"),
    "a strength": (ValueError, robust(strengths=1.0), "'strengths'.*list.*Got 1.0 instead"),
    "strengths in words": (ValueError, robust(strengths="all"), "'strengths'.*Got 'all' instead"),
    "strengths of a callable": (ValueError, robust(corruption=lambda X, s, r: X),
                                "pass the strengths"),
    "no repeats": (ValueError, robust(n_repeats=0), r"'n_repeats'.*\[1, inf\). Got 0 instead"),
    "repeats as a truth value": (ValueError, robust(n_repeats=True), "'n_repeats'.*Got True"),
    "random_state": (ValueError, robust(random_state="a"), "'random_state' parameter of"),
    "other training columns": (ValueError, robust(X_train=X0[:, :2]), "test rows with the same"),
    "turned columns": (ValueError, robust(X_test=TABLE, X_train=TABLE[list("fedcba")]),
                                          r"pass X_test\[X_train.columns\]"),
    "equal training rows": (ValueError, robust(X_train=np.ones((5, 6))), "no numeric column of"),
    "no training rows": (ValueError, robust(X_train=X0[:0]), "X_train has no rows; expected"),
    "y_train alone": (ValueError, robust(models=FITTED, y_train=Y0), "needs X_train and a"),
    "y_train for a dict": (ValueError, robust(X_train=X0, y_train=Y0), "add the plain student to"),
    "y_train of another length": (ValueError, robust(models=FITTED, X_train=X0, y_train=Y0[1:]),
                                  "X_train has 50 rows and y_train has 49"),
    "training rows of another fit": (ValueError, robust(models=FITTED, X_train=X0, y_train=Y0 * 2),
                                     "with the classes 0, 1 and y_train has 0, 2. Pass the"),
}
ATTACKS = {
    "no network": (ValueError, attack(models={"nb": NB}), "'nb' is no network"),
    "another step": (ValueError, attack(models={"q": QUANTILES}),
                     r"'q' has the step Quant.*pipeline\[:-1\].transform"),
    "a clipped scaler": (ValueError, attack(models={"c": CLIPPED}), "'c' has the step"),
    "an embedding": (ValueError, attack(models={"m": CODES}), "'m' reads codes of categories"),
    "decisions": (ValueError, attack(models={"d": Decided()}), "'d' has a module that no gradient"),
    "another width": (ValueError, attack(models={"m": NARROW}), r"cannot read rows of shape"),
    "another width beside a network": (TeacherError, attack(models={"m": MODULE, "n": NARROW}),
                                       "cannot be asked about rows.*Give it rows"),
    "other classes": (TeacherError, attack(models={"m": WIDE}), "5 columns .*Name the columns"),
    "unfitted": (ValueError, attack(models={"m": StudentNet()}), "StudentNet that is not"),
    "attack": (ValueError, attack(attack="cw"), "'attack'.*'fgsm' or 'pgd'. Got 'cw'"),
    "a list of attacks": (ValueError, attack(attack=["pgd"]), r"'fgsm' or 'pgd'. Got \['pgd'\]"),
    "epsilon 0": (ValueError, attack(epsilon=0), r"'epsilon'.*\(0, inf\). Got 0 instead"),
    "epsilon as text": (ValueError, attack(epsilon="8/255"), "'epsilon'.*float.*Got '8/255'"),
    "epsilon NaN": (ValueError, attack(epsilon=np.nan), "'epsilon'.*Got nan instead"),
    "many epsilons": (ValueError, attack(epsilon=[0.1, 0.2]), r"'epsilon'.*Got \[0.1, 0.2\]"),
    "a step back": (ValueError, attack(step=-1.0), "'step'.*Got -1.0 instead"),
    "no steps": (ValueError, attack(n_steps=0), r"'n_steps'.*\[1, inf\). Got 0 instead"),
    "half a step": (ValueError, attack(n_steps=2.5), "'n_steps'.*int.*Got 2.5 instead"),
    "random_start": (ValueError, attack(random_start="no"), "'random_start'.*bool. Got 'no'"),
    "random_state": (ValueError, attack(random_state=-1), "'random_state' .*adversarial.*Got -1"),
    "a scale of other columns": (ValueError, attack(scale=[1.0, 2.0]), r"\(2,\) .*\(6,\); pass a"),
    "a negative scale": (ValueError, attack(scale=-1.0), "'scale'.*from 0 on. Got"),
    "a scale in words": (ValueError, attack(scale="std"), "'scale'.*Got 'std' instead; pass a"),
    "bounds turned round": (ValueError, attack(bounds=(5, -5)), r"lower one first. Got \(5, -5\)"),
    "bounds NaN": (ValueError, attack(bounds=(np.nan, 1)), r"'bounds'.*Got \(nan, 1\) instead"),
    "one bound": (ValueError, attack(bounds=1.0), r"None or \(low, high\).*Got 1.0 instead"),
    "bounds as text": (ValueError, attack(bounds="01"), "'bounds'.*two numbers.*Got '01'"),
    "rows outside": (ValueError, attack(bounds=(0, 0.5)), "expected rows within their bounds."),
    "gaps": (ValueError, attack(X_test=np.where(X1 > 1, np.nan, X1)), "contains NaN.*fill it or"),
    "sparse": (ValueError, attack(X_test=sparse.csr_matrix(X1)), "is sparse.*pass an array"),
    "words": (ValueError, attack(X_test=X1.astype(str)), "no numbers.*attack the network behind"),
    "texts": (ValueError, attack(X_test=TEXTS), "no numbers.*attack the network behind"),
    "no test rows": (ValueError, attack(**NO), "X_test has no rows; expected at least one"),
    "another length": (ValueError, attack(y_test=Y1[:5]), "30 rows and y_test has 5"),
    "an unknown label": (ValueError, attack(models={"m": MODULE, "nb": NB}, y_test=Y1 + 1),
                         "y_test does not fit the models"),
}
# fmt: on
TABLES = {"metrics": METRICS, "robustness": ROBUST, "attack": ATTACKS}
REFUSED = {
    f"{area}: {name}": case for area, table in TABLES.items() for name, case in table.items()
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_a_model_among_several_is_named():
    with pytest.raises(TeacherError) as refusal:
        robust(models={"good": NB, "bad": None})()
    assert "'bad'" in refusal.value.__notes__[0]
