"""Scores against the size of the student, or any other of its parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from skdistill._words import shorten
from skdistill.evaluation._arguments import check_int
from skdistill.evaluation._arm_names import DISTILLED, PLAIN, TEACHER
from skdistill.evaluation._curves._input import check_curve_input
from skdistill.evaluation._curves._run import run_curve
from skdistill.evaluation._curves._scores import title, without_squares
from skdistill.evaluation._curves._subsets import whole_splits
from skdistill.evaluation._parts import Work
from skdistill.evaluation._recipes import check_recipe, student_arms
from skdistill.evaluation._size import LEAVES, NAMED_SIZE, WIDTH, Size, find_size
from skdistill.evaluation._tables import TableResult, means
from skdistill.evaluation._tasks import score_names


@dataclass(repr=False, eq=False)
class CapacityCurve(TableResult):
    """What `capacity_curve` returns.

    Attributes
    ----------
    rows : list of dict
        One of the teacher, then one for each arm and value; the keys are described in the
        function.
    title : str
        What the table shows.
    param_name : str
        The parameter of the student.
    """

    rows: list[dict[str, Any]]
    title: str
    param_name: str

    def _shown(self) -> list[dict[str, Any]]:
        return without_squares(self.rows)


def capacity_curve(
    model: Any,
    X: Any,
    y: Any,
    *,
    param_name: str | None = None,
    param_range: Any = None,
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    memory: Any = None,
) -> CapacityCurve:
    """Score plain and distilled student against the student's width, beside the teacher.

    Both have the same budget at every width. The teacher is fitted and asked once for each split.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe, with a teacher; see `learning_curves`.
    X : array-like of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, or numbers.
    param_name : str, default=None
        A parameter of the student, as in `set_params`: ``"student__max_epochs"``. None is the one
        that says how large the student is: `hidden_units` of its module, the width of the hidden
        layers; `size` of a ConvNet; `max_leaf_nodes` of a tree or an ensemble of trees.
    param_range : list, default=None
        The values. None is every size of a ConvNet, and 4, 16, 64, 256 for the others that are
        found without `param_name`; an int is then the width of all hidden layers, whose number is
        kept.
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
    curve : CapacityCurve
        Its ``rows`` hold for each ``arm`` ("teacher", "plain", "distilled") and ``value`` the mean
        of ``n_parameters``, the learnt numbers of the student, and the scores of
        `learning_curves`: ``train_log_loss``, ``train_log_loss_std``, ``test_log_loss``, ... The
        teacher has one row, in which both are nan.

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
    CapacityCurveDisplay : The picture.
    sklearn.model_selection.validation_curve : For a single estimator, with any scorer.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.evaluation import capacity_curve
    >>> X, y = make_classification(200, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(10, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=3),
    ...     random_state=0,
    ... )
    >>> curve = capacity_curve(model, X, y, param_range=[2, 8], cv=2)
    >>> curve.param_name
    'student__module__hidden_units'
    >>> [(row["arm"], row["value"], row["n_parameters"]) for row in curve.rows[1:3]]
    [('plain', 2, 48), ('plain', 8, 186)]
    """
    work = Work("capacity_curve", n_jobs, verbose, memory)
    given = check_curve_input(work.owner, model, X, y, cv)
    recipe, param_name, values, settings = _choose(model, given.problem.X, param_name, param_range)
    recipes = [clone(recipe).set_params(**{param_name: setting}) for setting in settings]
    for sized in recipes:
        check_recipe(sized, *given.problem.to_learn())
    subsets = whole_splits(given)
    arms = [
        replace(arm, name=(arm.name, number))
        for number, sized in enumerate(recipes)
        for arm in student_arms(sized, (PLAIN, DISTILLED))
    ]
    samples = run_curve(work, given, subsets, arms)
    n_rows, names = subsets[0].size, score_names(given.problem.task.metrics)
    unknown = {"value": np.nan, "n_parameters": np.nan}
    rows = [{"arm": TEACHER, **unknown, **means(samples[n_rows, TEACHER], names)}]
    for arm in (PLAIN, DISTILLED):
        for number, value in enumerate(values):
            fits = samples[n_rows, (arm, number)]
            counted = np.mean([fit["n_parameters"] for fit in fits])
            n_parameters = counted if np.isnan(counted) else round(counted)
            named = {"arm": arm, "value": value, "n_parameters": n_parameters}
            rows.append({**named, **means(fits, names)})
    return CapacityCurve(rows, title(f"Capacity curve over {param_name}", given), param_name)


def _choose(
    model: Any, X: Any, param_name: str | None, param_range: Any
) -> tuple[Any, str, list[Any], list[Any]]:
    """The recipe with its student named, the parameter, its values as given and as they are set."""
    is_list = isinstance(param_range, Iterable) and not isinstance(param_range, str)
    if not is_list and param_range is not None:
        raise ValueError(
            f"The 'param_range' parameter must be a list of values. Got {shorten(param_range)} "
            f"instead; one value is a list too: [{shorten(param_range)}]."
        )
    values = None if param_range is None else list(param_range)
    if values == []:
        raise ValueError("The 'param_range' parameter is empty; expected one value at least.")
    if param_name is None:
        size = find_size(model, X, "capacity_curve")
        values = values or list(size.values)
        return size.model, size.param_name, values, [_as_setting(size, value) for value in values]
    if not isinstance(param_name, str) or not f"{param_name}__".startswith("student__"):
        raise ValueError(
            f"param_name={shorten(param_name)} is no parameter of the student; expected a name "
            "such as 'student__max_epochs'. For temperature and alpha there is "
            "temperature_alpha_map, for all else sklearn.model_selection.validation_curve."
        )
    if values is None:
        raise ValueError(
            f"param_name={shorten(param_name)} was given without its values; expected "
            "param_range=[...]."
        )
    return model, param_name, values, values


def _as_setting(size: Size, value: Any) -> Any:
    """What the parameter is set to: an int is the width of every hidden layer."""
    if size.kind in (WIDTH, LEAVES):
        least = 1 if size.kind == WIDTH else 2
        for number in value if size.kind == WIDTH and np.ndim(value) else [value]:
            check_int("capacity_curve", "param_range", number, least)
    if size.kind == WIDTH:
        return value if np.ndim(value) else (value,) * max(1, np.size(size.now))
    if size.kind == NAMED_SIZE and value not in size.values:
        raise ValueError(
            f"The size of a ConvNet must be one of {list(size.values)}. Got {shorten(value)} in "
            f"param_range instead; for another parameter give param_name."
        )
    return value
