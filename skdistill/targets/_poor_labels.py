"""The warning against a teacher of labels that their shares beat."""

import numpy as np

from skdistill._warn import warn
from skdistill._words import shorten
from skdistill.exceptions import TeacherWarning

STANDARD_ERRORS = 2.0
"""By how many of them the teacher must be worse: a rare label costs a good one a row or two."""


def warn_of_poor_labels(values, y, sample_weight=None, names=None):
    """Warn when the share of a label is nearer to it than the teacher's probabilities are.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_labels)
        Probabilities; rows of NaN are left out.
    y : ndarray of shape (n_samples, n_labels)
        0 and 1.
    sample_weight : ndarray of shape (n_samples,), default=None
    names : ndarray of shape (n_labels,), default=None
        Those of y's columns.

    Warns
    -----
    TeacherWarning
        By the Brier score, and two standard errors of the difference over the rows.
    """
    told = ~np.isnan(values).any(axis=1)
    weight = np.ones(len(y)) if sample_weight is None else sample_weight
    told &= weight > 0
    if not told.any():
        return
    values, y, share = values[told], y[told], (weight[told] / weight[told].sum())[:, None]
    of_teacher, of_share = (values - y) ** 2, ((share * y).sum(axis=0) - y) ** 2
    differences = of_teacher - of_share
    mean = (share * differences).sum(axis=0)
    errors = np.sqrt((share**2 * (differences - mean) ** 2).sum(axis=0))
    poor = mean > STANDARD_ERRORS * errors
    if not poor.any():
        return
    worst = int(np.argmax(np.where(poor, mean, -np.inf)))
    label = (
        f"label {worst} of y" if names is None else f"the label {shorten(names.tolist()[worst])}"
    )
    warn(
        f"The teacher's Brier score on the labelled rows is "
        f"{(share * of_teacher).sum(axis=0)[worst]:.4g} for {label}, worse than the "
        f"{(share * of_share).sum(axis=0)[worst]:.4g} of the label's share alone: it has nothing "
        f"to teach there. Are its labels in the order of y's columns, and its rows prepared as "
        f"when it was fitted? Put the preprocessing into the teacher's own Pipeline.",
        TeacherWarning,
    )
