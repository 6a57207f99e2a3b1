"""Nets in lock-step: each step is one step of a stacked module, all else is each net's own."""

import torch

from skdistill.training._stack._feeds import Feed, side_by_side, together
from skdistill.training._stack._masks import MaskPlan, share_generators
from skdistill.training._stack._modules import InOrder, ModuleStack
from skdistill.training._stack._optimizer import StackedOptimizer

PROBE_ROWS = 8
TOLERANCE = {torch.float64: 1e-7, torch.float32: 1e-2}
"""How far losses and gradients of a few rows may be from those of a module that runs alone."""


class Section:
    """Trainings of a stack that follow each other and take steps of the same sizes.

    Of modules that read rows beforehand, all of a section also read the same ones: once.

    Parameters
    ----------
    trainings : list of Training
    """

    def __init__(self, trainings):
        self.trainings = trainings
        self.start = 0
        share_generators(trainings)
        self.optimizer = StackedOptimizer()

    @property
    def stop(self):
        """Where the next section begins in the stack."""
        return self.start + len(self.trainings)


class Stack:
    """Trainings in lock-step.

    Parameters
    ----------
    trainings : list of Training
        Of nets that are alike; see `form_of`.
    """

    def __init__(self, trainings):
        self.reads = hasattr(trainings[0].net.module_, "read")
        self.sections = [Section(part) for part in _parts(trainings, self.reads)]
        self.modules = ModuleStack([training.net.module_ for training in self.trainings])
        self.masks = MaskPlan(self.modules)
        first = self.trainings[0].net
        self.device = torch.device(first.device or "cpu")
        self.criterion, self.epoch = first.criterion_, 1
        self.settings = self._read_settings()
        self._place()

    @property
    def trainings(self):
        """All trainings, in the order of the stacked tensors."""
        return [training for section in self.sections for training in section.trainings]

    def _place(self):
        start = 0
        for section in self.sections:
            section.start, start = start, start + len(section.trainings)

    def _read_settings(self):
        """Return what of the criterion may differ between the students, a tensor for each."""
        if self.criterion.alpha == 0:  # and so it is for all
            return {}
        criteria = [training.net.criterion_ for training in self.trainings]
        dtype = next(t.dtype for t in self.modules.tensors.values() if t.is_floating_point())
        return {
            name: torch.tensor([getattr(c, name) for c in criteria], dtype=dtype).to(self.device)
            for name in ("alpha", "temperature")
            if hasattr(self.criterion, name)
        }

    def try_out(self):
        """Compare a few losses and gradients with those of modules that run alone.

        Raises
        ------
        Exception
            Whatever torch.func raises of a module that it cannot run for several at once.
        ArithmeticError
            When they differ.
        """
        self.modules.base.train()
        rows = self.trainings[0].batches.rows
        index = torch.arange(min(len(rows), PROBE_ROWS))
        X, y = rows.rows_at(index).to(self.device), rows.targets_at(index)
        y = {name: values.to(self.device) for name, values in y.items()}
        masks = [X.new_ones((1, *shape)) for shape, _ in self.masks.wanted(X)]
        few = min(2, len(self.sections[0].trainings))
        packed = {name: values.expand(few, *values.shape) for name, values in y.items()}
        each = X[None] if self.reads else X.expand(few, *X.shape)
        read = self._read(self.sections[:1], [each], [few])
        values, gradients = self._gradients(0, few, each, packed, read, masks, copies=True)
        for number in range(few):
            value, slopes = self._alone(number, X, y, masks)
            for joint, apart in [
                (values[number], value),
                *((gradients[n][number], slopes[n]) for n in slopes if slopes[n] is not None),
            ]:
                tolerance = TOLERANCE.get(apart.dtype, 1e-2)
                if not torch.allclose(joint, apart, rtol=tolerance, atol=tolerance):
                    raise ArithmeticError("its losses are others where several run at once")

    def _alone(self, number, X, y, masks):
        """Return the loss and the gradients of one module, without torch.func.vmap."""
        trained, others = self.modules.parts(number, number + 1)
        others = {name: tensor[0].clone() for name, tensor in others.items()}
        weights = {name: tensor[0] for name, tensor in trained.items()}
        outputs = self.modules.outputs(weights, others, X, InOrder(mask[0] for mask in masks))
        settings = {name: values[number].item() for name, values in self.settings.items()}
        value = self._criterion(outputs, y, settings)
        found = torch.autograd.grad(value, list(trained.values()), allow_unused=True)
        slopes = {n: None if g is None else g[0] for n, g in zip(trained, found, strict=True)}
        return value.detach(), slopes

    def disband(self):
        """Give each net tensors of its own again, and what is remembered of its steps."""
        for section in self.sections:
            section.optimizer.hand_back(section)
        self.modules.keep([])

    def train(self, until=None, tell=None):
        """Train all of them, each until its own end.

        Parameters
        ----------
        until : int, default=None
            The number of epochs at which all pause. Another stack can go on with them once this
            one is disbanded.
        tell : callable, default=None
            Called after each epoch.
        """
        self._let_go()
        while self.sections and (until is None or self._n_epochs() < until):
            for training in self.trainings:
                training.begin_epoch()
            self.epoch = self._n_epochs()
            self._learn()
            self._judge()
            for training in self.trainings:
                training.end_epoch()
            self._let_go()
            if tell is not None:
                tell()

    def _n_epochs(self):
        return len(self.trainings[0].net.history)

    def _let_go(self):
        """Let those leave whose training has ended."""
        trainings = self.trainings
        left = [number for number, training in enumerate(trainings) if training.goes_on]
        if len(left) == len(trainings):
            return
        self.modules.keep(left)
        self.settings = {name: values[left] for name, values in self.settings.items()}
        for section in self.sections:
            section.trainings = [t for t in section.trainings if t.goes_on]
        self.sections = [section for section in self.sections if section.trainings]
        self._place()
        for training in trainings:
            if not training.goes_on:
                training.end()

    def _learn(self):
        """Take the steps of an epoch."""
        self.modules.base.train()
        feeds = self._feeds(lambda training: training.batches)
        losses: dict[Section, list] = {section: [] for section in feeds}
        for section in feeds:
            section.optimizer.settle(self.modules, section)
        for members, X, y, read in self._steps(feeds):
            start, stop = members[0].start, members[-1].stop
            masks = self.masks.draw(X[0], self.trainings[start:stop])
            values, gradients = self._gradients(start, stop, X, y, read, masks)
            for section in members:
                here = slice(section.start - start, section.stop - start)
                losses[section].append(values[here])
                section.optimizer.step(
                    {name: None if g is None else g[here] for name, g in gradients.items()}
                )
        _record("train", losses, feeds)

    def _judge(self):
        """Compute the losses of the held-back rows."""
        self.modules.base.eval()
        feeds = self._feeds(lambda training: training.held)
        losses: dict[Section, list] = {section: [] for section in feeds}
        with torch.no_grad():
            for members, X, y, read in self._steps(feeds):
                start, stop = members[0].start, members[-1].stop
                trained, others = self.modules.parts(start, stop)
                values = self._losses(start, stop, trained, others, X, y, read)
                for section in members:
                    losses[section].append(values[section.start - start : section.stop - start])
        _record("valid", losses, feeds)

    def _feeds(self, iterator_of):
        """Begin a pass of those sections that have rows for it."""
        return {
            section: Feed(section.trainings, [*map(iterator_of, section.trainings)], self.device)
            for section in self.sections
            if iterator_of(section.trainings[0]) is not None
        }

    def _steps(self, feeds):
        """Yield the sections that take a step as one, their batch, and what they read of it."""
        sizes = [feed.sizes for feed in feeds.values()]
        for step, members in together(list(feeds), sizes):
            X, y = zip(*(feeds[section].batch(step) for section in members), strict=True)
            numbers = [len(section.trainings) for section in members]
            packed = {name: torch.cat([each[name] for each in y]) for name in y[0]}
            yield members, side_by_side(X, numbers), packed, self._read(members, X, numbers)

    def _read(self, members, X, numbers):
        """Return what modules make of a batch without parameters, once for each section."""
        if not self.reads:
            return []
        modules = [self.modules.modules[section.start] for section in members]
        read = [module.read(part[0]) for module, part in zip(modules, X, strict=True)]
        return [] if read[0] is None else [side_by_side([r[None] for r in read], numbers)]

    def _gradients(self, start, stop, X, y, read, masks, *, copies=False):
        """Return losses of some modules for a batch, and their gradients by name."""
        trained, others = self.modules.parts(start, stop)
        if copies:
            others = {name: tensor.clone() for name, tensor in others.items()}
        values = self._losses(start, stop, trained, others, X, y, read, masks)
        found = torch.autograd.grad(values.sum(), list(trained.values()), allow_unused=True)
        return values.detach(), dict(zip(trained, found, strict=True))

    def _losses(self, start, stop, trained, others, X, y, read, masks=()):
        settings = {name: values[start:stop] for name, values in self.settings.items()}
        return self.modules.losses(self._criterion, trained, others, X, y, settings, masks, read)

    def _criterion(self, outputs, packed, settings):
        """Return the loss of one module, with what differs between them as settings."""
        criterion = self.criterion.with_settings(loss=self.criterion.loss, **settings)
        criterion.set_epoch(self.epoch)
        criterion.train(self.modules.base.training)
        return criterion(outputs, packed)


def _parts(trainings, reads):
    """Return trainings in the parts that sections are made of, those of like settings together."""
    parts: dict = {}
    for training in trainings:
        key = tuple(training.sizes), training.held is None or tuple(training.held.sizes())
        parts.setdefault(key, []).append(training)
    if reads:
        parts = {
            (key, number): part
            for key, members in parts.items()
            for number, part in enumerate(_of_same_rows(members))
        }
    return [sorted(part, key=_settings) for part in parts.values()]


def _of_same_rows(trainings):
    """Return trainings in parts whose modules read the same rows in the same order."""
    parts: list = []
    for training in trainings:
        part = next((part for part in parts if training.reads_as(part[0])), None)
        if part is None:
            parts.append([training])
        else:
            part.append(training)
    return parts


def _settings(training):
    """Return by what trainings are sorted, so that those with one learning rate are neighbours."""
    group = training.net.optimizer_.param_groups[0]
    known = sorted((name, repr(value)) for name, value in group.items() if name != "params")
    return training.net.max_epochs, known


def _record(prefix, losses, feeds):
    for section, values in losses.items():
        values = torch.stack(values).to("cpu", torch.float64)
        for number, training in enumerate(section.trainings):
            training.net.record_epoch(prefix, values[:, number], feeds[section].sizes)
