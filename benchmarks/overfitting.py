"""Does distillation cure overfitting? Bias, variance and gap of students, regularised and taught.

    python benchmarks/overfitting.py --data FOLDER

trains students of three widths for the same number of epochs on halves of 4,000 rows of each
table: plain, and with one remedy each. A remedy's strength is the one of three with the least
log-loss on a quarter of the 4,000 rows, fitted on the others; a teacher's is its alpha. No arm but
"early stopping" holds rows back. Teachers are fitted anew in each round and answer out of fold.
The last column is the difference of the log-loss to the plain student, with two standard errors
over the rounds.
"""

import argparse
import sys
import warnings

import torch
from _tables import TABLES, load, make_teacher
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import compare
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP, TablePreprocessor
from skdistill.training import HoldOut

FIT_ROWS, TEST_ROWS, EPOCHS = 4_000, 4_000, 30
WIDTHS = {"1 x 8": (8,), "2 x 64": (64, 64), "2 x 512": (512, 512)}


def make_student(units, **settings):
    """Return a student without any remedy of its own, but for the settings."""
    settings = {"optimizer__weight_decay": 0.0, "train_split": None} | settings
    net = StudentNet(MLP, module__hidden_units=units, max_epochs=EPOCHS, batch_size=64, **settings)
    return make_pipeline(TablePreprocessor(max_one_hot=100), net)


def candidates(units):
    """Return each arm at its strengths."""

    def plain(**settings):
        student = make_student(units, **settings)
        return DistilledClassifier(student=student, alpha=0, device="cpu", random_state=0)

    def taught(teacher, alpha, **settings):
        student = make_student(units)
        settings |= {"alpha": alpha, "device": "cpu", "random_state": 0}
        return DistilledClassifier(teacher, student, **settings)

    uniform = DummyClassifier(strategy="uniform")
    return {
        "plain": [plain()],
        "dropout": [plain(module__dropout=p) for p in (0.1, 0.3, 0.5)],
        "weight decay": [plain(optimizer__weight_decay=w) for w in (0.1, 0.5, 2.0)],
        "label smoothing": [taught(uniform, a, cv="in-sample") for a in (0.05, 0.1, 0.3)],
        "early stopping": [plain(train_split=HoldOut())],
        "distilled, forest": [taught(make_teacher("forest"), a) for a in (0.3, 0.6, 0.9)],
        "distilled, boosting": [taught(make_teacher("boosting"), a) for a in (0.3, 0.6, 0.9)],
    }


def validate(model, X, y):
    """Return the log-loss on a quarter of the rows, fitted on the others."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, X_held, y, y_held = train_test_split(X, y, test_size=0.25, stratify=y, random_state=0)
    return log_loss(y_held, clone(model).fit(X, y).predict_proba(X_held))


def choose(strengths, X, y, parallel):
    """Return each arm at its best strength."""
    tries = [(arm, model) for arm, models in strengths.items() for model in models]
    losses = parallel(delayed(validate)(model, X, y) for _, model in tries)
    ranked = sorted(zip(losses, range(len(tries)), strict=True))
    best = {tries[i][0]: tries[i][1] for _, i in reversed(ranked)}
    return {arm: best[arm] for arm in strengths}


def strength_of(arm, model):
    """Say which strength an arm was given."""
    net = model.student[-1].get_params(deep=False)
    if arm == "plain" or arm == "early stopping":
        return ""
    if arm == "dropout":
        return f"{net['module__dropout']:g}"
    return f"{net['optimizer__weight_decay'] if arm == 'weight decay' else model.alpha:g}"


def main():
    """Print a block for each table and width."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    parallel = Parallel(options.jobs)
    for table in options.table or ("adult", "bank", "california"):
        X, y = load(table, options.data)
        X, X_test, y, y_test = train_test_split(
            X, y, train_size=FIT_ROWS, test_size=TEST_ROWS, stratify=y, random_state=0
        )
        for width, units in WIDTHS.items():
            arms = choose(candidates(units), X, y, parallel)
            result = compare(
                arms, X, y, X_test, y_test, n_rounds=options.rounds, n_jobs=options.jobs,
                loss="log_loss", random_state=0,
            )  # fmt: skip
            report(f"{table}, student {width}", arms, result)


def report(title, arms, result):
    """Print a line for each arm."""
    print(f"\n{title}\n{'-' * len(title)}")
    heads = ["strength", "log-loss", "bias", "variance", "training", "gap"]
    print(f"{'arm':<20}" + "".join(f"{head:>10}" for head in heads) + "   against plain")
    differences = {row["arm"]: row for row in result.differences}
    for row in result.rows:
        values = [row[key] for key in ("loss", "bias", "variance", "train_loss", "gap")]
        cells = "".join(f"{value:10.3f}" for value in values)
        line = f"{row['arm']:<20}{strength_of(row['arm'], arms[row['arm']]):>10}{cells}"
        if row["arm"] in differences:
            difference = differences[row["arm"]]
            line += f"   {difference['loss']:+.3f} ± {2 * difference['loss_se']:.3f}"
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
