"""The weights of several teachers that pool their out-of-fold answers best."""

import warnings

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.model_selection import check_cv

from skdistill._compat import safe_indexing
from skdistill._random import draw_seeds
from skdistill.teachers._align import align_columns
from skdistill.teachers._clip import EPSILON, log_probabilities
from skdistill.teachers._fit import fit_teacher
from skdistill.teachers._members import find_kinds, read_classes

DEFAULT_FOLDS = 5


def out_of_fold_weights(teachers, X, y, classes, *, combine, cv, sample_weight, seed):
    """Cross-fit unfitted teachers and weigh them by their answers.

    Parameters
    ----------
    teachers : list of Examined
        Not fitted; cloned for every fold.
    X, y : array-like of shape (n_samples, ...) and ndarray of shape (n_samples,)
        Rows and labels.
    classes : ndarray of shape (n_classes,)
        The order of the columns.
    combine : {"probability", "logit"}
        See `pool`.
    cv : int, splitter or None
        None is `DEFAULT_FOLDS` stratified folds, fewer where a class has fewer rows.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the rows.
    seed : int
        Each fit gets a seed of its own from it.

    Returns
    -------
    ndarray of shape (n_teachers,)
        See `fit_pool_weights`.
    """
    if cv is None:
        cv = int(np.clip(np.unique(y, return_counts=True)[1].min(), 2, DEFAULT_FOLDS))
    with warnings.catch_warnings():
        # A row whose class no training row of its fold has is left out below.
        warnings.filterwarnings("ignore", message="The least populated class")
        splits = list(check_cv(cv, y, classifier=True).split(X, y))
    answers = np.full((len(teachers), len(y), len(classes)), np.nan)
    seeds = iter(draw_seeds(seed, len(splits) * len(teachers)))
    groups = []
    for train, test in splits:
        rows, weight = safe_indexing(X, test), None
        if sample_weight is not None:
            weight = sample_weight[train]
        replies = []
        for teacher in teachers:
            fitted = fit_teacher(
                teacher,
                safe_indexing(X, train),
                y[train],
                seed=next(seeds),
                classes=np.sort(classes),
                sample_weight=weight,
            )
            replies += teacher.refitted(fitted).ask(rows)
        groups.append(replies)
    kinds = find_kinds(groups)
    for (train, test), replies in zip(splits, groups, strict=True):
        is_unknown = ~np.isin(y[test], y[train])
        for member, (reply, kind) in enumerate(zip(replies, kinds, strict=True)):
            read, columns = read_classes([reply], [kind])
            answer = align_columns(read, columns, classes)
            answer[is_unknown] = np.nan
            answers[member, test] = answer
    position = {label: i for i, label in enumerate(classes.tolist())}
    labels = np.array([position[label] for label in y.tolist()])
    return fit_pool_weights(answers, labels, combine, sample_weight)


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
    told = ~np.isnan(answers).any(axis=(0, 2))
    answers, y = answers[:, told], y[told]
    row_weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight)[told]
    row_weight = row_weight / row_weight.sum()
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

    pool_loss = logarithmic if combine == "logit" else linear

    def penalised(weights):
        loss, gradient = pool_loss(weights)
        return loss - np.log(weights).sum() / len(y), gradient - 1 / (weights * len(y))

    n_teachers = len(answers)
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
