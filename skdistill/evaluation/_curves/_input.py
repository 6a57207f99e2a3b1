"""What came in, checked before anything is trained."""

from __future__ import annotations

import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from skdistill._random import draw_seeds
from skdistill._words import one_line
from skdistill.evaluation._problem import Problem
from skdistill.evaluation._read_problem import read_problem
from skdistill.evaluation._recipes import check_distilled, check_recipe, check_takes_answers
from skdistill.evaluation._tasks import task_of
from skdistill.targets._plan import check_teacher


@dataclass(frozen=True)
class CurveInput:
    """Checked rows and splits.

    Attributes
    ----------
    model : DistilledClassifier or DistilledRegressor
        The recipe.
    problem : Problem
    splits : list of (train, test) pairs of int ndarrays
    seed : int
        The `random_state` of every fit.
    teacher_is_fitted : bool
    """

    model: Any
    problem: Problem
    splits: list[tuple[np.ndarray, np.ndarray]]
    seed: int
    teacher_is_fitted: bool


def check_curve_input(
    owner: str,
    model: Any,
    X: Any,
    y: Any,
    cv: Any,
    *,
    numbers: bool = True,
) -> CurveInput:
    """Check what all curves are given.

    Parameters
    ----------
    owner : str
        The function that the errors name.
    model, X, y, cv
        As in `learning_curves`.
    numbers : bool, default=True
        Whether a DistilledRegressor is taken.

    Raises
    ------
    TypeError
        When `model` is no distilled estimator.
    ValueError
        When anything else does not fit. The message says what came and what to do.
    """
    check_distilled(owner, model, numbers=numbers)
    check_takes_answers(owner, model)
    teacher = check_teacher(model.teacher, model.cv, task_of(model).asks)
    problem = read_problem(owner, model, X, y, X_name="X", y_name="y")
    splits = _splits(cv, problem)
    check_recipe(model, *problem.to_learn())
    state = model.random_state
    is_int = isinstance(state, int | np.integer)
    return CurveInput(
        model=model,
        problem=problem,
        splits=splits,
        seed=int(state) if is_int else draw_seeds(state, 1)[0],
        teacher_is_fitted=teacher.is_fitted,
    )


def _splits(cv: Any, problem: Problem) -> list[tuple[np.ndarray, np.ndarray]]:
    X, y, task = problem.X, problem.y, problem.task
    positions = np.arange(len(y))  # of which a split may be a list or a mask
    splitter, cv = check_cv(cv, y, classifier=task.classes is not None), reprlib.repr(cv)
    try:
        splits = [(positions[train], positions[test]) for train, test in splitter.split(X, y)]
    except (IndexError, TypeError) as error:
        raise ValueError(
            f"cv={cv} does not split these {len(y)} rows ({one_line(error)}); expected pairs of "
            f"positions from 0 to {len(y) - 1}, or masks, such as [(train, test)]."
        ) from error
    if not splits:
        raise ValueError(f"cv={cv} gives no split; expected at least one (train, test) pair.")
    for number, (train, test) in enumerate(splits):
        if len(test) == 0:
            raise ValueError(f"Split {number} of cv={cv} has no test rows; expected some.")
        shared = np.intersect1d(train, test)
        if len(shared):
            raise ValueError(
                f"Split {number} of cv={cv} has {len(shared)} rows both for training and for "
                f"the test, such as row {shared[0]}; expected no row on both sides."
            )
        if not task.are_enough(y[train]):
            raise ValueError(
                f"The training rows of split {number} of cv={cv} hold one class only; expected "
                f"at least two. Use a stratified splitter or fewer splits."
            )
    return splits
