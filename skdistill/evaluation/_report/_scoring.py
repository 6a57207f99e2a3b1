"""The arms' answers held against the test labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from skdistill.evaluation._arm_names import COMPARISONS
from skdistill.evaluation._bootstrap import BootstrapInterval, paired_bootstrap
from skdistill.evaluation._report._arms import ArmRun
from skdistill.evaluation._tables import means
from skdistill.evaluation._tasks import Scoring


def mean_terms(
    task: Scoring, runs: list[ArmRun], test_set: Any, encoded: np.ndarray, teacher: np.ndarray
) -> dict[str, np.ndarray]:
    """The terms of one arm, averaged over its seeds: arrays of shape (n_test,)."""
    terms = [task.terms(encoded, run.answers[test_set], teacher) for run in runs]
    return {name: np.mean([one[name] for one in terms], axis=0) for name in terms[0]}


def score_arm(
    task: Scoring,
    name: str,
    runs: list[ArmRun],
    test_set: Any,
    encoded: np.ndarray,
    teacher: np.ndarray,
    n_seeds: int,
) -> dict[str, Any]:
    """One row of the report: means over the seeds, and their spread where there are several."""
    samples = []
    for run in runs:
        scores = task.all_scores(encoded, run.answers[test_set], teacher)
        deferred = {} if run.deferred is None else {"deferred_share": run.deferred[test_set]}
        samples.append(scores | deferred | run.costs)
    return {"arm": name, **means(samples, samples[0], spread=n_seeds > 1)}


def differences(
    task: Scoring, terms: dict[str, dict[str, np.ndarray]], seed: int
) -> dict[tuple[str, str], dict[str, BootstrapInterval]]:
    """Those of `COMPARISONS` whose arms are there, over the same resamples.

    Returns
    -------
    dict of (arm, other arm) to dict of str to BootstrapInterval
        By metric.
    """
    pairs = [pair for pair in COMPARISONS if terms.keys() >= set(pair)]
    columns = [terms[arm][m] - terms[other][m] for arm, other in pairs for m in task.compared]
    found = iter(paired_bootstrap(np.column_stack(columns), random_state=seed))
    return {pair: {metric: next(found) for metric in task.compared} for pair in pairs}


def per_class(
    probabilities: dict[str, np.ndarray], y_index: np.ndarray, classes: np.ndarray
) -> list[dict[str, Any]]:
    """Precision, recall, F1 and support of each class for each arm: a list of dicts."""
    entries = []
    for arm, p in probabilities.items():
        columns = precision_recall_fscore_support(
            y_index, p.argmax(axis=1), labels=np.arange(len(classes)), zero_division=np.nan
        )
        for label, precision, recall, f1, support in zip(classes.tolist(), *columns, strict=True):
            entries.append(
                {
                    "arm": arm,
                    "class": label,
                    "precision": float(precision),
                    "recall": float(recall),
                    "f1": float(f1),
                    "support": int(support),
                }
            )
    return entries
