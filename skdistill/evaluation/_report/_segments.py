"""Where teacher and student part: by segment, and across a threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from skdistill._words import shorten
from skdistill.evaluation._arguments import is_missing


def rows_of_groups(groups: list[Any]) -> dict[Any, list[int]]:
    """The rows of each segment, the largest segment first.

    Parameters
    ----------
    groups : list of length n_samples
        The segment of each row; None and nan are one segment, None.

    Returns
    -------
    dict of hashable to list of int
    """
    members: dict[Any, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(None if is_missing(group) else group, []).append(row)
    return dict(sorted(members.items(), key=lambda item: -len(item[1])))


def by_group(
    members: dict[Any, list[int]], describe: Callable[[list[int]], dict[str, float]]
) -> list[dict[str, Any]]:
    """What is to be said of each segment.

    Parameters
    ----------
    members : dict of hashable to list of int
        See `rows_of_groups`.
    describe : callable
        From the positions of rows to figures by name.

    Returns
    -------
    segments : list of dict
        ``group``, ``n``, and the figures.
    """
    return [{"group": group, "n": len(rows), **describe(rows)} for group, rows in members.items()]


def side_changes(
    teacher: np.ndarray,
    student: np.ndarray,
    y_index: np.ndarray,
    classes: np.ndarray,
    threshold: float,
) -> dict[str, Any]:
    """See `DistillationReport.side_changes`; probabilities of shape (n_samples, 2)."""
    if len(classes) != 2:
        raise ValueError(
            f"side_changes needs two classes, and this report has {len(classes)}. Look at "
            "report.per_class, or at report.probabilities against the rest."
        )
    is_number = isinstance(threshold, int | float | np.number)
    if not (is_number and 0 < threshold < 1):
        raise ValueError(
            "The 'threshold' parameter of side_changes must be a float in the range (0, 1). Got "
            f"{shorten(threshold)} instead."
        )
    teacher_side = teacher[:, 1] >= threshold
    student_side = student[:, 1] >= threshold

    def describe(changed: np.ndarray) -> dict[str, Any]:
        rows = np.flatnonzero(changed)
        student_right = int((student_side[rows] == (y_index[rows] == 1)).sum())
        return {
            "n": len(rows),
            "teacher_right": len(rows) - student_right,
            "student_right": student_right,
            "rows": rows,
        }

    return {
        "threshold": float(threshold),
        "positive_class": classes.tolist()[1],
        "positive_to_negative": describe(teacher_side & ~student_side),
        "negative_to_positive": describe(~teacher_side & student_side),
    }
