"""What `skdistill demo` shows where no table is named: few labels, many rows without one."""

from sklearn.datasets import load_digits

from skdistill._cli._tables import ReportRows, hold_out

N_LABELLED = 100
TEST_SIZE = 0.4

SETTINGS = {"alpha": 0.9, "calibrate": True, "n_jobs": None}
"""A teacher of few rows is unsure, and fitted before a second process would have begun."""


def digits_parts(options):
    """Return scikit-learn's digits, of which all but a hundred and the test rows have no label.

    Parameters
    ----------
    options : Namespace
        With seed and regression.

    Returns
    -------
    ReportRows
    """
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = hold_out(X, y, options, TEST_SIZE)
    X_train, more, y_train, _ = hold_out(X, y, options, len(y) - N_LABELLED)
    return ReportRows(X_train, X_test, y_train, y_test, more=more)
