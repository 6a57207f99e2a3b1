"""Preprocessing as nodes of an ONNX graph."""

import re

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skdistill._columns import is_gap
from skdistill.deployment._onnx._graph import FLOAT64
from skdistill.exceptions import ExportError
from skdistill.students import ImagePreprocessor, TablePreprocessor
from skdistill.students._scaling import CLIP, FARTHEST

GAPS = ("", "None", "nan", "NaN", "<NA>", "NaT")
"""How a gap may be spelt: what str() makes of the gaps of Python, NumPy and pandas."""

WHOLE = re.compile(r"-?(0|[1-9]\d*)")


def spellings(categories):
    """Return the position of a category by each of the ways in which it may be written.

    Parameters
    ----------
    categories : list of str or None
        In the order of their positions; None is a gap.

    Returns
    -------
    dict of str to int
        A whole number may also end in ".0", as a column of numbers with gaps writes it, and a gap
        may be written as one of `GAPS`, unless this is another category. A gap that is none of the
        categories is -1.
    """
    found = {name: i for i, name in enumerate(categories) if name is not None}
    wholes = [name for name in found if WHOLE.fullmatch(name)]
    for name in wholes:
        found.setdefault(f"{name}.0", found[name])
    gap = categories.index(None) if None in categories else -1
    for name in GAPS:
        found.setdefault(name, gap)
    return found


def gap_of(categories):
    """Return the first spelling of a gap that is no category."""
    return next((name for name in GAPS if name not in categories), GAPS[0])


def write_table(graph, step, rows):
    """Add the nodes of a TablePreprocessor.

    Parameters
    ----------
    graph : Graph
    step : TablePreprocessor
        Fitted.
    rows : Entered
        See `enter`.

    Returns
    -------
    str
        What it makes of rows of float64.
    """
    if hasattr(step, "scaler_"):
        kept = graph.add("Gather", rows.whole(graph), step.scaler_.kept_.astype(np.int64), axis=1)
        return graph.add("Div", kept, step.scaler_.scale_)
    blocks = []
    positions = np.concatenate([step.numeric_, step.flags_]).astype(np.int64)
    if len(positions):
        blocks += _write_numbers(graph, step, rows.numbers(graph, positions))
    if len(step.categorical_):
        blocks += _write_categories(graph, step, rows)
    return graph.join(blocks)


def _write_numbers(graph, step, x):
    gaps = graph.add("IsNaN", x, dtype=bool)
    x = graph.add("Where", gaps, step.center_, x, dtype=FLOAT64)
    z = graph.add("Div", graph.add("Sub", x, step.center_), step.scale_)
    z = graph.add("Clip", z, np.array(-FARTHEST), np.array(FARTHEST))
    damping = graph.add("Div", z, np.array(CLIP))
    damping = graph.add("Add", graph.add("Mul", damping, damping), np.array(1.0))
    blocks = [graph.add("Div", z, graph.add("Sqrt", damping))]
    if len(step.with_gaps_):
        if len(step.with_gaps_) < len(step.center_):
            gaps = graph.add("Gather", gaps, step.with_gaps_.astype(np.int64), axis=1)
        blocks.append(graph.cast(gaps, FLOAT64))
    return blocks


def _write_categories(graph, step, rows):
    few, many = [], []
    for position, categories in zip(step.categorical_, step.categories_, strict=True):
        known = spellings(categories)
        where = graph.add(
            "LabelEncoder",
            rows.texts[position],
            dtype=np.int64,
            keys_strings=list(known),
            values_int64s=list(known.values()),
            default_int64=-1,
        )
        if len(categories) <= step.max_one_hot:
            few.append(graph.add("Equal", where, np.arange(len(categories)), dtype=bool))
        else:
            many.append(where)
    blocks = [graph.cast(graph.join(few), FLOAT64)] if few else []
    if many:
        codes = graph.add("Add", graph.join(many), np.array(1))  # 0 is unknown
        blocks.append(graph.cast(codes, FLOAT64))
    return blocks


def _write_images(graph, step, rows):
    axes = (1, 1) if len(step.image_shape_) == 3 else ()
    mean, scale = step.mean_.reshape(-1, *axes), step.scale_.reshape(-1, *axes)
    return graph.add("Div", graph.add("Sub", rows.whole(graph), mean), scale)


def _write_standard(graph, step, rows):
    x = rows.whole(graph)
    if step.with_mean:
        x = graph.add("Sub", x, step.mean_)
    return graph.add("Div", x, step.scale_) if step.with_std else x


def _write_min_max(graph, step, rows):
    x = graph.add("Add", graph.add("Mul", rows.whole(graph), step.scale_), step.min_)
    if not step.clip:
        return x
    low, high = step.feature_range
    return graph.add("Clip", x, np.array(float(low)), np.array(float(high)))


def _write_max_abs(graph, step, rows):
    return graph.add("Div", rows.whole(graph), step.scale_)


def _write_robust(graph, step, rows):
    x = rows.whole(graph)
    if step.with_centering:
        x = graph.add("Sub", x, step.center_)
    return graph.add("Div", x, step.scale_) if step.with_scaling else x


def _write_imputer(graph, step, rows):
    fill = np.asarray(step.statistics_)
    is_plain = not step.add_indicator and fill.dtype == FLOAT64 and np.isfinite(fill).all()
    if not is_plain or not is_gap(step.missing_values):
        raise ExportError(
            f"The step {step!r} cannot be written as ONNX; expected a SimpleImputer of numbers "
            f"that fills NaN and marks nothing. Put a TablePreprocessor in its place, or "
            f"skdistill.deployment.save the student: it keeps every step."
        )
    x = rows.whole(graph)
    return graph.add("Where", graph.add("IsNaN", x, dtype=bool), fill, x, dtype=FLOAT64)


STEPS = {
    TablePreprocessor: write_table,
    ImagePreprocessor: _write_images,
    StandardScaler: _write_standard,
    MinMaxScaler: _write_min_max,
    MaxAbsScaler: _write_max_abs,
    RobustScaler: _write_robust,
    SimpleImputer: _write_imputer,
}


def check_step(step):
    """Refuse a step that has no counterpart in ONNX."""
    if type(step) not in STEPS:
        known = ", ".join(sorted(kind.__name__ for kind in STEPS))
        hashed = " Words are hashed by no operator of ONNX." * hasattr(step, "alternate_sign")
        raise ExportError(
            f"The step {type(step).__name__} cannot be written as ONNX; expected one of {known}."
            f"{hashed} Do what it does before the graph and export the rest of the student, or "
            f"skdistill.deployment.save it: that keeps every step."
        )


class Entered:
    """What a step reads: columns of their own, or one value that holds all of them.

    Parameters
    ----------
    array : str, default=None
        The value that holds all columns, where there is one.
    columns : dict of int to str, default={}
        The value of each column of numbers otherwise, by its position.
    texts : dict of int to str, default={}
        The value of each column of texts.
    """

    def __init__(self, array=None, columns=None, texts=None):
        self.array = array
        self.columns = columns or {}
        self.texts = texts or {}

    def whole(self, graph):
        """Return all columns in one value."""
        if self.array is not None:
            return self.array
        return graph.join([self.columns[position] for position in sorted(self.columns)])

    def numbers(self, graph, positions):
        """Return some columns of numbers in one value."""
        if self.array is None:
            return graph.join([self.columns[position] for position in positions.tolist()])
        return graph.add("Gather", self.array, positions, axis=1)
