"""What differs between a teacher of classes and one of numbers."""

from typing import Any

import numpy as np

from skdistill._input._labels import check_labels, encode, read_labels
from skdistill._input._numbers import as_numbers, numbers_of_width
from skdistill._input._rows import blocks_of
from skdistill._names import in_order_of, names_of
from skdistill.exceptions import TeacherError
from skdistill.targets._calibration import fit_calibration
from skdistill.targets._poor_values import warn_of_poor_values
from skdistill.targets._splits import check_two_classes, shuffled_folds, stratified_folds
from skdistill.targets._value import Targets
from skdistill.targets._warnings import warn_of_known_rows, warn_of_misleading_targets
from skdistill.teachers._align import align_columns, as_labels, check_classes
from skdistill.teachers._asks import CLASSES, NUMBERS, Classes, Numbers
from skdistill.teachers._contract import as_probabilities, check_finite, is_of_second
from skdistill.teachers._panel import read_classes, read_numbers

SOURCE = "soft_targets"

EXACT = 1e-12
"""How far a sum of probabilities in double precision is from one by rounding alone."""


def as_shares(values):
    """Return probabilities that sum to one; those that do so already, bit for bit.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns)
        A row of NaN has no answer.

    Raises
    ------
    TeacherError
        For other values than probabilities.
    """
    told = _told(values)
    if all(_sum_to_one(values[rows][told[rows]]) for rows in blocks_of(len(values))):
        return values
    values = values.copy()
    _make_shares(values, told)
    return values


def _told(values):
    """Return which rows have an answer; refuse those of which a part is one."""
    told = ~np.isnan(values).all(axis=1)
    if not (np.isfinite(values).all(axis=1) | ~told).all():
        check_finite(values[told], SOURCE)
    return told


def _sum_to_one(values):
    return (values >= 0).all() and (np.abs(values.sum(axis=1) - 1) <= EXACT).all()


def _make_shares(values, told):
    """Check probabilities, and divide each row by its sum, in place."""
    for rows in blocks_of(len(values)):
        block, mine = values[rows], told[rows]
        block[mine] = as_probabilities(block[mine], "probabilities", SOURCE)


class ClassTask:
    """Labels are to be learnt: the teacher is asked for the probabilities of classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Labels.
    classes : ndarray of shape (n_classes,), default=None
        Those that may come, sorted; None is those of y.

    Attributes
    ----------
    positions, hard : ndarray of shape (n_samples,), int
        The position of each row's label among the classes: what is learnt.
    n_columns : int
        Number of classes.
    """

    asks = CLASSES
    pools = True
    units = "class and group"
    named_members = "VotingClassifier([(name, member), ...], voting='soft')"

    def __init__(self, y, classes=None):
        self.y: Any = np.asarray(y)
        self.classes, positions = np.unique(self.y, return_inverse=True)
        if classes is not None:
            self.classes, positions = classes, encode(y, classes)
        self.positions = self.hard = positions
        self.n_columns = len(self.classes)

    @classmethod
    def from_y(cls, y, classes=None):
        """Return the task of y, and of classes, as a user gives them; see `read_labels`."""
        given = None if classes is None else np.unique(check_labels(classes))
        return cls(read_labels(y) if given is None else check_labels(y), given)

    @staticmethod
    def check_settings(calibrate, columns):
        """Nothing is about numbers alone."""

    def encode(self, y, source):
        """Return the positions of further labels among the classes."""
        return encode(y, self.classes)

    def folds(self, cv, groups):
        """Return the splitter that `cv` stands for."""
        return stratified_folds(cv, self.y, groups)

    def check_training_rows(self, train, where, in_sample):
        """Refuse training rows of a split that hold a single class; see `check_two_classes`."""
        check_two_classes(self.y, train, where, in_sample)

    def check_columns(self, columns, *, explicit):
        """Compare the teacher's classes with those of y; see `check_classes`."""
        if columns is not None:
            check_classes(columns, self.classes, explicit=explicit)

    def read(self, replies, kinds, panel=None, columns=None):
        """Read replies as an array in the order of the classes.

        Parameters
        ----------
        replies : list of Reply
            To some rows, one for each member of the teacher.
        kinds : tuple of str
            What they speak.
        panel : Panel, default=None
            How members are made one.
        columns : ndarray of shape (n_columns,), default=None
            The labels of the columns by the user, above what the teacher says.

        Returns
        -------
        values : ndarray of shape (n_samples, n_classes)
        columns : ndarray of shape (n_columns,) or None
            The labels that the teacher knows.
        """
        for reply in replies:
            if is_of_second(reply.values, reply.columns) and self.n_columns != 2:
                raise TeacherError(
                    f"{reply.source} gave one column, which stands for the second of two classes, "
                    f"and there are {self.n_columns}; expected a column for each class. Return "
                    f"shape (n_samples, {self.n_columns})."
                )
        values, named = read_classes(replies, kinds, panel)
        columns = named if columns is None else columns
        columns = None if columns is None else as_labels(columns, self.classes)
        return align_columns(values, columns, self.classes), columns

    def read_given(self, values, names, columns):
        """Check an array of soft targets; return `Targets` that name their columns.

        Parameters
        ----------
        values : ndarray of shape (n_samples, n_columns)
            Changed in place, and kept.
        names : ndarray of shape (n_columns,) or None
            Of the columns of a table.
        columns : array-like of shape (n_columns,) or None
            Their labels by the user.
        """
        known = self.classes if columns is None else np.asarray(columns)
        if values.shape != (len(self.hard), len(known)):
            raise ValueError(
                f"soft_targets has shape {values.shape}; expected "
                f"({len(self.hard)}, {len(known)}): a row per row of X and a column per class, in "
                f"sorted order or in that of teacher_classes."
            )
        _make_shares(values, _told(values))
        labels = known if names is None else as_labels(names, known)
        if set(labels.tolist()) != set(known.tolist()):
            raise ValueError(
                f"soft_targets is a table with the columns {names.tolist()}, and the classes are "
                f"{known.tolist()}; expected a column for each of them, named by it. Rename the "
                f"columns, or pass an array in the order of the classes."
            )
        return Targets(values, classes=labels)

    def align_given(self, targets):
        """Return given targets whose columns are the classes of y, their values checked."""
        columns = self.classes if targets.classes is None else targets.classes
        if len(columns) != targets.shape[1]:
            raise ValueError(
                f"soft_targets has shape {targets.shape}; expected ({len(self.hard)}, "
                f"{len(columns)}): a column per class, in sorted order or in that of "
                f"teacher_classes."
            )
        check_classes(columns, self.classes, explicit=True)
        columns = as_labels(columns, self.classes)
        values, *more = (
            align_columns(as_shares(part), columns, self.classes)
            for part in [targets.values, *targets.more]
        )
        self.without_strangers(values, self.y, columns)
        return targets.replace(values=values, classes=self.classes, more=more, said=None)

    def without_strangers(self, values, y, known):
        """Make NaN of the rows whose class is not known, in place.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_classes)
        y : ndarray of shape (n_rows,)
            Their labels.
        known : array-like or None
            The labels that the teacher knows; None is all.
        """
        lost = np.zeros(0, bool) if known is None else ~np.isin(y, known)
        if lost.any():  # values may be the user's own, which are written into for nothing
            values[lost] = np.nan

    def fit_calibration(self, values, calibrate, sample_weight, *, out_of_fold):
        """Fit the wanted calibration on answers and labels; see `fit_calibration`."""
        weight = sample_weight
        return fit_calibration(values, self.positions, calibrate, weight, out_of_fold=out_of_fold)

    def warn(self, targets, sample_weight):
        """Warn of targets that the labels speak against."""
        warn_of_misleading_targets(
            targets.values,
            self.positions,
            sample_weight,
            classes=self.classes,
            calibrated=targets.calibrated,
            out_of_fold=targets.out_of_fold,
        )

    def warn_if_known(self, targets, history):
        """Warn of a fitted teacher that knows the labels by heart; see `warn_of_known_rows`."""
        held = [epoch["valid_loss"] for epoch in history if "valid_loss" in epoch]
        if held and not targets.from_labels:
            warn_of_known_rows(targets.values, self.positions, min(held))


class NumberTask:
    """Numbers are to be learnt: the teacher is asked for the same.

    Parameters
    ----------
    y : ndarray of shape (n_samples, n_outputs)
        Targets.
    level : float, default=None
        The quantile that is learnt; None is the mean.
    names : ndarray of shape (n_outputs,), default=None
        The names of y's columns, by which answers that name theirs are put in order.

    Attributes
    ----------
    classes : None
        There are none.
    hard : ndarray of shape (n_samples, n_outputs)
        What is learnt: y itself.
    n_columns : int
        Number of outputs.
    """

    asks: Numbers | Classes = NUMBERS
    units = "group"
    named_members = "VotingRegressor([(name, member), ...])"
    classes = None

    def __init__(self, y, level=None, names=None):
        self.names = names
        self.targets = self.hard = y
        self.n_columns = y.shape[1]
        self.y = y[:, 0] if self.n_columns == 1 else y
        self.level = level

    @property
    def pools(self):
        """Whether the squared error may weigh teachers: not where a quantile is learnt."""
        return self.level is None

    @classmethod
    def from_y(cls, y, level=None):
        """Return the task of y as a user gives it; see `as_numbers`."""
        return cls(as_numbers(y), level, names_of(y))

    @staticmethod
    def check_settings(calibrate, columns):
        """Refuse what belongs to classes alone."""
        given = ["calibrate"] * bool(calibrate) + ["teacher_classes"] * (columns is not None)
        if given:
            raise ValueError(
                f"{given} were given with a teacher of numbers, and are about classes; expected "
                f"none. For a teacher of classes set task='classes'."
            )

    def encode(self, y, source):
        """Return further numbers, their columns in the order of y; `source` is their name."""
        return in_order_of(self.names, numbers_of_width(y, self.n_columns), names_of(y), source)

    def folds(self, cv, groups):
        """Return the splitter that `cv` stands for."""
        return shuffled_folds(cv, self.y, groups)

    def check_training_rows(self, train, where, in_sample):
        """Any rows will do."""

    def check_columns(self, columns, *, explicit):
        """Outputs have no labels."""

    def read(self, replies, kinds, panel=None, columns=None):
        """Read replies as an array of numbers; see `ClassTask.read`."""
        return read_numbers(replies, self.n_columns, self.names, panel), None

    def read_given(self, values, names, columns):
        """Check an array of numbers; see `ClassTask.read_given`."""
        came = values.shape
        values = values[:, None] if values.ndim == 1 else values
        if values.shape != self.targets.shape:
            raise ValueError(
                f"soft_targets has shape {came}; expected {self.targets.shape}: a row per row of "
                f"X and a column per column of y."
            )
        return Targets(in_order_of(self.names, values, names, SOURCE), "numbers")

    def align_given(self, targets):
        """Return given targets that have a column for each of y."""
        if targets.shape[1] != self.n_columns:
            raise ValueError(
                f"soft_targets has {targets.shape[1]} columns; expected {self.n_columns}: a column "
                f"per column of y."
            )
        return targets

    def without_strangers(self, values, y, known):
        """No number is a stranger."""

    def fit_calibration(self, values, calibrate, sample_weight, *, out_of_fold):
        """Numbers are left as they are."""
        return None

    def warn(self, targets, sample_weight):
        """Warn of a teacher that a constant beats."""
        warn_of_poor_values(targets.values, self.targets, sample_weight, self.level, self.names)

    def warn_if_known(self, targets, history):
        """Numbers are never wholly right or wrong."""
