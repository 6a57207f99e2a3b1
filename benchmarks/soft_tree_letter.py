"""A soft tree of depth 9 on all of Letter, alone and taught by a network.

    python benchmarks/soft_tree_letter.py --data FOLDER

is the setting of Frosst and Hinton 2017 (arXiv 1711.09784) on the donor's split, 16,000 rows to
learn from and 4,000 to test on. The teacher is the default network, cross-fitted; "path" is the
answer of the leaf that a row reaches most probably, which is how the article predicts.
"""

import argparse
import sys
import time

import numpy as np
import pandas as pd
import torch
from _tables import load
from soft_tree import accuracy_of_paths

from skdistill import DistilledClassifier
from skdistill.students import DefaultStudent, SoftDecisionTree
from skdistill.targets import teacher_targets


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with letter.npz")
    parser.add_argument("--depth", type=int, default=9)
    parser.add_argument("--folds", type=int, default=3, help="of the teacher")
    options = parser.parse_args()
    torch.set_num_threads(1)
    X, y = load("letter", options.data)
    with np.load(f"{options.data}/letter.npz") as arrays:
        X_test = pd.DataFrame(arrays["X_test"].astype(float), columns=X.columns)
        y_test = arrays["y_test"]
    network = DistilledClassifier(student=DefaultStudent(), alpha=0, device="cpu", random_state=0)
    answers = teacher_targets(network, X, y, cv=options.folds, random_state=0)
    print(f"{'model':<28}{'accuracy':>9}{'path':>7}{'seconds':>9}")
    arms = {
        "network": (DefaultStudent(), 0),
        f"soft tree of depth {options.depth}": (SoftDecisionTree(depth=options.depth), 0),
        "the same, distilled": (SoftDecisionTree(depth=options.depth), 0.5),
    }
    for name, (student, alpha) in arms.items():
        started = time.process_time()
        model = DistilledClassifier(student=student, alpha=alpha, device="cpu", random_state=0)
        model.fit(X, y, soft_targets=answers if alpha else None)
        seconds = time.process_time() - started
        is_tree = isinstance(student, SoftDecisionTree)
        path = f"{accuracy_of_paths(model, X_test, y_test):7.3f}" if is_tree else f"{'-':>7}"
        accuracy = np.mean(model.predict(X_test) == y_test)
        print(f"{name:<28}{accuracy:9.3f}{path}{seconds:9.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
