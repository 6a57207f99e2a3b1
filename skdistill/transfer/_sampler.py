"""Sampler: rows that an object with `sample(n)` draws."""

import copy
import inspect
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skdistill._compat import validate_parameter_constraints
from skdistill._input._columns import is_number
from skdistill._input._frames import column_names, is_table, library_of, take_columns
from skdistill._input._rows import as_rows
from skdistill._interrupts import whole_trainings
from skdistill._random import seed_parameters
from skdistill._unwrap import unfrozen
from skdistill._words import one_line, shorten
from skdistill.transfer._base import BaseAugmenter
from skdistill.transfer._codec import TableCodec
from skdistill.transfer._table import UNCHANGED, build_table, read_columns


class Sampler(BaseAugmenter):
    """Generate rows by any object that has `sample(n)`, such as a density of scikit-learn.

    It is for the settings: ``augment=GaussianMixture(8)`` means
    ``augment=Sampler(GaussianMixture(8))``.

    - An estimator that is **not fitted** is cloned and fitted on the rows from which rows are
      generated: in cross-fitting, on those that a fold leaves out. A density of scikit-learn
      reads numbers alone, so it is given each column of numbers as its normal scores and each
      category one-hot, and what it samples is read back: any table can be learnt by it, numbers
      stay within their column's range, whole where they are, and gaps come where gaps are likely.
    - One that **is fitted**, and any other object or function, is asked as it is, for as many rows
      as are wanted. It may return an array, a table with the columns of X in any order, or a tuple
      that begins with one of these.

    Parameters
    ----------
    generator : object or callable
        With ``sample(n)``, or a function of n itself. It is not changed: a `random_state`, of
        `sample` or a parameter, is set on a copy.
    factor : float, default=5
        New rows for each row, greater than 0.
    max_rows : int, default=100_000
        Greatest number of new rows.

    See Also
    --------
    VAE : A density of rows of mixed columns.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.mixture import GaussianMixture
    >>> from skdistill.transfer import Sampler
    >>> X = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    >>> Sampler(GaussianMixture(), factor=1).rows(X, random_state=0)
    array([[ 2, 19],
           [ 3, 27],
           [ 4, 39],
           [ 3, 34]])
    """

    _parameter_constraints: dict = {
        **BaseAugmenter._parameter_constraints,
        "generator": "no_validation",
    }

    def __init__(
        self,
        generator: Any | Callable[[int], Any],
        factor: float = 5,
        *,
        max_rows: int = 100_000,
    ) -> None:
        self.generator = generator
        self.factor = factor
        self.max_rows = max_rows

    def __sklearn_clone__(self) -> Self:
        """Clone, but keep what is fitted: it is asked as it is."""
        generator = clone(self.generator) if is_to_be_fitted(self.generator) else self.generator
        return type(self)(generator, self.factor, max_rows=self.max_rows)

    def check_settings(self) -> None:
        """Raise a ValueError where a setting is out of its range."""
        super().check_settings()
        self._refuse_classes()
        generator: Any = self.generator
        constraints = getattr(generator, "_parameter_constraints", None)
        if constraints is not None and is_to_be_fitted(generator):
            settings, name = generator.get_params(deep=False), type(generator).__name__
            validate_parameter_constraints(constraints, settings, caller_name=name)

    def _refuse_classes(self):
        generator = self.generator
        if isinstance(generator, type) or not (hasattr(generator, "sample") or callable(generator)):
            made = f" Write {generator.__name__}(...)." if isinstance(generator, type) else ""
            raise ValueError(
                f"The 'generator' parameter of Sampler must be an object with sample(n), or a "
                f"function of n. Got {shorten(generator)} instead.{made}"
            )

    def _refuse(self, X):
        self._refuse_classes()
        if sparse.issparse(X):
            raise ValueError(
                f"Sampler needs a table of columns or images. Got a sparse matrix of shape "
                f"{X.shape} instead. Use GaussianNoise, or pass rows without labels as X_unlabeled."
            )

    def _generate(self, X, base, rng):
        n_rows, generator = len(base), self.generator
        if not is_to_be_fitted(generator):
            return _read(_draw(generator, n_rows, rng), X, n_rows, generator)
        generator = clone(generator)
        seed_parameters(generator, _draw_seed(rng))
        if not type(generator).__module__.startswith("sklearn."):
            _fit(generator, X)
            return _read(_draw(generator, n_rows, rng), X, n_rows, generator)
        table = X if is_table(X) or X.ndim == 2 else X.reshape(len(X), -1)
        codec = TableCodec(table)
        _fit(generator, codec.to_matrix())
        rows = codec.decode_matrix(_draw(generator, n_rows, rng), rng)
        return rows if table is X else rows.reshape(n_rows, *X.shape[1:])


def is_to_be_fitted(generator):
    """Whether a generator is an estimator of scikit-learn's kind that has learnt nothing yet.

    Parameters
    ----------
    generator : object

    Returns
    -------
    bool
    """
    if not (hasattr(generator, "fit") and hasattr(generator, "get_params")):
        return False
    try:
        check_is_fitted(generator)
    except NotFittedError:
        return True
    return False


def _fit(generator, X):
    try:
        with whole_trainings():
            generator.fit(X)
    except Exception as error:
        raise ValueError(
            f"{type(generator).__name__} could not be fitted to rows of shape {X.shape}: "
            f"{one_line(error)}. In cross-fitting, it learns the rows of one fold alone. Fit it "
            "yourself, on rows of your choice, or use skdistill.transfer.Gibbs."
        ) from error


def _draw(generator, n_rows, rng):
    """Return what is sampled, by a seed of ours where one can be set, an array in random order."""
    core = unfrozen(generator)
    sample = getattr(core, "sample", core)
    settings: dict = getattr(core, "get_params", dict)()
    seed = _draw_seed(rng)
    try:
        if "random_state" in inspect.signature(sample).parameters:
            rows = sample(n_rows, random_state=seed)
        elif "random_state" in settings:
            rows = copy.copy(core).set_params(random_state=seed).sample(n_rows)
        else:
            rows = sample(n_rows)
    except Exception as error:
        raise ValueError(
            f"{_name(generator)} could not sample {n_rows} rows ({type(error).__name__}: "
            f"{one_line(error)}); expected sample(n) to return n rows. What is no estimator of "
            "scikit-learn must be fitted beforehand."
        ) from error
    rows = rows[0] if isinstance(rows, tuple) and rows else rows
    # A mixture gives them component by component.
    return rows[rng.permutation(len(rows))] if isinstance(rows, np.ndarray) else rows


def _draw_seed(rng):
    return int(rng.integers(2**31 - 1))


def _name(generator):
    return getattr(generator, "__name__", type(generator).__name__)


def _read(sampled, X, n_rows, generator):
    """Return what was sampled as rows of the kind of X."""
    expected = (n_rows, *X.shape[1:])
    if not hasattr(sampled, "__len__") or len(sampled) == 0:
        raise ValueError(
            f"{_name(generator)} sampled {shorten(sampled)}; expected an array of shape "
            f"{expected}, or a table like X with all of its columns. Return n rows for sample(n)."
        )
    rows = as_rows(sampled)
    are_alike = not is_table(rows) or (is_table(X) and library_of(rows) == library_of(X))
    if is_table(rows) and are_alike:
        places = {name: place for place, name in enumerate(column_names(rows))}
        wanted = [places.get(name) for name in column_names(X)]
        if len(rows) == n_rows and None not in wanted:
            return take_columns(rows, wanted)
    if is_table(rows) or rows.size != np.prod(expected) or len(rows) != n_rows:
        raise ValueError(
            f"{_name(generator)} sampled a {type(rows).__name__} of shape {tuple(rows.shape)}; "
            f"expected an array of shape {expected}, or a table like X with all of its columns. "
            f"Fit it on rows like those of the model's fit."
        )
    if type(rows) is type(X) and rows.dtype == X.dtype:
        return rows.reshape(expected)
    table, rows = X if is_table(X) else X.reshape(len(X), -1), rows.reshape(n_rows, -1)
    columns = list(read_columns(table))
    has_categories = any(column.numbers is None for column in columns)
    if has_categories or not is_number(rows).all() or np.isnan(rows.astype(float)).any():
        raise ValueError(
            f"{_name(generator)} sampled an array of {rows.dtype}, and X has categories, or the "
            f"array gaps; expected rows of the kind of X. Use Gibbs, VAE or a density of "
            f"scikit-learn that is not fitted: they learn mixed columns."
        )
    pairs = zip(columns, rows.astype(np.float64).T, strict=True)
    built = build_table(table, n_rows, (_put(column, numbers) for column, numbers in pairs))
    return built if is_table(X) else built.reshape(expected)


def _put(column, numbers):
    """Return what `build_table` takes for a column that becomes these numbers."""
    everywhere = np.arange(len(numbers))
    if column.is_quantity:
        known = np.flatnonzero(~np.isnan(column.numbers))
        return np.full(len(numbers), known[0]), everywhere, column.keep_kind(numbers)
    values, rows = np.unique(column.numbers, return_index=True)
    middle = (values[0] + values[min(1, len(values) - 1)]) / 2
    return rows[(numbers > middle).astype(int) * (len(values) > 1)], *UNCHANGED
