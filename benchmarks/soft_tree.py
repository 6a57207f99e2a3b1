"""What a soft decision tree brings beside a hard one, and what a teacher adds.

    python benchmarks/soft_tree.py --data FOLDER

fits soft trees (`students.SoftDecisionTree`) of depth 4 and 6, alone and distilled from a forest
or boosted trees, and hard trees (CART) of the same depth, alone and distilled, on at most 3,000
rows of three tables and of scikit-learn's digits. It prints accuracy and log-loss on other rows,
means of two splits; "path" is the accuracy of the leaf that a row reaches most probably, which is
what a reader of the tree follows. The tables' own test splits are not read.
"""

import argparse
import sys
import warnings

import numpy as np
import pandas as pd
import torch
from _tables import load, make_teacher
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.evaluation import explain_tree
from skdistill.exceptions import DistillationWarning
from skdistill.students import SoftDecisionTree, TablePreprocessor
from skdistill.targets import teacher_targets

FIT_ROWS, OTHER_ROWS = 3_000, 5_000
TEACHERS = {"adult": "boosting", "letter": "forest", "pendigits": "forest", "digits": "forest"}
DEPTHS = (4, 6)


def split(table, folder, seed):
    """Return rows to fit and other rows, then their labels."""
    X, y = load_digits(return_X_y=True) if table == "digits" else load(table, folder)
    if table == "digits":
        X = pd.DataFrame(X, columns=[f"row {i // 8}, column {i % 8}" for i in range(64)])
    n_fit = min(FIT_ROWS, int(0.7 * len(y)))
    n_other = min(OTHER_ROWS, len(y) - n_fit)
    return train_test_split(
        X, y, train_size=n_fit, test_size=n_other, random_state=seed, stratify=y
    )


def accuracy_of_paths(model, X, y):
    """Return the accuracy of the answer of the leaf that each row reaches most probably."""
    *steps, net = (step for _, step in model.student_.steps)
    answers = explain_tree(model, X).answers
    for step in steps:
        X = step.transform(X)
    with torch.no_grad():
        leaves = net.module_.paths(torch.tensor(np.asarray(X), dtype=torch.float32))[-1].argmax(1)
    return np.mean(model.classes_[answers[leaves].argmax(axis=1)] == y)


def measure(rows, seed, student, answers):
    """Return accuracy, accuracy of paths and log-loss of one student on other rows."""
    X, X_other, y, y_other = rows
    alpha = 0 if answers is None else 0.5
    model = DistilledClassifier(student=student, alpha=alpha, device="cpu", random_state=seed)
    model.fit(X, y, soft_targets=answers)
    p = model.predict_proba(X_other)
    is_soft = isinstance(student, SoftDecisionTree)
    path = accuracy_of_paths(model, X_other, y_other) if is_soft else np.nan
    p = np.clip(p, 1e-9, 1)  # a hard tree says 0
    loss = log_loss(y_other, p / p.sum(axis=1, keepdims=True))
    return np.mean(model.classes_[p.argmax(axis=1)] == y_other), path, loss


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=2, help="splits of each table")
    parser.add_argument("--table", action="append", choices=TEACHERS, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DistillationWarning)
    print(f"{'table':<11}{'depth':>5}  {'student':<17}{'accuracy':>9}{'path':>8}{'log-loss':>10}")
    for table in options.table or TEACHERS:
        found = {}
        for seed in range(options.seeds):
            rows = split(table, options.data, seed)
            teacher = make_teacher(TEACHERS[table])
            answers = teacher_targets(teacher, rows[0], rows[2], calibrate=True, random_state=seed)
            fitted = teacher.fit(rows[0], rows[2])
            p = fitted.predict_proba(rows[1])
            hit = np.mean(fitted.classes_[p.argmax(axis=1)] == rows[3])
            loss = log_loss(rows[3], np.clip(p, 1e-9, 1) / np.clip(p, 1e-9, 1).sum(1)[:, None])
            found.setdefault((0, f"{TEACHERS[table]} (teacher)"), []).append((hit, np.nan, loss))
            for depth in DEPTHS:
                cart = DecisionTreeClassifier(max_depth=depth, random_state=seed)
                students = {
                    "hard": make_pipeline(TablePreprocessor(), cart),
                    "soft": SoftDecisionTree(depth=depth),
                }
                for name, student in students.items():
                    for heard, arm in ((None, "plain"), (answers, "distilled")):
                        scores = measure(rows, seed, student, heard)
                        found.setdefault((depth, f"{name}, {arm}"), []).append(scores)
        for (depth, name), scores in found.items():
            hit, path, loss = np.mean(scores, axis=0)
            shown = "-" if np.isnan(path) else f"{path:.3f}"
            print(
                f"{table:<11}{depth or '':>5}  {name:<17}{hit:9.3f}{shown:>8}{loss:10.3f}",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
