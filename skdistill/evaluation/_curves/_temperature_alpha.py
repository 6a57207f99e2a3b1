"""Scores of the distilled student on a grid of temperature and alpha."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._words import shorten
from skdistill.evaluation._arguments import check_metric
from skdistill.evaluation._curves._input import check_curve_input
from skdistill.evaluation._curves._run import run_curve
from skdistill.evaluation._curves._scores import METRICS, title
from skdistill.evaluation._curves._subsets import whole_splits
from skdistill.evaluation._parts import Work
from skdistill.evaluation._problem import LABELS, TARGETS, Arm
from skdistill.evaluation._recipes import check_recipe
from skdistill.evaluation._tables import TableResult, means
from skdistill.evaluation._tasks import score_names


@dataclass(repr=False, eq=False)
class TemperatureAlphaMap(TableResult):
    """What `temperature_alpha_map` returns.

    Attributes
    ----------
    rows : list of dict
        One for each temperature and alpha; the keys are described in the function.
    title : str
        What the table shows.
    """

    rows: list[dict[str, Any]]
    title: str

    def best_params(self, metric: str = "log_loss") -> dict[str, float]:
        """The temperature and the alpha with the best mean test score.

        Of equal ones the first. The score of the best of many is optimistic: judge the choice on
        rows that the map has not seen.

        Parameters
        ----------
        metric : {"log_loss", "accuracy", "brier"}, default="log_loss"

        Returns
        -------
        params : dict
            For `DistilledClassifier.set_params`.
        """
        check_metric("best_params", metric, METRICS)
        sign = -1.0 if metric == "accuracy" else 1.0
        row = min(self.rows, key=lambda row: sign * row[f"test_{metric}"])
        return {"temperature": row["temperature"], "alpha": row["alpha"]}


def temperature_alpha_map(
    model: Any,
    X: Any,
    y: Any,
    *,
    temperatures: Any = (1.0, 2.0, 4.0, 8.0),
    alphas: Any = (0.0, 0.25, 0.5, 0.75, 1.0),
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    memory: Any = None,
) -> TemperatureAlphaMap:
    """Score the distilled student for every pair of temperature and alpha.

    The teacher is fitted and asked once for each split, whatever the size of the grid. Alpha 0 is
    the plain student, which no temperature reaches: it is fitted once.

    Parameters
    ----------
    model : DistilledClassifier
        The recipe, with a teacher; see `learning_curves`. Its own temperature and alpha are not
        used.
    X : array-like of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,)
        Labels.
    temperatures : array-like of shape (n_temperatures,), default=(1.0, 2.0, 4.0, 8.0)
        Each above 0.
    alphas : array-like of shape (n_alphas,), default=(0.0, 0.25, 0.5, 0.75, 1.0)
        Weights of the teacher's term, each in [0, 1].
    cv : int, splitter or iterable, default=None
        None is five stratified folds. One fixed test set is ``cv=[(train, test)]``.
    n_jobs : int, default=None
        Splits at a time, through joblib. The result does not depend on it.
    verbose : int, default=0
        1 prints a line for every split, with the time that is left.
    memory : str or joblib.Memory, default=None
        A folder in which every finished split is kept, and found again by the content of rows, arms
        and seed: a call that was interrupted goes on where it was.

    Returns
    -------
    result : TemperatureAlphaMap
        Its ``rows`` hold for each ``temperature`` and ``alpha`` the scores of `learning_curves`:
        ``train_log_loss``, ``train_log_loss_std``, ``test_log_loss``, ...

    Raises
    ------
    ValueError
        For input that does not fit, before any training.

    Warns
    -----
    TeacherWarning
        When a fitted teacher has memorised the training rows of the splits.

    See Also
    --------
    TemperatureAlphaDisplay : The picture.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import temperature_alpha_map
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> result = temperature_alpha_map(model, X, y, temperatures=[1, 4], alphas=[0, 0.5], cv=2)
    >>> len(result.rows)
    4
    >>> sorted(result.best_params())
    ['alpha', 'temperature']
    """
    work = Work("temperature_alpha_map", n_jobs, verbose, memory)
    given = check_curve_input(work.owner, model, X, y, cv, numbers=False)
    problem = given.problem
    temperatures = _numbers(
        "temperatures", temperatures, "above 0", lambda v: (v > 0) & (v < np.inf)
    )
    alphas = _numbers("alphas", alphas, "in [0, 1]", lambda v: (v >= 0) & (v <= 1))
    for temperature in temperatures:
        check_recipe(clone(model).set_params(temperature=temperature), problem.X, problem.y)
    subsets = whole_splits(given)
    pairs = {_key(t, alpha): (t, alpha) for t in temperatures for alpha in alphas}
    arms = [
        Arm(
            key,
            model,
            TARGETS if alpha else LABELS,
            {"verbose": 0, "temperature": temperature, "alpha": alpha},
        )
        for key, (temperature, alpha) in pairs.items()
    ]
    samples = run_curve(work, given, subsets, arms)
    size, names = subsets[0].size, score_names(problem.task.metrics)
    rows = [
        {
            "temperature": temperature,
            "alpha": alpha,
            **means(samples[size, _key(temperature, alpha)], names),
        }
        for temperature in temperatures
        for alpha in alphas
    ]
    return TemperatureAlphaMap(rows, title("Temperature and alpha", given))


def _key(temperature: float, alpha: float) -> tuple[float | None, float]:
    """What tells students apart: without a teacher's term the temperature does not."""
    return temperature if alpha else None, alpha


def _numbers(parameter: str, values: Any, bounds: str, is_valid: Any) -> list[float]:
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 1 or len(array) == 0 or not is_valid(array).all():
        raise ValueError(
            f"The '{parameter}' parameter must be a list of numbers {bounds}. Got "
            f"{shorten(values)} instead."
        )
    return array.tolist()
