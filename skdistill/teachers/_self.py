"""The student itself as a teacher."""

from typing import Any, NoReturn

from sklearn.base import BaseEstimator
from sklearn.utils import Tags

from skdistill.exceptions import TeacherError


class SelfTeacher(BaseEstimator):
    """The student itself as a teacher: copies of it that learn from the labels alone.

    It stands for the student of the `DistilledClassifier` or `DistilledRegressor` whose teacher it
    is, or is among. In `fit` copies of that student are fitted on labels in the folds of the
    cross-fitting, as any unfitted teacher is, and what each says of the rows that it has not seen
    is learnt. Alone that is self-distillation. Among other teachers it helps where these know
    less than the network does.

    References
    ----------
    Furlanello et al. 2018, "Born Again Neural Networks", arXiv 1805.04770: a student of its
    teacher's own kind.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, StudentNet
    >>> from skdistill.teachers import SelfTeacher
    >>> X, y = load_iris(return_X_y=True)
    >>> teachers = [RandomForestClassifier(20, random_state=0), SelfTeacher()]
    >>> student = StudentNet(max_epochs=5)
    >>> model = DistilledClassifier(teachers, student, random_state=0).fit(X, y)
    >>> model.teacher_.weights_.shape
    (2,)
    """

    def fit(self, X: Any, y: Any = None) -> NoReturn:
        """Refuse to be fitted: which student it stands for is known inside a teacher alone.

        Parameters
        ----------
        X, y : object
            Not looked at.

        Raises
        ------
        TeacherError
        """
        raise TeacherError(
            "A SelfTeacher stands for the student of the model whose teacher it is, and there is "
            "none here; expected DistilledClassifier(SelfTeacher()), or a list of teachers with "
            "it. Anywhere else give the student itself: make_pipeline(TablePreprocessor(), "
            "StudentNet())."
        )

    def __sklearn_tags__(self) -> Tags:
        # What rows it takes is for the student to say.
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags
