"""The replies of one teacher, or of the members of an ensemble, read as one answer."""

from dataclasses import dataclass

import numpy as np

from skdistill._names import in_order_of
from skdistill.exceptions import TeacherError
from skdistill.teachers._align import align_columns
from skdistill.teachers._clip import apply_temperature
from skdistill.teachers._contract import as_probabilities, find_kind
from skdistill.teachers._pool import pool


@dataclass(frozen=True)
class Panel:
    """How the members of an ensemble, each with its reply, are made one.

    Parameters
    ----------
    weights : ndarray of shape (n_members,)
        Of those that answer for rows.
    combine : {"probability", "logit"}
        See `pool`.
    classes : ndarray of shape (n_classes,) or None
        The labels of the columns; None is all that the members know, in sorted order.
    temperatures : ndarray of shape (n_members,) or None
        By which the probabilities of each member are calibrated first.
    """

    weights: np.ndarray
    combine: str
    classes: np.ndarray | None = None
    temperatures: np.ndarray | None = None

    def pool(self, answers, columns):
        """Return one answer, and the labels of its columns.

        Parameters
        ----------
        answers : list of ndarray of shape (n_samples, n_columns_i)
            The probabilities of each member.
        columns : list of ndarray of shape (n_columns_i,) or None
            What they call their columns.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
        classes : ndarray of shape (n_classes,) or None
        """
        classes = all_labels(columns) if self.classes is None else self.classes
        wanted = classes
        if classes is None:
            widths = sorted({answer.shape[1] for answer in answers})
            if len(widths) > 1:
                raise TeacherError(
                    f"The members of the ensemble give {widths} columns and none names them; "
                    f"expected one column per class from each."
                )
            wanted = np.arange(widths[0])
        aligned = [align_columns(a, c, wanted) for a, c in zip(answers, columns, strict=True)]
        if self.temperatures is not None:
            pairs = zip(aligned, self.temperatures, strict=True)
            aligned = [apply_temperature(answer, temperature) for answer, temperature in pairs]
        return pool(np.stack(aligned), self.weights, self.combine), classes


def all_labels(columns):
    """Return all labels that somebody names, sorted; None where nobody does.

    Parameters
    ----------
    columns : iterable of ndarray or None

    Returns
    -------
    ndarray or None
    """
    known = [np.asarray(labels).tolist() for labels in columns if labels is not None]
    labels = {label for labels in known for label in labels}
    try:
        return np.array(sorted(labels)) if labels else None
    except TypeError as error:
        raise TeacherError(
            f"The members of the ensemble know labels of different kinds ({known}); expected the "
            f"labels of y. Fit them on the same labels."
        ) from error


def find_kinds(groups):
    """Find out what each member speaks, once, by all that it said.

    Parameters
    ----------
    groups : list of list of Reply
        For each set of rows, as the folds of a cross-fitting, the reply of each member.

    Returns
    -------
    tuple of {"logits", "probabilities"}
        One for each member. Logits that look like probabilities for some rows are logits.
    """
    kinds = []
    for of_member in zip(*groups, strict=True):
        found = {reply.kind or find_kind(reply.values, reply.source) for reply in of_member}
        kinds.append("logits" if "logits" in found else "probabilities")
    return tuple(kinds)


def common_kind(kinds):
    """Return what members who speak these make together: of different kinds probabilities."""
    return kinds[0] if len(set(kinds)) == 1 else "probabilities"


def read_classes(replies, kinds, panel=None):
    """Read the replies to some rows as class probabilities.

    Parameters
    ----------
    replies : list of Reply
        One, or that of each member of an ensemble.
    kinds : tuple of {"logits", "probabilities"}
        See `find_kinds`.
    panel : Panel, default=None
        The ensemble; None is a teacher alone.

    Returns
    -------
    probabilities : ndarray of shape (n_samples, n_columns), float64
    columns : ndarray of shape (n_columns,) or None
        Their labels.
    """
    read = [
        as_probabilities(r.values, k, r.source, r.columns)
        for r, k in zip(replies, kinds, strict=True)
    ]
    columns = [reply.columns for reply in replies]
    return (read[0], columns[0]) if panel is None else panel.pool(read, columns)


def read_numbers(replies, n_outputs=None, names=None, weights=None):
    """Read the replies to some rows as numbers; of several the mean.

    Parameters
    ----------
    replies : list of Reply
    n_outputs : int, default=None
        Numbers that are expected for each row; None takes any.
    names : ndarray of shape (n_outputs,), default=None
        The names of y's columns, for replies that name theirs.
    weights : ndarray of shape (n_replies,), default=None
        Of those who replied; None weighs all alike.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), float64

    Raises
    ------
    TeacherError
        When a reply has another number of columns.
    """
    n_outputs = replies[0].values.shape[1] if n_outputs is None else n_outputs
    for reply in replies:
        n_samples, came = reply.values.shape
        if came != n_outputs:
            raise TeacherError(
                f"{reply.source} gave an array of shape {reply.values.shape} for {n_samples} rows; "
                f"expected ({n_samples}, {n_outputs}): a number for each row and each column of y."
            )
    answers = [
        in_order_of(names, r.values, r.columns, f"The answer of {r.source}") for r in replies
    ]
    return np.average(answers, axis=0, weights=weights)
