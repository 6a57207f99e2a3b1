"""Results as tables: in a terminal, in a notebook, as a data frame."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

BEST_MARK = "*"

_NUMBER = re.compile(r"[<>] |[+-]?\d|-$")
"""How a cell of figures begins: those that are not known are "-"."""

LONG = 1e4
"""From here on a number is shown without decimals."""

Table = tuple[list[str], list[list[str]]]
"""Heads, and the cells of each line."""


def text_table(table: Table, gap: int = 2) -> str:
    """Columns of equal width: the first to the left, the others to the right."""
    heads, cells = table
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = []
    for line in [heads, *cells]:
        first = line[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        lines.append((" " * gap).join([first, *rest]).rstrip())
    return "\n".join(lines)


def html_table(table: Table, caption: str) -> str:
    """The first column and those of words to the left, those of numbers to the right."""
    heads, cells = table
    right = 'style="text-align:right;white-space:pre;font-variant-numeric:tabular-nums"'
    left = 'style="text-align:left"'
    columns = [[line[i] for line in cells] for i in range(len(heads))]
    sides = [right if any(map(_NUMBER.match, column)) else left for column in columns]
    sides[0] = left
    head = "".join(
        f'<th scope="col" {side}>{escape(name)}</th>'
        for name, side in zip(heads, sides, strict=True)
    )
    body = ""
    for name, *values in cells:
        shown = (
            f"<strong>{v}</strong>" if v.endswith(BEST_MARK) else v for v in map(escape, values)
        )
        others = "".join(
            f"<td {side}>{cell}</td>" for cell, side in zip(shown, sides[1:], strict=True)
        )
        body += f'<tr><th scope="row" {left}>{escape(name)}</th>{others}</tr>'
    return (
        f'<table><caption style="text-align:left">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def html_list(sentences: Iterable[str]) -> str:
    """Sentences as a list in HTML."""
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>"


def rows_to_frame(rows: list[dict[str, Any]], owner: str, method: str = "to_frame") -> pd.DataFrame:
    """Rows as a data frame; `owner` and its method are what the error names without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            f"{owner}.{method} needs pandas, which is not installed: pip install pandas. The same "
            f"numbers are in its rows."
        ) from error
    return pd.DataFrame(rows)


def means(
    samples: Sequence[Mapping[str, float]],
    names: Iterable[str],
    *,
    spread: bool = True,
    single: float = np.nan,
) -> dict[str, float]:
    """Means of what several fits or draws gave, and how far these are apart.

    Parameters
    ----------
    samples : sequence of dict of str to float
        One for each fit or draw.
    names : iterable of str
        The keys that are wanted.
    spread : bool, default=True
        Whether a mean is followed by the standard deviation (ddof=1), under ``<name>_std``.
    single : float, default=nan
        The standard deviation of one sample.
    """
    found = {}
    for name in names:
        values = [sample[name] for sample in samples]
        found[name] = float(np.mean(values))
        if spread:
            found[f"{name}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else single
    return found


def rows_to_table(rows: list[dict[str, Any]]) -> Table:
    """Heads and cells of rows; a column with an "_se" or "_std" beside it shows it after "±"."""
    pairs = {f"{key}{end}": key for key in rows[0] for end in ("_se", "_std")}
    spread = {pairs[key]: key for key in rows[0] if key in pairs}
    heads = [key for key in rows[0] if key not in pairs]
    cells = [
        [_cell(row[key], row.get(spread.get(key, ""), np.nan)) for key in heads] for row in rows
    ]
    return [head.replace("_", " ") for head in heads], cells


class TableResult:
    """A result whose numbers are its `rows`, all with the same keys: it prints as a table.

    A subclass has `rows`, a list of dicts, and `title`, one line of text.
    """

    rows: list[dict[str, Any]]
    title: str

    def to_frame(self) -> pd.DataFrame:
        """The rows as a data frame (needs pandas).

        Returns
        -------
        frame : pandas.DataFrame
        """
        return rows_to_frame(self.rows, type(self).__name__)

    def _shown(self) -> list[dict[str, Any]]:
        """The rows as they are printed."""
        return self.rows

    def __repr__(self) -> str:
        return f"{self.title}\n\n{text_table(rows_to_table(self._shown()))}"

    def _repr_html_(self) -> str:
        return html_table(rows_to_table(self._shown()), self.title)


def _cell(value: Any, error: float = np.nan) -> str:
    """Whole numbers and names as they are, others with four decimals if short, "-" for none."""
    is_number = isinstance(value, float | np.floating)
    if is_number and not np.isfinite(value):
        return "-"
    cell = str(value)
    if is_number:  # a squared error in the units of y may be long
        cell = f"{value:.4f}" if abs(value) < LONG else f"{value:.0f}"
    return f"{cell} ± {_cell(error)}" if np.isfinite(error) else cell
