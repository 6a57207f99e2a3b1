"""What computes inside a model: behind steps, frozen or within a distilled estimator."""

import copy
from typing import Any, NamedTuple

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from skdistill._names import own_rows


class Unwrapped(NamedTuple):
    """The inside of a model.

    Attributes
    ----------
    core : object
        What computes: an estimator, a net, a module or another object.
    steps : list of transformer
        What brings rows to it, in their order, without those that do nothing.
    path : str
        The parameter under which the model holds it, "" for the model itself.
    """

    core: Any
    steps: list
    path: str


def unwrap(model):
    """Go in through Pipelines, FrozenEstimators and fitted distilled estimators.

    Parameters
    ----------
    model : object

    Returns
    -------
    Unwrapped

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdistill._unwrap import unwrap
    >>> unwrap(make_pipeline(StandardScaler(), LogisticRegression()))
    Unwrapped(core=LogisticRegression(), steps=[StandardScaler()], path='logisticregression')
    """
    steps, path = [], []
    while True:
        if isinstance(model, FrozenEstimator):
            path.append("estimator")
            model = model.estimator
        elif _has_steps(model):
            *before, (name, last) = model.steps
            steps += [step for _, step in before if step not in (None, "passthrough")]
            path.append(name)
            model = last
        elif hasattr(model, "student_"):
            path.append("student_")
            model = model.student_
        else:
            return Unwrapped(model, steps, "__".join(path))


def unfrozen(teacher):
    """Return what a FrozenEstimator holds, and any other teacher itself."""
    return teacher.estimator if isinstance(teacher, FrozenEstimator) else teacher


def split_pipeline(estimator):
    """Return the steps of a Pipeline, and a list of any other estimator itself.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    list
        Without those that do nothing. The last step is there always.
    """
    if not _has_steps(estimator):
        return [estimator]
    *steps, (_, last) = estimator.steps
    return [*(step for _, step in steps if step not in (None, "passthrough")), last]


def last_step(estimator):
    """Return the last step of a Pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if _has_steps(estimator) else estimator


def named_steps(estimator):
    """Return the steps of a Pipeline with their names; any other estimator is the one step."""
    return estimator.steps if _has_steps(estimator) else [("model", estimator)]


def before_last(estimator):
    """Return what comes before the last step of a Pipeline, as one; None where nothing does."""
    return estimator[:-1] if len(named_steps(estimator)) > 1 else None


def rows_before_last(estimator, X):
    """Return rows as they reach the last step of a fitted Pipeline, or an estimator itself.

    Parameters
    ----------
    estimator : object
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
        Not changed, whatever the steps do.

    Returns
    -------
    {array-like, sparse matrix, DataFrame} of shape (n_samples, ...)
    """
    steps = before_last(estimator)
    return X if steps is None else steps.transform(own_rows(steps, X))


def ending_in(estimator, last):
    """Return the same Pipeline ending in another last step; in place of any other estimator it.

    Parameters
    ----------
    estimator : object
    last : object
        What ends it instead.

    Returns
    -------
    object
        A shallow copy of the Pipeline, or `last` itself.
    """
    if not _has_steps(estimator):
        return last
    pipeline = copy.copy(estimator)
    pipeline.steps = [*estimator.steps[:-1], (estimator.steps[-1][0], last)]
    return pipeline


def takes_gaps(estimator):
    """Whether an estimator takes rows with gaps.

    scikit-learn's tags of a `ColumnTransformer` say nothing of gaps, and so do those of what begins
    with one: its own steps refuse them.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    bool
    """
    if isinstance(estimator, ColumnTransformer) or get_tags(estimator).input_tags.allow_nan:
        return True
    readers = _readers(estimator)
    return bool(readers) and all(map(takes_gaps, readers))


def _readers(estimator):
    """Return the estimators inside of another that read its rows as they come."""
    if _has_steps(estimator):
        return split_pipeline(estimator)[:1]
    if isinstance(getattr(estimator, "estimator", None), BaseEstimator):
        return [estimator.estimator]
    members = getattr(estimator, "estimators", None)
    named = [m for m in members if isinstance(m, tuple)] if isinstance(members, list) else []
    return [member for _, member in named if hasattr(member, "fit")]


def _has_steps(estimator):
    """Whether something is a Pipeline; an empty one is nothing but itself."""
    return isinstance(estimator, Pipeline) and len(estimator.steps) > 0
