"""Rows that nobody labelled: generated in seven ways, real ones, and none at all.

    python benchmarks/made_rows.py --data FOLDER

distils a forest of 100 trees into the default student, with 1,000 labelled rows and alpha 0.9. Each
generator makes 3 rows for each labelled one, within the folds where it is not "fitted on all rows".
The real unlabelled rows are as many. Below the teacher there is no row at hand: it was fitted on
the labelled rows, and the student learns from 3,000 rows that a `SchemaSampler` makes, of each
column's least and greatest value, of its deciles, or of the teacher's own thresholds, with alpha 1
and without labels. "in 3 rounds" draws 1,000 rows by deciles, and then twice those 1,000 of 10,000
of which teacher and student differ most.

A cell is the log-loss on test rows and its difference to the student without generated rows, plus
and minus two standard errors, over the test rows or over the seeds, whichever is greater; "-" is a
gain that the interval shows, "+" a loss. Behind it stands the accuracy.
"""

import argparse
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd
import torch
from _tables import TABLES, load, make_teacher
from scipy.special import rel_entr
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import StratifiedShuffleSplit
from targets_and_rows import TEST_ROWS, difference, terms

from skdistill import DistilledClassifier
from skdistill.exceptions import TeacherWarning
from skdistill.transfer import VAE, Gibbs, Munge, Sampler, SchemaSampler, Spunge

FIT_ROWS, FACTOR = 1_000, 3
SHOWN = ("adult", "bank", "pendigits")
NONE, TEACHER = "no generated rows", "the teacher"
GIVEN = ("spunge", "munge", "gibbs", "mixture", "vae", "vae, fitted on all rows", "real rows")
ALONE = ("ranges", "deciles", "in 3 rounds", "thresholds")
WAYS = (NONE, *GIVEN, TEACHER, *ALONE)


def make_forest():
    """Return an unfitted teacher."""
    return make_teacher("forest").set_params(randomforestclassifier__n_estimators=100)


def split(table, folder, seed):
    """Return labelled rows, as many times FACTOR without labels, and test rows."""
    X, y = load(table, folder)
    cut = StratifiedShuffleSplit(1, train_size=FIT_ROWS, test_size=TEST_ROWS, random_state=seed)
    fit, test = next(cut.split(X, y))
    rest = np.setdiff1d(np.arange(len(y)), np.append(fit, test))
    more = np.random.default_rng(seed).permutation(rest)[: FACTOR * FIT_ROWS]
    return X.iloc[fit], y[fit], X.iloc[more], X.iloc[test], y[test]


def fit_more(way, X, y, X_more, seed, memory):
    """Return a student that learns labelled rows and those of one way."""
    augment = {
        "spunge": Spunge(FACTOR),
        "munge": Munge(FACTOR),
        "gibbs": Gibbs(FACTOR),
        "mixture": Sampler(GaussianMixture(8), FACTOR),
        "vae": Sampler(VAE(), FACTOR),
    }.get(way)
    if way == "vae, fitted on all rows":
        augment = Sampler(VAE(random_state=seed).fit(X), FACTOR)
    settings = {"device": "cpu", "memory": memory, "random_state": seed}
    model = DistilledClassifier(make_forest(), alpha=0.9, augment=augment, **settings)
    return model.fit(X, y, X_unlabeled=X_more if way == "real rows" else None)


def describe(X, n_bins):
    """Return a schema of a table: of each column its categories, or so many bins of its numbers."""
    schema = {}
    for name, column in X.items():
        values = column.dropna()
        if pd.api.types.is_numeric_dtype(column):
            edges = np.quantile(values, np.linspace(0, 1, n_bins + 1))
            schema[name] = tuple(edges.tolist())
        else:
            schema[name] = values.tolist() if n_bins > 1 else sorted(set(values))
    return schema


def learn(teacher, rows, seed):
    """Return a student of the teacher alone."""
    model = DistilledClassifier(teacher, alpha=1, device="cpu", random_state=seed)
    return model.fit(rows, None)


def learn_in_rounds(teacher, sampler, seed, n_rounds=3, n_rows=FIT_ROWS):
    """Return a student that is shown, round by round, rows of which it differs most."""
    rows = sampler.sample(n_rows, random_state=seed)
    for i in range(1, n_rounds):
        student = learn(teacher, rows, seed)
        more = sampler.sample(10 * n_rows, random_state=seed + 1000 * i)
        p, q = teacher.predict_proba(more), student.predict_proba(more)
        worst = rel_entr(p, np.maximum(q, 1e-9)).sum(axis=1).argsort()[-n_rows:]
        rows = pd.concat([rows, more.iloc[worst]], ignore_index=True)
    return learn(teacher, rows, seed)


def fit_alone(way, teacher, X, seed):
    """Return a student of the teacher alone; None where its thresholds are not those of columns."""
    if way == "in 3 rounds":
        return learn_in_rounds(teacher, SchemaSampler(describe(X, 10)), seed)
    if way == "thresholds":
        if not all(map(pd.api.types.is_numeric_dtype, X.dtypes)):
            return None
        bins = SchemaSampler.from_teacher(teacher[-1]).schema
        schema = dict(zip(X.columns, bins, strict=True))
    else:
        schema = describe(X, 10 if way == "deciles" else 1)
    rows = SchemaSampler(schema).sample(FACTOR * FIT_ROWS, random_state=seed)
    return learn(teacher, rows, seed)


def run(table, seed, folder, ways):
    """Return the terms and the hits of each way, on the same test rows."""
    X, y, X_more, X_test, y_test = split(table, folder, seed)
    teacher, found = make_forest().fit(X, y), {}
    with tempfile.TemporaryDirectory() as memory:
        for way in ways:
            if way == TEACHER:
                model = teacher
            elif way in ALONE:
                model = fit_alone(way, teacher, X, seed)
            else:
                model = fit_more(way, X, y, X_more, seed, memory)
            if model is not None:
                p = model.predict_proba(X_test)
                found[way] = terms(y_test, p), p.argmax(axis=1) == y_test
            done = f"# {table} {seed} {way}: {time.process_time():.0f} s"
            print(done, file=sys.stderr, flush=True)
    return found


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with the tables")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--table", action="append", choices=TABLES, help="may be repeated")
    parser.add_argument("--way", action="append", choices=WAYS, help="may be repeated")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", TeacherWarning)
    tables = options.table or SHOWN
    ways = options.way or WAYS
    found = {
        table: [run(table, seed, options.data, ways) for seed in range(options.seeds)]
        for table in tables
    }
    print(f"{'rows':<25}" + "".join(f"{table:<32}" for table in tables).rstrip())
    for way in ways:
        cells = [cell(found[table], way) for table in tables]
        print(f"{way:<25}" + "".join(f"{text:<32}" for text in cells).rstrip())


def cell(seeds, way):
    """Return the log-loss, the interval of its difference, and the accuracy."""
    if way not in seeds[0]:
        return "-"
    rows, hits = ([one[way][i] for one in seeds] for i in (0, 1))
    apart = difference(rows, [one[NONE][0] for one in seeds]) if way != NONE else ""
    accuracy = f"{np.mean([one.mean() for one in hits]):.3f}"[1:]
    return f"{np.mean([one.mean() for one in rows]):.3f}{apart:<19} {accuracy}"


if __name__ == "__main__":
    sys.exit(main())
