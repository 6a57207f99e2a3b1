"""A teacher that knows how the classes are related, and nothing else."""

from collections.abc import Sequence
from itertools import takewhile
from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdistill._compat import Interval
from skdistill._words import one_line, shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import Adapter


class ClassGraphTeacher(BaseEstimator):
    r"""Turn a taxonomy or a similarity of the classes into soft targets around the true class.

    A row of class :math:`y` gets the target

    .. math:: t(y) = (1 - s) \cdot e_y + s \cdot S_y / \textstyle\sum_c S_{yc},

    with the strength :math:`s`, the one-hot vector :math:`e_y` and row :math:`y` of the
    similarity matrix :math:`S`. A matrix of ones is label smoothing. The answer comes from the
    label and not from the row: there is none for a row without label, and `DistilledClassifier`
    asks for no cross-fitting. In an `EnsembleTeacher` it is mixed with what the other members
    answer for the labelled rows.

    Parameters
    ----------
    similarity : array-like of shape (n_classes, n_classes)
        Not negative, each row with a positive sum; the row is the true class. A DataFrame names
        the classes in its columns and index.
    strength : float, default=0.1
        The share of the similarity in [0, 1]; 0 is the one-hot label.
    classes : array-like of shape (n_classes,), default=None
        The labels of rows and columns. None is those of a DataFrame, otherwise the sorted labels
        of y.

    See Also
    --------
    EnsembleTeacher : Mixes it with teachers that read the rows.

    References
    ----------
    Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision",
    arXiv 1512.00567: label smoothing.
    Bertinetto et al. 2020, "Making Better Mistakes: Leveraging Class Hierarchies with Deep
    Networks", arXiv 1912.09393: soft labels of a hierarchy.

    Examples
    --------
    >>> from skdistill.teachers import ClassGraphTeacher
    >>> similarity = [[2, 1, 0], [1, 2, 0], [0, 0, 1]]
    >>> teacher = ClassGraphTeacher(similarity, strength=0.3, classes=["cat", "dog", "car"])
    >>> teacher.soft_targets(["cat", "car"], ["car", "cat", "dog"])
    array([[0. , 0.9, 0.1],
           [1. , 0. , 0. ]])
    """

    _parameter_constraints = {
        "similarity": ["array-like"],
        "strength": [Interval(Real, 0, 1, closed="both")],
        "classes": [None, "array-like"],
    }
    answers_from_labels = True

    def __init__(
        self, similarity: Any, *, strength: float = 0.1, classes: ArrayLike | None = None
    ) -> None:
        self.similarity = similarity
        self.strength = strength
        self.classes = classes

    @classmethod
    def from_names(
        cls,
        names: Sequence[str],
        *,
        separator: str = ".",
        strength: float = 0.1,
        classes: ArrayLike | None = None,
    ) -> Self:
        r"""Make a teacher from names that are paths in a tree, such as "comp.sys.mac.hardware".

        The similarity of two paths is that of Wu and Palmer: twice the length of their common
        beginning, divided by the sum of their lengths; 1 for equal paths, 0 for paths that part
        at the first step.

        Parameters
        ----------
        names : list of str
            A path for each class.
        separator : str, default="."
            What stands between the steps of a path.
        strength : float, default=0.1
            See the class.
        classes : array-like of shape (n_classes,), default=None
            The labels that the paths belong to; None is the names themselves.

        Returns
        -------
        ClassGraphTeacher

        References
        ----------
        Wu and Palmer 1994, "Verb Semantics and Lexical Selection", ACL 1994.

        Examples
        --------
        >>> from skdistill.teachers import ClassGraphTeacher
        >>> names = ["comp.graphics", "comp.sys.mac.hardware", "comp.sys.ibm.pc", "misc.forsale"]
        >>> ClassGraphTeacher.from_names(names).similarity.round(2)
        array([[1.  , 0.33, 0.33, 0.  ],
               [0.33, 1.  , 0.5 , 0.  ],
               [0.33, 0.5 , 1.  , 0.  ],
               [0.  , 0.  , 0.  , 1.  ]])
        """
        paths = [str(name).split(separator) for name in names]
        similarity = np.array([[_path_similarity(a, b) for b in paths] for a in paths])
        labels = list(names) if classes is None else classes
        return cls(similarity, strength=strength, classes=labels)

    def soft_targets(self, y: ArrayLike, classes: ArrayLike | None = None) -> np.ndarray:
        """Return the target of each label.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            The labels of the columns; None is the sorted labels of y. A class of the graph that
            is not among them is dropped and the row scaled to sum to one.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), float64
            Also fit for ``DistilledClassifier().fit(X, y, soft_targets=...)``.

        Raises
        ------
        TeacherError
            When y or `classes` holds a label that the graph does not have.
        """
        y = np.asarray(y)
        columns = np.unique(y) if classes is None else np.asarray(classes)
        similarity, known = self._check()
        if known is None:
            known = np.sort(columns).tolist()
            if len(known) != len(similarity):
                raise TeacherError(
                    f"The similarity is of {len(similarity)} classes and y has {len(known)} "
                    f"({known}); expected as many. Name its classes: classes=[...]."
                )
        position = {label: i for i, label in enumerate(known)}
        strange = [label for label in {*y.tolist(), *columns.tolist()} if label not in position]
        if strange:
            raise TeacherError(
                f"The similarity knows the classes {known} and not {strange}; expected a row "
                f"and a column for every label of y."
            )
        order = [position[label] for label in columns.tolist()]
        rows = [position[label] for label in y.tolist()]
        similarity = similarity / similarity.sum(axis=1, keepdims=True)
        table = (1 - self.strength) * np.eye(len(known)) + self.strength * similarity
        targets = table[np.ix_(rows, order)]
        mass = targets.sum(axis=1, keepdims=True)
        if not (mass > 0).all():
            raise TeacherError(
                f"strength={self.strength} and the similarity leave nothing for a row of class "
                f"{shorten(y[np.argmin(mass)])}; expected a positive similarity to one of the "
                f"classes {columns.tolist()}, or a strength below 1."
            )
        return targets / mass

    def _check(self):
        """Return the similarity as an array, and its labels or None."""
        self._validate_params()
        similarity, known = self.similarity, self.classes
        if hasattr(similarity, "columns"):
            index, names = similarity.index.tolist(), similarity.columns.tolist()
            if set(index) != set(names) or not len(set(index)) == len(index) == len(names):
                raise TeacherError(
                    f"The similarity has the rows {index} and the columns {names}; expected the "
                    f"same classes in both, each once."
                )
            similarity = similarity[index]
            known = index if known is None else known
        try:
            similarity = np.asarray(similarity, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise TeacherError(
                f"The similarity is no matrix of numbers ({one_line(error)}); expected one of "
                "shape (n_classes, n_classes)."
            ) from error
        if similarity.ndim != 2 or similarity.shape[0] != similarity.shape[1]:
            raise TeacherError(
                f"The similarity has the shape {similarity.shape}; expected (n_classes, n_classes)."
            )
        if not (np.isfinite(similarity) & (similarity >= 0)).all():
            raise TeacherError(
                "The similarity holds values that are negative or not finite; expected finite ones "
                "from 0 on. For others, such as cosines: scipy.special.softmax(S / 0.1, axis=1)."
            )
        if not similarity.sum(axis=1).all():
            raise TeacherError(
                "The similarity has a row of zeros; expected each class to be similar to itself."
            )
        known = None if known is None else np.asarray(known).tolist()
        if known is not None and (len(known) != len(similarity) or len(set(known)) < len(known)):
            raise TeacherError(
                f"The similarity is of {len(similarity)} classes and their labels are {known}; "
                f"expected a label for each, each once."
            )
        return similarity, known

    def _adapter(self, asks):
        """Return what `adapt` returns for a graph: one that answers for no row."""
        asks.refuse(self)
        return _NoRows("A ClassGraphTeacher", asks, self._check()[1], "probabilities")


class _NoRows(Adapter):
    """The adapter of a graph, which knows its classes at most."""

    def _answer(self, X):
        raise TeacherError(
            "A ClassGraphTeacher answers from labels and knows nothing about rows; expected a "
            "teacher that can be asked about X. Its targets are soft_targets(y)."
        )


def _path_similarity(a, b):
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    return 2 * common / (len(a) + len(b))
