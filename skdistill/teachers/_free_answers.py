"""Answers in the forms that APIs and language models give, read as probabilities."""

import re
from collections.abc import Mapping, Set

import numpy as np

from skdistill._words import shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._contract import TOLERANCE, as_probabilities, as_values

SOURCE = "The paid teacher"


def read_answers(answer, n_rows, classes):
    """Return what answers stand for.

    Parameters
    ----------
    answer : array-like of shape (n_rows, n_classes), or list of dict, label or str
        See `PaidTeacher`.
    n_rows : int
        The rows that it was asked about.
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    list of {ndarray of shape (n_classes,) or (1,), TeacherError}
        For each row the probabilities; where a label alone is named, its position; or what is
        wrong with it.

    Raises
    ------
    TeacherError
        For another number of answers, and an array that is none of probabilities.
    """
    if _count_axes(answer) == 2:
        values = as_values(answer, n_rows, SOURCE)
        if values.shape[1] != len(classes):
            raise TeacherError(
                f"{SOURCE} gave {values.shape[1]} columns for {len(classes)} classes; expected one "
                f"for each, in the order of classes."
            )
        return list(as_probabilities(values, "probabilities", SOURCE))
    if isinstance(answer, str | Mapping | Set) or not hasattr(answer, "__len__"):
        raise TeacherError(
            f"{SOURCE} gave a {type(answer).__name__}; expected a list with an answer for each of "
            f"the {n_rows} rows, or an array of shape (n_rows, n_classes)."
        )
    if len(answer) != n_rows:
        raise TeacherError(
            f"{SOURCE} gave {len(answer)} answers for {n_rows} rows; expected one for each."
        )
    answers = answer.tolist() if hasattr(answer, "tolist") else list(answer)
    return [_read_or_refuse(one, classes.tolist()) for one in answers]


def as_shares(values, n_classes, smoothing):
    """Return the probabilities of what an answer stands for, ndarray of shape (n_classes,).

    Parameters
    ----------
    values : ndarray of shape (n_classes,) or (1,)
        Probabilities, or the position of a label.
    n_classes : int
    smoothing : float
        What an answer by a label alone leaves to the others.
    """
    if len(values) > 1:
        return values
    shares = np.full(n_classes, smoothing / (n_classes - 1))
    shares[int(values[0])] = 1 - smoothing
    return shares


def _count_axes(answer):
    """Return how many axes an answer has, 1 for a list of unlike things."""
    try:
        return len(answer.shape) if hasattr(answer, "shape") else np.ndim(answer)
    except ValueError:  # of rows that differ in length
        return 1


def _read_or_refuse(answer, classes):
    try:
        return _read_one(answer, classes)
    except TeacherError as error:
        return error


def _read_one(answer, classes):
    if isinstance(answer, Mapping):
        return _read_top(answer, classes)
    if not isinstance(answer, str) and _count_axes(answer):
        raise TeacherError(
            f"{SOURCE} gave {shorten(answer)} for a row; expected a dict of labels and "
            f"probabilities, one of the labels {classes[:6]}, or a text that names it; or, for all "
            f"rows, an array of shape (n_rows, {len(classes)})."
        )
    if answer in classes:
        named = [answer]
    elif isinstance(answer, str):
        named = _find_named(answer, classes)
    else:
        check_known(np.array([answer]), np.array(classes))
    if len(named) != 1:
        return np.full(len(classes), 1 / len(classes))
    return np.array([classes.index(named[0])], dtype=float)


def _find_named(text, classes):
    """Return the labels whose names stand in a text as whole words, none within a longer name."""
    found = [
        (label, match.span())
        for label in classes
        for match in re.finditer(rf"(?<!\w){re.escape(str(label))}(?!\w)", text, re.IGNORECASE)
    ]
    return list(
        dict.fromkeys(
            label
            for label, (start, end) in found
            if not any(a <= start and end <= b and b - a > end - start for _, (a, b) in found)
        )
    )


def _read_top(answer, classes):
    """Return probabilities of which some are named, what is left spread over the other labels."""
    strangers = [label for label in answer if label not in classes]
    try:
        numbers = np.array(list(answer.values()), dtype=float)
    except (TypeError, ValueError):  # words, or several numbers
        numbers = np.array([np.nan])
    total = numbers.sum()
    if strangers or not (numbers >= 0).all() or not total <= 1 + TOLERANCE:
        raise TeacherError(
            f"{SOURCE} gave {shorten(answer)}; expected probabilities of some of the labels "
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
