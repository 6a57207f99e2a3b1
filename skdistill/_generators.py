"""Random numbers of torch: generators of our own, and torch's global one, lent to one at a time."""

import contextlib
import os
import random
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NamedTuple, Protocol

import torch
from sklearn.utils import check_random_state
from torch import nn
from torch.overrides import TorchFunctionMode

_OURS = ("skdistill", "skorch", "torch")
"""Packages whose classes draw from a generator that they are given, or not at all."""

_lock = threading.RLock()
"""Torch's global generator belongs to the process: one thread at a time may seed it."""


def _new_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    # A fork copies the lock as it is, held by a thread that the child does not have.
    os.register_at_fork(after_in_child=_new_lock)


class Streams(NamedTuple):
    """The generators of one training.

    Attributes
    ----------
    order : torch.Generator
        Draws the order of the rows, on the CPU.
    dropout : torch.Generator
        Draws which units are left out, on the device that trains.
    views : torch.Generator
        Draws the views of the rows, on the CPU.
    weights : torch.Generator
        Draws the weights of what is trained along with the module, on the CPU.
    """

    order: torch.Generator
    dropout: torch.Generator
    views: torch.Generator
    weights: torch.Generator


_streams: ContextVar[Streams | None] = ContextVar("streams", default=None)


def make_streams(seed: int, device: torch.device, rank: int = 0) -> Streams:
    """Make the generators of one training.

    Parameters
    ----------
    seed : int
        Seeds the order of the rows as it is; the others are seeded by it and their name.
    device : torch.device
        Where the training computes.
    rank : int, default=0
        The number of this process among those that train one student: order and weights are the
        same in all of them, dropout and views are its own.

    Returns
    -------
    Streams
    """
    cpu = torch.device("cpu")
    # A seed of 31 bits and a number above them: no two streams of two trainings are the same.
    seeds = [seed + (number << 32) for number in (0, 1 + 4 * rank, 2 + 4 * rank, 3)]
    devices = [cpu, device, cpu, cpu]
    return Streams(*(make_generator(s, d) for s, d in zip(seeds, devices, strict=True)))


def make_generator(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Make a generator that draws from its own seed."""
    generator = torch.Generator(device)
    generator.manual_seed(seed)
    return generator


@contextlib.contextmanager
def drawing_from(streams: Streams) -> Iterator[None]:
    """Let what is ours, inside the block and in this thread, draw from these generators."""
    token = _streams.set(streams)
    try:
        yield
    finally:
        _streams.reset(token)


def current_stream(name: str) -> torch.Generator | None:
    """Return the generator of the training that this thread is in.

    Parameters
    ----------
    name : {"order", "dropout", "views", "weights"}

    Returns
    -------
    torch.Generator or None
        None outside of a training with a seed, which stands for torch's global generator.
    """
    streams = _streams.get()
    return None if streams is None else getattr(streams, name)


class Masks(Protocol):
    """What says which units are left out where they were drawn beforehand."""

    def kept(self, X: torch.Tensor, p: float) -> torch.Tensor:
        """Return what X is multiplied by: 0, or 1 / (1 - p), for each of its values."""


_masks: ContextVar[Masks | None] = ContextVar("masks", default=None)


@contextlib.contextmanager
def leaving_out(masks: Masks) -> Iterator[None]:
    """Let dropout of ours, inside the block and in this thread, leave out what masks say."""
    token = _masks.set(masks)
    try:
        yield
    finally:
        _masks.reset(token)


def draw_kept(X: torch.Tensor, p: float) -> torch.Tensor | None:
    """Return what a layer of dropout multiplies its rows by.

    Parameters
    ----------
    X : torch.Tensor
    p : float
        Probability of a value to be left out, in (0, 1).

    Returns
    -------
    torch.Tensor of the shape of X, or None
        None outside of a training with a seed.
    """
    masks, generator = _masks.get(), current_stream("dropout")
    if masks is not None:
        return masks.kept(X, p)
    if generator is None:
        return None
    return torch.empty_like(X).bernoulli_(1 - p, generator=generator).div_(1 - p)


class DrawWeights(TorchFunctionMode):
    """Let the first weights of layers, made inside the block and in this thread, be drawn apart.

    Layers have no argument for a generator, and fill their tensors through the functions of
    `torch.nn.init` or the random methods of tensors: each gets the generator here. The same seed
    draws what it draws as the seed of torch's global generator.

    Parameters
    ----------
    generator : torch.Generator
    """

    _FILL = {
        nn.init.uniform_,
        nn.init.normal_,
        nn.init.trunc_normal_,
        nn.init.xavier_uniform_,
        nn.init.xavier_normal_,
        nn.init.kaiming_uniform_,
        nn.init.kaiming_normal_,
        torch.Tensor.uniform_,
        torch.Tensor.normal_,
    }

    def __init__(self, generator: torch.Generator):
        super().__init__()
        self.generator = generator

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if func in self._FILL and kwargs.get("generator") is None:
            kwargs["generator"] = self.generator
        return func(*args, **kwargs)


def is_ours(part: object) -> bool:
    """Whether an object, or a class, is of a package that draws from what it is given."""
    kind = part if isinstance(part, type) else type(part)
    return kind.__module__.partition(".")[0] in _OURS


def draws_globally(module: nn.Module) -> bool:
    """Whether a module may draw from torch's global generator when it is trained.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    bool
        True for torch's own dropout, and for classes and hooks of others, of which nobody can
        tell.
    """
    return any(not is_ours(part) or _hooks(part) or _drops(part) for part in module.modules())


def _hooks(part):
    return part._forward_hooks or part._forward_pre_hooks


def _drops(part):
    if not type(part).__module__.startswith("torch."):
        return False
    if isinstance(part, nn.RReLU | nn.FractionalMaxPool2d | nn.FractionalMaxPool3d):
        return True
    share = getattr(part, "p", 0) if isinstance(part, _DROPOUTS) else getattr(part, "dropout", 0)
    return isinstance(share, float | int) and share > 0


_DROPOUTS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators inside the block and put them back afterwards.

    Other threads that want the same wait. What else draws from them meanwhile, outside of this
    package, changes what the block draws.

    Parameters
    ----------
    seed : int
        Seed of the generators of the CPU and of `device`.
    device : torch.device
        The device that the block computes on.
    """
    devices = [device] if device.type == "cuda" else []
    with _lock, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@contextlib.contextmanager
def generator_put_back() -> Iterator[None]:
    """Put torch's global generator back after a block in which others draw from it."""
    with _lock, torch.random.fork_rng(devices=[]):
        yield


@contextlib.contextmanager
def all_seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of torch, NumPy and Python inside the block; put them back.

    For code of others that draws from any of them.

    Parameters
    ----------
    seed : int
        In [0, 2**32).
    """
    numpys = check_random_state(None)
    with seeded(seed, torch.device("cpu")):
        before = numpys.get_state(), random.getstate()
        numpys.seed(seed)
        random.seed(seed)
        try:
            yield
        finally:
            numpys.set_state(before[0])
            random.setstate(before[1])
