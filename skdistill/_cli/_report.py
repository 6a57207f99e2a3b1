"""`skdistill report` and `skdistill demo`: teacher and students side by side."""

import time
from argparse import Namespace

import numpy as np
from sklearn.datasets import load_digits

from skdistill import evaluation
from skdistill._cli._fit import make_model
from skdistill._cli._tables import Parts, hold_out, read_parts
from skdistill._cli._teachers import digits_teacher, find_teacher, name_of


def run(options: Namespace) -> None:
    """Print the report of a recipe on held-out rows."""
    is_table = options.data is not None
    if is_table:
        parts, teacher = read_parts(options), find_teacher(options)
    else:
        X, y = load_digits(return_X_y=True)
        parts, teacher = Parts(*hold_out(X, y, options)), digits_teacher()
    X_train, X_test, y_train, y_test, held_back = parts
    name = options.data.name if is_table else "the digits of scikit-learn"
    what = "" if options.regression else f", {len(np.unique(y_train))} classes"
    held = "" if held_back is None else f", {len(held_back[1])} for the cascade"
    print(
        f"{name}: {len(y_train)} training rows, {len(y_test)} test rows{held}{what}\n"
        f"Teacher: {name_of(teacher)}\n"
    )
    started = time.perf_counter()
    model = make_model(teacher, options)
    report = evaluation.distillation_report(
        model, X_train, y_train, X_test, y_test, n_seeds=options.n_seeds, cascade=held_back
    )
    print(f"\n{report}\n\n{time.perf_counter() - started:.0f} s in all")
    if getattr(options, "html", None) is not None:
        report.to_html(options.html)
        print(f"{options.html}: the report as a page")
