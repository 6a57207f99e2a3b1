"""A soft decision tree in words: what each node asks, and what each leaf answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted
from torch.nn.functional import one_hot

from skdistill._torch import as_tensor
from skdistill._unwrap import unwrap
from skdistill._words import shorten
from skdistill.evaluation._arguments import check_int, read_rows
from skdistill.evaluation._tables import TableResult
from skdistill.students import SoftDecisionTree, TablePreprocessor

OWNER = "explain_tree"
BATCH = 1024
N_ANSWERS = 3
"""Classes that are printed of a leaf; the probabilities of all are in `answers`."""


@dataclass(repr=False, eq=False)
class TreeExplanation(TableResult):
    """What `explain_tree` returns; it prints as a tree.

    Attributes
    ----------
    rows : list of dict
        A node each, level by level and from left to right, so that those below node i are
        2 i + 1 and 2 i + 2: "node", "level", "share" (of the rows that reach it, in the mean over
        their probabilities) and "says", the question or the answer in words.
    title : str
        What is shown.
    names : list of str
        What a node can ask about: columns, categories and marks of gaps.
    offsets : ndarray of shape (n_nodes,)
        Log-odds of going right for a row that is average in everything.
    effects : ndarray of shape (n_nodes, n_names)
        What one standard deviation more adds to them.
    answers : ndarray of shape (n_leaves, n_classes) or (n_leaves,) or (n_leaves, n_outputs)
        What a row is answered that is wholly in one leaf: probabilities, or numbers.
    classes : ndarray of shape (n_classes,) or None
        The label of each column of probabilities. None for numbers.
    """

    rows: list[dict[str, Any]]
    title: str
    names: list[str]
    offsets: np.ndarray
    effects: np.ndarray
    answers: np.ndarray
    classes: np.ndarray | None

    def __repr__(self) -> str:
        return "\n".join([self.title, "", *self._lines(0, "")])

    def _lines(self, node: int, indent: str) -> Iterable[str]:
        row = self.rows[node]
        mark = "" if node == 0 else ("|--- right " if node % 2 == 0 else "|--- left ")
        yield f"{indent}{mark}({100 * row['share']:.0f} %) {row['says']}"
        below = "" if node == 0 else f"{indent}|   "
        for child in (2 * node + 1, 2 * node + 2):
            if child < len(self.rows):
                yield from self._lines(child, below)


def explain_tree(
    model: Any, X: Any, *, n_columns: int = 3, output_names: Sequence[str] | None = None
) -> TreeExplanation:
    r"""Say in words what a soft decision tree asks and answers.

    A node sends a row right with the probability :math:`\sigma(a + \sum_j e_j z_j)`, where
    :math:`z_j` is how many standard deviations the row lies above the mean of X, in what the
    student's preprocessing makes of column j. So :math:`e_j` does not depend on the unit of a
    column, and those of greatest size say what the node asks.

    Parameters
    ----------
    model : DistilledClassifier, DistilledRegressor, Pipeline, student or search
        Fitted, with a `SoftDecisionTree`. Of a search its `best_estimator_` is read.
    X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
        Rows by which the means, the standard deviations and the shares are taken, such as those
        of `fit`.
    n_columns : int, default=3
        How many columns of a node are printed.
    output_names : sequence of str, default=None
        What the numbers of a leaf are called, such as ``y.columns``. Several numbers without names
        are y0, y1 and so on.

    Returns
    -------
    TreeExplanation

    Raises
    ------
    TypeError
        For a model of another kind.
    ValueError
        For rows that the model does not take, and for names that are not those of its numbers.

    See Also
    --------
    TreeDisplay : The picture.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.evaluation import explain_tree
    >>> from skdistill.students import SoftDecisionTree
    >>> X, y = load_iris(as_frame=True, return_X_y=True)
    >>> forest = RandomForestClassifier(50, random_state=0)
    >>> model = DistilledClassifier(forest, SoftDecisionTree(depth=1), random_state=0).fit(X, y)
    >>> tree = explain_tree(model, X)
    >>> [row["level"] for row in tree.rows]
    [0, 1, 1]
    >>> tree.answers.shape
    (2, 3)
    """
    check_int(OWNER, "n_columns", n_columns)
    net, steps, _ = unwrap(getattr(model, "best_estimator_", model))
    module = getattr(net, "module_", None)
    if not isinstance(module, SoftDecisionTree):
        if hasattr(model, "fit") and not isinstance(model, type):
            check_is_fitted(model)
        raise TypeError(
            f"{OWNER} reads a fitted model that holds a SoftDecisionTree. Got "
            f"{type(model).__name__} without one; fit DistilledClassifier(teacher, "
            f"SoftDecisionTree(depth=4))."
        )
    X = read_rows("X", X)
    for step in steps:
        X = step.transform(X)
    X = net.fitted_.body.rows.read(X)
    names, weights = _names_in(steps, net, X.shape[1]), _weights_of(module)
    means, deviations, shares = _measured(X, module)
    offsets = module.beta * _array(module.bias) + weights @ means
    effects = weights * deviations
    link = net.fitted_.link
    answers = getattr(link, "predict_proba", link.predict)(_array(module.answers()))
    classes = getattr(net, "classes_", None)
    labels = _labels(classes, answers, output_names)
    says = [_question(a, e, names, n_columns) for a, e in zip(offsets, effects, strict=True)]
    says += [_answer(answer, labels, classes is not None) for answer in answers]
    rows = [
        {"node": node, "level": (node + 1).bit_length() - 1, "share": share, "says": words}
        for node, (share, words) in enumerate(zip(shares, says, strict=True))
    ]
    title = f"Soft decision tree: shares of {X.shape[0]} rows; above 0 a row goes right"
    return TreeExplanation(rows, title, names, offsets, effects, answers, classes)


def _array(values: torch.Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()


def _names_in(steps: list[Any], net: Any, n_features: int) -> list[str]:
    """Name what a node can ask about, each code of a category by itself."""
    numbered, codes = [f"x{i}" for i in range(n_features)], {}
    names = list(getattr(net, "feature_names_in_", numbered))
    if steps and all(hasattr(step, "get_feature_names_out") for step in steps):
        names = list(make_pipeline(*steps).get_feature_names_out())
    if steps and isinstance(steps[-1], TablePreprocessor):
        codes = steps[-1].code_names()
    tables = list(net.module_.categories.parameters())
    n_plain = n_features - len(tables)
    for name, weight in zip(names[n_plain:], tables, strict=True):
        names += codes.get(name, [f"{name}={code}" for code in range(1, len(weight))])
    return names[:n_plain] + names[n_features:]


def _weights_of(module: SoftDecisionTree) -> np.ndarray:
    """Return the weights of the nodes by these names, ndarray of shape (n_nodes, n_names)."""
    parts = [
        _array(module.weight),
        *(_array(weight)[1:].T for weight in module.categories.parameters()),
    ]
    return module.beta * np.concatenate(parts, axis=1)


def _measured(X: Any, module: SoftDecisionTree) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means and standard deviations by these names, and the share of each node."""
    first, sums, squares, shares = 0.0, 0.0, 0.0, 0.0
    for start in range(0, X.shape[0], BATCH):
        rows = X[start : start + BATCH]
        rows = as_tensor(rows.toarray() if sparse.issparse(rows) else rows, module)
        n_plain = rows.shape[1] - len(module.categories)
        flags = [
            one_hot(codes.long(), len(weight))[:, 1:]
            for codes, weight in zip(
                rows[:, n_plain:].T, module.categories.parameters(), strict=True
            )
        ]
        values = _array(torch.cat([rows[:, :n_plain], *flags], dim=1))
        first = values[0] if start == 0 else first  # so that no large mean is squared
        sums = sums + (values - first).sum(axis=0)
        squares = squares + ((values - first) ** 2).sum(axis=0)
        with torch.no_grad():
            levels = module.paths(rows.to(module.weight.device))
        shares = shares + _array(torch.cat(levels, dim=1).exp()).sum(axis=0)
    n_rows = X.shape[0]
    variances = squares / n_rows - (sums / n_rows) ** 2
    return first + sums / n_rows, np.sqrt(np.maximum(variances, 0)), shares / n_rows


def _question(offset: float, effects: np.ndarray, names: list[str], n_columns: int) -> str:
    greatest = np.argsort(-np.abs(effects), kind="stable")[:n_columns]
    asked = [f"{'-' if effects[j] < 0 else '+'} {abs(effects[j]):.2f} {names[j]}" for j in greatest]
    n_more = len(names) - len(greatest)
    return " ".join([f"{offset:.2f}", *asked, *([f"and {n_more} more"] if n_more else [])])


def _labels(classes: Any, answers: np.ndarray, output_names: Any) -> list[Any]:
    """Return what stands before each number of a leaf; "" before a single one without a name."""
    n_numbers = np.size(answers[0])
    if output_names is None:
        numbered = [""] if n_numbers == 1 else [f"y{i}" for i in range(n_numbers)]
        return numbered if classes is None else list(classes)
    if classes is not None:
        raise ValueError(
            "output_names was given, and the tree names classes; expected a regressor. Leave "
            "output_names out: the classes have names."
        )
    names = np.ravel(np.asarray(output_names, dtype=object)).tolist()
    if len(names) != n_numbers:
        raise ValueError(
            f"output_names is {shorten(output_names)}, of {len(names)}, and the tree answers with "
            f"{n_numbers} numbers; expected a name for each, such as y.columns. Pass them in the "
            f"order of y."
        )
    return names


def _answer(answer: Any, labels: list[Any], of_classes: bool) -> str:
    if of_classes:
        greatest = np.argsort(-answer, kind="stable")[:N_ANSWERS]
        return ", ".join(f"{labels[j]}: {answer[j]:.2f}" for j in greatest)
    told = zip(labels, np.ravel(answer), strict=True)
    return ", ".join(f"{label}: {number:.4g}".removeprefix(": ") for label, number in told)
