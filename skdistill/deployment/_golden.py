"""Rows without anything of the user's, made anew from a student wherever it is read.

Their answers travel with the file: a release, or a machine, on which a student answers otherwise
shows at once. The rows follow from what the preprocessing has learnt, by rules that belong to the
format of the file.
"""

import warnings

import numpy as np
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.pipeline import Pipeline

from skdistill.students import ImagePreprocessor, TablePreprocessor

N_ROWS = 8
MOST_CELLS = 2**22
TEXTS = ("", "a b c", "the quick brown fox", "one two one two three", "No!", "x", "zwölf 12", "end")
SPREAD = np.array([0.0, -1.0, 1.0, 0.5, -3.0, 3.0, 100.0, np.nan])
"""How many interquartile ranges the numbers of each row are from the median; the last is a gap."""


def golden_answers(student):
    """Return what a student answers for rows of our own.

    Parameters
    ----------
    student : Pipeline or student
        Fitted.

    Returns
    -------
    ndarray of shape (n_rows, n_outputs), float64, or None
        None where no rows are known that it reads.
    """
    student, first = _reads_our_rows(student)
    rows = golden_rows(first)
    if rows is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the rows have no names
        try:
            answer = (
                student.predict_proba(rows) if is_classifier(student) else student.predict(rows)
            )
        except Exception:  # whatever a part of others raises over rows that are none of its own
            return None
    answer = np.asarray(answer, dtype=np.float64)
    return answer.reshape(len(answer), -1) if np.isfinite(answer).all() else None


def _reads_our_rows(student):
    """Return the part of a student that can be asked about rows of ours, and its first step."""
    if not isinstance(student, Pipeline):
        return student, student
    steps = [step for _, step in student.steps if step not in (None, "passthrough")]
    known = (TablePreprocessor, ImagePreprocessor, HashingVectorizer)
    if isinstance(steps[0], known) or len(steps) == 1:
        return (student, steps[0]) if len(steps) > 1 else _reads_our_rows(steps[0])
    return _reads_our_rows(Pipeline(student.steps[1:]))


def golden_rows(step):
    """Return rows that the first step of a student reads, None where none are known."""
    if isinstance(step, HashingVectorizer):
        return list(TEXTS)
    if isinstance(step, TablePreprocessor) and not hasattr(step, "scaler_"):
        return _rows_of_columns(step)
    if isinstance(step, ImagePreprocessor):
        return _images(step)
    width = getattr(step, "n_features_in_", 0)
    shape = getattr(step, "row_shape_", (width,))
    if isinstance(shape, dict):
        each = {name: (N_ROWS, *of_one) for name, of_one in shape.items()}
        n_cells = sum(np.prod(of_one, dtype=object) for of_one in each.values())
        return {n: _waves(one) for n, one in each.items()} if n_cells <= MOST_CELLS else None
    if not 0 < np.prod(shape, dtype=object) <= MOST_CELLS // N_ROWS:
        return None
    if isinstance(step, TablePreprocessor) or getattr(step, "learns_sparse_", False):
        return sparse.csr_matrix(_waves((N_ROWS, width)).clip(0))
    reads_codes = getattr(step, "layout_", {}).get("cardinalities")
    return np.zeros((1, *shape)) if reads_codes or len(shape) > 1 else _waves((N_ROWS, *shape))


def _rows_of_columns(step):
    """Return rows of medians and others in steps of the spread, and of known categories."""
    if step.n_features_in_ > MOST_CELLS // N_ROWS:
        return None
    rows = np.empty((N_ROWS, step.n_features_in_), dtype=object)
    for i, position in enumerate(step._positions):
        rows[:, position] = step.center_[i] + SPREAD * step.scale_[i]
    for position, known in zip(step.categorical_, step._categories._positions, strict=True):
        names = [*known, "(none of these)"]
        rows[:, position] = [names[(i + position) % len(names)] for i in range(N_ROWS)]
    return rows


def _images(step):
    if not 0 < np.prod(step.image_shape_, dtype=object) <= MOST_CELLS // 4:
        return None
    scaled = _waves((4, *step.image_shape_))
    if len(step.image_shape_) == 2:
        return scaled * step.scale_[0] + step.mean_[0]
    return scaled * step.scale_[:, None, None] + step.mean_[:, None, None]


def _waves(shape):
    """Return numbers between -2 and 2 that repeat nowhere, the same on every machine."""
    counts = np.arange(np.prod(shape), dtype=np.float64)
    return (counts * 0.6180339887498949 % 4 - 2).reshape(shape)
