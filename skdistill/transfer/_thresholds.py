"""The thresholds of a teacher of trees, which tell where its columns lie."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdistill._compat import hist_boosting_parts
from skdistill._unwrap import unfrozen

__all__ = ["collect_thresholds"]


def collect_thresholds(teacher):
    """Return the thresholds of a teacher of trees, column by column.

    Parameters
    ----------
    teacher : estimator
        Fitted.

    Returns
    -------
    list of ndarray
        Of each column the different thresholds, rising; empty for one that is not asked for.

    Raises
    ------
    NotFittedError
    ValueError
        For a teacher that is no tree and no ensemble of trees.
    """
    teacher = unfrozen(teacher)
    if not hasattr(teacher, "n_features_in_"):
        check_is_fitted(teacher)
    pairs = list(_splits(teacher))
    features = np.concatenate([np.empty(0, dtype=int), *(features for features, _ in pairs)])
    thresholds = np.concatenate([np.empty(0), *(thresholds for _, thresholds in pairs)])
    return [np.unique(thresholds[features == j]) for j in range(teacher.n_features_in_)]


def _splits(model, columns=None):
    """Yield the features and thresholds of each tree; `columns` are those that a member reads."""
    if hasattr(model, "tree_"):
        inner = model.tree_.children_left >= 0
        features, thresholds = model.tree_.feature[inner], model.tree_.threshold[inner]
        yield (features if columns is None else columns[features]), thresholds
    elif hasattr(model, "estimators_"):
        members = np.ravel(np.array(model.estimators_, dtype=object))
        seen = getattr(model, "estimators_features_", [None] * len(members))
        for member, features in zip(members, seen, strict=True):
            yield from _splits(member, features)
    elif hasattr(model, "is_categorical_") and model.is_categorical_ is None:
        for nodes in (tree for step in hist_boosting_parts(model)[1] for tree in step):
            nodes = nodes[nodes["is_leaf"] == 0]
            finite = nodes[np.isfinite(nodes["num_threshold"])]
            yield finite["feature_idx"].astype(int), finite["num_threshold"]
    else:
        raise ValueError(
            f"{type(model).__name__} holds no thresholds that tell the ranges of its columns; "
            f"expected a tree of scikit-learn, or an ensemble of trees, that reads the rows "
            f"themselves. Write the ranges: SchemaSampler({{'age': (17, 90), ...}})."
        )
