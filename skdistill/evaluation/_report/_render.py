"""The faces of a report: tables for the terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

from skdistill.evaluation._tables import BEST_MARK, Table, html_list, html_table, text_table
from skdistill.evaluation._verdict import four_figures

_WIDTH = 110


def _fixed(value: float) -> str:
    return f"{value:.3f}"


def _count(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def _figures(value: float) -> str:
    """Three figures without an exponent, whole numbers from 100 on."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


class _Column(NamedTuple):
    key: str
    head: str
    show: Callable[[float], str]
    best: Callable[[np.ndarray], Any] | None = None


QUALITY = (
    _Column("accuracy", "accuracy", _fixed, np.nanmax),
    _Column("log_loss", "log loss", _fixed, np.nanmin),
    _Column("brier", "brier", _fixed, np.nanmin),
    _Column("ece", "ece", _fixed, np.nanmin),
    _Column("roc_auc", "roc auc", _fixed, np.nanmax),
    _Column("average_precision", "avg prec", _fixed, np.nanmax),
    _Column("agreement", "agree", _fixed, np.nanmax),
    _Column("kl", "kl", _fixed, np.nanmin),
    _Column("r2", "r²", _fixed, np.nanmax),
    _Column("rmse", "rmse", four_figures, np.nanmin),
    _Column("mae", "mae", four_figures, np.nanmin),
    _Column("rmse_to_teacher", "rmse to teacher", four_figures, np.nanmin),
)
COST = (
    _Column("deferred_share", "deferred", _fixed),
    _Column("n_parameters", "parameters", _count),
    _Column("n_bytes", "bytes", _count),
    _Column("us_per_row", "us/row", _figures),
    _Column("us_single_row", "us/single row", _figures),
    _Column("fit_seconds", "fit s", _figures),
)


class Face(NamedTuple):
    """What is shown of a report.

    Attributes
    ----------
    rows, intervals : list of dict
        Those of the report that are printed.
    title, headline, verdict : str
        First line, second line, and last lines.
    students : sequence of str
        The arms among which the best value carries a star.
    costs : bool, default=True
        Whether the costs are shown.
    """

    rows: list[dict[str, Any]]
    intervals: list[dict[str, Any]]
    title: str
    headline: str
    verdict: str
    students: Sequence[str]
    costs: bool = True


def render_text(face: Face) -> str:
    """Tables of quality and cost, the intervals and the verdict, at most 110 characters wide."""
    rows = face.rows
    gap = 1 if _has_spread(rows) else 2
    blocks = [
        f"{face.title}\n{fill(face.headline, _WIDTH)}",
        text_table(arm_table(rows, QUALITY, face.students), gap) + "\n" + note(rows),
        *([text_table(arm_table(rows, COST, ()))] if face.costs else []),
        f"{INTERVAL_TITLE}\n" + text_table(interval_table(face.intervals)),
        "\n".join(fill(line, _WIDTH, subsequent_indent="  ") for line in face.verdict.splitlines()),
    ]
    return "\n\n".join(blocks)


def render_html(face: Face) -> str:
    """The same as HTML that needs no style sheet and sets no colour."""
    rows = face.rows
    cost = html_table(arm_table(rows, COST, ()), COST_CAPTION) if face.costs else ""
    return (
        '<div style="overflow-x:auto">'
        f"<p><strong>{escape(face.headline)}</strong></p>"
        f"{html_table(arm_table(rows, QUALITY, face.students), face.title)}"
        f"<p>{escape(note(rows))}</p>{cost}"
        f"{html_table(interval_table(face.intervals), INTERVAL_TITLE)}"
        f"{html_list(face.verdict.splitlines())}</div>"
    )


_ERRORS = ("mae",)
"""Metrics that have the units of y."""

_SQUARED = ("mse",)
"""Metrics whose units nobody reads: R² and the root tell the same."""

COST_CAPTION = "Bytes of the pickle of what would be shipped; times in microseconds"
INTERVAL_TITLE = "Differences, with paired bootstrap intervals (95 %)"


def arm_table(
    rows: list[dict[str, Any]], columns: Sequence[_Column], students: Sequence[str]
) -> Table:
    """Heads and cells: the arm, then each column, "-" where a value is not known."""
    cells = [[row["arm"]] for row in rows]
    columns = [column for column in columns if column.key in rows[0]]
    for column in columns:
        values = np.array([row[column.key] for row in rows])
        among = np.array([row["arm"] in students for row in rows])
        best = None
        if column.best is not None and np.isfinite(values[among]).any():
            best = column.best(values[among])
        for row, line, is_student in zip(rows, cells, among, strict=True):
            value = row[column.key]
            cell = column.show(value) if np.isfinite(value) else "-"
            if column.best is not None and np.isfinite(row.get(f"{column.key}_std", np.nan)):
                cell += "±" + column.show(row[f"{column.key}_std"]).removeprefix("0")
            # A blank in place of the star keeps the digits below one another.
            line.append(cell + (BEST_MARK if is_student and value == best else " "))
    return ["arm", *(f"{column.head} " for column in columns)], cells


def interval_table(intervals: list[dict[str, Any]]) -> Table:
    intervals = [entry for entry in intervals if entry["metric"] not in _SQUARED]
    metrics = list(dict.fromkeys(entry["metric"] for entry in intervals))
    lines: dict[str, list[str]] = {}
    for entry in intervals:
        line = lines.setdefault(entry["comparison"], [entry["comparison"]])
        ends = [entry[key] for key in ("difference", "low", "high")]
        if entry["metric"] in _ERRORS:
            difference, low, high = (four_figures(end, sign=True) for end in ends)
        else:
            difference, low, high = (f"{end:+.3f}" for end in ends)
        line.append(f"{difference} [{low}, {high}]")
    heads = (metric.replace("_", " ").replace("r2", "r²") for metric in metrics)
    return ["", *heads], list(lines.values())


def _has_spread(rows: list[dict[str, Any]]) -> bool:
    return "fit_seconds_std" in rows[0]


def note(rows: list[dict[str, Any]]) -> str:
    spread = "; ± standard deviation over the seeds" if _has_spread(rows) else ""
    return f"{BEST_MARK} best of the students{spread}; - not known"
