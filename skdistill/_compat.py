"""The one file that touches private names of scikit-learn and skorch."""

import copy
import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import sklearn
from sklearn.base import _fit_context
from sklearn.metrics._scorer import _MultimetricScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _score,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._metadata_requests import _routing_enabled as routing_enabled
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
)
from sklearn.utils._param_validation import validate_parameter_constraints as _validate
from sklearn.utils.validation import (
    _check_feature_names_in,
    _check_method_params,
    _check_sample_weight,
    _get_feature_names,
    _num_features,
    validate_data,
)

from skdistill._input._frames import column_names, is_table
from skdistill._input._inputs import check_form, form_of
from skdistill._names import Columns, are_other_names, columns_of, compare_names
from skdistill._words import cut, one_line

__all__ = [
    "CALIBRATION",
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "callback_names",
    "check_names_and_width",
    "check_sample_weight",
    "copy_estimator_state",
    "failed_scores",
    "fit_context",
    "hist_boosting_parts",
    "initialize_for_prediction",
    "keep_columns",
    "learn_names_and_width",
    "names_of_columns",
    "replace_inferred_classes",
    "routing_enabled",
    "rows_of_params",
    "safe_indexing",
    "score_or_error",
    "scorers_by_name",
    "settle_failures",
    "validate_parameter_constraints",
]

#: How `CalibratedClassifierCV` is to calibrate: by one temperature, which scikit-learn 1.7 has not.
CALIBRATION = "sigmoid" if sklearn.__version__.startswith("1.7.") else "temperature"

Method = TypeVar("Method", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[Method], Method]:
    """Return scikit-learn's decorator of a method that checks parameters first, with a type."""
    context = _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)
    return lambda method: _showing_little(context(method))


def _showing_little(function):
    """Let a refusal of scikit-learn's show the beginning of a long value, such as of a list."""

    @functools.wraps(function)
    def shown(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except InvalidParameterError as error:
            expected, got, value = str(error).partition(" Got ")
            if got:
                error.args = (f"{expected} Got {cut(value.removesuffix(' instead.'))} instead.",)
            raise

    return shown


validate_parameter_constraints = _showing_little(_validate)


def check_sample_weight(sample_weight, X):
    """Check the weights of rows.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,) or None
        None is a weight of one for each row.
    X : array-like of shape (n_samples, ...)

    Returns
    -------
    ndarray of shape (n_samples,), float64

    Raises
    ------
    ValueError
        For another shape, and for weights that are no numbers, not finite, negative or all zero.
    """
    try:
        given = np.asarray(sample_weight)
        if given.dtype.kind == "c":
            raise TypeError("complex numbers")
        given.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"sample_weight holds what is no number ({one_line(error)}); expected a number of at "
            f"least 0 for each row."
        ) from error
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if len(weight) and not weight.any():  # which scikit-learn says itself from 1.9 on
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def learn_names_and_width(estimator, X):
    """Record names and width of the rows of `fit`, as scikit-learn's `validate_data` does.

    Of a table of any library, and names that are no strings too, such as the numbers that pandas
    gives: `check_names_and_width` compares them.

    Parameters
    ----------
    estimator : estimator
        Gets `n_features_in_`, and `feature_names_in_` where all names are strings.
    X : {ndarray, sparse matrix, DataFrame, SliceDict} of shape (n_samples, n_features) or more axes
    """
    validate_data(estimator, X, skip_check_array=True)
    keep_columns(estimator, column_names(X) if is_table(X) else None, form_of(X))


def keep_columns(estimator, names, form):
    """Record names of columns, and the form of rows, beside the width that is known.

    Parameters
    ----------
    estimator : estimator
        Gets `feature_names_in_` where all names are strings.
    names : list or None
        Those of a table.
    form : object
        See `skdistill._input._inputs.form_of`.
    """
    if names and all(isinstance(name, str) for name in names):
        estimator.feature_names_in_ = np.array(names, dtype=object)
    estimator._columns_in_ = Columns(estimator, names, form)


def check_names_and_width(seen, X):
    """Compare rows with those of `fit`, as `sklearn.utils.validation.validate_data` does.

    That asks for the estimator's tags besides, which for one that holds others takes longer than
    the prediction of a row.

    Parameters
    ----------
    seen : estimator or Columns
        A fitted one; see `learn_names_and_width`.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes

    Raises
    ------
    ValueError
        For a table whose columns are others than those of `fit`, or in another order, and for
        dicts and inputs where `fit` got other rows.
    """
    seen = seen if isinstance(seen, Columns) else columns_of(seen)
    owner = seen.owner
    check_form(X, seen.form, owner)
    if is_table(X):
        names, of_fit = column_names(X), seen.names
        if names == of_fit:
            return
        if of_fit is not None and are_other_names(names, of_fit):
            raise ValueError(compare_names(names, of_fit))
    named, was_named = _get_feature_names(X) is not None, hasattr(seen, "feature_names_in_")
    if named != was_named:  # in scikit-learn's words, as the next error
        has, had = ("has", "out") if named else ("does not have valid", "")
        warnings.warn(
            f"X {has} feature names, but {owner} was fitted with{had} feature names", stacklevel=2
        )
    wide = getattr(seen, "n_features_in_", None)
    if wide is None:
        return
    if len(X.shape) == 1:
        raise ValueError(
            f"X does not contain any features, but {owner} is expecting {wide} features"
        )
    if _num_features(X) != wide:
        raise ValueError(
            f"X has {_num_features(X)} features, but {owner} is expecting {wide} features as input."
        )


def callback_names(net):
    """Return the names of the callbacks that a skorch net has, those that are set to None too.

    Parameters
    ----------
    net : skorch.NeuralNet

    Returns
    -------
    list of str
    """
    return [name for name, _ in net._uniquely_named_callbacks()]


def copy_estimator_state(source, target):
    """Copy what `sklearn.base.clone` carries over besides the parameters.

    Parameters
    ----------
    source, target : estimator
        The estimator that is cloned, and its clone (changed in place).
    """
    for name in ("_metadata_request", "_sklearn_output_config"):
        if name in vars(source):
            setattr(target, name, copy.deepcopy(vars(source)[name]))


def names_of_columns(transformer, names=None):
    """Return the names of the columns that a transformer reads.

    Parameters
    ----------
    transformer : estimator
        Fitted.
    names : array-like of str, default=None
        Those that a caller says they have; None is those of `fit`, or x0, x1 and so on.

    Returns
    -------
    ndarray of shape (n_features_in_,), object

    Raises
    ------
    ValueError
        For names that are not those of `fit`.
    """
    return _check_feature_names_in(transformer, names)


def replace_inferred_classes(net, classes):
    """Let a `skorch.NeuralNetClassifier` name the classes instead of the packed targets.

    skorch infers the classes by `numpy.unique` over the y that it was trained on. Packed
    targets are no plain y, and kept there they would travel with every pickle.

    Parameters
    ----------
    net : skorch.NeuralNet
        A trained net; changed in place.
    classes : ndarray of shape (n_classes,)
        The classes in the order of the module's outputs.
    """
    if hasattr(net, "classes_inferred_"):
        net.classes_inferred_ = classes


def initialize_for_prediction(net, module):
    """Initialise a skorch net around a module that has learnt: all but the optimiser.

    A training that goes on makes one. To make it here would take seconds of imports that no
    prediction needs.

    Parameters
    ----------
    net : skorch.NeuralNet
        Changed in place.
    module : torch.nn.Module
    """
    net._initialize_virtual_params()
    net._initialize_callbacks()
    with net._current_init_context("module"):
        net.module_ = module
    net._initialize_criterion()
    with net._current_init_context("optimizer"):
        net._register_attribute("optimizer_", None)
    net._initialize_history()
    net.initialized_ = True


def hist_boosting_parts(estimator):
    """Return the trees of histogram boosting, which scikit-learn keeps under private names.

    Parameters
    ----------
    estimator : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted.

    Returns
    -------
    baseline : ndarray of shape (n_trees_per_iteration,)
        What the trees' numbers are added to.
    trees : list of list of ndarray
        For each iteration the nodes of each tree.
    has_categories : bool
        Whether it encodes categories by itself.
    """
    trees = [[tree.nodes for tree in iteration] for iteration in estimator._predictors]
    baseline = np.ravel(estimator._baseline_prediction)
    has_categories = estimator.is_categorical_ is not None
    return baseline, trees, has_categories


def rows_of_params(X, params, indices=None):
    """Return metadata with some of the rows of what has one for each row.

    Parameters
    ----------
    X : array-like of shape (n_samples, ...)
    params : dict of str to object
    indices : array-like of int, default=None
        Which rows; None is all of them.

    Returns
    -------
    dict of str to object
    """
    return _check_method_params(X, params=params, indices=indices)


def score_or_error(estimator, X, y, scorer, params, error_score):
    """Score a fitted estimator as a search of scikit-learn does.

    Parameters
    ----------
    estimator : estimator
    X, y : array-like of shape (n_samples, ...)
    scorer : callable
        As `BaseSearchCV._get_scorers` returns it.
    params : dict of str to object
        Metadata for it.
    error_score : "raise" or float
        Stands for a score that cannot be computed.

    Returns
    -------
    float or dict of str to float
    """
    return _score(estimator, X, y, scorer, params, error_score)


def failed_scores(scorer, error_score):
    """Return the scores of an estimator that could not be fitted; see `settle_failures`."""
    if isinstance(scorer, _MultimetricScorer):
        return dict.fromkeys(scorer._scorers, error_score)
    return error_score


def scorers_by_name(scorer):
    """Return several scorers as a dict, and one as it is."""
    return scorer._scorers if isinstance(scorer, _MultimetricScorer) else scorer


def settle_failures(results, error_score, *, names_unknown):
    """Warn of fits that have failed, and put the score that stands for them in its place.

    Parameters
    ----------
    results : list of dict
        With "fit_error", the text of an error or None, and "test_scores", maybe "train_scores";
        changed in place.
    error_score : "raise" or float
    names_unknown : bool
        Whether the scorer alone says which scores there are.

    Raises
    ------
    ValueError
        When all fits have failed.
    """
    _warn_or_raise_about_fit_failures(results, error_score)
    if names_unknown:
        _insert_error_scores(results, error_score)
