"""Several teachers of labels as one."""

from typing import Any

import numpy as np

from skdistill.teachers._labels import LABELS
from skdistill.teachers._regressor_ensemble import RegressorEnsemble


class LabelEnsemble(RegressorEnsemble):
    """The mean of what several teachers say of each label: what a list of them becomes."""

    _asks = LABELS

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the mean of the members' probabilities.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

        Returns
        -------
        ndarray of shape (n_samples, n_labels), float64
        """
        return self._ask(X)
