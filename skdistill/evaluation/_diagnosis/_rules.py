"""From figures to a verdict: the rules, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from skdistill.evaluation._diagnosis._figures import Figure, Figures

OVERFIT = "overfit"
UNDERFIT = "underfit"
TOO_SMALL = "transfer set too small"
LIMIT = "the teacher is the limit"
MEMORISED = "the teacher memorised its rows"
REGULARISATION = "regularisation rather than transfer"
FINE = "fine"
UNCLEAR = "unclear"

VERDICTS = (OVERFIT, UNDERFIT, TOO_SMALL, LIMIT, MEMORISED, REGULARISATION, FINE, UNCLEAR)

#: A teacher has memorised its rows if its loss there is below this share of that on new rows.
MEMORISED_SHARE = 0.5
#: A student lags if it loses more than this share of what the teacher knows beyond the class
#: rates (half of it where it has not made up half of the plain student's distance to the teacher),
#: or more than this share of the teacher's own loss.
LOST_SHARE, LOSS_SHARE = 0.2, 0.5
MADE_UP_SHARE = 0.5
#: A student knows its rows by heart if its loss there is below the first share of that on new
#: rows, and lower by more than the second share of the loss of the class rates.
BY_HEART_SHARE, BY_HEART_GAP = 0.25, 0.3
#: A student imitates its own rows only if KL to the teacher there is below this share of that on
#: new rows.
IMITATION_SHARE = 0.5
#: A control does as well if it brings this share of the gain.
CONTROL_SHARE = 0.8


class Finding(NamedTuple):
    """A verdict, the sentences that say why, and the controls where they were asked for."""

    verdict: str
    reading: list[str]
    controls: dict[str, Figure]


def tolerance(figures: Figures) -> float:
    """The excess over the teacher, in nats, from which a student is said to lag."""
    known = figures.class_rates.value - figures.teacher_test.value
    made_up = figures.gain.value >= MADE_UP_SHARE * figures.lead.value
    lost = (LOST_SHARE if made_up else LOST_SHARE / 2) * known
    return max(0.0, min(lost, LOSS_SHARE * figures.teacher_test.value))


def has_memorised(figures: Figures) -> bool:
    """Whether the teacher knows the training rows by heart."""
    low = figures.teacher_train.value < MEMORISED_SHARE * figures.teacher_test.value
    return low and figures.teacher_gap.is_positive


def knows_by_heart(figures: Figures) -> bool:
    """Whether the student itself knows its training labels by heart."""
    low = figures.student_train.value < BY_HEART_SHARE * figures.student_test.value
    far = figures.gap.value > BY_HEART_GAP * figures.class_rates.value
    return low and far and figures.gap.is_positive


def lags(figures: Figures) -> bool:
    """Whether the student is worse than its teacher by more than the tolerance."""
    return figures.excess.is_positive and figures.excess.value > tolerance(figures)


def imitates_own_rows_only(figures: Figures) -> bool:
    """Whether the student follows the teacher on its training rows and not on new ones."""
    return figures.kl_train.value < IMITATION_SHARE * figures.kl_test.value


def find(
    figures: Figures,
    *,
    alpha: float,
    asks_own_rows: bool,
    ask_controls: Callable[[], dict[str, Figure]],
) -> Finding:
    """Ask the rules one after the other; the first that applies decides.

    Parameters
    ----------
    figures : Figures
        What was measured.
    alpha : float
        Weight of the teacher's term; at 0 the teacher cannot have taught anything wrong.
    asks_own_rows : bool
        Whether the student learns what the teacher says of rows that it may have been fitted on.
    ask_controls : callable
        Returns the log-loss of label smoothing and of a fitted temperature minus the student's;
        called only where there is a gain to explain.

    Returns
    -------
    finding : Finding
    """
    f = figures
    closer = "closer to" if f.of_numbers else "surer of"
    if alpha > 0 and asks_own_rows and has_memorised(f):
        return _found(
            MEMORISED,
            f"The teacher's {f.loss} is {_n(f.teacher_train)} on the training rows and "
            f"{_n(f.teacher_test)} on the test rows: it has learnt by heart the rows that it "
            f"teaches, and is {closer} them than it should be.",
        )
    if knows_by_heart(f) or lags(f):
        return _explain_loss(f, alpha)
    if f.gain.is_positive and not f.lead.is_negative:
        return _explain_gain(f, ask_controls())
    if f.lead.is_negative:
        return _weak_teacher(f, ask_controls)
    return _no_gain(f)


def _explain_loss(f: Figures, alpha: float) -> Finding:
    """The student does badly on new rows: how does it on its own?"""
    losses = (
        f"The student's {f.loss} is {_n(f.student_train)} on its training rows and "
        f"{_n(f.student_test)} on the test rows; the teacher's on the test rows is "
        f"{_n(f.teacher_test)}."
    )
    distance = (
        f"{f.distance} to the teacher is {_n(f.kl_train)} on the training rows and "
        f"{_n(f.kl_test)} on the test rows"
    )
    if alpha > 0 and f.excess.is_positive and imitates_own_rows_only(f):
        return _found(
            TOO_SMALL,
            losses,
            f"{distance}: the student follows it on the rows that it has seen and not on new "
            f"ones, so there were too few to learn it from.",
        )
    if knows_by_heart(f) or f.excess_train.is_negative:
        return _found(
            OVERFIT,
            losses,
            "The teacher's term has no weight (alpha = 0)."
            if alpha == 0
            else f"{distance}: what the student fits so closely are its labels.",
        )
    if f.excess_train.is_positive:
        return _found(
            UNDERFIT,
            losses,
            f"Even on its own rows the student does worse than the teacher does on rows that it "
            f"has never seen. {distance}: more rows alone would not help.",
        )
    return _found(
        UNCLEAR,
        losses,
        f"The student lags behind its teacher by {_n(f.excess)}; whether it fits its own rows is "
        f"within the noise.",
    )


def _weak_teacher(f: Figures, ask_controls: Callable[[], dict[str, Figure]]) -> Finding:
    """The teacher knows less than the plain student."""
    weak = (
        f"The teacher's {f.loss} on the test rows is {_n(f.teacher_test)}, above the "
        f"{_n(f.plain_test)} of the student that learns from labels alone."
    )
    if f.gain.is_positive:
        softer = "smoother" if f.of_numbers else "softer"
        return Finding(
            REGULARISATION,
            [
                weak,
                f"Still the student gains {_n(f.gain)} over the plain one, to "
                f"{_n(f.student_test)}: its targets are {softer}, not wiser.",
            ],
            ask_controls(),
        )
    return _found(
        LIMIT,
        weak,
        f"No gain of the student over that one is shown: its {f.loss} is {_n(f.student_test)}.",
    )


def _explain_gain(f: Figures, controls: dict[str, Figure]) -> Finding:
    """The student is better than the plain one: would softer labels have done it?"""
    gain = (
        f"The student gains {_n(f.gain)} over the plain one, to {_n(f.student_test)}; the "
        f"teacher's {f.loss} is {_n(f.teacher_test)}."
    )
    as_well = [
        _NAMES[name]
        for name, beyond in controls.items()
        if not beyond.is_positive and f.gain.value - beyond.value >= CONTROL_SHARE * f.gain.value
    ]
    if not controls:
        return _found(FINE, gain)
    if all(beyond.is_positive for beyond in controls.values()):
        verdict, why = FINE, "Neither label smoothing nor one fitted temperature does as well."
    elif as_well:
        verdict, why = REGULARISATION, f"Without a teacher, {' and '.join(as_well)} does as well."
    else:
        verdict, why = UNCLEAR, "Whether softer labels would have done it is within the noise."
    return Finding(verdict, [gain, why], controls)


def _no_gain(f: Figures) -> Finding:
    """Teacher no worse than the plain student, and the student not shown to be better."""
    if f.gain.is_negative and not f.lead.is_positive:
        return _found(
            LIMIT,
            f"The student's {f.loss} is {_n(f.student_test)}, above the {_n(f.plain_test)} of the "
            f"student that learns from labels alone, and the teacher's ({_n(f.teacher_test)}) is "
            f"no better.",
        )
    compared = "worse than" if f.gain.is_negative else "not shown to be better than"
    return _found(
        UNCLEAR,
        f"The student does not lag behind its teacher ({_n(f.student_test)} against "
        f"{_n(f.teacher_test)}), but it is {compared} the student that learns from labels alone "
        f"({_n(f.plain_test)}).",
    )


_NAMES = {"smoothing": "label smoothing", "temperature": "one fitted temperature"}


def _found(verdict: str, *reading: str) -> Finding:
    return Finding(verdict, list(reading), {})


def _n(figure: Figure) -> str:
    return f"{figure.value:.3f}"
