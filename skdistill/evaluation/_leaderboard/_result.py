"""What a leaderboard leaves: its table, its fronts and the fitted students."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._tables import TableResult

COSTS = {"us_per_row": "time", "n_bytes": "size"}
"""What a loss is held against, and what its front is called."""

PRINTED = ("us_per_row", "us_single_row", "n_bytes", "fit_seconds")
"""What is printed with three digits, or as a whole number."""

Row = dict[str, Any]


@dataclass(repr=False, eq=False)
class Leaderboard(TableResult):
    """What `leaderboard` returns.

    Attributes
    ----------
    rows : list of dict
        The teacher and, for each student, "plain" and "distilled", by their loss; the keys are
        described in the function.
    title : str
        What the table shows.
    loss : str
        The key that the rows are sorted by: "log_loss", or of numbers "rmse".
    models : dict of (str, str) to DistilledClassifier or DistilledRegressor
        By student and arm the fitted ones, of several seeds the first. Each is ready to predict;
        its ``student_`` is all that is shipped.
    """

    rows: list[Row]
    title: str
    loss: str
    models: dict[tuple[str, str], Any]

    def _shown(self) -> list[Row]:
        return [{**row, **{key: _rounded(row[key]) for key in PRINTED}} for row in self.rows]

    def front(self, cost: str = "us_per_row") -> list[Row]:
        """The rows that no other row beats in both loss and cost.

        Parameters
        ----------
        cost : {"us_per_row", "n_bytes"}, default="us_per_row"
            What the loss is held against.

        Returns
        -------
        list of dict
            From the cheapest on. The teacher may be among them.

        Raises
        ------
        ValueError
            For another cost.
        """
        check_metric("Leaderboard.front", cost, COSTS, "cost")
        shown = [row for row in self.rows if COSTS[cost] in row["front"]]
        return sorted(shown, key=lambda row: (row[cost], row[self.loss]))


def _rounded(value: float) -> str:
    if not np.isfinite(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def on_front(points: np.ndarray) -> np.ndarray:
    """Which points no other one beats: none is as low in all columns and lower in one.

    Parameters
    ----------
    points : ndarray of shape (n_points, n_columns)
        One with a nan is on no front and beats none.

    Returns
    -------
    ndarray of shape (n_points,), bool

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.evaluation._leaderboard._result import on_front
    >>> on_front(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0]]))
    array([ True,  True, False])
    """
    as_low = (points[:, None] <= points).all(axis=2)
    beats = as_low & (points[:, None] < points).any(axis=2)
    return ~beats.any(axis=0) & ~np.isnan(points).any(axis=1)


def mark_fronts(rows: list[Row], loss: str) -> list[Row]:
    """The rows by their loss, each with the fronts that it is on under "front"."""
    fronts = {
        name: on_front(np.array([[row[loss], row[cost]] for row in rows], dtype=np.float64))
        for cost, name in COSTS.items()
    }
    marked = [
        {**row, "front": ", ".join(name for name, front in fronts.items() if front[number])}
        for number, row in enumerate(rows)
    ]
    return sorted(marked, key=lambda row: row[loss])
