"""The picture of a fit: the loss of a student, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdistill._unwrap import last_step
from skdistill._words import shorten
from skdistill.evaluation._displays._base import Display, check_axes
from skdistill.evaluation._plots._style import label_lines, line_style, literal, set_title

_OWNER = "LossCurveDisplay"
_KEYS = {"epoch", "train_loss"}


class LossCurveDisplay(Display):
    """Loss of one or several fits on training and held-back rows, with the best epoch marked.

    The bold line is the loss of held-back rows, the thin one that of the training rows; without
    held-back rows there is the thin one alone. The mark is the epoch with the least loss of
    held-back rows, whose weights a `StudentNet` keeps.

    The two are not the same loss where there is a teacher: that of the training is what is trained
    on, the teacher's term in it, and that of the held-back rows is the log-loss of their labels, or
    the squared error of their scaled numbers. So read the shape of each, and compare the bold lines
    of several fits. With ``alpha=0`` bold above thin is overfitting.

    Parameters
    ----------
    histories : dict of str to list of dict
        By the name of a fit, its ``history_``: for each epoch a dict with ``epoch``,
        ``train_loss`` and, where rows were held back, ``valid_loss``.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        The axes of the last `plot`.
    figure_ : matplotlib.figure.Figure
        Their figure.

    See Also
    --------
    diagnose : Whether a student overfits, in words, by rows that nobody has seen.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import LossCurveDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> net = StudentNet(module__hidden_units=(16,), max_epochs=5)
    >>> forest = RandomForestClassifier(10, random_state=0)
    >>> distilled = DistilledClassifier(forest, net, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator({"distilled": distilled})
    >>> [row["epoch"] for row in display.rows]
    [1, 2, 3, 4, 5]
    """

    def __init__(self, histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        if not isinstance(histories, Mapping) or not histories:
            raise _wrong_history(histories)
        self.histories = histories
        self.rows = [row for name in histories for row in _rows(name, histories[name])]

    @classmethod
    def from_estimator(cls, models: Any, *, ax: Any = None) -> Self:
        """Draw the history of fitted models.

        Parameters
        ----------
        models : estimator, or dict of str to estimator
            Fitted, each trained in epochs: a distilled estimator whose student is a network, a
            `StudentNet` or another net of skorch, or a Pipeline that ends in one.
        ax : matplotlib.axes.Axes, default=None
            Where; None makes a new figure.

        Returns
        -------
        display : LossCurveDisplay

        Raises
        ------
        NotFittedError
            For a model that is not fitted.
        TypeError
            For what is not trained in epochs, and so has no ``history_``.
        ValueError
            For a history without epochs, as that of a tree.
        """
        check_axes(ax, cls.__name__)
        models = models if isinstance(models, Mapping) else {type(models).__name__: models}
        return cls.from_result({name: _history(name, m) for name, m in models.items()}, ax=ax)

    def _draw(self, ax: Any) -> None:
        lines, marks = [], []
        thin = bold = None
        for position, name in enumerate(self.histories):
            own = [row for row in self.rows if row["model"] == name]
            epochs, train, valid = (
                np.array([row[key] for row in own]) for key in ("epoch", "train_loss", "valid_loss")
            )
            style = {**line_style(name, position), "marker": "None"}
            (thin,) = ax.plot(epochs, train, **style, lw=0.9)
            lines.append(thin)
            if np.isfinite(valid).any():
                (bold,) = ax.plot(epochs, valid, **style, lw=2.4)
                lines[-1] = bold
                best = [row["is_best"] for row in own]
                look = {"color": style["color"], "mfc": "white", "ms": 8, "mew": 2, "zorder": 3}
                marks += ax.plot(epochs[best], valid[best], "o", ls="none", **look)
        grey = {"color": "0.3"}
        if bold is not None:
            ax.plot([], [], lw=2.4, label="bold: held-back rows", **grey)
        ax.plot([], [], lw=0.9, label="thin: training rows", **grey)
        if marks:
            ax.plot([], [], "o", ls="none", mfc="white", mew=2, label="best epoch", **grey)
        ax.set(xlabel="epoch", ylabel="loss")
        ax.xaxis.get_major_locator().set_params(integer=True)
        if len(lines) > 1:
            label_lines(ax, lines, [literal(name) for name in self.histories])
        title = "Long enough, or too long?" if marks else "Training loss (no rows held back)"
        set_title(ax, title, ncols=3)


def _wrong_history(given: Any) -> TypeError:
    return TypeError(
        f"{_OWNER} shows a dict of histories by the names of the fits, each a list of dicts with "
        f"{' and '.join(sorted(_KEYS))}. Got {shorten(given)} instead; pass {{'name': "
        f"model.history_}}, or fitted models to {_OWNER}.from_estimator."
    )


def _history(name: Any, model: Any) -> Any:
    """The history of a fitted model."""
    last = last_step(model)
    called = f"{_OWNER} was given {name!r}, which is {type(last).__name__}"
    try:
        check_is_fitted(last)
    except NotFittedError:
        raise NotFittedError(f"{called} before its fit; expected a fitted model. Fit it.") from None
    except TypeError:
        pass  # no estimator: the next error says it
    if not hasattr(last, "history_"):
        raise TypeError(
            f"{called}, without history_; expected a fitted DistilledClassifier, "
            "DistilledRegressor, StudentNet or another net of skorch, or a dict of such. Of a "
            "search pass its best_estimator_."
        )
    return last.history_


def _rows(name: Any, epochs: Any) -> list[dict[str, Any]]:
    """Epochs with their losses, nan where there is none."""
    is_list = isinstance(epochs, Sequence) and not isinstance(epochs, str)
    if not is_list or not all(isinstance(e, Mapping) and e.keys() >= _KEYS for e in epochs):
        raise _wrong_history({name: epochs})
    if not epochs:
        raise ValueError(
            f"{_OWNER} was given {name!r}, whose history has no epoch; expected a fit in epochs, "
            "that of a network. Of a tree or a linear model draw LearningCurvesDisplay."
        )
    valid = np.array([epoch.get("valid_loss", np.nan) for epoch in epochs], dtype=np.float64)
    best = int(np.nanargmin(valid)) if np.isfinite(valid).any() else -1
    return [
        {
            "model": name,
            "epoch": int(epoch["epoch"]),
            "train_loss": float(epoch["train_loss"]),
            "valid_loss": float(valid[i]),
            "is_best": i == best,
        }
        for i, epoch in enumerate(epochs)
    ]
