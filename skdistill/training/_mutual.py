"""Nets that learn side by side, from each other too: one batch for all, a step for each."""

import contextlib

import torch

from skdistill._generators import drawing_from, draws_globally, seeded
from skdistill._torch import first_output
from skdistill.exceptions import StudentError
from skdistill.losses import KD, SquaredErrorLoss
from skdistill.students._members import MemberMLP
from skdistill.training._base_net import BaseStudentNet
from skdistill.training._stack._apart import why_apart
from skdistill.training._stack._learn import begun
from skdistill.training._terms import Term
from skdistill.training._trainer import import_what_training_needs, with_gradients

PEERS = "peers"
"""The entry of packed targets with what the other nets make of a batch."""


class Peers(Term):
    """The mean distance of a net's outputs from those of each other net.

    Parameters
    ----------
    weight : float
        Of the term.
    """

    def __init__(self, weight):
        self.weight = weight

    def loss(self, net, X, outputs, packed):
        """Return KL(peer‖self), of numbers the squared error; None for the last that is left."""
        others = packed[PEERS]
        if not others:
            return None
        weight = packed.get("soft_weight", packed.get("hard_weight"))
        weight = None if weight is None else weight.to(outputs)
        apart = [self._distance(outputs, other, packed, weight) for other in others]
        return self.weight * sum(apart) / len(apart)

    def _distance(self, outputs, other, packed, weight):
        other = other.to(outputs)
        if "target" in packed:
            return SquaredErrorLoss().mean(outputs, other, weight)
        return KD().mean(outputs, other, packed["label"], weight, 1.0)


def check_mutual(nets):
    """Refuse students that cannot see the same batches, before anything is asked or trained.

    Parameters
    ----------
    nets : list of Student
        Unfitted.

    Raises
    ------
    StudentError
    """
    for number, net in enumerate(nets):
        if not isinstance(net, BaseStudentNet):
            raise StudentError(
                f"Model {number} has the student {net._given_name}, which has no batches to "
                f"share with others; expected a StudentNet. Wrap the module: StudentNet(module)."
            )
        for name in ("batch_size", "train_split"):
            first, own = (repr(getattr(each, name)) for each in (nets[0], net))
            if own != first:
                raise StudentError(
                    f"Model {number} has {name}={own} and model 0 has {first}; expected the same, "
                    f"for all learn the same batches. Set it alike."
                )


def check_lessons(lessons):
    """Refuse what would go unheard where several nets learn by turns.

    Parameters
    ----------
    lessons : list of Lesson

    Raises
    ------
    StudentError
    """
    first = lessons[0].packed
    for number, lesson in enumerate(lessons):
        if lesson.packed.n_rows != first.n_rows:
            raise StudentError(
                f"Model {number} learns {lesson.packed.n_rows} rows and model 0 {first.n_rows}; "
                f"expected the same. A model without a teacher takes no rows without labels: give "
                f"each of them one, or leave such rows out."
            )
        reason = why_apart(lesson._replace(parts=[]))  # rows may be sparse here
        if any(isinstance(part, MemberMLP) for part in lesson.learner.module_.modules()):
            reason = "its module has several members"
        if reason is not None:
            raise StudentError(
                f"Model {number} cannot learn with others: {reason}; expected a StudentNet whose "
                f"training is its own settings alone. Leave that out, or fit it apart."
            )


def learn_mutually(lessons, weight, say):
    """Train nets side by side.

    In each step all of them read the same batch, and then each takes its own step on its own loss
    and on its distance from what the others made of the batch. One whose training ends keeps what
    it has learnt, and the others go on.

    Parameters
    ----------
    lessons : list of Lesson
        Of the same rows and the same seed; see `check_lessons`.
    weight : float
        Of the term between them.
    say : callable
        Told after each epoch how many are over.

    Raises
    ------
    Exception
        What one of them fails with.
    """
    import_what_training_needs()
    with contextlib.ExitStack() as context:
        context.enter_context(with_gradients())
        for lesson in lessons:
            if draws_globally(lesson.learner.module_):  # torch's own dropout, say
                device = torch.device(lesson.learner.device or "cpu")
                context.enter_context(seeded(lesson.seed, device))
                break
        trainings = [
            context.enter_context(begun(lesson._replace(terms=(Peers(weight),)), {}))
            for lesson in lessons
        ]
        for training in trainings:
            training.begin()
        n_over = 0
        while active := [training for training in trainings if training.goes_on]:
            _run_epoch(active)
            say(n_over := n_over + 1)
        for training in trainings:
            training.end()
            if training.error is not None:
                raise training.error
    for lesson in lessons:
        lesson.learner.has_learnt()


def _run_epoch(trainings):
    for training in trainings:
        training.begin_epoch()
    nets = [training.net for training in trainings]
    for net in nets:
        net._set_training(True)
    losses: list[list] = [[] for _ in nets]
    passes = [_batches(training) for training in trainings]
    sizes = []
    for batches in zip(*passes, strict=True):
        sizes.append(len(batches[0][0]))
        step = _take_steps(trainings, batches)
        for found, loss in zip(losses, step, strict=True):
            found.append(loss)
    for training, found in zip(trainings, losses, strict=True):
        training.net.record_epoch("train", torch.stack(found), sizes)
        if training.held is not None:
            net = training.net
            net.run_single_epoch(training.held, False, "valid", net.validation_step)
        training.end_epoch()


def _batches(training):
    """Begin a pass; the order is that of the training's seed, and so that of all."""
    with drawing_from(training.streams):
        positions = training.batches.positions()
    return (training.batches.rows.batch(index) for index in positions)


def _take_steps(trainings, batches):
    """Let each net take a step, and return the losses before it."""
    outputs, read = [], []
    for training, (X, _) in zip(trainings, batches, strict=True):
        with drawing_from(training.streams):
            outputs.append(training.net.infer(X))
        read.append(training.net.criterion_._read(first_output(outputs[-1])).detach())
    losses = []
    for number, (training, (X, packed)) in enumerate(zip(trainings, batches, strict=True)):
        others = [values for i, values in enumerate(read) if i != number]
        net = training.net
        loss = net.get_loss(outputs[number], {**packed, PEERS: others}, X=X, training=True)
        net.optimizer_.zero_grad()
        loss.backward()
        net.optimizer_.step()
        losses.append(loss.detach())
    return losses
