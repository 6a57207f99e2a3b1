"""scikit-learn's own checks of the regressors."""

import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdistill import DistilledRegressor, StudentNetRegressor
from skdistill.students import MLP, DefaultStudent

pytestmark = [
    # The checks' data are few and random: a teacher may well be worse than the mean of y.
    pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning"),
    # check_methods_sample_order_invariance draws its order from NumPy's global generator.
    pytest.mark.changes_global_rng,
]


EXACT = {
    "module__hidden_units": (16,),
    "dtype": "float64",
    "batch_size": -1,
    "train_split": None,
    "lr": 0.2,
    "max_epochs": 12,
}


def exact_student():
    """A student for which a weight of two is the same as a row given twice."""
    return StudentNetRegressor(MLP, **EXACT)


def weights_not_exact(estimator):
    reason = "a weight of two and a row given twice are not the same in mini-batches"
    kinds = ("dense", "sparse")
    return {f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in kinds}


def alpha_is_set(estimator):
    if estimator.teacher is not None:
        return {}
    reason = "the check sets alpha, for linear models a penalty, to 0.01: that asks for a teacher"
    return {"check_regressors_train": reason}


@parametrize_with_checks(
    [
        DistilledRegressor(alpha=0, student=exact_student()),
        DistilledRegressor(Ridge(), exact_student(), cv="in-sample"),
        DistilledRegressor(Ridge(), DecisionTreeRegressor()),
    ],
    expected_failed_checks=alpha_is_set,
)
def test_exact_students(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [DistilledRegressor(Ridge()), DistilledRegressor(Ridge(), DefaultStudent(dtype="float64"))],
    expected_failed_checks=weights_not_exact,
)
def test_cross_fitted_teacher_and_default_student(estimator, check):
    if estimator.student is None and check.func.__name__ == "check_methods_subset_invariance":
        pytest.skip("a product in single precision is rounded otherwise for fewer rows")
    check(estimator)


class SeededNet(StudentNetRegressor):
    """A net alone draws from torch's global generator, which most checks leave where it is."""

    def fit(self, X, y, sample_weight=None):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return super().fit(X, y, sample_weight)


def what_skorch_does(estimator):
    return {"check_no_attributes_set_in_init": "a skorch net sets fitted attributes to empty ones"}


@pytest.mark.filterwarnings("ignore:.*set_params")  # skorch refuses bad values at once
@parametrize_with_checks(
    [SeededNet(MLP, **EXACT)],
    expected_failed_checks=what_skorch_does,
)
def test_net_alone(estimator, check):
    check(estimator)
