"""Does a correction of the targets by the labels beat a tuned alpha?

    python benchmarks/loss_correction.py --data FOLDER

A teacher that underfits is wrong in a way that its targets do not show. Dao et al. 2021 (arXiv
2104.09732) move each target towards the label, p + gamma * (y - p). With one gamma for all rows
that is another alpha (cross-entropy is linear in the target), so what is tried here is a gamma of
each row, against seven values of alpha. Every family is tuned by the log-loss on validation rows
and judged once, on test rows. Targets are out of fold.
"""

import argparse
import warnings

import numpy as np
from _tables import load
from scipy.special import softmax
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import TablePreprocessor
from skdistill.targets import teacher_targets

FIT_ROWS, VALIDATION_ROWS, TEST_ROWS = 2_000, 2_000, 5_000
ALPHAS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
GAMMAS = (0.1, 0.3, 0.7, 1.0)
LEAST = 0.05  # what the paper's weight 1 / p is bounded by


def doubtful(p, y, gamma):
    """Move unsure rows most: gamma of a row is gamma * 2 * (1 - max p)."""
    return p + gamma * 2 * (1 - p.max(axis=1, keepdims=True)) * (y - p)


def confident(p, y, gamma):
    """Move sure rows most: gamma of a row is gamma * (2 * max p - 1)."""
    return p + gamma * (2 * p.max(axis=1, keepdims=True) - 1) * (y - p)


def inverse(p, y, gamma):
    """The paper's first-order correction of the logits: log p + gamma * (y - p) / p."""
    return softmax(np.log(p) + gamma * (y - p) / np.maximum(p, LEAST), axis=1)


FAMILIES = {"doubtful": doubtful, "confident": confident, "inverse": inverse}


def make_teacher(depth):
    """Return a forest that reads mixed columns and cannot grow deep."""
    encoder = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_column_selector(dtype_exclude="number"),
        ),
        remainder=SimpleImputer(),
    )
    return make_pipeline(encoder, RandomForestClassifier(100, max_depth=depth, random_state=0))


def compare(table, folder, depth, seed):
    """Return the test log-losses of the teacher and of each tuned family."""
    X, y = load(table, folder)
    X, X_test, y, y_test = train_test_split(X, y, test_size=TEST_ROWS, random_state=seed)
    X, X_val, y, y_val = train_test_split(
        X, y, train_size=FIT_ROWS, test_size=VALIDATION_ROWS, random_state=seed
    )
    p = np.maximum(teacher_targets(make_teacher(depth), X, y, random_state=seed), 1e-4)
    p /= p.sum(axis=1, keepdims=True)
    candidates = {"alpha": [(alpha, alpha, p) for alpha in ALPHAS]}
    for name, correct in FAMILIES.items():
        candidates[name] = [(gamma, 1.0, correct(p, np.eye(2)[y], gamma)) for gamma in GAMMAS]
    losses = {"teacher": (None, log_loss(y, p))}
    for name, settings in candidates.items():
        tried = []
        for value, alpha, targets in settings:
            student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=20))
            model = DistilledClassifier(student=student, alpha=alpha, random_state=seed)
            model.fit(X, y, soft_targets=targets)
            judged = [
                log_loss(b, model.predict_proba(a)) for a, b in [(X_val, y_val), (X_test, y_test)]
            ]
            tried.append((*judged, value))
            if (name, value) in (("alpha", 0.0), ("alpha", 0.5)):
                losses[f"alpha {value}"] = (value, judged[1])
        _, test, value = min(tried)
        losses[name] = (value, test)
    return losses


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3, help="splits of each table")
    options = parser.parse_args()
    warnings.simplefilter("ignore", TeacherWarning)
    names = ["teacher", "alpha 0.0", "alpha 0.5", "alpha", *FAMILIES]
    print(f"{'table':<11}{'depth':<6}{'seed':<5}" + "".join(f"{name:>16}" for name in names))
    ratios = []
    for table in ("adult", "bank", "california"):
        for depth in (1, 3):
            for seed in range(options.seeds):
                losses = compare(table, options.data, depth, seed)
                cells = [
                    f"{loss:.4f}" + (f" ({value:g})" if name in ("alpha", *FAMILIES) else "")
                    for name, (value, loss) in ((name, losses[name]) for name in names)
                ]
                print(
                    f"{table:<11}{depth:<6}{seed:<5}" + "".join(f"{c:>16}" for c in cells),
                    flush=True,
                )
                ratios.append([np.log(losses[name][1] / losses["alpha"][1]) for name in names])
    means, errors = np.mean(ratios, axis=0), np.std(ratios, axis=0, ddof=1) / len(ratios) ** 0.5
    cells = (f"{100 * m:+.1f} ±{100 * e:.1f} %" for m, e in zip(means, errors, strict=True))
    print(f"{'mean log against alpha':<22}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
