"""The report, or several, as one page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from skdistill._words import shorten
from skdistill.evaluation._arm_names import DISTILLED, TEACHER
from skdistill.evaluation._plots._agreement import agreement_by_class
from skdistill.evaluation._report._pictures import draw_pictures
from skdistill.evaluation._report._render import (
    COST,
    COST_CAPTION,
    INTERVAL_TITLE,
    QUALITY,
    arm_table,
    interval_table,
    note,
)
from skdistill.evaluation._tables import html_list, html_table, rows_to_table

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
section { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.8rem 0; font-size: 0.9rem; }
caption { font-weight: 600; padding-bottom: 0.3rem; }
th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid #ddd; font-weight: normal; }
thead th { cursor: pointer; border-bottom: 1px solid #666; vertical-align: bottom; }
img { max-width: 100%; display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1.2rem; margin: 0;
     font-size: 0.9rem; }
dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; font-family: monospace; }
h3 { font-size: 1rem; margin: 1rem 0 0.3rem; }
p.note { color: #444; font-size: 0.9rem; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } section { overflow: visible; }
  h2, caption { break-after: avoid; } img, tr { break-inside: avoid; } }
"""

_SCRIPT = """
for (const head of document.querySelectorAll("thead th")) head.onclick = () => {
  const at = head.cellIndex, body = head.closest("table").tBodies[0];
  const up = head.ariaSort !== "ascending";
  for (const other of head.parentNode.cells) other.ariaSort = null;
  head.ariaSort = up ? "ascending" : "descending";
  const text = row => row.cells[at].textContent.trim();
  const key = row => {
    const found = /^([+-]?[\\d.]+)([kMG]?)/.exec(text(row));
    return found ? found[1] * {"": 1, k: 1e3, M: 1e6, G: 1e9}[found[2]] : NaN;
  };
  const both = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (isNaN(x) && isNaN(y)) return text(a).localeCompare(text(b)) * (up ? 1 : -1);
    return isNaN(x) ? 1 : isNaN(y) ? -1 : (x - y) * (up ? 1 : -1);
  };
  body.append(...[...body.rows].sort(both));
};
"""
_NO_PICTURES = (
    "The pictures need matplotlib, which was not installed where this page was written: "
    'pip install "skdistill[plot]".'
)
#: The scores of several test sets side by side.
_JOINT = {"accuracy": "Accuracy", "log_loss": "Log-loss", "r2": "R²", "rmse": "RMSE"}
_CAPTIONS = {
    "scores": "The line is the distilled student's score. A grey bar is the 95 % interval of the "
    "paired difference to it, drawn around the other arm's score: where bar and line do not "
    "touch, the difference is more than the draw of the test rows.",
    "reliability": "Above the diagonal an arm is too timid, below it too sure. Larger marks stand "
    "for more rows. ECE: expected calibration error, 15 bins.",
    "agreement": "Of the rows of each true class: on how many teacher and distilled student name "
    "the same class, and on how many each is right.",
}


def write_page(render: Callable[[], str], path: Any) -> None:
    """Write a page, after a look at where it shall go.

    Parameters
    ----------
    render : callable
        Returns the page as text.
    path : str or path-like
        An existing file is replaced.
    """
    check_place(path, "page").write_text(render(), encoding="utf-8")


def check_place(path: Any, what: str) -> Path:
    """Refuse a place where no file can be written; `what` says what it shall hold."""
    if not isinstance(path, str | PathLike):
        raise TypeError(
            f"The path of a {what} must be a str or path-like. Got {shorten(path)} instead; pass "
            "the name of a file, such as 'report.html'."
        )
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"The {what} cannot be written to {str(path)!r}: there is no folder "
            f"{str(path.parent)!r}. Make it first, or pass another path."
        )
    if path.is_dir():
        raise IsADirectoryError(
            f"{str(path)!r} is a folder; pass the path of a file, such as "
            f"{str(path / 'report.html')!r}."
        )
    return path


def render_page(report: Any) -> str:
    """The page of one report as text, its pictures inside it.

    Parameters
    ----------
    report : DistillationReport

    Returns
    -------
    html : str
    """
    title = report._face().title
    return _page(title, [*_report_parts(title, report), _settings_section(report.settings)])


def render_joint_page(reports: Mapping[Any, Any]) -> str:
    """The page of several reports: all scores side by side, then each report.

    What the reports have in common, costs and settings, is shown once.

    Parameters
    ----------
    reports : DistillationReports

    Returns
    -------
    html : str
    """
    first = next(iter(reports.values()))
    title = f"Distillation report on {len(reports)} test sets"
    tables = []
    for key in (key for key in _JOINT if key in first.rows[0]):
        entries = (
            (name, report.settings["data"]["test rows"], row["arm"], row[key])
            for name, report in reports.items()
            for row in report.rows
        )
        tables.append(_side_by_side("test set", entries, _JOINT[key]))
    body = [f"<h1>{title}</h1>", _section("All test sets", *tables)]
    for test_set, report in reports.items():
        heading = f"Test set {test_set}. {report._face().title}"
        body += _report_parts(heading, report, costs=report is first)
    data = {name: value for name, value in first.settings["data"].items() if name != "test rows"}
    return _page(title, [*body, _settings_section({**first.settings, "data": data})])


def _page(title: str, body: Sequence[str]) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + f"\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _report_parts(title: str, report: Any, *, costs: bool = True) -> list[str]:
    """Everything about one report but its settings."""
    pictures = draw_pictures(report)
    quality = arm_table(report.rows, QUALITY, report._face().students)
    return [
        f"<h1>{escape(title)}</h1>",
        f"<p><strong>{escape(report.headline)}</strong></p>",
        html_list(report.verdict.splitlines()),
        _paragraph(_NO_PICTURES) if pictures is None else "",
        _section("Quality", html_table(quality, note(report.rows))),
        _section(
            "Differences",
            html_table(interval_table(report.intervals), INTERVAL_TITLE),
            _picture(pictures, "scores"),
        ),
        _section("Cost", html_table(arm_table(report.rows, COST, ()), COST_CAPTION))
        if costs
        else "",
        *(_class_sections(report, pictures) if report.probabilities else ()),
        _group_section(report),
    ]


def _side_by_side(head: str, entries: Iterable[tuple[Any, int, str, float]], caption: str) -> str:
    """A table with a line for each label, and a column for each arm.

    Parameters
    ----------
    head : str
        What the labels are.
    entries : iterable of (label, n, arm, score)
        The labels in the order of the lines; n stands beside each.
    caption : str
    """
    lines: dict[Any, dict[str, Any]] = {}
    for label, n, arm, score in entries:
        lines.setdefault(label, {head: str(label), "n": n})[arm] = score
    return html_table(rows_to_table(list(lines.values())), caption)


def _section(title: str, *parts: str) -> str:
    return (
        f"<section>\n<h2>{escape(title)}</h2>\n" + "\n".join(filter(None, parts)) + "\n</section>"
    )


def _paragraph(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'


def _picture(pictures: dict[str, str] | None, name: str) -> str:
    if pictures is None:
        return ""
    caption = _CAPTIONS[name]
    return f'<img src="{pictures[name]}" alt="{escape(name)}">\n{_paragraph(caption)}'


def _class_sections(report: Any, pictures: dict[str, str] | None) -> list[str]:
    """Calibration; agreement by class, precision, recall and F1: a line for each class."""
    y_true = report.classes[report.y_index]
    agreement = agreement_by_class(
        y_true,
        report.probabilities[TEACHER],
        report.probabilities[DISTILLED],
        labels=report.classes,
    )
    rows = [{**row, "class": str(row["class"])} for row in agreement]
    tables = [html_table(rows_to_table(rows), "Agreement of teacher and distilled")]
    for key, title in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")):
        entries = [(e["class"], e["support"], e["arm"], e[key]) for e in report.per_class]
        tables.append(_side_by_side("class", entries, title))
    remark = _paragraph("With the first seed; - where no row is.")
    return [
        _section("Calibration", _picture(pictures, "reliability")) if pictures else "",
        _section("Classes", _picture(pictures, "agreement"), *tables, remark),
    ]


def _group_section(report: Any) -> str:
    if not report.agreement_by_group:
        return ""
    rows = [{**row, "group": str(row["group"])} for row in report.agreement_by_group]
    return _section(
        "Groups",
        html_table(rows_to_table(rows), "Teacher and distilled by group"),
        html_table(rows_to_table(report.group_gaps), "Largest less smallest rate of a group"),
        _paragraph("difference, low, high: distilled - teacher, with its 95 % interval."),
    )


def _settings_section(settings: Mapping[str, Mapping[str, Any]]) -> str:
    parts = []
    for title, entries in settings.items():
        items = "".join(
            f"<dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd>"
            for name, value in entries.items()
        )
        parts.append(f"<h3>{escape(title.capitalize())}</h3>\n<dl>{items}</dl>")
    return _section("Settings", *parts)
