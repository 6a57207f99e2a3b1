"""Boosted trees of LightGBM and XGBoost as a student that hears the whole loss."""

import numpy as np

from skdistill.exceptions import StudentError
from skdistill.training._base_student import BaseStudent
from skdistill.training._boosting import boosting_of
from skdistill.training._estimator_student import EstimatorStudent
from skdistill.training._soft_labels import class_weights
from skdistill.training._soft_objective import SoftObjective, soft_terms


class BoostedStudent(EstimatorStudent):
    """A classifier around boosted trees that are given an objective (see `SoftObjective`).

    Each row stands once, and labels, teacher, temperature and weights are in its gradient. At
    alpha 0 it is the estimator's own `fit` on the labels.

    Parameters
    ----------
    estimator : estimator
        One that `boosting_of` knows. Cloned for every fit.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone: a model of its library like any other, which predicts probabilities and
        holds nothing of the objective.
    """

    @staticmethod
    def takes(estimator):
        """Return whether it is what an estimator becomes."""
        return boosting_of(estimator) is not None

    def check_settings(self, loss, alpha, temperature="auto", *, weighted):
        """Refuse settings that the estimator cannot hear; see `Student`."""
        super().check_settings(loss, alpha, weighted=weighted)
        params = self.estimator.get_params(deep=False)
        for name in boosting_of(self.estimator).stops:
            if params.get(name):
                raise StudentError(
                    f"The student {type(self.estimator).__name__} has {name}={params[name]}, and "
                    f"gets no rows to watch; expected None. Set n_estimators instead, by a search."
                )

    def default_temperature(self, loss, kind, n_classes):
        """Return the loss's own; see `BaseStudent.default_temperature`."""
        return BaseStudent.default_temperature(self, loss, kind, n_classes)

    def _learn(self, X, packed, *, loss=None, alpha=0.0, temperature=1.0, **_):
        if alpha == 0:
            super()._learn(X, packed)
            return
        n_classes = len(self.classes_)
        labels = np.append(packed.hard, np.zeros(packed.n_rows - packed.n_labelled, dtype=int))
        if len(np.unique(labels)) < n_classes or not packed.has_labels:
            labels = np.arange(len(labels)) % n_classes  # any will do; see `XGBoost.fit`
        weights = class_weights(packed, n_classes, alpha, loss.weight)
        boosting = boosting_of(self.estimator_)
        objective = SoftObjective(
            soft_terms(packed, n_classes, alpha, loss.weight, temperature),
            boosting.hessian_factor(n_classes),
        )
        boosting.fit(self.estimator_, X, self._labels()[labels], objective, weights)
