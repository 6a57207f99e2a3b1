"""LightGBM and XGBoost: how each is given an objective, and what is left when it has learnt.

Neither is imported here: the user's own estimator brings all that is called.
"""

from importlib import import_module

import numpy as np

from skdistill._compat import safe_indexing
from skdistill.teachers._clip import log_probabilities


class LightGBM:
    """How a `lightgbm.LGBMClassifier` learns by an objective of ours.

    With one of those, LightGBM begins at a score of 0 and knows no more how scores become
    probabilities. So the trees begin at the logarithm of the classes' shares, which is then added
    to the leaves of the first ones, as LightGBM does itself, and the model is told that it has
    learnt the log-loss.
    """

    name = "lightgbm.LGBMClassifier"
    objectives = (None, "binary", "multiclass", "softmax")
    neutral = {
        **dict.fromkeys(("boosting", "boost", "boosting_type"), ("gbdt", "goss")),
        **dict.fromkeys(("class_weight", "num_class", "num_classes"), ()),
        **dict.fromkeys(("objective_type", "app", "application", "loss"), ()),
        **dict.fromkeys(("is_unbalance", "unbalance", "unbalanced_sets"), (False,)),
        **dict.fromkeys(("linear_tree", "linear_trees"), (False,)),
        **dict.fromkeys(("scale_pos_weight", "sigmoid"), (1,)),
    }
    stops = ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change")

    @staticmethod
    def hessian_factor(n_classes):
        """Return what LightGBM multiplies the diagonal of the log-loss's Hessian by."""
        return 1.0 if n_classes == 2 else n_classes / (n_classes - 1)

    @staticmethod
    def fit(estimator, X, labels, objective, weights):
        """Fit an estimator, in place, by an objective; see `XGBoost.fit`."""
        own, n_classes = estimator.objective, weights.shape[1]
        start = log_probabilities(_shares(weights))
        start = start[1:] - start[:1] if n_classes == 2 else start
        if estimator.get_params().get("boost_from_average") is False:
            start = np.zeros_like(start)
        scores = np.tile(start, (len(labels), 1))
        scores = scores[:, 0] if len(start) == 1 else scores
        try:
            estimator.set_params(objective=objective).fit(X, labels, init_score=scores)
        except Exception as error:
            if "num_features()" not in str(error):
                raise
            # No column can be split, in which case it takes no objective. Its own fit on one row,
            # with each class, leaves the shares.
            rows = safe_indexing(X, np.zeros(n_classes, dtype=int))
            names = np.unique(labels)
            estimator.set_params(objective=own).fit(rows, names, sample_weight=_shares(weights))
            return

        name = "binary" if n_classes == 2 else "multiclass"
        line = "binary sigmoid:1" if n_classes == 2 else f"multiclass num_class:{n_classes}"
        booster = estimator.booster_
        head, _, rest = booster.model_to_string().partition("\nfeature_names=")
        booster.model_from_string(f"{head}\nobjective={line}\nfeature_names={rest}")
        first = booster.dump_model(num_iteration=1)["tree_info"]
        for (tree, info), score in zip(enumerate(first), start, strict=True):
            for leaf in range(info["num_leaves"]):
                booster.set_leaf_output(tree, leaf, booster.get_leaf_output(tree, leaf) + score)
        estimator.set_params(objective=own)
        estimator._objective = name  # what its fit remembers of the objective, the targets with it


class XGBoost:
    """How an `xgboost.XGBClassifier` learns by an objective of ours.

    It knows by itself how scores become probabilities, but begins at a probability of one half
    where its own objective begins at the classes' shares.
    """

    name = "xgboost.XGBClassifier"
    objectives = (None, "binary:logistic", "multi:softprob")
    neutral = {"scale_pos_weight": (1,), "num_class": ()}
    stops = ("early_stopping_rounds",)

    @staticmethod
    def hessian_factor(n_classes):
        """Return what XGBoost multiplies the diagonal of the log-loss's Hessian by."""
        return 1.0 if n_classes == 2 else 2.0

    @staticmethod
    def fit(estimator, X, labels, objective, weights):
        """Fit an estimator, in place, by an objective.

        Parameters
        ----------
        estimator : estimator
            A clone of the user's. Its parameters are afterwards those that its own fit leaves.
        X : {ndarray, sparse matrix, DataFrame} of shape (n_samples, n_features)
        labels : ndarray of shape (n_samples,)
            Any, so that each class is among them.
        objective : SoftObjective
        weights : ndarray of shape (n_samples, n_classes)
            Of the classes in each row; see `class_weights`. They say where the trees begin, and by
            their sums which rows count in the bins of the columns.
        """
        shares, of_rows = _shares(weights), weights.sum(axis=1)
        of_rows = None if np.allclose(of_rows, of_rows[0]) else of_rows
        start = own = estimator.base_score
        if start is None and len(shares) == 2:
            start = float(np.clip(shares[1], 1e-6, 1 - 1e-6))
        elif start is None and _takes_a_start_for_each_class():
            start = log_probabilities(shares)
            start = (start - start.mean()).tolist()
        estimator.set_params(objective=objective, base_score=start)
        estimator.fit(X, labels, sample_weight=of_rows)
        # As its own fit leaves them; set_params would tell the trees that are there.
        estimator.objective = "binary:logistic" if len(shares) == 2 else "multi:softprob"
        estimator.base_score = own


def _shares(weights):
    """Return the share of each class in all weights."""
    return weights.sum(axis=0) / weights.sum()


def _takes_a_start_for_each_class():
    major, minor = import_module("xgboost").__version__.split(".")[:2]
    return (int(major), int(minor)) >= (3, 1)


def boosting_of(estimator):
    """Return how an estimator is given an objective, None for one that is not.

    Parameters
    ----------
    estimator : object

    Returns
    -------
    type or None
        `LightGBM` or `XGBoost` for a classifier of theirs that minimises the log-loss: whose
        objective is its own, which weighs no classes, and whose trees are boosted.
    """
    family = [f"{c.__module__.partition('.')[0]}.{c.__name__}" for c in type(estimator).__mro__]
    for boosting in (LightGBM, XGBoost):
        if boosting.name in family and not any(".Dask" in name for name in family):
            params = estimator.get_params(deep=False)
            neutral = all(params.get(k) in (None, *v) for k, v in boosting.neutral.items())
            return boosting if neutral and params["objective"] in boosting.objectives else None
    return None
