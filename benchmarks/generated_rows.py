"""Who labels generated rows: one teacher that saw their parents, or clones that did not.

    python benchmarks/generated_rows.py --data FOLDER

fits students of the default recipe on at most 2,000 rows of each table, out-of-fold targets on
these, and three rows of "spunge" for each: none; labelled by the teacher that was fitted on all
rows, as whoever hands them over as X_unlabeled has it; or with `augment`, which labels each by the
clone that saw none of its parents. A cell is the log-loss on test rows. The last line of a block
has the difference of the two ways, plus and minus two standard errors, over the test rows or over
the seeds, whichever is greater. Behind it stands the held-back log-loss that chose the epoch, at
alpha 0.5.
"""

import argparse
import sys
import tempfile
import warnings

import numpy as np
import torch
from _tables import TABLES, make_teacher
from joblib import Parallel, delayed
from targets_and_rows import FIT_ROWS, difference, split, terms

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning
from skdistill.transfer import Spunge

ALPHAS = (0.5, 0.9, 1.0)
NONE, ONE, APART = "none", "by one teacher", "out of fold"
TEACHERS = ("boosting", "forest")


def run(table, teacher, seed, folder, n_rows):
    """Return the terms of each way and alpha, and the held-back log-loss."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    X, y, X_test, y_test, _ = split(table, folder, seed, n_rows)
    spunge = Spunge(factor=3)
    ways = {
        APART: ({"augment": spunge}, {}),
        ONE: ({}, {"X_unlabeled": spunge.rows(X, random_state=seed)}),
        NONE: ({}, {}),
    }
    found = {}
    with tempfile.TemporaryDirectory() as memory:
        for way, (settings, more) in ways.items():
            model = DistilledClassifier(make_teacher(teacher), device="cpu", memory=memory)
            for alpha in ALPHAS:
                model.set_params(alpha=alpha, random_state=seed, **settings).fit(X, y, **more)
                held_back = min(epoch["valid_loss"] for epoch in model.history_)
                found[way, alpha] = terms(y_test, model.predict_proba(X_test)), held_back
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=FIT_ROWS, help="rows fitted, at most")
    parser.add_argument("--n-jobs", type=int, default=2, help="processes")
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()
    kinds = [(table, teacher) for table in options.table or TABLES for teacher in TEACHERS]
    cells = [(*kind, seed) for kind in reversed(kinds) for seed in range(options.seeds)]
    parallel = Parallel(options.n_jobs, batch_size=1, return_as="generator")
    replies = parallel(delayed(run)(*cell, options.data, options.rows) for cell in cells)
    found = {}
    for cell, reply in zip(cells, replies, strict=True):
        found[cell] = reply
        print(f"# {cell}", file=sys.stderr, flush=True)
    head = "".join(f"alpha {alpha:<18}" for alpha in ALPHAS)
    print(f"{'table':<12}{'teacher':<10}{'generated rows':<16}{head}held back")
    for kind in kinds:
        report(kind, [found[*kind, seed] for seed in range(options.seeds)])


def report(kind, seeds):
    """Print the lines of a table and a teacher."""
    for way in (NONE, ONE, APART):
        table, teacher = kind if way == NONE else ("", "")
        texts = []
        for alpha in ALPHAS:
            rows = [found[way, alpha][0] for found in seeds]
            texts.append(f"{np.mean([values.mean() for values in rows]):.3f}")
            if way == APART:
                texts[-1] += difference(rows, [found[ONE, alpha][0] for found in seeds])
        held_back = np.mean([found[way, ALPHAS[0]][1] for found in seeds])
        cells = "".join(f"{text:<24}" for text in texts)
        print(f"{table:<12}{teacher:<10}{way:<16}{cells}{held_back:.3f}")


if __name__ == "__main__":
    sys.exit(main())
