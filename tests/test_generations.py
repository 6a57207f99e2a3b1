"""Students that teach: chains of nested classifiers, and generations by soft targets."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP

X, Y = make_classification(160, 6, n_informative=4, class_sep=2.0, flip_y=0.05, random_state=0)
X_NEW = X[100:]
X, Y = X[:100], np.array(["no", "yes"])[Y[:100]]
FOLDS = StratifiedKFold(2)


def student(*units):
    net = StudentNet(MLP, module__hidden_units=units, max_epochs=10, batch_size=16)
    return make_pipeline(StandardScaler(), net)


BIG = DistilledClassifier(student=student(16, 16), alpha=0, random_state=0)
MIDDLE = DistilledClassifier(BIG, student(8), cv=FOLDS, random_state=1)
SMALL = DistilledClassifier(MIDDLE, student(2), cv=FOLDS, random_state=2)


def out_of_fold(model, targets=None):
    return cross_val_predict(
        model, X, Y, cv=FOLDS, method="predict_proba", params={"soft_targets": targets}
    )


@pytest.mark.parametrize("chain", [MIDDLE, SMALL])
def test_a_chain_is_its_links_one_after_the_other(chain):
    nested = clone(chain).fit(X, Y)
    alone = clone(chain).set_params(teacher=None, cv=None)
    alone.fit(X, Y, soft_targets=out_of_fold(chain.teacher))
    np.testing.assert_array_equal(nested.predict_proba(X_NEW), alone.predict_proba(X_NEW))
    teacher = clone(chain.teacher).fit(X, Y)
    np.testing.assert_array_equal(
        nested.teacher_.predict_proba(X_NEW), teacher.predict_proba(X_NEW)
    )


def test_every_link_of_a_chain_can_be_set_and_cloned():
    chain = clone(SMALL).set_params(
        alpha=0.7, teacher__alpha=0.2, teacher__teacher__student__studentnet__lr=0.5
    )
    assert (chain.alpha, chain.teacher.alpha) == (0.7, 0.2)
    assert clone(chain).teacher.teacher.student[-1].lr == 0.5
    assert (SMALL.alpha, MIDDLE.alpha, BIG.student[-1].lr) == (0.5, 0.5, StudentNet().lr)


def test_a_fitted_link_teaches_as_it_is():
    assistant = clone(MIDDLE).fit(X, Y)
    taught = DistilledClassifier(assistant, student(2), random_state=2).fit(X, Y)
    alone = DistilledClassifier(student=student(2), random_state=2)
    alone.fit(X, Y, soft_targets=assistant.predict_proba(X))
    np.testing.assert_array_equal(taught.predict_proba(X_NEW), alone.predict_proba(X_NEW))
    assert taught.teacher_ is assistant


def test_a_generation_is_asked_out_of_fold_on_the_targets_of_the_one_before():
    targets = out_of_fold(BIG)
    born_again = DistilledClassifier(student=student(16, 16), random_state=3)
    expected = np.empty((len(X), 2))
    for train, test in FOLDS.split(X, Y):
        model = clone(born_again).fit(X[train], Y[train], soft_targets=targets[train])
        expected[test] = model.predict_proba(X[test])
    np.testing.assert_array_equal(out_of_fold(born_again, targets), expected)
