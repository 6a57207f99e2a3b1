"""How much each of several teachers counts, and how sure it is, by their out-of-fold answers."""

import warnings

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from skdistill._compat import safe_indexing
from skdistill._random import draw_seeds
from skdistill._temperature import best_temperature
from skdistill.teachers._clip import EPSILON, apply_temperature, log_probabilities
from skdistill.teachers._fit import fit_teacher

DEFAULT_FOLDS = 5


def ask_out_of_fold(teachers, X, y, splitter, *, classes=None, sample_weight, seed):
    """Cross-fit unfitted teachers and ask each about the rows that it has not seen.

    Parameters
    ----------
    teachers : list of Examined
        Not fitted; cloned for every fold.
    X, y : array-like of shape (n_samples, ...)
        Rows, and labels or numbers.
    splitter : splitter
        Makes the folds.
    classes : ndarray of shape (n_classes,), default=None
        All labels, for teachers of classes.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.
    seed : int
        Each fit gets a seed of its own from it.

    Returns
    -------
    splits : list of (train, test)
    groups : list of list of Reply
        For each split the reply of each teacher.
    """
    with warnings.catch_warnings():
        # A row whose class no training row of its fold has is left out later.
        warnings.filterwarnings("ignore", message="The least populated class")
        splits = list(splitter.split(X, y))
    seeds = iter(draw_seeds(seed, len(splits) * len(teachers)))
    groups = []
    for train, test in splits:
        rows, replies = safe_indexing(X, test), []
        for teacher in teachers:
            fitted = fit_teacher(
                teacher,
                safe_indexing(X, train),
                y[train],
                seed=next(seeds),
                classes=None if classes is None else np.sort(classes),
                sample_weight=None if sample_weight is None else sample_weight[train],
            )
            replies += teacher.refitted(fitted).ask(rows)
        groups.append(replies)
    return splits, groups


class MeanAnswers:
    """What each of several teachers says of rows, in the mean over the splits that leave one out.

    Parameters
    ----------
    n_teachers, n_samples, n_columns : int
    """

    def __init__(self, n_teachers, n_samples, n_columns):
        self.total = np.zeros((n_teachers, n_samples, n_columns))
        self.counts = np.zeros((n_teachers, n_samples, 1))

    def add(self, teacher, rows, values):
        """Add a teacher's answers for some rows; one of NaN is none."""
        told = ~np.isnan(values).any(axis=1)
        self.total[teacher, rows[told]] += values[told]
        self.counts[teacher, rows[told]] += 1

    def mean(self):
        """Return an array of shape (n_teachers, n_samples, n_columns), NaN where nobody spoke."""
        mean = self.total / np.maximum(self.counts, 1)
        return np.where(self.counts > 0, mean, np.nan)


def pool_loss(answer, y, sample_weight=None):
    """Return the log-loss of a pooled answer; rows of NaN are left out."""
    answers, y, row_weight = _told(answer[None], y, sample_weight)
    return -row_weight @ log_probabilities(answers[0])[np.arange(len(y)), y]


def fit_member_temperatures(answers, y, sample_weight=None):
    """Find the temperature of each teacher that minimises the log-loss of its answers.

    Parameters
    ----------
    answers : ndarray of shape (n_teachers, n_samples, n_classes)
        Out-of-fold probabilities. A row of NaN is left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    sample_weight : ndarray of shape (n_samples,), default=None

    Returns
    -------
    ndarray of shape (n_teachers,)
    """
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)
    found = []
    for answer in answers:
        told = ~np.isnan(answer).any(axis=1)
        found.append(best_temperature(log_probabilities(answer[told]), y[told], weight[told]))
    return np.array(found)


def calibrate_members(answers, temperatures):
    """Return the answers of each teacher at its temperature; None leaves all as they are."""
    if temperatures is None:
        return answers
    return np.stack([apply_temperature(a, t) for a, t in zip(answers, temperatures, strict=True)])


def fit_pool_weights(answers, y, combine, sample_weight=None):
    r"""Find the weights, none negative and summing to one, whose pool has the least log-loss.

    What is minimised over the simplex is

    .. math:: \frac{1}{n} \sum_i \ell_i(w) - \frac{1}{n} \sum_m \log w_m,

    convex for both pools. The second term is a Dirichlet prior, worth one more row for each
    teacher, on which it alone is right: few rows leave nobody without a say, and many rows decide
    by themselves. Where each row is known to one teacher alone, the linear pool has Laplace's
    :math:`w_m = (n_m + 1) / (n + M)`.

    Parameters
    ----------
    answers : ndarray of shape (n_teachers, n_samples, n_classes)
        Out-of-fold probabilities. Rows that a teacher did not answer (NaN) are left out.
    y : ndarray of shape (n_samples,), int
        The position of each row's true class.
    combine : {"probability", "logit"}
        See `pool`.
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    ndarray of shape (n_teachers,)

    References
    ----------
    Yao et al. 2018, "Using Stacking to Average Bayesian Predictive Distributions",
    arXiv 1704.02030: the linear pool without the prior.
    """
    answers, y, row_weight = _told(answers, y, sample_weight)
    logs = log_probabilities(answers)
    true = answers[:, np.arange(len(y)), y]
    true_logs = logs[:, np.arange(len(y)), y]

    def linear(weights):
        mixture = np.maximum(weights @ true, EPSILON)
        return -row_weight @ np.log(mixture), -true @ (row_weight / mixture)

    def logarithmic(weights):
        logits = np.tensordot(weights, logs, axes=1)
        loss = row_weight @ (logsumexp(logits, axis=1) - weights @ true_logs)
        expected = np.einsum("mnc,nc->mn", logs, softmax(logits, axis=1))
        return loss, (expected - true_logs) @ row_weight

    n_rows = np.count_nonzero(row_weight)
    return _least(logarithmic if combine == "logit" else linear, len(answers), n_rows)


def fit_mean_weights(answers, y, sample_weight=None):
    r"""Find the weights, none negative and summing to one, whose mean has the least squared error.

    What is minimised over the simplex is, with the mean squared error :math:`s_o^2` of the
    unweighted mean in each output,

    .. math:: \frac{1}{n} \sum_i \sum_o \frac{(y_{io} - \sum_m w_m t_{mio})^2}{2 s_o^2}
        - \frac{1}{n} \sum_m \log w_m,

    a normal log-likelihood and the prior of `fit_pool_weights`.

    Parameters
    ----------
    answers : ndarray of shape (n_teachers, n_samples, n_outputs)
        Out-of-fold numbers. Rows that a teacher did not answer (NaN) are left out.
    y : ndarray of shape (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    ndarray of shape (n_teachers,)
    """
    answers, y, row_weight = _told(answers, y, sample_weight)
    spread = row_weight @ (y - answers.mean(axis=0)) ** 2
    unit = np.sqrt(np.where(spread > 0, spread, 1.0))
    errors = (answers - y) / unit

    def squared(weights):
        mean = np.tensordot(weights, errors, axes=1)
        loss = 0.5 * row_weight @ (mean**2).sum(axis=1)
        return loss, np.einsum("mno,no->mn", errors, mean) @ row_weight

    return _least(squared, len(answers), np.count_nonzero(row_weight))


def _told(answers, y, sample_weight):
    """Return the rows that all have answered, and their weights, which sum to one."""
    told = ~np.isnan(answers).any(axis=(0, 2))
    answers, y = answers[:, told], y[told]
    row_weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)[told]
    return answers, y, row_weight / row_weight.sum()


def _least(loss_and_gradient, n_teachers, n_rows):
    """Minimise a loss less the logarithm of the prior over the simplex."""

    def penalised(weights):
        loss, gradient = loss_and_gradient(weights)
        return loss - np.log(weights).sum() / n_rows, gradient - 1 / (weights * n_rows)

    found = minimize(
        penalised,
        np.full(n_teachers, 1 / n_teachers),
        jac=True,
        method="SLSQP",
        bounds=[(EPSILON, 1)] * n_teachers,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
        options={"ftol": 1e-12},
    )
    return found.x / found.x.sum()
