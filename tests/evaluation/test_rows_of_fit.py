"""A fitted model is only compared on the rows that it was fitted on."""

import functools

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.evaluation import (
    adversarial_accuracy,
    diagnose,
    distillation_report,
    robustness_curve,
)
from skdistill.evaluation._rows_of_fit import label_digest

X, Y = make_classification(160, 6, class_sep=2.0, random_state=0)
HALVES = (X[:100], Y[:100], X[100:], Y[100:])


@pytest.fixture(scope="module")
def fitted():
    tree = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0)
    return DistilledClassifier(LogisticRegression(), tree, random_state=0).fit(*HALVES[:2])


def compared_by(name, X_train, y_train):
    """A function of a fitted model that needs the rows of its fit."""
    rows = {"X_train": X_train, "y_train": y_train}
    function = {
        "report": distillation_report,
        "diagnose": diagnose,
        "robustness": functools.partial(robustness_curve, strengths=[0]),
        "attack": adversarial_accuracy,
    }[name]
    return lambda model: function(model, X_test=X[100:], y_test=Y[100:], **rows)


OTHER_ROWS = {
    "all rows, the test among them": (X, Y),
    "fewer": (X[:99], Y[:99]),
    "others": (X[60:], Y[60:]),
    "in another order": (X[:100][::-1], Y[:100][::-1]),
}


@pytest.mark.parametrize("rows", OTHER_ROWS)
@pytest.mark.parametrize("name", ["report", "diagnose", "robustness", "attack"])
def test_other_rows_are_refused(name, rows, fitted, refused):
    X_train, y_train = OTHER_ROWS[rows]
    compare = compared_by(name, X_train, y_train)
    message = f"The {len(X_train)} labels in y_train are not those .* was fitted on.*Pass the"
    refused(ValueError, lambda: compare(fitted), message)


@pytest.mark.parametrize("name", ["report", "diagnose", "robustness"])
def test_the_rows_of_the_fit_are_taken(name, fitted):
    compare = compared_by(name, X[:100].astype(np.float32), Y[:100].tolist())
    compare(fitted)


def test_an_unfitted_copy_is_fitted_on_whatever_rows_are_given(fitted):
    report = distillation_report(fitted, X[60:], Y[60:], X[:60], Y[:60], n_seeds=2)
    assert report.n_seeds == 2


def digest_of_fit(labels):
    model = DistilledClassifier(None, DecisionTreeClassifier(), alpha=0, random_state=0)
    return model.fit(np.arange(4.0)[:, None], labels).label_digest_


def test_the_digest_is_that_of_the_positions_in_the_order_of_the_rows():
    labels = np.array([0, 1, 1, 2])
    digest = "7acccfef7a7e85ef7264470497c1a438a1f281c784c4df9658b37135ba552cc1"  # SHA-256
    assert digest_of_fit(labels) == digest_of_fit(np.array([*"abbc"])) == digest
    assert digest_of_fit(labels[::-1]) != digest
    # Positions as other machines hold them, which no fit of this one has.
    assert label_digest(labels.astype(np.int32)) == label_digest(labels.astype(">i8")) == digest
