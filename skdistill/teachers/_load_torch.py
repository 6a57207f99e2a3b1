"""Teachers from files of torch: state dicts and exported programs."""

import copy
import io
import zipfile

import numpy as np
import torch

from skdistill._generators import generator_put_back
from skdistill._torch import as_tensor, first_output, forward_in_batches, run_module
from skdistill._words import one_line
from skdistill.exceptions import TeacherError
from skdistill.teachers._archive import check_declared, open_archive
from skdistill.teachers._file_teacher import FileTeacher, import_extra
from skdistill.teachers._torch_pickle import Declared, read_legacy, read_pickle
from skdistill.teachers._versions import check_reader


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
    check_reader(torch)
    content = path.read_bytes()
    declared = _read_archive(content) if content[:4] == b"PK\3\4" else read_legacy(content)
    _check_names(declared, Declared)
    check_declared(sum(one.n_bytes for one in declared.values()), len(content), "its state dict")
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
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


def _read_archive(content):
    """Return what a file of `torch.save` declares, once its archive holds all of that."""
    archive = open_archive(content)
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    folders = {name.partition("/")[0] for name in sizes}
    folder = folders.pop()
    if folders or f"{folder}/data.pkl" not in sizes or f"{folder}/constants.pkl" in sizes:
        raise TeacherError(
            "it is no file of tensors alone, but an archive of another kind, such as TorchScript, "
            "which may run code. Save the tensors, torch.save(module.state_dict(), path), or load "
            "it yourself and pass the module"
        )
    if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
        raise TeacherError(
            "it has compressed parts, and a small file may unpack to a huge one; expected them as "
            "torch.save writes them. Save it again"
        )
    check_declared(sum(sizes.values()), len(content), "its archive", ratio=1, always=0)
    declared, storages = read_pickle(archive.open(f"{folder}/data.pkl"))
    for one in storages.values():
        if one.n_bytes > sizes.get(f"{folder}/data/{one.key}", 0):
            raise TeacherError(
                f"its part data/{one.key} declares {one.n_bytes} bytes and holds fewer; expected "
                f"all of them. Save it again"
            )
    return declared


def _check_names(state, kind):
    """Refuse what is no dict from names to tensors."""
    if not isinstance(state, dict) or not all(isinstance(value, kind) for value in state.values()):
        keys = f" with the keys {list(state)[:6]}" if isinstance(state, dict) else ""
        came = "Tensor" if isinstance(state, kind) else type(state).__name__
        raise TeacherError(
            f"it holds a {came}{keys}; expected a state dict, names and tensors. "
            f"Save that part alone: {_saved_part(state, kind)}"
        )
    odd = [name for name in state if not isinstance(name, str)]
    if odd:
        raise TeacherError(
            f"it holds tensors under the keys {odd[:6]}; expected the names of a state dict. Save "
            f"it again: torch.save(module.state_dict(), path)"
        )


def _saved_part(state, kind):
    """Return the line that saves the tensors of a checkpoint, if one of its parts may be these."""
    parts = state.items() if isinstance(state, dict) else ()
    for name, part in parts:
        if isinstance(part, dict) and part and all(isinstance(v, kind) for v in part.values()):
            return f"torch.save(torch.load(path, weights_only=True)[{name!r}], new_path)"
    return "torch.save(module.state_dict(), path)"


def _with_state(state, module):
    """Return a copy of the module, or a new one of its class, with the tensors of a file."""
    module = _make(module)
    for name, wanted in module.state_dict().items():
        came = state.get(name)
        if came is not None and _kind(came.dtype) != _kind(wanted.dtype):
            raise TeacherError(
                f"its tensor {name!r} holds {came.dtype} and the module's {wanted.dtype}; expected "
                f"numbers of one kind. Pass the module that the tensors come from, or convert "
                f"them before they are saved"
            )
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        prefix = _find_prefix(state, module)
        if prefix:
            raise TeacherError(
                f"its names begin with {prefix!r}, that of a module around the "
                f"{type(module).__name__}, such as DataParallel or what torch.compile makes; "
                f"expected names without it. Take it off: "
                f"{{name.removeprefix({prefix!r}): tensor for name, tensor in state.items()}}"
            ) from error
        raise TeacherError(
            f"its tensors do not fit the module: {one_line(error, 1000)}; expected those of a "
            f"{type(module).__name__} of the same widths. Pass the module that they come from"
        ) from error
    return module.eval()


def _find_prefix(state, module):
    """Return what all names of a file have before those of a module, "" for nothing."""
    known = module.state_dict().keys()
    first = next(iter(known), "")
    prefixes = {name.removesuffix(first) for name in state if name.endswith(f".{first}")}
    fitting = (p for p in prefixes if {f"{p}{name}" for name in known} == state.keys())
    return next(fitting, "")


def _make(module):
    if isinstance(module, torch.nn.Module):
        return copy.deepcopy(module)
    try:
        with generator_put_back():  # first weights are drawn, and replaced at once
            made = module()
    except TypeError as error:
        raise TeacherError(
            f"module() failed: {one_line(error)}; expected a class or function that makes a module "
            "without arguments. Pass an instance, or lambda: MyModule(...)"
        ) from error
    if not isinstance(made, torch.nn.Module):
        raise TeacherError(
            f"module() gave a {type(made).__name__}; expected a torch.nn.Module. Pass the module "
            f"that the tensors belong to"
        )
    return made


def _kind(dtype):
    if dtype.is_complex:
        return "complex"
    if dtype.is_floating_point:
        return "floating"
    return "bool" if dtype == torch.bool else "integer"


class ExportedTeacher(FileTeacher):
    """A program of `torch.export`, which runs where it was exported, the CPU as a rule."""

    def _open(self):
        program = torch.export.load(io.BytesIO(self.content))
        self.n_rows = _fixed_rows(program)
        return program.module(), _find_kind(program)

    def _answer(self, X):
        with torch.no_grad():
            if self.n_rows is None:
                return forward_in_batches(self._model, X, torch.device("cpu"))
            answers, rows = [], as_tensor(X, self._model, copy=True)
            for start in range(0, len(rows), self.n_rows):
                part = rows[start : start + self.n_rows]
                # Exported for batches of one size: the last one is filled up.
                batch = part[np.arange(self.n_rows) % len(part)]
                answers.append(first_output(run_module(self._model, batch, "cpu"))[: len(part)])
            return torch.cat(answers).to("cpu", torch.float64).numpy()


KINDS_OF_OPERATIONS = {
    "sigmoid": "probabilities",
    "softmax": "probabilities",
    "_softmax": "probabilities",
    "linear": "logits",
    "addmm": "logits",
    "log_softmax": "logits",
    "_log_softmax": "logits",
}
"""What a program returns by its last operation; of others its values must tell."""


def _find_kind(program):
    """Return what a program's first output is by the operation that makes it, or None."""
    last = next(node for node in program.graph.nodes if node.op == "output").args[0][0]
    return KINDS_OF_OPERATIONS.get(getattr(last.target, "__name__", "").partition(".")[0])


def _fixed_rows(program):
    """Return the number of rows that a program was exported for, or None for any number."""
    first = program.graph_signature.user_inputs[0]
    node = next(node for node in program.graph.nodes if node.name == first)
    rows = node.meta["val"].shape[:1]
    return rows[0] if rows and isinstance(rows[0], int) else None
