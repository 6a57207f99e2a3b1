"""`skdistill report` and `skdistill demo`: teacher and students side by side."""

import time
from argparse import Namespace

import numpy as np

from skdistill import evaluation
from skdistill._cli._demo import SETTINGS, digits_parts
from skdistill._cli._fit import make_model
from skdistill._cli._tables import read_parts
from skdistill._cli._teachers import digits_teacher, find_teacher, name_of
from skdistill.evaluation._displays._base import check_axes
from skdistill.evaluation._report._html import check_place

PICTURES = [".png", ".svg", ".pdf"]


def run(options: Namespace) -> None:
    """Print the report of a recipe on held-out rows."""
    if options.html is not None:
        check_place(options.html, "page")
    if options.picture is not None:
        _check_picture(options.picture)
    if options.data is not None:
        parts, teacher, settings = read_parts(options), find_teacher(options), {}
        name = options.data.name
    else:
        parts, teacher, settings = digits_parts(options), digits_teacher(), SETTINGS
        name = "the digits of scikit-learn"
    X_train, X_test, y_train, y_test, held_back, more = parts
    what = "" if options.regression else f", {len(np.unique(y_train))} classes"
    held = "" if held_back is None else f", {len(held_back[1])} for the cascade"
    without = "" if more is None else f" and {len(more)} without labels"
    print(
        f"{name}: {len(y_train)} training rows{without}, {len(y_test)} test rows{held}{what}\n"
        f"Teacher: {name_of(teacher)}\n"
    )
    started = time.perf_counter()
    report = evaluation.distillation_report(
        make_model(teacher, options, **settings),
        X_train,
        y_train,
        X_test,
        y_test,
        X_unlabeled=more,
        n_seeds=options.n_seeds,
        cascade=held_back,
    )
    print(f"\n{report}\n\n{time.perf_counter() - started:.0f} s in all")
    if options.html is not None:
        report.to_html(options.html)
        print(f"{options.html}: the report as a page")
    if options.picture is not None:
        evaluation.ReportDisplay(report).plot().figure_.savefig(options.picture, dpi=150)
        print(f"{options.picture}: its arms as a picture")


def _check_picture(path):
    """Refuse a picture that cannot be drawn, or not where it is wanted."""
    check_axes(None, "--picture")
    check_place(path, "picture")
    if path.suffix.lower() not in PICTURES:
        raise ValueError(
            f"--picture {path} ends in {path.suffix!r}; expected one of {', '.join(PICTURES)}. "
            f"Name it {path.with_suffix('.png')}."
        )
