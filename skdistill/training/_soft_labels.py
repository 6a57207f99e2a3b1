"""Hard and soft labels as the weights and targets that an estimator's own `fit` takes."""

import numpy as np
from scipy.special import softmax

from skdistill.teachers._clip import EPSILON, log_probabilities


def class_weights(packed, n_classes, alpha=0.0, factor=1.0):
    r"""Return the weight of each class of each row.

    .. math:: W_{ic} = (1 - \alpha) h_i [c = y_i] + \alpha f s_i p_{ic}

    with the hard and soft weights h and s of the packed targets, each with a mean of one, the
    teacher's probabilities p and the factor f of the loss. The sum over all is the number of rows,
    for f = 1.

    Parameters
    ----------
    packed : Packed
    n_classes : int
    alpha : float, default=0.0
        Weight of the teacher's term in [0, 1].
    factor : float, default=1.0
        What the teacher's term is multiplied by besides.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        A probability of no more than `EPSILON` has no weight.
    """
    weights = answer_weights(packed, n_classes, alpha * factor)
    weights += label_weights(packed, n_classes, 1 - alpha)
    return weights


def label_weights(packed, n_classes, scale=1.0):
    """Return the part of the labels in `class_weights`.

    Parameters
    ----------
    packed : Packed
    n_classes : int
    scale : float, default=1.0
        What all is multiplied by.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    weights = np.zeros((packed.n_rows, n_classes))
    hard = packed.hard_weight()
    hard = 1.0 if hard is None else hard[: packed.n_labelled]
    weights[np.arange(packed.n_labelled), packed.hard] = scale * hard
    return weights


def answer_weights(packed, n_classes, scale=1.0, temperature=1.0):
    """Return the part of the teacher's probabilities in `class_weights`.

    Parameters
    ----------
    packed : Packed
    n_classes : int
    scale : float, default=1.0
        What all is multiplied by; 0 leaves the answers alone.
    temperature : float, default=1.0
        By which the probabilities are softened, p^(1/T) brought to a sum of one.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    weights = np.zeros((packed.n_rows, n_classes))
    if scale > 0:
        soft = packed.soft_weight()
        start = 0
        for part in packed.answers:
            stop = start + len(part)
            weight = 1.0 if soft is None else soft[start:stop, None]
            weights[start:stop] = scale * weight * _soften(part, temperature)
            start = stop
    return weights


def _soften(part, temperature):
    if temperature == 1:
        return np.where(part > EPSILON, part, 0.0)  # a row of NaN has no answer
    return np.nan_to_num(softmax(log_probabilities(part) / temperature, axis=1), copy=False)


def expand_rows(weights):
    r"""Return the copies of the rows by which a classifier learns from soft labels.

    Each row stands once for each class, with that class as its label and :math:`W_{ic}` as its
    weight. Let :math:`\ell(c, q)` be what the classifier minimises, a loss of one label c and its
    own probabilities q. Over the copies it minimises

    .. math:: \sum_i \sum_c W_{ic} \, \ell(c, q_i)
        = n \Bigl[ (1 - \alpha) \frac{\sum_L w_i \ell(y_i, q_i)}{\sum_L w_i}
        + \alpha f \frac{\sum_A w_i \sum_c p_{ic} \ell(c, q_i)}{\sum_A w_i} \Bigr]

    over the labelled rows L and all rows A, because the weights h are w scaled to a mean of one
    over L, and s over A. For the log-loss, :math:`\ell(c, q) = -\log q_c`, the inner sum is
    :math:`\mathrm{KL}(p \| q) + H(p)`, whose second part no student changes: this is n times the
    loss of the user guide with kd at T = 1. For the squared error of the probabilities, which
    Gini's impurity is, it is :math:`\sum_c (p_c - q_c)^2` and again a constant: the Brier loss.

    Parameters
    ----------
    weights : ndarray of shape (n_samples, n_classes)
        See `class_weights`.

    Returns
    -------
    rows, labels : ndarray of shape (n_copies,), int
        The position of each copy's row and of its class; the copies of a row follow each other.
    copy_weights : ndarray of shape (n_copies,)
        Positive: copies without weight are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.training._soft_labels import expand_rows
    >>> expand_rows(np.array([[0.75, 0.25], [0.0, 1.0]]))
    (array([0, 0, 1]), array([0, 1, 1]), array([0.75, 0.25, 1.  ]))
    """
    rows, labels = np.nonzero(weights)
    return rows, labels, weights[rows, labels]


def mix_labels(weights):
    r"""Return the soft labels by which a regressor learns both terms at once.

    With :math:`t = W_{ic} / W_i` and :math:`W_i = \sum_c W_{ic}`, the squared errors of a row,
    weighed, are :math:`\sum_c W_{ic} \|e_c - q\|^2 = W_i \|t - q\|^2` and a constant, with
    :math:`e_c` the label c as a row of 0 and 1.

    Parameters
    ----------
    weights : ndarray of shape (n_samples, n_classes)
        See `class_weights`.

    Returns
    -------
    rows : ndarray of shape (n_kept,), int
        The rows with a positive weight.
    targets : ndarray of shape (n_kept, n_classes)
        Probabilities.
    row_weights : ndarray of shape (n_kept,)
    """
    total = weights.sum(axis=1)
    rows = np.flatnonzero(total)
    return rows, weights[rows] / total[rows, None], total[rows]


def clip_to_probabilities(predictions):
    """Make probabilities of what a regressor predicts for them.

    Parameters
    ----------
    predictions : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Negative ones are 0 and each row sums to one; a row without a positive one is uniform.
    """
    clipped = np.maximum(predictions, 0.0)
    clipped[~clipped.any(axis=1)] = 1.0
    return clipped / clipped.sum(axis=1, keepdims=True)
