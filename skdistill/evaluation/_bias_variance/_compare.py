"""Regularisers side by side: the bias and the variance of several estimators on the same rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skdistill._words import shorten
from skdistill.evaluation._bias_variance._arms import decompose_arms
from skdistill.evaluation._bias_variance._losses import jackknife_se, mean_of_others
from skdistill.evaluation._bias_variance._result import (
    PARTS,
    BiasVarianceDecomposition,
    describe_rounds,
)
from skdistill.evaluation._parts import Work
from skdistill.evaluation._tables import TableResult, html_table, rows_to_table, text_table


@dataclass(repr=False, eq=False)
class Comparison(TableResult):
    """What `compare` returns. Printed, it is two tables: the arms, and their differences.

    Attributes
    ----------
    rows : list of dict
        For each arm and metric: ``arm``, ``metric``, ``loss``, ``bias``, ``variance``,
        ``train_loss`` (the loss on the rows of the round) and ``gap`` (loss less train_loss),
        each with its standard error ``..._se``.
    differences : list of dict
        For each arm but the baseline, and each metric: ``arm``, ``metric``, and ``loss``,
        ``bias``, ``variance`` less those of the baseline, each with the standard error ``..._se``
        of the paired difference.
    decompositions : dict of str to BiasVarianceDecomposition, or to a dict of them
        By arm what `bias_variance_decomposition` returns: by metric if several were asked for.
    baseline : str
        The arm that the others are compared with.
    title : str
        The rounds in words.
    """

    rows: list[dict[str, Any]]
    differences: list[dict[str, Any]]
    decompositions: dict[str, Any]
    baseline: str
    title: str

    def __repr__(self) -> str:
        tables = [text_table(rows_to_table(self.rows))]
        if self.differences:
            tables += [self._heading(), text_table(rows_to_table(self.differences))]
        return "\n\n".join([self.title, *tables])

    def _repr_html_(self) -> str:
        html = html_table(rows_to_table(self.rows), self.title)
        if self.differences:
            html += html_table(rows_to_table(self.differences), self._heading())
        return html

    def _heading(self) -> str:
        return f"Differences to {self.baseline}, ± one standard error of the paired difference"


def compare(
    estimators: dict[str, Any],
    X: Any,
    y: Any,
    X_test: Any,
    y_test: Any,
    *,
    baseline: str | None = None,
    loss: str | list[str] | None = None,
    design: str = "subsample",
    n_rounds: int = 20,
    refit_teacher: bool = True,
    n_jobs: int | None = None,
    random_state: Any = None,
    verbose: int = 0,
    memory: Any = None,
) -> Comparison:
    """Compare the bias and the variance of estimators that are fitted on the same rounds.

    For regularisers: what does dropout, weight decay, label smoothing or a teacher do to
    over- and underfitting? All arms get the same rows and, for parameters of the same name, the
    same seeds, so that what the rounds have in common cancels in the differences. Arms with the
    same teacher share its answers: it is fitted once for a round, not once for an arm.

    Parameters
    ----------
    estimators : dict of str to estimator
        The arms by name: all classifiers or all regressors.
    X : array-like of shape (n_samples, ...)
        Rows to learn from.
    y : array-like of shape (n_samples,)
        Their labels or values.
    X_test : array-like of shape (n_test, ...)
        Test points.
    y_test : array-like of shape (n_test,)
        Their labels or values.
    baseline : str, default=None
        The arm that the others are compared with; None is the first.
    loss : str or list of str, default=None
        "log_loss", "brier" or "zero_one" for classifiers, "squared" for regressors, or several.
        None is log-loss, and squared for regressors.
    design : {"subsample", "split", "bootstrap", "seed"}, default="subsample"
        How the rounds differ; see `bias_variance_decomposition`.
    n_rounds : int, default=20
        Fits of each arm, three at least.
    refit_teacher : bool, default=True
        Whether an unfitted teacher is fitted anew in every round.
    n_jobs : int, default=None
        Rounds at a time, through joblib. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Seeds the rounds and the estimators.
    verbose : int, default=0
        1 prints a line for every round, with the time that is left.
    memory : str or joblib.Memory, default=None
        A folder in which every finished round is kept, and found again by the content of rows,
        estimators and seeds: a call that was interrupted goes on where it was.

    Returns
    -------
    Comparison

    Raises
    ------
    TypeError
        When `estimators` is no dict of classifiers or regressors.
    ValueError
        For input that does not fit, before anything is fitted.

    See Also
    --------
    skdistill.evaluation.bias_variance_decomposition : The parts, and what they mean.
    skdistill.evaluation.PairedDifferencesDisplay : A picture of the differences.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.evaluation import compare
    >>> X, y = make_classification(600, flip_y=0.1, random_state=0)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> arms = {"tree": DecisionTreeClassifier(), "forest": RandomForestClassifier(10)}
    >>> result = compare(
    ...     arms, X_train, y_train, X_test, y_test, loss="brier", n_rounds=10, random_state=0
    ... )
    >>> [forest] = result.differences
    >>> forest["variance"] < -2 * forest["variance_se"]
    True
    """
    if not isinstance(estimators, dict) or not estimators:
        raise TypeError(
            f"The 'estimators' parameter of compare must be a dict of names to estimators with at "
            f"least one. Got {shorten(estimators)} instead; name each: {{'model': model}}."
        )
    baseline = next(iter(estimators)) if baseline is None else baseline
    if baseline not in list(estimators):
        raise ValueError(
            f"The 'baseline' parameter of compare must be one of {list(estimators)}. Got "
            f"{shorten(baseline)} instead."
        )
    decomposed = decompose_arms(
        Work("compare", n_jobs, verbose, memory),
        estimators,
        X,
        y,
        X_test,
        y_test,
        loss=loss,
        design=design,
        n_rounds=n_rounds,
        refit_teacher=refit_teacher,
        random_state=random_state,
        with_train=True,
    )
    results, single = decomposed.results, loss is None or isinstance(loss, str)
    rows, differences = [], []
    for metric, base in results[baseline].items():
        for arm, of_arm in results.items():
            rows.append(_arm_row(arm, of_arm[metric], decomposed.train_loss[arm][metric]))
            if arm != baseline:
                differences.append(_difference_row(arm, of_arm[metric], base))
    refitted = {of_arm[metric].refit_teacher for of_arm in results.values()} - {None}
    rounds = describe_rounds(
        base.n_rounds, base.design, base.n_train, refitted.pop() if len(refitted) == 1 else None
    )
    return Comparison(
        rows=rows,
        differences=differences,
        decompositions={
            arm: next(iter(of_arm.values())) if single else of_arm
            for arm, of_arm in results.items()
        },
        baseline=baseline,
        title=f"Bias and variance of {len(results)} arms: {len(base.loss_per_point)} test points; "
        f"{rounds}",
    )


def _arm_row(arm: str, result: BiasVarianceDecomposition, train: np.ndarray) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": arm, "metric": result.metric}
    values = {name: getattr(result, name) for name in PARTS}
    values |= {"train_loss": float(train.mean()), "gap": result.loss - float(train.mean())}
    train_replicates = mean_of_others(train)
    gap_replicates = result.replicates["loss"] - train_replicates
    replicates = {**result.replicates, "train_loss": train_replicates, "gap": gap_replicates}
    for name, value in values.items():
        row |= {name: value, f"{name}_se": jackknife_se(replicates[name])}
    return row


def _difference_row(
    arm: str, result: BiasVarianceDecomposition, base: BiasVarianceDecomposition
) -> dict[str, Any]:
    row: dict[str, Any] = {"arm": arm, "metric": result.metric}
    for name in PARTS:
        row[name] = getattr(result, name) - getattr(base, name)
        row[f"{name}_se"] = jackknife_se(result.replicates[name] - base.replicates[name])
    return row
