"""The processes that train one student, and what they tell each other."""

import contextlib
from contextvars import ContextVar
from datetime import timedelta

import numpy as np
import torch
from torch import distributed

from skdistill.exceptions import StudentError

PATIENCE = timedelta(days=30)
"""How long processes wait for the one that asks a teacher, unless it ends."""

START = "torch.distributed.init_process_group()"


def is_alone():
    """Whether this process trains by itself.

    Returns
    -------
    bool

    Raises
    ------
    StudentError
        For one of several processes that a launcher has started and nobody has made a group of.
    """
    if not distributed.is_available():
        return True
    if distributed.is_initialized():
        return distributed.get_world_size() == 1
    if distributed.is_torchelastic_launched():
        raise StudentError(
            f"A launcher has started this process with others, and they know nothing of each "
            f"other: each would train a student of its own; expected a process group. Call {START} "
            f"before fit, in the process that a launcher has started and not in workers of it, or "
            f"take a StudentNet."
        )
    return True


@contextlib.contextmanager
def meeting(stage, device="cpu", timeout=None):
    """Let all processes speak to each other inside the block, by a group of its own.

    The group closes with the block: where a process leaves it by an error, those that still wait
    for its word on a CPU hear of that at once.

    Parameters
    ----------
    stage : str
        What a process of the fit is about to do.
    device : torch.device or str, default="cpu"
        Where the tensors are that they exchange.
    timeout : datetime.timedelta, default=None
        How long one waits for the others; None is torch's default for the group.

    Yields
    ------
    Ranks

    Raises
    ------
    StudentError
        Where another process is at another stage, or when one no longer answers.
    """
    on_cpu = torch.device(device).type == "cpu"
    group = distributed.new_group(backend="gloo" if on_cpu else None, timeout=timeout)
    try:
        ranks = Ranks(group, torch.device(device))
        ranks.check_stage(stage)
        yield ranks
    finally:
        distributed.destroy_process_group(group)


_ranks: ContextVar["Ranks | None"] = ContextVar("ranks", default=None)


def current_ranks():
    """Return the processes of the training that this thread is in, None where there is one."""
    return _ranks.get()


class Ranks:
    """All processes of a group, seen from one of them.

    Each method must be called by all of them, in the same order.

    Parameters
    ----------
    group : torch.distributed.ProcessGroup
    device : torch.device
        Of the tensors that are exchanged.
    """

    def __init__(self, group, device):
        self.group = group
        self.device = device
        self.rank = distributed.get_rank()
        self.size = distributed.get_world_size()

    @contextlib.contextmanager
    def training(self):
        """Let a training inside the block, and in this thread, be that of all processes."""
        token = _ranks.set(self)
        try:
            yield
        finally:
            _ranks.reset(token)

    def _run(self, exchange, *args, **kwargs):
        try:
            exchange(*args, **kwargs, group=self.group)
        except RuntimeError as error:
            raise StudentError(
                f"Process {self.rank} of {self.size} no longer hears from another one, which has "
                f"failed, been stopped, or ended its training before the others; expected all to "
                f"go on. Look at what the others have printed, and start all of them again."
            ) from error

    def told_by_first(self, make):
        """Return what a function returns in the first process, in all of them.

        Parameters
        ----------
        make : callable
            Called in the first process alone, without arguments.

        Raises
        ------
        StudentError
            In the others, for what it raises in the first.
        """
        told = [None, None]
        if self.rank == 0:
            try:
                told[0] = make()
            except BaseException as error:  # whatever it is, the others must not wait
                self._run(distributed.broadcast_object_list, [None, _say(error)], src=0)
                raise
        self._run(distributed.broadcast_object_list, told, src=0)
        made, failure = told
        if failure is not None:
            raise StudentError(f"The first of {self.size} processes failed: {failure}")
        return made

    def together(self, make):
        """Call a function in each process; where it fails in one, all of them fail.

        Parameters
        ----------
        make : callable
            Without arguments.

        Returns
        -------
        object
            What it returns here.
        """
        made, failure, own = None, None, None
        try:
            made = make()
        except BaseException as error:
            failure, own = _say(error), error
        failures = self._gather(failure)
        if own is not None:
            raise own
        failed = [rank for rank, said in enumerate(failures) if said is not None]
        if failed:
            raise StudentError(f"Process {failed[0]} of {self.size} failed: {failures[failed[0]]}")
        return made

    def check_stage(self, stage):
        """Refuse to go on with processes that are at another stage than this one."""
        for rank, its in enumerate(self._gather(stage)):
            if its != stage:
                raise StudentError(
                    f"Process {self.rank} of {self.size} is about to {stage} and process {rank} to "
                    f"{its}; expected the same. One of them has left the fit before its end, or "
                    f"makes other fits: start all of them again."
                )

    def check_same(self, found):
        """Refuse what differs from process to process.

        Parameters
        ----------
        found : dict of str to object
            By what errors call it.

        Raises
        ------
        StudentError
        """
        for rank, its in enumerate(self._gather(found)):
            differs = [
                name
                for name in {**found, **its}
                if (name in found, found.get(name)) != (name in its, its.get(name))
            ]
            if differs:
                raise StudentError(
                    f"Processes {self.rank} and {rank} of {self.size} differ in "
                    f"{', '.join(differs)}; expected the same in all. Give each the whole of the "
                    f"rows, in the same order, the same settings, and the same int as "
                    f"random_state: the rows of each batch are shared out among them in training."
                )

    def _gather(self, value):
        values = [None] * self.size
        self._run(distributed.all_gather_object, values, value)
        return values

    def share_of(self, index):
        """Return the part of a batch that is this process's.

        Parameters
        ----------
        index : torch.Tensor of int64
            Where the rows of the batch are, at least as many as there are processes.

        Returns
        -------
        torch.Tensor of int64
        """
        return index.tensor_split(self.size)[self.rank]

    def share_step(self, parameters, loss, n_rows):
        """Give parameters the gradient of a whole batch, of whose parts they have that of one.

        A gradient is the mean over the rows; those of the parts count as their rows do.

        Parameters
        ----------
        parameters : list of torch.nn.Parameter
        loss : torch.Tensor, a scalar
            The mean loss of the rows that were here.
        n_rows : int
            Their number.

        Returns
        -------
        torch.Tensor, a scalar
            The mean loss of the batch.
        """
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        ends = torch.stack([loss.detach(), torch.ones_like(loss)]).to(grads[0])
        flat = torch.cat([*(grad.reshape(-1) for grad in grads), ends]).mul_(n_rows)
        self._run(distributed.all_reduce, flat)
        *pieces, loss, _ = (flat / flat[-1]).split([p.numel() for p in parameters] + [1, 1])
        for parameter, grad, piece in zip(parameters, grads, pieces, strict=True):
            parameter.grad = grad.copy_(piece.view_as(grad))
        return loss[0]

    def sum(self, values):
        """Return the sum of an array of floats over all processes."""
        tensor = torch.as_tensor(np.asarray(values), dtype=torch.float64, device=self.device)
        self._run(distributed.all_reduce, tensor)
        return tensor.cpu().numpy()

    def first(self, values):
        """Return an array of floats as the first process has it."""
        tensor = torch.as_tensor(values, device=self.device).clone()
        self._run(distributed.broadcast, tensor, src=0)
        return tensor.cpu().numpy()

    def copy_first(self, tensors):
        """Give tensors the values that they have in the first process, in place."""
        for tensor in tensors:
            self._run(distributed.broadcast, tensor, src=0)

    def average(self, tensors):
        """Give tensors the mean of their values over all processes, in place.

        Values that are equal in all of them stay as they are, bit for bit.
        """
        for tensor in tensors:
            first = tensor.clone()
            self._run(distributed.broadcast, first, src=0)
            apart = tensor - first
            self._run(distributed.all_reduce, apart)
            tensor.copy_(first + apart / self.size)


def _say(error):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text or 'without a word'}"
