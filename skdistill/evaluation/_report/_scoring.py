"""The arms' answers held against the test labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from skdistill._warn import warn
from skdistill.evaluation._bootstrap import Interval, paired_bootstrap
from skdistill.evaluation._metrics import calibration_error, ranking_scores, row_terms
from skdistill.evaluation._recipes import DISTILLED, PLAIN, SCALED, TEACHER
from skdistill.evaluation._report._arms import ArmRun
from skdistill.exceptions import TeacherWarning

N_BINS = 15
COSTS = ("n_parameters", "n_bytes", "us_per_row", "us_single_row", "fit_seconds")

#: The arms that distilled is compared with, and the metrics of the intervals.
BASELINES = (PLAIN, SCALED, TEACHER)
COMPARED = ("accuracy", "log_loss", "brier")


def mean_terms(
    runs: list[ArmRun], y_index: np.ndarray, teacher: np.ndarray
) -> dict[str, np.ndarray]:
    """The `row_terms` of one arm, averaged over its seeds: arrays of shape (n_test,)."""
    terms = [row_terms(y_index, run.probabilities, teacher) for run in runs]
    return {name: np.mean([one[name] for one in terms], axis=0) for name in terms[0]}


def score_arm(
    name: str, runs: list[ArmRun], y_index: np.ndarray, teacher: np.ndarray, n_seeds: int
) -> dict[str, Any]:
    """One row of the report: means over the seeds, and their spread where there are several."""
    samples = [_score_run(run, y_index, teacher) for run in runs]
    row: dict[str, Any] = {"arm": name}
    for key in samples[0]:
        values = [sample[key] for sample in samples]
        row[key] = float(np.mean(values))
        if n_seeds > 1:
            row[f"{key}_std"] = float(np.std(values, ddof=1)) if len(values) > 1 else np.nan
    return row


def _score_run(run: ArmRun, y_index: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    means = {k: float(v.mean()) for k, v in row_terms(y_index, run.probabilities, teacher).items()}
    return {
        "accuracy": means["accuracy"],
        "log_loss": means["log_loss"],
        "brier": means["brier"],
        "ece": calibration_error(y_index, run.probabilities, n_bins=N_BINS),
        **ranking_scores(y_index, run.probabilities),
        "agreement": means["agreement"],
        "kl": means["kl"],
        **{cost: getattr(run, cost) for cost in COSTS},
    }


def compare(terms: dict[str, dict[str, np.ndarray]], seed: int) -> dict[str, dict[str, Interval]]:
    """Distilled minus each baseline, all of them over the same resamples."""
    differences = np.column_stack(
        [terms[DISTILLED][metric] - terms[arm][metric] for arm in BASELINES for metric in COMPARED]
    )
    found = iter(paired_bootstrap(differences, random_state=seed))
    return {arm: {metric: next(found) for metric in COMPARED} for arm in BASELINES}


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


def warn_if_memorised(
    on_train: np.ndarray | None, y_index: np.ndarray, test_terms: np.ndarray
) -> None:
    """Warn of a teacher that was fitted on the rows that it teaches, and shows it.

    Parameters
    ----------
    on_train : ndarray of shape (n_train, n_classes) or None
        The teacher's answers on the training rows; None where the targets are out of fold.
    y_index : ndarray of shape (n_train,)
        The positions of the training labels.
    test_terms : ndarray of shape (n_test,)
        The terms of its log-loss on the test rows.

    Warns
    -----
    TeacherWarning
        When the log-loss on the training rows is below half of that on the test rows, by more
        than two standard errors of the latter.
    """
    if on_train is None or len(test_terms) < 2:
        return
    train = float(row_terms(y_index, on_train, on_train)["log_loss"].mean())
    test = float(test_terms.mean())
    standard_error = float(test_terms.std(ddof=1) / np.sqrt(len(test_terms)))
    if train < test / 2 and test - train > 2 * standard_error:
        warn(
            f"The teacher's log-loss is {train:.3f} on the training rows and {test:.3f} on the "
            "test rows: it has memorised the rows that it teaches, and its targets there are "
            "over-confident. Pass it unfitted, DistilledClassifier(clone(teacher), ...), and the "
            "targets are out of fold.",
            TeacherWarning,
        )
