"""A report whose students learn from rows without labels, too."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet
from skdistill.evaluation import distillation_report
from skdistill.targets import Targets, teacher_targets
from skdistill.transfer import Unlabeled

X, Y = make_classification(150, 6, n_informative=4, n_classes=3, random_state=0)
LABELLED, MORE, TEST = slice(40), slice(40, 120), slice(120, None)
ROWS = X[LABELLED], Y[LABELLED], X[TEST], Y[TEST]
FEW = X[LABELLED], Y[LABELLED]


def recipe(**settings):
    settings = {"alpha": 0.8, "calibrate": True, "random_state": 0, **settings}
    net = StudentNet(module__hidden_units=(8,), max_epochs=3)
    return DistilledClassifier(RandomForestClassifier(5, random_state=0), net, **settings)


@pytest.fixture(scope="module")
def report():
    return distillation_report(recipe(), *ROWS, X_unlabeled=X[MORE])


def test_distilled_is_the_fit_with_these_rows(report):
    model = recipe().fit(*FEW, X_unlabeled=X[MORE])
    np.testing.assert_array_equal(report.probabilities["distilled"], model.predict_proba(X[TEST]))
    without = distillation_report(recipe(), *ROWS)
    assert "rows without labels" not in without.settings["data"]
    assert np.any(report.probabilities["distilled"] != without.probabilities["distilled"])
    for name in ("teacher", "plain", "plain + temperature", "label smoothing"):
        np.testing.assert_array_equal(report.probabilities[name], without.probabilities[name])


@pytest.mark.filterwarnings("ignore:.*its answers are hard labels")  # as they are meant to be
def test_hard_labels_are_those_of_the_unlabelled_rows_too():
    model = recipe(cv=list(StratifiedKFold(3).split(*FEW)))
    report = distillation_report(model, *ROWS, X_unlabeled=X[MORE])
    said = teacher_targets(model.teacher, *FEW, cv=model.cv, calibrate=True, X_unlabeled=X[MORE])
    hard = [np.eye(3)[values.argmax(axis=1)] for values in (said.values, *said.more)]
    model.set_params(teacher=None, cv=None, calibrate=False, alpha=1.0, temperature=1.0)
    model.fit(*FEW, soft_targets=Targets(hard[0], more=hard[1:]), X_unlabeled=X[MORE])
    np.testing.assert_array_equal(
        report.probabilities["teacher's hard labels"], model.predict_proba(X[TEST])
    )


@pytest.mark.parametrize("augment", [None, pytest.param("gaussian_noise", marks=pytest.mark.slow)])
def test_a_fitted_model_gives_the_same_arms(augment):
    model = recipe(augment=augment).fit(*FEW, X_unlabeled=Unlabeled(X[MORE]))
    given = {"X_unlabeled": Unlabeled(X[MORE])}
    own = distillation_report(model, *ROWS, **given)
    other = distillation_report(recipe(augment=augment), *ROWS, **given)
    for name, answers in own.probabilities.items():
        np.testing.assert_array_equal(answers, other.probabilities[name], err_msg=name)


def test_numbers_too():
    y = X @ np.arange(6.0)
    model = DistilledRegressor(Ridge(), DecisionTreeRegressor(random_state=0), random_state=0)
    report = distillation_report(
        model, X[LABELLED], y[LABELLED], X[TEST], y[TEST], X_unlabeled=X[MORE]
    )
    for name, settings in {"distilled": {}, "teacher's numbers alone": {"alpha": 1.0}}.items():
        fitted = model.set_params(**settings).fit(X[LABELLED], y[LABELLED], X_unlabeled=X[MORE])
        np.testing.assert_array_equal(report.predictions[name], fitted.predict(X[TEST]))


def test_the_rows_are_counted(report):
    assert report.settings["data"]["rows without labels"] == 80


def test_kept_answers_know_the_rows(tmp_path, report):
    first = distillation_report(recipe(), *ROWS, X_unlabeled=X[MORE], memory=str(tmp_path))
    fewer = distillation_report(recipe(), *ROWS, X_unlabeled=X[40:60], memory=str(tmp_path))
    for name, answers in report.probabilities.items():
        np.testing.assert_array_equal(answers, first.probabilities[name], err_msg=name)
    assert np.any(fewer.probabilities["distilled"] != first.probabilities["distilled"])
