"""Lessons of several students: together where they can be, one by one where not."""

import contextlib
from itertools import groupby
from typing import NamedTuple

import numpy as np

from skdistill._interrupts import whole_trainings
from skdistill._words import one_line
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._batches import resolve_batch_size
from skdistill.training._callbacks import TellEpochs
from skdistill.training._stack._apart import form_of, have_one_shape, why_apart, why_held_apart
from skdistill.training._stack._stack import Stack
from skdistill.training._stack._training import Training
from skdistill.training._trainer import training_copy, with_gradients

LEAST = 3
"""Fewer students than these are as fast one by one."""

MOST = ((250_000, 64), (1_000_000, 32), (4_000_000, 16), (20_000_000, 8))
"""How many are trained together on a CPU, up to so many rows of a batch times weights."""

MOST_ON_A_GPU = 64


class Learnt(NamedTuple):
    """What has become of a lesson.

    Attributes
    ----------
    error : Exception or None
        What its student failed with.
    alone : str or None
        Why it was trained alone, as the end of a sentence; None for one of a stack.
    """

    error: Exception | None = None
    alone: str | None = None


def learn_together(lessons, report=None):
    """Train students, those of one shape in lock-step.

    Each becomes the student that it becomes alone: it learns the same rows in the same order,
    leaves out the same units and keeps the same best epoch. Only sums are rounded otherwise.

    Parameters
    ----------
    lessons : list of Lesson
        Their learners are trained in place.
    report : callable, default=None
        Called with the number of lessons that are over, of a net after each epoch: one of which
        half the epochs are over counts as one half.

    Returns
    -------
    list of Learnt
    """
    learnt: dict[int, Learnt] = {}

    def tell():
        if report is not None:
            there = (lesson for number, lesson in enumerate(lessons) if number not in learnt)
            report(len(learnt) + sum(map(_share_learnt, there)))

    with whole_trainings():
        apart, groups = by_shape(lessons)
        for number, reason in apart.items():
            learnt[number] = learn_alone(lessons[number], reason, tell)
            tell()
        for members in groups:
            for numbers in stacks_of(lessons, members):
                found = _learn_as_one([lessons[number] for number in numbers], tell)
                learnt.update(zip(numbers, found, strict=True))
                tell()
    return [learnt[number] for number in range(len(lessons))]


def _share_learnt(lesson):
    """Return the share of a net's epochs that are over; 0 of what trains by itself."""
    net = lesson.learner
    if not isinstance(net, BaseStudentNet):
        return 0.0
    return min(1.0, len(net.history) / net.max_epochs)


def by_shape(lessons):
    """Sort lessons by what can be trained together.

    Parameters
    ----------
    lessons : list of Lesson

    Returns
    -------
    apart : dict of int to str
        For each that must be trained alone the reason.
    groups : list of list of int
        The others, those of one shape together.
    """
    apart: dict[int, str] = {}
    groups: list[tuple[tuple, list[int]]] = []
    for number, lesson in enumerate(lessons):
        reason = why_apart(lesson)
        if reason is not None:
            apart[number] = reason
            continue
        form = form_of(lesson)
        for known, members in groups:
            first = lessons[members[0]].learner.module_
            if known == form and have_one_shape(first, lesson.learner.module_):
                members.append(number)
                break
        else:
            groups.append((form, [number]))
    return apart, [members for _, members in groups]


def most_together(net, n_rows):
    """Return how many nets of one shape are trained together.

    On a CPU what a stack saves is the time of calls, which a small net spends most of its own on.
    So many are chosen as were fastest: 64 up to a quarter of a million rows of a batch times
    weights, 32 up to a million, 16 up to four, 8 up to twenty, and one by one beyond. A GPU takes
    64.

    Parameters
    ----------
    net : BaseStudentNet
        Prepared.
    n_rows : int
        Number of rows that it learns.

    Returns
    -------
    int
    """
    if str(net.device).startswith("cuda"):
        return MOST_ON_A_GPU
    batch = n_rows if net.batch_size == -1 else resolve_batch_size(net.batch_size, n_rows)
    work = min(batch, n_rows) * sum(p.numel() for p in net.module_.parameters())
    return next((most for limit, most in MOST if work <= limit), 1)


def stacks_of(lessons, members):
    """Return lessons of one shape in stacks, those of the same rows together if that can be.

    Parameters
    ----------
    lessons : list of Lesson
    members : list of int
        Which of them.

    Returns
    -------
    list of list of int
    """
    first = lessons[members[0]]
    most = most_together(first.learner, first.packed.n_rows)
    stacks: list[list[int]] = []
    for _, same in groupby(members, lambda number: id(lessons[number].parts[0])):
        numbers = list(same)
        if stacks and len(stacks[-1]) + len(numbers) <= most:
            stacks[-1] += numbers
        else:
            stacks += _evenly(numbers, most)
    return stacks if min(map(len, stacks)) >= LEAST else _evenly(members, most)


def _evenly(numbers, most):
    parts = np.array_split(numbers, -(-len(numbers) // most))
    return [part.tolist() for part in parts]


def learn_alone(lesson, reason, tell=None):
    """Train a student by itself, and tell of its epochs; see `Learnt` for the reason."""
    try:
        with _telling(lesson.learner, tell):
            lesson.learn()
    except Exception as error:
        return Learnt(error, reason)
    return Learnt(None, reason)


@contextlib.contextmanager
def _telling(net, tell):
    """Let a net of ours tell of its epochs."""
    if tell is None or not isinstance(net, BaseStudentNet):
        yield
        return
    teller = TellEpochs(tell)
    net.callbacks_ = [*net.callbacks_, ("tell_epochs", teller)]
    try:
        yield
    finally:
        net.callbacks_ = [pair for pair in net.callbacks_ if pair[1] is not teller]


def _learn_as_one(lessons, tell):
    """Train students of one shape in a stack, or one by one where that cannot be."""
    most = most_together(lessons[0].learner, lessons[0].packed.n_rows)
    if min(most, len(lessons)) < LEAST:
        few = f"fewer than {LEAST} are of its shape"
        reason = "its steps are long enough alone" if most < LEAST else few
        return [learn_alone(lesson, reason, tell) for lesson in lessons]
    try:
        return _learn_in_a_stack(lessons, tell)
    except CannotStackError as error:
        return [learn_alone(lesson, str(error), tell) for lesson in lessons]


class CannotStackError(Exception):
    """Says why nets cannot be trained together, before any of them has learnt."""


def _learn_in_a_stack(lessons, tell):
    errors: list[Exception | None] = [None] * len(lessons)
    trainings, shared = {}, {}  # type: ignore[var-annotated]
    with contextlib.ExitStack() as context:
        context.enter_context(with_gradients())
        for number, lesson in enumerate(lessons):
            try:
                trainings[number] = context.enter_context(begun(lesson, shared))
            except Exception as error:
                errors[number] = error
        if trainings:
            _train(list(trainings.values()), tell)
    for number, training in trainings.items():
        errors[number] = training.error
        if training.error is None:
            lessons[number].learner.has_learnt()
    return [Learnt(error) for error in errors]


def _train(trainings, tell):
    stack = tried_stack(trainings)
    for training in trainings:
        training.begin()
    train_stack(stack, tell=tell)


def check_held_rows(trainings):
    """Refuse trainings, by a CannotStackError, that bring held-back rows of their own."""
    reasons = [reason for reason in map(why_held_apart, trainings) if reason]
    if reasons:
        raise CannotStackError(reasons[0])


def tried_stack(trainings):
    """Return a stack that is known to learn what its members would learn alone.

    Parameters
    ----------
    trainings : list of Training
        Of nets of one shape.

    Returns
    -------
    Stack

    Raises
    ------
    CannotStackError
        When there can be none.
    """
    check_held_rows(trainings)
    stack = Stack(trainings)
    try:
        stack.try_out()
    except Exception as error:
        stack.disband()
        name, why = type(trainings[0].net.module_).__name__, one_line(error, 200)
        raise CannotStackError(
            f"torch.func cannot run {name} for several students at once ({why})"
        ) from error
    return stack


def train_stack(stack, until=None, tell=None):
    """Train a stack; an error ends those that it has not trained to their end.

    Parameters
    ----------
    stack : Stack
    until, tell
        See `Stack.train`.
    """
    try:
        stack.train(until, tell)
    except Exception as error:  # a device without memory, say
        for training in stack.trainings:
            training.goes_on, training.error = False, error


@contextlib.contextmanager
def begun(lesson, shared):
    """Lend a training of a net that has a lesson's criterion for as long as it lasts.

    Parameters
    ----------
    lesson : Lesson
    shared : dict
        Keeps the tensors of rows that several lessons read.

    Yields
    ------
    Training
    """
    net = lesson.learner
    packed, net.link_ = net.link_.learnt(lesson.packed)
    objective = net.criterion_.with_settings(**lesson.settings, terms=tuple(lesson.terms))
    with training_copy(net, criterion_=objective) as lent:
        parts = [_shared_rows(shared, net, part) for part in lesson.parts]
        yield Training(lent, parts, packed, lesson.seed)


def _shared_rows(shared, net, part):
    """Return rows as a net reads them, one tensor for all that read the same."""
    if id(part) not in shared:
        shared[id(part)] = net.as_rows(part)
    return shared[id(part)]
