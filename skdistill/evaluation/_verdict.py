"""The outcome in words, read from the intervals and never from the means alone."""

from __future__ import annotations

import numpy as np

from skdistill.evaluation._bootstrap import BootstrapInterval

#: A distilled student counts as good as its teacher if it loses fewer than these points.
MARGIN = 0.005

#: The same for numbers, of R².
R2_MARGIN = 0.01


def verdict_sentences(
    to_teacher: dict[str, BootstrapInterval],
    to_plain: dict[str, BootstrapInterval],
    to_scaled: dict[str, BootstrapInterval],
    of_temperature: BootstrapInterval,
    *,
    teacher_helps: bool,
    n_seeds: int,
) -> list[str]:
    """Say what the intervals show.

    Parameters
    ----------
    to_teacher, to_plain, to_scaled : dict of str to BootstrapInterval
        By metric, distilled minus the teacher, the plain student, and the plain student with a
        temperature.
    of_temperature : BootstrapInterval
        Log-loss of the plain student with a temperature, minus that without.
    teacher_helps : bool
        Whether the teacher's log-loss or Brier score is below the plain student's.
    n_seeds : int
        Fits behind the means.

    Returns
    -------
    sentences : list of str
    """
    loss = to_plain["log_loss"]
    sentences = [
        _against_teacher_in_accuracy(to_teacher["accuracy"]),
        _against_plain(loss, "Log-loss", "log-loss", _span(loss)),
        _against_calibration(loss, to_scaled["log_loss"], of_temperature),
    ]
    accuracy = to_plain["accuracy"]
    if (accuracy.low > 0 and loss.high >= 0) or (accuracy.high < 0 and loss.low <= 0):
        side, points = "higher" if accuracy.low > 0 else "lower", _span(accuracy, 100, 1)
        sentences.append(f"Accuracy is {side} than the plain student's ({points} points, 95 %).")
    if not teacher_helps:
        sentences.append(
            "The teacher's probabilities are no better than the plain student's, neither in "
            "log-loss nor in Brier score: try a stronger teacher, calibrate=True, or a smaller "
            "alpha."
        )
    return sentences + _about_seeds(n_seeds)


def number_verdict(
    to_teacher: BootstrapInterval,
    to_plain: BootstrapInterval,
    *,
    teacher_helps: bool,
    n_seeds: int,
) -> list[str]:
    """Say what the intervals of R² show.

    Parameters
    ----------
    to_teacher, to_plain : BootstrapInterval
        Distilled minus the teacher, and the plain student.
    teacher_helps : bool
        Whether the teacher's squared or absolute error is below the plain student's.
    n_seeds : int
        Fits behind the means.

    Returns
    -------
    sentences : list of str
    """
    sentences = [
        _against_teacher(
            _negative(to_teacher),
            R2_MARGIN,
            f"{R2_MARGIN:g} of R²",
            "exact",
            _span(to_teacher, limits=(0.0, -R2_MARGIN)),
            f"{_rounded(abs(to_teacher.difference), digits=3)} of R²",
            by=" by R²",
        ),
        _against_plain(to_plain, "R²", "R²", _span(to_plain)),
    ]
    if not teacher_helps:
        sentences.append(
            "The teacher's numbers are no better than the plain student's, neither in squared nor "
            "in absolute error: try a stronger teacher, or a smaller alpha."
        )
    return sentences + _about_seeds(n_seeds)


def cascade_sentences(
    to_teacher: dict[str, BootstrapInterval], share: float, milliseconds: dict[str, float]
) -> list[str]:
    """Say what a cascade keeps and costs.

    Parameters
    ----------
    to_teacher : dict of str to BootstrapInterval
        By metric, cascade minus the teacher.
    share : float
        Of the test rows that go to the teacher.
    milliseconds : dict of str to float
        For a thousand rows: "cascade", "distilled" and "teacher".

    Returns
    -------
    sentences : list of str
    """
    against = _against_teacher_in_accuracy(to_teacher["accuracy"])
    cost = (
        f"A thousand rows take it {milliseconds['cascade']:.3g} ms, the student alone "
        f"{milliseconds['distilled']:.3g} ms and the teacher alone "
        f"{milliseconds['teacher']:.3g} ms"
    )
    if milliseconds["cascade"] >= milliseconds["teacher"]:
        cost += ", which is then the cheaper one"
    return [
        f"The cascade hands {100 * share:.1f} % of the rows to the teacher. {against}",
        f"{cost}.",
    ]


def _about_seeds(n_seeds: int) -> list[str]:
    if n_seeds > 1:
        return []
    return [
        "One seed: the intervals hold the draw of the test rows, not that of the training, by "
        "which another seed may turn what is said above; n_seeds=5 would show both."
    ]


def _against_teacher_in_accuracy(accuracy: BootstrapInterval) -> str:
    points = f"{_span(accuracy, 100, 1, limits=(0.0, -100 * MARGIN))} points"
    lead = f"{_rounded(abs(accuracy.difference) * 100, digits=1)} points"
    share = f"{100 * MARGIN:g} points of accuracy"
    return _against_teacher(_negative(accuracy), MARGIN, share, "accurate", points, lead)


def _negative(gain: BootstrapInterval) -> BootstrapInterval:
    return BootstrapInterval(-gain.difference, -gain.high, -gain.low)


def _against_teacher(
    worse: BootstrapInterval, margin: float, share: str, exact: str, span: str, lead: str, by=""
) -> str:
    """What is shown of the difference by which the distilled student is worse."""
    span = f"({span}, 95 %)"
    if worse.high < 0:
        return f"More {exact} than the teacher{by} {span}."
    if worse.high < margin:
        return f"Not inferior to the teacher within {share} {span}."
    if worse.low > margin:
        return f"Inferior to the teacher by more than {share} {span}."
    if worse.low > 0:
        return f"Less {exact} than the teacher{by} {span}."
    doubt = f"non-inferiority within {share} is not shown {span}."
    if worse.difference < 0:
        return f"More {exact} than the teacher by {lead} on these rows, but {doubt}"
    if worse.difference > 0:
        return f"Less {exact} than the teacher by {lead} on these rows, and {doubt}"
    return f"As {exact} as the teacher on these rows, but {doubt}"


def _against_plain(difference: BootstrapInterval, name: str, loss: str, span: str) -> str:
    span = f"({span}, 95 %)"
    if difference.high < 0:
        return f"{name} is lower than the plain student's {span}."
    if difference.low > 0:
        return f"{name} is higher than the plain student's {span}."
    return f"No difference in {loss} from the plain student is shown {span}."


def _against_calibration(
    to_plain: BootstrapInterval, to_scaled: BootstrapInterval, of_temperature: BootstrapInterval
) -> str:
    span, effect = f"({_span(to_scaled)}, 95 %)", f"({_span(of_temperature)}, 95 %)"
    helps, gains = of_temperature.high < 0, to_plain.high < 0
    no_help = f"though that temperature is not shown to help it {effect}"
    if gains and to_scaled.high < 0:
        return (
            "The gain in log-loss is not mere calibration: it holds against the plain student "
            f"with one fitted temperature too {span}."
        )
    if to_scaled.low > 0 and not helps:
        return f"The plain student with one temperature has the lower log-loss {span}, {no_help}."
    if to_scaled.low > 0 and gains:
        return (
            "The gain in log-loss is mere calibration: one fitted temperature gives the plain "
            f"student more {span}."
        )
    if to_scaled.low > 0:
        return (
            "Calibration alone does more: one fitted temperature helps the plain student "
            f"{effect}, which then has the lower log-loss {span}."
        )
    if not gains:
        return "There is no shown gain in log-loss that calibration would have to explain."
    if helps:
        return (
            "The gain in log-loss may be mere calibration: against the plain student with one "
            f"fitted temperature no difference is shown {span}."
        )
    return (
        "Against the plain student with one fitted temperature no difference in log-loss is shown "
        f"{span}, {no_help}."
    )


def _span(
    interval: BootstrapInterval,
    scale: float = 1.0,
    digits: int = 3,
    limits: tuple[float, ...] = (0.0,),
) -> str:
    low, high = (scale * end for end in interval[1:])
    return f"{_rounded(low, digits, limits, '+')} to {_rounded(high, digits, limits, '+')}"


def _rounded(value: float, digits: int, limits: tuple[float, ...] = (0.0,), sign: str = "") -> str:
    """A number to so many decimals, or as many as show on which side of the limits it is."""
    for more in range(digits, 9):
        text = f"{value:{sign}.{more}f}"
        if all(np.sign(value - limit) == np.sign(float(text) - limit) for limit in limits):
            break
    return text


def four_figures(value: float, *, sign: bool = False) -> str:
    """A number in the units of y, to four figures and without an exponent."""
    text = np.format_float_positional(
        value, precision=4, unique=False, fractional=False, trim="-", sign=sign
    )
    return text.rstrip(".")
