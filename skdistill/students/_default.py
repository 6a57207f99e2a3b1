"""The student that None stands for, with settings of its own."""

import inspect
from typing import Any, Self

from sklearn.base import BaseEstimator
from skorch import NeuralNet

from skdistill.exceptions import StudentError

SETTINGS = [
    *(name for name in inspect.signature(NeuralNet).parameters if name != "kwargs"),
    *("dtype", "views"),
]
"""The settings of the net that it ends in."""

PARTS = [
    "module",
    "optimizer",
    "iterator_train",
    "iterator_valid",
    "dataset",
    "callbacks",
    "compile",
]
"""Those of them that have settings too."""


class DefaultStudent(BaseEstimator):
    """The student that ``student=None`` stands for, with other settings of its network.

    What it becomes is decided by the rows of `fit`: `TablePreprocessor` and a network for a table,
    `ImagePreprocessor` and a network for images, hashed words before these for texts, and a
    `DictVectorizer` for dicts. The network is a `skdistill.StudentNet`, of a DistilledRegressor a
    `skdistill.StudentNetRegressor`.

    ``set_params(student__lr=0.01)`` makes a student of None such a one, so that the default can be
    searched like any other.

    Parameters
    ----------
    **settings
        Of the network, by the names that it has for them, such as ``lr=0.01`` and
        ``module__hidden_units=(64,)``. What is not set is as `StudentNet` has it. Checked in
        `set_params`, and in the `fit` of the model.

    See Also
    --------
    skdistill.StudentNet : What the settings mean.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.students import DefaultStudent
    >>> model = DistilledClassifier(GaussianNB(), DefaultStudent(max_epochs=5))
    >>> model.set_params(student__lr=0.02).student
    DefaultStudent(lr=0.02, max_epochs=5)
    """

    def __init__(self, **settings: Any) -> None:
        self.__dict__.update(settings)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings that were given, by name.

        Parameters
        ----------
        deep : bool, default=True
            Of no effect.

        Returns
        -------
        dict of str to object
        """
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def set_params(self, **params: Any) -> Self:
        """Set settings of the network.

        Parameters
        ----------
        **params
            New values; the others stay.

        Returns
        -------
        self

        Raises
        ------
        StudentError
            For a name that the network does not know.
        """
        check_names(params)
        self.__dict__.update(params)
        return self


def check_names(settings):
    """Refuse settings that the default student's network does not have.

    Parameters
    ----------
    settings : iterable of str
        Their names.

    Raises
    ------
    StudentError
    """
    unknown = [
        name for name in settings if name not in SETTINGS and name.partition("__")[0] not in PARTS
    ]
    if unknown:
        raise StudentError(
            f"The default student has no settings {unknown}; expected some of its network's: "
            f"{SETTINGS}, or those of its parts {PARTS}, as module__hidden_units. To set the steps "
            f"before it, name them: student=make_pipeline(TablePreprocessor(), StudentNet())."
        )


def is_default(student):
    """Whether a student is the default one, with settings or without."""
    return student is None or isinstance(student, DefaultStudent)


def named_default(student, params):
    """Return parameters for `set_params` in which a default student is named that is set through.

    Parameters
    ----------
    student : object
        The student of the model.
    params : dict of str to object

    Returns
    -------
    dict of str to object
        With ``student=None`` those that begin with ``student__`` become one `DefaultStudent`.

    Raises
    ------
    StudentError
        For a name that its network does not know.
    """
    own = {name: value for name, value in params.items() if name.startswith("student__")}
    if not own or params.get("student", student) is not None:
        return params
    settings = {name.removeprefix("student__"): value for name, value in own.items()}
    others = {name: value for name, value in params.items() if name not in own}
    return {**others, "student": DefaultStudent().set_params(**settings)}
