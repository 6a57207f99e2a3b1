"""A forest of 500 trees as the teacher of single trees and small forests, on Adult.

    python benchmarks/trees.py --data FOLDER

fits on the official training rows, asks on the official test rows, and prints the area under the
ROC curve, the log-loss and the accuracy of each student, means over the seeds: alone; with the
forest's answers in its sample and out of fold, learnt by a classifier from weighted copies of the
rows and by a regressor from the probabilities. It is the row "Adult" of Dao et al. 2021, "Knowledge
Distillation as Semiparametric Inference", arXiv 2104.09732.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from _tables import adult
from sklearn.base import clone
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import DistilledClassifier
from skdistill.targets import teacher_targets

STUDENTS = {
    "tree": (DecisionTreeClassifier, DecisionTreeRegressor, {}),
    "tree of 32 leaves": (DecisionTreeClassifier, DecisionTreeRegressor, {"max_leaf_nodes": 32}),
    "forest of 10 trees": (RandomForestClassifier, RandomForestRegressor, {"n_estimators": 10}),
}
PUBLISHED = "Dao et al.:  a tree alone .741, distilled .899, the forest .910 (AUC)"


def encoded(estimator):
    """Return a Pipeline that gives the estimator codes for Adult's categories."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = (codes, make_column_selector(dtype_exclude="number"))
    return make_pipeline(make_column_transformer(columns, remainder="passthrough"), estimator)


def scores(y, p):
    """Return the area under the ROC curve, the log-loss and the accuracy."""
    return roc_auc_score(y, p), log_loss(y, p), accuracy_score(y, p > 0.5)


def show(name, way, how, values):
    """Print a row of the table."""
    numbers = "".join(f"{value:10.3f}" for value in values)
    print(f"{name:20}{way:13}{how:31}{numbers}", flush=True)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--trees", type=int, default=500, help="of the teacher")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    X, y = adult(Path(options.data))
    test = pd.read_csv(Path(options.data) / "adult_test.csv.gz", na_values="?")
    X_test, y_test = test.iloc[:, :-1], (test.iloc[:, -1] == ">50K").to_numpy()

    print(f"{'':20}{'targets':13}{'learnt by':31}{'AUC':>10}{'log-loss':>10}{'accuracy':>10}")
    teacher = encoded(
        RandomForestClassifier(options.trees, n_jobs=options.jobs, random_state=0)
    ).fit(X, y)
    show(
        f"forest of {options.trees}",
        "labels",
        "",
        scores(y_test, teacher.predict_proba(X_test)[:, 1]),
    )
    targets = {"labels": None, "in-sample": teacher.predict_proba(X)}
    targets["out of fold"] = teacher_targets(clone(teacher), X, y, random_state=0)
    for name, (classifier, regressor, settings) in STUDENTS.items():
        for way, soft_targets in targets.items():
            how = {"copies of the rows": classifier, "regression": regressor}
            how = {"itself": classifier} if soft_targets is None else how
            for learnt_by, kind in how.items():
                for alpha in [0.0] if soft_targets is None else [0.5, 1.0]:
                    found = []
                    for seed in range(options.seeds):
                        student = encoded(kind(**settings))
                        model = DistilledClassifier(
                            student=student, alpha=alpha, random_state=seed
                        ).fit(X, y, soft_targets=soft_targets)
                        found.append(scores(y_test, model.predict_proba(X_test)[:, 1]))
                    shown = learnt_by if alpha == 0 else f"{learnt_by}, alpha {alpha:g}"
                    show(name, way, shown, np.mean(found, axis=0))
    print(f"\n{PUBLISHED}")


if __name__ == "__main__":
    sys.exit(main())
