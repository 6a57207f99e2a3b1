"""Gaps where training rows have none, with a teacher that begins with a ColumnTransformer."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier
from skdistill.evaluation import distillation_report
from skdistill.students import TablePreprocessor

X, Y = load_breast_cancer(return_X_y=True)
X = X[:, :4]
NEW = np.where(np.eye(4, dtype=bool), np.nan, X[:4])
FILLS = make_pipeline(
    make_column_transformer((SimpleImputer(), [0, 1]), remainder="passthrough"),
    SimpleImputer(),
    StandardScaler(),
    LogisticRegression(),
)
STUDENT = make_pipeline(TablePreprocessor(), DecisionTreeRegressor(max_depth=3))
NAMED = [("first", clone(FILLS)), ("second", clone(FILLS))]
TEACHERS = {
    "a list": lambda: [clone(FILLS), clone(FILLS)],
    "a vote": lambda: VotingClassifier(NAMED, voting="soft"),
    "a search": lambda: GridSearchCV(FILLS, {"logisticregression__C": [1.0]}, cv=2),
    "calibrated": lambda: CalibratedClassifierCV(FILLS, cv=2),
    "unfitted": lambda: clone(FILLS),
    "fitted": lambda: clone(FILLS).fit(X, Y),
    "frozen": lambda: FrozenEstimator(clone(FILLS).fit(X, Y)),
}


@pytest.mark.parametrize("kind", TEACHERS)
def test_a_gap_counts_as_the_median_where_none_was_learnt(kind):
    model = DistilledClassifier(TEACHERS[kind](), STUDENT, random_state=0).fit(X, Y)
    filled = np.where(np.isnan(NEW), np.median(X, axis=0), NEW)
    np.testing.assert_array_equal(model.predict_proba(NEW), model.predict_proba(filled))


def test_a_student_that_fills_gaps_itself_takes_them():
    fills = make_column_transformer((SimpleImputer(), [0, 1, 2, 3]))
    student = make_pipeline(fills, DecisionTreeRegressor(max_depth=3))
    model = DistilledClassifier(clone(FILLS), student, random_state=0).fit(X, Y)
    filled = np.where(np.isnan(NEW), X.mean(axis=0), NEW)
    np.testing.assert_array_equal(model.predict_proba(NEW), model.predict_proba(filled))


def test_a_report_takes_test_rows_with_gaps():
    X_test = X[400:].copy()
    X_test[::9, 2] = np.nan
    model = DistilledClassifier(clone(FILLS), STUDENT, random_state=0)
    report = distillation_report(model, X[:400], Y[:400], X_test, Y[400:])
    assert all(np.isfinite(p).all() for p in report.probabilities.values())


def test_a_teacher_that_fills_no_gaps_says_so_itself():
    scaled = make_column_transformer((StandardScaler(), [0, 1, 2, 3]))
    teacher = make_pipeline(scaled, LogisticRegression())
    gappy = X.copy()
    gappy[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        DistilledClassifier(teacher, STUDENT).fit(gappy, Y)
