"""Agreement of teacher and student, class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import binomtest

from skdistill.evaluation._arm_names import DISTILLED, TEACHER
from skdistill.evaluation._metrics import check_scored
from skdistill.evaluation._plots._style import line_style, literal, set_title

#: Classes in one picture, with their names to be read.
_MAX_CLASSES = 40

_MARKS: dict[str, dict[str, Any]] = {
    TEACHER: {"marker": "|", "markersize": 13, "markeredgewidth": 2, "color": "black"},
    "student": {"marker": "x", "markeredgewidth": 2, "color": line_style(DISTILLED)["color"]},
}


def agreement_by_class(
    y_true: Any, teacher_proba: Any, y_proba: Any, *, labels: Any = None
) -> list[dict[str, Any]]:
    """Share of the rows of each true class on which teacher and student name the same class.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    teacher_proba : array-like of shape (n_samples, n_classes)
        The teacher's probabilities.
    y_proba : array-like of shape (n_samples, n_classes)
        The student's probabilities, with the same columns.
    labels : array-like of shape (n_classes,), default=None
        The label of each column. None: the sorted labels of `y_true`.

    Returns
    -------
    rows : list of dict
        For each class, in the order of the columns, ``class``, ``n`` (its rows), ``agreement``
        with the ends ``agreement_low`` and ``agreement_high`` of its 95 % interval (Wilson's),
        ``teacher_accuracy`` and ``student_accuracy`` (both are the recall of the class). nan
        for a class without rows.

    Raises
    ------
    ValueError
        When labels and probabilities do not fit each other.

    See Also
    --------
    skdistill.evaluation.agreement : The same over all rows.

    References
    ----------
    Wilson 1927, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22.

    Examples
    --------
    >>> from skdistill.evaluation import agreement_by_class
    >>> teacher = [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]]
    >>> student = [[0.6, 0.4], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9]]
    >>> rows = agreement_by_class(["no", "no", "yes", "yes"], teacher, student)
    >>> [(row["class"], row["n"], row["agreement"]) for row in rows]
    [('no', 2, 0.5), ('yes', 2, 1.0)]
    """
    y_index, p, classes = check_scored(y_true, teacher_proba, labels, name="teacher_proba")
    _, q, _ = check_scored(y_true, y_proba, classes)
    teacher, student = p.argmax(axis=1), q.argmax(axis=1)
    rows = []
    for position, label in enumerate(classes.tolist()):
        members = y_index == position
        n = int(members.sum())
        same = int((teacher == student)[members].sum())
        interval = binomtest(same, n).proportion_ci(method="wilson") if n else (np.nan, np.nan)
        rows.append(
            {
                "class": label,
                "n": n,
                "agreement": same / n if n else np.nan,
                "agreement_low": float(interval[0]),
                "agreement_high": float(interval[1]),
                "teacher_accuracy": float((teacher == position)[members].mean()) if n else np.nan,
                "student_accuracy": float((student == position)[members].mean()) if n else np.nan,
            }
        )
    return rows


def figure_height(rows: list[dict[str, Any]]) -> float:
    """Inches in which the names of the classes that have rows can be read."""
    n_classes = sum(row["n"] > 0 for row in rows)
    return 1.8 + 0.28 * min(max(n_classes, 3), _MAX_CLASSES)


def draw_agreement(ax: Any, rows: list[dict[str, Any]]) -> None:
    """Draw what `agreement_by_class` returns, the lowest agreement at the top."""
    found = sorted((row for row in rows if row["n"]), key=lambda row: row["agreement"])
    shown = found[:_MAX_CLASSES]
    y = np.arange(len(shown))
    columns = {key: np.array([row[key] for row in shown]) for key in shown[0] if key != "class"}
    agreement = columns["agreement"]
    low, high = columns["agreement_low"], columns["agreement_high"]
    bars = {"color": "0.7", "linewidth": 5, "label": "95 % interval of the agreement"}
    ax.hlines(y, low, high, **bars)
    circle = {"marker": "o", "color": "black", "markerfacecolor": "white"}
    ax.plot(agreement, y, ls="none", label="agreement of the two", **circle)
    for who, key in ((TEACHER, "teacher_accuracy"), ("student", "student_accuracy")):
        style = _MARKS[who]
        ax.plot(columns[key], y, linestyle="none", label=f"accuracy of the {who}", **style)
    names = [f"{literal(row['class'])}  (n = {row['n']})" for row in shown]
    ax.set_yticks(y, names)
    ax.set(ylim=(len(shown) - 0.5, -0.5), xlabel="share of the rows of the class")
    rest = len(found) - len(shown)
    ax.set_ylabel("true class" + (f" ({rest} with more agreement left out)" if rest else ""))
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)
    set_title(ax, "Teacher and student, class by class")
