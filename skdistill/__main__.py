"""The command line: `python -m skdistill demo` distils a teacher and reports."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import SVC

import skdistill
from skdistill import DistilledClassifier
from skdistill.evaluation import distillation_report

GAPS = ["?"]
"""What stands for a gap in a table, besides what pandas knows."""

MAX_CLASSES = 100


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, default=None
        Words after the program's name; None takes those of the process.

    Returns
    -------
    int
        The exit status: 0, or 2 when the table cannot be used.
    """
    options = _parse(arguments)
    try:
        X_train, X_test, y_train, y_test = _load(options)
    except (OSError, ValueError, ImportError) as error:
        print(f"skdistill demo: {error}", file=sys.stderr)
        return 2
    teacher = digits_teacher() if options.data is None else table_teacher()
    name = "the digits of scikit-learn" if options.data is None else options.data.name
    print(
        f"{name}: {len(y_train)} training rows, {len(y_test)} test rows, "
        f"{len(np.unique(y_train))} classes"
    )
    steps = teacher if isinstance(teacher, Pipeline) else [teacher]
    print(f"Teacher: {', '.join(type(step).__name__ for step in steps)}\n")
    # Two threads gain nothing for a net this small, and wait for each other on a busy machine.
    torch.set_num_threads(1)
    started = time.perf_counter()
    model = DistilledClassifier(teacher, n_jobs=2, random_state=options.seed, verbose=1)
    if options.alpha is not None:
        model.set_params(alpha=options.alpha)
    report = distillation_report(model, X_train, y_train, X_test, y_test, n_seeds=options.n_seeds)
    print(f"\n{report}\n\n{time.perf_counter() - started:.0f} s in all")
    return 0


def digits_teacher():
    """Return a stack of three kinds of models, strong on small pictures."""
    return StackingClassifier(
        [
            ("trees", ExtraTreesClassifier(300)),
            ("neighbours", KNeighborsClassifier(5)),
            ("margins", SVC(C=10)),
        ],
        LogisticRegression(max_iter=1000),
    )


def table_teacher():
    """Return boosted trees that read numbers, strings and gaps."""
    strings = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            make_column_selector(dtype_exclude=["number", "bool"]),
        ),
        remainder="passthrough",
    )
    return make_pipeline(strings, HistGradientBoostingClassifier())


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m skdistill", description=skdistill.__doc__)
    parser.add_argument("--version", action="version", version=skdistill.__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="distil a strong teacher and print the report")
    demo.add_argument("--data", type=Path, help="a table of your own: .csv or .csv.gz, with header")
    demo.add_argument("--target", help="the column of --data that holds the labels")
    demo.add_argument("--test", type=Path, help="test rows; otherwise a fifth of --data")
    demo.add_argument("--alpha", type=float, help="weight of the teacher (default: 0.5)")
    demo.add_argument("--n-seeds", type=int, default=1, help="fits of each student (default: 1)")
    demo.add_argument("--seed", type=int, default=0, help="random state (default: 0)")
    options = parser.parse_args(arguments)
    if (options.data is None) != (options.target is None):
        demo.error("--data and --target go together")
    if options.test is not None and options.data is None:
        demo.error("--test needs --data and --target")
    if options.alpha is not None and not 0 <= options.alpha <= 1:
        demo.error(f"--alpha must lie in [0, 1], got {options.alpha}")
    if options.n_seeds < 1:
        demo.error(f"--n-seeds must be at least 1, got {options.n_seeds}")
    return options


def _load(options):
    if options.data is None:
        X, y = load_digits(return_X_y=True)
    else:
        X, y = _read(options.data, options.target)
        if options.test is not None:
            X_test, y_test = _read(options.test, options.target)
            if list(X_test.columns) != list(X.columns):
                raise ValueError(
                    f"{options.test} has other columns than {options.data}; expected "
                    f"{list(X.columns)}, got {list(X_test.columns)}."
                )
            return X, X_test, y, y_test
    counts = np.unique(y, return_counts=True)[1]
    stratify = y if counts.min() >= 2 else None
    return train_test_split(X, y, test_size=0.2, random_state=options.seed, stratify=stratify)


def _read(path, target):
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("--data needs pandas: pip install 'skdistill[demo]'") from error
    table = pd.read_csv(path, na_values=GAPS)
    if target not in table:
        raise ValueError(f"{path} has no column {target!r}; it has {list(table.columns)}.")
    unlabelled = int(table[target].isna().sum())
    if unlabelled:
        print(f"{path.name}: {unlabelled} rows without a label are left out")
        table = table[table[target].notna()]
    n_classes = table[target].nunique()
    if not 2 <= n_classes <= MAX_CLASSES:
        raise ValueError(
            f"The column {target!r} of {path} holds {n_classes} different values; expected the "
            f"labels of 2 to {MAX_CLASSES} classes."
        )
    return table.drop(columns=target), table[target].to_numpy()


if __name__ == "__main__":
    sys.exit(main())
