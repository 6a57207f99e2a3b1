"""Estimators of scikit-learn as nodes of an ONNX graph."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    QuantileRegressor,
    Ridge,
)
from sklearn.multioutput import MultiOutputRegressor
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)

from skdistill.deployment._onnx._graph import FLOAT64
from skdistill.deployment._onnx._trees import write_boosting, write_forest
from skdistill.exceptions import ExportError

LINEAR = (
    *(LinearRegression, Ridge, Lasso, ElasticNet, BayesianRidge, HuberRegressor),
    QuantileRegressor,
)
TREES = (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)


def check_estimator(estimator):
    """Refuse an estimator that has no counterpart in ONNX."""
    if isinstance(estimator, MultiOutputRegressor):
        estimator = estimator.estimators_[0]
    if type(estimator) not in ESTIMATORS:
        raise ExportError(
            f"The student {type(estimator).__name__} cannot be written as ONNX; expected a "
            f"network, or a linear model, tree, forest or histogram boosting of scikit-learn. "
            f"skdistill.deployment.save keeps those of scikit-learn."
        )


def write_estimator(graph, estimator, x):
    """Add the nodes of an estimator.

    Parameters
    ----------
    graph : Graph
    estimator : estimator
        Fitted; see `check_estimator`.
    x : str
        Rows of shape (n_samples, n_features), float64.

    Returns
    -------
    str
        Numbers of shape (n_samples, n_outputs), float64; of a classifier the probabilities of its
        own classes.
    """
    if isinstance(estimator, MultiOutputRegressor):
        parts = [write_estimator(graph, one, x) for one in estimator.estimators_]
        return graph.join(parts)
    return ESTIMATORS[type(estimator)](graph, estimator, x)


def write_all_classes(graph, estimator, x, classes):
    """Add the nodes of a classifier; return a column for each of the classes.

    Those that it has not learnt get 0.
    """
    p = write_estimator(graph, estimator, x)
    places = np.searchsorted(classes, estimator.classes_)
    if len(places) == len(classes):
        return p
    return graph.add("MatMul", p, np.eye(len(classes))[places])


def write_as_probabilities(graph, estimator, x, n_classes, are_logits):
    """Add the nodes of a regressor whose numbers stand for the probabilities of classes.

    Of two classes it predicts the second one alone.
    """
    p = write_estimator(graph, estimator, x)
    if n_classes == 2:
        other = graph.add("Neg", p)
        if not are_logits:
            other = graph.add("Add", other, np.array(1.0))
        p = graph.join([other, p])
    if are_logits:
        return graph.add("Softmax", p, axis=1)
    p = graph.add("Relu", p)
    total = graph.add("ReduceSum", p, np.array([1]), keepdims=1)
    nothing = graph.add("Equal", total, np.array(0.0), dtype=bool)
    p = graph.add("Where", nothing, np.array(1.0), p, dtype=FLOAT64)
    return graph.add("Div", p, graph.add("ReduceSum", p, np.array([1]), keepdims=1))


def _write_linear(graph, estimator, x):
    coef = np.atleast_2d(estimator.coef_).astype(FLOAT64)
    x = graph.add("MatMul", x, coef.T.copy())
    return graph.add("Add", x, np.atleast_1d(estimator.intercept_).astype(FLOAT64))


def _write_logistic(graph, estimator, x):
    z = _write_linear(graph, estimator, x)
    return _softmax(graph, z, len(estimator.classes_))


def _write_tree(graph, estimator, x):
    return _write_mean(graph, estimator, [estimator], x)


def _write_forest(graph, estimator, x):
    return _write_mean(graph, estimator, estimator.estimators_, x)


def _write_mean(graph, estimator, trees, x):
    p = write_forest(graph, trees, x)
    if not is_classifier(estimator):
        return p
    p = graph.add("Relu", p)  # rounding leaves some below 0, and sums beside 1
    return graph.add("Div", p, graph.add("ReduceSum", p, np.array([1]), keepdims=1))


def _write_boosting(graph, estimator, x):
    z = write_boosting(graph, estimator, x)
    if not is_classifier(estimator):
        return graph.add("Exp", z) if estimator.loss in ("gamma", "poisson") else z
    return _softmax(graph, z, len(estimator.classes_))


def _softmax(graph, z, n_classes):
    """Return probabilities; one logit is that of the second of two classes against the first."""
    if n_classes == 2:
        z = graph.join([graph.add("Mul", z, np.array(-0.5)), graph.add("Mul", z, np.array(0.5))])
    return graph.add("Softmax", z, axis=1)


ESTIMATORS = {
    LogisticRegression: _write_logistic,
    **dict.fromkeys(LINEAR, _write_linear),
    **dict.fromkeys(TREES, _write_tree),
    **dict.fromkeys(FORESTS, _write_forest),
    **dict.fromkeys(
        (HistGradientBoostingClassifier, HistGradientBoostingRegressor), _write_boosting
    ),
}
