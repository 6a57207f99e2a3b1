"""Teachers from files of torch: state dicts and exported programs."""

import copy
import io
import pickle
import warnings
from collections.abc import Mapping

import torch

from skdistill._generators import generator_put_back
from skdistill._torch import forward_in_batches
from skdistill.exceptions import TeacherError
from skdistill.teachers._file_teacher import FileTeacher, import_extra


def load_pt(path, module):
    """Load a state dict that `torch.save` wrote; nothing but tensors is unpickled.

    Parameters
    ----------
    path : Path
    module : torch.nn.Module or callable
        See `load_teacher`.

    Returns
    -------
    torch.nn.Module
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")  # refused anyway
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        # torch's own message advises to read the file without this guard.
        raise TeacherError(
            "it is no file of tensors alone, and whatever else it holds may run code. Save the "
            "tensors, torch.save(module.state_dict(), path), or load it yourself and pass the "
            "module"
        ) from error
    return _with_state(state, module)


def load_safetensors(path, module):
    """Load a state dict in the safetensors format.

    Parameters
    ----------
    path : Path
    module : torch.nn.Module or callable
        See `load_teacher`.

    Returns
    -------
    torch.nn.Module
    """
    safetensors = import_extra("safetensors.torch", "safetensors")
    return _with_state(safetensors.load(path.read_bytes()), module)


def _with_state(state, module):
    """Return a copy of the module, or a new one of its class, with the tensors of a file."""
    is_state = isinstance(state, Mapping) and all(
        isinstance(value, torch.Tensor) for value in state.values()
    )
    if not is_state:
        keys = f" with the keys {list(state)[:6]}" if isinstance(state, Mapping) else ""
        raise TeacherError(
            f"it holds a {type(state).__name__}{keys}; expected a state dict, names and tensors. "
            f"Save that part alone: torch.save(module.state_dict(), path)"
        )
    if isinstance(module, torch.nn.Module):
        module = copy.deepcopy(module)
    else:
        with generator_put_back():  # first weights are drawn, and replaced at once
            module = module()
    if not isinstance(module, torch.nn.Module):
        raise TeacherError(f"module() gave a {type(module).__name__}; expected a torch.nn.Module")
    module.load_state_dict(state)
    return module.eval()


class ExportedTeacher(FileTeacher):
    """A program of `torch.export`, which runs where it was exported, the CPU as a rule."""

    def _open(self):
        return torch.export.load(io.BytesIO(self.content)).module()

    def _answer(self, X):
        with torch.no_grad():
            return forward_in_batches(self._model, X, torch.device("cpu"))
