"""The decompositions: of the losses of R fits at each test point into bias and variance.

For all of them bias + variance = loss at every point. "Bias" holds the noise of the labels too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp, xlogy

from skdistill.evaluation._metrics import EPS

CLASSIFIER_METRICS = ("log_loss", "brier", "zero_one")
REGRESSOR_METRICS = ("squared",)
PREDICTION_KINDS = {
    "log_loss": "probabilities",
    "brier": "probabilities",
    "zero_one": "classes",
    "squared": "numbers",
}


class Parts(NamedTuple):
    """The parts of a loss, and what they would be without one of the rounds.

    Attributes
    ----------
    points : dict of str to ndarray of shape (n_test,)
        ``loss``, ``bias``, ``variance``; of zero_one also ``variance_unbiased`` and
        ``variance_biased``.
    replicates : dict of str to ndarray of shape (n_rounds,)
        The means over the test points of loss, bias and variance, one round left out.
    """

    points: dict[str, np.ndarray]
    replicates: dict[str, np.ndarray]


def decompose(metric: str, target: np.ndarray, predictions: np.ndarray) -> Parts:
    """The parts of a loss by its name.

    Parameters
    ----------
    metric : {"log_loss", "brier", "zero_one", "squared"}
    target : ndarray of shape (n_test, n_classes) or (n_test,)
        One-hot labels or the teacher's probabilities; the true values for "squared".
    predictions : ndarray of shape (n_rounds, n_test, n_classes) or (n_rounds, n_test)

    Returns
    -------
    Parts
    """
    if metric == "squared":
        target, predictions = target[:, None], predictions[:, :, None]
    return _PARTS[metric](target, predictions)


def mean_loss(metric: str, target: np.ndarray, predictions: np.ndarray) -> float:
    """The mean loss of one round, whose predictions have the shape of the target."""
    if metric == "squared":
        target, predictions = target[:, None], predictions[:, None]
    return float(_LOSSES[metric](target, predictions[None]).mean())


def squared_error_losses(target: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """sum_c (target - prediction)², shape (n_rounds, n_test): the Brier score of classes."""
    return ((predictions - target) ** 2).sum(axis=-1)


def squared_error_parts(target: np.ndarray, predictions: np.ndarray) -> Parts:
    """Bias ‖y - q̄‖² and variance mean_r ‖q_r - q̄‖² around the mean q̄ over the rounds.

    Parameters
    ----------
    target : ndarray of shape (n_test, n_columns)
    predictions : ndarray of shape (n_rounds, n_test, n_columns)

    Returns
    -------
    Parts
    """
    rest = len(predictions) - 1
    center = predictions.mean(axis=0)
    error, deviation = center - target, predictions - center
    bias = (error**2).sum(axis=-1)
    spread = (deviation**2).sum(axis=-1)
    # Without round r the mean moves by -deviation_r / (R - 1).
    slope = 2 * (deviation * error).sum(axis=-1).mean(axis=1) / rest
    spreads = spread.mean(axis=1)
    moved = spreads / rest**2
    losses = squared_error_losses(target, predictions)
    return Parts(
        {"loss": losses.mean(axis=0), "bias": bias, "variance": spread.mean(axis=0)},
        {
            "loss": mean_of_others(losses.mean(axis=1)),
            "bias": bias.mean() - slope + moved,
            "variance": mean_of_others(spreads) - moved,
        },
    )


def log_losses(target: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """KL(target ‖ prediction) in nats, shape (n_rounds, n_test): -log q_y for one-hot labels."""
    return _divergence(target, _log(predictions))


def log_loss_parts(target: np.ndarray, predictions: np.ndarray) -> Parts:
    """Bias KL(y ‖ q̄) and variance mean_r KL(q̄ ‖ q_r) around the dual mean.

    The dual mean is q̄ = exp(mean_r log q_r) / Z, and the variance is -log Z. Probabilities are
    clipped at 2.2e-16 from below first.

    Parameters
    ----------
    target : ndarray of shape (n_test, n_classes)
        Rows that sum to 1.
    predictions : ndarray of shape (n_rounds, n_test, n_classes)

    Returns
    -------
    Parts

    References
    ----------
    Heskes 1998, "Bias/variance decompositions for likelihood-based estimators", Neural
    Computation 10. Yang et al. 2020, arXiv 2002.11328. Gupta et al. 2022, arXiv 2206.10566.
    """
    rest = len(predictions) - 1
    logs = _log(predictions)
    losses = _divergence(target, logs)
    center = logs.mean(axis=0)
    log_z = logsumexp(center, axis=-1)
    variances = -logsumexp(center + (center - logs) / rest, axis=-1).mean(axis=1)
    mean_losses = mean_of_others(losses.mean(axis=1))
    return Parts(
        {
            "loss": losses.mean(axis=0),
            "bias": _divergence(target, center - log_z[:, None]),
            "variance": -log_z,
        },
        {"loss": mean_losses, "bias": mean_losses - variances, "variance": variances},
    )


def zero_one_losses(target: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """1 where the named class is not the target's, shape (n_rounds, n_test).

    The class of a row, of the target too, is its largest entry, the lower one of equals.
    """
    return (predictions.argmax(axis=-1) != target.argmax(axis=-1)).astype(np.float64)


def zero_one_parts(target: np.ndarray, predictions: np.ndarray) -> Parts:
    """Bias [y_m ≠ y] and net variance around the mode y_m of the named classes.

    With V = P(ŷ ≠ y_m) the net variance is V where y_m = y (an unbiased point), and
    -P(ŷ = y) where it is not: there, straying from the mode can only help. Of equally frequent
    classes the lower one is the mode.

    Parameters
    ----------
    target : ndarray of shape (n_test, n_classes)
    predictions : ndarray of shape (n_rounds, n_test, n_classes)

    Returns
    -------
    Parts
        Net variance = ``variance_unbiased`` - ``variance_biased``.

    References
    ----------
    Domingos 2000, "A Unified Bias-Variance Decomposition for Zero-One and Squared Loss", AAAI;
    -P(ŷ = y) is his c₂·V, as y = y_m never holds there.
    """
    n_rounds, _, n_classes = predictions.shape
    y = target.argmax(axis=-1)
    named = predictions.argmax(axis=-1)[:, :, None] == np.arange(n_classes)
    counts = named.sum(axis=0)
    losses = zero_one_losses(target, predictions)
    loss = losses.mean(axis=0)
    biased = counts.argmax(axis=-1) != y
    stray = 1.0 - counts.max(axis=-1) / n_rounds
    mean_losses = mean_of_others(losses.mean(axis=1))
    biases = ((counts - named).argmax(axis=-1) != y).mean(axis=1)
    return Parts(
        {
            "loss": loss,
            "bias": biased.astype(np.float64),
            "variance": loss - biased,
            "variance_unbiased": np.where(biased, 0.0, stray),
            "variance_biased": np.where(biased, 1.0 - loss, 0.0),
        },
        {"loss": mean_losses, "bias": biases, "variance": mean_losses - biases},
    )


def jackknife_se(replicates: np.ndarray) -> float:
    """Standard error from values that leave out one round each, shape (n_rounds,).

    ``sqrt((R - 1) / R * sum_r (value_r - mean)²)``. It holds the chance of the rounds, given the
    data and the test points.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 11.
    """
    n_rounds = len(replicates)
    return float(np.sqrt((n_rounds - 1) * np.var(replicates)))


def mean_of_others(values: np.ndarray) -> np.ndarray:
    """Of each of R values the mean of the others."""
    return (values.sum() - values) / (len(values) - 1)


def _log(probabilities: np.ndarray) -> np.ndarray:
    clipped = np.maximum(probabilities, EPS)
    return np.log(clipped / clipped.sum(axis=-1, keepdims=True))


def _divergence(target: np.ndarray, logs: np.ndarray) -> np.ndarray:
    return xlogy(target, target).sum(axis=-1) - (target * logs).sum(axis=-1)


_PARTS = {
    "log_loss": log_loss_parts,
    "brier": squared_error_parts,
    "zero_one": zero_one_parts,
    "squared": squared_error_parts,
}
_LOSSES = {
    "log_loss": log_losses,
    "brier": squared_error_losses,
    "zero_one": zero_one_losses,
    "squared": squared_error_losses,
}
