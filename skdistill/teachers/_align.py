"""The teacher's columns brought into the order of the classes, by label and never by position."""

import numpy as np

from skdistill._warn import warn
from skdistill.exceptions import LabelEncodingError, TeacherError, TeacherWarning


def as_labels(names, labels):
    """Return names as the labels that they stand for.

    A table of polars, or one that was written to a file, names its columns by strings: "1" is the
    label 1 where no label is the string itself.

    Parameters
    ----------
    names : array-like of shape (n_columns,)
    labels : array-like of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_columns,)
        The names themselves where they are labels, or strangers to all of them.
    """
    names, labels = np.asarray(names), np.asarray(labels)
    known = set(labels.tolist())
    if known & set(names.tolist()):
        return names
    written = {str(label): label for label in labels.tolist()}
    if len(written) < len(known) or not {str(name) for name in names.tolist()} & set(written):
        return names
    found = [written.get(str(name), name) for name in names.tolist()]
    return np.array(found, dtype=labels.dtype if set(found) <= known else object)


def match_names(names, columns, source):
    """Read the names that an answer brings by the classes that its teacher names.

    Parameters
    ----------
    names : ndarray of shape (n_columns,)
        Of the columns of an answer.
    columns : ndarray of shape (n_classes,)
        The classes that the teacher knows, in any order.
    source : str
        Who answered, as a sentence's subject.

    Returns
    -------
    ndarray of shape (n_columns,)
        The class of each column.

    Raises
    ------
    TeacherError
        When the two do not name the same classes.
    """
    labels = as_labels(names, columns)
    if len(labels) != len(columns) or set(labels.tolist()) != set(columns.tolist()):
        raise TeacherError(
            f"{source} gave a table with the columns {_listed(names)}, and the classes are "
            f"{_listed(columns)}; expected a column for each of them, named by it. Rename the "
            f"columns, or return an array in the order of the classes."
        )
    return labels


def find_columns(names, wanted, source):
    """Return where each of the wanted columns stands; see `match_names`.

    Parameters
    ----------
    names : ndarray of shape (n_columns,)
        Of the columns of an answer.
    wanted : ndarray of shape (n_columns,)
    source : str
        Who answered, as a sentence's subject.

    Returns
    -------
    list of int
    """
    position = {label: i for i, label in enumerate(match_names(names, wanted, source).tolist())}
    return [position[label] for label in wanted.tolist()]


def align_columns(probabilities, columns, classes):
    """Bring a teacher's columns into the order of the classes.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_columns)
        The teacher's answer.
    columns : ndarray of shape (n_columns,) or None
        The label of each column. None means the sorted classes.
    classes : ndarray of shape (n_classes,)
        The labels that the student learns, sorted.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        A class that the teacher does not know has probability 0; a class that only the teacher
        knows is dropped and the row divided by what is left. A row with nothing left is NaN.

    Raises
    ------
    TeacherError
        When the number of columns does not fit, or no label is shared.
    LabelEncodingError
        When the labels look as if another estimator had encoded them.
    """
    classes = np.asarray(classes)
    n_columns = probabilities.shape[1]
    if columns is None:
        if n_columns != len(classes):
            raise TeacherError(
                f"The teacher gives {n_columns} columns and does not name them; y has "
                f"{len(classes)} classes ({_listed(classes)}). Name the columns in their order: "
                f"teacher_classes=[...]."
            )
        return probabilities
    columns = as_labels(columns, classes)
    if len(columns) != n_columns:
        raise TeacherError(
            f"The teacher gives {n_columns} columns for {len(columns)} named classes "
            f"({_listed(columns)}); expected one column per class. Check teacher_classes."
        )
    if np.array_equal(columns, classes):
        return probabilities
    position = {label: i for i, label in enumerate(columns.tolist())}
    known = np.array([label in position for label in classes.tolist()])
    aligned = np.zeros((len(probabilities), len(classes)))
    source = [position[label] for label in classes[known].tolist()]
    aligned[:, known] = probabilities[:, source]
    if len(source) < n_columns:
        mass = aligned.sum(axis=1, keepdims=True)
        aligned = np.divide(aligned, mass, out=np.full_like(aligned, np.nan), where=mass > 0)
    return aligned


def check_classes(columns, classes, *, explicit):
    """Compare the teacher's classes with those of y before anything is asked or trained.

    Parameters
    ----------
    columns : ndarray of shape (n_columns,)
        The teacher's classes.
    classes : ndarray of shape (n_classes,)
        The classes of y, sorted.
    explicit : bool
        Whether the user named the columns: then y is taken at its word.

    Raises
    ------
    TeacherError
        When a class is named twice or none is shared.
    LabelEncodingError
        When y looks as if an ensemble had encoded it before it reached this estimator.

    Warns
    -----
    TeacherWarning
        When classes of the teacher are dropped because y lacks them.
    """
    columns = as_labels(columns, classes)
    known, wanted = set(columns.tolist()), set(classes.tolist())
    if len(known) < len(columns):
        raise TeacherError(
            f"The teacher's classes {_listed(columns)} name a class twice; expected each once."
        )
    extra, missing = known - wanted, wanted - known
    if not extra:
        return
    encoded = classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(len(classes)))
    if encoded and not explicit and (missing or len(classes) == 2):
        raise LabelEncodingError(
            f"y holds the labels {_listed(classes)} and the fitted teacher knows "
            f"{_listed(columns)}: y looks encoded. VotingClassifier and StackingClassifier "
            f"number the labels and OneVsRestClassifier makes them 0 and 1 before they reach the "
            f"DistilledClassifier, and a teacher fitted elsewhere does not know these labels. "
            f"Give an unfitted teacher, sklearn.base.clone(teacher), or, when y means what it "
            f"says, name the teacher's columns: teacher_classes=[...]."
        )
    if not known & wanted:
        raise TeacherError(
            f"The teacher knows the classes {_listed(columns)} and y holds {_listed(classes)}: "
            f"none is shared. Name the teacher's columns in y's own labels: teacher_classes=[...]."
        )
    warn(
        f"The teacher knows classes that y lacks ({_listed(sorted(extra, key=str))}): their "
        f"columns are dropped and the rows scaled to sum to one.",
        TeacherWarning,
    )


def _listed(labels, limit=6):
    labels = np.asarray(labels).tolist() if not isinstance(labels, list) else labels
    shown = ", ".join(repr(label) for label in labels[:limit])
    return shown if len(labels) <= limit else f"{shown}, ... ({len(labels)} in all)"
