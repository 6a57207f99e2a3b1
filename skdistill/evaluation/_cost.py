"""What a model costs: parameters, bytes, and the time of a prediction."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from torch import nn

from skdistill._compat import safe_indexing
from skdistill._unwrap import last_step

_BATCH_REPEATS = 5
_SINGLE_REPEATS = 30
#: Repeats stop here, so that a slow teacher is asked a few times and a fast student often.
_BUDGET_SECONDS = 0.5


def count_parameters(estimator: Any) -> float:
    """Learned numbers of a fitted model, as far as they can be counted from public attributes.

    Torch modules (also inside a skorch net): the elements of their parameters. Trees, forests
    and boosting: the nodes. Linear models and scikit-learn's MLP: coefficients and intercepts.
    Ensembles: the sum over their members. Of a Pipeline only the last step counts. Anything else
    (neighbours, histogram boosting, other libraries): nan, which means "not counted".

    Parameters
    ----------
    estimator : object
        A fitted estimator or a torch module.

    Returns
    -------
    n_parameters : float
        The count, or nan.
    """
    if last_step(estimator) is not estimator:
        return count_parameters(last_step(estimator))
    if isinstance(estimator, nn.Module):
        return float(sum(p.numel() for p in estimator.parameters()))
    if isinstance(estimator, (list, tuple)):
        return float(sum(count_parameters(member) for member in estimator))
    if hasattr(estimator, "module_"):
        return count_parameters(estimator.module_)
    if hasattr(estimator, "tree_"):
        return float(estimator.tree_.node_count)
    if hasattr(estimator, "estimators_"):
        members = estimator.estimators_  # boosting keeps them in an array, a column per class
        members = members.ravel() if isinstance(members, np.ndarray) else members
        return count_parameters([*members, *_final_estimator(estimator)])
    if hasattr(estimator, "coefs_"):
        return float(sum(w.size for w in [*estimator.coefs_, *estimator.intercepts_]))
    if hasattr(estimator, "coef_"):
        return float(np.size(estimator.coef_) + np.size(getattr(estimator, "intercept_", ())))
    for wrapped in ("estimator_", "best_estimator_", "estimator"):
        if hasattr(estimator, wrapped):
            return count_parameters(getattr(estimator, wrapped))
    return float("nan")


def pickled_bytes(estimator: Any) -> float:
    """Size of the pickle in bytes, or nan where the object cannot be pickled."""
    counter = _ByteCounter()
    try:
        pickle.Pickler(counter, protocol=pickle.HIGHEST_PROTOCOL).dump(estimator)
    except (pickle.PicklingError, AttributeError, TypeError, RuntimeError):
        return float("nan")
    return float(counter.n_bytes)


def prediction_times(predict_proba: Callable[[Any], Any], X: Any) -> tuple[float, float]:
    """Microseconds per row in a batch, and of a call with one row.

    Parameters
    ----------
    predict_proba : callable
        What is timed.
    X : array-like of shape (n_samples, ...)
        The rows of the batch; the single rows are taken from its start.

    Returns
    -------
    us_per_row, us_single_row : float
        The fastest of up to 5 calls with all rows, divided by the rows; the median of up to 30
        calls with one row. A warm-up call goes before each, and counts as the only one where it
        takes half a second or longer.
    """
    n = X.shape[0]
    batch = _seconds(predict_proba, [X] * _BATCH_REPEATS)
    singles = [safe_indexing(X, [i % n]) for i in range(_SINGLE_REPEATS)]
    single = _seconds(predict_proba, singles)
    return 1e6 * min(batch) / n, 1e6 * float(np.median(single))


def _seconds(call: Callable[[Any], Any], inputs: list[Any]) -> list[float]:
    """The time of each call, as many as the budget allows; the first one warms up."""
    seconds: list[float] = []
    for X in [inputs[0], *inputs]:
        start = perf_counter()
        call(X)
        seconds.append(perf_counter() - start)
        is_warm_up = len(seconds) == 1
        if sum(seconds[not is_warm_up :]) > _BUDGET_SECONDS:
            break
    return seconds[1:] or seconds


def _final_estimator(ensemble: Any) -> list[Any]:
    return [ensemble.final_estimator_] if hasattr(ensemble, "final_estimator_") else []


class _ByteCounter:
    """A file that counts what is written and keeps nothing: a forest may not fit twice."""

    n_bytes = 0

    def write(self, data: Any) -> int:
        size = memoryview(data).nbytes
        self.n_bytes += size
        return size
