"""An epoch at the price of a hand-written loop, where nobody listens to single batches."""

import inspect

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler

from skdistill.exceptions import StudentError

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")
STEP_METHODS = (
    "train_step",
    "train_step_single",
    "validation_step",
    "get_train_step_accumulator",
    *BATCH_HOOKS,
)

LOSSES_APART = 256
"""So many are tensors of their own, each of which keeps a page of the heap from being reused."""


class FastEpochNet(NeuralNet):
    """Runs an epoch without the bookkeeping of every batch.

    skorch notifies each callback before and after each batch, makes a closure for each step and
    reads each loss. Where no callback has a hook for batches, no step method is overridden and
    the optimiser needs no closure, none of that can be noticed: losses are then summed on the
    device and read once an epoch. Otherwise everything goes skorch's own way.
    """

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one pass over the batches; see `skorch.NeuralNet.run_single_epoch`."""
        if iterator is None or fit_params or self.watches_batches():
            super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
            return
        self._set_training(training)
        parameters = [p for group in self.optimizer_.param_groups for p in group["params"]]
        losses, sizes, stacks = [], [], []
        with torch.set_grad_enabled(training):
            for X, y in iterator:
                loss = self.get_loss(self.infer(X), y, X=X, training=training)
                if training:
                    for parameter in parameters:  # what zero_grad does, without its profiling
                        parameter.grad = None
                    loss.backward()
                    loss = self.share_step(loss, len(X))
                    self.optimizer_.step()
                losses.append(loss.detach())
                sizes.append(len(X))
                if len(losses) == LOSSES_APART:
                    stacks.append(torch.stack(losses))
                    losses = []
        if not sizes:
            which = "to learn from" if training else "to choose the best epoch by"
            raise StudentError(
                f"There is no batch of rows {which}; expected at least one. With drop_last=True a "
                f"batch_size of at most the number of rows."
            )
        if losses:
            stacks.append(torch.stack(losses))
        self.record_epoch(prefix, torch.cat(stacks), sizes)

    def train_step_single(self, batch, **fit_params):
        """Compute a batch's loss and gradients, in skorch's own way."""
        step = super().train_step_single(batch, **fit_params)
        return {**step, "loss": self.share_step(step["loss"], len(batch[0]))}

    def share_step(self, loss, n_rows):
        """Do what is to be done between the gradients of a batch and the optimiser's step.

        Parameters
        ----------
        loss : torch.Tensor, a scalar
            The mean loss of the batch, whose gradients the parameters have.
        n_rows : int
            Its number of rows.

        Returns
        -------
        torch.Tensor, a scalar
            The loss to record. Here nothing is done; others may have a share in the batch.
        """
        return loss

    def record_epoch(self, prefix, losses, sizes):
        """Record a pass in the history.

        Parameters
        ----------
        prefix : {"train", "valid"}
        losses : torch.Tensor of shape (n_batches,)
            The mean loss of each batch.
        sizes : list of int
            The number of rows of each.
        """
        weights = torch.tensor(sizes, dtype=torch.float64)
        mean = (losses.to("cpu", torch.float64) * weights).sum() / weights.sum()
        # One record for the epoch, in the form that skorch's scoring callbacks read.
        self.history.new_batch()
        self.history.record_batch(f"{prefix}_loss", mean.item())
        self.history.record_batch(f"{prefix}_batch_size", sum(sizes))
        self.history.record(f"{prefix}_batch_count", len(sizes))

    def infer(self, x, **fit_params):
        """Run the module on a batch, which needs no conversion when it is a tensor."""
        if not isinstance(x, torch.Tensor):
            return super().infer(x, **fit_params)
        return self.module_(x.to(self.device or "cpu"), **fit_params)

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return the criterion of a batch; packed targets are on the device already."""
        return self.criterion_(y_pred, y_true, self, X)

    def get_params_for_optimizer(self, prefix, named_parameters):
        """Ask for the optimiser's fused step where it has one and nothing else is said."""
        args, kwargs = super().get_params_for_optimizer(prefix, named_parameters)
        known = inspect.signature(getattr(self, prefix)).parameters
        if "fused" in known and not {"fused", "foreach", "differentiable"} & set(kwargs):
            kwargs["fused"] = True
        return args, kwargs

    def watches_batches(self):
        """Whether something would notice that batches are not skorch's own."""
        optimizer = type(self.optimizer_)
        closure = inspect.signature(optimizer.step).parameters.get("closure")
        needs_closure = closure is None or closure.default is closure.empty
        if needs_closure or optimizer.zero_grad is not torch.optim.Optimizer.zero_grad:
            return True
        own = type(self)
        if any(getattr(own, n) is not getattr(FastEpochNet, n) for n in STEP_METHODS):
            return True
        return any(
            getattr(type(callback), hook) is not getattr(Callback, hook)
            for _, callback in self.callbacks_
            for hook in BATCH_HOOKS
            if not (isinstance(callback, LRScheduler) and callback.step_every == "epoch")
        )
