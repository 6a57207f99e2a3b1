"""What the pictures of curves have in common: labels, arms, bars and the shaded gap."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._displays._style import HATCHES, line_style
from skdistill.evaluation._recipes import DISTILLED, PLAIN

#: What is drawn, with its unit.
METRIC_LABELS = {"log_loss": "log-loss (nats)", "accuracy": "accuracy", "brier": "Brier score"}


def group_by_arm(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each arm, in their order."""
    arms: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        arms.setdefault(row["arm"], []).append(row)
    return arms


def put_on_log_axis(ax: Any, x: list[Any]) -> None:
    """A logarithmic axis with a tick at each value."""
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(x, [str(value) for value in x])


def draw_spread(ax: Any, x: list[Any], arms: dict[str, list[dict[str, Any]]], name: str) -> None:
    """Bars of one standard deviation, those of plain with the wider ends."""
    for arm, capsize in ((PLAIN, 6), (DISTILLED, 3)):
        scores = [row[name] for row in arms[arm]]
        spread = [row[f"{name}_std"] for row in arms[arm]]
        color = line_style(arm)["color"]
        ax.errorbar(x, scores, spread, fmt="none", ecolor=color, elinewidth=1.0, capsize=capsize)


def shade_gain(ax: Any, x: list[Any], arms: dict[str, list[dict[str, Any]]], metric: str) -> None:
    """Fill between the test curves: grey where distilled is better, hatched where it is worse."""
    before, after = (
        np.array([row[f"test_{metric}"] for row in arms[arm]]) for arm in (PLAIN, DISTILLED)
    )
    gain = after - before if metric == "accuracy" else before - after
    looks = (
        (gain, "gain of distillation", {"color": "0.8"}),
        (-gain, "loss by distillation", {"fc": "none", "ec": "0.5", "hatch": HATCHES[1]}),
    )
    for better, label, look in looks:
        if (better > 0).any():
            area = {"where": better >= 0, "interpolate": True, "lw": 0, "zorder": 0}
            ax.fill_between(x, before, after, **area, **look, label=label)
