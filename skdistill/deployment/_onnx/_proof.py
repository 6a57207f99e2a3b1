"""The proof that an ONNX graph answers as the student that it was written from."""

import warnings
from typing import NamedTuple

import numpy as np

from skdistill._input._rows import as_rows
from skdistill.exceptions import ExportError
from skdistill.students import ImagePreprocessor, TablePreprocessor

TOLERANCE = 5e-5
"""How far a probability may be off, or a number in units of its spread."""

MANY = 1025  # more than a batch of the student's
MOST_CELLS = 2**24
"""Of the rows that are made up, so that those of large images stay few."""

N_MADE = 64
N_VARIED, MOST_VARIED = 3, 64
"""Rows that are varied, and columns that are varied alone; more go together."""

UNSEEN = "a category that nobody has seen"
FAR = 1e12


class Case(NamedTuple):
    """Rows, and what they are to show."""

    what: str
    rows: np.ndarray


def prove(graph, model, X):
    """Compare a graph with its student, on the rows of the user and on rows made of them.

    Parameters
    ----------
    graph : Runner
    model : estimator
        The student, or what holds it.
    X : {array-like, DataFrame} of shape (n_samples, ...) or None
        None is rows made of what the first step has learnt.

    Returns
    -------
    Unit or None
        What numbers were compared in; None of probabilities.

    Raises
    ------
    ExportError
        With the row where they differ most.
    """
    unit, parts = None, graph.parts
    if X is not None:
        X = as_rows(X)
        unit = parts.answers.unit(model, X)
        prove_case(Case("X", X), model, graph, unit)
    plain = made_rows(parts) if X is None else graph.plain_rows(X, N_MADE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these rows have no names
        if unit is None:
            unit = parts.answers.unit(parts.fitted, plain)
        for case in _cases(parts, plain):
            prove_case(case, parts.fitted, graph, unit)
    return unit


def prove_case(case, student, graph, unit):
    """Refuse a graph that answers otherwise than the student.

    Parameters
    ----------
    case : Case
    student : object
        With `predict`, and `predict_proba` for classes and labels.
    graph : Runner
    unit : Unit or None
        See `Answers.unit`.

    Raises
    ------
    ExportError
    """
    answers = graph.parts.answers
    wanted, found = answers.ask(student, case.rows), graph.run(case.rows)
    off = answers.distances(wanted, found, unit)
    off[np.isnan(off)] = np.inf
    worst = int(np.argmax(off))
    if off[worst] > TOLERANCE:
        apart = "with another label" if np.isinf(off[worst]) else f"{off[worst]:.2g} apart"
        raise ExportError(
            f"Row {worst} of {case.what} gives {_shown(found[answers.outputs[-1]][worst])} in the "
            f"graph where the student says {_shown(wanted[worst])}, {apart}; expected at most "
            f"{TOLERANCE:g}. No file was written. skdistill.deployment.save keeps this student as "
            f"it is."
        )


def _cases(parts, plain):
    """Yield rows made of some rows: one, many, and where a table is read odd ones."""
    n_rows = min(MANY, max(2, MOST_CELLS // (plain.size // len(plain))))
    yield Case("a single row", plain[:1])
    yield Case(f"{n_rows} rows", np.resize(plain, (n_rows, *plain.shape[1:])))
    first = parts.steps[0] if parts.steps else None
    if not isinstance(first, TablePreprocessor) or hasattr(first, "scaler_"):
        return
    categories = first.categorical_.tolist()
    numbers = [*first.numeric_.tolist(), *first.flags_.tolist()]
    gap = None if plain.dtype == object else np.nan
    for what, positions, value in (
        ("rows with unseen categories", categories, UNSEEN),
        ("rows with gaps", [*numbers, *categories], gap),
        (f"rows with {FAR:g}", numbers, FAR),
        (f"rows with {-FAR:g}", numbers, -FAR),
        ("rows with zeros", numbers, 0.0),
    ):
        if positions:
            yield Case(what, _varied(plain, positions, value))


def _varied(plain, positions, value):
    """Return some rows with a value in each of the columns in turn, then in all of them."""
    some = plain[:N_VARIED]
    varied = []
    in_turn = np.array_split(positions, min(len(positions), MOST_VARIED))
    for those in (*in_turn, positions):
        rows = some.copy()
        rows[:, those] = value
        varied.append(rows)
    return np.concatenate(varied)


def made_rows(parts):
    """Return rows of our own, made of what the first step has learnt; none of the user's."""
    random = np.random.default_rng(0)
    first = parts.steps[0] if parts.steps else None
    rows = random.normal(size=(N_MADE, *parts.shape))
    if isinstance(first, ImagePreprocessor):
        axes = (1, 1) if len(parts.shape) == 3 else ()
        return rows * first.scale_.reshape(-1, *axes) + first.mean_.reshape(-1, *axes)
    if not isinstance(first, TablePreprocessor) or hasattr(first, "scaler_"):
        return rows
    numbers = np.concatenate([first.numeric_, first.flags_]).astype(int)
    rows[:, first.flags_] = 0
    rows[:, numbers] = rows[:, numbers] * first.scale_ + first.center_
    if len(first.categorical_) == 0:
        return rows
    rows = rows.astype(object)
    for position, known in zip(first.categorical_, first.categories_, strict=True):
        rows[:, position] = [known[i] for i in random.integers(len(known), size=N_MADE)]
    return rows


def _shown(values):
    return np.array2string(np.asarray(values), precision=6, threshold=6)
