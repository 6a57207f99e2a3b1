"""What is measured on the test rows: terms of each row, and scores of the whole.

Accuracy, log-loss, Brier score, agreement and KL divergence are means of terms of the single
rows, so that differences between two arms can be resampled row by row. Calibration error,
ROC AUC and average precision are not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import rel_entr
from sklearn.metrics import average_precision_score, roc_auc_score

from skdistill._input._frames import column_names, is_table
from skdistill.evaluation._arguments import check_int, read_class_names, read_labels

#: Probabilities are clipped here before a logarithm, as `sklearn.metrics.log_loss` does.
EPS = float(np.finfo(np.float64).eps)

#: How far from 1 the sum of a row may lie: float32 softmax and rounded answers pass.
SUM_TOLERANCE = 1e-3

#: Below this the sum of a row is 1 but for rounding in double precision.
ROUNDING = 1e-12


def expected_calibration_error(
    y_true: Any, y_proba: Any, *, labels: Any = None, n_bins: int = 15
) -> float:
    """Expected calibration error of the top class (ECE), in [0, 1], lower is better.

    The rows are put into `n_bins` bins of equal width by their confidence, the largest
    probability of the row; bin b holds the rows with confidence in ``(b/n_bins, (b+1)/n_bins]``::

        ECE = sum_b n_b / n * |accuracy_b - mean confidence_b|

    Empty bins add nothing. The estimate is biased upwards on few rows, so compare only arms
    that were scored on the same rows.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities; each row sums to 1.
    labels : array-like of shape (n_classes,), default=None
        The label of each column. None: the sorted labels of `y_true`.
    n_bins : int, default=15
        Number of bins.

    Returns
    -------
    ece : float
        The calibration error.

    Raises
    ------
    ValueError
        When labels and probabilities do not fit each other, or `n_bins` is no positive int.

    References
    ----------
    Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv 1706.04599, equation 3.

    Examples
    --------
    >>> from skdistill.evaluation import expected_calibration_error
    >>> y_proba = [[0.2, 0.8], [0.2, 0.8], [0.2, 0.8], [0.2, 0.8]]
    >>> round(expected_calibration_error([1, 1, 1, 0], y_proba), 3)
    0.05
    """
    check_int("expected_calibration_error", "n_bins", n_bins)
    y_index, probabilities, _ = check_scored(y_true, y_proba, labels)
    return calibration_error(y_index, probabilities, n_bins=n_bins)


def kl_to_teacher(teacher_proba: Any, y_proba: Any) -> float:
    """Mean divergence KL(teacher ‖ student) in nats, in [0, inf), lower is better.

    ``mean_i sum_c p_ic * log(p_ic / q_ic)``, with p the teacher's and q the student's
    probabilities. 0 log 0 is 0; q is clipped at 2.2e-16, the machine precision, so that one
    exact zero of a tree costs at most 36 nats and not infinity.

    Parameters
    ----------
    teacher_proba : array-like of shape (n_samples, n_classes)
        The teacher's probabilities p.
    y_proba : array-like of shape (n_samples, n_classes)
        The student's probabilities q, with the same columns.

    Returns
    -------
    kl : float
        The divergence, summed over the classes and averaged over the rows.

    Raises
    ------
    ValueError
        When these are no probabilities, or do not fit each other.

    References
    ----------
    Stanton et al. 2021, Does Knowledge Distillation Really Work?, arXiv 2106.05945, reads it
    (and the agreement) as the fidelity of a student.

    Examples
    --------
    >>> from skdistill.evaluation import kl_to_teacher
    >>> round(kl_to_teacher([[0.5, 0.5]], [[0.75, 0.25]]), 3)
    0.144
    """
    p, q = _pair(teacher_proba, y_proba)
    return float(kl_terms(p, q).mean())


def agreement(teacher_proba: Any, y_proba: Any) -> float:
    """Share of the rows on which both name the same class (top-1 agreement), in [0, 1].

    Ties within a row go to the lower column, as in `numpy.argmax`.

    Parameters
    ----------
    teacher_proba : array-like of shape (n_samples, n_classes)
        The teacher's probabilities.
    y_proba : array-like of shape (n_samples, n_classes)
        The student's probabilities, with the same columns.

    Returns
    -------
    agreement : float
        The share of the rows.

    Raises
    ------
    ValueError
        When these are no probabilities, or do not fit each other.

    Examples
    --------
    >>> from skdistill.evaluation import agreement
    >>> agreement([[0.9, 0.1], [0.4, 0.6]], [[0.6, 0.4], [0.7, 0.3]])
    0.5
    """
    p, q = _pair(teacher_proba, y_proba)
    return float((p.argmax(axis=1) == q.argmax(axis=1)).mean())


def row_terms(
    y_index: np.ndarray, probabilities: np.ndarray, teacher_probabilities: np.ndarray
) -> dict[str, np.ndarray]:
    """The terms whose means are accuracy, log_loss, brier, agreement and kl.

    The class that an arm names is the largest of its probabilities.

    Parameters
    ----------
    y_index : ndarray of shape (n_samples,)
        The column of each row's true class.
    probabilities, teacher_probabilities : ndarray of shape (n_samples, n_classes)
        Of the arm that is scored, and of the teacher.

    Returns
    -------
    terms : dict of str to ndarray of shape (n_samples,)
        ``accuracy``: 1 where the named class is right. ``log_loss``: -log p_y, clipped at
        `EPS` on both sides as scikit-learn's. ``brier``: sum_c (p_c - [c = y])², in [0, 2].
        ``agreement``: 1 where arm and teacher name one class. ``kl``: KL(teacher ‖ arm).
    """
    rows = np.arange(len(y_index))
    named = probabilities.argmax(axis=1)
    one_hot = np.zeros_like(probabilities)
    one_hot[rows, y_index] = 1.0
    return {
        "accuracy": (named == y_index).astype(float),
        "log_loss": -np.log(np.clip(probabilities[rows, y_index], EPS, 1.0 - EPS)),
        "brier": ((probabilities - one_hot) ** 2).sum(axis=1),
        "agreement": (named == teacher_probabilities.argmax(axis=1)).astype(float),
        "kl": kl_terms(teacher_probabilities, probabilities),
    }


def kl_terms(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL(p ‖ q) of each row: shape (n_samples,), in nats, q clipped at `EPS`."""
    # The clip leaves q a hair above a distribution, so rounding could fall below 0.
    return np.maximum(rel_entr(p, np.maximum(q, EPS)).sum(axis=1), 0.0)


def confidence_bins(
    y_index: np.ndarray, probabilities: np.ndarray, n_bins: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The bin of each row, its confidence, and whether its most probable class is right.

    Bin b of `n_bins` holds the confidences in ``(b/n_bins, (b+1)/n_bins]``.
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == y_index
    inner_edges = np.linspace(0.0, 1.0, n_bins + 1)[1:-1]
    return np.digitize(confidence, inner_edges, right=True), confidence, correct


def calibration_error(y_index: np.ndarray, probabilities: np.ndarray, *, n_bins: int) -> float:
    """`expected_calibration_error` of checked input: class positions (n,), floats (n, C)."""
    bins, confidence, correct = confidence_bins(y_index, probabilities, n_bins)
    # n_b * |accuracy_b - confidence_b| is the absolute sum of the bin's differences.
    gaps = np.bincount(bins, weights=correct - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(y_index))


def ranking_scores(y_index: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """ROC AUC and average precision: of the second class of two, else the macro mean.

    Each class is ranked against the rest. nan where that is undefined, which is where any of
    the classes has no test row (scikit-learn's convention), or all of them.

    Parameters
    ----------
    y_index : ndarray of shape (n_samples,)
        The column of each row's true class.
    probabilities : ndarray of shape (n_samples, n_classes)
        Predicted probabilities.

    Returns
    -------
    scores : dict
        Under ``roc_auc`` and ``average_precision``.
    """
    n_classes = probabilities.shape[1]
    counts = np.bincount(y_index, minlength=n_classes)
    if np.any(counts == 0):
        return {"roc_auc": np.nan, "average_precision": np.nan}
    ranked = [1] if n_classes == 2 else range(n_classes)
    members = np.column_stack([y_index == c for c in ranked])
    scores = probabilities[:, list(ranked)]
    return {
        "roc_auc": float(roc_auc_score(members, scores, average="macro")),
        "average_precision": float(average_precision_score(members, scores, average="macro")),
    }


def class_index(y: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The column of each label: ndarray (n_samples,) of int, an error for unknown labels."""
    position = {label: i for i, label in enumerate(classes.tolist())}
    index = np.array([position.get(label, -1) for label in y.tolist()], dtype=np.intp)
    if np.any(index < 0):
        unknown = sorted({repr(label) for label in y[index < 0].tolist()})
        raise ValueError(
            f"Labels that are no class were found: {', '.join(unknown[:5])}"
            f"{', ...' if len(unknown) > 5 else ''}. The classes are "
            f"{', '.join(map(repr, classes.tolist()[:10]))}{', ...' if len(classes) > 10 else ''}. "
            "Drop those rows, or add the classes to the training labels."
        )
    return index


def check_scored(
    y_true: Any, y_proba: Any, labels: Any = None, *, name: str = "y_proba"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class positions (n,), probabilities (n, C) and classes (C,), or an error."""
    y_true = read_labels("y_true", y_true)
    classes = np.unique(y_true) if labels is None else read_class_names("labels", labels)
    probabilities = check_probabilities(y_proba, name=name, n_columns=len(classes))
    if is_table(y_proba) and set(column_names(y_proba)) == set(classes.tolist()):
        _check_same_names("the classes", classes.tolist(), name, y_proba)
    if len(y_true) != len(probabilities):
        raise ValueError(
            f"y_true has {len(y_true)} rows and {name} has {len(probabilities)}; pass one row "
            "of probabilities for each label."
        )
    return class_index(y_true, classes), probabilities, classes


def check_probabilities(
    probabilities: Any, *, name: str = "y_proba", n_columns: int | None = None
) -> np.ndarray:
    """Probabilities as float64 (n_samples, n_classes) whose rows sum to 1, or an error."""
    try:
        p = np.asarray(probabilities)
        p = p if p.dtype.kind == "c" else p.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        p = np.empty(0, dtype=complex)
    if p.dtype.kind == "c":
        raise ValueError(
            f"{name} is no array of real numbers but of type {type(probabilities).__name__}; "
            f"expected shape (n_samples, n_classes). Pass the result of predict_proba."
        )
    if p.ndim != 2 or p.shape[0] == 0 or p.shape[1] < 2:
        raise ValueError(
            f"{name} must have shape (n_samples, n_classes) with at least one row and two "
            f"columns. Got shape {p.shape} instead; pass the result of predict_proba."
        )
    if n_columns is not None and p.shape[1] != n_columns:
        raise ValueError(
            f"{name} has {p.shape[1]} columns, but there are {n_columns} classes. Pass one "
            "column for each class, in the order of the sorted labels or of 'labels'."
        )
    if not np.all(np.isfinite(p)):
        raise ValueError(
            f"{name} has values that are not finite in {int((~np.isfinite(p)).any(axis=1).sum())} "
            "rows. Probabilities must be finite; a student that gives nan has diverged (lower its "
            "learning rate)."
        )
    total = p.sum(axis=1, keepdims=True)
    if p.min() < 0 or np.abs(total - 1.0).max() > SUM_TOLERANCE:
        raise ValueError(
            f"The rows of {name} must be probabilities: not negative, with the sum 1. Got values "
            f"from {p.min():.3g} to {p.max():.3g} and sums from {total.min():.3g} to "
            f"{total.max():.3g}; logits must go through a softmax first."
        )
    # Double precision stays as it came: a report shows the very numbers of predict_proba.
    return p if np.abs(total - 1.0).max() < ROUNDING else p / total


def _check_same_names(first: str, names: list[Any], second: str, table: Any) -> None:
    columns = column_names(table)
    if columns != names:
        raise ValueError(
            f"The columns of {second} are {columns[:10]}, and {first} {names[:10]}; "
            f"expected the same ones in the same order. Pass {second}[{names[:10]}]."
        )


def _pair(teacher_proba: Any, y_proba: Any) -> tuple[np.ndarray, np.ndarray]:
    p = check_probabilities(teacher_proba, name="teacher_proba")
    q = check_probabilities(y_proba)
    if p.shape != q.shape:
        raise ValueError(
            f"teacher_proba has shape {p.shape} and y_proba has shape {q.shape}; both need the "
            "same rows and the same classes."
        )
    if is_table(teacher_proba) and is_table(y_proba):
        names = column_names(teacher_proba)
        _check_same_names("those of teacher_proba", names, "y_proba", y_proba)
    return p, q
