"""The one file that touches private names of scikit-learn and skorch."""

import copy

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._metadata_requests import _routing_enabled as routing_enabled
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import _check_feature_names, _check_n_features
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "callback_names",
    "check_names_and_width",
    "check_sample_weight",
    "copy_estimator_state",
    "fit_context",
    "replace_inferred_classes",
    "routing_enabled",
    "safe_indexing",
    "validate_parameter_constraints",
]


def check_names_and_width(estimator, X):
    """Compare rows with those of `fit`, as `sklearn.utils.validation.validate_data` does.

    That asks for the estimator's tags besides, which for one that holds others takes longer than
    the prediction of a row.

    Parameters
    ----------
    estimator : estimator
        A fitted one.
    X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features) or more axes
    """
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and hasattr(X, "columns") and list(X.columns) == names.tolist():
        return
    _check_feature_names(estimator, X, reset=False)
    _check_n_features(estimator, X, reset=False)


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
