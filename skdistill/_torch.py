"""The few things about torch that teachers and students share."""

import contextlib
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.utils.data import DataLoader

from skdistill._input._columns import FLOATS
from skdistill._input._inputs import map_inputs
from skdistill._input._rows import PLAIN
from skdistill._words import shorten

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
        if resolved.type == "meta":
            raise TypeError("it holds no values")
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, TypeError) as error:
        raise ValueError(
            f"The 'device' parameter must be 'auto' or a device that torch has on this machine, "
            f"such as 'cpu' or 'cuda:0'. Got {shorten(device)} instead "
            f"({str(error).splitlines()[0]})."
        ) from error
    return resolved


def module_dtype(module: nn.Module) -> torch.dtype:
    """Return the floating dtype of a module's parameters, float32 where it has none."""
    return _first_dtype(module) or torch.float32


def _first_dtype(module):
    """Return that of the first of module.parameters(), which takes ten times as long."""
    for parameter in module._parameters.values():
        if parameter is not None and parameter.is_floating_point():
            return parameter.dtype
    for part in module._modules.values():
        if part is not None and (dtype := _first_dtype(part)) is not None:
            return dtype
    return None


def numpy_dtype(module: nn.Module) -> np.dtype:
    """Return the same as NumPy has it; see `module_dtype`."""
    return np.dtype(str(module_dtype(module)).removeprefix("torch."))


def as_tensor(X, module: nn.Module, *, copy: bool = False, read_only: bool = False) -> torch.Tensor:
    """Turn rows into a tensor that the module can read, without changing the rows.

    Numbers become the module's own floating dtype. Integers stay integers for a module with an
    embedding, which reads them as indices. Sparse rows stay sparse for a module that says
    `takes_sparse`.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame, torch.Tensor, SliceDict} of shape (n_samples, ...)
        Rows of numbers.
    module : torch.nn.Module
        The module that will read them.
    copy : bool, default=False
        Whether the tensor has memory of its own, as a module that works in place needs it.
    read_only : bool, default=False
        Whether nothing will be written into the tensor, so that an array that cannot be written
        to, such as a memory map, need not be copied.

    Returns
    -------
    torch.Tensor of shape (n_samples, ...), or SliceDict of them
        On the CPU, unless X was a tensor elsewhere.
    """
    if type(X) in PLAIN and X.dtype in FLOATS and X.flags.carray:  # most rows, and each single one
        return torch.from_numpy(X).to(module_dtype(module), copy=copy)
    if isinstance(X, Mapping):
        settings = {"copy": copy, "read_only": read_only}
        return map_inputs(lambda part: as_tensor(part, module, **settings), X)
    if sparse.issparse(X) and getattr(module, "takes_sparse", False):
        return sparse_tensor(X, module_dtype(module))
    if not isinstance(X, torch.Tensor):
        X = X.toarray() if sparse.issparse(X) else np.asarray(X)
        if X.dtype not in FLOATS or not (X.flags.carray or (read_only and _is_locked(X))):
            # torch takes no strides below zero, no foreign byte order and no long doubles.
            dtype = X.dtype.newbyteorder("=") if X.dtype.itemsize <= 8 else np.float64
            X = np.require(X, dtype, ["C", "W"])
        X = _shared(X)
    if not X.is_floating_point() and _reads_indices(module):
        return X.to(torch.int64, copy=copy)
    return X.to(module_dtype(module), copy=copy)


def as_array(X, module: nn.Module) -> Any:
    """Turn rows into an array, or arrays, in the dtype that the module reads; see `as_tensor`."""
    return map_inputs(lambda part: as_tensor(part, module).numpy(), X)


def run_module(module: nn.Module, rows, device: torch.device | str) -> Any:
    """Run a batch through a module.

    Parameters
    ----------
    module : torch.nn.Module
        On `device`.
    rows : torch.Tensor or SliceDict of torch.Tensor
        Several inputs become the arguments of `forward` by their names.
    device : torch.device or str

    Returns
    -------
    object
        What the module returns.
    """
    if type(rows) is not torch.Tensor and isinstance(rows, Mapping):
        return module(**{name: part.to(device) for name, part in rows.items()})
    return module(rows.to(device))


def _is_locked(X):
    """Whether an array lacks nothing but the right to be written to."""
    return X.flags.c_contiguous and X.flags.aligned and not X.flags.writeable


def _shared(X):
    """Return an array as a tensor that shares its memory."""
    if X.flags.writeable:
        return torch.from_numpy(X)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(X)


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


class _Visit:
    """A module in evaluation mode for as long as somebody runs it."""

    def __init__(self, training: bool):
        self.training = training
        self.n_visitors = 0


_visits: WeakKeyDictionary[nn.Module, _Visit] = WeakKeyDictionary()
_visits_lock = threading.Lock()
_moving_lock = threading.RLock()


def _forget_visits() -> None:
    """Start anew in a forked process, where nobody runs anything yet."""
    global _visits_lock, _moving_lock
    _visits_lock, _moving_lock = threading.Lock(), threading.RLock()
    for module, visit in list(_visits.items()):
        module.training = visit.training
    _visits.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_visits)


@contextlib.contextmanager
def evaluating(module: nn.Module, device: torch.device | None = None) -> Iterator[None]:
    """Put a module into evaluation mode on `device`, and all of it back afterwards.

    Several threads may run the same module at once: it is put back when the last has done so. On a
    device other than the CPU, to which a module may have to be moved, one thread runs at a time.

    Parameters
    ----------
    module : torch.nn.Module
        Its submodules may be in different modes; each gets its own back.
    device : torch.device, default=None
        Where the block runs the module; None leaves it where it is.
    """
    with _moved(module, device):
        parts = list(module.modules())
        with _visits_lock:
            for part in parts:
                _visits.setdefault(part, _Visit(part.training)).n_visitors += 1
            module.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            with _visits_lock:
                for part in parts:
                    visit = _visits[part]
                    visit.n_visitors -= 1
                    if not visit.n_visitors:
                        part.training = visit.training
                        del _visits[part]


@contextlib.contextmanager
def _moved(module, device):
    cpu = torch.device("cpu")
    if device is None or (device == cpu and _home(module) in (None, cpu)):
        yield
        return
    with _moving_lock:
        home = _home(module)
        if home in (None, device):
            yield
            return
        module.to(device)
        try:
            yield
        finally:
            module.to(home)


def _home(module):
    """Return the one device that a module is on, None for one without tensors or on several."""
    homes = {tensor.device for tensor in (*module.parameters(), *module.buffers())}
    return homes.pop() if len(homes) == 1 else None


def first_output(output):
    """Return the logits out of what a module returned.

    Parameters
    ----------
    output : object
        Logits; a tuple or list that starts with them; an object with `.logits`, a dict with
        "logits", or one with a single entry.

    Returns
    -------
    object
        A tensor, unless the module returned something else altogether.
    """
    if isinstance(output, tuple | list) and output:
        return output[0]
    if isinstance(output, Mapping) and ("logits" in output or len(output) == 1):
        return output["logits"] if "logits" in output else next(iter(output.values()))
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
        outputs = _forward(module, as_tensor(X, module, copy=True), device)
    else:
        outputs = torch.cat([_forward(module, rows, device) for rows in _batches(X, module, size)])
    return outputs.to(torch.float64).numpy()


def forward_net(net, X) -> np.ndarray:
    """Run rows through the module of a skorch net, in the net's own batches.

    `skorch.NeuralNet.forward` does so too, and its DataLoader draws a number from torch's global
    generator each time, even for rows in order.

    Parameters
    ----------
    net : skorch.NeuralNet
        Initialised.
    X : ndarray of shape (n_samples, ...)
        Rows in the dtype of its module.

    Returns
    -------
    ndarray of shape (n_samples, ...), float64
        The first of the module's outputs for each row.
    """
    batches = net.get_iterator(net.get_dataset(X), training=False)
    return forward_batches(batches, net.evaluation_step)


def forward_batches(batches, step) -> np.ndarray:
    """Run batches of rows through a module.

    Parameters
    ----------
    batches : iterable
        Of a data set; a DataLoader gets a generator of its own.
    step : callable
        From a batch to what the module returns for it.

    Returns
    -------
    ndarray of shape (n_samples, ...), float64
        The first of the module's outputs for each row.
    """
    if isinstance(batches, DataLoader):
        batches.generator = torch.Generator()
    outputs = [first_output(step(batch)) for batch in batches]
    return torch.cat([output.detach().to("cpu", torch.float64) for output in outputs]).numpy()


def _forward(module, rows, device):
    output = run_module(module, rows, device)
    if type(output) is torch.Tensor:
        return output.detach().cpu()
    output = first_output(output)
    if not isinstance(output, torch.Tensor):
        keys = f" with the keys {list(output)}" if isinstance(output, Mapping) else ""
        raise TypeError(
            f"it returned a {type(output).__name__}{keys}; expected a tensor, a tuple that starts "
            f"with it, a dict with 'logits' or an object with .logits"
        )
    return output.detach().cpu()


def _batches(X, module, size):
    """Yield rows as tensors with memory of their own, which a module may write into."""
    if isinstance(X, np.ndarray) and X.dtype == str(module_dtype(module)).removeprefix("torch."):
        yield from (batch.clone() for batch in as_tensor(X, module, read_only=True).split(size))
    else:
        for start in range(0, X.shape[0], size):
            yield as_tensor(X[start : start + size], module, copy=True)
