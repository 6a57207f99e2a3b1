"""Offsets of the classes that make mean probabilities and class rates agree."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax

from skdistill.targets._labelled import check_labelled
from skdistill.teachers._clip import log_probabilities


def fit_prior_offsets(
    answers: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
) -> np.ndarray:
    r"""Find the offsets that minimise the log-loss of softmax(log p + b).

    The loss is convex in b, and its gradient for class c is the mean of
    :math:`q_c = \mathrm{softmax}(\log p + b)_c` over the rows minus the rate of c among the labels:
    at the minimum the two agree. Where the teacher's classes had the rates
    :math:`\pi_c` when it was fitted, and have the rates :math:`\pi'_c` here,
    :math:`b_c = \log(\pi'_c / \pi_c)` is Elkan's correction; here it is found from the labels.

    Parameters
    ----------
    answers : array-like of shape (n_samples, n_classes)
        Probabilities, log-probabilities or logits, told apart as in `fit_temperature`. Rows of NaN
        are left out.
    y : array-like of shape (n_samples,)
        The true classes: labels where the columns of `answers` have names, else positions; see
        `fit_temperature`.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows; None weighs all alike.

    Returns
    -------
    ndarray of shape (n_classes,)
        Their mean over the classes that have labels is 0. -inf for a class without one.

    Raises
    ------
    ValueError
        When answers, classes or weights are no such thing, or no row has all of them.

    References
    ----------
    Elkan 2001, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, theorem 2.
    Alexandari et al. 2020, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at
    Label Shift Adaptation", arXiv 1901.06852: offsets beside a temperature.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import softmax
    >>> from skdistill.targets import fit_prior_offsets
    >>> p = np.array([[0.8, 0.2], [0.5, 0.5], [0.5, 0.5], [0.2, 0.8]])
    >>> offsets = fit_prior_offsets(p, [0, 0, 0, 1])
    >>> softmax(np.log(p) + offsets, axis=1).mean(axis=0).round(3)
    array([0.75, 0.25])
    """
    log_p, positions, weight = check_labelled(answers, y, sample_weight)
    rates = np.bincount(positions, weights=weight, minlength=log_p.shape[1])
    seen = rates > 0
    log_p, rates = log_p[:, seen], rates[seen]

    def full(free):  # a common shift changes nothing, so the first offset is 0
        return np.append(0.0, free)

    def loss(free):
        logits = log_p + full(free)
        q = softmax(logits, axis=1)
        expected = weight @ logsumexp(logits, axis=1) - rates @ full(free)
        return expected, (weight @ q - rates)[1:]

    def curvature(free):
        q = softmax(log_p + full(free), axis=1)
        return (np.diag(weight @ q) - (q * weight[:, None]).T @ q)[1:, 1:]

    free = np.zeros(len(rates) - 1)
    if len(free):
        free = minimize(
            loss, free, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-10}
        ).x
    offsets = np.full(len(seen), -np.inf)
    offsets[seen] = full(free) - full(free).mean()
    return offsets


def apply_offsets(probabilities, offsets):
    """Return p · exp(b) / sum p · exp(b) for each row.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Rows that sum to one; rows of NaN stay NaN.
    offsets : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    return np.exp(log_softmax(log_probabilities(probabilities) + offsets, axis=1))
