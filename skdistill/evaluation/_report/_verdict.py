"""The outcome in words, read from the intervals and never from the means alone."""

from __future__ import annotations

from skdistill.evaluation._bootstrap import Interval

#: A distilled student counts as good as its teacher if it loses fewer than these points.
MARGIN = 0.005


def verdict_sentences(
    to_teacher: dict[str, Interval],
    to_plain: dict[str, Interval],
    to_scaled: dict[str, Interval],
    *,
    teacher_helps: bool,
    n_seeds: int,
) -> list[str]:
    """Say what the intervals show.

    Parameters
    ----------
    to_teacher, to_plain, to_scaled : dict of str to Interval
        By metric, distilled minus the teacher, the plain student, and the plain student with a
        temperature.
    teacher_helps : bool
        Whether the teacher's log-loss or Brier score is below the plain student's.
    n_seeds : int
        Fits behind the means.

    Returns
    -------
    sentences : list of str
    """
    sentences = [
        _against_teacher(to_teacher["accuracy"]),
        _against_plain(to_plain["log_loss"]),
        _against_calibration(to_plain["log_loss"], to_scaled["log_loss"]),
    ]
    if not teacher_helps:
        sentences.append(
            "The teacher's probabilities are no better than the plain student's, neither in "
            "log-loss nor in Brier score: try a stronger teacher, calibrate=True, or a smaller "
            "alpha."
        )
    if n_seeds == 1:
        sentences.append(
            "One seed: the intervals hold the draw of the test rows, not that of the training, by "
            "which another seed may turn what is said above; n_seeds=5 would show both."
        )
    return sentences


def _against_teacher(accuracy: Interval) -> str:
    points = f"{100 * MARGIN:g} points"
    span = _span(accuracy, scale=100, digits=1)
    if accuracy.low > 0:
        return f"More accurate than the teacher ({span} points, 95 %)."
    if accuracy.low > -MARGIN:
        return f"Not inferior to the teacher within {points} of accuracy ({span} points, 95 %)."
    if accuracy.high < -MARGIN:
        return f"Inferior to the teacher by more than {points} of accuracy ({span} points, 95 %)."
    if accuracy.high < 0:
        return f"Less accurate than the teacher ({span} points, 95 %)."
    return (
        f"Non-inferiority to the teacher within {points} of accuracy is not shown "
        f"({span} points, 95 %)."
    )


def _against_plain(log_loss: Interval) -> str:
    span = _span(log_loss)
    if log_loss.high < 0:
        return f"Log-loss is lower than the plain student's ({span}, 95 %)."
    if log_loss.low > 0:
        return f"Log-loss is higher than the plain student's ({span}, 95 %)."
    return f"No difference in log-loss from the plain student is shown ({span}, 95 %)."


def _against_calibration(to_plain: Interval, to_scaled: Interval) -> str:
    span = _span(to_scaled)
    if to_plain.high >= 0:
        if to_scaled.low > 0:
            return (
                "Calibration alone does more: the plain student with one fitted temperature has "
                f"the lower log-loss ({span}, 95 %)."
            )
        return "There is no shown gain in log-loss that calibration would have to explain."
    if to_scaled.high < 0:
        return (
            "The gain in log-loss is not mere calibration: it holds against the plain student "
            f"with one fitted temperature too ({span}, 95 %)."
        )
    if to_scaled.low > 0:
        return (
            "The gain in log-loss is mere calibration: one fitted temperature gives the plain "
            f"student more ({span}, 95 %)."
        )
    return (
        "The gain in log-loss may be mere calibration: against the plain student with one fitted "
        f"temperature no difference is shown ({span}, 95 %)."
    )


def _span(interval: Interval, scale: float = 1.0, digits: int = 3) -> str:
    return f"{scale * interval.low:+.{digits}f} to {scale * interval.high:+.{digits}f}"
