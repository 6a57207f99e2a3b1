"""Teachers from Keras files."""

import contextlib
import os
import sys
import tempfile
import warnings
from pathlib import Path

from skdistill._generators import generator_put_back
from skdistill._torch import INFERENCE_BATCH
from skdistill.exceptions import TeacherError
from skdistill.teachers._file_teacher import FileTeacher, as_dense, import_extra


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
        keras = import_keras()
        with tempfile.TemporaryDirectory() as folder, _undisturbed():
            path = Path(folder) / f"model{self.suffix}"
            path.write_bytes(self.content)
            return keras.saving.load_model(path, compile=False, safe_mode=True)

    def _answer(self, X):
        with _undisturbed():
            answer = self._model.predict(as_dense(X), batch_size=INFERENCE_BATCH, verbose=0)
        if isinstance(answer, list | dict):
            raise TeacherError(
                f"The Keras model gave {len(answer)} outputs; expected one. Make a model of one "
                f"of them: keras.Model(model.inputs, model.outputs[0])."
            )
        return answer


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
