"""torch's own optimisers over stacked tensors."""

from typing import Any

import torch
from torch import nn, optim

ELEMENTWISE = (
    optim.Adagrad,
    optim.Adam,
    optim.Adamax,
    optim.AdamW,
    optim.NAdam,
    optim.RAdam,
    optim.RMSprop,
    optim.SGD,
)
"""Optimisers that treat each weight by itself: a slice of a tensor as the tensor."""


class StackedOptimizer:
    """An optimiser for consecutive modules of a stack that take as many steps.

    Modules that follow each other with the same settings are one parameter group. The settings are
    those of the nets' own optimisers, to which schedules write.

    """

    def __init__(self):
        self.trainings: list = []
        self.names: list[str] = []
        self.runs: list[tuple[int, int]] = []
        self.optimizer: Any = None
        self._tensors = None

    def settle(self, stack, section):
        """Take up what has changed since the last epoch: settings, and who is left.

        Parameters
        ----------
        stack : ModuleStack
        section : Section
            Says which of its modules these are.
        """
        nets = [training.net for training in section.trainings]
        spans, settings = _runs([_settings(net) for net in nets])
        if self._tensors is stack.tensors and spans == self.runs:
            for group, values in zip(self.optimizer.param_groups, settings, strict=True):
                group.update(values)
            return
        self.hand_back(section)
        self.trainings, self.runs = list(section.trainings), spans
        self.names, self._tensors = stack.names(trained=True), stack.tensors
        groups = [
            {**values, "params": self._rows(stack, section.start + first, section.start + last)}
            for (first, last), values in zip(spans, settings, strict=True)
        ]
        self.optimizer = type(nets[0].optimizer_)(groups)
        self._take_over()

    def _rows(self, stack, start, stop):
        """Return what is trained of some modules."""
        return [nn.Parameter(stack.tensors[name][start:stop]) for name in self.names]

    def hand_back(self, section):
        """Let trainings, as many as are still there, keep what is remembered of their steps."""
        for (first, last), (group, states) in zip(self.runs, self._groups(), strict=True):
            for number, training in enumerate(self.trainings[first:last]):
                if training not in section.trainings:
                    continue
                training.moments = {
                    name: {
                        key: _copied(value[number : number + 1] if _is_stacked(value, p) else value)
                        for key, value in state.items()
                    }
                    for name, p, state in zip(self.names, group["params"], states, strict=True)
                }

    def _groups(self):
        """Return the groups of parameters, and what is remembered of each of theirs."""
        groups = [] if self.optimizer is None else self.optimizer.param_groups
        return [(group, [self.optimizer.state[p] for p in group["params"]]) for group in groups]

    def _take_over(self):
        """Remember what trainings have kept."""
        for (first, last), (group, _) in zip(self.runs, self._groups(), strict=True):
            each = [training.moments for training in self.trainings[first:last]]
            for name, parameter in zip(self.names, group["params"], strict=True):
                for key, value in each[0].get(name, {}).items():
                    rows = [moments[name][key] for moments in each]
                    self.optimizer.state[parameter][key] = (
                        torch.cat(rows) if _is_stacked(value, parameter) else value
                    )
        for training in self.trainings:
            training.moments = {}

    def step(self, gradients):
        """Take a step.

        Parameters
        ----------
        gradients : dict of str to torch.Tensor of shape (n_modules, ...) or None
        """
        for (first, last), group in zip(self.runs, self.optimizer.param_groups, strict=True):
            for name, parameter in zip(self.names, group["params"], strict=True):
                gradient = gradients[name]
                # A fused step reads gradients as they lie in memory, whatever their strides say.
                parameter.grad = None if gradient is None else gradient[first:last].contiguous()
        self.optimizer.step()


def _is_stacked(value, parameter):
    """Whether what is remembered of a stacked parameter has a row for each module."""
    return torch.is_tensor(value) and value.ndim == parameter.ndim


def _copied(value):
    return value.clone() if torch.is_tensor(value) else value


def _settings(net):
    """Return the settings of a net's optimiser, without what only its schedule reads."""
    (group,) = net.optimizer_.param_groups
    return {name: v for name, v in group.items() if name not in ("params", "initial_lr")}


def _runs(settings):
    """Return the spans of equal settings that follow each other, and the settings of each."""
    spans: list[tuple[int, int]] = []
    each: list[dict] = []
    for number, values in enumerate(settings):
        if each and each[-1] == values:
            spans[-1] = (spans[-1][0], number + 1)
        else:
            spans.append((number, number + 1))
            each.append(values)
    return spans, each
