"""The picture of a soft decision tree."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from skdistill.evaluation._displays._base import Display, check_shown
from skdistill.evaluation._explain_tree import TreeExplanation, explain_tree
from skdistill.evaluation._plots._style import line_style, literal


class TreeDisplay(Display):
    """Questions and answers of a soft decision tree.

    The line to a node is as wide as its share of the rows; a leaf has the colour of its most
    probable class. Of more than some 16 leaves the words become too small to be read.

    Parameters
    ----------
    tree : TreeExplanation
        What `explain_tree` returned.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    explain_tree : The words and numbers.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.evaluation import TreeDisplay
    >>> from skdistill.students import SoftDecisionTree
    >>> X, y = load_iris(as_frame=True, return_X_y=True)
    >>> student = SoftDecisionTree(depth=2)
    >>> model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    >>> display = TreeDisplay.from_estimator(model, X)
    >>> len(display.ax_.texts)
    7
    """

    def __init__(self, tree: TreeExplanation) -> None:
        check_shown("TreeDisplay", tree, TreeExplanation, "explain_tree")
        self.tree, self.rows = tree, tree.rows

    @classmethod
    def from_estimator(
        cls,
        model: Any,
        X: Any,
        *,
        n_columns: int = 3,
        output_names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Read a fitted model and draw it.

        Parameters
        ----------
        model, X, n_columns, output_names
            See `explain_tree`.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.

        Returns
        -------
        display : TreeDisplay
        """
        compute = partial(explain_tree, model, X, n_columns=n_columns, output_names=output_names)
        return cls._compute_and_plot(compute, ax)

    def _figsize(self) -> tuple[float, float]:
        depth = self.rows[-1]["level"]
        return 1.6 * 2**depth + 2, 1.5 * depth + 1.5

    def _draw(self, ax: Any) -> None:
        n_inner = len(self.tree.offsets)
        places = []
        for row in self.rows:
            level, node = row["level"], row["node"]
            place = (node + 1 - 2**level + 0.5) / 2**level, -level
            places.append(place)
            if node:
                above = places[(node - 1) // 2]
                ax.plot(
                    *zip(above, place, strict=True), color="0.6", lw=1 + 9 * row["share"], zorder=0
                )
            color = "0.95"
            if node >= n_inner and self.tree.classes is not None:
                color = line_style("", int(self.tree.answers[node - n_inner].argmax()))["color"]
            ax.text(
                *place,
                literal(_broken(row["says"])),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if color != "0.95" else "black",
                bbox={"boxstyle": "round", "facecolor": color, "edgecolor": "0.4"},
            )
        ax.set(
            xlim=(0, 1),
            ylim=(-self.rows[-1]["level"] - 0.5, 0.5),
            title="Above 0 a row goes right, below 0 left. Wide lines: many rows",
        )
        ax.axis("off")


def _broken(words: str) -> str:
    """Words with a line for each part."""
    for mark in (" + ", " - ", " and "):
        words = words.replace(mark, f"\n{mark.strip()} ")
    return words.replace(", ", "\n")
