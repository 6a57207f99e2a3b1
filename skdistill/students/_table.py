"""Columns of any kind made into numbers that a network can read."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skdistill._compat import (
    Interval,
    StrOptions,
    check_names_and_width,
    fit_context,
    learn_names_and_width,
    names_of_columns,
)
from skdistill._input._columns import (
    as_floats,
    is_number,
    read_categories,
    refuse_unreadable,
    warn_of_numbers_in_text,
)
from skdistill._input._layout import EncodedTable
from skdistill._input._rows import as_rows, blocks_of, is_plain
from skdistill._words import one_line
from skdistill.exceptions import ColumnError, StudentError
from skdistill.students._categories import CategoryEncoder
from skdistill.students._scaling import center_and_scale, find_flags_and_gaps, scale_and_clip
from skdistill.students._sparse_scaling import SparseScaler


# Output in frames is not offered: a frame would lose what an EncodedTable says.
class TablePreprocessor(
    TransformerMixin,
    BaseEstimator,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Scale and clip numbers, fill and mark gaps, encode categories.

    A number x of a column with median m and interquartile range r becomes

    .. math:: z / \sqrt{1 + (z/3)^2}, \qquad z = (x - m) / r,

    which lies between -3 and 3: no unit and no outlier matters. A gap becomes 0, the median, and
    a column with gaps gets another one that marks them. Booleans and numbers of two values are
    flags, scaled likewise. All other columns are categories, of which a gap is one: few become a
    column each, many become codes for an embedding, and those never seen in `fit` are unknown,
    all zeros or code 0. Sparse rows stay sparse: columns that a single row fills are left out, and
    units that are far from the others' are brought near, so that the weights of tf-idf stay.

    Parameters
    ----------
    max_one_hot : int, default=9
        Greatest number of categories of a column that become a column each. More become codes in
        one of the last columns, which `TabularMLP` embeds; other networks and classifiers would
        take the codes for quantities, and want a greater number here.
    dtype : {"float32", "float64"}, default=None
        That of what `transform` returns; all is computed in the dtype of X, and rounded once. None
        is float32 where all numbers of X are, or where it has none, and float64 otherwise; a fit
        makes it that of the network right behind it, if that is "float32".

    Attributes
    ----------
    numeric_, flags_, categorical_ : ndarray of int
        Positions of the columns of each kind.
    categories_ : list of list of str or None
        Those of each column of `categorical_`, in the order of their columns or codes, a gap being
        None. Codes begin with 1.
    center_, scale_ : ndarray of shape (n_numeric + n_flags,)
        What is taken off each number and what it is divided by. Where most rows hold the same
        number, and the interquartile range is 0, that of the other rows.
    with_gaps_ : ndarray of int
        Those of `numeric_` and `flags_`, in that order, whose gaps are marked.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where all are strings.

    References
    ----------
    Holzmüller et al. 2024, "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular
    Data", arXiv 2407.04491 (scale and clip).

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import TablePreprocessor
    >>> X = np.array([[1.0, "red"], [3.0, "blue"], [5.0, "red"], [None, "red"]], dtype=object)
    >>> np.asarray(TablePreprocessor().fit_transform(X)).round(2)
    array([[-0.95,  0.  ,  0.  ,  1.  ],
           [ 0.  ,  0.  ,  1.  ,  0.  ],
           [ 0.95,  0.  ,  0.  ,  1.  ],
           [ 0.  ,  1.  ,  0.  ,  1.  ]])
    """

    numeric_: np.ndarray
    flags_: np.ndarray
    categorical_: np.ndarray
    center_: np.ndarray
    scale_: np.ndarray
    with_gaps_: np.ndarray
    n_features_in_: int
    feature_names_in_: np.ndarray

    _parameter_constraints = {
        "max_one_hot": [Interval(Integral, 0, None, closed="left")],
        "dtype": [StrOptions({"float32", "float64"}), None],
    }

    def __init__(self, max_one_hot: int = 9, dtype: str | None = None) -> None:
        self.max_one_hot = max_one_hot
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn medians, scales and categories.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows of numbers, strings, booleans and gaps (NaN or None). A DataFrame is one of
            pandas, polars, pyarrow or another library that narwhals knows.
        y : ignored

        Returns
        -------
        TablePreprocessor

        Raises
        ------
        ColumnError
            For a column of dates, lists or other objects; it is named.

        Warns
        -----
        DistillationWarning
            For a column of texts that are numbers and differ from row to row.
        """
        self.fit_transform(X, y)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit, and return the numbers.

        Parameters
        ----------
        X, y : as in `fit`

        Returns
        -------
        {EncodedTable, CSR matrix} of shape (n_samples, n_columns)
            See `transform`.
        """
        X = self._check(X, reset=True)
        if sparse.issparse(X):
            self.scaler_ = SparseScaler().fit(X)
            return self._rounded(self.scaler_.transform(X))
        found = is_number(X)
        values = self._fit_numbers(X, np.flatnonzero(found))
        self.categorical_ = np.flatnonzero(~found)
        columns = [read_categories(X, position) for position in self.categorical_]
        warn_of_numbers_in_text(X, self.categorical_, columns)
        self._categories = CategoryEncoder(self.max_one_hot).fit(columns)
        return self._join(values, columns)

    def transform(self, X: Any) -> Any:
        """Return the numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows with the columns of `fit`.

        Returns
        -------
        {EncodedTable, CSR matrix} of shape (n_samples, n_columns)
            Quantities, flags, marks of gaps, columns of categories, codes, in this order.
        """
        finite = is_plain(X, self)
        if not finite:
            check_is_fitted(self)
            X = self._check(X, reset=False)
        if hasattr(self, "scaler_"):
            return self._rounded(self.scaler_.transform(sparse.csr_matrix(X)))
        if sparse.issparse(X):
            X = X.toarray()
        if finite:
            values = X if len(self.numeric_) == X.shape[1] else X[:, self._positions]
        else:
            values = self._read_numbers(X, self._positions)
        columns = [read_categories(X, position) for position in self.categorical_]
        return self._join(values, columns, finite=finite)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Name the columns of what `transform` returns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; None is those of `fit`, or x0, x1 and so on.

        Returns
        -------
        ndarray of shape (n_columns,), object
            "age" for a number, a flag or codes, "age is missing" for the mark of a gap, "job=clerk"
            for the column of a category.
        """
        check_is_fitted(self)
        names = names_of_columns(self, input_features)
        if hasattr(self, "scaler_"):
            return names[self.scaler_.kept_]
        numbers, categorical = names[self._positions], names[self.categorical_]
        flags, codes = self._categories.names_of(categorical)
        gaps = [f"{name} is missing" for name in numbers[self.with_gaps_]]
        return np.array([*numbers, *gaps, *flags, *codes], dtype=object)

    def code_names(self) -> dict[str, list[str]]:
        """Name what the codes in the last columns stand for.

        Returns
        -------
        dict of str to list of str
            By the name of the column, "city=Paris" and so on, from code 1 on; code 0 is unknown.
        """
        check_is_fitted(self)
        if hasattr(self, "scaler_"):
            return {}
        return self._categories.names_of(names_of_columns(self)[self.categorical_])[1]

    @property
    def categories_(self) -> list[list[str | None]]:
        """The categories of each column of them."""
        return self._categories.known_

    def _check(self, X, *, reset):
        X = as_rows(X)
        if len(X.shape) != 2:
            raise StudentError(
                f"TablePreprocessor reads tables of shape (n_samples, n_features); X has shape "
                f"{X.shape}. Images want an ImagePreprocessor in its place, texts a "
                f"TfidfVectorizer before it, dicts a DictVectorizer; for other rows give a module "
                f"that reads them: student=StudentNet(YourModule)."
            )
        if reset:
            learn_names_and_width(self, X)
        else:
            check_names_and_width(self, X)
        refuse_unreadable(X)
        return X

    def _read_numbers(self, X, positions):
        """Return columns of numbers; refuse what is none, which only objects can hold."""
        try:
            values = as_floats(X, positions)
        except ValueError as error:
            raise ColumnError(
                f"X holds values that are no numbers ({one_line(error)}), where fit saw numbers or "
                "gaps alone; expected one of these. Convert them, or leave the cells empty."
            ) from error
        if np.isinf(values).any():
            raise ColumnError(
                "Input X contains infinity; expected finite numbers or gaps. Replace it by one or "
                "the other."
            )
        return values

    def _fit_numbers(self, X, positions):
        """Tell quantities from flags and learn their scales; return them, quantities first."""
        values = self._read_numbers(X, positions)
        are_flags, have_gaps = find_flags_and_gaps(values)
        order = np.argsort(are_flags, kind="stable")
        if are_flags.any():
            values = values[:, order]
        self._positions = positions[order]
        self.numeric_, self.flags_ = positions[~are_flags], positions[are_flags]
        self.with_gaps_ = np.flatnonzero(have_gaps[order])
        self.center_, self.scale_ = center_and_scale(values)
        return values

    def _rounded(self, X):
        """Return a sparse matrix in the dtype that is wanted."""
        return X if self.dtype is None else X.astype(self.dtype, copy=False)

    def _join(self, values, columns, *, finite=False):
        """Put side by side what each kind of column becomes."""
        (n_rows, n_numbers), encoder = values.shape, self._categories
        first_flag = n_numbers + len(self.with_gaps_)
        first_code = first_flag + encoder.n_flags_
        width = first_code + len(encoder.cardinalities_)
        dtype = values.dtype if n_numbers else np.float32
        joined = np.zeros((n_rows, width), self.dtype or dtype)
        for rows in blocks_of(n_rows):
            scaled = joined[rows, :n_numbers]
            scale_and_clip(values[rows], self.center_, self.scale_, out=scaled)
            if not finite or len(self.with_gaps_):
                gaps = np.isnan(scaled)
                scaled[gaps] = 0
                joined[rows, n_numbers:first_flag] = gaps[:, self.with_gaps_]
        if columns:
            encoder.write(columns, joined[:, first_flag:first_code], joined[:, first_code:])
        return EncodedTable(joined, len(self.numeric_), encoder.cardinalities_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
