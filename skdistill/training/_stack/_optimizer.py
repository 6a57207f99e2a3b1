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
        self.nets: list = []
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
        before, old_runs = self.optimizer, self.runs
        rows = [next(n for n, old in enumerate(self.nets) if old is net) for net in nets if before]
        self.nets, self.runs, self.names = nets, spans, stack.names(trained=True)
        self._tensors = stack.tensors
        groups = [
            {**values, "params": self._rows(stack, section.start + first, section.start + last)}
            for (first, last), values in zip(spans, settings, strict=True)
        ]
        self.optimizer = type(nets[0].optimizer_)(groups)
        if before is not None:
            self._take_over(before, old_runs, rows)

    def _rows(self, stack, start, stop):
        """Return what is trained of some modules."""
        return [nn.Parameter(stack.tensors[name][start:stop]) for name in self.names]

    def _take_over(self, before, old_spans, rows):
        """Give each group the states of its modules."""
        places = {
            row: (number, row - first)
            for number, (first, last) in enumerate(old_spans)
            for row in range(first, last)
        }
        for (first, last), group in zip(self.runs, self.optimizer.param_groups, strict=True):
            here = [places[row] for row in rows[first:last]]
            for position, parameter in enumerate(group["params"]):
                olds = [before.param_groups[number]["params"][position] for number, _ in here]
                states = [before.state.get(old) for old in olds]
                if not states[0]:
                    continue
                self.optimizer.state[parameter] = {
                    key: torch.stack([s[key][at] for s, (_, at) in zip(states, here, strict=True)])
                    if torch.is_tensor(value) and value.shape == olds[0].shape
                    else value.clone()
                    if torch.is_tensor(value)
                    else value
                    for key, value in states[0].items()
                }

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
