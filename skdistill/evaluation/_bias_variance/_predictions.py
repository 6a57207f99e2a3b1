"""The decomposition of predictions that are there already."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite

from skdistill.evaluation._arguments import (
    check_some_rows,
    read_class_names,
    read_labels,
    read_values,
)
from skdistill.evaluation._bias_variance._arms_given import MIN_ROUNDS, check_metrics
from skdistill.evaluation._bias_variance._result import BiasVarianceDecomposition, summarise
from skdistill.evaluation._metrics import check_probabilities, class_index


def decompose_predictions(
    y_test: Any, predictions: Any, *, loss: Any = None, labels: Any = None
) -> BiasVarianceDecomposition | dict[str, BiasVarianceDecomposition]:
    """Split the loss of given predictions into bias and variance.

    Parameters
    ----------
    y_test : array-like of shape (n_test,)
        Labels or values.
    predictions : array-like of shape (n_rounds, n_test, n_classes) or (n_rounds, n_test)
        Probabilities, or the values of regressions.
    loss : str, list of str or None, default=None
        As in `bias_variance_decomposition`.
    labels : array-like of shape (n_classes,), default=None
        The label of each column; None is the sorted labels of y_test.

    Returns
    -------
    BiasVarianceDecomposition or dict of str to BiasVarianceDecomposition
    """
    owner = "from_predictions"
    check_some_rows("y_test", y_test)
    try:
        given = np.asarray(predictions, dtype=np.float64)
    except (TypeError, ValueError):
        given = np.empty(0)
    if given.ndim not in (2, 3) or len(given) < MIN_ROUNDS or given.shape[1] != len(y_test):
        raise ValueError(
            f"predictions must have the shape (n_rounds, n_test, n_classes), or (n_rounds, "
            f"n_test) for values, with n_rounds >= {MIN_ROUNDS} and n_test = {len(y_test)}, the "
            f"length of y_test. Got shape {given.shape} instead."
        )
    metrics = check_metrics(loss, owner, classifier=given.ndim == 3)
    if given.ndim == 2:
        assert_all_finite(given, input_name="predictions")
        target, classes = read_values("y_test", y_test), None
    else:
        y_test = read_labels("y_test", y_test)
        classes = np.unique(y_test) if labels is None else read_class_names("labels", labels)
        given = np.stack(
            [
                check_probabilities(p, name=f"predictions[{r}]", n_columns=len(classes))
                for r, p in enumerate(given)
            ]
        )
        target = np.eye(len(classes))[class_index(y_test, classes)]
    results = {metric: summarise(metric, target, given, classes=classes) for metric in metrics}
    return results[metrics[0]] if loss is None or isinstance(loss, str) else results
