"""Hard labels, soft targets and weights of all rows: the one `y` of a net."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skdistill._input._rows import blocks_of
from skdistill._warn import warn
from skdistill.exceptions import TeacherWarning
from skdistill.teachers._clip import log_probabilities

HUGE = 1e100
"""Weights beyond it are scaled first, for their sum may leave the range of floats."""

LOGITS, NUMBERS = "teacher_logits", "teacher_target"
"""The entries of packed targets with what a teacher says."""

FEATURES = "teacher_features."
"""What the entries with a layer of a teacher begin with."""


@dataclass(frozen=True)
class Packed:
    """What is learnt of each row.

    The rows come in parts: those with a label, those without, and labelled rows that are held back
    whatever a net's own split says. Nothing is copied; `arrays` makes what a data set holds.

    Parameters
    ----------
    hard : ndarray of shape (n_labelled,), int, or (n_labelled, n_outputs), float
        The position of each row's class, or the numbers to learn. Where nobody knows a class, -1
        for all rows.
    answers : list of ndarray of shape (n_i, n_columns), default=()
        What the teacher says of the labelled rows, then of each part of those without labels:
        probabilities, or numbers. A row of NaN has no answer, and learns from its label alone.
        Empty where no teacher is heard.
    weight : ndarray of shape (n_labelled,), default=None
        Weights of the labelled rows. Not negative, not all zero.
    more_weight : float, default=1.0
        Weight of each row without a label, where 1 is the mean weight of a labelled one.
    groups : ndarray of shape (n_labelled,), default=None
        Rows of one group are held back together.
    features : dict of str to list of ndarray, default={}
        What layers of the teacher make of each part.
    held : ndarray, default=None
        Labels, or numbers, of further rows that are held back: they follow all others.
    unit : (mean, scale) of ndarray of shape (n_outputs,), default=None
        By which `arrays` standardises numbers.
    """

    hard: np.ndarray
    answers: list = field(default_factory=list)
    weight: np.ndarray | None = None
    more_weight: float = 1.0
    groups: np.ndarray | None = None
    features: dict = field(default_factory=dict)
    held: np.ndarray | None = None
    unit: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def are_numbers(self) -> bool:
        """Whether numbers are learnt, and no classes."""
        return self.hard.ndim == 2

    @property
    def has_labels(self) -> bool:
        """Whether somebody knows the classes, or the numbers."""
        return self.are_numbers or bool((self.hard >= 0).any())

    @property
    def n_labelled(self) -> int:
        """Number of rows with a label, those held back not among them."""
        return len(self.hard)

    @property
    def n_rows(self) -> int:
        """Number of rows that are learnt from or held back by a net's split."""
        return self.n_labelled + sum(len(part) for part in self.answers[1:])

    @property
    def n_held(self) -> int:
        """Number of rows that are held back in any case."""
        return 0 if self.held is None else len(self.held)

    def labelled_weight(self) -> np.ndarray | None:
        """Return the weight of each labelled row, their mean one; None for ones."""
        return None if self.weight is None else _mean_one(self.weight)

    def told(self) -> np.ndarray:
        """Return which of the rows have an answer, ndarray of shape (n_rows,), bool."""
        return np.concatenate([~np.isnan(part).any(axis=1) for part in self.answers])

    def hard_weight(self) -> np.ndarray | None:
        """Return the weight of each row in the term of the labels, its mean one; None for ones."""
        if not self.has_labels:
            return np.zeros(self.n_rows)
        n_more = self.n_rows - self.n_labelled
        if self.weight is None and not n_more:
            return None
        weight = np.ones(self.n_labelled) if self.weight is None else self.weight
        return _mean_one(np.pad(weight, (0, n_more)))

    def soft_weight(self) -> np.ndarray | None:
        """Return the weight of each row in the teacher's term, its mean one; None for ones."""
        weight = np.ones(self.n_labelled) if self.weight is None else _mean_one(self.weight)
        weight = np.append(weight, np.full(self.n_rows - len(weight), self.more_weight))
        told = self.told()
        return None if told.all() and (weight == 1).all() else _mean_one(told * weight)

    def _warn_of_lost_rows(self) -> None:
        lost = ~self.told()[: self.n_labelled]
        if self.weight is not None:
            lost &= self.weight > 0
        if lost.any():
            warn(
                f"{lost.sum()} of the {self.n_labelled} labelled rows have no soft target (no "
                f"split left them out, or the teacher does not know their class), and alpha=1 "
                f"leaves the labels out: they teach nothing. Lower alpha.",
                TeacherWarning,
            )

    def check(self, alpha: float) -> None:
        """Refuse, or warn of, rows that teach nothing.

        Raises
        ------
        ValueError
            When alpha is 1 and no row has both an answer and a weight.

        Warns
        -----
        TeacherWarning
            When no row has, and the labels alone teach; when alpha is 1 and labelled rows have
            no answer.
        """
        weight = self.soft_weight() if self.answers else None
        if weight is None:
            return
        if weight.any():
            if alpha == 1:
                self._warn_of_lost_rows()
            return
        nobody = f"None of the {self.n_rows} rows has both a soft target and a positive weight"
        if alpha == 1:
            raise ValueError(
                f"{nobody}, and alpha=1 leaves the labels out; expected at least one. Lower alpha, "
                f"or give soft targets to the rows that count."
            )
        warn(
            f"{nobody}: the student learns from the labels alone. Look at the rows of NaN in the "
            f"targets, or set alpha=0.",
            TeacherWarning,
        )

    def arrays(self, dtype=np.float64) -> dict[str, np.ndarray]:
        """Return what a criterion needs to know of each row, those held back last.

        The weights are those of the whole: for a part of the rows they are brought to a mean of
        one again (see `part_scales`), so that the mean over its batches is

            (1 - alpha) * sum_L w CE / sum_L w  +  alpha * sum_A w soft / sum_A w,

        with L its labelled rows and A those with an answer.

        Parameters
        ----------
        dtype : dtype, default=numpy.float64
            Of all that is not whole.

        Returns
        -------
        dict of str to ndarray of shape (n_rows + n_held, ...)
            "label", the positions of the classes, or 0, and -1 for rows without a label; for
            numbers "target". With answers "teacher_logits", or "teacher_target", 0 where there is
            none. "hard_weight" and "soft_weight", each left out where it is one for all rows.
            "teacher_features.NAME" for each layer.
        """
        n_all = self.n_rows + self.n_held
        label = np.full(n_all, -1, dtype=np.int64)
        label[: self.n_labelled] = 0 if self.are_numbers else self.hard
        label[self.n_rows :] = 0 if self.are_numbers or self.held is None else self.held
        found = {"label": label}
        if self.are_numbers:
            found["target"] = np.zeros((n_all, self.hard.shape[1]), dtype)
            found["target"][: self.n_labelled] = self._in_unit(self.hard)
            if self.held is not None:
                found["target"][self.n_rows :] = self._in_unit(self.held)
        for name, weight in (("hard_weight", self.hard_weight()), *self._soft_weights()):
            if weight is not None:
                found[name] = np.append(weight, np.ones(self.n_held)).astype(dtype)
        if self.answers:
            found[NUMBERS if self.are_numbers else LOGITS] = self._converted(n_all, dtype)
        for name, parts in self.features.items():
            values = np.zeros((n_all, *parts[0].shape[1:]), parts[0].dtype)
            np.concatenate(parts, out=values[: self.n_rows])
            found[FEATURES + name] = values
        return found

    def _in_unit(self, values):
        return values if self.unit is None else (values - self.unit[0]) / self.unit[1]

    def _soft_weights(self):
        return [("soft_weight", self.soft_weight())] if self.answers else []

    def _converted(self, n_all, dtype):
        """Return the answers in the language of the loss: logarithms of probabilities, numbers."""
        found = np.zeros((n_all, self.answers[0].shape[1]), dtype)
        start = 0
        for part in self.answers:
            mine = found[start : start + len(part)]
            for rows in blocks_of(len(part)):
                told, block = ~np.isnan(part[rows]).any(axis=1), part[rows]
                block = self._in_unit(block) if self.are_numbers else log_probabilities(block)
                mine[rows][told] = block[told]
            start += len(part)
        return found


def part_scales(arrays, rows) -> dict[str, float]:
    """Return what weights are multiplied by where some of the rows stand for all.

    Parameters
    ----------
    arrays : dict of str to ndarray or torch.Tensor
        See `Packed.arrays`.
    rows : ndarray of int
        The part.

    Returns
    -------
    dict of str to float
        By the name of a weight, one over its mean in the part. A weight that is zero for all of
        them stays zero.
    """
    means = {
        name: float(arrays[name][rows].mean())
        for name in ("hard_weight", "soft_weight")
        if name in arrays and len(rows)
    }
    return {name: 1.0 / mean for name, mean in means.items() if mean}


def _mean_one(weight):
    """Scale weights to a mean of one; all-zero ones stay."""
    weight = np.asarray(weight, dtype=np.float64)
    greatest = weight.max(initial=0.0)
    if greatest > HUGE:
        weight = weight / greatest
    return weight / (weight.mean() or 1.0)
