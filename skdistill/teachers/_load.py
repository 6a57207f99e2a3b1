"""Teachers from disk."""

from pathlib import Path
from typing import Any

import joblib

from skdistill._words import one_line, shorten
from skdistill.exceptions import TeacherError
from skdistill.teachers._adapters import gives_numbers
from skdistill.teachers._asks import CLASSES, NUMBERS
from skdistill.teachers._examined import examine
from skdistill.teachers._load_keras import load_keras
from skdistill.teachers._load_onnx import load_onnx
from skdistill.teachers._load_skops import load_skops
from skdistill.teachers._load_torch import ExportedTeacher, load_pt, load_safetensors

STATES = {".pt": load_pt, ".pth": load_pt, ".safetensors": load_safetensors}
SAFE = {
    ".onnx": load_onnx,
    ".keras": load_keras,
    ".h5": load_keras,
}
RUN_CODE = {
    ".joblib": joblib.load,
    ".pkl": joblib.load,
    ".pt2": lambda path: ExportedTeacher(path.read_bytes()),
}
SUFFIXES = [*STATES, *SAFE, ".skops", *RUN_CODE]


def load_teacher(
    path: str | Path,
    *,
    module: Any = None,
    trusted: bool | list[str] = False,
    kind: str | None = None,
) -> Any:
    """Load a fitted teacher from a file, by its suffix.

    A file runs no code, unless you say that you trust it. It is read over before it is opened: what
    leads to other files, hides a pickle or would take far more memory than the file is refused, and
    so are readers older than their patches. The user guide has the bounds.

    ========================  ==================================================  ===============
    suffix                    what it is                                          extra
    ========================  ==================================================  ===============
    ``.pt``, ``.pth``         state dict of a torch module; needs `module`
    ``.safetensors``          the same, in the safetensors format                 ``safetensors``
    ``.onnx``                 a model of any framework, run by onnxruntime        ``onnx``
    ``.keras``, ``.h5``       Keras model, read in Keras's safe mode              ``keras``
    ``.skops``                scikit-learn estimator, its types looked through    ``skops``
    ``.joblib``, ``.pkl``     scikit-learn estimator; ``trusted=True``
    ``.pt2``                  program of `torch.export`; ``trusted=True``
    ========================  ==================================================  ===============

    Parameters
    ----------
    path : str or Path
        The file.
    module : torch.nn.Module or callable, default=None
        For a state dict, the module that it belongs to: an instance, which is copied, or its class
        or another function that makes one without arguments.
    trusted : bool or list of str, default=False
        True lets ``.joblib``, ``.pkl`` and ``.pt2`` files be read, which run whatever code they
        hold. A list names types of a ``.skops`` file to be trusted besides scikit-learn's own;
        skorch nets and other hidden pickles in it are refused all the same.

    kind : {"probabilities", "logits", "numbers"}, default=None
        What an ONNX or Keras model or an exported program returns. None reads it off the last
        operation or the name of the output, and where these do not say, off all rows of a `fit`.
        "numbers" makes it a regressor: it has `predict`, and is refused where classes are learnt.

    Returns
    -------
    object
        A fitted teacher, ready for `DistilledClassifier`: a torch module, a scikit-learn
        estimator, or a small object with `predict_proba`. A torch module, a regressor of
        scikit-learn and a model of numbers in any format are ready for `DistilledRegressor`.

    Raises
    ------
    TeacherError
        When the file cannot be read as what its suffix says, may run code, read other files or take
        far more memory than its size, when its reader is too old, or when it holds no fitted
        teacher.
    FileNotFoundError
        When there is no such file.
    ImportError
        When an extra is missing, or a package that a pickle needs.
    TypeError
        For a path, a `module` or a `trusted` of another type.
    ValueError
        For another suffix, or a `module` too few or too many.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import torch
    >>> from skdistill.teachers import load_teacher
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "teacher.pt"
    ...     torch.save({"weight": torch.ones(3, 4), "bias": torch.zeros(3)}, path)
    ...     load_teacher(path, module=lambda: torch.nn.Linear(4, 3))
    Linear(in_features=4, out_features=3, bias=True)
    """
    if not isinstance(path, str | Path):
        raise TypeError(
            f"path={shorten(path)} was given; expected the path of a file, a str or a pathlib.Path."
        )
    path = Path(path)
    suffix = path.suffix.lower()
    _check_call(path, suffix, module, trusted, kind)
    try:
        if suffix in STATES:
            teacher = STATES[suffix](path, module)
        elif suffix == ".skops":
            teacher = load_skops(path, trusted)
        else:
            teacher = (SAFE | RUN_CODE)[suffix](path)
    except ModuleNotFoundError as error:  # of what a pickle holds
        raise ImportError(
            f"{path.name} needs {error.name}, which cannot be imported; expected the packages that "
            f"its model was made with. Install them."
        ) from error
    except ImportError:
        raise
    except TeacherError as error:
        raise _unreadable(path, error) from error
    except Exception as error:  # each format has errors of its own
        raise _unreadable(
            path,
            f"{one_line(error, 500)}; expected a whole file as the library that the suffix stands "
            "for writes it. Save it again, or load it yourself and pass the model",
        ) from error
    if kind is not None:
        teacher.kind = kind
    if not examine(teacher, NUMBERS if gives_numbers(teacher) else CLASSES).is_fitted:
        raise TeacherError(
            f"{path.name} holds a {type(teacher).__name__} that is not fitted; expected a fitted "
            f"teacher. Fit it before it is saved."
        )
    return teacher


def _check_call(path, suffix, module, trusted, kind):
    if isinstance(trusted, str) or not (
        isinstance(trusted, bool)
        or (isinstance(trusted, list | tuple | set) and all(isinstance(t, str) for t in trusted))
    ):
        raise TypeError(
            f"trusted={shorten(trusted)} was given; expected True, False or a list of the names of "
            "types. Pass trusted=[...], or True if you know who made the file."
        )
    if suffix not in SUFFIXES:
        raise ValueError(
            f"{path.name} has the suffix {suffix!r}; expected one of {SUFFIXES}. Load it with its "
            f"own library and pass the model itself, or its predict_proba."
        )
    if not path.is_file():
        came = "is a folder" if path.is_dir() else "is not there"
        raise FileNotFoundError(
            f"There is no file {str(path)!r} to load a teacher from: it {came}; expected one file. "
            f"Look at the path, or save the model in one file."
        )
    if suffix in STATES and module is None:
        raise ValueError(
            f"{path.name} is a file of tensors and module is None; expected the module that they "
            f"belong to. Pass module=MyModule(...), or a function that makes one."
        )
    if module is not None and not callable(module):
        raise TypeError(
            f"module={shorten(module)} was given for {path.name}; expected a torch.nn.Module, or a "
            f"function that makes one. Pass module=MyModule(...)."
        )
    if suffix not in STATES and module is not None:
        raise ValueError(
            f"module={shorten(module)} was given for {path.name}, which brings its own; expected "
            f"None. Leave it out."
        )
    kinds = [*CLASSES.kinds, *NUMBERS.kinds]
    if kind not in (None, *kinds):
        raise ValueError(
            f"The 'kind' parameter of load_teacher must be None or one of {kinds}. Got "
            f"{shorten(kind)} instead."
        )
    if kind is not None and suffix not in (*SAFE, ".pt2"):
        raise ValueError(
            f"kind={shorten(kind)} was given for {path.name}; expected None, for a torch module "
            "says it by its last step, and an estimator gives probabilities. Leave it out."
        )
    if suffix in RUN_CODE and trusted is not True:
        raise TeacherError(
            f"{path.name} is of a format ({suffix}) that runs whatever code it holds when it is "
            f"read, and trusted={shorten(trusted)}. Pass trusted=True if you know who made it; a "
            ".skops, .onnx or .safetensors file needs no trust."
        )


def _unreadable(path, reason):
    return TeacherError(
        f"{path.name} cannot be read as a teacher in the format {path.suffix.lower()}: "
        f"{one_line(reason, 1000)}."
    )
