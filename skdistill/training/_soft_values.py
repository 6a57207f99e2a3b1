"""Targets and a teacher's numbers as the targets and weights that a regressor's own `fit` takes."""

import numpy as np


def term_weights(packed, alpha):
    r"""Return the weight of each row in the term of the targets and in the teacher's.

    .. math:: (1 - \alpha) h_i \quad\text{and}\quad \alpha s_i

    with the hard and soft weights h and s of the packed targets, each with a mean of one. The sum
    over all is the number of rows.

    Parameters
    ----------
    packed : Packed
    alpha : float
        Weight of the teacher's term in [0, 1].

    Returns
    -------
    hard, soft : ndarray of shape (n_samples,)
    """
    ones = np.ones(packed.n_rows)
    hard, soft = packed.hard_weight(), packed.soft_weight() if packed.answers else None
    hard = (1 - alpha) * (ones if hard is None else hard)
    soft = alpha * (ones if soft is None else soft) if alpha > 0 else 0 * ones
    return hard, soft


def stacked(packed):
    """Return the targets and the teacher's numbers of all rows, 0 where there are none.

    Parameters
    ----------
    packed : Packed

    Returns
    -------
    targets, answers : ndarray of shape (n_samples, n_outputs)
    """
    arrays = packed.arrays()
    return arrays["target"][: packed.n_rows], arrays.get("teacher_target", [])[: packed.n_rows]


def mix_values(packed, alpha):
    r"""Return the targets by which a regressor learns both terms at once.

    The errors of a row, weighed, are :math:`h (y - s)^2 + r (t - s)^2 = (h + r)(m - s)^2` and a
    constant, with :math:`m = (h y + r t) / (h + r)`. The same holds for every loss whose best
    constant is the mean, the deviances of Poisson and gamma among them.

    Parameters
    ----------
    packed, alpha
        See `term_weights`.

    Returns
    -------
    rows : ndarray of shape (n_kept,), int
        The rows with a positive weight.
    targets : ndarray of shape (n_kept, n_outputs)
    row_weights : ndarray of shape (n_kept,)

    References
    ----------
    Banerjee et al. 2005, "Clustering with Bregman Divergences", JMLR 6: the losses whose best
    constant is the mean.
    """
    hard, soft = term_weights(packed, alpha)
    total = hard + soft
    rows = np.flatnonzero(total)
    targets, answers = stacked(packed)
    targets = targets[rows]
    if alpha > 0:
        share = (soft[rows] / total[rows])[:, None]
        targets = targets + share * (answers[rows] - targets)
    return rows, targets, total[rows]


def double_rows(packed, alpha):
    """Return the rows twice, once for each term, for losses that know no such mixture.

    Parameters
    ----------
    packed, alpha
        See `term_weights`.

    Returns
    -------
    rows, targets, row_weights
        See `mix_values`; a row stands twice where both terms have a weight.
    """
    terms = zip(term_weights(packed, alpha), stacked(packed), strict=True)
    parts = [
        (np.flatnonzero(weight), values[weight != 0], weight[weight != 0])
        for weight, values in terms
        if weight.any()
    ]
    rows, targets, row_weights = map(np.concatenate, zip(*parts, strict=True))
    return rows, targets, row_weights
