"""What is compared: a problem, and arms that learn from it in cells.

An `Arm` is a model and what it learns from; a `Cell` is the rows that its arms learn from, those
that they are scored on, and a seed. An arm that has learnt in a cell is a `Fit`, and what is kept
of it a `Record`; see `skdistill.evaluation._engine.run`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from skdistill._compat import safe_indexing
from skdistill._names import own_rows
from skdistill.evaluation._tasks import Scoring
from skdistill.targets import Targets
from skdistill.transfer import Unlabeled

OWN = "its own teacher"
"""A plain `fit`: what a distilled estimator learns then it asks its teacher about itself."""
TOLD = "its own teacher, heard"
"""The same, and what its teacher has said is at hand when the fit is measured."""
LABELS = "labels"
"""The labels of the rows alone."""
SMOOTHED_LABELS = "smoothed labels"
"""The labels, with a part of the weight spread evenly over all classes."""
TEACHER_CLASSES = "teacher's classes"
"""The class that the teacher names."""
TARGETS = "targets"
"""What the teacher says."""
NOTHING = "nothing"
"""The arm is the teacher itself."""


@dataclass(frozen=True)
class Arm:
    """One model that is compared with others.

    Attributes
    ----------
    name : hashable
        What its records go under; each arm of a cell has another.
    model : estimator
        It is cloned for every cell.
    learns : str, default=OWN
        `OWN`, `TOLD`, `LABELS`, `SMOOTHED_LABELS`, `TEACHER_CLASSES`, `TARGETS` or `NOTHING`; all
        but the first are for distilled estimators.
    parameters : dict
        Set for the fit, above those of the model.
    answers : Targets or None, default=None
        What the teacher says of the rows of the cell, where it has been asked before. Otherwise
        the cell asks it.
    """

    name: Hashable
    model: Any
    learns: str = OWN
    parameters: Mapping[str, Any] = field(default_factory=dict)
    answers: Targets | None = None


@dataclass(frozen=True)
class Cell:
    """Rows, a seed, and the arms that learn from these rows with this seed.

    Attributes
    ----------
    tags : dict of str to object
        What it is among the cells, such as its split and number of rows; lines of progress tell it.
    arms : tuple of Arm
    seed : int
    train : ndarray of shape (n_train,), int
        Positions of the rows that are learnt from.
    test : ndarray of shape (n_test,), int or None, default=None
        Positions of the rows that are scored; None are those of the problem's test sets.
    rest : ndarray of int or None, default=None
        Positions of rows that an arm which learns from `OWN` gets without their labels.
    grouped : bool, default=False
        Whether a row can come more than once, so that its copies are kept together.
    doubts : bool, default=True
        Whether a teacher that the labels speak against is warned of.
    """

    tags: Mapping[str, Any]
    arms: tuple[Arm, ...]
    seed: int
    train: np.ndarray
    test: np.ndarray | None = None
    rest: np.ndarray | None = None
    grouped: bool = False
    doubts: bool = True

    def __str__(self) -> str:
        said = self.tags.items()
        return ", ".join(v if isinstance(v, str) else f"{name} {v}" for name, v in said)


@dataclass(frozen=True)
class Problem:
    """Rows, and what is to be learnt of them.

    Attributes
    ----------
    X : array-like of shape (n_samples, ...)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Labels or numbers.
    task : ClassScoring or NumberScoring
        What they are.
    tests : dict of str to (X, y)
        Test sets by name; empty where cells have test rows of their own. y may be None.
    named_y : table of shape (n_samples, n_outputs) or None, default=None
        Numbers whose columns have names, as they came: fits read answers by these.
    more : Unlabeled or None, default=None
        Rows without labels that arms which hear the teacher get in every cell.
    """

    X: Any
    y: np.ndarray
    task: Scoring
    tests: Mapping[Any, tuple[Any, Any]] = field(default_factory=dict)
    named_y: Any = None
    more: Unlabeled | None = None

    def to_learn(self, positions: np.ndarray | None = None) -> tuple[Any, Any]:
        """Rows and labels as fits take them, all of them or those at some positions."""
        y = self.y if self.named_y is None else self.named_y
        if positions is None:
            return self.X, y
        return safe_indexing(self.X, positions), safe_indexing(y, positions)

    @property
    def asked(self) -> dict[str, Any]:
        """The rows of the test sets, by what errors call them."""
        alone = len(self.tests) == 1
        return {
            "X_test" if alone else f"the test set {name!r}": X
            for name, (X, _) in self.tests.items()
        }

    def take(self, positions: np.ndarray) -> tuple[Any, np.ndarray]:
        """Rows and labels at some positions."""
        return safe_indexing(self.X, positions), self.y[positions]

    def rows(self, cell: Cell, part: Hashable) -> tuple[Any, Any]:
        """Rows and labels of a part of a cell: "train", "test", or the name of a test set."""
        if cell.test is None and part in self.tests:
            return self.tests[part]
        return self.take(cell.train if part == "train" or cell.test is None else cell.test)

    def unlabelled(self, cell: Cell) -> Unlabeled | None:
        """The rows of a cell that come without their labels, or those of the problem."""
        if cell.rest is None or not len(cell.rest):
            return self.more
        return Unlabeled(safe_indexing(self.X, cell.rest))


@dataclass(frozen=True)
class Fit:
    """An arm of a cell after it has learnt.

    Attributes
    ----------
    name : hashable
        The arm's.
    model : estimator
        The fitted one.
    problem : Problem
    cell : Cell
    told : Targets or None, default=None
        What the teacher of an arm that learns from `TOLD` has said; None where none was asked.
    """

    name: Hashable
    model: Any
    problem: Problem
    cell: Cell
    told: Targets | None = None

    def answer(self, part: Hashable, kind: str | None = None) -> np.ndarray:
        """What the arm says of a part of the cell, see `Problem.rows`.

        Parameters
        ----------
        part : hashable
        kind : {"probabilities", "classes", "numbers"}, default=None
            None is the first that the task has.

        Returns
        -------
        ndarray of shape (n_rows, n_classes) or (n_rows, ...)
        """
        X, _ = self.problem.rows(self.cell, part)
        return self.problem.task.ask(self.model, own_rows(self.model, X), self.name, kind)


class Record(NamedTuple):
    """What one arm of one cell has left: the value that `measure` returned."""

    cell: Cell
    arm: Hashable
    value: Any
