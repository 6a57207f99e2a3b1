"""Preprocessing as nodes of an ONNX graph."""

import re

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skdistill._input._columns import is_gap
from skdistill.deployment._onnx._graph import FLOAT64
from skdistill.deployment._onnx._graph_rows import GraphRows
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


def _write_table(graph, step, rows):
    if hasattr(step, "scaler_"):
        kept = graph.add("Gather", rows.whole(graph), step.scaler_.kept_.astype(np.int64), axis=1)
        return GraphRows(graph.add("Div", kept, step.scaler_.scale_))
    blocks, codes = [], None
    positions = np.concatenate([step.numeric_, step.flags_]).astype(np.int64)
    if len(positions):
        blocks += _write_numbers(graph, step, rows.numbers(graph, positions, step.n_features_in_))
    if len(step.categorical_):
        few, codes = _write_categories(graph, step, rows)
        blocks += few
    return GraphRows(graph.join(blocks) if blocks else None, codes)


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
        is_few = len(categories) <= step.max_one_hot
        first = 0 if is_few else 1  # code 0 is unknown
        where = graph.add(
            "LabelEncoder",
            rows.texts[position],
            dtype=np.int64,
            keys_strings=list(known),
            values_int64s=[place + first for place in known.values()],
            default_int64=first - 1,
        )
        if is_few:
            few.append(graph.add("Equal", where, np.arange(len(categories)), dtype=bool))
        else:
            many.append(where)
    blocks = [graph.cast(graph.join(few), FLOAT64)] if few else []
    return blocks, graph.join(many) if many else None


def _write_images(graph, step, x):
    axes = (1, 1) if len(step.image_shape_) == 3 else ()
    mean, scale = step.mean_.reshape(-1, *axes), step.scale_.reshape(-1, *axes)
    return graph.add("Div", graph.add("Sub", x, mean), scale)


def _write_standard(graph, step, x):
    if step.with_mean:
        x = graph.add("Sub", x, step.mean_)
    return graph.add("Div", x, step.scale_) if step.with_std else x


def _write_min_max(graph, step, x):
    x = graph.add("Add", graph.add("Mul", x, step.scale_), step.min_)
    if not step.clip:
        return x
    low, high = step.feature_range
    return graph.add("Clip", x, np.array(float(low)), np.array(float(high)))


def _write_max_abs(graph, step, x):
    return graph.add("Div", x, step.scale_)


def _write_robust(graph, step, x):
    if step.with_centering:
        x = graph.add("Sub", x, step.center_)
    return graph.add("Div", x, step.scale_) if step.with_scaling else x


def _write_imputer(graph, step, x):
    fill = np.asarray(step.statistics_)
    is_plain = not step.add_indicator and fill.dtype == FLOAT64 and np.isfinite(fill).all()
    if not is_plain or not is_gap(step.missing_values):
        raise ExportError(
            f"The step {step!r} cannot be written as ONNX; expected a SimpleImputer of numbers "
            f"that fills NaN and marks nothing. Put a TablePreprocessor in its place, or "
            f"see whether skdistill.deployment.save keeps it."
        )
    return graph.add("Where", graph.add("IsNaN", x, dtype=bool), fill, x, dtype=FLOAT64)


SCALERS = {
    ImagePreprocessor: _write_images,
    StandardScaler: _write_standard,
    MinMaxScaler: _write_min_max,
    MaxAbsScaler: _write_max_abs,
    RobustScaler: _write_robust,
    SimpleImputer: _write_imputer,
}


def write_step(graph, step, rows):
    """Add the nodes of a step.

    Parameters
    ----------
    graph : Graph
    step : transformer
        Fitted.
    rows : GraphRows

    Returns
    -------
    GraphRows
        What it makes of rows of float64.

    Raises
    ------
    ExportError
        For a step that has no counterpart in ONNX.
    """
    if type(step) is TablePreprocessor:
        return _write_table(graph, step, rows)
    if type(step) not in SCALERS:
        known = ", ".join(sorted(kind.__name__ for kind in (TablePreprocessor, *SCALERS)))
        hashed = " Words are hashed by no operator of ONNX." * hasattr(step, "alternate_sign")
        raise ExportError(
            f"The step {type(step).__name__} cannot be written as ONNX; expected one of {known}."
            f"{hashed} Do what it does before the graph and export the rest of the student, or "
            f"skdistill.deployment.save it: that keeps the steps of scikit-learn without functions."
        )
    return GraphRows(SCALERS[type(step)](graph, step, rows.whole(graph)))
