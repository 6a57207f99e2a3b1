"""The teachers of the command line: one of a file, or one that suits the rows."""

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    VotingClassifier,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.svm import SVC

from skdistill._cli._tables import NUMBERS
from skdistill._compat import CALIBRATION
from skdistill._unwrap import split_pipeline
from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher


def find_teacher(options):
    """Return the teacher that the words name, fitted, or boosted trees."""
    path = getattr(options, "teacher", None)
    if path is None:
        return table_teacher(regression=options.regression)
    try:
        return load_teacher(path, trusted=options.trust)
    except TeacherError as error:
        if "trusted" not in str(error):
            raise
        words = "On the command line --trust says trusted=True; other values are given in Python."
        raise TeacherError(f"{str(error).rstrip('.')}. {words}") from error


def name_of(teacher):
    """Return the classes of a teacher's steps, for people to read."""
    return ", ".join(type(step).__name__ for step in split_pipeline(teacher))


def digits_teacher():
    """Return a vote of trees and of margins, strong on a few small pictures."""
    margins = CalibratedClassifierCV(SVC(C=10), method=CALIBRATION, cv=3, ensemble=False)
    return VotingClassifier(
        [("trees", ExtraTreesClassifier(500)), ("margins", margins)], voting="soft"
    )


def table_teacher(*, regression=False):
    """Return boosted trees that read numbers, strings and gaps."""
    columns = make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            _strings_with_values,
        ),
        ("passthrough", _numbers_with_values),
    )
    trees = HistGradientBoostingRegressor() if regression else HistGradientBoostingClassifier()
    return make_pipeline(columns, trees)


def _strings_with_values(X):
    return _with_values(X.select_dtypes(exclude=NUMBERS))


def _numbers_with_values(X):
    return _with_values(X.select_dtypes(include=NUMBERS))


def _with_values(X):
    # The trees cannot bin a column of gaps, and an almost empty one may be that in a fold.
    return X.columns[X.notna().mean() > 1e-3].tolist()
