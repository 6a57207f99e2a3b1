"""What is learnt of the rows of a dataset: classes or numbers, and what a teacher says of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdistill._input._arrow import different_values, gaps_of, positions_among
from skdistill.targets._given import given_targets
from skdistill.targets._tasks import as_shares
from skdistill.targets._value import Targets
from skdistill.teachers._align import align_columns, as_labels
from skdistill.training._packed import Packed

MANY = 10_000
"""More different values than these are no classes."""


class DatasetTask:
    """What is learnt; a subclass says how targets and answers are read.

    Parameters
    ----------
    task : ClassTask or NumberTask
        Of the sample.
    """

    expected: str
    """What a target is, for errors."""

    unlearnt: tuple[str, ...] = ("nested",)
    """Kinds of columns, see `column_kinds`, that are no target."""

    def __init__(self, task: Any) -> None:
        self.task = task

    def packed(self, part: Any) -> Packed:
        """Return what is learnt of a `Part`."""
        answers = [self.answers(part.answers)] if part.answers.shape[1] else []
        return Packed(self.hard(part.y), answers)

    def targets(self, values: np.ndarray) -> Targets:
        """Check answers for the rows of the sample, and warn of poor ones."""
        raise NotImplementedError

    def hard(self, y: Sequence[Any]) -> np.ndarray:
        """Return what is learnt of columns of the target; see `Packed`."""
        raise NotImplementedError

    def answers(self, values: np.ndarray) -> np.ndarray:
        """Return answers in the order of what is learnt."""
        raise NotImplementedError


class DatasetClasses(DatasetTask):
    """Labels are learnt.

    Parameters
    ----------
    task : ClassTask
        Of the sample, with the classes of all rows.
    given : list of str
        The names of the columns of the answers.
    target : list of str
    teacher_classes : array-like of shape (n_columns,) or None
        The labels of these columns, where their names say nothing.
    """

    expected = "numbers or texts"

    def __init__(self, task, given, target, teacher_classes):
        super().__init__(task)
        names = as_labels(np.array(given), task.classes)
        are_named = bool(given) and np.isin(names, task.classes).any()
        self.columns = names if are_named else teacher_classes

    def targets(self, values):
        """Check answers for the rows of the sample; see `given_targets`."""
        return given_targets(values, self.task, columns=self.columns)

    @staticmethod
    def look_at(part, names, seen):
        """Check the target and the answers of a part; return the labels seen so far.

        Parameters
        ----------
        part : Part
        names : list of str
            Of the columns of the target.
        seen : pyarrow.Array or None
            Those of the parts before.
        """
        _refuse_gaps(names, part.y)
        labels = different_values(part.y[0], seen)
        if len(labels) > MANY:
            raise ValueError(
                f"The column {names[0]!r} holds more than {MANY} different values; expected the "
                f"labels of classes. Numbers are learnt by a DistilledRegressor."
            )
        n_answers = part.answers.shape[1]
        if n_answers and n_answers < len(labels):
            raise ValueError(
                f"soft_targets has {n_answers} columns, and {names[0]!r} holds {len(labels)} "
                f"different labels or more; expected a column for each class. Name all of them."
            )
        as_shares(part.answers)
        return labels

    @staticmethod
    def values(y):
        """Return labels, ndarray of shape (n_rows,)."""
        return y[0].to_numpy()

    def hard(self, y):
        """Return the positions of the classes, ndarray of shape (n_rows,), int64."""
        return positions_among(y[0], self.task.classes)

    def answers(self, values):
        """Return probabilities in the order of the classes."""
        return align_columns(as_shares(values), self.columns, self.task.classes)


class DatasetNumbers(DatasetTask):
    """Numbers are learnt.

    Parameters
    ----------
    task : NumberTask
        Of the sample.
    given : list of str
        The names of the columns of the answers.
    target : list of str
        Those of the target, in whose order the others are taken where they are the same names.
    teacher_classes : None
        There are none.
    """

    expected = "numbers"
    unlearnt = ("nested", "date")  # which would pass for numbers

    def __init__(self, task, given, target, teacher_classes=None):
        super().__init__(task)
        same = sorted(given) == sorted(target)
        self.order = [given.index(name) for name in target] if same else slice(None)

    def targets(self, values):
        """Check answers for the rows of the sample; see `given_targets`."""
        return given_targets(self.answers(values), self.task)

    @staticmethod
    def look_at(part, names, seen):
        """Check the target and the answers of a part; see `DatasetClasses.look_at`."""
        _refuse_gaps(names, part.y)
        for name, values in zip(names, DatasetNumbers.values(part.y).T, strict=True):
            if not np.isfinite(values).all():
                raise ValueError(
                    f"The column {name!r} holds infinite numbers; expected finite targets. Leave "
                    f"these rows out."
                )
        if np.isinf(part.answers).any():
            raise ValueError(
                "soft_targets holds infinite values; expected finite numbers, and NaN for a row "
                "that has none."
            )

    @staticmethod
    def values(y):
        """Return numbers, ndarray of shape (n_rows, n_outputs), float64."""
        return np.column_stack([column.to_numpy().astype(np.float64) for column in y])

    def hard(self, y):
        """Return the numbers."""
        return self.values(y)

    def answers(self, values):
        """Return the numbers of the teacher in the order of the target's columns."""
        return values[:, self.order]


def _refuse_gaps(names, y):
    for name, column in zip(names, y, strict=True):
        n_gaps = int(gaps_of(column).sum())
        if n_gaps:
            raise ValueError(
                f"The column {name!r} has gaps in {n_gaps} of {len(column)} rows; expected a "
                f"target in each. Write the rows that have one into files of their own."
            )
