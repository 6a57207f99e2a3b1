"""Born again, the small net as the teacher, an assistant in between: does a generation help?

    python benchmarks/generations.py --data FOLDER

trains networks of three widths on 2,000 rows of each table and compares them on rows that nobody
was fitted on. A generation costs six fits: five for answers out of fold, by cross_val_predict on
the soft targets of the generation before, and one on all rows. "own rows" has one fit instead and
asks the teacher about the rows that it learnt from. Alpha is 0.5, the temperature 1 where no other
is named. "plain + temperature", one number fitted out of fold, label smoothing and four plain
networks of other seeds are what the same could be had for without a teacher. Each cell is a mean
over the seeds, each with rows of its own, and its difference to the first line of
the block with the 95 % interval of that mean.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from _tables import load
from joblib import Parallel, delayed
from scipy.special import softmax
from scipy.stats import t
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import StratifiedKFold, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import TeacherWarning
from skdistill.students import MLP
from skdistill.targets import fit_temperature

FIT_ROWS, TEST_ROWS, SMOOTHING = 2_000, 4_000, 0.1
TABLES = ("letter", "spoken", "fashion")
BIG, MIDDLE, SMALL = (256, 256), (64,), (12,)
WIDTHS = {"2 x 256": BIG, "1 x 64": MIDDLE, "1 x 12": SMALL}


class Generation:
    """A network, its answers for the test rows and, once asked for, those out of fold."""

    def __init__(self, units, rows, seed, soft_targets=None, **settings):
        self.X, self.y, self.X_test = rows
        self.soft_targets, self.seed = soft_targets, seed
        settings |= {"alpha": 0.0} if soft_targets is None else {}
        net = StudentNet(MLP, module__hidden_units=units, max_epochs=30, batch_size=64)
        self.model = DistilledClassifier(
            student=make_pipeline(StandardScaler(), net),
            device="cpu",
            random_state=seed,
            **settings,
        ).fit(self.X, self.y, soft_targets=soft_targets)
        self.answer = self.model.predict_proba(self.X_test)

    def out_of_fold(self):
        """Return what networks of this recipe say about rows that they did not learn from."""
        folds = StratifiedKFold(5, shuffle=True, random_state=self.seed)
        params = None if self.soft_targets is None else {"soft_targets": self.soft_targets}
        return cross_val_predict(
            self.model, self.X, self.y, cv=folds, method="predict_proba", params=params
        )

    def own_rows(self):
        """Return what the network says about the very rows that it learnt from."""
        return self.model.predict_proba(self.X)


def run(table, folder, seed):
    """Return the answers of all arms by name of the block and of the arm, and the test labels."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y = load_rows(table, folder)
    n_test = min(TEST_ROWS, len(y) - FIT_ROWS)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=FIT_ROWS, test_size=n_test, stratify=y, random_state=seed
    )
    rows = X, y, X_test

    def fit(units, soft_targets=None, shift=0, **settings):
        return Generation(units, rows, seed + shift, soft_targets, **settings)

    plain = {units: fit(units) for units in WIDTHS.values()}
    told = {units: plain[units].out_of_fold() for units in (BIG, SMALL)}
    one_hot = np.eye(told[BIG].shape[1])[y]
    smooth = (1 - SMOOTHING) * one_hot + SMOOTHING / one_hot.shape[1]

    def controls(units):
        scaled = logarithm(plain[units].answer) / fit_temperature(logarithm(told[units]), y)
        return {
            "plain": plain[units].answer,
            "plain + temperature": softmax(scaled, axis=1),
            "label smoothing": fit(units, smooth, alpha=1.0).answer,
        }

    first = fit(BIG, told[BIG])
    second = fit(BIG, first.out_of_fold())
    third = fit(BIG, second.out_of_fold())
    others = [fit(BIG, shift=1000 * i).answer for i in (1, 2, 3)]
    assistant = fit(MIDDLE, told[BIG])
    blocks = {
        "without a teacher": {name: plain[units].answer for name, units in WIDTHS.items()},
        "born again: the big network teaches its equal": {
            **controls(BIG),
            "generation 1, own rows": fit(BIG, plain[BIG].own_rows()).answer,
            "generation 1": first.answer,
            "generation 1, T = 4": fit(BIG, told[BIG], temperature=4.0).answer,
            "generation 2": second.answer,
            "generation 3": third.answer,
            "4 plain networks": np.mean([plain[BIG].answer, *others], axis=0),
            "plain and 3 generations": np.mean(
                [one.answer for one in (plain[BIG], first, second, third)], axis=0
            ),
        },
        "reverse: the small network teaches the big one": {
            "plain": plain[BIG].answer,
            "own rows": fit(BIG, plain[SMALL].own_rows()).answer,
            "out of fold": fit(BIG, told[SMALL]).answer,
            "out of fold, T = 4": fit(BIG, told[SMALL], temperature=4.0).answer,
        },
        "assistant: the big network teaches the small one": {
            **controls(SMALL),
            "direct, own rows": fit(SMALL, plain[BIG].own_rows()).answer,
            "direct": fit(SMALL, told[BIG]).answer,
            "direct, T = 4": fit(SMALL, told[BIG], temperature=4.0).answer,
            "plain middle as the teacher": fit(SMALL, plain[MIDDLE].out_of_fold()).answer,
            "through the middle": fit(SMALL, assistant.out_of_fold()).answer,
        },
    }
    return {
        (block, arm): (
            100 * accuracy_score(y_test, answer.argmax(axis=1)),
            log_loss(y_test, answer),
        )
        for block, arms in blocks.items()
        for arm, answer in arms.items()
    }


def logarithm(probabilities):
    """Return log-probabilities, none of them infinite."""
    return np.log(np.maximum(probabilities, np.finfo(float).tiny))


def load_rows(table, folder):
    """Return a table's rows, an array, and its labels, 0 .. k - 1."""
    if table != "fashion":
        X, y = load(table, folder)
        return X.to_numpy(), y
    with np.load(Path(folder) / "fashion_mnist.npz") as arrays:
        return arrays["X_train"].reshape(-1, 784) / 255, arrays["y_train"].astype(int)


def main():
    """Print a block for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("an interval needs two seeds at least")
    tables = options.table or TABLES
    jobs = [(table, options.data, seed) for table in tables for seed in range(options.seeds)]
    replies = Parallel(options.jobs, return_as="generator")(delayed(run)(*job) for job in jobs)
    found = {}
    for (table, _, seed), reply in zip(jobs, replies, strict=True):
        for (block, arm), values in reply.items():
            found.setdefault(block, {}).setdefault(arm, {}).setdefault(table, []).append(values)
        print(f"# {table}, seed {seed}", file=sys.stderr, flush=True)
    for block, arms in found.items():
        report(block, arms, tables)


def report(block, arms, tables):
    """Print a line for each arm, with accuracy and log-loss on each table."""
    print(f"\n{block}\n{'-' * len(block)}")
    heads = [head for table in tables for head in (f"{table}, accuracy in %", "log-loss")]
    print((" " * 29 + "".join(f"{head:<25}" for head in heads)).rstrip())
    reference = next(iter(arms.values()))
    for arm, values in arms.items():
        line = f"{arm:<29}"
        for table in tables:
            own, first = np.array(values[table]), np.array(reference[table])
            for column, digits in ((0, 1), (1, 3)):
                line += f"{cell(own[:, column], first[:, column], digits):<25}"
        print(line.rstrip(), flush=True)


def cell(own, first, digits):
    """Return the mean, and the interval of its paired difference to the first arm."""
    text = f"{own.mean():.{digits}f}"
    difference = own - first
    if not difference.any():
        return text
    half = t.ppf(0.975, len(own) - 1) * difference.std(ddof=1) / np.sqrt(len(own))
    return f"{text} ({difference.mean():+.{digits}f} ± {half:.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
