"""A fitted model again, with another student in it."""

import copy
from collections.abc import Callable
from typing import Any

from skdistill._unwrap import ending_in, last_step, rows_before_last
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
    last = last_step(model)
    if last is model:
        return change(model, *rows)
    rows = tuple(None if part is None else rows_before_last(model, part) for part in rows)
    return ending_in(model, replace_inside(last, change, *rows))


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
