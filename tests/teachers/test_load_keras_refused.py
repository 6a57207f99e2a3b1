"""Files of Keras that are refused. What they declare to be huge is only declared."""

import io
import json
import warnings
import zipfile

import numpy as np
import pytest
import torch

from skdistill.exceptions import TeacherError
from skdistill.teachers import load_teacher

# Keras's variables on torch do not know the copy argument of NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
HUGE = 500_000_000
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
KERNEL = "layers/dense/vars/0"


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """Return the content of a linear model, by suffix."""
    keras = pytest.importorskip("keras")
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
        paths = [tmp_path_factory.mktemp("honest") / f"model{one}" for one in (".keras", ".h5")]
        for path in paths:
            model.save(path)
    return {path.suffix: path.read_bytes() for path in paths}


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def archive(change, compression=zipfile.ZIP_STORED):
    """Return the .keras file whose members, a dict, are what `change` makes of them."""

    def make(honest, folder):
        with zipfile.ZipFile(io.BytesIO(honest[".keras"])) as file:
            members = {name: file.read(name) for name in file.namelist()}
        return zipped(change(members, folder), compression)

    return ".keras", make


def with_config(change):
    """Return the .keras file with what `change` makes of its model's configuration."""

    def edit(members, folder):
        config = json.loads(members[CONFIG])
        change(config)
        return {**members, CONFIG: json.dumps(config)}.items()

    return archive(edit)


def as_layer(class_name, module="keras.layers", **config):
    """Put another layer in the place of the dense one."""

    def change(config_of_model):
        layer = config_of_model["config"]["layers"][1]
        layer.update(class_name=class_name, module=module, registered_name=None)
        layer["config"] = {"name": "dense", **config}

    return with_config(change)


def with_weights(change):
    """Return the .keras file with what `change` makes of its HDF5 file."""

    def edit(members, folder):
        return {**members, WEIGHTS: hdf5(members[WEIGHTS], change, folder)}.items()

    return archive(edit)


def whole(change):
    """Return the .h5 file with what `change` makes of it."""
    return ".h5", lambda honest, folder: hdf5(honest[".h5"], change, folder)


def hdf5(content, change, folder):
    import h5py

    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        change(file, folder, h5py)
    return buffer.getvalue()


def rename(file, folder, h5py):
    del file[KERNEL]


def external(file, folder, h5py):
    del file[KERNEL]
    secret = folder / "secret.bin"
    secret.write_bytes(bytes(48))
    file.create_dataset(KERNEL, (4, 3), "f4", external=[(str(secret), 0, 48)])


def virtual(file, folder, h5py):
    del file[KERNEL]
    layout = h5py.VirtualLayout((4, 3), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "data", (4, 3))
    file.create_virtual_dataset(KERNEL, layout)


def external_link(file, folder, h5py):
    del file[KERNEL]
    file[KERNEL] = h5py.ExternalLink(str(folder / "other.h5"), "/data")


def link_of_a_group(file, folder, h5py):
    del file["layers"]
    file["layers"] = h5py.ExternalLink(str(folder / "other.h5"), "/layers")


def soft_link(file, folder, h5py):
    del file[KERNEL]
    file[KERNEL] = h5py.SoftLink("/layers/dense/vars/1")


def huge_array(file, folder, h5py):
    del file[KERNEL]
    file.create_dataset(KERNEL, (HUGE, 3), "f4", chunks=(1024, 3))


def texts(file, folder, h5py):
    del file[KERNEL]
    file.create_dataset(KERNEL, (4, 3), h5py.string_dtype())


def another_shape(file, folder, h5py):
    del file[KERNEL]
    file[KERNEL] = np.zeros((5, 3), "f4")


def units(config):
    config["config"]["layers"][1]["config"]["units"] = HUGE


def units_of_h5(file, folder, h5py):
    config = json.loads(file.attrs["model_config"])
    units(config)
    file.attrs["model_config"] = json.dumps(config)


def lambda_of_h5(file, folder, h5py):
    config = json.loads(file.attrs["model_config"])
    layer = config["config"]["layers"][1]
    layer.update(class_name="Lambda")
    layer["config"] = {"name": "dense", "function": ["4wAA", None, None]}
    file.attrs["model_config"] = json.dumps(config)


def no_config(file, folder, h5py):
    del file.attrs["model_config"]


def damaged_config(file, folder, h5py):
    file.attrs["model_config"] = "{"


def external_of_h5(file, folder, h5py):
    name = next(name for name in file["model_weights"] if name == "dense")
    path = f"model_weights/{name}/more"
    (folder / "secret.bin").write_bytes(bytes(48))
    file.create_dataset(path, (4, 3), "f4", external=[(str(folder / "secret.bin"), 0, 48)])


CODE = "runs arbitrary code from the file; expected Keras's own layers.*load it yourself"
PLAIN = "expected numbers, stored in the file. Save it again"
LINK = "is a link to another place or file; expected the weights themselves. Save it again"
PARTS = "expected config.json and model.weights.h5 among them. Save it again"
WHOLE = "expected a whole file.*Save it again, or load it yourself"

REFUSED = {
    "a Lambda": (as_layer("Lambda", function={"class_name": "__lambda__"}), CODE),
    "a Lambda in .h5": (whole(lambda_of_h5), f"holds a Lambda, which {CODE}"),
    "a function of Python": (as_layer("Activation", activation={"class_name": "__lambda__"}), CODE),
    "a program of TensorFlow": (as_layer("TFSMLayer", filepath="model"), f"a TFSMLayer.*{CODE}"),
    "a module of torch": (as_layer("TorchModuleWrapper"), f"a TorchModuleWrapper.*{CODE}"),
    "a function of JAX": (as_layer("JaxLayer"), f"a JaxLayer, which {CODE}"),
    "a class of another package": (
        as_layer("Layer", "my_package.layers"),
        "Layer of my_package.layers, which Keras does not know; expected its own.*Import the mod",
    ),
    "a function of the system": (
        as_layer(
            "Activation",
            activation={
                "class_name": "function",
                "module": "os",
                "config": "system",
                "registered_name": "system",
            },
        ),
        "a function of os, which Keras does not know; expected its own classes.*Import the module",
    ),
    "a layer that Keras lacks": (as_layer("Gone"), WHOLE),
    "a setting that the layer lacks": (as_layer("Dense", units=3, colour="red"), WHOLE),
    "more units than are stored": (with_config(units), WHOLE),
    "more units than are stored in .h5": (whole(units_of_h5), WHOLE),
    "another shape": (with_weights(another_shape), WHOLE),
    "weights that are missing": (with_weights(rename), WHOLE),
    "weights in another file": (with_weights(external), f"takes its numbers from another.*{PLAIN}"),
    "weights in another file, .h5": (
        whole(external_of_h5),
        f"takes its numbers from another file; {PLAIN}",
    ),
    "weights mapped from another file": (with_weights(virtual), f"from another file; {PLAIN}"),
    "weights behind a link to another file": (with_weights(external_link), LINK),
    "layers behind a link to another file": (with_weights(link_of_a_group), LINK),
    "weights behind a link": (with_weights(soft_link), LINK),
    "texts as weights": (with_weights(texts), f"holds values of the type object; {PLAIN}"),
    "an array that is not stored": (
        with_weights(huge_array),
        "its weights declares 6 GB, and .* kB are stored; expected at most 268 MB.*Ask its maker",
    ),
    "a configuration that grows": (
        archive(lambda m, f: {**m, CONFIG: b" " * 20_000_000}.items(), zipfile.ZIP_DEFLATED),
        "its config.json declares 20 MB, and .* kB are stored; expected at most 16.8 MB.*Ask its",
    ),
    "a damaged configuration": (archive(lambda m, f: {**m, CONFIG: b"{"}.items()), WHOLE),
    "a damaged configuration in .h5": (whole(damaged_config), WHOLE),
    "no configuration": (archive(lambda m, f: [(WEIGHTS, m[WEIGHTS])]), PARTS),
    "no weights": (archive(lambda m, f: [(CONFIG, m[CONFIG])]), PARTS),
    "weights of NumPy": (
        archive(lambda m, f: [(CONFIG, m[CONFIG]), ("model.weights.npz", b"")]),
        PARTS,
    ),
    "weights that are no HDF5": (
        archive(lambda m, f: {**m, WEIGHTS: b"no"}.items()),
        "no HDF5 file, or a damaged one; expected what Keras writes. Save it again",
    ),
    "weights alone in .h5": (
        whole(no_config),
        r"holds weights alone; expected a whole model. Save it by model.save\(path\)",
    ),
    "a member in the folder above": (
        archive(lambda m, f: [*m.items(), ("../evil.txt", b"")]),
        r"archive with '\.\./evil.txt'; expected plain names, each once.*Save it again",
    ),
    "a member at an absolute path": (
        archive(lambda m, f: [*m.items(), ("/tmp/evil.txt", b"")]),
        "archive with '/tmp/evil.txt'; expected plain names.*Save it again",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused, honest, tmp_path):
    (suffix, make), message = REFUSED[case]
    path = tmp_path / f"teacher{suffix}"
    path.write_bytes(make(honest, tmp_path))
    refused(TeacherError, lambda: load_teacher(path), message)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_the_honest_file_is_read(honest, tmp_path, suffix):
    path = tmp_path / f"teacher{suffix}"
    path.write_bytes(honest[suffix])
    rows = np.arange(8.0).reshape(2, 4)
    assert load_teacher(path).predict_proba(rows).shape == (2, 3)


def test_a_class_that_the_user_has_registered(tmp_path):
    keras = pytest.importorskip("keras")

    @keras.saving.register_keras_serializable("tests_of_teachers")
    class Twice(keras.layers.Layer):
        def call(self, rows):
            return 2 * rows

    keras.Sequential([keras.Input((3,)), Twice()]).save(tmp_path / "teacher.keras")
    rows = np.array([[1.0, 0.0, -1.0], [0.0, 2.0, 0.5]])
    answer = load_teacher(tmp_path / "teacher.keras").predict_proba(rows)
    expected = np.exp(2 * rows) / np.exp(2 * rows).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answer, expected, rtol=1e-5)


def test_a_member_of_two_contents(refused, honest, tmp_path):
    path = tmp_path / "teacher.keras"
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = archive(lambda m, f: [*m.items(), (CONFIG, b"{}")])[1](honest, tmp_path)
    path.write_bytes(content)
    refused(TeacherError, lambda: load_teacher(path), "several members of one name; expected plain")
