"""The few things about torch that teachers and students share."""

import contextlib
import threading
from collections.abc import Iterator

import numpy as np
import torch
from scipy import sparse
from torch import nn

from skdistill._columns import FLOATS

# torch's generator and a module's mode belong to the process: one thread at a time has them.
_LOCK = threading.RLock()

INFERENCE_BATCH = 4096
"""Rows that go through a module at once when nothing is learnt."""

INFERENCE_BATCH_CPU = 1024
"""The same on a CPU, whose caches hold what a small network makes of so many rows."""

MANY_ROWS = 1024
"""From here on the softmax of a table is faster along its long axis."""


def resolve_device(device) -> torch.device:
    """Return the torch device that `device` names.

    Parameters
    ----------
    device : str or torch.device
        "auto" is CUDA where there is one and the CPU otherwise.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        When torch does not know the device or this machine does not have it.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto' or a device that torch has on this machine, "
            f"such as 'cpu' or 'cuda:0'. Got {device!r} instead ({str(error).splitlines()[0]})."
        ) from error
    return resolved


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch inside the block and put its generators back afterwards.

    Parameters
    ----------
    seed : int
        Seed of the generators of the CPU and of `device`.
    device : torch.device
        The device that the block computes on.
    """
    devices = [device] if device.type == "cuda" else []
    with _LOCK, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@contextlib.contextmanager
def generator_put_back() -> Iterator[None]:
    """Put torch's generator back after the block; its DataLoader draws from it, even in order."""
    with _LOCK, torch.random.fork_rng(devices=[]):
        yield


def module_dtype(module: nn.Module) -> torch.dtype:
    """Return the floating dtype of a module's parameters, float32 where it has none."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def as_tensor(X, module: nn.Module, *, copy: bool = False) -> torch.Tensor:
    """Turn rows into a tensor that the module can read, without changing the rows.

    Numbers become the module's own floating dtype. Integers stay integers for a module with an
    embedding, which reads them as indices. Sparse rows stay sparse for a module that says
    `takes_sparse`.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame, torch.Tensor} of shape (n_samples, ...)
        Rows of numbers.
    module : torch.nn.Module
        The module that will read them.
    copy : bool, default=False
        Whether the tensor has memory of its own, as a module that works in place needs it.

    Returns
    -------
    torch.Tensor of shape (n_samples, ...)
        On the CPU, unless X was a tensor elsewhere.
    """
    if sparse.issparse(X) and getattr(module, "takes_sparse", False):
        return sparse_tensor(X, module_dtype(module))
    if not isinstance(X, torch.Tensor):
        X = X.toarray() if sparse.issparse(X) else np.asarray(X)
        if X.dtype not in FLOATS or not X.flags.carray:
            # torch takes no strides below zero, no foreign byte order and no long doubles.
            dtype = X.dtype.newbyteorder("=") if X.dtype.itemsize <= 8 else np.float64
            X = np.require(X, dtype, ["C", "W"])
        X = torch.from_numpy(X)
    if not X.is_floating_point() and _reads_indices(module):
        return X.to(torch.int64, copy=copy)
    return X.to(module_dtype(module), copy=copy)


def sparse_tensor(X, dtype: torch.dtype) -> torch.Tensor:
    """Turn sparse rows into a tensor in torch's coordinate format.

    Parameters
    ----------
    X : CSR matrix of shape (n_samples, n_features)
    dtype : torch.dtype

    Returns
    -------
    torch.Tensor of shape (n_samples, n_features), sparse
    """
    X = sparse.csr_matrix((X.data, X.indices, X.indptr), shape=X.shape)  # keeps what it finds out
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
    positions = torch.from_numpy(np.stack([rows, X.indices]))
    values = torch.from_numpy(X.data).to(dtype)
    return torch.sparse_coo_tensor(
        positions, values, X.shape, is_coalesced=True, check_invariants=False
    )


def _reads_indices(module):
    return any(isinstance(part, nn.Embedding | nn.EmbeddingBag) for part in module.modules())


@contextlib.contextmanager
def evaluating(module: nn.Module, device: torch.device | None = None) -> Iterator[None]:
    """Put a module into evaluation mode on `device`, and all of it back afterwards.

    Parameters
    ----------
    module : torch.nn.Module
        Its submodules may be in different modes; each gets its own back.
    device : torch.device, default=None
        Where the block runs the module; None leaves it where it is.
    """
    with _LOCK:
        modes = [(part, part.training) for part in module.modules()]
        homes = {tensor.device for tensor in (*module.parameters(), *module.buffers())}
        move = device is not None and len(homes) == 1 and homes != {device}
        try:
            module.eval()
            if move:
                module.to(device)
            with torch.no_grad():
                yield
        finally:
            for part, training in modes:
                part.training = training
            if move:
                module.to(next(iter(homes)))


def first_output(output):
    """Return the logits out of what a module returned: itself, its first part, or `.logits`."""
    if isinstance(output, tuple | list):
        return output[0]
    return getattr(output, "logits", output)


def forward_in_batches(module: nn.Module, X, device: torch.device) -> np.ndarray:
    """Run rows through a module, a batch at a time.

    Parameters
    ----------
    module : torch.nn.Module
        Already on `device` and in the mode that is wanted.
    X : array-like of shape (n_samples, ...)
        Rows; see `as_tensor`.
    device : torch.device
        Where the module is.

    Returns
    -------
    ndarray of shape (n_samples, ...), float64
        What the module returned for each row.
    """
    size = INFERENCE_BATCH_CPU if device.type == "cpu" else INFERENCE_BATCH
    if X.shape[0] <= size:
        return _forward(module, as_tensor(X, module, copy=True), device).numpy()
    outputs = [_forward(module, rows, device) for rows in _batches(X, module, size)]
    return torch.cat(outputs).numpy()


def _forward(module, rows, device):
    return first_output(module(rows.to(device))).detach().to("cpu", torch.float64)


def _batches(X, module, size):
    """Yield rows as tensors with memory of their own, which a module may write into."""
    if isinstance(X, np.ndarray) and X.dtype == str(module_dtype(module)).removeprefix("torch."):
        yield from (batch.clone() for batch in as_tensor(X, module).split(size))
    else:
        for start in range(0, X.shape[0], size):
            yield as_tensor(X[start : start + size], module, copy=True)


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of logits.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes), float64

    Returns
    -------
    ndarray of shape (n_samples, n_classes), float64
    """
    rows = torch.from_numpy(logits)
    if len(rows) < MANY_ROWS:
        return torch.log_softmax(rows, dim=1).numpy()
    return torch.log_softmax(rows.t(), dim=0).t().contiguous().numpy()
