"""The pictures of a report's page, as images that a page can hold."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._plots._agreement import (
    agreement_by_class,
    draw_agreement,
    figure_height,
)
from skdistill.evaluation._plots._reliability import draw_reliability, reliability_bins
from skdistill.evaluation._plots._scores import draw_scores, score_bars

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_pictures(report: Any) -> dict[str, str] | None:
    """Data URIs by name: "scores", of classes "reliability" and "agreement" too.

    None without matplotlib.

    They are vector graphics, the same bit for bit for the same report. No figure is registered
    with pyplot and the user's own style is left out, so a notebook shows nothing of them.
    """
    try:
        import matplotlib.style
        from matplotlib.figure import Figure
    except ImportError:
        return None
    with matplotlib.style.context("default"), matplotlib.rc_context({"svg.hashsalt": "skdistill"}):
        return {
            name: _data_uri(draw(report, Figure(layout="constrained")))
            for name, draw in _DRAW.items()
            if name == "scores" or report.probabilities
        }


def _scores(report: Any, figure: Figure) -> Figure:
    metrics = list(dict.fromkeys(entry["metric"] for entry in report.intervals))
    figure.set_size_inches(1 + 3 * len(metrics), 2.6)
    axes = figure.subplots(1, len(metrics), gridspec_kw={"wspace": 0.06})
    bars = score_bars(report.rows, report.intervals)
    for i, (ax, metric) in enumerate(zip(axes, metrics, strict=True)):
        draw_scores(ax, bars, metric)
        # The text below the picture says for all what title and legend say for one.
        ax.set_title("", loc="left")
        ax.get_legend().remove()
        ax.tick_params(labelleft=i == 0)
    return figure


def _reliability(report: Any, figure: Figure) -> Figure:
    answers = {arm: report.probabilities[arm] for arm in (TEACHER, PLAIN, DISTILLED)}
    bins = reliability_bins(report.classes[report.y_index], answers, labels=report.classes)
    figure.set_size_inches(6.4, 5)
    draw_reliability(figure.subplots(), bins)
    return figure


def _agreement(report: Any, figure: Figure) -> Figure:
    teacher, student = report.probabilities[TEACHER], report.probabilities[DISTILLED]
    y_true = report.classes[report.y_index]
    rows = agreement_by_class(y_true, teacher, student, labels=report.classes)
    figure.set_size_inches(6.4, figure_height(rows))
    draw_agreement(figure.subplots(), rows)
    return figure


_DRAW: dict[str, Callable[[Any, Figure], Figure]] = {
    "scores": _scores,
    "reliability": _reliability,
    "agreement": _agreement,
}


def _data_uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + b64encode(buffer.getvalue()).decode("ascii")
