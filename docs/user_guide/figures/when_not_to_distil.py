"""
Six teachers, and what their student gains or loses: the figures of "When not to distil".

Every student is the default one. Means over three splits into training and test rows, the same
for every line. It takes some minutes on one core.
"""

import numpy as np
from sklearn.base import clone
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_wine,
    make_friedman1,
    make_hastie_10_2,
)
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from skdistill import DistilledClassifier
from skdistill.targets import teacher_targets


def load_friedman():
    """Return 2000 rows of Friedman's first problem, the target cut at its median."""
    X, response = make_friedman1(2000, n_features=20, noise=1.0, random_state=0)
    return X, (response > np.median(response)).astype(int)


def make_stack():
    """Return three kinds of models and a logistic regression on their answers."""
    return StackingClassifier(
        [
            ("trees", ExtraTreesClassifier(300, random_state=0)),
            ("neighbours", KNeighborsClassifier(5, weights="distance")),
            ("margins", SVC(C=10)),
        ],
        LogisticRegression(max_iter=2000),
    )


forest = RandomForestClassifier(500, random_state=0)
boosting = HistGradientBoostingClassifier(random_state=0)
CASES = {
    "digits, forest": (load_digits(return_X_y=True), forest),
    "digits, stack": (load_digits(return_X_y=True), make_stack()),
    "wine, forest": (load_wine(return_X_y=True), forest),
    "breast cancer, forest": (load_breast_cancer(return_X_y=True), forest),
    "Hastie 10.2, boosting": (make_hastie_10_2(3000, random_state=0), boosting),
    "Friedman 1, boosting": (load_friedman(), boosting),
}
STUDENTS = {
    "plain": (0.0, "out of fold"),
    "alpha .5": (0.5, "out of fold"),
    "calibrated": (0.5, "calibrated"),
    "alpha 1": (1.0, "out of fold"),
    " calibrated": (1.0, "calibrated"),
    " in sample": (1.0, "in sample"),
}


def score(probabilities, y, classes):
    """Return accuracy and log-loss."""
    named = classes[probabilities.argmax(axis=1)]
    return accuracy_score(y, named), log_loss(y, probabilities, labels=classes)


def measure(X, y, teacher, seed):
    """Return the scores of the teacher and of every student on one split."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=seed)
    teacher.fit(X_train, y_train)
    scores = {"teacher": score(teacher.predict_proba(X_test), y_test, teacher.classes_)}
    settings = {
        "out of fold": {},
        "calibrated": {"calibrate": True},
        "in sample": {"cv": "in-sample"},
    }
    targets = {
        kind: teacher_targets(clone(teacher), X_train, y_train, random_state=0, **setting)
        for kind, setting in settings.items()
    }
    for name, (alpha, kind) in STUDENTS.items():
        model = DistilledClassifier(alpha=alpha, random_state=0)
        model.fit(X_train, y_train, soft_targets=targets[kind])
        scores[name] = score(model.predict_proba(X_test), y_test, model.classes_)
    return scores


def main():
    """Print one line for each case: accuracy and log-loss of teacher and students."""
    print(f"{'':22}" + "".join(f"{name:>13}" for name in ["teacher", *STUDENTS]))
    for case, ((X, y), teacher) in CASES.items():
        splits = [measure(X, y, teacher, seed) for seed in range(3)]
        means = [np.mean([scores[name] for scores in splits], axis=0) for name in splits[0]]
        cells = [f"{accuracy:.3f} {loss:.3f}" for accuracy, loss in means]
        print(f"{case:22}" + "".join(f"{cell:>13}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
