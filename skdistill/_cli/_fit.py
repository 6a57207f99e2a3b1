"""`skdistill fit`: a student of all rows of a table, saved in a file."""

import time

import torch

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill._cli._tables import read_all
from skdistill._cli._teachers import find_teacher, name_of
from skdistill.deployment import save
from skdistill.deployment._files import new_file
from skdistill.deployment._save import SUFFIX


def run(options):
    """Fit a student and save it."""
    path = new_file(options.output, SUFFIX)
    X, y = read_all(options)
    teacher = find_teacher(options)
    print(f"{options.data.name}: {len(y)} rows, {X.shape[1]} columns\nTeacher: {name_of(teacher)}")
    started = time.perf_counter()
    model = make_model(teacher, options, verbose=2 if options.verbose else 1).fit(X, y)
    save(model, path, metadata={"target": options.target})
    took = time.perf_counter() - started
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB, {took:.0f} s")
    print(
        f"Next: `skdistill predict {path} new.csv` answers other rows, and `skdistill report` with "
        f"this table and target says how good such a student is."
    )


def make_model(teacher, options, **settings):
    """Return what learns from a teacher as the words say, and otherwise by the settings."""
    # Two threads gain nothing for a net this small, and wait for each other on a busy machine.
    torch.set_num_threads(1)
    kind = DistilledRegressor if options.regression else DistilledClassifier
    settings = {"n_jobs": 2, "random_state": options.seed, "verbose": 1, **settings}
    model = kind(teacher, **settings)
    return model if options.alpha is None else model.set_params(alpha=options.alpha)
