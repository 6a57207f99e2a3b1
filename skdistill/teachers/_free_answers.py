"""Answers in the forms that APIs and language models give, read as probabilities."""

import re
from collections.abc import Mapping

import numpy as np

from skdistill.exceptions import TeacherError
from skdistill.teachers._contract import TOLERANCE, as_probabilities, as_values

SOURCE = "The paid teacher"


def read_answers(answer, n_rows, classes, smoothing):
    """Return the probabilities that answers stand for.

    Parameters
    ----------
    answer : array-like of shape (n_rows, n_classes), or list of dict, label or str
        See `PaidTeacher`.
    n_rows : int
        The rows that it was asked about.
    classes : ndarray of shape (n_classes,)
    smoothing : float
        What an answer by a label alone leaves to the others.

    Returns
    -------
    ndarray of shape (n_rows, n_classes), float64

    Raises
    ------
    TeacherError
        For another number of answers, and one that stands for no probabilities.
    """
    if np.ndim(answer) == 2 or (hasattr(answer, "shape") and len(answer.shape) == 2):
        values = as_values(answer, n_rows, SOURCE)
        if values.shape[1] != len(classes):
            raise TeacherError(
                f"{SOURCE} gave {values.shape[1]} columns for {len(classes)} classes; expected one "
                f"for each, in the order of classes."
            )
        return as_probabilities(values, "probabilities", SOURCE)
    if isinstance(answer, str | Mapping) or not hasattr(answer, "__len__"):
        raise TeacherError(
            f"{SOURCE} gave a {type(answer).__name__}; expected a list with an answer for each of "
            f"the {n_rows} rows, or an array of shape (n_rows, n_classes)."
        )
    if len(answer) != n_rows:
        raise TeacherError(
            f"{SOURCE} gave {len(answer)} answers for {n_rows} rows; expected one for each."
        )
    answers = answer.tolist() if hasattr(answer, "tolist") else list(answer)
    return np.stack([_read_one(one, classes.tolist(), smoothing) for one in answers])


def _read_one(answer, classes, smoothing):
    if isinstance(answer, Mapping):
        return _read_top(answer, classes)
    if not isinstance(answer, str) and np.ndim(answer):
        raise TeacherError(
            f"{SOURCE} gave {answer!r} for a row; expected a dict of labels and probabilities, one "
            f"of the labels {classes[:6]}, or a text that names it."
        )
    if answer in classes:
        named = [answer]
    elif isinstance(answer, str):
        named = [label for label in classes if _names(answer, label)]
    else:
        check_known(np.array([answer]), np.array(classes))
    if len(named) != 1:
        return np.full(len(classes), 1 / len(classes))
    values = np.full(len(classes), smoothing / (len(classes) - 1))
    values[classes.index(named[0])] = 1 - smoothing
    return values


def _names(text, label):
    """Whether a text has the name of a label as a whole word."""
    return re.search(rf"(?<!\w){re.escape(str(label))}(?!\w)", text, re.IGNORECASE) is not None


def _read_top(answer, classes):
    """Return probabilities of which some are named, what is left spread over the other labels."""
    strangers = [label for label in answer if label not in classes]
    numbers = np.array(list(answer.values()), dtype=float) if answer else np.zeros(0)
    total = numbers.sum()
    if strangers or not (numbers >= 0).all() or not total <= 1 + TOLERANCE:
        raise TeacherError(
            f"{SOURCE} gave {answer!r}; expected probabilities of some of the labels "
            f"{classes[:6]}, none negative, that sum to one at most. Logarithms want an exp first."
        )
    others = [i for i, label in enumerate(classes) if label not in answer]
    values = np.array([float(answer.get(label, 0)) for label in classes])
    if others:
        values[others] = max(0.0, 1 - total) / len(others)
    total = values.sum()
    return values / total if total > 0 else np.full(len(classes), 1 / len(classes))


def check_known(labels, classes):
    """Refuse labels that are none of the classes.

    Raises
    ------
    TeacherError
    """
    strangers = [label for label in np.unique(labels).tolist() if label not in classes.tolist()]
    if strangers:
        raise TeacherError(
            f"The labels {strangers[:6]} came, and the classes are {classes.tolist()[:6]}; "
            f"expected labels among them. Set classes to all that there are."
        )
