"""Trees, forests and boosted trees as one node of an ONNX graph."""

from typing import NamedTuple

import numpy as np

from skdistill._compat import hist_boosting_parts
from skdistill.deployment._onnx._graph import FLOAT32, FLOAT64
from skdistill.exceptions import ExportError


class Tree(NamedTuple):
    """A tree whose node 0 is its root.

    Attributes
    ----------
    is_leaf : ndarray of shape (n_nodes,), bool
    feature, left, right : ndarray of shape (n_nodes,), int
        Of no meaning for leaves.
    threshold : ndarray of shape (n_nodes,), float64
        A number that is not greater goes to the left.
    gap_left : ndarray of shape (n_nodes,), bool
        Whether a gap does.
    values : ndarray of shape (n_nodes, n_outputs), float64
        What a leaf adds to the outputs, from `target` on.
    target : int
    """

    is_leaf: np.ndarray
    feature: np.ndarray
    left: np.ndarray
    right: np.ndarray
    threshold: np.ndarray
    gap_left: np.ndarray
    values: np.ndarray
    target: int = 0


def tree_of(tree):
    """Return what a decision tree of scikit-learn has learnt.

    Parameters
    ----------
    tree : sklearn.tree.DecisionTreeClassifier or DecisionTreeRegressor
        Fitted. The values of a classifier are the shares of the classes.

    Returns
    -------
    Tree
    """
    nodes = tree.tree_
    values = nodes.value
    values = values[:, 0] if values.shape[1] == 1 else values[:, :, 0]
    if hasattr(tree, "classes_"):
        values = values / values.sum(axis=1, keepdims=True)
    return Tree(
        nodes.children_left < 0,
        np.maximum(nodes.feature, 0),
        nodes.children_left,
        nodes.children_right,
        nodes.threshold,
        nodes.missing_go_to_left.astype(bool),
        values,
    )


def write_forest(graph, members, x):
    """Add the mean of decision trees, which compare numbers of float32 with float64 thresholds."""
    trees = [tree_of(member) for member in members]
    trees = [tree._replace(values=tree.values / len(trees)) for tree in trees]
    x = graph.cast(graph.cast(x, FLOAT32), FLOAT64)
    return write_trees(graph, trees, x, trees[0].values.shape[1])


def write_boosting(graph, estimator, x):
    """Add what histogram boosting sums up, before its link; thresholds and numbers are float64."""
    baseline, iterations, has_categories = hist_boosting_parts(estimator)
    if has_categories:
        raise ExportError(
            f"The student {type(estimator).__name__} reads categories by itself, which cannot be "
            f"written as ONNX; expected numbers. Put a step before it that encodes them: "
            f"make_pipeline(TablePreprocessor(max_one_hot=50), student). "
            f"skdistill.deployment.save keeps it as it is."
        )
    trees = [
        Tree(
            nodes["is_leaf"].astype(bool),
            nodes["feature_idx"],
            nodes["left"],
            nodes["right"],
            nodes["num_threshold"],
            nodes["missing_go_to_left"].astype(bool),
            nodes["value"][:, None],
            target,
        )
        for iteration in iterations
        for target, nodes in enumerate(iteration)
    ]
    return graph.add("Add", write_trees(graph, trees, x, len(baseline)), baseline)


def write_trees(graph, trees, x, n_outputs):
    """Add the sum of trees.

    Their numbers are summed as float64 and given as float32; so their mean is added afterwards,
    for those that are far from zero.

    Parameters
    ----------
    graph : Graph
    trees : list of Tree
    x : str
        Rows, float64.
    n_outputs : int

    Returns
    -------
    str
        A value of shape (n_samples, n_outputs), float64.
    """
    nodes, leaves = [], []
    offset = np.zeros(n_outputs)
    for number, tree in enumerate(trees):
        ids, is_leaf = np.arange(len(tree.is_leaf)), tree.is_leaf
        targets = np.arange(tree.target, tree.target + tree.values.shape[1])
        mean = tree.values[is_leaf].mean(axis=0)
        offset[targets] += mean
        here = np.full(len(ids), number)
        nodes.append((here, ids, *tree[1:6], is_leaf))
        at = np.repeat(ids[is_leaf], len(targets))
        weights = (tree.values[is_leaf] - mean).ravel()
        leaves.append((np.full(len(at), number), at, np.resize(targets, len(at)), weights))
    here, ids, feature, left, right, threshold, gap_left, is_leaf = _stack(nodes)
    tree_ids, node_ids, targets, weights = _stack(leaves)
    found = graph.add(
        "TreeEnsembleRegressor",
        x,
        dtype=FLOAT32,
        n_targets=n_outputs,
        nodes_treeids=_ints(here),
        nodes_nodeids=_ints(ids),
        nodes_featureids=_ints(feature),
        nodes_modes=np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values_as_tensor=np.where(is_leaf, 0.0, threshold),
        nodes_truenodeids=_ints(np.where(is_leaf, 0, left)),
        nodes_falsenodeids=_ints(np.where(is_leaf, 0, right)),
        nodes_missing_value_tracks_true=_ints(gap_left & ~is_leaf),
        target_treeids=_ints(tree_ids),
        target_nodeids=_ints(node_ids),
        target_ids=_ints(targets),
        target_weights_as_tensor=weights,
    )
    return graph.add("Add", graph.cast(found, FLOAT64), offset)


def _stack(parts):
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _ints(values):
    return values.astype(np.int64).tolist()
