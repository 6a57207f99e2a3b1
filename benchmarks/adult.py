"""Adult's official split: what the parts of a fit bring, and what they cost.

    python benchmarks/adult.py --data FOLDER

fits on the 32,561 training rows and prints log-loss, accuracy and area under the ROC curve on the
16,281 test rows, the processor time of the whole fit, the teacher's folds within, and the weight of
the teacher, for each seed. The teacher is boosted trees; in the pools a forest and copies of the
student are beside it. One thread. `--arm` chooses, and may be repeated.
"""

import argparse
import sys
import time

import pandas as pd
import torch
from _tables import load, make_teacher
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import TablePreprocessor
from skdistill.teachers import SelfTeacher

POOL = [make_teacher("forest"), make_teacher("boosting"), SelfTeacher()]
MEMBERS = make_pipeline(TablePreprocessor(), StudentNet(module__n_members=4))

ARMS = {
    "plain": {"alpha": 0},
    "default": {},
    "calibrate='auto'": {"calibrate": "auto"},
    "alpha=0.75": {"alpha": 0.75},
    "4 members": {"student": MEMBERS},
    "alpha='auto'": {"alpha": "auto", "calibrate": "auto"},
    "the student among its teachers": {"teacher": POOL, "calibrate": True},
    "the same, alpha='auto'": {"teacher": POOL, "alpha": "auto", "calibrate": "auto"},
}


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--arm", action="append", choices=ARMS, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    X, y = load("adult", options.data)
    X_test = pd.read_csv(f"{options.data}/adult_test.csv.gz", na_values="?")
    y_test = X_test.pop(X_test.columns[-1]).astype(str).str.contains(">").astype(int)
    print(f"{'recipe':<32}seed  log-loss  accuracy     AUC  seconds  alpha")
    for name in options.arm or ARMS:
        for seed in range(options.seeds):
            settings = {"teacher": make_teacher("boosting"), **ARMS[name]}
            model = DistilledClassifier(**settings, device="cpu", random_state=seed)
            started = time.process_time()
            model.fit(X, y)
            seconds = time.process_time() - started
            p = model.predict_proba(X_test)
            loss, area = log_loss(y_test, p), roc_auc_score(y_test, p[:, 1])
            accuracy = accuracy_score(y_test, p.argmax(axis=1))
            alpha = getattr(model, "alpha_", model.alpha)
            scores = f"{loss:8.4f}  {accuracy:8.4f}  {area:6.4f}"
            print(f"{name:<32}{seed:4}  {scores}  {seconds:7.0f}  {alpha:5}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
