"""What a decomposition returns: the parts of the loss, their errors, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skdistill.evaluation._bias_variance._losses import decompose, jackknife_se
from skdistill.evaluation._tables import TableResult

PARTS = ("loss", "bias", "variance")
_NUMBERS = [
    *(name for part in PARTS for name in (part, f"{part}_se")),
    *("variance_unbiased", "variance_biased", "bias_corrected", "variance_corrected"),
]


@dataclass(repr=False, eq=False, kw_only=True)
class BiasVarianceDecomposition(TableResult):
    """The loss of many fits as bias plus variance. Printed, it is a table.

    Attributes
    ----------
    metric : {"log_loss", "brier", "zero_one", "squared"}
        The loss.
    loss, bias, variance : float
        Means over the test points; bias + variance = loss. For "zero_one" the net variance.
    loss_se, bias_se, variance_se : float
        Their standard errors: a jackknife over the rounds, given the data and the test points.
    loss_per_point, bias_per_point, variance_per_point : ndarray of shape (n_test,)
        The same for each test point.
    variance_unbiased, variance_biased : float or None
        Of "zero_one" what variance costs on points where the most frequent class is right, and
        what it gains where that is wrong: variance = variance_unbiased - variance_biased.
    bias_corrected, variance_corrected : float or None
        Of "brier" and "squared" the estimates that are unbiased for independent rounds:
        variance * R / (R - 1), and the loss less that. For log-loss none exists.
    predictions : ndarray of shape (n_rounds, n_test, n_classes) or (n_rounds, n_test), float64
        Probabilities before the clip, values for "squared", and for "zero_one" the named classes
        as one-hot rows.
    replicates : dict of str to ndarray of shape (n_rounds,)
        Loss, bias and variance with one round left out: what the jackknife is made of.
    classes : ndarray of shape (n_classes,) or None
        The labels of the columns.
    design : {"subsample", "split", "bootstrap", "seed"} or None
        How the rounds differ; None for predictions from elsewhere.
    n_rounds : int
        Number of fits.
    n_train : int or None
        Rows of a round (of "split", of the smallest).
    refit_teacher : bool or None
        Whether the teacher was fitted anew in every round; None without a teacher.
    against : {"labels", "teacher"}
        What the loss compares with.
    rows : list of dict
        One row with the numbers above.
    """

    metric: str
    loss: float
    bias: float
    variance: float
    loss_se: float
    bias_se: float
    variance_se: float
    loss_per_point: np.ndarray
    bias_per_point: np.ndarray
    variance_per_point: np.ndarray
    variance_unbiased: float | None = None
    variance_biased: float | None = None
    bias_corrected: float | None = None
    variance_corrected: float | None = None
    predictions: np.ndarray
    replicates: dict[str, np.ndarray]
    n_rounds: int
    classes: np.ndarray | None = None
    design: str | None = None
    n_train: int | None = None
    refit_teacher: bool | None = None
    against: str = "labels"
    rows: list[dict[str, Any]] = field(init=False)
    title: str = field(init=False)

    def __post_init__(self) -> None:
        """Put the numbers into a row and the rest into the title."""
        row = {name: getattr(self, name) for name in ["metric", *_NUMBERS]}
        self.rows = [{name: value for name, value in row.items() if value is not None}]
        points = f"{len(self.loss_per_point)} test points, against the {self.against}"
        rounds = describe_rounds(self.n_rounds, self.design, self.n_train, self.refit_teacher)
        self.title = f"Bias and variance of {self.metric}: {points}; {rounds}"


def describe_rounds(
    n_rounds: int, design: str | None, n_train: int | None, refit_teacher: bool | None
) -> str:
    """The rounds in words."""
    said = [f"{n_rounds} rounds"]
    if design is not None:
        said[0] += f" of {n_train} rows ({design})"
    if refit_teacher is not None:
        said.append(f"teacher {'refitted' if refit_teacher else 'held fixed'}")
    return ", ".join(said)


def summarise(
    metric: str, target: np.ndarray, predictions: np.ndarray, **setting: Any
) -> BiasVarianceDecomposition:
    """Decompose the loss of given predictions.

    Parameters
    ----------
    metric : str
    target, predictions : ndarray
        See `decompose`.
    **setting
        How the predictions came about: `classes`, `design`, `n_train`, `refit_teacher` and
        `against` of the result.

    Returns
    -------
    BiasVarianceDecomposition
    """
    points, replicates = decompose(metric, target, predictions)
    n_rounds = len(predictions)
    numbers: dict[str, Any] = {name: float(values.mean()) for name, values in points.items()}
    if metric in ("brier", "squared"):
        numbers["variance_corrected"] = numbers["variance"] * n_rounds / (n_rounds - 1)
        numbers["bias_corrected"] = numbers["loss"] - numbers["variance_corrected"]
    for name in PARTS:
        numbers[f"{name}_se"] = jackknife_se(replicates[name])
        numbers[f"{name}_per_point"] = points[name]
    return BiasVarianceDecomposition(
        metric=metric,
        **numbers,
        predictions=predictions,
        replicates=replicates,
        n_rounds=n_rounds,
        **setting,
    )
