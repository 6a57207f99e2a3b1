"""The loss of labels and teacher as the gradient and Hessian by which boosted trees learn."""

import numpy as np
from scipy.special import expit, softmax

from skdistill.training._soft_labels import answer_weights, class_weights, label_weights


class SoftObjective:
    r"""The loss of the user guide, kd at any temperature, for the scores of boosted trees.

    Of a row with the scores z, and each term with its temperature :math:`\tau` and the weights
    :math:`W_c` of the classes, whose sum is W, the gradient and the diagonal of the Hessian are

    .. math:: \sum_\tau \tau (W q_{\tau, c} - W_c)
        \quad\text{and}\quad \sum_\tau W q_{\tau, c} (1 - q_{\tau, c}),
        \qquad q_\tau = \mathrm{softmax}(z / \tau).

    The labels are a term with :math:`\tau = 1`. The teacher's is one with :math:`\tau = T`, for
    :math:`T^2 \mathrm{KL}(p_T \| q_T)` has the gradient :math:`T (q_T - p_T)`. Of two classes there
    is one score, the logit of the second one.

    Parameters
    ----------
    terms : list of (float, ndarray of shape (n_samples, n_classes))
        The temperature and the weights of each; see `soft_terms`.
    hessian_factor : float, default=1.0
        What the Hessian is multiplied by, as a library does with its own log-loss.

    References
    ----------
    Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.training._soft_objective import SoftObjective
    >>> objective = SoftObjective([(1.0, np.array([[0.75, 0.25]])), (2.0, np.array([[0.5, 0.5]]))])
    >>> objective(None, np.array([0.0]))
    (array([0.25]), array([0.5]))
    """

    def __init__(self, terms, hessian_factor=1.0):
        self.terms = [(temperature, weights, weights.sum(axis=1)) for temperature, weights in terms]
        self.hessian_factor = hessian_factor

    def __call__(self, labels, scores, sample_weight=None):
        """Return gradient and Hessian, each of the shape of the scores.

        Parameters
        ----------
        labels, sample_weight : object
            What a library holds for those of the rows; the terms know better.
        scores : ndarray of shape (n_samples,) or, for three classes or more, (n_samples, n_classes)
        """
        scores = np.asarray(scores, dtype=np.float64)
        gradient, hessian = np.zeros(scores.shape), np.zeros(scores.shape)
        for temperature, weights, total in self.terms:
            if scores.ndim == 1:
                q, weights = expit(scores / temperature), weights[:, 1]
            else:
                q, total = softmax(scores / temperature, axis=1), total[:, None]
            mass = total * q
            gradient += temperature * (mass - weights)
            hessian += mass * (1 - q)
        return gradient, self.hessian_factor * hessian


def soft_terms(packed, n_classes, alpha, factor, temperature):
    """Return the terms of a `SoftObjective`: one at temperature 1, where a row's targets mix.

    Parameters
    ----------
    packed : Packed
    n_classes : int
    alpha, factor
        See `class_weights`.
    temperature : float

    Returns
    -------
    list of (float, ndarray of shape (n_samples, n_classes))
    """
    if temperature == 1:
        return [(1.0, class_weights(packed, n_classes, alpha, factor))]
    soft = answer_weights(packed, n_classes, alpha * factor, temperature)
    if alpha == 1:
        return [(temperature, soft)]
    return [(1.0, label_weights(packed, n_classes, 1 - alpha)), (temperature, soft)]
