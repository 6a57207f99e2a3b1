"""One tree that answers as a small forest does: the data of "Born-Again Tree Ensembles".

    python benchmarks/born_again.py --data FOLDER

takes the setting of Vidal and Schiffer 2020 (arXiv 2003.11132): forests of ten trees of depth 3,
six tables, ten folds each. Students are single trees of some number of leaves, taught by the forest
alone, without labels, on the training rows and on Spunge's: by its probabilities, or by the class
that it names. It prints, as means over the folds, on how many test rows tree and forest name the
same class, and the accuracy; and the processor time of all fits.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning
from skdistill.transfer import Spunge

TABLES = ("bc", "compas", "fico", "htru2", "pima", "seeds")
PUBLISHED = {  # accuracy of the forest, which is that of the exact tree
    "bc": 0.953, "compas": 0.660, "fico": 0.697, "htru2": 0.977, "pima": 0.746, "seeds": 0.790,
}  # fmt: skip
ROWS = {
    "defaults": Spunge(),
    "more": Spunge(factor=100, max_rows=12_000, resample=0.3, noise_probability=0),
}
ARMS = [
    ("probabilities", "defaults", 33),
    ("probabilities", "more", 33),
    ("classes", "defaults", 33),
    ("classes", "more", 33),
    ("classes", "more", 100),
    ("classes", "more", 300),
]


def answers(forest, rows, taught):
    """Return the forest's probabilities, or 1 for the class that it names."""
    p = forest.predict_proba(rows)
    return p if taught == "probabilities" else np.eye(p.shape[1])[p.argmax(axis=1)]


def measure(X, y, is_test, fold):
    """Return agreement, accuracy, leaves and seconds of each arm, the forest's accuracy first."""
    forest = RandomForestClassifier(10, max_depth=3, random_state=fold).fit(
        X[~is_test], y[~is_test]
    )
    named = forest.predict(X[is_test])
    found = [(1.0, np.mean(named == y[is_test]), 0, 0.0)]
    rows = {
        name: np.concatenate([X[~is_test], generator.rows(X[~is_test], random_state=fold)])
        for name, generator in ROWS.items()
    }
    for taught, which, n_leaves in ARMS:
        started = time.process_time()
        student = DecisionTreeClassifier(max_leaf_nodes=n_leaves)
        model = DistilledClassifier(student=student, random_state=fold)
        model.fit(rows[which], None, soft_targets=answers(forest, rows[which], taught))
        answer = forest.classes_[model.predict(X[is_test])]
        leaves = model.student_.estimator_.get_n_leaves()
        seconds = time.process_time() - started
        found.append((np.mean(answer == named), np.mean(answer == y[is_test]), leaves, seconds))
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with born_again_trees.npz")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TeacherWarning)
    tables = options.table or TABLES
    means = {}
    with np.load(Path(options.data) / "born_again_trees.npz") as data:
        for name in tables:
            X, y, folds = (data[f"{name}_{part}"] for part in ("X", "y", "fold"))
            X = X.astype(float)
            fits = [measure(X, y, folds == fold, fold) for fold in np.unique(folds).tolist()]
            means[name] = np.mean(fits, axis=0)
            print(f"{name}: done", file=sys.stderr, flush=True)
    head = "".join(f"{name:>8}" for name in (*tables, "mean"))
    print(f"{'taught by':<14}{'rows':<10}{'leaves':>6}  {'':<9}{head}{'seconds':>9}")
    lines = [("forest", "", 0), *ARMS]
    for i, (taught, rows, n_leaves) in enumerate(lines):
        for part, what in ((0, "agreement"), (1, "accuracy")):
            values = [means[name][i, part] for name in tables]
            shown = "".join(f"{value:8.3f}" for value in (*values, np.mean(values)))
            seconds = 10 * sum(means[name][i, 3] for name in tables)
            first = f"{taught:<14}{rows:<10}{n_leaves or '':>6}" if part == 0 else " " * 30
            last = f"{seconds:9.0f}" if part == 0 and i else ""
            print(f"{first}  {what:<9}{shown}{last}")
    values = [PUBLISHED[name] for name in tables]
    shown = "".join(f"{value:8.3f}" for value in (*values, np.mean(values)))
    print(f"{'published':<30}  {'accuracy':<9}{shown}")


if __name__ == "__main__":
    sys.exit(main())
