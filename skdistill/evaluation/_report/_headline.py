"""A report in one line: what the student costs, what it gains, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skdistill.evaluation._arm_names import COMPARISONS, DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._verdict import MARGIN


def headline(rows: list[dict[str, Any]], intervals: list[dict[str, Any]]) -> str:
    """Size, time and score of the distilled student, and what the intervals advise.

    Parameters
    ----------
    rows, intervals : list of dict
        Those of a report.

    Returns
    -------
    text : str
    """
    arms = {row["arm"]: row for row in rows}
    own, plain, teacher = arms[DISTILLED], arms[PLAIN], arms[TEACHER]
    found = {(entry["comparison"], entry["metric"]): entry for entry in intervals}
    size, speed = (teacher[key] / own[key] for key in ("n_bytes", "us_per_row"))
    metric, scale, unit, digits = (
        ("r2", 1.0, "R²", 3) if "r2" in own else ("accuracy", 100.0, "points", 1)
    )
    over, above = (f"{scale * (own[metric] - x[metric]):+.{digits}f}" for x in (plain, teacher))
    side = {"+": "above", "-": "below"}[above[0]]
    near = f"{above[1:]} {side} the teacher" if float(above) else "level with the teacher"
    parts = [
        _times(size, "smaller", "larger", "as large"),
        _times(speed, "faster", "slower", "as fast"),
        f"{over} {unit} over the plain student",
        near,
    ]
    return f"{', '.join(parts)}: {_advice(found, cheaper=max(size, speed) > 1)}"


def _times(ratio: float, more: str, less: str, same: str) -> str:
    word, ratio = (more, ratio) if ratio >= 1 else (less, 1 / ratio)
    times = f"{ratio:.{0 if ratio >= 10 else 1}f}"
    return same if times == "1.0" else f"{times} times {word}"


def _advice(found: Mapping[tuple[str, str], Mapping[str, float]], *, cheaper: bool) -> str:
    """What the intervals show: a gain over the plain student, and no loss to the teacher."""
    to_plain, to_teacher = (COMPARISONS[DISTILLED, other] for other in (PLAIN, TEACHER))
    if (to_plain, "r2") in found:
        gain, is_better = found[to_plain, "r2"], False
        low, high = -gain["high"], -gain["low"]
        is_near = found[to_teacher, "r2"]["low"] >= 0
    else:
        loss, accuracy = found[to_plain, "log_loss"], found[to_plain, "accuracy"]
        low, high, is_better = loss["low"], loss["high"], accuracy["low"] > 0
        is_near = found[to_teacher, "accuracy"]["low"] > -MARGIN
    if low > 0 and is_better:
        return "more accurate than the plain student, at a higher log-loss"
    if low > 0:
        return "take the plain student"
    if high >= 0 and is_better:
        return "more accurate than the plain student, but no gain in log-loss is shown"
    if high >= 0:
        return "no gain over the plain student is shown"
    if cheaper and is_near:
        return "ship it"
    if cheaper:
        return "ship it where size and time count most"
    return "better than the plain student, and no cheaper than the teacher"
