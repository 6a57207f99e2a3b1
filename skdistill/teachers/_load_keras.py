"""Teachers from Keras files."""

import contextlib
import math
import os
import sys
import warnings

from skdistill._generators import generator_put_back
from skdistill._input._scratch_folder import scratch_folder
from skdistill._torch import INFERENCE_BATCH
from skdistill.exceptions import TeacherError
from skdistill.teachers._archive import check_declared
from skdistill.teachers._file_teacher import FileTeacher, as_dense, import_extra
from skdistill.teachers._keras_checks import check_keras

KINDS_OF_LAYERS = {
    "Softmax": "probabilities",
    "sigmoid": "probabilities",
    "softmax": "probabilities",
    "linear": "logits",
    "log_softmax": "logits",
}
"""What a model returns by its last layer, or that one's activation; else its values must tell."""


def load_keras(path):
    """Load a Keras model, once it is known to run no code and to hold what it declares.

    Parameters
    ----------
    path : Path

    Returns
    -------
    KerasTeacher
    """
    keras = import_keras()
    content, suffix = path.read_bytes(), path.suffix.lower()
    check_keras(content, suffix, keras)
    if keras.backend.backend() == "torch":
        # Nothing is allocated on this device, and weights that are not in the file are missed.
        with keras.device("meta"):
            model = _read_model(content, suffix)
        # Eight bytes for each number, whatever its type.
        declared = sum(math.prod(one.shape) * 8 for one in model.weights)
        check_declared(declared, len(content), "its model")
    return KerasTeacher(content, suffix)


class KerasTeacher(FileTeacher):
    """A Keras model in the `.keras` or `.h5` format, read in Keras's safe mode.

    Parameters
    ----------
    content : bytes
        The file.
    suffix : {".keras", ".h5"}
        Its format.
    """

    def __init__(self, content, suffix):
        self.suffix = suffix
        super().__init__(content)

    def _open(self):
        model = _read_model(self.content, self.suffix)
        last = model.layers[-1] if model.layers else None
        step = getattr(getattr(last, "activation", last), "__name__", type(last).__name__)
        return model, KINDS_OF_LAYERS.get(step)

    def _answer(self, X):
        with _undisturbed():
            answer = self._model.predict(as_dense(X), batch_size=INFERENCE_BATCH, verbose=0)
        if isinstance(answer, list | dict):
            raise TeacherError(
                f"The Keras model gave {len(answer)} outputs; expected one. Make a model of one "
                f"of them: keras.Model(model.inputs, model.outputs[0])."
            )
        return answer


def _read_model(content, suffix):
    keras = import_keras()
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder("A copy of it for Keras"))
        except OSError as error:
            raise TeacherError(error.strerror) from error
        stack.enter_context(_undisturbed())
        path = folder / f"model{suffix}"
        path.write_bytes(content)
        return keras.saving.load_model(path, compile=False, safe_mode=True)


@contextlib.contextmanager
def _undisturbed():
    """Keep torch's generator as it was, and quiet what a user can do nothing about."""
    with generator_put_back(), warnings.catch_warnings():
        # Keras's variables on torch do not know the copy argument of NumPy 2.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        yield


def import_keras():
    """Import Keras, on torch unless the user has chosen another backend.

    Returns
    -------
    module
    """
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        return import_extra("keras", "keras")
    os.environ["KERAS_BACKEND"] = "torch"
    try:
        return import_extra("keras", "keras")
    finally:
        del os.environ["KERAS_BACKEND"]
