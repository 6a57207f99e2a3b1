"""Estimators of scikit-learn from a file, looked through: what they read when they are asked.

Trees read memory at the places that they name, vectorizers may open the files that rows name, and
a dtype may ask for any amount of memory.
"""

import numpy as np
from sklearn.pipeline import Pipeline

TREE = "sklearn.tree._tree.Tree"
BOOSTED_TREE = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
PLAIN = "biufO"
"""The kinds of dtypes that a step is set up with: none is wider than a number."""
WITHIN = ("estimators_", "estimator_", "tree_", "_predictors")
"""Attributes whose trees are shown the rows of their owner."""


def check_parts(estimator):
    """Refuse trees that lead out of themselves or of the rows, readers of files, odd dtypes.

    Parameters
    ----------
    estimator : object
        Just read from a file, with all that it holds.

    Returns
    -------
    object
        The estimator.

    Raises
    ------
    ValueError
    """
    seen: set[tuple[int, int | None, int]] = set()
    pending = [(estimator, None, None)]
    while pending:
        value, width, owner = pending.pop()
        place = (id(value), width, id(owner))  # what two hold is looked through for each of them
        if place in seen:
            continue
        seen.add(place)
        if isinstance(value, np.dtype):
            if value.kind not in PLAIN:
                raise ValueError(f"the dtype {value!s:.40} is none of numbers or objects")
        elif _is_tree(value):
            _check(value, width, owner)
        elif isinstance(value, list | tuple | set):
            pending += [(part, width, owner) for part in value]
        elif isinstance(value, dict):
            pending += [(part, width, owner) for part in value.values()]
        elif isinstance(value, np.ndarray) and value.dtype == object:
            pending += [(part, width, owner) for part in value.flat]
        elif hasattr(value, "__dict__"):
            if vars(value).get("input") in ("filename", "file"):
                raise ValueError("a vectorizer opens the files that rows name")
            own = vars(value).get("n_features_in_")
            own = own if width is None else width if own is None else min(own, width)
            own = None if isinstance(value, Pipeline) else own
            pending += [
                (part, own if name in WITHIN else None, value) for name, part in vars(value).items()
            ]
    return estimator


def _path(value):
    return f"{type(value).__module__}.{type(value).__name__}"


def _is_tree(value):
    return _path(value) in (TREE, BOOSTED_TREE)


def _check(tree, width, owner):
    if _path(tree) == TREE:
        left, right, features = tree.children_left, tree.children_right, tree.feature
        inner = left != -1
        inner |= right != -1
    else:
        nodes = tree.nodes
        left, right, features = (
            nodes[name].astype(np.int64) for name in ("left", "right", "feature_idx")
        )
        inner = ~nodes["is_leaf"].astype(bool)
        _check_categories(tree, inner, owner)
    places = np.arange(len(left))[inner]
    fits = len(left) > 0 and width is not None
    for children in (left[inner], right[inner]):
        fits = fits and bool(np.all((children > places) & (children < len(left))))
    fits = fits and bool(np.all((features[inner] >= 0) & (features[inner] < width)))
    if not fits:
        raise ValueError("a tree leads to nodes or columns that are not there")


def _check_categories(tree, inner, owner):
    """Refuse splits by categories where the model has no such columns, or no such bits."""
    nodes = tree.nodes[inner]
    nodes = nodes[nodes["is_categorical"].astype(bool)]
    if len(nodes) == 0:
        return
    known = getattr(getattr(owner, "_bin_mapper", None), "is_categorical_", None)
    bits = len(tree.raw_left_cat_bitsets)
    if (
        known is None
        or not np.all(nodes["bitset_idx"] < bits)
        or np.any(nodes["feature_idx"] >= len(known))
        or not np.all(known[nodes["feature_idx"]])
    ):
        raise ValueError("a tree splits by categories that are not there")
