"""The picture of the grid of temperature and alpha."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdistill.evaluation._curves import TemperatureAlphaMap, temperature_alpha_map
from skdistill.evaluation._displays._base import check_shown
from skdistill.evaluation._displays._curves import HIGHER_IS_BETTER, CurveDisplay
from skdistill.evaluation._plots._style import METRIC_LABELS, set_title


class TemperatureAlphaDisplay(CurveDisplay):
    """Test scores for each temperature and alpha, with their spread: the darker, the better.

    The best cell is framed. Alpha 0 is the plain student, the same for all temperatures.

    Parameters
    ----------
    result : TemperatureAlphaMap
        What `temperature_alpha_map` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    temperature_alpha_map : The numbers.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import TemperatureAlphaDisplay
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> display = TemperatureAlphaDisplay.from_estimator(model, X, y, temperatures=[1, 4], cv=2)
    >>> display.ax_.get_xlabel()
    "alpha (weight of the teacher's term)"
    """

    _compute = staticmethod(temperature_alpha_map)

    def __init__(self, result: TemperatureAlphaMap) -> None:
        check_shown("TemperatureAlphaDisplay", result, TemperatureAlphaMap, "temperature_alpha_map")
        self.result, self.rows = result, result.rows

    def _draw(self, ax: Any, *, metric: str) -> None:
        rows = self.rows
        temperatures = list(dict.fromkeys(row["temperature"] for row in rows))
        alphas = list(dict.fromkeys(row["alpha"] for row in rows))
        scores, spread = (
            np.reshape([row[name] for row in rows], (len(temperatures), len(alphas)))
            for name in (f"test_{metric}", f"test_{metric}_std")
        )
        higher_is_better = metric in HIGHER_IS_BETTER
        # Lightness rises evenly along this map, so that a grey print keeps the order.
        image = ax.imshow(
            scores, cmap="cividis_r" if higher_is_better else "cividis", aspect="auto"
        )
        for (i, j), score in np.ndenumerate(scores):
            text = f"{score:.3f}"
            if np.isfinite(spread[i, j]):
                text += f"\n± {spread[i, j]:.3f}"
            is_dark = (image.norm(score) > 0.5) == higher_is_better
            color = "white" if is_dark else "black"
            ax.text(j, i, text, ha="center", va="center", color=color)
        best = self.result.best_params(metric)
        corner = alphas.index(best["alpha"]) - 0.5, temperatures.index(best["temperature"]) - 0.5
        ax.add_patch(_frame(corner))
        ax.set_xticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
        ax.set_yticks(range(len(temperatures)), [f"{value:g}" for value in temperatures])
        title = "Which temperature, which alpha? The best cell is framed"
        if np.isfinite(spread).any():
            title += "\n±: standard deviation over the splits"
        set_title(ax, title)
        ax.set_xlabel("alpha (weight of the teacher's term)")
        ax.set_ylabel("temperature")
        ax.figure.colorbar(image, ax=ax, label=f"test {METRIC_LABELS[metric]}")


def _frame(corner: tuple[float, float]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, fill=False, edgecolor="#D55E00", lw=3, clip_on=False)
