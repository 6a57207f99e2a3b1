"""Rows made worse: noise, gaps and shifts of columns; blur, contrast and rotation of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage, sparse
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import StandardScaler

from skdistill._input._columns import FLOATS, as_floats, is_gap, is_number
from skdistill._input._frames import column_kinds, is_table, read_column, take_columns
from skdistill._input._inputs import form_of, name_form
from skdistill._input._new_frames import put_columns, replace_cells
from skdistill._words import shorten

Corrupt = Callable[[Any, float, np.random.Generator], Any]
"""Rows, strength and generator in, new rows of the same shape out."""

_STEPS = (0.0, 0.1, 0.25, 0.5, 1.0, 2.0)


class Corruption(NamedTuple):
    """One way to make rows worse, with all that it needs but strength and generator.

    Attributes
    ----------
    name, unit : str
        What it is called, and what its strength is measured in.
    apply : callable
        See `Corrupt`.
    strengths : tuple of float
        The default ones.
    most : float
        The greatest strength that has a meaning.
    draws : bool
        Whether it draws from the generator.
    """

    name: str
    unit: str
    apply: Corrupt
    strengths: tuple[float, ...] = ()
    most: float = np.inf
    draws: bool = True


def make_corruption(corruption: Any, X: Any) -> Corruption:
    """Return the corruption of that name for rows like X.

    Parameters
    ----------
    corruption : str or callable
        As in `robustness_curve`.
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        The rows from which scales are taken.

    Raises
    ------
    ValueError
        For another name, and for rows that the corruption is not made for.
    """
    if callable(corruption):
        name = getattr(corruption, "__name__", type(corruption).__name__)
        if not _takes_three(corruption):
            raise ValueError(
                f"The corruption {name} does not take three arguments; expected a callable (X, "
                f"strength, rng) -> X. Write lambda X, strength, rng: {name}(X)."
            )
        return Corruption(name, "", corruption)
    known = [*_MAKERS, *_OF_IMAGES]
    if not isinstance(corruption, str) or corruption not in known:
        raise ValueError(
            f"The 'corruption' parameter must be one of {', '.join(map(repr, known))} or a "
            f"callable (X, strength, rng) -> X. Got {shorten(corruption)} instead."
        )
    if sparse.issparse(X):
        raise ValueError(
            f"corruption={shorten(corruption)} would fill the zeros of a sparse X; pass dense "
            "rows, or a callable (X, strength, rng) -> X that keeps them."
        )
    n_axes, form = len(X.shape), form_of(X)
    kind = "O" if is_table(X) or form else X.dtype.kind
    if n_axes == 1 or kind in "mM" or (n_axes > 2 and kind not in "biuf"):
        came = "texts" if n_axes == 1 else f"an array of {X.dtype} of shape {X.shape}"
        came = name_form(form) if form else came
        raise ValueError(
            f"corruption={shorten(corruption)} is for tables, and for images of numbers. Got "
            f"{came} instead; pass a callable (X, strength, rng) -> X, such as one that drops "
            "words."
        )
    if corruption in _MAKERS:
        return _MAKERS[corruption](X)
    if n_axes not in (3, 4) or kind not in "biuf":
        raise ValueError(
            f"corruption={shorten(corruption)} is for images of shape (n_samples, height, width) "
            f"or (n_samples, channels, height, width). Got shape {X.shape} instead; reshape the "
            "rows, or pass a callable (X, strength, rng) -> X."
        )
    return _OF_IMAGES[corruption]


def _takes_three(corruption: Callable[..., Any]) -> bool:
    """Whether a callable can be called as a corruption; what hides its arguments is believed."""
    try:
        signature(corruption).bind(None, None, None)
    except TypeError:
        return False
    except ValueError:  # it has no signature that can be read
        return True
    return True


def check_strengths(strengths: Iterable[float] | None, corruption: Corruption) -> list[float]:
    """The strengths as floats, the default ones of the corruption for None, or an error."""
    if strengths is None and not corruption.strengths:
        raise ValueError(
            "strengths=None has a default for the named corruptions only; pass the strengths that "
            "your callable understands, such as strengths=[0, 0.5, 1]."
        )
    values = np.asarray(corruption.strengths if strengths is None else strengths)
    fits = values.ndim == 1 and values.size > 0 and values.dtype.kind in "iuf"
    if not fits or not ((values >= 0) & (values <= corruption.most) & np.isfinite(values)).all():
        raise ValueError(
            f"The 'strengths' parameter must be a list of finite numbers from 0 to "
            f"{corruption.most:g} for corruption={corruption.name!r}. Got {shorten(strengths)} "
            "instead."
        )
    return values.astype(float).tolist()


def numeric_columns(X: Any) -> np.ndarray:
    """The positions of the columns of quantities in a table or 2-D array: no truth values, dates
    or categories."""
    if is_table(X):
        others = [kind in ("boolean", "date") for kind in column_kinds(X)]
    else:
        others = [X.dtype.kind in "bmM"] * X.shape[1]
    candidates = np.flatnonzero(np.logical_not(others))
    columns = take_columns(X, candidates) if is_table(X) else X[:, candidates]
    return candidates[is_number(columns)]


def replace_columns(X: Any, positions: np.ndarray, values: np.ndarray) -> Any:
    """A copy of a table or 2-D array with `values`, shape (n, n_positions), in some columns."""
    if is_table(X):
        return put_columns(X, positions, values)
    X = X.astype(np.result_type(X.dtype, values.dtype))
    X[:, positions] = values
    return X


def add_noise(X: Any, strength: float, rng: np.random.Generator, *, scale: Any) -> Any:
    """``x + strength * scale * e`` with e standard normal, in every cell of `_quantities`."""
    return _moved(X, lambda x: x + strength * scale * rng.standard_normal(x.shape))


def shift_columns(X: Any, strength: float, rng: np.random.Generator, *, scale: Any) -> Any:
    """``x + strength * scale * s`` with one sign s for each column."""
    return _moved(X, lambda x: x + strength * scale * rng.choice([-1.0, 1.0], size=x.shape[1]))


def replace_some_cells(
    X: Any, strength: float, rng: np.random.Generator, *, fill: np.ndarray | None = None
) -> Any:
    """Each cell of any column becomes, with the probability `strength`, a gap.

    With `fill`, shape (n_features,), it becomes the value for its column.
    """
    cells = rng.random(X.shape) < strength
    if is_table(X):
        return replace_cells(X, cells, fill)
    X = X.astype(object) if X.dtype.kind in "OUS" else _floats(X).copy()
    X[cells] = np.nan if fill is None else np.broadcast_to(fill, X.shape)[cells]
    return X


def blur(X: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Each image under a Gaussian filter whose sigma is `strength` pixels."""
    sigma = (0.0,) * (X.ndim - 2) + (strength, strength)
    return ndimage.gaussian_filter(_floats(X), sigma)


def lower_contrast(X: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """``m + (1 - strength) * (x - m)`` with m the mean of each image's channel."""
    X = _floats(X)
    mean = X.mean(axis=(-2, -1), keepdims=True)
    return mean + (1.0 - strength) * (X - mean)


def rotate(X: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Each image turned by `strength` degrees to one side or the other, its edges drawn out."""
    X = _floats(X)
    to_the_left = rng.random(len(X)) < 0.5
    turned = np.empty_like(X)
    for images, angle in ((to_the_left, strength), (~to_the_left, -strength)):
        if images.any():
            turned[images] = ndimage.rotate(
                X[images], angle, axes=(-1, -2), reshape=False, order=1, mode="nearest"
            )
    return turned


def _moved(X: Any, move: Callable[[np.ndarray], np.ndarray]) -> Any:
    """X with its quantities moved, in the precision that they had."""
    if len(X.shape) > 2:
        X = _floats(X)
        return move(X).astype(X.dtype)
    positions = numeric_columns(X)
    values = as_floats(X, positions)
    return replace_columns(X, positions, move(values).astype(values.dtype))


def _scale(name: str, X: Any) -> Any:
    """The standard deviation of each numeric column, or of all pixels; gaps are left out."""
    values = _floats(X).reshape(-1, 1) if len(X.shape) > 2 else as_floats(X, numeric_columns(X))
    if values.shape[1] == 0:
        raise ValueError(
            f"corruption={name!r} changes numeric columns, and X has none; use "
            "corruption='missing', or a callable (X, strength, rng) -> X."
        )
    with np.errstate(invalid="ignore"):  # a column of gaps alone has no deviation, and stays
        scale = np.sqrt(np.nan_to_num(StandardScaler(with_mean=False).fit(values).var_))
    if not scale.any():
        raise ValueError(
            f"corruption={name!r} is measured in standard deviations, and no numeric column of "
            f"the {X.shape[0]} rows varies; pass X_train to take the scales from."
        )
    return scale


def _make_noise(X: Any) -> Corruption:
    name, of_what = "gaussian_noise", "the pixels" if len(X.shape) > 2 else "each column"
    apply = partial(add_noise, scale=_scale(name, X))
    return Corruption(name, f"standard deviations of {of_what}", apply, _STEPS)


def _make_shift(X: Any) -> Corruption:
    if len(X.shape) > 2:
        raise ValueError(
            f"corruption='shift' is for tables of shape (n_samples, n_features). Got shape "
            f"{X.shape} instead; for images there are 'blur', 'contrast' and 'rotation'."
        )
    apply = partial(shift_columns, scale=_scale("shift", X))
    return Corruption("shift", "standard deviations of each column", apply, _STEPS)


def _make_missing(X: Any) -> Corruption:
    strengths = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
    return Corruption("missing", "share of the cells", replace_some_cells, strengths, most=1.0)


def _make_imputed(X: Any) -> Corruption:
    if len(X.shape) > 2:
        fill = np.array([np.nan if np.isnan(X).all() else np.nanmedian(X)])
    else:
        fill, numbers = np.empty(X.shape[1], dtype=object), numeric_columns(X)
        others = np.setdiff1d(np.arange(X.shape[1]), numbers)
        if numbers.size:
            fill[numbers] = _fill_values(as_floats(X, numbers), "median")
        if others.size:
            fill[others] = _fill_values(_objects(X, others), "most_frequent")
    if any(value != value for value in fill):
        raise ValueError(
            "corruption='imputed' fills a column with its median or most frequent value, and one "
            f"of the {X.shape[0]} rows has nothing but gaps; leave the column out, or pass X_train "
            "to take the values from."
        )
    return _make_missing(X)._replace(name="imputed", apply=partial(replace_some_cells, fill=fill))


def _fill_values(X: Any, strategy: str) -> np.ndarray:
    return SimpleImputer(strategy=strategy).fit(X).statistics_


def _objects(X: Any, positions: np.ndarray) -> np.ndarray:
    """Some columns as objects, gaps as NaN."""
    if not is_table(X):
        return X[:, positions].astype(object)
    cells = np.empty((X.shape[0], len(positions)), dtype=object)
    for i, position in enumerate(positions):
        values = read_column(X, position)[1]
        cells[:, i] = [np.nan if is_gap(value) else value for value in values]
    return cells


#: Those that take their scale from the rows.
_MAKERS: dict[str, Callable[[Any], Corruption]] = {
    "gaussian_noise": _make_noise,
    "missing": _make_missing,
    "imputed": _make_imputed,
    "shift": _make_shift,
}
_BLUR_STEPS, _CONTRAST_STEPS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0), (0.0, 0.2, 0.4, 0.6, 0.8, 0.9)
_ANGLES = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0)
_LESS = "share of the contrast taken away"
_OF_IMAGES = {
    "blur": Corruption("blur", "sigma in pixels", blur, _BLUR_STEPS, draws=False),
    "contrast": Corruption("contrast", _LESS, lower_contrast, _CONTRAST_STEPS, 1.0, draws=False),
    "rotation": Corruption("rotation", "degrees", rotate, _ANGLES, most=180.0),
}


def _floats(X: np.ndarray) -> np.ndarray:
    return X if X.dtype in FLOATS else X.astype(np.float64)
