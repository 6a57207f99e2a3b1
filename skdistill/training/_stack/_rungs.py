"""Students that learn together, of whom some leave at rungs: a few epochs, and a look at all."""

import contextlib

from skdistill._interrupts import whole_trainings
from skdistill.training._stack._learn import (
    CannotStackError,
    Learnt,
    begun,
    by_shape,
    check_held_rows,
    learn_alone,
    stacks_of,
    train_stack,
    tried_stack,
)
from skdistill.training._stack._stack import Stack
from skdistill.training._trainer import with_gradients


def learn_in_rungs(lessons, rungs, choose):
    """Train students together, and let some of them leave on the way.

    Those that stay to the end become the students that `learn_together` makes of them. What
    cannot be trained together learns alone, to its end, and never leaves.

    Parameters
    ----------
    lessons : list of Lesson
        Their learners are trained in place.
    rungs : list of int
        The numbers of epochs after which all pause, ascending.
    choose : callable
        At each rung it is given the number of epochs and, by the positions of their lessons, the
        students that are still there, as if their training ended now; an exception stands for one
        that has failed. It returns the positions of those that leave.

    Returns
    -------
    list of Learnt
    """
    learnt: dict[int, Learnt] = {}
    with contextlib.ExitStack() as context:
        context.enter_context(whole_trainings())
        context.enter_context(with_gradients())
        course = _Course(lessons, context)
        for number, reason in sorted(course.apart.items()):
            learnt[number] = learn_alone(lessons[number], reason)
        for rung in rungs:
            course.train(rung)
            course.leave(choose(rung, course.students()))
        course.train()
    for number, error in course.errors().items():
        learnt[number] = Learnt(error)
        if error is None:
            lessons[number].learner.has_learnt()
    return [learnt[number] for number in range(len(lessons))]


class _Course:
    """Trainings that go on from rung to rung, in new stacks after each.

    Parameters
    ----------
    lessons : list of Lesson
    context : contextlib.ExitStack
        Ends the trainings.

    Attributes
    ----------
    apart : dict of int to str
        For each lesson that must be learnt alone the reason.
    """

    def __init__(self, lessons, context):
        self._lessons = lessons
        self._failed: dict = {}
        self._trainings: dict = {}
        self._left: set[int] = set()
        self.apart, self._groups = by_shape(lessons)
        for members in list(self._groups):
            try:
                self._begin(members, context)
            except CannotStackError as error:
                self._groups.remove(members)
                self.apart |= dict.fromkeys(members, str(error))

    def _begin(self, members, context):
        begun_here, failed, shared = {}, {}, {}  # type: ignore[var-annotated]
        with contextlib.ExitStack() as own:
            for number in members:
                try:
                    begun_here[number] = own.enter_context(begun(self._lessons[number], shared))
                except Exception as error:
                    failed[number] = error
            check_held_rows(begun_here.values())
            if begun_here:
                first = stacks_of(self._lessons, list(begun_here))[0]
                tried_stack([begun_here[number] for number in first]).disband()
            context.enter_context(own.pop_all())
        for training in begun_here.values():
            training.begin()
        self._trainings |= begun_here
        self._failed |= failed

    def train(self, until=None):
        """Train all that are there, up to a number of epochs or each to its end."""
        for members in self._groups:
            going = [n for n in members if n in self._trainings and self._trainings[n].goes_on]
            for numbers in stacks_of(self._lessons, going) if going else []:
                stack = Stack([self._trainings[number] for number in numbers])
                train_stack(stack, until)
                stack.disband()

    def students(self):
        """Return those that have not left, as if their training ended now, or their errors."""
        errors = self.errors()
        return {
            number: errors[number] or self._student(number)
            for number in errors
            if number not in self._left
        }

    def _student(self, number):
        try:
            return self._trainings[number].student()
        except Exception as error:
            return error

    def leave(self, numbers):
        """Let some of them leave."""
        self._left |= set(numbers)
        for number in numbers:
            training = self._trainings.get(number)
            if training is not None:
                training.leave()

    def errors(self):
        """Return for each lesson what its training has failed with, or None."""
        errors = {number: training.error for number, training in self._trainings.items()}
        return self._failed | errors
