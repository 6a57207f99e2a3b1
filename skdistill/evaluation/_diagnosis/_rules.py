"""From figures to a verdict: the rules, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from skdistill.evaluation._diagnosis._figures import N_ERRORS, Figure, Figures

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
#: A student knows its rows by heart if its loss there is below this share of that on new rows, and
#: lower by so many nats (a tenth of the true class's probability, whatever the number of classes),
#: or so much of the variance.
BY_HEART_SHARE, BY_HEART_GAP = 0.25, 0.1
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
    return low and has_far_gap(figures)


def has_far_gap(figures: Figures) -> bool:
    """Whether the student does worse on new rows by more than is little."""
    return figures.gap.value > BY_HEART_GAP and figures.gap.is_positive


def lags(figures: Figures) -> bool:
    """Whether the student is worse than its teacher by more than the tolerance."""
    return figures.excess.is_positive and figures.excess.value > tolerance(figures)


def imitates_own_rows_only(figures: Figures) -> bool:
    """Whether the student follows the teacher on its training rows and not on new ones."""
    return figures.kl_train.value < IMITATION_SHARE * figures.kl_test.value


def does_as_well(figures: Figures, beyond: Figure) -> bool:
    """Whether a control brings about as much as the student gains."""
    enough = beyond.value <= (1 - CONTROL_SHARE) * figures.gain.value
    return enough and not beyond.is_positive


def find(
    figures: Figures,
    *,
    alpha: float,
    taught: bool,
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
    taught : bool
        Whether the teacher has a say, by that term or by its features. Without one the student is
        the plain student, and the teacher a yardstick.
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
    if alpha > 0 and asks_own_rows and has_memorised(f):
        train, test = shown(f.teacher_train, f.teacher_test)
        return _found(
            MEMORISED,
            f"The teacher's {f.loss} is {train} on the training rows and {test} on the test rows: "
            f"it has learnt by heart the rows that it teaches, and is {f.task.too_close} them than "
            f"it should be.",
        )
    if knows_by_heart(f) or lags(f):
        return _explain_loss(f, alpha)
    if not taught:
        return _untaught(f)
    if f.gain.is_positive and not f.lead.is_negative:
        return _explain_gain(f, ask_controls())
    if f.lead.is_negative:
        return _weak_teacher(f, ask_controls)
    return _no_gain(f)


def shown(*figures: Figure) -> list[str]:
    """Figures to three decimals, or as many as tell them apart from each other and from 0."""
    values = [figure.value for figure in figures]
    for digits in range(3, 9):
        texts = [f"{value:.{digits}f}" for value in values]
        if len({0.0, *map(float, texts)}) == len({0.0, *values}):
            break
    return texts


def _explain_loss(f: Figures, alpha: float) -> Finding:
    """The student does badly on new rows: how does it on its own?"""
    train, test, teacher = shown(f.student_train, f.student_test, f.teacher_test)
    so = ": it knows its rows by heart. The" if knows_by_heart(f) else "; the"
    losses = (
        f"The student's {f.loss} is {train} on its training rows and {test} on the test rows{so} "
        f"teacher's on the test rows is {teacher}."
    )
    near, far = shown(f.kl_train, f.kl_test)
    distance = (
        f"{f.distance} to the teacher is {near} on the training rows and {far} on the test rows"
    )
    if alpha > 0 and f.excess.is_positive and imitates_own_rows_only(f):
        return _found(
            TOO_SMALL,
            losses,
            f"{distance}: the student follows it on the rows that it has seen and not on new "
            f"ones, so there were too few to learn it from.",
        )
    if knows_by_heart(f) or f.excess_train.is_negative:
        if alpha == 0:
            why = "The teacher's term has no weight (alpha = 0)."
        elif imitates_own_rows_only(f):
            why = f"{distance}: what it says of the training rows is close to their labels."
        else:
            why = f"{distance}: what the student fits so closely are its labels."
        return _found(OVERFIT, losses, why)
    if f.excess_train.is_positive:
        return _found(
            UNDERFIT,
            losses,
            f"Even on its own rows the student does worse than the teacher does on rows that it "
            f"has never seen. {distance}: more rows alone would not help.",
        )
    (excess,) = shown(f.excess)
    return _found(
        UNCLEAR,
        losses,
        f"The student lags behind its teacher by {excess}; whether it fits its own rows is within "
        f"the noise.",
    )


def _untaught(f: Figures) -> Finding:
    """Nobody teaches, and the student neither knows its rows by heart nor lags."""
    test, teacher = shown(f.student_test, f.teacher_test)
    losses = (
        f"No teacher has a say (alpha = 0). The student's {f.loss} on the test rows is {test}, and "
        f"the teacher's {teacher}"
    )
    if f.lead.is_negative:
        return _found(FINE, f"{losses}: it would be no help.")
    if f.excess.value + N_ERRORS * f.excess.error <= tolerance(f):
        return _found(FINE, f"{losses}: the student does not lag behind it.")
    return _found(UNCLEAR, f"{losses}: whether the student lags behind it is within the noise.")


def _weak_teacher(f: Figures, ask_controls: Callable[[], dict[str, Figure]]) -> Finding:
    """The teacher knows less than the plain student."""
    teacher, plain = shown(f.teacher_test, f.plain_test)
    weak = (
        f"The teacher's {f.loss} on the test rows is {teacher}, above the {plain} of the student "
        f"that learns from labels alone."
    )
    if f.gain.is_positive:
        gain, student = shown(f.gain, f.student_test)
        return Finding(
            REGULARISATION,
            [
                weak,
                f"Still the student gains {gain} over the plain one, to {student}: its targets are "
                f"{f.task.softened}, not wiser.",
            ],
            ask_controls(),
        )
    (student,) = shown(f.student_test)
    compared = "It makes the student worse" if f.gain.is_negative else "No gain from it is shown"
    return _found(LIMIT, weak, f"{compared}: the student's {f.loss} is {student}.")


def _explain_gain(f: Figures, controls: dict[str, Figure]) -> Finding:
    """The student is better than the plain one: would softer labels have done it?"""
    value, student, teacher = shown(f.gain, f.student_test, f.teacher_test)
    gain = (
        f"The student gains {value} over the plain one, to {student}; the teacher's {f.loss} is "
        f"{teacher}."
    )
    as_well = [_NAMES[name] for name, beyond in controls.items() if does_as_well(f, beyond)]
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
    student, teacher, plain = shown(f.student_test, f.teacher_test, f.plain_test)
    if f.gain.is_negative and not f.lead.is_positive:
        return _found(
            LIMIT,
            f"The student's {f.loss} is {student}, above the {plain} of the student that learns "
            f"from labels alone, than which the teacher ({teacher}) is not shown to be better.",
        )
    lag = "does not lag" if f.excess.value <= tolerance(f) else "is not shown to lag"
    compared = "worse than" if f.gain.is_negative else "not shown to be better than"
    return _found(
        UNCLEAR,
        f"The student {lag} behind its teacher ({student} against {teacher}), but it is {compared} "
        f"the student that learns from labels alone ({plain}).",
    )


_NAMES = {"smoothing": "label smoothing", "temperature": "one fitted temperature"}


def _found(verdict: str, *reading: str) -> Finding:
    return Finding(verdict, list(reading), {})
