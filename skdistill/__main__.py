"""The command line: `python -m skdistill demo` distils a teacher and reports."""

import argparse
import sys
import time
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import torch
from sklearn.compose import make_column_transformer
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

NUMBERS = ["number", "bool"]
"""The columns of a table that are no text."""

GAPS = ["?"]
"""What stands for a gap in a table, besides what pandas knows."""

MAX_CLASSES = 100

MIN_ROWS = 5
"""Rows of each label: a fifth of the rows are test rows, and five folds cross-fit the teacher."""

SHOWN = 10
"""The names or labels that a message lists at most."""


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
    columns = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            _strings_with_values,
        ),
        ("passthrough", _numbers_with_values),
    )
    return make_pipeline(columns, HistGradientBoostingClassifier())


def _strings_with_values(X):
    return _with_values(X.select_dtypes(exclude=NUMBERS))


def _numbers_with_values(X):
    return _with_values(X.select_dtypes(include=NUMBERS))


def _with_values(X):
    # The trees cannot bin a column of gaps, and an almost empty one may be that in a fold.
    return X.columns[X.notna().mean() > 1e-3].tolist()


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
    if not 0 <= options.seed < 2**32:
        demo.error(f"--seed must lie in [0, {2**32 - 1}], got {options.seed}")
    return options


def _load(options):
    if options.data is None:
        X, y = load_digits(return_X_y=True)
        return _split(X, y, options.seed)
    X, y = _read(options.data, options.target)
    _check_labels(y, options)
    parts = _split(X, y, options.seed) if options.test is None else _read_test(X, y, options)
    empty = parts[0].columns[parts[0].isna().all()].tolist()
    if empty:
        raise ValueError(
            f"{options.data} has no value in the columns {_listed(empty)} of its training rows; "
            f"expected columns with values. Remove these."
        )
    return parts


def _split(X, y, seed):
    return train_test_split(X, y, test_size=0.2, random_state=seed, stratify=y)


def _read(path, target, text=()):
    """Read the rows of a table that have a label, and the labels.

    Parameters
    ----------
    path : Path
    target : str
        The column of the labels.
    text : sequence of str, default=()
        Columns that hold text, whatever it looks like.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        When the file is no such table.
    """
    table = _read_csv(path, text)
    if target not in table:
        close = get_close_matches(target, table.columns, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        if len(table.columns) == 1:
            hint = " Its fields must be separated by commas."
        raise ValueError(
            f"{path} has no column {target!r}; it has {_listed(table.columns)}. --target must name "
            f"one of the columns, and the first line of the file all of them.{hint}"
        )
    if len(table.columns) == 1:
        raise ValueError(
            f"{path} has no column but the target {target!r}; expected others to tell the labels "
            f"from. Add them to the file."
        )
    labelled = table[target].notna()
    if not labelled.any():
        raise ValueError(
            f"The column {target!r} of {path} holds no label; expected one in each row that is to "
            f"be used. Fill it, or name another column as --target."
        )
    if not labelled.all():
        print(f"{path.name}: {(~labelled).sum()} rows without a label are left out")
        table = table[labelled]
    y = table[target].infer_objects()
    if y.dtype == object:  # strings in older pandas, or integers of any length
        y = y.astype(str)
    X = table.drop(columns=target)
    X = X.apply(lambda c: c.astype("category") if c.name in text else _as_numbers_or_categories(c))
    infinite = np.isinf(X.select_dtypes("number")).any()
    if infinite.any():
        raise ValueError(
            f"{path} has infinite numbers in the columns {_listed(infinite.index[infinite])}; "
            f"expected finite ones. Leave these fields empty, as gaps, or write other numbers."
        )
    return X, y.to_numpy()


def _read_csv(path, text):
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("--data needs pandas: pip install 'skdistill[demo]'") from error
    try:
        # Read in one piece: in chunks, a column may be numbers in one and text in the next.
        kinds = dict.fromkeys(text, str)
        table = pd.read_csv(path, na_values=GAPS, low_memory=False, dtype=kinds)
        names = pd.read_csv(path, header=None, nrows=1, dtype=str).iloc[0].dropna()
    except Exception as error:  # whatever pandas, gzip and the codecs raise for other files
        if isinstance(error, OSError) and error.strerror:
            raise ValueError(
                f"{path} cannot be read ({error.strerror}); expected a .csv or .csv.gz file. Check "
                f"its name and its rights."
            ) from error
        raise ValueError(
            f"{path} cannot be read ({str(error).strip()}); expected a table in UTF-8, .csv or "
            f".csv.gz, with commas between the fields and the names of the columns in the first "
            f"line. Save the table anew in this way."
        ) from error
    twice = names[names.duplicated()].unique()
    if len(twice):
        raise ValueError(
            f"{path} has several columns of the name(s) {_listed(twice)}; expected different "
            f"names. Rename or remove them."
        )
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(
            f"{path} has more fields in its rows than its first line has names; expected a name "
            f"for each. Add the missing names, or remove the commas at the ends of the rows."
        )
    return table


def _read_test(X, y, options):
    """Read the test rows as the training rows X and their labels y were read, and return all."""
    text = X.select_dtypes("category").columns.tolist()
    labels = [options.target] if y.dtype == object else []
    X_test, y_test = _read(options.test, options.target, text + labels)
    if set(X_test.columns) != set(X.columns):
        lacking, more = X.columns.difference(X_test.columns), X_test.columns.difference(X.columns)
        raise ValueError(
            f"{options.test} has other columns than {options.data}: it lacks {_listed(lacking)} "
            f"and has {_listed(more)} besides; expected the same names. Rename, add or remove "
            f"columns."
        )
    X_test = X_test[X.columns]
    for name in X_test.select_dtypes("category").columns.difference(text):
        odd = _first_text(X_test[name].dropna())
        raise ValueError(
            f"The column {name!r} of {options.test} holds text ({odd!r}) and that of "
            f"{options.data} numbers; expected the same kind. Leave such fields empty, as gaps, or "
            f"write numbers."
        )
    unknown = ~np.isin(y_test, y)
    if unknown.any():
        raise ValueError(
            f"{options.test} has {unknown.sum()} row(s) with labels that {options.data} lacks, "
            f"such as {y_test[unknown].tolist()[0]!r}; expected {_listed(np.unique(y).tolist())}. "
            f"Correct or remove these rows, or add rows with such labels to {options.data}."
        )
    return X, X_test, y, y_test


def _check_labels(y, options):
    """Refuse a target that holds no labels of a few classes, or too few rows of one."""
    start = f"The column {options.target!r} of {options.data} holds"
    labels, counts = np.unique(y, return_counts=True)
    whole = np.isfinite(labels) & (labels == np.rint(labels)) if labels.dtype.kind == "f" else True
    if not np.all(whole):
        raise ValueError(
            f"{start} {labels[~whole][0]:g}, which is no whole number; expected labels. Name "
            f"another column as --target; for numbers there is DistilledRegressor."
        )
    if not 2 <= len(labels) <= MAX_CLASSES:
        raise ValueError(
            f"{start} {len(labels)} different value(s); expected the labels of 2 to {MAX_CLASSES} "
            f"classes. Name another column as --target, or merge classes; for numbers there is "
            f"DistilledRegressor."
        )
    if counts.min() < MIN_ROWS:
        rare = labels[counts < MIN_ROWS].tolist()
        raise ValueError(
            f"{start} {counts.min()} row(s) of the label {labels.tolist()[np.argmin(counts)]!r}; "
            f"expected at least {MIN_ROWS} of each label. Leave the rows of {_listed(rare)} out, "
            f"or merge these labels with others."
        )


def _as_numbers_or_categories(column):
    """Return a column of numbers, with NaN for gaps, where all values are such; else categories."""
    from pandas.api.types import infer_dtype

    kind = infer_dtype(column, skipna=True)
    if column.dtype != object and kind != "string":
        return column
    if kind == "boolean":  # with gaps
        return column.astype(float)
    texts = column.dropna().astype(str)
    if _first_text(texts) is None:  # integers of any length, or gaps alone
        return texts.map(float).astype(float).reindex(column.index)
    return column.astype("category")  # a part of it with gaps alone is still no numbers


def _first_text(texts):
    """Return the first text that is no number, None if all are."""
    for text in texts:
        try:
            float(text)
        except ValueError:
            return text
    return None


def _listed(names):
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{names[:SHOWN]}{more}"


if __name__ == "__main__":
    sys.exit(main())
