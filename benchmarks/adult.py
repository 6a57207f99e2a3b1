"""Adult's official split: the default student, and one of four members, taught by boosted trees.

    python benchmarks/adult.py --data FOLDER

fits on the 32,561 training rows and prints log-loss, accuracy and area under the ROC curve on the
16,281 test rows, for each seed, and the processor time of the student's fit. The teacher's answers
are out of fold, and made once for each seed. One thread.
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
from skdistill.targets import teacher_targets


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    X, y = load("adult", options.data)
    X_test = pd.read_csv(f"{options.data}/adult_test.csv.gz", na_values="?")
    y_test = X_test.pop(X_test.columns[-1]).astype(str).str.contains(">").astype(int)
    print("members  seed  log-loss  accuracy     AUC  seconds")
    for seed in range(options.seeds):
        answers = teacher_targets(make_teacher("boosting"), X, y, random_state=seed)
        for n_members in (1, 4):
            net = StudentNet(module__n_members=n_members)
            student = make_pipeline(TablePreprocessor(), net)
            model = DistilledClassifier(student=student, device="cpu", random_state=seed)
            started = time.process_time()
            model.fit(X, y, soft_targets=answers)
            seconds = time.process_time() - started
            p = model.predict_proba(X_test)
            loss, area = log_loss(y_test, p), roc_auc_score(y_test, p[:, 1])
            accuracy = accuracy_score(y_test, p.argmax(axis=1))
            scores = f"{loss:8.4f}  {accuracy:8.4f}  {area:6.4f}"
            print(f"{n_members:7}  {seed:4}  {scores}  {seconds:7.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
