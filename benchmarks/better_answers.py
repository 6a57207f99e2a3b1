"""Which answers of a teacher make a better student, and how one of few rows is best trained.

    python benchmarks/better_answers.py --data FOLDER

has three parts, each of which `--part` takes alone. `trees`: boosted trees teach students of the
default recipe on at most 300 rows of each of six tables, with answers from one or three rounds of
cross-fitting, or with rows besides, from trees ("gibbs") or from "spunge": all, a third drawn at
random, and the third that a plain student is least sure of. `net`: a network of four members
teaches on the three tables of ten classes or more by kd and by transformed teacher matching, TTM
and WTTM (Zheng and Yang 2024, arXiv 2402.11148). `few rows`: plain students of 100, 200 and 400
rows and students of a forest of 100 and 200, with another learning rate and more epochs.

A cell is the log-loss on rows that nobody was fitted on, or the accuracy, a mean over the seeds, of
which each has a split of its own; for the others the mean difference to the default with its 95 %
interval (Student's t over the seeds). "all" is the mean change over the tables in per cent, of the
accuracy in points, with its interval over the tables, and how many tables gain. All students have
the temperature that they find on the rows they hold back. Seconds are of the processor: of the
whole fit for trees, of the student alone elsewhere.

`--n-jobs` cells run at a time, each in a process with one thread. `--memory` keeps the cells that
are done, so that a run that was stopped goes on.
"""

import argparse
import sys
import time
import warnings

import numpy as np
import torch
from _tables import TABLES, load, make_teacher
from joblib import Memory, Parallel, delayed
from scipy import stats
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import RepeatedStratifiedKFold, train_test_split
from targets_and_rows import TEST_ROWS, split

from skdistill import DistilledClassifier
from skdistill.exceptions import DistillationWarning
from skdistill.losses import Loss
from skdistill.students import DefaultStudent
from skdistill.targets import teacher_targets
from skdistill.transfer import Gibbs, Spunge

FIT_ROWS = 300
FEW = {"of labels alone": (100, 200, 400), "of a forest": (100, 200)}
MANY_CLASSES = ("letter", "pendigits", "spoken")
DEFAULT = "default"


class TTM(Loss):
    """KL(p_T‖q) for each row, p_T the teacher's p^(1/T) over its sum U, and q as the student says.

    With `by_power_sum` (WTTM) a row counts U times, which is the more the less the teacher is sure.
    """

    def __init__(self, weight=1.0, by_power_sum=False):
        super().__init__(weight)
        self.by_power_sum = by_power_sum

    def rows(self, student_logits, teacher_logits, labels, temperature):
        """Return the loss of each row."""
        powers = teacher_logits.log_softmax(dim=-1) / temperature
        log_p = powers.log_softmax(dim=-1)
        losses = (log_p.exp() * (log_p - student_logits.log_softmax(dim=-1))).sum(dim=-1)
        return powers.exp().sum(dim=-1) * losses if self.by_power_sum else losses


class LeastSure:
    """Of three times as many rows of "spunge" the third that a student is least sure of."""

    def __init__(self, student):
        self.student = student

    def rows(self, X, *, random_state=None):
        """Return as many new rows as X has, those whose answer has the greatest entropy."""
        pool = Spunge(factor=3).rows(X, random_state=random_state)
        entropy = stats.entropy(self.student.predict_proba(pool), axis=1)
        return pool.iloc[np.argsort(-entropy, kind="stable")[: len(X)]]


LEAST_SURE = "spunge, least sure third"
TREES_ARMS = {
    DEFAULT: {},
    "3 rounds of 5 folds": {},
    "gibbs": {"augment": Gibbs(factor=3)},
    "spunge": {"augment": Spunge(factor=3)},
    "spunge, random third": {"augment": Spunge(factor=1)},
    LEAST_SURE: {},
}
LOSSES = {"kd": "kd", "TTM": TTM(), "WTTM": TTM(by_power_sum=True)}
# At temperature 1 all three are kd.
NET_ARMS = {
    DEFAULT: {"loss": "kd", "temperature": 1.0, "alpha": 0.5},
    **{
        f"{name}, T = {temperature:g}, alpha {alpha:g}": {
            "loss": loss,
            "temperature": temperature,
            "alpha": alpha,
        }
        for alpha in (0.5, 0.25)
        for temperature in (1.0, 2.0, 4.0)
        for name, loss in LOSSES.items()
        if (temperature > 1) != (name == "kd" and alpha < 0.5)
    },
}
FEW_ARMS = {
    DEFAULT: {},
    **{
        f"lr x {rate:g}, epochs x {epochs}": {"lr": 0.002 * rate, "max_epochs": 40 * epochs}
        for rate, epochs in ((0.5, 1), (2, 1), (1, 2))
    },
}


def judge(model, X, y, X_test, y_test, **answers):
    """Return log-loss and accuracy of a model on the test rows, and the seconds of its fit."""
    started = time.process_time()
    model.fit(X, y, **answers)
    seconds = time.process_time() - started
    p = model.predict_proba(X_test)
    return log_loss(y_test, p), accuracy_score(y_test, p.argmax(axis=1)), seconds


def run_trees(table, seed, folder, n_rows):
    """Return what `judge` finds of each arm of boosted trees."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DistillationWarning)
    *rows, _ = split(table, folder, seed, n_rows)
    settings = {"device": "cpu", "random_state": seed}
    first = DistilledClassifier(alpha=0, device="cpu", random_state=seed + 100)
    first_seconds = judge(first, *rows)[-1]
    found = {}
    for arm, changes in TREES_ARMS.items():
        model = DistilledClassifier(make_teacher("boosting"), **settings, **changes)
        if arm == LEAST_SURE:
            model.set_params(augment=LeastSure(first))
        elif arm == "3 rounds of 5 folds":
            model.set_params(cv=RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=seed))
        found[arm] = np.array(judge(model, *rows))
    found[LEAST_SURE][-1] += first_seconds
    return found


def run_net(table, seed, folder, n_rows):
    """Return what `judge` finds of each arm of a network that answers out of fold."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DistillationWarning)
    *rows, _ = split(table, folder, seed, n_rows)
    settings = {"device": "cpu", "random_state": seed}
    members = DefaultStudent(module__n_members=4, module__dropout=0.1)
    teacher = DistilledClassifier(student=members, alpha=0, device="cpu")
    answers = teacher_targets(teacher, *rows[:2], random_state=seed)
    return {
        arm: judge(DistilledClassifier(**settings, **changes), *rows, soft_targets=answers)
        for arm, changes in NET_ARMS.items()
    }


def run_few(table, seed, folder, student, size):
    """Return what `judge` finds of each training of a student of few rows."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", DistillationWarning)
    X, y = load(table, folder)
    n_test = min(TEST_ROWS, len(y) - size)
    X, X_test, y, y_test = train_test_split(
        X, y, train_size=size, test_size=n_test, random_state=seed, stratify=y
    )
    settings, answers = {"alpha": 0, "device": "cpu", "random_state": seed}, {}
    if student == "of a forest":
        settings["alpha"] = 0.5
        forest = make_teacher("forest")
        answers["soft_targets"] = teacher_targets(forest, X, y, random_state=seed)
    return {
        arm: judge(
            DistilledClassifier(student=DefaultStudent(**changes), **settings),
            *(X, y, X_test, y_test),
            **answers,
        )
        for arm, changes in FEW_ARMS.items()
    }


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="rows fitted, at most")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    parser.add_argument("--part", action="append", choices=["trees", "net", "few rows"])
    parser.add_argument("--memory", help="folder for the cells that are done")
    options = parser.parse_args()
    tables = options.table or list(TABLES)
    many = [table for table in tables if table in MANY_CLASSES]
    blocks = {
        "trees": [("boosted trees teach", TREES_ARMS, run_trees, tables, (options.rows,))],
        "net": [("a network teaches", NET_ARMS, run_net, many, (options.rows,))],
        "few rows": [
            (f"{size} rows, a student {student}", FEW_ARMS, run_few, tables, (student, size))
            for student, sizes in FEW.items()
            for size in sizes
        ],
    }
    parts = [block for part in options.part or blocks for block in blocks[part] if block[3]]
    cells = [
        (title, work, table, seed, more)
        for seed in range(options.seeds)
        for title, _, work, block_tables, more in parts
        for table in block_tables
    ]
    memory = Memory(options.memory, verbose=0)
    parallel = Parallel(options.n_jobs, batch_size=1, return_as="generator")
    replies = parallel(
        delayed(memory.cache(work))(table, seed, options.data, *more)
        for _, work, table, seed, more in cells
    )
    found = {}
    for (title, _, table, seed, _), reply in zip(cells, replies, strict=True):
        found.setdefault(title, {}).setdefault(table, []).append(reply)
        losses = " ".join(f"{values[0]:.4f}" for values in reply.values())
        seconds = " ".join(f"{values[-1]:.1f}" for values in reply.values())
        print(f"# {title}, {table} {seed}: {losses}, {seconds} s", file=sys.stderr, flush=True)
    for title, arms, *_ in parts:
        report(title, arms, found[title], 0, "log-loss")
        if arms is NET_ARMS:
            report(title, arms, found[title], 1, "accuracy")


def report(title, arms, replies, position, measure):
    """Print a line for each arm, a column for each table.

    Parameters
    ----------
    title : str
    arms : iterable of str
    replies : dict of str to list of dict
        By table, then by seed, what is found of each arm.
    position : int
        Of the measure in what is found.
    measure : {"log-loss", "accuracy"}
    """
    name = f"{title}: {measure}"
    print(f"\n{name}\n{'-' * len(name)}")
    width = 18 if max(map(len, replies.values())) > 1 else 11  # with and without an interval
    head = "".join(f"{table:<{width}}" for table in replies)
    print(f"{'':<26}{head}{'all, per cent':<22}seconds")
    for arm in arms:
        line, changes, seconds = "", [], []
        for seeds in replies.values():
            default = np.array([reply[DEFAULT][position] for reply in seeds])
            differences = np.array([reply[arm][position] for reply in seeds]) - default
            changes.append(100 * np.mean(differences / (default if measure == "log-loss" else 1)))
            seconds.append(np.mean([reply[arm][-1] for reply in seeds]))
            cell = f"{differences.mean():+.4f}{half_width(differences, 4)}"
            shown = f"{default.mean():.4f}" if arm == DEFAULT else cell
            line += f"{shown:<{width}}"
        gains = np.sum(np.array(changes) * (-1 if measure == "log-loss" else 1) > 0)
        overall = f"{np.mean(changes):+.1f}{half_width(changes, 1)}, {gains} of {len(changes)}"
        line += f"{'' if arm == DEFAULT else overall:<22}"
        print(f"{arm:<26}{line}{np.mean(seconds):.1f}")


def half_width(values, digits):
    """Return half of the 95 % interval of a mean, by Student's t; of one value there is none."""
    if len(values) < 2:
        return ""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f" +- {half:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main())
