"""Tables of files: read as teachers and students take them, or refused by what is wrong."""

from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from skdistill._cascade_threshold import check_enough_rows
from skdistill._words import shorten
from skdistill.deployment._bundle._serve import GAPS_OF_TABLES, NUMBER
from skdistill.deployment._onnx._steps import spellings

NUMBERS = ["number", "bool"]
"""The columns of a table that are no text."""

MAX_CLASSES = 100

MIN_ROWS = 5
"""Rows of each label: a fifth of the rows are test rows, and five folds cross-fit the teacher."""

SHOWN = 10
"""The names or labels that a message lists at most."""


class ReportRows(NamedTuple):
    """The rows of a report.

    Attributes
    ----------
    X_train, X_test : DataFrame
    y_train, y_test : ndarray
    held_back : tuple (X, y) or None
        For a cascade, where one was asked for.
    more : ndarray or None
        Rows without labels.
    """

    X_train: object
    X_test: object
    y_train: object
    y_test: object
    held_back: tuple | None = None
    more: object = None


def read_parts(options):
    """Read a table, and hold rows out for the test and the cascade or read them from other files.

    Parameters
    ----------
    options : Namespace
        With data, target, test, cascade, seed and regression.

    Returns
    -------
    ReportRows

    Raises
    ------
    ValueError
        When the files hold something else than is wanted.
    """
    X, y = _read(options.data, options.target)
    _check_target(y, options)
    cascade, held_back = getattr(options, "cascade", None), None
    n_held = round(cascade * len(y)) if isinstance(cascade, float) else 0
    if options.test is None:
        X_train, X_test, y_train, y_test = hold_out(X, y, options)
    else:
        X_train, y_train = X, y
        X_test, y_test = _read_more(options.test, X, y, options)
    if n_held:
        X_train, X_held, y_train, y_held = hold_out(X_train, y_train, options, n_held)
        held_back = X_held, y_held
    elif cascade is not None:
        held_back = _read_more(cascade, X, y, options)
    if held_back is not None:
        advice = "Hold more rows back: a greater share, or a larger file."
        name = f"What --cascade {cascade} holds back"
        # They bring torch, which the other commands do without.
        from skdistill.evaluation._bootstrap import CONFIDENCE
        from skdistill.evaluation._verdict import MARGIN

        check_enough_rows(name, len(held_back[1]), MARGIN, CONFIDENCE, advice)
    _refuse_empty(X_train, options, " of its training rows")
    return ReportRows(X_train, X_test, y_train, y_test, held_back)


def read_all(options):
    """Read all rows of a table, and their labels or numbers; see `read_parts`."""
    X, y = _read(options.data, options.target)
    _check_target(y, options)
    _refuse_empty(X, options)
    return X, y


def hold_out(X, y, options, test_size=0.2):
    """Hold a fifth of the rows out, or so many."""
    stratify = None if options.regression else y
    return train_test_split(X, y, test_size=test_size, random_state=options.seed, stratify=stratify)


def read_rows(path, summary, target=None):
    """Read rows for a student, as those that it has learnt from.

    Parameters
    ----------
    path : Path
    summary : FileSummary
        What its file says of it. Where that names no columns, the student reads all that are there.
    target : str, default=None
        A column of labels, or numbers; rows without one are left out.

    Returns
    -------
    X : DataFrame
        With the columns of the student, in their order.
    y : ndarray of shape (n_samples,) or None
    """
    columns = summary.columns
    names = wanted = [column["name"] for column in columns or []]
    has_names = columns is not None and all(isinstance(name, str) for name in names)
    if not has_names:  # they count by position
        wanted = [name for name in _read_csv(path, ()).columns if name != target]
        if columns is not None and len(wanted) != len(columns):
            raise ValueError(
                f"{path} has {len(wanted)} columns; expected {len(columns)} in the order in which "
                f"the student has learnt from them, for they had no names. Remove or add columns."
            )
    known = {
        name: column["categories"]
        for name, column in zip(wanted, columns or [], strict=columns is not None)
        if column["kind"] == "category"
    }
    gaps = {name: _gaps_beside(known.get(name, ())) for name in wanted}
    text = list(known)
    if target is None:
        table, y = _read_csv(path, text, gaps), None
    else:
        labels = summary.classes or []
        gaps[target] = _gaps_beside(labels)
        text += [target] * any(isinstance(label, str) for label in labels)
        table, y = _read(path, target, text, gaps)
    if columns is None:
        return _with_kinds(table, path), y
    lacking = [name for name in wanted if name not in table]
    if lacking:
        raise ValueError(
            f"{path} lacks the columns {_listed(lacking)}, which the student has learnt from; "
            f"expected {_listed(wanted)}, in any order. Add them; fields may be empty, as gaps."
        )
    spelt = {
        name: table[name].astype(object).replace(_other_spellings(categories))
        for name, categories in known.items()
    }
    X = _with_kinds(table[wanted].assign(**spelt), path, known)
    for name in X.select_dtypes("category").columns.difference(list(known)):
        odd = _first_text(X[name].dropna())
        raise ValueError(
            f"The column {name!r} of {path} holds text ({shorten(odd)}), where the student has "
            "learnt from numbers; expected the same kind. Leave such fields empty, or write "
            "numbers."
        )
    return (X if has_names else X.set_axis(names, axis=1)), y


def _gaps_beside(known):
    """Return what stands for a gap where some values are known, none of these."""
    return [gap for gap in GAPS_OF_TABLES if gap not in known]


def _other_spellings(categories):
    """Return the category for each other way to write it, such as 3.0 for 3."""
    found = {text: categories[i] for text, i in spellings(categories).items() if i >= 0}
    return {text: name for text, name in found.items() if name not in (text, None)}


def _refuse_empty(X, options, where=""):
    empty = X.columns[X.isna().all()].tolist()
    if empty:
        raise ValueError(
            f"{options.data} has no value in the columns {_listed(empty)}{where}; "
            f"expected columns with values. Remove these."
        )


def _read(path, target, text=(), gaps=GAPS_OF_TABLES):
    """Read the rows of a table that have a label, and the labels.

    Parameters
    ----------
    path : Path
    target : str
        The column of the labels.
    text : sequence of str, default=()
        Columns that hold text, whatever it looks like.
    gaps : sequence of str or dict of str to list of str, default=GAPS_OF_TABLES
        What stands for a gap, in all columns or in each.

    Returns
    -------
    X : DataFrame of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)

    Raises
    ------
    ValueError
        When the file is no such table.
    """
    table = _read_csv(path, text, gaps)
    if target not in table:
        lower = {name.lower(): name for name in table.columns}
        close = get_close_matches(target.lower(), lower, 1)
        hint = f" Did you mean {lower[close[0]]!r}?" if close else ""
        if all(name.strip() in table for name in target.split(",")):
            hint = " Several labels of a row are learnt in Python: DistilledMultilabelClassifier."
        elif len(table.columns) == 1:
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
    return _with_kinds(table.drop(columns=target), path, text), y.to_numpy()


def _with_kinds(X, path, text=()):
    """Return columns of finite numbers, truth values and categories."""
    X = X.apply(lambda c: c.astype("category") if c.name in text else _as_numbers_or_categories(c))
    infinite = np.isinf(X.select_dtypes("number")).any()
    if infinite.any():
        raise ValueError(
            f"{path} has infinite numbers in the columns {_listed(infinite.index[infinite])}; "
            f"expected finite ones. Leave these fields empty, as gaps, or write other numbers."
        )
    return X


def _read_csv(path, text, gaps=GAPS_OF_TABLES):
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError('A table needs pandas: pip install "skdistill[demo]"') from error
    try:
        # Read in one piece: in chunks, a column may be numbers in one and text in the next.
        kinds = dict.fromkeys(text, str)
        table = pd.read_csv(
            path, na_values=gaps, keep_default_na=False, low_memory=False, dtype=kinds
        )
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


def _read_more(path, X, y, options):
    """Read rows and labels of another file as the rows X and their labels y were read."""
    text = X.select_dtypes("category").columns.tolist()
    labels = [options.target] if y.dtype == object else []
    X_more, y_more = _read(path, options.target, text + labels)
    if set(X_more.columns) != set(X.columns):
        lacking, more = X.columns.difference(X_more.columns), X_more.columns.difference(X.columns)
        raise ValueError(
            f"{path} has other columns than {options.data}: it lacks {_listed(lacking)} "
            f"and has {_listed(more)} besides; expected the same names. Rename, add or remove "
            f"columns."
        )
    X_more = X_more[X.columns]
    for name in X_more.select_dtypes("category").columns.difference(text):
        odd = _first_text(X_more[name].dropna())
        raise ValueError(
            f"The column {name!r} of {path} holds text ({shorten(odd)}) and that of "
            f"{options.data} numbers; expected the same kind. Leave such fields empty, as gaps, or "
            f"write numbers."
        )
    if options.regression:
        _check_numbers(y_more, path, options.target)
        return X_more, y_more
    unknown = ~np.isin(y_more, y)
    if unknown.any():
        raise ValueError(
            f"{path} has {unknown.sum()} row(s) with labels that {options.data} lacks, "
            f"such as {shorten(y_more[unknown].tolist()[0])}; expected "
            f"{_listed(np.unique(y).tolist())}. Correct or remove these rows, or add rows with "
            f"such labels to {options.data}."
        )
    return X_more, y_more


def _check_target(y, options):
    if options.regression:
        _check_numbers(y, options.data, options.target)
    else:
        _check_labels(y, options)


def _check_numbers(y, path, target):
    """Refuse a target that holds no finite numbers."""
    if y.dtype.kind not in "biuf":
        odd = _first_text(y)
        raise ValueError(
            f"The column {target!r} of {path} holds text ({shorten(odd)}); expected numbers for "
            f"--regression. Leave such fields empty, or leave --regression out to learn labels."
        )
    if not np.isfinite(y).all() or np.ptp(y.astype(float)) == 0:
        raise ValueError(
            f"The column {target!r} of {path} holds infinite numbers, or one number alone; "
            f"expected finite numbers that differ. Correct the rows, or name another column."
        )


def _check_labels(y, options):
    """Refuse a target that holds no labels of a few classes, or too few rows of one."""
    start = f"The column {options.target!r} of {options.data} holds"
    command = "report" if options.command == "demo" else options.command
    numbers = f"for numbers there is skdistill {command} --regression"
    labels, counts = np.unique(y, return_counts=True)
    whole = np.isfinite(labels) & (labels == np.rint(labels)) if labels.dtype.kind == "f" else True
    if not np.all(whole):
        raise ValueError(
            f"{start} {labels[~whole][0]:g}, which is no whole number; expected labels. Name "
            f"another column as --target; {numbers}."
        )
    if not 2 <= len(labels) <= MAX_CLASSES:
        raise ValueError(
            f"{start} {len(labels)} different value(s); expected the labels of 2 to {MAX_CLASSES} "
            f"classes. Name another column as --target, or merge classes; {numbers}."
        )
    if counts.min() < MIN_ROWS:
        rare = labels[counts < MIN_ROWS].tolist()
        raise ValueError(
            f"{start} {counts.min()} row(s) of the label "
            f"{shorten(labels.tolist()[np.argmin(counts)])}; expected at least {MIN_ROWS} of each "
            f"label. Leave the rows of {_listed(rare)} out, or merge these labels with others."
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
    return next((text for text in texts if not NUMBER.fullmatch(str(text))), None)


def _listed(names):
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{names[:SHOWN]}{more}"
