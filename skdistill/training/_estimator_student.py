"""Any scikit-learn classifier or regressor as a student, a tree for one."""

from functools import partial

import numpy as np
from scipy.special import softmax
from sklearn.base import is_classifier, is_regressor
from sklearn.utils.validation import has_fit_parameter

from skdistill._compat import safe_indexing
from skdistill._words import shorten
from skdistill.exceptions import StudentError
from skdistill.losses import KD, MSE, Brier
from skdistill.training._base_student import ClassifierStudentMixin
from skdistill.training._estimator_base import BaseEstimatorStudent
from skdistill.training._links import ProbabilityLink
from skdistill.training._soft_labels import (
    class_weights,
    clip_to_probabilities,
    expand_rows,
    mix_labels,
)

HEARD = {
    False: ((KD,), "'kd'", " The regressor of its kind also takes 'brier' and 'mse'."),
    True: ((KD, Brier, MSE), "'kd', 'brier' or 'mse'", ""),
}
"""What a classifier, and a regressor, can be given: losses, and what an error says of them."""


class EstimatorStudent(ClassifierStudentMixin, BaseEstimatorStudent):
    """A classifier around an estimator that knows nothing of distillation.

    A classifier learns from weighted copies of the rows, one for each class that has a weight
    (see `expand_rows`), a regressor from the mixture of labels and teacher's probabilities (see
    `mix_labels`) or, for loss "mse", from the teacher's centred logits: a column for each class,
    for two classes the second one alone.

    Parameters
    ----------
    estimator : estimator
        A classifier with `predict_proba` whose `fit` takes `sample_weight`, or a regressor.
        Cloned for every fit. A regressor that predicts one number is fitted once for each class.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone; a `MultiOutputRegressor` of clones where one predicts one number.
    classes_ : ndarray of shape (n_classes,)
    history_ : list
        Empty: there are no epochs.

    Raises
    ------
    StudentError
        When the estimator cannot learn from soft labels.
    """

    @staticmethod
    def takes(estimator):
        """Return whether it is what an estimator may become."""
        return is_classifier(estimator) or is_regressor(estimator)

    def check_estimator(self):
        """Refuse an estimator that cannot learn from soft labels; return self."""
        super().check_estimator()
        name = type(self.estimator).__name__
        if is_regressor(self.estimator):
            return self
        if not has_fit_parameter(self.estimator, "sample_weight"):
            raise StudentError(
                f"The student {name} takes no sample_weight in fit, by which a classifier learns "
                f"from soft targets; expected one that does, such as DecisionTreeClassifier or "
                f"LogisticRegression. Or give the regressor of its kind, such as "
                f"KNeighborsRegressor, which learns the probabilities themselves."
            )
        decided = hasattr(self.estimator, "predict")
        if decided and not hasattr(self.estimator, "predict_proba"):
            raise StudentError(
                f"The student {name} has no predict_proba; expected a classifier that gives "
                f"probabilities. Choose another, or the regressor of its kind, which learns the "
                f"teacher's."
            )
        return self

    def check_settings(self, loss, alpha, temperature="auto", *, weighted):
        """Refuse settings that the estimator cannot hear; see `Student`."""
        self._refuse_weights(weighted)
        if alpha == 0:
            return
        name = type(self.estimator).__name__
        losses, heard, also = HEARD[is_regressor(self.estimator)]
        is_other_kd = type(loss) is KD and (loss.standardize or loss.reverse)
        if type(loss) not in losses or is_other_kd:
            raise StudentError(
                f"The student {name} cannot learn with loss={shorten(loss)}: its fit minimises a "
                f"loss of its own. Expected loss={heard}, or a StudentNet, which takes every "
                f"loss.{also}"
            )
        if isinstance(loss, MSE) and alpha < 1:
            raise StudentError(
                f"The student {name} learns the teacher's logits with loss='mse', and labels have "
                f"none; expected alpha=1, got alpha={alpha}. Set alpha=1, or loss='kd'."
            )
        if temperature not in ("auto", 1):
            raise StudentError(
                f"The student {name} cannot hear temperature={temperature}: it has no logits to "
                f"divide in training. Expected 'auto' or 1; a StudentNet takes others."
            )

    def default_temperature(self, loss, kind, n_classes):
        """Return 1, the only temperature that an estimator can hear."""
        return 1.0

    def _make_link(self, task, criterion=None):
        return ProbabilityLink(task.classes)

    def _learn(self, X, packed, *, loss=None, alpha=0.0, **_):
        self._predicts_logits = alpha > 0 and isinstance(loss, MSE)
        factor = 1.0 if loss is None else loss.weight
        weights = class_weights(packed, len(self.classes_), alpha, factor)
        if is_regressor(self.estimator):
            self._fit_regressor(X, weights, packed)
        elif alpha == 0:
            self._fit(X, self._labels()[packed.hard], packed.labelled_weight())
        else:
            rows, labels, copy_weights = expand_rows(weights)
            self._fit(safe_indexing(X, rows), self._labels()[labels], copy_weights)

    def _ask(self):
        if is_regressor(self.estimator):
            return partial(_ask_regressor, len(self.classes_), self._predicts_logits)
        return partial(_ask_classifier, self._labels())

    def _labels(self):
        """Return what stands for each class in the labels that the estimator gets."""
        takes_positions_alone = type(self.estimator).__module__.partition(".")[0] == "xgboost"
        return np.arange(len(self.classes_)) if takes_positions_alone else self.classes_

    def _fit_regressor(self, X, weights, packed):
        rows, targets, row_weights = mix_labels(weights)
        if self._predicts_logits:
            logits = packed.arrays()["teacher_logits"][rows]
            targets = logits - logits.mean(axis=1, keepdims=True)
        if len(self.classes_) == 2:  # the other column follows from it
            targets = targets[:, 1]
        self._fit_weighted(X, rows, targets, row_weights)


def _ask_classifier(labels, estimator, X):
    """Return the probability of each label, 0 of one that no copy stood for, never learnt."""
    answer = estimator.predict_proba(X)
    if answer.dtype == np.float32:  # whose sums are one in single precision alone
        answer = answer.astype(np.float64)
        answer /= answer.sum(axis=1, keepdims=True)
    p = np.zeros((len(answer), len(labels)))
    p[:, np.searchsorted(labels, estimator.classes_)] = answer
    return p


def _ask_regressor(n_classes, predicts_logits, estimator, X):
    """Return the probabilities that a regressor's numbers stand for."""
    values = np.asarray(estimator.predict(X), dtype=np.float64)
    if n_classes == 2:
        other = -values if predicts_logits else 1 - values
        values = np.column_stack([other.ravel(), values.ravel()])
    return softmax(values, axis=1) if predicts_logits else clip_to_probabilities(values)
