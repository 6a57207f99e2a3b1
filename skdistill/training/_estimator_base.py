"""What any scikit-learn estimator needs around it to be a student."""

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.multioutput import MultiOutputRegressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skdistill._compat import learn_names_and_width, routing_enabled, safe_indexing
from skdistill._input._columns import as_floats, is_number, refuse_unreadable
from skdistill._input._frames import column_kinds, is_table
from skdistill._input._inputs import form_of, name_form
from skdistill._input._rows import as_rows, has_gaps, is_plain, stack_rows
from skdistill._interrupts import whole_trainings
from skdistill._names import columns_of
from skdistill._random import seed_parameters
from skdistill._words import one_line
from skdistill.exceptions import ColumnError, StudentError
from skdistill.training._base_student import BaseStudent


class BaseEstimatorStudent(BaseStudent):
    """An estimator that knows nothing of distillation, and the rows that it takes.

    A subclass has `_learn`, and `_ask`, by which an `EstimatorBody` asks. Here it takes regressors.

    Parameters
    ----------
    estimator : estimator
        Cloned for every fit.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone; a `MultiOutputRegressor` of clones where one predicts one number and
        several are wanted.
    history_ : list
        Empty: there are no epochs.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    @property
    def _given_name(self):
        return type(self.estimator).__name__

    @staticmethod
    def takes(estimator):
        """Return whether it is what an estimator may become."""
        return is_regressor(estimator)

    def check_estimator(self):
        """Refuse an estimator that cannot learn; return self."""
        if isinstance(self.estimator, FrozenEstimator):
            raise StudentError(
                "The student is a FrozenEstimator, which no fit changes; expected an estimator "
                "that can learn. Give the estimator inside it."
            )
        return self

    def prepare(self, X, task, seed=None):
        """Check the rows and seed a clone; see `StudentNet.prepare`."""
        X = self._check(X)
        learn_names_and_width(self, X)
        self._check_kind(X)
        self.estimator_ = clone(self.estimator)
        if seed is not None:
            seed_parameters(self.estimator_, seed)
        self.link_ = self._make_link(task)
        return X

    def prepare_more(self, X):
        """Check further rows; see `StudentNet.prepare_more`."""
        return self._check(X)

    def learn(self, X, packed, **settings):
        """Fit on packed targets; see `StudentNet.learn`, some of whose settings are for nets."""
        if packed.n_held:
            raise StudentError(
                "X_val and y_val were given with a student that is no network: it has no epochs "
                "to choose the best of. Leave them out."
            )
        self._learn(stack_rows(X), packed, **settings)
        self.history_ = []
        return self

    def _refuse_weights(self, weighted):
        if weighted and not has_fit_parameter(self.estimator, "sample_weight"):
            raise StudentError(
                f"The rows have different weights, and the fit of the student "
                f"{type(self.estimator).__name__} takes no sample_weight; expected one that does, "
                f"such as DecisionTreeRegressor. Weights come from sample_weight, from rows "
                f"without labels at alpha < 1 and from soft targets that are NaN."
            )

    def _fit(self, X, y, weights):
        with whole_trainings():  # nets may be among its parts
            self.estimator_.fit(X, y, **({} if weights is None else {"sample_weight": weights}))

    def _fit_weighted(self, X, rows, targets, row_weights):
        """Fit a regressor on some rows; without weights where they are all the same.

        Of targets in columns each gets a clone where the estimator predicts one number.
        """
        if np.allclose(row_weights, row_weights[0]):
            row_weights = None
        self._refuse_weights(row_weights is not None)
        if targets.ndim > 1 and not get_tags(self.estimator_).target_tags.multi_output:
            if routing_enabled() and has_fit_parameter(self.estimator_, "sample_weight"):
                self.estimator_.set_fit_request(sample_weight=True)
            self.estimator_ = MultiOutputRegressor(self.estimator_)
        every = len(rows) == X.shape[0] and np.array_equal(rows, np.arange(len(rows)))
        self._fit(X if every else safe_indexing(X, rows), targets, row_weights)

    def _body(self):
        return EstimatorBody(columns_of(self), self.estimator_, self._ask())

    def _check(self, X):
        X = plain_array(as_rows(X))
        refuse_unreadable(X)
        return X

    def _check_kind(self, X):
        """Refuse rows that the estimator says it does not take, before a teacher is asked."""
        name = type(self.estimator).__name__
        tags = get_tags(self.estimator).input_tags
        if len(X.shape) != 2 and not tags.three_d_array:
            raise StudentError(
                f"X has the shape {X.shape}, and {name} reads tables; expected (n_samples, "
                f"n_features). Reshape it, or give a module that reads such rows."
            )
        if sparse.issparse(X):
            if not tags.sparse:
                raise StudentError(
                    f"X is sparse, and {name} takes no sparse rows; expected an array. Call "
                    f"X.toarray() if the memory allows, or give a student that takes them."
                )
            return
        if any(hasattr(part, "fit") for part in self.estimator.get_params().values()):
            return  # what is inside may encode and fill by itself
        advice = "Put a step before it: make_pipeline(TablePreprocessor(), student)."
        if has_gaps(X) and not tags.allow_nan:
            raise StudentError(f"Input X contains NaN, and {name} takes no gaps. {advice}")
        try:
            _try_numbers(X)
        except ColumnError:
            raise
        except ValueError as error:
            raise StudentError(
                f"X holds values that are no numbers ({one_line(error)}), and {name} reads numbers "
                f"alone. {advice}"
            ) from error

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


class EstimatorBody:
    """A fitted estimator, and how it is asked.

    Parameters
    ----------
    columns : Columns
        Those of `fit`, which the estimator itself compares.
    estimator : estimator
    ask : callable
        From the estimator and rows to an array of shape (n_samples, n_outputs).
    """

    def __init__(self, columns, estimator, ask):
        self.columns = columns
        self.estimator = estimator
        self.ask = ask

    def outputs(self, X):
        """Return what the estimator says of rows, float64."""
        rows = plain_array(X if is_plain(X, self.columns) else as_rows(X))
        return self.ask(self.estimator, rows)


def plain_array(X):
    """Return rows without what a table's preprocessing says of them; refuse those of no columns.

    Raises
    ------
    StudentError
    """
    form = form_of(X)
    if form is not None:
        step = "DictVectorizer()" if form == "dicts" else "FunctionTransformer(lambda X: X[name])"
        raise StudentError(
            f"X is {name_form(form)}, and this student reads a table; expected one. Put a step "
            f"before it that makes it: make_pipeline({step}, student)."
        )
    return X if is_table(X) or sparse.issparse(X) else np.asarray(X)


def _try_numbers(X):
    """Convert the columns that hold no numbers; a table's categories are the estimator's affair."""
    others = ~is_number(X)
    if is_table(X):
        others &= [kind != "category" for kind in column_kinds(X)]
    as_floats(X, np.flatnonzero(others))
