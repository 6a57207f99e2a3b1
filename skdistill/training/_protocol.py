"""What is asked of a student, and of what it learns from, whatever these are made of."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from skdistill.targets._tasks import ClassTask, NumberTask
from skdistill.training._fitted import FittedStudent
from skdistill.training._packed import Packed


@runtime_checkable
class Student(Protocol):
    """The last step of what a student is made into; see `as_student`.

    In this order: `check_settings` before anything is made, `prepare` and `prepare_more` before a
    teacher is asked, `learn` after. Then `fitted_` predicts.
    """

    history_: Any
    """A dict for each epoch; empty where there are none."""

    def check_settings(
        self, loss: Any, alpha: float, temperature: Any = "auto", *, weighted: bool
    ) -> None:
        """Refuse, by a StudentError, a loss or weights that it cannot hear."""

    def default_temperature(self, loss: Any, kind: str, n_classes: int) -> float:
        """Return what the temperature "auto" stands for."""

    def prepare(self, X: Any, task: ClassTask | NumberTask, seed: int | None = None) -> Any:
        """Forget an earlier fit, check rows, draw what is drawn; return the rows for `learn`."""

    def prepare_more(self, X: Any) -> Any:
        """Check further rows alike; return them for `learn`."""

    def learn(
        self, X: list[Any], packed: Packed, *, seed: int | None = None, **settings: Any
    ) -> Any:
        """Learn parts of rows and what is packed for them; return self.

        The settings are those of the loss: loss, alpha, temperature and terms.
        """

    @property
    def fitted_(self) -> FittedStudent:
        """What predicts, without anything of the training."""


class Source(Protocol):
    """Rows and packed targets, for batches that are asked for by positions; see `TensorRows`."""

    y: dict[str, torch.Tensor]
    """The packed targets of all rows; see `Packed.arrays`."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def batch(self, index: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return the rows at some positions, and their targets."""

    def with_weights(self, scales: dict[str, float], rows: np.ndarray) -> Source:
        """Return the same with other weights for some of the rows."""
