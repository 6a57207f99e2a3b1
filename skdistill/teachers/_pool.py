"""The answers of several teachers made one."""

import numpy as np
from scipy.special import softmax

from skdistill.teachers._clip import log_probabilities


def pool(answers, weights, combine):
    r"""Combine the probabilities of several teachers.

    The linear pool ("probability") is :math:`\sum_m w_m p_m`, the logarithmic pool ("logit")
    :math:`\mathrm{softmax}(\sum_m w_m \log p_m)`, which for networks is the softmax of their
    averaged logits.

    Parameters
    ----------
    answers : ndarray of shape (n_teachers, n_samples, n_classes)
        A row of NaN is no answer: the other teachers' weights are scaled to sum to one there.
    weights : ndarray of shape (n_teachers,)
        Not negative; scaled to sum to one.
    combine : {"probability", "logit"}

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
        A row that nobody answered, or only teachers of weight 0, is NaN.

    References
    ----------
    Genest and Zidek 1986, "Combining Probability Distributions: A Critique and an Annotated
    Bibliography", Statistical Science 1(1).
    """
    told = ~np.isnan(answers).any(axis=2)
    shares = told * np.asarray(weights, dtype=np.float64)[:, None]
    total = shares.sum(axis=0)
    shares = np.divide(shares, total, out=np.full_like(shares, np.nan), where=total > 0)
    answers = np.where(told[:, :, None], answers, 1.0)
    if combine == "logit":
        return softmax(np.einsum("mn,mnc->nc", shares, log_probabilities(answers)), axis=1)
    return np.einsum("mn,mnc->nc", shares, answers)
