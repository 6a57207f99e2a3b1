"""A fitted model again, with another student in it."""

import copy
from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from skdistill._names import own_rows
from skdistill.exceptions import StudentError


def replace_inside(model: Any, change: Callable, *rows: Any) -> Any:
    """Return a copy of a fitted model in which its estimator or student is another.

    Parameters
    ----------
    model : estimator
        A distilled estimator, a student, a Pipeline that ends in one, or a search for one; not
        changed.
    change : callable
        Returns another for the estimator or student, and for the rows as they reach it.
    *rows : array-like of shape (n_rows, ...) or None
        Sets of rows as they reach the model.

    Returns
    -------
    estimator
        It shares all else with the model.
    """
    if hasattr(model, "best_estimator_"):
        found = copy.copy(model)
        found.best_estimator_ = replace_inside(model.best_estimator_, change, *rows)
        return found
    if not isinstance(model, Pipeline):
        return change(model, *rows)
    *before, (name, last) = model.steps
    if before:
        steps = model[:-1]
        rows = tuple(
            None if part is None else steps.transform(own_rows(steps, part)) for part in rows
        )
    found = copy.copy(model)
    found.steps = [*before, (name, replace_inside(last, change, *rows))]
    return found


def trained_net(learner: Any, who: str) -> Any:
    """Return the net of a fitted student; refuse one that has none.

    Parameters
    ----------
    learner : student
    who : str
        The function that wants it, for the error.

    Returns
    -------
    StudentNet, StudentNetRegressor or skorch.NeuralNet
    """
    net = getattr(learner, "net_", learner)
    if hasattr(net, "module_"):
        return net
    kind = type(learner.estimator_)
    saved = "save(model) keeps this one in the bytes that it has; one"
    if not kind.__module__.startswith("sklearn."):  # of which save keeps none
        saved = "One"
    raise StudentError(
        f"{who} was given the student {kind.__name__}, which has no network; expected one, such as "
        f"the default student. {saved} with fewer or smaller trees, or fewer columns, takes less."
    )
