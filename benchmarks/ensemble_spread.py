"""Does one student keep how far the trees of a forest differ? Rows of classes that nobody taught.

    python benchmarks/ensemble_spread.py --data FOLDER

fits on 3,000 rows of Letter, Pendigits and scikit-learn's digits without the last fifth of their
classes, and asks about other rows of all classes. It prints the log-loss on rows of known classes,
and how well the rows of unknown classes are told from the others (area under the ROC curve): by
the forest's own disagreement, by the entropy of a distilled student, and by the disagreement of a
`DistilledEnsembleClassifier`, each with a default network; and the rank correlation of the latter
with the forest's.
"""

import argparse
import sys
import warnings

import numpy as np
import torch
from _tables import load
from scipy.special import entr, logsumexp
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

from skdistill import DistilledClassifier, DistilledEnsembleClassifier
from skdistill.exceptions import TeacherWarning


def rows_of(table, folder):
    """Return rows of known classes to fit, then other rows, and their classes."""
    if table == "digits":
        X, y = load_digits(return_X_y=True)
    else:
        X, y = load(table, folder)
        X = X.to_numpy()
    X, X_other, y, y_other = train_test_split(
        X, y, train_size=min(3_000, len(y) // 2), test_size=min(3_000, len(y) // 2),
        stratify=y, random_state=0,
    )  # fmt: skip
    known = y < 0.8 * (y.max() + 1)
    return X[known], y[known], X_other, y_other


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--table", action="append", choices=("digits", "pendigits", "letter"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    print(f"{'table':<11}{'':<22}{'log-loss':>9}{'unknown':>9}{'rank':>7}")
    for table in options.table or ("digits", "pendigits", "letter"):
        X, y, X_other, y_other = rows_of(table, options.data)
        unknown = y_other > y.max()
        forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=0)
        distilled = DistilledClassifier(forest, device="cpu", random_state=0).fit(X, y)
        spread = DistilledEnsembleClassifier(forest, device="cpu", random_state=0).fit(X, y)
        trees = [tree.predict_proba(X_other) for tree in spread.ensemble_.estimators_]
        smoothed = 0.99 * np.stack(trees) + 0.01 / (y.max() + 1)
        own = -logsumexp(np.log(smoothed).mean(axis=0), axis=1)
        p = distilled.predict_proba(X_other)
        arms = {
            "forest of 100": (spread.ensemble_.predict_proba(X_other), own),
            "distilled, entropy": (p, entr(p).sum(axis=1)),
            "with its disagreement": (
                spread.predict_proba(X_other), spread.disagreement(X_other)
            ),
        }  # fmt: skip
        for name, (answer, measure) in arms.items():
            known = np.clip(answer[~unknown], 1e-9, 1)
            loss = log_loss(y_other[~unknown], known / known.sum(axis=1, keepdims=True))
            area = roc_auc_score(unknown, measure)
            rank = spearmanr(measure, own)[0]
            print(f"{table:<11}{name:<22}{loss:9.3f}{area:9.3f}{rank:7.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
