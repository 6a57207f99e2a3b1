"""Any scikit-learn regressor as the student of several labels, a tree for one."""

import numpy as np

from skdistill._words import shorten
from skdistill.exceptions import StudentError
from skdistill.losses._regression import SquaredErrorLoss
from skdistill.training._base_student import MultilabelStudentMixin
from skdistill.training._estimator_base import BaseEstimatorStudent
from skdistill.training._estimator_regressor import own_loss
from skdistill.training._label_links import LabelShareLink
from skdistill.training._soft_values import mix_values


class EstimatorMultilabelStudent(MultilabelStudentMixin, BaseEstimatorStudent):
    r"""A classifier of several labels around a regressor, which learns their probabilities.

    It learns :math:`(1 - \alpha) y + \alpha t` by the squared error (see `mix_values`): of each
    label the Brier loss. A classifier has no fit for shares of several labels.

    Parameters
    ----------
    estimator : estimator
        A regressor. Cloned for every fit. One that predicts one number is fitted once for each
        label.
    """

    def check_settings(self, loss, alpha, temperature=1.0, *, weighted):
        """Refuse settings that the estimator cannot hear; see `Student`."""
        name = type(self.estimator).__name__
        if not isinstance(own_loss(self.estimator), SquaredErrorLoss):
            raise StudentError(
                f"The student {name} minimises {shorten(own_loss(self.estimator))}, and "
                "probabilities are learnt by the squared error; expected a regressor of the mean. "
                "Leave its loss at the default, or give a StudentNetMultilabel."
            )
        if temperature != 1 and alpha > 0:
            raise StudentError(
                f"The student {name} cannot hear temperature={temperature}: it has no logits to "
                f"divide in training. Expected 1; a StudentNetMultilabel takes others."
            )
        self._refuse_weights(weighted)

    def _make_link(self, task, criterion=None):
        return LabelShareLink(task.n_columns, task.names)

    def _learn(self, X, packed, *, alpha=0.0, **_):
        self._fit_weighted(X, *mix_values(packed, alpha))

    def _ask(self):
        return _ask_shares


def _ask_shares(estimator, X):
    return np.clip(np.asarray(estimator.predict(X), dtype=np.float64), 0, 1)
