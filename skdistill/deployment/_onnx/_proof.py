"""The proof that an ONNX graph answers as the student that it was written from."""

import warnings
from typing import NamedTuple

import numpy as np

from skdistill._rows import as_rows
from skdistill.deployment._onnx._links import LABEL, PREDICTION, PROBABILITIES, onnx_labels
from skdistill.exceptions import ExportError
from skdistill.students import ImagePreprocessor, TablePreprocessor

TOLERANCE = 5e-5
"""How far a probability may be off, or a number in units of its spread."""

TIE = 1e-4
"""How near to each other two probabilities must be for their order to be of no meaning."""

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
        What numbers were compared in; None of classes.

    Raises
    ------
    ExportError
        With the row where they differ most.
    """
    unit, parts = None, graph.parts
    if X is not None:
        X = as_rows(X)
        if parts.classes is None:
            unit = unit_of(model.predict(X))
        compare(Case("X", X), model, graph, unit)
    plain = made_rows(parts) if X is None else graph.plain_rows(X, N_MADE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these rows have no names
        if parts.classes is None and unit is None:
            unit = unit_of(parts.fitted.predict(plain))
        for case in _cases(parts, plain):
            compare(case, parts.fitted, graph, unit)
    return unit


def compare(case, student, graph, unit):
    """Refuse a graph that answers otherwise than the student.

    Parameters
    ----------
    case : Case
    student : object
        With `predict`, and `predict_proba` for classes.
    graph : Runner
    unit : Unit or None
        See `unit_of`.

    Raises
    ------
    ExportError
    """
    classes = graph.parts.classes
    if classes is None:
        wanted = student.predict(case.rows)
        got = graph.run(case.rows)[PREDICTION]
        off = _distances(wanted, got, unit)
    else:
        wanted = student.predict_proba(case.rows)
        found = graph.run(case.rows)
        got = found[PROBABILITIES]
        off = np.abs(wanted - got).max(axis=1)
        labels = onnx_labels(classes)
        wrong = labels[np.argmax(wanted, axis=1)] != found[LABEL]
        first, second = np.partition(wanted, -2, axis=1)[:, -2:].T[::-1]
        off[wrong & (first - second > TIE)] = np.inf
    off[np.isnan(off)] = np.inf
    worst = int(np.argmax(off))
    if off[worst] > TOLERANCE:
        apart = "with another label" if np.isinf(off[worst]) else f"{off[worst]:.2g} apart"
        raise ExportError(
            f"Row {worst} of {case.what} gives {_shown(got[worst])} in the graph where the student "
            f"says {_shown(wanted[worst])}, {apart}; expected at most {TOLERANCE:g}. No file was "
            f"written. skdistill.deployment.save keeps this student as it is."
        )


class Unit(NamedTuple):
    """What numbers of one output are compared in.

    Attributes
    ----------
    mean, spread : ndarray of shape (n_outputs,)
        Of the student's predictions; of a constant its own size.
    """

    mean: np.ndarray
    spread: np.ndarray


def unit_of(predictions):
    """Return what numbers of the size of some predictions are compared in."""
    values = predictions.reshape(len(predictions), -1)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    is_constant = spread <= 1e-9 * np.abs(mean)
    return Unit(mean, np.where(is_constant, np.abs(mean) + (mean == 0), spread))


def _distances(wanted, got, unit):
    """Return how far numbers are off: in standard deviations, or where they lie far out less."""
    wanted, got = wanted.reshape(len(wanted), -1), got.reshape(len(got), -1)
    sizes = np.maximum(unit.spread, np.abs(wanted - unit.mean))
    return (np.abs(wanted - got) / sizes).max(axis=1)


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
