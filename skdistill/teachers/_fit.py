"""Is a teacher fitted, and the fit of one that is not."""

import contextlib
from functools import partial

import numpy as np
import torch
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, has_fit_parameter
from skorch import NeuralNetBinaryClassifier

from skdistill._compat import routing_enabled
from skdistill._generators import is_ours, seeded
from skdistill._input._inputs import form_of
from skdistill._interrupts import whole_trainings
from skdistill._names import own_rows
from skdistill._random import seed_parameters
from skdistill._torch import as_array, numpy_dtype, resolve_device
from skdistill._unwrap import before_last, split_pipeline, takes_gaps, unfrozen
from skdistill._words import one_line
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import (
    answers_from_labels,
    holds_net,
    is_bare_net,
)


def is_fitted(teacher):
    """Whether a teacher can be asked as it is.

    Parameters
    ----------
    teacher : object
        Modules, callables and objects without `fit` always can, a list if all of it can.

    Returns
    -------
    bool
        Of a Pipeline, whether its last step has been fitted.
    """
    if isinstance(teacher, list | tuple):
        return all(is_fitted(member) for member in teacher)
    if isinstance(teacher, FrozenEstimator):
        teacher = teacher.estimator
    if isinstance(teacher, torch.nn.Module) or not hasattr(teacher, "fit"):
        return True
    *_, last = split_pipeline(teacher)
    if last in (None, "passthrough"):  # it learns nothing
        return True
    has_tags = hasattr(last, "__sklearn_tags__")  # others get some before scikit-learn 1.8
    try:
        needs_fit = has_tags and _needs_fit(last)
    except NotFittedError:
        return False
    except (AttributeError, TypeError):  # not built on scikit-learn's BaseEstimator
        needs_fit = False
    if needs_fit:
        return True
    # One that answers without a fit too, as a Gaussian process does by its prior, has learnt
    # nothing until an attribute says so.
    return any(name.endswith("_") and not name.startswith("_") for name in vars(last))


def _needs_fit(estimator):
    """Whether a fitted estimator answers nothing without a fit; NotFittedError of another."""
    check_is_fitted(estimator)
    return get_tags(estimator).requires_fit or hasattr(estimator, "__sklearn_is_fitted__")


def tags_of(teacher):
    """Return scikit-learn's tags of a teacher, None of one that has none, such as a network."""
    if not hasattr(unfrozen(teacher), "__sklearn_tags__"):
        return None
    try:
        tags = get_tags(teacher)
    except (AttributeError, TypeError):  # of a mixin alone, and of a class
        return None
    tags.input_tags.allow_nan = takes_gaps(teacher)
    return tags


def clone_teacher(teacher):
    """Clone an unfitted teacher and keep a fitted one, the members of a list each for itself.

    Parameters
    ----------
    teacher : object

    Returns
    -------
    object
    """
    if isinstance(teacher, list | tuple):
        return type(teacher)(clone_teacher(member) for member in teacher)
    return teacher if is_kept(teacher) else clone(teacher, safe=False)


def is_kept(teacher):
    """Whether a clone keeps the teacher itself: it is fitted, and nothing else says so.

    Parameters
    ----------
    teacher : object

    Returns
    -------
    bool
    """
    return (
        teacher is not None
        and not isinstance(teacher, FrozenEstimator | type)
        and not answers_from_labels(teacher)
        and is_fitted(teacher)
    )


def identity_of(teacher, known=None):
    """Return what tells teachers apart: which object a fitted one is, what any other holds.

    Parameters
    ----------
    teacher : object
        Or a list of such.
    known : Examined, default=None
        What is known of it; None finds out whether it is fitted.

    Returns
    -------
    object
        To be made a key of; see `content_key`.
    """
    if isinstance(teacher, list | tuple):
        members = [None] * len(teacher) if known is None else known.members
        return [identity_of(*pair) for pair in zip(teacher, members, strict=True)]
    teacher = unfrozen(teacher)
    if known is not None:
        return id(teacher) if known.is_fitted and not known.answers_from_labels else teacher
    return id(teacher) if is_kept(teacher) else teacher


@whole_trainings()
def fit_teacher(teacher, X, y, *, seed, classes=None, sample_weight=None, fit_params=None):
    """Fit a clone of a teacher.

    Parameters
    ----------
    teacher : Examined
        Not changed. Each `random_state` of its own that is None is drawn from `seed`.
    X : array-like of shape (n_samples, ...)
        Rows, as the user gave them.
    y : array-like of shape (n_samples,)
        Labels.
    seed : int
        Makes the fit reproducible without touching the global generators.
    classes : ndarray of shape (n_classes,), default=None
        All labels, sorted, where y may lack some: a net has an output for each.
    sample_weight : ndarray of shape (n_samples,), default=None
        Handed on where the teacher's `fit` takes it, the last step's in a Pipeline.
    fit_params : dict, default=None
        What metadata routing brings, which then decides on `sample_weight` too. None is no
        routing.

    Returns
    -------
    estimator
        The fitted clone.

    Raises
    ------
    TeacherError
        When the teacher cannot be cloned.
    """
    name = type(teacher.teacher).__name__
    try:
        fitted = teacher.clone()
    except TypeError as error:
        raise TeacherError(
            f"The teacher {name} is not fitted and cannot be cloned ({one_line(error)}); "
            f"expected a fitted teacher, or a scikit-learn estimator that can be fitted here."
        ) from error
    seed_parameters(fitted, seed)
    fit, X = fitted.fit, own_rows(fitted, X)
    if teacher.members and is_ours(fitted):  # which then need not find out what they are again
        fit = partial(fitted._fit_known, teacher.members)
    if fit_params is None:
        taken = None if sample_weight is None else _weight_parameter(fitted)
        fit_params = {} if taken is None else {taken: sample_weight}
    if not holds_net(fitted):
        with _reading_numbers(name, X):
            return fit(X, y, **fit_params)
    *_, last = split_pipeline(fitted)
    with seeded(seed, resolve_device("auto")), _reading_numbers(name, X):
        if not is_bare_net(last):
            return fit(X, y, **fit_params)
        steps = before_last(fitted)
        if steps is not None:
            X = steps.fit_transform(X, y, **fit_params)
            fitted.steps[:-1] = steps.steps
        _fit_net(last, X, y, classes)
        return fitted


@contextlib.contextmanager
def _reading_numbers(name, X):
    """Say who prepares the rows where a teacher that reads numbers is given texts or dicts."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "could not convert string to float" in str(error):
            came = "reads numbers, and X holds texts"
        elif form_of(X) is not None and "float() argument" in str(error):
            came = "reads numbers, and X holds dicts"
        else:
            raise
        raise TeacherError(
            f"The teacher {name} {came} ({one_line(error)}); a teacher sees X as it is. Put a step "
            f"before it that reads them: make_pipeline(TablePreprocessor(), {name}(...)) for a "
            "table, TfidfVectorizer() for texts, DictVectorizer() for dicts, "
            "FunctionTransformer(lambda X: X[name]) for one of several inputs."
        ) from error


def _weight_parameter(estimator):
    """Return the name under which an estimator's `fit` takes sample weights, or None."""
    if not isinstance(estimator, Pipeline):
        return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None
    if routing_enabled():
        return "sample_weight"  # the steps say who wants it
    name, last = estimator.steps[-1]
    inner = None if last in (None, "passthrough") else _weight_parameter(last)
    return None if inner is None else f"{name}__{inner}"


def _fit_net(net, X, y, classes):
    """Fit a skorch net, which wants the module's own dtype, and positions for labels."""
    module = net.initialize().module_
    rows = as_array(X, module)
    if is_regressor(net):
        net.fit(rows, np.reshape(y, (len(rows), -1)).astype(numpy_dtype(module)))
        return
    classes = np.unique(y) if classes is None else classes
    binary = isinstance(net, NeuralNetBinaryClassifier)
    net.fit(rows, np.searchsorted(classes, y).astype(np.float32 if binary else np.int64))
    if hasattr(net, "classes"):
        net.classes = classes
