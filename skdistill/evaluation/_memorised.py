"""Whether a teacher has memorised the rows that it teaches."""

from __future__ import annotations

import numpy as np

from skdistill._warn import warn
from skdistill.evaluation._tasks import Scoring
from skdistill.exceptions import TeacherWarning


def warn_if_memorised(task: Scoring, train_losses: np.ndarray, test_losses: np.ndarray) -> None:
    """Warn of a teacher that was fitted on the rows that it teaches, and shows it.

    Parameters
    ----------
    task : ClassScoring or NumberScoring
        Names the loss.
    train_losses, test_losses : ndarray of shape (n_train,) and (n_test,)
        The teacher's losses on the rows that it teaches and on others.

    Warns
    -----
    TeacherWarning
        When the loss on the training rows is below half of that on the test rows, by more than
        two standard errors of the latter.
    """
    if len(test_losses) < 2:
        return
    train, test = float(train_losses.mean()), float(test_losses.mean())
    standard_error = float(test_losses.std(ddof=1) / np.sqrt(len(test_losses)))
    if train < test / 2 and test - train > 2 * standard_error:
        warn(
            f"The teacher's {task.loss_name} is {train:{task.loss_format}} on the training rows "
            f"and {test:{task.loss_format}} on the test rows: it has memorised the rows that it "
            f"teaches, and its targets there {task.memorised}. Pass it unfitted, "
            f"{task.estimator}(clone(teacher), ...), and the targets are out of fold.",
            TeacherWarning,
        )
