"""Columns of any kind made into numbers that a network can read."""

import numbers

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from skdistill._rows import as_rows, is_table, refuse_dates
from skdistill.exceptions import StudentError


class TablePreprocessor(TransformerMixin, BaseEstimator):
    """Standardise numbers, one-hot encode categories, fill and mark gaps.

    Numeric and boolean columns are filled with their median, standardised, and each with gaps
    gets a column that marks them. All other columns are categories: one column for each, a gap
    is a category of its own, and categories never seen count as rare ones. Sparse rows are
    divided by each column's greatest absolute value and stay sparse.

    Parameters
    ----------
    max_categories : int, default=64
        Columns that a category column may become; the rarest categories share one.

    Attributes
    ----------
    numeric_, categorical_ : ndarray of int
        Positions of the columns of each kind.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, where all are strings.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import TablePreprocessor
    >>> X = np.array([[1.0, "red"], [3.0, "blue"], [None, "red"]], dtype=object)
    >>> TablePreprocessor().fit_transform(X)
    array([[-1.22474487,  0.        ,  0.        ,  1.        ],
           [ 1.22474487,  0.        ,  1.        ,  0.        ],
           [ 0.        ,  1.        ,  0.        ,  1.        ]])
    """

    def __init__(self, max_categories=64):
        self.max_categories = max_categories

    def fit(self, X, y=None):
        """Learn medians, scales and categories.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows of numbers, strings, booleans and gaps (NaN or None).
        y : ignored

        Returns
        -------
        TablePreprocessor
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Fit, and return the numbers.

        Parameters
        ----------
        X, y : as in `fit`

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_columns), float64
        """
        X = self._check(X, reset=True)
        if sparse.issparse(X):
            self.scaler_ = MaxAbsScaler()
            return self.scaler_.fit_transform(X.astype(np.float64)).tocsr()
        is_number = np.array([_is_number(column) for column in _columns(X)])
        self.numeric_ = np.flatnonzero(is_number)
        self.categorical_ = np.flatnonzero(~is_number)
        self.imputer_ = SimpleImputer(strategy="median", keep_empty_features=True)
        self.scaler_ = StandardScaler()
        self.encoder_ = OneHotEncoder(
            sparse_output=False,
            handle_unknown="infrequent_if_exist",
            max_categories=self.max_categories,
        )
        numeric, categorical = self._blocks(X)
        gaps = np.isnan(numeric)
        self.with_gaps_ = np.flatnonzero(gaps.any(axis=0))
        if len(self.numeric_):
            self.scaler_.fit(self.imputer_.fit_transform(numeric))
        if len(self.categorical_):
            self.encoder_.fit(categorical)
        return self._join(numeric, categorical)

    def transform(self, X):
        """Return the numbers.

        Parameters
        ----------
        X : {array-like, sparse matrix, DataFrame} of shape (n_samples, n_features)
            Rows with the columns of `fit`.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_samples, n_columns), float64
        """
        check_is_fitted(self)
        X = self._check(X, reset=False)
        if not hasattr(self, "encoder_"):
            return self.scaler_.transform(sparse.csr_matrix(X, dtype=np.float64))
        if sparse.issparse(X):
            X = X.toarray()
        return self._join(*self._blocks(X))

    def _check(self, X, *, reset):
        X = as_rows(X)
        if len(X.shape) != 2:
            raise StudentError(
                f"The default student reads tables of shape (n_samples, n_features); X has shape "
                f"{X.shape}. Give a module that reads it: student=StudentNet(YourModule)."
            )
        validate_data(self, X, reset=reset, skip_check_array=True)
        refuse_dates(X)
        return X

    def _blocks(self, X):
        """Split rows into a float array with NaN for gaps and an object array of strings."""
        columns = list(_columns(X))
        numeric = np.empty((X.shape[0], len(self.numeric_)))
        for i, position in enumerate(self.numeric_):
            numeric[:, i] = _as_floats(columns[position])
        categorical = np.empty((X.shape[0], len(self.categorical_)), dtype=object)
        for i, position in enumerate(self.categorical_):
            categorical[:, i] = _as_strings(columns[position])
        return numeric, categorical

    def _join(self, numeric, categorical):
        blocks = []
        if len(self.numeric_):
            blocks.append(self.scaler_.transform(self.imputer_.transform(numeric)))
            blocks.append(np.isnan(numeric[:, self.with_gaps_]).astype(np.float64))
        if len(self.categorical_):
            blocks.append(self.encoder_.transform(categorical))
        return np.hstack(blocks)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        return tags


def _columns(X):
    """Yield the columns of a DataFrame or of a two-dimensional array."""
    return (X.iloc[:, i] for i in range(X.shape[1])) if is_table(X) else iter(X.T)


def _is_number(column):
    """Whether a column holds numbers or truth values; objects are looked at one by one."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "biuf":
        return True
    if kind in "SU" or str(column.dtype) == "category":
        return False
    values = [value for value in column if not _is_gap(value)]
    if any(isinstance(value, str | bytes) for value in values):
        return False
    for value in values:
        if not isinstance(value, numbers.Number | np.bool_):
            float(value)  # raises the TypeError that names what it is
    return True


def _is_gap(value):
    return value is None or type(value).__name__ == "NAType" or value != value


def _as_floats(column):
    if hasattr(column, "to_numpy"):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    if column.dtype == object:
        column = np.array([np.nan if _is_gap(value) else value for value in column])
    return column.astype(np.float64)


def _as_strings(column):
    return np.array([None if _is_gap(value) else _name(value) for value in column], dtype=object)


def _name(value):
    # A column of integers with gaps comes as floats, and 3.0 is the category 3.
    is_whole = isinstance(value, float | np.floating) and value.is_integer()
    return str(int(value)) if is_whole else str(value)
