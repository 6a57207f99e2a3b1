"""Scores against the size of the student, or any other of its parameters."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from skorch import NeuralNet

from skdistill.evaluation._curves._engine import Student, run_curve
from skdistill.evaluation._curves._input import check_curve_input
from skdistill.evaluation._curves._scores import summarise, title
from skdistill.evaluation._curves._subsets import whole_splits
from skdistill.evaluation._recipes import DISTILLED, PLAIN, TEACHER, student_recipes
from skdistill.evaluation._tables import TableResult
from skdistill.students import TabularMLP
from skdistill.targets._targets import Targets
from skdistill.training._student import as_student

WIDTH = "hidden_units"


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


def capacity_curve(
    model: Any,
    X: Any,
    y: Any,
    *,
    param_name: str | None = None,
    param_range: Any = (4, 16, 64, 256),
    cv: Any = None,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> CapacityCurve:
    """Score plain and distilled student against the student's width, beside the teacher.

    Both have the same budget at every width. The teacher is fitted and asked once for each split.

    Parameters
    ----------
    model : DistilledClassifier
        The recipe, with a teacher; see `learning_curves`.
    X : array-like of shape (n_samples, ...)
        Rows.
    y : array-like of shape (n_samples,)
        Labels.
    param_name : str, default=None
        A parameter of the student, as in `set_params`: ``"student__max_epochs"``. None is the
        width of the hidden layers, `hidden_units` of the student's module.
    param_range : list, default=(4, 16, 64, 256)
        The values. Without `param_name` an int is the width of all hidden layers of the student,
        which keeps their number.
    cv : int, splitter or iterable, default=None
        None is five stratified folds. One fixed test set is ``cv=[(train, test)]``.
    n_jobs : int, default=None
        Splits at a time, through joblib. The result does not depend on it.
    verbose : int, default=0
        1 prints a line for every split.

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
    >>> X, y = make_classification(300, random_state=0)
    >>> model = DistilledClassifier(
    ...     RandomForestClassifier(20, random_state=0),
    ...     StudentNet(module__hidden_units=(16,), max_epochs=10),
    ...     random_state=0,
    ... )
    >>> curve = capacity_curve(model, X, y, param_range=[2, 8], cv=3)
    >>> curve.param_name
    'student__module__hidden_units'
    >>> [(row["arm"], row["value"], row["n_parameters"]) for row in curve.rows[1:3]]
    [('plain', 2, 48), ('plain', 8, 186)]
    """
    given = check_curve_input("capacity_curve", model, X, y, cv)
    values = list(param_range)
    if not values:
        raise ValueError("The 'param_range' parameter is empty; expected one value at least.")
    recipe = given.model
    settings = values
    if param_name is None:
        recipe, param_name, depth = _find_width(recipe)
        settings = [value if np.ndim(value) else (value,) * depth for value in values]
    elif param_name != "student" and not param_name.startswith("student__"):
        raise ValueError(
            f"param_name={param_name!r} is no parameter of the student; expected a name such as "
            f"'student__max_epochs'. For temperature and alpha there is temperature_alpha_map, for "
            f"all else sklearn.model_selection.validation_curve."
        )
    recipes = [_set(recipe, param_name, setting) for setting in settings]
    subsets = whole_splits(given)
    plan = partial(_each, recipes=recipes)
    samples = run_curve("capacity_curve", given, subsets, plan, n_jobs=n_jobs, verbose=verbose)
    size = subsets[0].size
    unknown = {"value": np.nan, "n_parameters": np.nan}
    rows = [{"arm": TEACHER, **unknown, **summarise(samples[size, TEACHER])}]
    for arm in (PLAIN, DISTILLED):
        for number, value in enumerate(values):
            fits = samples[size, (arm, number)]
            counted = np.mean([fit["n_parameters"] for fit in fits])
            n_parameters = counted if np.isnan(counted) else round(counted)
            named = {"arm": arm, "value": value, "n_parameters": n_parameters}
            rows.append({**named, **summarise(fits)})
    return CapacityCurve(rows, title(f"Capacity curve over {param_name}", given), param_name)


def _each(
    model: Any, y_index: np.ndarray, targets: Targets, n_classes: int, *, recipes: list[Any]
) -> Iterator[Student]:
    for name, recipe in student_recipes(model, y_index, targets, n_classes):
        if name in (PLAIN, DISTILLED):
            for number, student in enumerate(recipes):
                yield Student((name, number), student, *recipe)


def _set(recipe: Any, name: str, value: Any) -> Any:
    # The teacher stays behind: it has been asked, and a large one would travel to every worker.
    return clone(recipe).set_params(teacher=None, cv=None, **{name: value})


def _find_width(model: Any) -> tuple[Any, str, int]:
    """The recipe with its student named, its parameter of width, and the number of layers."""
    student = model.student
    if student is None or inspect.isclass(student):
        student = as_student(student)
        model = clone(model).set_params(student=student)
    name, net = "student", student
    while isinstance(net, Pipeline):
        step, net = net.steps[-1]
        name = f"{name}__{step}"
    if isinstance(net, NeuralNet):
        module = TabularMLP if net.module is None else net.module
        own = inspect.signature(module).parameters if inspect.isclass(module) else {}
        if WIDTH in own:
            units = net.get_params().get(f"module__{WIDTH}", own[WIDTH].default)
            return model, f"{name}__module__{WIDTH}", max(1, np.size(units))
    raise ValueError(
        f"The width of the student {type(net).__name__} is not known: its module has no "
        f"'{WIDTH}'. Name a parameter: capacity_curve(..., "
        f"param_name='student__module__...', param_range=[...])."
    )
