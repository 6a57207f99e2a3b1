"""Does the diagnosis find what was built in?

    python benchmarks/diagnose.py --data FOLDER

builds students and teachers that are wrong in a known way, many seeds on generated problems and,
with `--data`, on real tables, and prints how often each verdict was given to each kind.
"""

import argparse
import sys
import warnings
from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from _tables import TABLES, load
from joblib import Parallel, delayed
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits, make_classification, make_friedman1, make_moons
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import diagnose
from skdistill.exceptions import TeacherWarning
from skdistill.students import TablePreprocessor

ROWS, TEST_ROWS = 6_000, 2_000
NOISE = 0.3  # share of labels that are drawn anew in the noisy kinds

# ---------------------------------------------------------------------------------------------
# Rows
# ---------------------------------------------------------------------------------------------


def classification(seed):
    """Three classes, 8 of 20 columns informative, 5 % of the labels drawn anew."""
    return make_classification(
        ROWS, 20, n_informative=8, n_classes=3, flip_y=0.05, random_state=seed
    )


def friedman(seed):
    """Is Friedman's response above its median? 5 of 20 columns informative, no noise."""
    X, response = make_friedman1(ROWS, n_features=20, random_state=seed)
    return X, (response > np.median(response)).astype(int)


def moons(seed):
    """Two moons and ten columns of noise."""
    X, y = make_moons(ROWS, noise=0.25, random_state=seed)
    return np.hstack([X, np.random.default_rng(seed).normal(size=(ROWS, 10))]), y


def digits(seed):
    """scikit-learn's 1797 digits."""
    return load_digits(return_X_y=True)


GENERATED = {
    "classification": classification,
    "friedman": friedman,
    "moons": moons,
    "digits": digits,
}


class Rows(NamedTuple):
    """Rows for the test, for the student, and for teachers that are fitted elsewhere."""

    test: tuple
    student: tuple
    others: tuple
    n_classes: int
    seed: int


def draw(source, seed, folder, noisy):
    """Shuffle a problem and cut it in three."""
    X, y = GENERATED[source](seed) if source in GENERATED else load(source, folder)
    X, rng = pd.DataFrame(X), np.random.default_rng(seed)
    order = rng.permutation(len(y))[:ROWS]
    X, y = X.iloc[order].reset_index(drop=True).rename(columns=str), y[order]
    classes = np.unique(y)
    if noisy:
        y = np.where(rng.random(len(y)) < NOISE, rng.choice(classes, len(y)), y)
    n_test = min(TEST_ROWS, len(y) // 3)
    half = (n_test + len(y)) // 2
    test, own, others = slice(n_test), slice(n_test, half), slice(half, None)
    parts = ((X[part], y[part]) for part in (test, own, others))
    return Rows(*parts, n_classes=len(classes), seed=seed)


# ---------------------------------------------------------------------------------------------
# Teachers and students
# ---------------------------------------------------------------------------------------------


def on_codes(classifier):
    """Let a classifier of numbers read strings and gaps too."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    encode = make_column_transformer(
        (codes, make_column_selector(dtype_exclude="number")), remainder="passthrough"
    )
    return make_pipeline(encode, SimpleImputer(), classifier)


def boosting(rows):
    """Return a strong teacher, unfitted."""
    return on_codes(HistGradientBoostingClassifier(max_iter=60, random_state=rows.seed))


def forest(rows):
    """Return a teacher that learns its rows by heart, unfitted."""
    return on_codes(RandomForestClassifier(100, random_state=rows.seed))


def extra_trees(rows):
    """Return a teacher that noisy labels do not lead astray, unfitted."""
    return on_codes(ExtraTreesClassifier(200, min_samples_leaf=3, random_state=rows.seed))


def tree(rows, depth):
    """Return a teacher that cannot learn much, unfitted."""
    return on_codes(DecisionTreeClassifier(max_depth=depth, random_state=rows.seed))


def distilled(rows, teacher, student, **settings):
    """Return a model around a student with these settings."""
    net = StudentNet(**{"module__hidden_units": (64,), "max_epochs": 30, "lr": 0.003, **student})
    return DistilledClassifier(
        teacher, make_pipeline(TablePreprocessor(), net), random_state=rows.seed, **settings
    )


#: Students that are trained until they know their rows by heart, that are too small, that stop too
#: early, that have nothing but their layers, and that hold no rows back besides.
BY_HEART = {
    "module__hidden_units": (256, 256),
    "module__dropout": 0.0,
    "optimizer__weight_decay": 0.0,
    "max_epochs": 60,
    "train_split": None,
}
TINY = {"module__hidden_units": (2,), "module__numeric_embedding": None, "module__dropout": 0.0}
SHORT = {"max_epochs": 1, "lr": 0.0005, "batch_size": 128}
BARE = {"module__numeric_embedding": None, "module__dropout": 0.0}
LONG = {**BARE, "max_epochs": 40, "train_split": None}


# ---------------------------------------------------------------------------------------------
# Kinds: from rows to a model and the number of rows that it learns from
# ---------------------------------------------------------------------------------------------


def two_units(rows):
    """Return a student that is too small."""
    return distilled(rows, boosting(rows), TINY), None


def one_epoch(rows):
    """Return a student that is not trained out."""
    return distilled(rows, boosting(rows), SHORT), None


def by_heart_alone(rows):
    """Return a student that does not listen to its teacher."""
    teacher = boosting(rows).fit(*rows.others)
    return distilled(rows, teacher, BY_HEART, alpha=0.0), 160 + 20 * rows.n_classes


def by_heart_weak_teacher(rows):
    """Return a student whose teacher has nothing to say against."""
    teacher = tree(rows, 2).fit(*rows.others)
    return distilled(rows, teacher, BY_HEART, alpha=0.1), 160 + 20 * rows.n_classes


def few_rows(rows):
    """Return a student of a good teacher, and hardly a row to learn it from."""
    teacher = boosting(rows).fit(*rows.others)
    n_rows = max(50, 10 * rows.n_classes)
    return distilled(rows, teacher, {"max_epochs": 60}, alpha=0.8), n_rows


def stump(rows):
    """Return a student of a tree with one split."""
    return distilled(rows, tree(rows, 1), {}, alpha=0.9), None


def young_forest(rows):
    """Return a student of a forest that was fitted on a handful of rows."""
    X, y = rows.others
    n_rows = 30 + 6 * rows.n_classes
    return distilled(rows, forest(rows).fit(X[:n_rows], y[:n_rows]), {}, alpha=0.9), None


def forest_in_sample(rows):
    """Return a student of a forest that is asked about the rows of its fit."""
    return distilled(rows, forest(rows), {}, cv="in-sample"), None


def forest_same_rows(rows):
    """Return a student of a forest that came fitted, on the same rows."""
    return distilled(rows, forest(rows).fit(*rows.student), {}), None


def uniform(rows):
    """Return a student whose labels are smoothed by a teacher that knows nothing."""
    return distilled(rows, DummyClassifier(strategy="uniform"), LONG, alpha=0.15), 600


def light_stump(rows):
    """Return a student whose labels are smoothed by a teacher that knows next to nothing."""
    return distilled(rows, tree(rows, 1).fit(*rows.others), LONG, alpha=0.15), 600


def strong_fitted(rows):
    """Return a student of a good teacher that was fitted elsewhere, on noisy labels."""
    teacher = extra_trees(rows).fit(*rows.others)
    return distilled(rows, teacher, BARE, alpha=0.7, calibrate=True), 1000


def cross_fitted(rows):
    """Return a student of calibrated out-of-fold targets, on noisy labels."""
    return distilled(rows, extra_trees(rows), BARE, alpha=0.7, calibrate=True), 1000


class Kind(NamedTuple):
    """What is built, the verdict that it ought to get, and whether its labels are noisy."""

    build: object
    verdict: str
    noisy: bool = False


KINDS = {
    "2 units": Kind(two_units, "underfit"),
    "1 epoch": Kind(one_epoch, "underfit"),
    "by heart, alpha 0": Kind(by_heart_alone, "overfit"),
    "by heart, weak teacher": Kind(by_heart_weak_teacher, "overfit"),
    "50 or 10 C rows": Kind(few_rows, "transfer set too small"),
    "stump": Kind(stump, "the teacher is the limit"),
    "forest of few rows": Kind(young_forest, "the teacher is the limit"),
    "forest, in-sample": Kind(forest_in_sample, "the teacher memorised its rows"),
    "forest, same rows": Kind(forest_same_rows, "the teacher memorised its rows"),
    "uniform teacher": Kind(uniform, "regularisation rather than transfer", noisy=True),
    "stump, little weight": Kind(light_stump, "regularisation rather than transfer", noisy=True),
    "trees, fitted": Kind(strong_fitted, "fine", noisy=True),
    "trees, cross-fitted": Kind(cross_fitted, "fine", noisy=True),
}
VERDICTS = (*dict.fromkeys(kind.verdict for kind in KINDS.values()), "unclear")
HEADS = ("underfit", "overfit", "too small", "limit", "memorised", "regular.", "fine", "unclear")


def make_case(name, source, seed, folder):
    """Return a model of a kind, its training rows and labels, and test rows and labels."""
    kind = KINDS[name]
    rows = draw(source, seed, folder, kind.noisy)
    model, n_rows = kind.build(rows)
    X, y = rows.student
    return model, X[:n_rows], y[:n_rows], *rows.test


def judge(name, source, seed, folder):
    """Return the verdict on one case."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    return diagnose(*make_case(name, source, seed, folder)).verdict


def print_table(title, sources, n_seeds, options):
    """Judge every kind on every source, and print a line for each kind."""
    jobs = [(name, s, seed) for name in KINDS for s in sources for seed in range(n_seeds)]
    verdicts = options.parallel(delayed(judge)(*job, options.data) for job in jobs)
    heads = " ".join(f"{verdict:>10}" for verdict in HEADS)
    seeds = "1 seed" if n_seeds == 1 else f"{n_seeds} seeds"
    print(f"{title}: {', '.join(sources)}; {seeds}\n{'built':<24}{heads}")
    per_kind = len(jobs) // len(KINDS)
    found = iter(verdicts)
    right = 0
    for name, kind in KINDS.items():
        counts = Counter(next(found) for _ in range(per_kind))
        right += counts[kind.verdict]
        cells = [
            f"[{counts[v]}]" if v == kind.verdict else f"{counts[v] or '.'} " for v in VERDICTS
        ]
        print(f"{name:<24}" + " ".join(f"{cell:>10}" for cell in cells), flush=True)
    print(f"as built: {right} of {len(jobs)}\n")


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with the real tables")
    parser.add_argument("--seeds", type=int, default=3, help="of each generated problem")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    options.parallel = Parallel(options.jobs, return_as="generator")
    print_table("generated", GENERATED, options.seeds, options)
    if options.data:
        print_table("real", TABLES, 1, options)


if __name__ == "__main__":
    sys.exit(main())
