"""Modules whose tensors lie in one, along a first axis that counts the modules."""

import copy

import torch
from torch.func import functional_call, vmap

from skdistill._generators import leaving_out


class ModuleStack:
    """Modules of one shape. Each goes on as it was, but holds a slice of the stacked tensors.

    Whoever reads or writes the weights of one of them, as a callback does at the end of an epoch,
    need not know.

    Parameters
    ----------
    modules : list of torch.nn.Module
        Alike in all but the values of their parameters and buffers; changed in place.
    """

    def __init__(self, modules):
        self.modules = modules
        self.base = copy.deepcopy(modules[0])
        self._is_trained = {n: p.requires_grad for n, p in self.base.named_parameters()}
        self.tensors = {}
        self._lay_together()

    def _lay_together(self):
        each = [tensors_of(module) for module in self.modules]
        for name in each[0]:
            self.tensors[name] = torch.stack([tensors[name].detach() for tensors in each])
            for number, tensors in enumerate(each):
                tensors[name].data = self.tensors[name][number]

    def keep(self, rows):
        """Go on with some of the modules; the others get tensors of their own.

        Parameters
        ----------
        rows : list of int
            Which, in their new order.
        """
        for number in set(range(len(self.modules))) - set(rows):
            for tensor in tensors_of(self.modules[number]).values():
                tensor.data = tensor.data.clone()
        self.modules = [self.modules[number] for number in rows]
        self.tensors = {}
        if self.modules:
            self._lay_together()

    def names(self, *, trained):
        """Return the names of the tensors that are trained, or of all others."""
        return [name for name in self.tensors if self._is_trained.get(name, False) == trained]

    def parts(self, start, stop):
        """Return tensors of some modules: those that are trained, as leaves, and the others."""
        trained = {
            name: self.tensors[name][start:stop].detach().requires_grad_()
            for name in self.names(trained=True)
        }
        return trained, {n: self.tensors[n][start:stop] for n in self.names(trained=False)}

    def outputs(self, trained, others, X, masks, read=()):
        """Return what one module makes of a batch of its own.

        Parameters
        ----------
        trained, others : dict of str to torch.Tensor
            Its tensors.
        X : torch.Tensor of shape (n_batch, ...)
        masks : object
            Says what is left out; see `leaving_out`.
        read : sequence of object, default=()
            What its `read` has made of the batch, where it has one.

        Returns
        -------
        object
            What the module returns.
        """
        with leaving_out(masks):
            return functional_call(self.base, (trained, others), (X, *read))

    def losses(self, criterion, trained, others, X, y, settings, masks=(), read=()):
        """Return the loss of each module for a batch.

        Parameters
        ----------
        criterion : callable
            From outputs, packed targets and settings to a loss, all of one module.
        trained, others : dict of str to torch.Tensor
            See `parts`.
        X : torch.Tensor of shape (n_modules, n_batch, ...) or (1, n_batch, ...)
            One batch for each, or one for all.
        y, settings : dict of str to torch.Tensor of shape (n_modules, ...)
        masks : sequence of torch.Tensor of shape (n_modules, ...) or (1, ...)
            What its layers of dropout multiply by, in their order.
        read : sequence of torch.Tensor of shape (n_modules, ...) or (1, ...)
            What `read` has made of the batches, where the modules have it.

        Returns
        -------
        torch.Tensor of shape (n_modules,)
        """

        shared = [X, *masks, *read]
        n_masks = len(masks)

        def loss(trained, others, y, settings, X, *rest):
            masks, read = InOrder(rest[:n_masks]), rest[n_masks:]
            return criterion(self.outputs(trained, others, X, masks, read), y, settings)

        dims = [None if len(tensor) == 1 else 0 for tensor in shared]
        rows = [tensor[0] if len(tensor) == 1 else tensor for tensor in shared]
        return vmap(loss, in_dims=(0, 0, 0, 0, *dims))(trained, others, y, settings, *rows)


class InOrder:
    """Masks of one module, handed to its layers in their order; see `leaving_out`.

    Parameters
    ----------
    masks : iterable of torch.Tensor
    """

    def __init__(self, masks):
        self.masks = iter(masks)

    def kept(self, X, p):
        """Return the mask of the next layer."""
        return next(self.masks)


def tensors_of(module):
    """Return the parameters and buffers of a module by their names."""
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
