"""What a Keras file may not hold: code, the contents of other files, more than it stores."""

import io
import json
import math

from skdistill.exceptions import TeacherError
from skdistill.teachers._archive import check_declared, open_archive

# Layers and values that run Python code, or a program of another framework, from the file.
RUN_CODE = {
    *("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"),
    *("__lambda__", "__typespec__"),
}
PACKAGES = ("builtins", "keras", "keras_cv", "keras_hub", "keras_nlp")
# Python's objects take some twenty times the room of the text that describes them.
ALWAYS_ALLOWED_CONFIG = 16 * 2**20


def check_keras(content, suffix, keras):
    """Refuse a Keras file that runs code, reads other files or is a bomb.

    Parameters
    ----------
    content : bytes
    suffix : {".keras", ".h5"}
    keras : module

    Raises
    ------
    TeacherError
    """
    import h5py  # Keras brings it

    weights = content
    if suffix == ".keras":
        config, weights = _read_archive(content)
    try:
        file = h5py.File(io.BytesIO(weights), "r")
    except OSError as error:
        raise TeacherError(
            "its weights are no HDF5 file, or a damaged one; expected what Keras writes. Save it "
            "again: model.save(path)"
        ) from error
    with file:
        _check_hdf5(file, len(weights), h5py)
        if suffix == ".h5":
            config = file.attrs.get("model_config")
    if not isinstance(config, str | bytes):
        raise TeacherError(
            "it holds weights alone; expected a whole model. Save it by model.save(path), or "
            "load the weights into the model yourself and pass model.predict"
        )
    _check_config(json.loads(config), keras)


def _read_archive(content):
    archive = open_archive(content)
    names = archive.namelist()
    if not {"config.json", "model.weights.h5"} <= set(names):
        raise TeacherError(
            f"it is an archive of {names[:6]}; expected config.json and model.weights.h5 among "
            f"them. Save it again: model.save(path)"
        )
    config = archive.getinfo("config.json")
    check_declared(
        config.file_size, config.compress_size, "its config.json", always=ALWAYS_ALLOWED_CONFIG
    )
    return archive.read("config.json"), archive.read("model.weights.h5")


def _check_hdf5(file, stored, h5py):
    """Look at every object before one of them is read."""
    seen, pending, declared = set(), [file], 0
    while pending:
        group = pending.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise TeacherError(
                    f"its part {name!r} is a link to another place or file; expected the weights "
                    f"themselves. Save it again: model.save(path)"
                )
            part = group[name]
            address = h5py.h5o.get_info(part.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(part, h5py.Group):
                pending.append(part)
            else:
                _check_dataset(name, part, h5py)
                declared += math.prod(part.shape or ()) * part.dtype.itemsize
    check_declared(declared, stored, "its weights")


def _check_dataset(name, part, h5py):
    reason = None
    if not isinstance(part, h5py.Dataset):
        reason = "is no array"
    elif part.external or part.is_virtual:
        reason = "takes its numbers from another file"
    elif part.dtype.kind not in "fiubcS" and part.dtype.str not in ("|V1", "|V2"):
        reason = f"holds values of the type {part.dtype}"
    if reason:
        raise TeacherError(
            f"its part {name!r} {reason}; expected numbers, stored in the file. Save it again: "
            f"model.save(path)"
        )


def _check_config(config, keras):
    """Refuse classes that run code, and those of packages that are not Keras's."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        if not isinstance(value, dict):
            continue
        pending += value.values()
        name, module = value.get("class_name"), value.get("module")
        if name in RUN_CODE:
            raise TeacherError(
                f"it holds a {name}, which runs arbitrary code from the file; expected Keras's own "
                f"layers. If you know who made it, load it yourself and pass model.predict"
            )
        if not isinstance(module, str) or module.partition(".")[0] in PACKAGES:
            continue
        if keras.saving.get_registered_object(str(value.get("registered_name"))) is None:
            raise TeacherError(
                f"it holds a {name} of {module}, which Keras does not know; expected its own "
                f"classes and registered ones. Import the module that registers it, "
                f"@keras.saving.register_keras_serializable(), or load it yourself and pass "
                f"model.predict"
            )
