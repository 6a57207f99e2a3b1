"""A search of this package beside one of scikit-learn's."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV

from skdistill import DistillationSearchCV


def look(estimator, X, y):
    """Return predictions of single rows as scores, so that searches show what was learnt."""
    name = "predict_proba" if hasattr(estimator, "predict_proba") else "predict"
    answers = getattr(estimator, name)(X)
    answers = answers.reshape(len(answers), -1)
    return {f"row{row}": answers[row, 0] for row in range(0, 40, 3)}


@pytest.fixture(scope="session")
def rows():
    return make_classification(
        241, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
    )


@pytest.fixture
def looks():
    """Return a scorer of single predictions."""
    return look


@pytest.fixture
def compare():
    """Return a check that two searches have the same results."""
    return same_results


def same_results(own, other, atol=1e-9):
    assert own.cv_results_.keys() == other.cv_results_.keys()
    for name, values in other.cv_results_.items():
        if "time" in name:
            assert (own.cv_results_[name] >= 0).all()
        elif name == "params" or name.startswith("param_"):
            assert list(own.cv_results_[name]) == list(values)
        elif not name.startswith("rank_test_row"):  # rounding breaks ties
            np.testing.assert_allclose(
                own.cv_results_[name], values, rtol=0, atol=atol, err_msg=name
            )


@pytest.fixture
def search_both(rows):
    """Search with both and compare all scores; return the search of this package."""

    def search(estimator, grid, X=None, y=None, *, atol=1e-9, fit=None, **settings):
        X, y = rows if X is None else (X, y)
        settings = {"cv": 2, "scoring": look, "refit": False} | settings
        own = DistillationSearchCV(estimator, grid, **settings).fit(X, y, **(fit or {}))
        other = GridSearchCV(estimator, grid, **settings).fit(X, y, **(fit or {}))
        same_results(own, other, atol)
        return own

    return search
