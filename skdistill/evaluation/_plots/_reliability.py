"""Reliability diagram: is a probability of 0.8 right in 8 cases of 10?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skdistill.evaluation._arguments import check_int
from skdistill.evaluation._metrics import check_scored, confidence_bins
from skdistill.evaluation._plots._style import line_style, literal

_LARGEST_MARKER = 9.0
_SMALLEST_MARKER = 3.0
#: How far the histogram reaches below an accuracy of 0, in units of accuracy.
_DEPTH = 0.45


def reliability_bins(
    y_true: Any, y_proba: Any, *, labels: Any = None, n_bins: int = 15
) -> list[dict[str, Any]]:
    """Confidence against accuracy, bin by bin: the numbers of a reliability diagram.

    The confidence of a row is its largest probability. The bins are those of
    `expected_calibration_error`, of equal width, b holding ``(b/n_bins, (b+1)/n_bins]``; the
    error is the mean of ``|accuracy - confidence|`` over them, weighted by ``n``.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    y_proba : array-like of shape (n_samples, n_classes), or dict of str to such
        Predicted probabilities; each row sums to 1. A dict holds those of several arms by name,
        a single array is called "model".
    labels : array-like of shape (n_classes,), default=None
        The label of each column. None: the sorted labels of `y_true`.
    n_bins : int, default=15
        Number of bins.

    Returns
    -------
    rows : list of dict
        For each arm and bin ``arm``, ``bin`` (from 0), ``low`` and ``high`` (its edges), ``n``
        (rows in it), ``confidence`` and ``accuracy`` (means over these, nan without any).

    Raises
    ------
    ValueError
        When labels and probabilities do not fit each other, or `n_bins` is no positive int.

    References
    ----------
    Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv 1706.04599.

    Examples
    --------
    >>> from skdistill.evaluation import reliability_bins
    >>> y_proba = [[0.2, 0.8], [0.2, 0.8], [0.2, 0.8], [0.2, 0.8]]
    >>> rows = reliability_bins([1, 1, 1, 0], y_proba, n_bins=10)
    >>> [(row["low"], row["n"], row["accuracy"]) for row in rows if row["n"]]
    [(0.7, 4, 0.75)]
    """
    check_int("reliability_bins", "n_bins", n_bins)
    is_dict = isinstance(y_proba, Mapping)
    arms = y_proba if is_dict else {"model": y_proba}
    if not arms:
        raise ValueError("y_proba is an empty dict; pass the probabilities of one arm at least.")
    rows = []
    for name, probabilities in arms.items():
        shown = f"y_proba[{name!r}]" if is_dict else "y_proba"
        y_index, p, _ = check_scored(y_true, probabilities, labels, name=shown)
        bins, confidence, correct = confidence_bins(y_index, p, n_bins)
        for b in range(n_bins):
            members = bins == b
            n = int(members.sum())
            rows.append(
                {
                    "arm": str(name),
                    "bin": b,
                    "low": b / n_bins,
                    "high": (b + 1) / n_bins,
                    "n": n,
                    "confidence": float(confidence[members].mean()) if n else np.nan,
                    "accuracy": float(correct[members].mean()) if n else np.nan,
                }
            )
    return rows


def draw_reliability(ax: Any, rows: list[dict[str, Any]]) -> Any:
    """Draw what `reliability_bins` returns; return the axes of the histogram, inside `ax`."""
    # The histogram stands inside the axes, below an accuracy of 0: so it needs no room beside
    # them, wherever they are.
    height = 1.02 + _DEPTH
    histogram = ax.inset_axes((0.0, 0.0, 1.0, (_DEPTH - 0.06) / height), sharex=ax)
    start = min(row["low"] for row in rows if row["n"])
    ax.plot([0, 1], [0, 1], color="0.6", linewidth=1, label="calibrated", zorder=0)
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    for position, arm in enumerate(arms):
        bins = [row for row in rows if row["arm"] == arm]
        style = line_style(arm, position)
        if style["marker"] == "None":
            style["marker"] = "x"  # a single bin is a point, and no line
        _draw_arm(ax, bins, style, arm)
        _draw_histogram(histogram, bins, style)
    ax.set(xlim=(start, 1.0), xlabel="confidence (largest probability)")
    ax.set(ylim=(-_DEPTH, 1.02), yticks=np.linspace(0, 1, 6))
    ax.set_ylabel("accuracy", y=(_DEPTH + 0.5) / height)
    ax.plot([], [], ls="none", marker="o", color="0.5", label="larger marks: more rows")
    ax.legend(loc="best", bbox_to_anchor=(0.0, _DEPTH / height, 1.0, 1.02 / height))
    ax.set_title("Are the probabilities right? Above the line: too timid", loc="left")
    histogram.set(ylabel="share of rows", ylim=(0.0, None))
    histogram.tick_params(labelbottom=False)
    return histogram


def _draw_arm(ax: Any, bins: list[dict[str, Any]], style: dict[str, Any], arm: str) -> None:
    """A line through the bins that hold rows, and a mark on each, its area the share of them."""
    full = [row for row in bins if row["n"]]
    x, y, n = (np.array([row[key] for row in full]) for key in ("confidence", "accuracy", "n"))
    error = float((n * np.abs(y - x)).sum() / n.sum())
    sizes = np.maximum(_LARGEST_MARKER * np.sqrt(n / n.max()), _SMALLEST_MARKER)
    ax.plot(x, y, **{**style, "marker": "None"})
    ax.scatter(x, y, s=sizes**2, color=style["color"], marker=style["marker"], zorder=3)
    # The legend's own line: its mark has one size.
    ax.plot([], [], **style, label=f"{literal(arm)} (ECE {error:.3f})")


def _draw_histogram(ax: Any, bins: list[dict[str, Any]], style: dict[str, Any]) -> None:
    edges = [bins[0]["low"], *(row["high"] for row in bins)]
    n = np.array([row["n"] for row in bins])
    line = {key: style[key] for key in ("color", "linestyle")}
    ax.stairs(n / n.sum(), edges, linewidth=1.5, **line)
