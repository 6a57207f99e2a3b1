"""What the functions that train refuse, and say why, before they do: reports, curves, rounds."""

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier
from torch import nn

from skdistill import (
    DistilledClassifier,
    DistilledMultilabelClassifier,
    DistilledRegressor,
    MutualClassifier,
    MutualRegressor,
    StudentNet,
)
from skdistill.evaluation import (
    bias_variance_decomposition,
    capacity_curve,
    compare,
    diagnose,
    distillation_report,
    label_budget_curve,
    learning_curves,
    temperature_alpha_map,
)
from skdistill.exceptions import StudentError, TeacherError
from skdistill.losses import HintLoss
from skdistill.students import ConvNet
from skdistill.teachers import ClassGraphTeacher


class Untouched(ClassifierMixin, BaseEstimator):
    """An unfitted classifier that nobody may fit or ask."""

    def fit(self, X, y):
        pytest.fail("something was fitted before the refusal")

    def predict(self, X):
        pytest.fail("something was asked before the refusal")

    predict_proba = predict


class Broken(Untouched):
    """A classifier whose fit fails for a reason of its own."""

    def fit(self, X, y):
        raise RuntimeError("this teacher is broken")


class Narrow(nn.Linear):
    """A module without hidden layers."""

    def __init__(self, n_features, n_classes):
        super().__init__(n_features, n_classes)


class Flat(ClassifierMixin, BaseEstimator):
    """A classifier that has no methods but `fit` and `predict`."""

    def fit(self, X, y):
        pytest.fail("something was fitted before the refusal")

    def predict(self, X):
        pytest.fail("something was asked before the refusal")


X, Y = make_classification(80, 6, n_informative=4, random_state=0)
X0, Y0, X1, Y1 = X[:50], Y[:50], X[50:], Y[50:]
TABLE = pd.DataFrame(X, columns=list("abcdef"))
TEXTS = ["good day", "bad day"] * 40
DATES = np.full((80, 1), "2020-01-01", dtype="M8[D]")
IMAGES = np.zeros((80, 8, 8))
MIXED = np.array(["no", 1] * 40, dtype=object)
GAPS = np.where(np.arange(80) < 70, X[:, 0], np.nan)[:, None] * np.ones(6)
HINT = HintLoss("a", "b")
NET = StudentNet(module__hidden_units=(4,), module__numeric_embedding=None, max_epochs=1)
TREE = DecisionTreeClassifier(random_state=0)
FITTED = DistilledClassifier(GaussianNB(), TREE, random_state=0).fit(X0, Y0)
NAMED = DistilledClassifier(GaussianNB(), TREE, random_state=0).fit(TABLE[:50], Y0)


def model(teacher=Untouched, student=NET, **settings):
    teacher = teacher() if isinstance(teacher, type) and teacher is Untouched else teacher
    return DistilledClassifier(teacher, student, **{"random_state": 0, **settings})


def attempts(function, **given):
    """Return a function from changed arguments to an attempt without arguments."""
    return lambda **changes: functools.partial(function, **{**given, **changes})


ROWS = {"X_train": X0, "y_train": Y0, "X_test": X1, "y_test": Y1}
ARM = {"X": X0, "y": Y0, "X_test": X1, "y_test": Y1, "random_state": 0}
report = attempts(distillation_report, model=model(), **ROWS)
diagnosis = attempts(diagnose, model=model(), **ROWS)
curves = attempts(learning_curves, model=model(), X=X, y=Y, cv=2, train_sizes=[20, 40])
labels = attempts(label_budget_curve, model=model(), X=X, y=Y, cv=2, budgets=[20, 40])
sizes = attempts(capacity_curve, model=model(), X=X, y=Y, cv=2, param_range=[4])
grid = attempts(temperature_alpha_map, model=model(), X=X, y=Y, cv=2)
rounds = attempts(bias_variance_decomposition, estimator=Untouched(), **ARM)
arms = attempts(compare, estimators={"a": Untouched(), "b": Untouched()}, **ARM)
WORDS = np.column_stack([X[:, :5].astype(object), np.full(80, "u")])
SPOKEN = TABLE.assign(f=np.where(np.arange(80) % 2, "u", "v"))
OTHER = TABLE.assign(f="w")
OTHERS = pd.concat([OTHER] * 13, ignore_index=True)
DATED = TABLE.assign(a=pd.Timestamp("2020-01-01"))
SPARSE = sparse.csr_matrix(X)
CENTRED = make_pipeline(StandardScaler(), NET)
KNOWN = make_column_transformer(
    (OneHotEncoder(sparse_output=False), ["f"]), remainder="passthrough"
)
STRICT = make_pipeline(KNOWN, NET)
MANY, MANY_Y = np.tile(X, (13, 1)), np.tile(Y, 13)
LIKE = MANY.copy(), MANY_Y
NUMBERS = DistilledRegressor(Ridge())
MUTUAL = MutualClassifier([model(), model()])
NO = {"X_test": X1[:0], "y_test": Y1[:0]}
LATER = [(np.arange(50), np.arange(50, 99))]
SPLIT = [(np.flatnonzero(Y == 0), np.flatnonzero(Y == 1))]

# fmt: off
REPORTS = {
    "no model": (TypeError, report(model=None), "or a DistilledRegressor. Got NoneType.*pass Dis"),
    "students of each other": (TypeError, report(model=MUTUAL), r"students_\[0\]"),
    "a class": (TypeError, report(model=DistilledClassifier), "Got the class DistilledClassifier"),
    "a pipeline": (TypeError, report(model=make_pipeline(TREE)), "Got Pipeline.*pass its"),
    "a regressor": (TypeError, report(model=Ridge()), "Got Ridge instead; a regressor.*compare"),
    "no teacher": (ValueError, report(model=model(None)), "model.teacher is None. Pass"),
    "zero seeds": (ValueError, report(n_seeds=0), r"'n_seeds'.*\[1, inf\). Got 0 instead"),
    "a truth value of seeds": (ValueError, report(n_seeds=True), "'n_seeds'.*Got True instead"),
    "seeds as text": (ValueError, report(n_seeds="3"), "'n_seeds'.*int.*Got '3' instead"),
    "half a seed": (ValueError, report(n_seeds=1.5), "'n_seeds'.*int.*Got 1.5 instead"),
    "no test rows": (ValueError, report(**NO), "X_test has no rows; expected.*a split of size 0"),
    "an empty list": (ValueError, report(X_test=[], y_test=[]), "X_test has no rows; expected"),
    "no rows of a table": (ValueError, report(X_train=TABLE[:50], X_test=TABLE[:0], y_test=[]),
                           "X_test has no rows; expected at least one.*or a filter"),
    "no training rows": (ValueError, report(X_train=X0[:0], y_train=[]), "X_train has no rows"),
    "X_test is None": (ValueError, report(X_test=None), "X_test is of type NoneType; expected"),
    "rows in a file": (TypeError, report(X_train=Path("rows")),
                       "X_train is a .*Path, and the rows are in files.*a report.*a sample"),
    "y_test is None": (ValueError, report(y_test=None), "y_test is of type NoneType; expected a"),
    "another length": (ValueError, report(y_train=Y0[1:]), "50 rows and y_train has 49.*pass one"),
    "a test of another length": (ValueError, report(y_test=Y1[1:]), "30 rows and y_test has 29"),
    "one column": (ValueError, report(X_train=X0[:, 0], X_test=X1[:, 0]), "2D array, got"),
    "other features": (ValueError, report(X_test=X1[:, :5]), r"\(6,\) and those of X_test \(5,\)"),
    "other columns": (ValueError, report(X_train=TABLE[:50], X_test=TABLE[list("fedcba")][50:]),
                      r"different columns.*pass X_test\[X_train.columns\]"),
    "texts and a table": (ValueError, report(X_train=TEXTS[:50]), "pass test rows with the same"),
    "texts for a net": (StudentError, report(X_train=TEXTS[:50], X_test=TEXTS[50:]),
                        r"X holds texts.*Put a step before it:"),
    "dates": (StudentError, report(X_train=DATES[:50], X_test=DATES[50:]),
              "holds dates.*expected numbers.*Derive numbers"),
    "texts in a column of numbers": (ValueError, report(X_test=WORDS[50:]),
                                     r"X_test holds .*'u' in the column 5.*X_train holds numbers"),
    "texts in a column of a table": (ValueError, report(X_train=TABLE[:50], X_test=SPOKEN[50:]),
                                     "'v' in the column 'f'.*expected the same.*Convert them"),
    "dates in a column of numbers": (ValueError, report(X_train=TABLE[:50], X_test=DATED[50:]),
                                     r"no numbers \(dates in the column 'a'\).*Convert"),
    "sparse rows for a dense step": (ValueError, report(model=model(student=CENTRED),
                                                        X_test=SPARSE[50:]),
                                     "X_test is a sparse matrix.*student takes none.*toarray"),
    "sparse rows for a dense teacher": (ValueError, report(model=model(GaussianNB()),
                                                           X_test=SPARSE[50:]),
                                        "X_test is a sparse matrix.*teacher takes none.*toarray"),
    "a category that a step refuses": (ValueError, report(model=model(student=STRICT),
                                                          X_train=SPOKEN[:50], X_test=OTHER[50:]),
                                       "unknown categories"),
    "infinite rows": (ValueError, report(X_test=np.where(X1 > 1, np.inf, X1)), "contains infinity"),
    "gaps in the test": (ValueError, report(X_train=GAPS[:50], X_test=GAPS[50:]),
                         "X_test contains NaN, as no row of X_train does.*Fill them, or train on"),
    "one class": (ValueError, report(y_train=0 * Y0), "one class only, 0; distillation_report"),
    "an unknown label": (ValueError, report(y_test=5 * Y1), "y_test does not fit.*: 5.*Drop those"),
    "labels NaN": (ValueError, report(y_train=np.where(Y0, np.nan, 0)),
                   "y_train has .* missing labels, the first in row .*Leave these rows"),
    "test labels NaN": (ValueError, report(y_test=np.where(Y1, np.nan, 0)), "y_test has .*"),
    "labels None": (ValueError, report(y_train=np.array([None, "a"] * 25, dtype=object)),
                    "y_train has 25 missing labels, the first in row 0; expected one for each"),
    "labels of two kinds": (ValueError, report(y_train=MIXED[:50]),
                            r"types int, str.*expected one type. Write .*\[str\(label\)"),
    "numbers for labels": (ValueError, report(y_train=X0[:, 0]),
                           "y_train holds numbers such as .*expected the labels.*DistilledRegr"),
    "one-hot labels": (ValueError, report(y_train=np.eye(2)[Y0]),
                       r"shape \(50, 2\); expected a label.*y_train.argmax\(axis=1\)"),
    "groups of another length": (ValueError, report(groups=["a"] * 29),
                                 r"\(29,\), but there are 30 test rows; pass one value"),
    "a table of groups": (ValueError, report(groups=np.zeros((30, 1))), r"\(30, 1\), but.*pass"),
    "groups of lists": (ValueError, report(groups=[[1], [1, 2]] * 15),
                        "of different lengths.*pass"),
    "groups of dicts": (ValueError, report(groups=[{}] * 30), "groups holds {}; expected.*Write"),
    "no sets": (ValueError, report(X_test={}, y_test={}), "Several test sets are a dict.*pass"),
    "labels alone by name": (ValueError, report(y_test={"a": Y1}), "of type ndarray and y_test of"),
    "rows alone by name": (ValueError, report(X_test={"a": X1}), "type dict and y_test of type"),
    "sets of other names": (ValueError, report(X_test={"a": X1}, y_test={"b": Y1}),
                            r"test sets \['a'\], y_test \['b'\].*pass the same names"),
    "groups without names": (ValueError, report(X_test={"a": X1}, y_test={"a": Y1}, groups=Y1),
                             "groups is of type ndarray; pass a dict"),
    "groups of other names": (ValueError, report(X_test={"a": X1}, y_test={"a": Y1},
                                                 groups={"c": Y1}), r"groups \['c'\]; pass the"),
    "a set without labels": (ValueError, report(X_test={"a": X1}, y_test={"a": None}), "y_test is"),
    "unlabelled rows of other columns": (ValueError, report(X_unlabeled=X1[:, 1:]),
                                         r"X_unlabeled have the shape \(5,\) and.* \(6,\); exp"),
    "no unlabelled rows": (ValueError, report(X_unlabeled=X1[:0]), "X_unlabeled has no rows; exp"),
    "unlabelled rows and no table": (ValueError, report(X_train=TABLE[:50], X_test=TABLE[50:],
                                                        X_unlabeled=X1),
                                     "X_unlabeled is an array and X is a pandas.*the same of both"),
    "gaps in unlabelled rows": (ValueError, report(X_unlabeled=GAPS[50:]),
                                "X_unlabeled contains NaN.*Fill them, or train on"),
    "texts in unlabelled rows": (ValueError, report(X_unlabeled=WORDS),
                                 "X_unlabeled holds .*'u' in the column 5.*X_train holds numbers"),
    "rows alone for a cascade": (TypeError, report(cascade=X), r"cascade must be.*Got ndarray"),
    "features of a cascade": (ValueError, report(cascade=(X[:, 1:], Y)),
                              r"of X_train have the shape \(6,\) and those of cascade\[0\]"),
    "columns of a cascade": (ValueError, report(X_train=TABLE[:50], X_test=TABLE[50:],
                                                cascade=(TABLE[list("fedcba")], Y)),
                             r"different columns.*pass cascade\[0\]\[X_train.columns\]"),
    "a cascade of unknown labels": (ValueError, report(cascade=(X, 5 * Y)),
                                    r"cascade\[1\] does not fit y_train.*: 5.*Drop those"),
    "a cascade with gaps": (ValueError, report(cascade=(GAPS, Y)), r"cascade\[0\] contains NaN"),
    "a sparse cascade": (ValueError, report(model=model(GaussianNB()), cascade=(SPARSE, Y)),
                         r"cascade\[0\] is a sparse matrix.*toarray"),
    "texts in a cascade": (ValueError, report(cascade=(WORDS, Y)),
                           r"cascade\[0\] holds .*'u' in the column 5.*X_train holds numbers"),
    "categories of a cascade": (ValueError, report(model=model(student=STRICT),
                                                   X_train=SPOKEN[:50], X_test=SPOKEN[50:],
                                                   cascade=(OTHERS, MANY_Y)), "unknown categories"),
    "labels missing in a cascade": (ValueError, report(cascade=(X, Y[1:])),
                                    r"cascade\[0\] has 80 rows and cascade\[1\] has 79 labels"),
    "too few rows for a cascade": (ValueError, report(cascade=(X, Y)),
                                   r"cascade\[0\] has 80 rows; expected 909 or more.*Hold more"),
    "test rows for a cascade": (ValueError, report(X_test=MANY, y_test=MANY_Y, cascade=LIKE),
                                "rows of cascade are the test set 'test'; expected.*Split them"),
    "training rows for a cascade": (ValueError, report(X_train=MANY, y_train=MANY_Y, cascade=LIKE),
                                    "rows of cascade are the training rows; expected.*Split"),
    "a cascade of numbers": (ValueError, report(model=NUMBERS, cascade=(X, Y)),
                             "the model predicts numbers; a cascade goes by.*Leave cascade out"),
    "alpha": (ValueError, report(model=model(alpha=2)), r"'alpha'.*\[0.0, 1.0\]. Got 2 instead"),
    "temperature": (ValueError, report(model=model(temperature=0)), "'temperature'.*Got 0 instead"),
    "loss": (ValueError, report(model=model(loss="nope")), "'loss' parameter must be.*Got 'nope'"),
    "device": (ValueError, report(model=model(device="nope")), "'device'.*such as 'cpu'.*'nope'"),
    "calibrate": (ValueError, report(model=model(calibrate="platt")), "'calibrate'.*Got 'platt'"),
    "augment": (ValueError, report(model=model(augment="nope")), "'augment'.*spunge.*Got 'nope'"),
    "memory": (ValueError, report(model=model(memory=3)), "'memory' should be None.*memory='3'"),
    "feature losses": (ValueError, report(model=model(feature_losses=[3])), "FeatureLoss. Got 3"),
    "layers of a tree": (TeacherError, report(model=model(TREE, feature_losses=[HINT])),
                         "DecisionTreeClassifier"),
    "student": (StudentError, report(model=model(student="nope")), "student is 'nope'; expected"),
    "a transformer as student": (StudentError, report(model=model(student=StandardScaler())),
                                 r"student is StandardScaler\(\); expected None, a StudentNet or"),
    "a student of another width": (StudentError, report(model=model(student=nn.Linear(9, 2))),
                                   r"cannot read rows of shape \(6,\).*Check its input width"),
    "a loss that a tree cannot hear": (StudentError, report(model=model(student=TREE, loss="js")),
                                       "cannot learn with loss=Jensen.*Expected.*or a StudentNet"),
    "margins": (TeacherError, report(model=model(LinearSVC())), "no predict_proba.*Calibrate it"),
    "a teacher of numbers": (TeacherError, report(model=model(Ridge())), "use DistilledRegressor"),
    "a teacher's class": (TeacherError, report(model=model(GaussianNB)), "expected an instance"),
    "cv of a fitted teacher": (ValueError, report(model=model(GaussianNB().fit(X0, Y0), cv=3)),
                               r"cv=3 was given with a fitted.*clone\(teacher\)"),
    "cv": (ValueError, report(model=model(cv="nope")), "'cv' parameter of Distilled.*Got 'nope'"),
    "more folds than rows": (ValueError, report(model=model(cv=99)), "cannot split these 50 rows"),
    "classes of a fitted model": (ValueError, report(model=FITTED, y_train=np.arange(50) % 3),
                                  r"with the classes 0, 1 and .* 0, 1, 2. Pass.*clone\(model\)"),
    "width of a fitted model": (ValueError, report(model=FITTED, X_train=X0[:, 1:],
                                                   X_test=X1[:, 1:]),
                                "X has 5 features, but DistilledClassifier is expecting 6"),
    "names of a fitted model": (ValueError, report(model=NAMED, X_train=TABLE[:50].add_suffix("2"),
                                                   X_test=TABLE[50:].add_suffix("2")),
                                "feature names should match"),
    "texts for a fitted model": (ValueError, report(model=FITTED, X_train=TEXTS[:50],
                                                    X_test=TEXTS[50:]),
                                 r"was fitted on a table, and X_train has the shape \(50,\). Pass"),
}
DIAGNOSES = {
    "no model": (TypeError, diagnosis(model=None), "of diagnose must be a Distilled.*NoneType"),
    "a classifier": (TypeError, diagnosis(model=GaussianNB()), "of diagnose.*Got GaussianNB"),
    "a regressor": (TypeError, diagnosis(model=Ridge()), "of diagnose.*Got Ridge"),
    "no teacher": (ValueError, diagnosis(model=model(None, alpha=0)), "diagnose needs a teacher"),
    "a graph": (ValueError, diagnosis(model=model(ClassGraphTeacher(np.ones((2, 2))))),
                "ClassGraphTeacher answers from the labels; pass one with predict_proba"),
    "no test rows": (ValueError, diagnosis(**NO), "X_test has no rows; expected at least one"),
    "several test sets": (ValueError, diagnosis(X_test={"a": X1}),
                         "X_train is an array.*X_test is a dict of the inputs .a.*pass test rows"),
    "an unknown label": (ValueError, diagnosis(y_test=Y1 + 1), "Labels that are no class.*"),
    "students of each other": (TypeError, diagnosis(model=MUTUAL), r"students_\[0\]"),
    "another length": (ValueError, diagnosis(y_train=Y0[1:]), "X_train has 50 rows and y_train"),
    "other features": (ValueError, diagnosis(X_test=X1[:, 1:]), "pass test rows with the same"),
    "one class": (ValueError, diagnosis(y_train=0 * Y0), "one class only, 0; diagnose needs at"),
    "alpha": (ValueError, diagnosis(model=model(alpha=2)), r"'alpha'.*\[0.0, 1.0\]. Got 2 instead"),
    "student": (StudentError, diagnosis(model=model(student="nope")), "student is 'nope';"),
    "a category that a step refuses": (ValueError, diagnosis(model=model(student=STRICT),
                                                             X_train=SPOKEN[:50],
                                                             X_test=OTHER[50:]),
                                       "unknown categories"),
    "texts in a column of numbers": (ValueError, diagnosis(X_test=WORDS[50:]),
                                     "X_test holds .*'u' in the column 5.*Convert them"),
    "classes of a fitted model": (ValueError, diagnosis(model=FITTED, y_train=np.arange(50) % 3),
                                  "with the classes 0, 1 and y_train has 0, 1, 2. Pass the"),
}
CURVES = {
    "no model": (TypeError, curves(model=None), "of learning_curves must be .*Got NoneType"),
    "a classifier": (TypeError, labels(model=LogisticRegression()), "Got LogisticRegression"),
    "a pipeline": (TypeError, sizes(model=make_pipeline(TREE)), "Got Pipeline.*its distilled step"),
    "a search": (TypeError, sizes(model=GridSearchCV(TREE, {"max_depth": [2]})),
                 "Got GridSearchCV instead.*model.best_estimator_"),
    "students of each other": (TypeError, curves(model=MUTUAL),
                               r"Got MutualClassifier instead; after its fit.*students_\[0\]"),
    "students of each other in capacity": (TypeError, sizes(model=MUTUAL), r"students_\[0\]"),
    "students of each other in labels": (TypeError, labels(model=MUTUAL), r"students_\[0\]"),
    "students of each other in a grid": (TypeError, grid(model=MUTUAL), r"students_\[0\]"),
    "students of numbers": (TypeError, curves(model=MutualRegressor([None, None])),
                            r"Got MutualRegressor instead; after its fit.*students_\[0\]"),
    "several labels": (TypeError, curves(model=DistilledMultilabelClassifier(TREE)),
                       "Got DistilledMultilabelClassifier instead; which is judged by its score"),
    "a regressor": (TypeError, grid(model=Ridge()), "Got Ridge instead; a regressor.*compare"),
    "no teacher": (ValueError, curves(model=model(None)), "needs a teacher, and .* is None. Pass"),
    "generated rows": (ValueError, curves(model=model(augment="spunge")), "augment=None"),
    "cv of a fitted teacher": (ValueError, sizes(model=model(GaussianNB().fit(X, Y), cv=3)),
                               "cv=3 was given with a fitted teacher"),
    "a graph": (ValueError, labels(model=model(ClassGraphTeacher(np.ones((2, 2))))),
                "answers from the labels.*see learning_curves instead"),
    "no rows": (ValueError, curves(X=X[:0], y=[]), "X has no rows; expected at least one"),
    "X is None": (ValueError, grid(X=None), "X is of type NoneType; expected rows"),
    "another length": (ValueError, curves(y=Y[1:]), "80 rows and y has 79 labels; pass one"),
    "one column": (ValueError, sizes(X=X[:, 0]), "2D array, got 1D array.*Reshape"),
    "labels NaN": (ValueError, labels(y=np.where(Y, np.nan, 0)), "y has .* missing.*Leave these"),
    "labels of two kinds": (ValueError, curves(y=MIXED), "of the types int, str.*expected one"),
    "numbers for labels": (ValueError, sizes(y=X[:, 0]), "y holds numbers such as.*make labels"),
    "one-hot labels": (ValueError, grid(y=np.eye(2)[Y]), r"shape \(80, 2\); expected.*argmax"),
    "one class": (ValueError, curves(y=np.full(80, "no")), "one class only, 'no'; learning_curves"),
    "texts for a net": (StudentError, grid(X=TEXTS), "X holds texts.*Put a step before it"),
    "dates": (StudentError, sizes(X=DATES), "holds dates.*Derive numbers"),
    "alpha": (ValueError, curves(model=model(alpha=-1)), "'alpha'.*Got -1 instead"),
    "student": (StudentError, labels(model=model(student=3)), "student is 3; expected None, a"),
    "a student of another width": (StudentError, curves(model=model(student=nn.Linear(9, 2))),
                                   r"cannot read rows of shape \(6,\).*Check its input width"),
    "loss": (ValueError, grid(model=model(loss="nope")), "'loss' parameter must be.*Got 'nope'"),
    "random_state of the model": (ValueError, curves(model=model(random_state="a")),
                                  "'random_state'.*Got 'a' instead"),
    "a teacher of other classes": (TeacherError, sizes(model=model(GaussianNB().fit(X, Y + 5))),
                                   "none is shared.*teacher_classes="),
    "random_state": (ValueError, curves(random_state="a"), r"int in the range \[0, 2\*\*32\).*'a'"),
    "negative random_state": (ValueError, labels(random_state=-1), "'random_state'.*Got -1"),
    "n_jobs": (ValueError, grid(n_jobs="all"), "'n_jobs'.*other than 0 .*Got 'all' instead"),
    "no jobs": (ValueError, sizes(n_jobs=0), "'n_jobs'.*Got 0 instead"),
    "cv as text": (ValueError, curves(cv="kfold"), "Expected .?cv.? as an integer.*Got kfold"),
    "one fold": (ValueError, labels(cv=1), "n_splits=2 or more, got n_splits=1"),
    "half a fold": (ValueError, sizes(cv=2.5), "Expected .?cv.? as an integer.*Got 2.5"),
    "more folds than rows": (ValueError, grid(cv=99), "n_splits=99 greater than the number of"),
    "no split": (ValueError, curves(cv=[]), r"cv=\[\] gives no split; expected at least one"),
    "numbers for splits": (ValueError, curves(cv=[1, 2]), r"cv=\[1, 2\] does not split.*pairs"),
    "None for a split": (ValueError, sizes(cv=[None]), r"cv=\[None\] does not split.*such as \[\("),
    "positions beyond the rows": (ValueError, grid(cv=LATER), "80 rows .*expected pairs of .*to"),
    "rows on both sides": (ValueError, curves(cv=[(range(50), range(40, 80))]), "10 rows both for"),
    "a split without test": (ValueError, labels(cv=[(range(50), [])]), "no test rows; expected"),
    "a split of one class": (ValueError, curves(cv=SPLIT), "one class only; expected.*stratified"),
    "shares above one": (ValueError, curves(train_sizes=[0.5, 1.5]), r"'train_sizes'.*\(0,"),
    "a share of nothing": (ValueError, curves(train_sizes=[0.0]), "'train_sizes'.*shares.*at"),
    "more rows than there are": (ValueError, curves(train_sizes=[99]), r"in \[2, 40\].*Got \[99\]"),
    "no sizes": (ValueError, curves(train_sizes=[]), r"list of numbers.*Got \[\] instead"),
    "sizes as text": (ValueError, curves(train_sizes=["all"]), "list of numbers.*Got .'all'."),
    "one size": (ValueError, curves(train_sizes=0.5), "list of numbers of rows.*Got 0.5 instead"),
    "sizes NaN": (ValueError, curves(train_sizes=[np.nan]), r"'train_sizes'.*Got \[nan\] instead"),
    "too few rows to cross-fit": (ValueError, curves(train_sizes=[2]), "2 training rows of split"),
    "negative budget": (ValueError, labels(budgets=[-3]), r"'budgets'.*in \[2, 40\].*Got \[-3\]"),
    "budgets None": (ValueError, labels(budgets=None), "'budgets' .*list of numbers.*Got None"),
    "no widths": (ValueError, sizes(param_range=[]), "'param_range'.*empty; expected one value"),
    "one width": (ValueError, sizes(param_range=4), r"list of values. Got 4 instead.*\[4\]"),
    "a width as text": (ValueError, sizes(param_range="4"), r"list of values. Got '4'.*\['4'\]"),
    "a negative width": (ValueError, sizes(param_range=[-4]), r"'param_range'.*\[1, inf\). Got -4"),
    "a width of half": (ValueError, sizes(param_range=[4.5]), "'param_range'.*int.*Got 4.5"),
    "a width in words": (ValueError, sizes(param_range=["wide"]), "'param_range'.*int.*Got 'wide'"),
    "a width among two": (ValueError, sizes(param_range=[(4, -1)]), "'param_range'.*Got -1"),
    "one leaf": (ValueError, sizes(model=model(student=TREE), param_range=[1]),
                 r"'param_range'.*\[2, inf\). Got 1 instead"),
    "a size of images": (ValueError, sizes(model=model(student=StudentNet(ConvNet)), X=IMAGES),
                         r"one of \['tiny', 'small', 'medium'\]. Got 4"),
    "a student without a width": (ValueError, sizes(model=model(student=Narrow)),
                                  "Name a parameter"),
    "an estimator without leaves": (ValueError, sizes(model=model(student=LogisticRegression())),
                                    r"of it \(C, class_weight.*param_name='student__...'"),
    "another's parameter": (ValueError, sizes(param_name="alpha"), "no parameter of the student;"),
    "a number for a name": (ValueError, sizes(param_name=3), "param_name=3 is no param.*such as"),
    "a parameter that is none": (ValueError, sizes(param_name="student__depth"),
                                 "nvalid parameter"),
    "a name without values": (ValueError, sizes(param_name="student__lr", param_range=None),
                              r"without its values; expected param_range=\[...\]"),
    "temperature 0": (ValueError, grid(temperatures=[0, 1]), r"'temperatures'.*above 0. Got \[0,"),
    "temperature infinite": (ValueError, grid(temperatures=[np.inf]), r"above 0. Got \[inf\]"),
    "temperature in words": (ValueError, grid(temperatures="auto"), "'temperatures'.*Got 'auto'"),
    "temperature of a tree": (StudentError, grid(model=model(student=TREE)),
                              "cannot hear temperature=2.0.*Expected 'auto' or 1"),
    "alphas above 1": (ValueError, grid(alphas=[0.5, 1.5]), r"'alphas'.*in \[0, 1\]. Got \[0.5,"),
    "alphas NaN": (ValueError, grid(alphas=[np.nan]), r"'alphas'.*in \[0, 1\]. Got \[nan\]"),
    "no alphas": (ValueError, grid(alphas=[]), r"'alphas'.*Got \[\] instead"),
}
ROUNDS = {
    "no estimator": (TypeError, rounds(estimator=None), "scikit-learn estimator, to be"),
    "a class": (TypeError, rounds(estimator=GaussianNB), "must be a scikit-learn estimator"),
    "a transformer": (TypeError, rounds(estimator=StandardScaler()), "a regressor. Got"),
    "no probabilities": (ValueError, rounds(estimator=Flat()), "'log_loss' needs prob.*wrap it in"),
    "a hidden teacher": (ValueError, rounds(estimator=VotingClassifier([("a", model())], voting=
                         "soft"),
                                            refit_teacher=False), "lies deeper.*FrozenEstimator"),
    "a teacher of generated rows": (ValueError, rounds(estimator=model(augment="spunge"),
                                                       refit_teacher=False), "augment.*FrozenEst"),
    "loss": (ValueError, rounds(loss="hinge"), "'loss'.*'log_loss', 'brier', 'zero_one'.*'hinge'"),
    "a loss of numbers": (ValueError, rounds(loss="squared"), "for classifiers. Got 'squared'"),
    "a loss of labels": (ValueError, rounds(estimator=Ridge(), loss="brier"), "for regressors."),
    "no losses": (ValueError, rounds(loss=[]), r"'loss' parameter.*Got \[\] instead"),
    "a loss as a number": (ValueError, rounds(loss=3), "'loss' parameter.*Got 3 instead"),
    "a list of lists": (ValueError, rounds(loss=[["brier"]]), "'loss' parameter.*Got .*instead"),
    "design": (ValueError, rounds(design="jackknife"), "'design'.*'subsample'.*Got 'jackknife'"),
    "a list of designs": (ValueError, rounds(design=["seed"]), r"'design'.*Got \['seed'\] instead"),
    "two rounds": (ValueError, rounds(n_rounds=2), r"'n_rounds'.*\[3, inf\). Got 2.*leave one"),
    "half a round": (ValueError, rounds(n_rounds=2.5), "'n_rounds'.*int.*Got 2.5"),
    "rounds as a truth value": (ValueError, rounds(n_rounds=True), "'n_rounds'.*Got True"),
    "rounds as text": (ValueError, rounds(n_rounds="3"), "'n_rounds'.*int.*Got '3'"),
    "refit_teacher": (ValueError, rounds(refit_teacher="no"), "'refit_teacher'.*bool. Got 'no'"),
    "against": (ValueError, rounds(against="truth"), "'against'.*'labels' or 'teacher'. Got"),
    "against nobody": (ValueError, rounds(against="teacher"), "needs a teacher, and Untouched has"),
    "random_state": (ValueError, rounds(random_state=1.5), "'random_state'.*int.*Got 1.5 instead"),
    "n_jobs": (ValueError, rounds(n_jobs="all"), "'n_jobs'.*int other than 0.*Got 'all'"),
    "X is None": (ValueError, rounds(X=None), "X is of type NoneType; expected rows"),
    "a number for rows": (ValueError, rounds(X_test=3), "X_test is of type int; expected rows"),
    "no rows": (ValueError, rounds(X=X0[:0], y=[]), "X has no rows; expected at least one"),
    "no test rows": (ValueError, rounds(**NO), "X_test has no rows; expected at least one"),
    "other features": (ValueError, rounds(X_test=X1[:, 1:]), r"\(50, 6\) and X_test \(30, 5\);"),
    "other columns": (ValueError, rounds(X=TABLE[:50], X_test=TABLE[list("fedcba")][50:]),
                      r"pass X_test\[X.columns\]"),
    "texts in a column of numbers": (ValueError, rounds(X_test=WORDS[50:]),
                                     "X_test holds .*'u' in the column 5.*where X holds numbers"),
    "a category that a step refuses": (ValueError, rounds(
        estimator=make_pipeline(KNOWN, model()), X=SPOKEN[:50], X_test=OTHER[50:]),
        "unknown categories"),
    "another length": (ValueError, rounds(y_test=Y1[1:]), "inconsistent numbers of samples"),
    "labels NaN": (ValueError, rounds(y=np.where(Y0, np.nan, 0)), "y has .* missing labels.*Leave"),
    "labels of two kinds": (ValueError, rounds(y=MIXED[:50]), "of the types int, str.*Write them"),
    "an unknown label": (ValueError, rounds(y_test=5 * Y1), "y_test does not fit y.*: 5.*Drop"),
    "numbers for labels": (ValueError, rounds(y=X0[:, 0]), "Unknown label type"),
    "one-hot labels": (ValueError, rounds(y=np.eye(2)[Y0]), r"shape \(50, 2\).*y.argmax\(axis=1\)"),
    "one class": (ValueError, rounds(y=0 * Y0, y_test=0 * Y1), "one class only; expected at least"),
    "a rare class": (ValueError, rounds(y=np.arange(50) // 49, design="split", n_rounds=5),
                     "one class only; expected.*fewer rounds"),
    "more rounds than rows": (ValueError, rounds(design="split", n_rounds=40), "leaves 1 row for"),
    "more parts than rows": (ValueError, rounds(design="split", n_rounds=60), "n_splits=60 great"),
    "words for values": (ValueError, rounds(estimator=Ridge(), y=["a"] * 50, y_test=["a"] * 30),
                         "y holds what is no number .*For labels pass a classifier"),
    "dates for values": (ValueError, rounds(estimator=Ridge(), y=DATES[:50, 0]),
                         "y holds values of the type datetime64.*expected real numbers. Derive"),
    "values NaN": (ValueError, rounds(estimator=Ridge(), y=GAPS[30:, 0]), "y contains NaN"),
    "alpha": (ValueError, rounds(estimator=model(alpha=2)), "'alpha'.*Got 2 instead"),
    "student": (StudentError, rounds(estimator=model(student="nope")), "'nope'; expected None, a"),
    "student in a pipeline": (StudentError, rounds(estimator=make_pipeline(
        StandardScaler(), model(student=nn.Linear(9, 2)))), "cannot read rows.*Check its input"),
    "student of numbers": (StudentError, rounds(
        estimator=DistilledRegressor(Ridge(), "nope"), y=X0[:, 0], y_test=X1[:, 0]),
        "student is 'nope'; expected None, a StudentNetRegressor"),
    "teacher": (TeacherError, rounds(estimator=model(LinearSVC())), "no predict_proba.*Calibrate"),
    "nobody to learn from": (ValueError, rounds(estimator=model(None)), "no teacher and no"),
    "a list of arms": (TypeError, arms(estimators=[TREE]), r"dict of names.*Got"),
    "no arms": (TypeError, arms(estimators={}), "with at least one. Got {} instead"),
    "an arm of None": (TypeError, arms(estimators={"a": None}), "'a' must be a scikit-learn"),
    "a transformer as arm": (TypeError, arms(estimators={"a": StandardScaler()}), "'a' must be a"),
    "arms of two kinds": (ValueError, arms(estimators={"a": TREE, "b": Ridge()}),
                          "expected one kind"),
    "baseline": (ValueError, arms(baseline="c"), r"'baseline'.*one of \['a', 'b'\]. Got 'c'"),
    "a list of baselines": (ValueError, arms(baseline=["a"]), r"'baseline'.*Got \['a'\] instead"),
    "rounds of compare": (ValueError, arms(n_rounds=1), "'n_rounds' parameter of compare"),
    "an arm's student": (StudentError, arms(estimators={"a": TREE, "b": model(student="nope")}),
                         "student is 'nope'; expected"),
}
# fmt: on
TABLES = {"report": REPORTS, "diagnose": DIAGNOSES, "curve": CURVES, "rounds": ROUNDS}
REFUSED = {
    f"{area}: {name}": case for area, table in TABLES.items() for name, case in table.items()
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_a_set_among_several_is_named():
    sets = {"X_test": {"a": X1, "b": X1}, "y_test": {"a": Y1, "b": Y1[1:]}}
    with pytest.raises(ValueError, match="30 rows and y_test has 29") as refusal:
        report(**sets)()
    assert "'b'" in refusal.value.__notes__[0]


def test_the_rows_that_a_step_refuses_are_named():
    attempt = report(model=model(student=STRICT), X_train=SPOKEN[:50], X_test=OTHER[50:])
    with pytest.raises(ValueError, match="unknown categories") as refusal:
        attempt()
    assert refusal.value.__notes__ == ["This was found with X_test."]


def test_a_step_that_writes_into_its_rows_is_tried_on_rows_of_its_own():
    rows, test = X0.copy(), X1.copy()
    estimator = make_pipeline(StandardScaler(copy=False), model(Broken()))
    with pytest.raises(RuntimeError, match="broken"):
        rounds(estimator=estimator, X=rows, X_test=test)()
    assert np.array_equal(rows, X0) and np.array_equal(test, X1)


@pytest.mark.parametrize("alpha", [0, 0.5])
@pytest.mark.parametrize("attempt", [report, curves], ids=["report", "curves"])
def test_the_trial_of_a_recipe_ends_where_the_teacher_would_be_asked(attempt, alpha, refused):
    refused(RuntimeError, attempt(model=model(Broken(), alpha=alpha)), "this teacher is broken")


@pytest.mark.parametrize("name", ["report", "curves", "rounds"])
def test_what_is_only_looked_at_is_left_as_it_is(name):
    """The trial that finds a bad student leaves the recipe, its teacher and the seeds alone."""
    state = np.random.RandomState(0)
    recipe = model(GaussianNB(), student="nope", random_state=state)
    attempt = {"report": report, "curves": curves, "rounds": rounds}[name]
    before, drawn = repr(recipe), state.get_state()[1].copy()
    with pytest.raises(StudentError), torch.random.fork_rng():
        attempt(**{"estimator" if name == "rounds" else "model": recipe})()
    assert repr(recipe) == before and not hasattr(recipe.teacher, "classes_")
    assert recipe.random_state is state and np.array_equal(state.get_state()[1], drawn)
