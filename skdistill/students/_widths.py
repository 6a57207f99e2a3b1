"""The widths of a module class, inferred from the data by the names of its parameters."""

import inspect

from skdistill.exceptions import StudentError

INPUT_NAMES = (
    "n_features",
    "in_features",
    "num_features",
    "n_inputs",
    "input_dim",
    "input_size",
    "in_dim",
    "in_channels",
    "n_channels",
)
OUTPUT_NAMES = (
    "n_classes",
    "num_classes",
    "out_features",
    "n_outputs",
    "output_dim",
    "output_size",
    "out_dim",
)


def infer_widths(module, given, row_shape, n_classes, known=None):
    """Return the constructor arguments of a module class that the data decide.

    Parameters
    ----------
    module : type or callable
        What makes the module.
    given : collection of str
        Names of arguments that are set already; they are left alone.
    row_shape : tuple of int, or dict of str to tuple of int
        Shape of a row. Its width is the last axis of a table or a sequence (steps, features),
        and the first, the channels, of an image or where the argument is "in_channels";
        "n_channels" is 1 for an image of two axes. Several inputs have none in common.
    n_classes : int
        Number of logits.
    known : dict, default=None
        What is known besides, by the names of the arguments that want to know it: what the rows
        say of their columns (`skdistill._input._layout.read_layout`), what the outputs are.

    Returns
    -------
    dict
        For example ``{"n_features": 20, "n_classes": 3}``.

    Raises
    ------
    StudentError
        When the constructor needs an argument that is neither given nor inferred.

    Examples
    --------
    >>> from skdistill.students import MLP
    >>> from skdistill.students._widths import infer_widths
    >>> infer_widths(MLP, given=(), row_shape=(20,), n_classes=3)
    {'n_features': 20, 'n_classes': 3}
    """
    parameters = inspect.signature(module).parameters
    known, are_inputs = known or {}, isinstance(row_shape, dict)
    widths = {n: known[n] for n in known if n in parameters and n not in given}
    for names in (INPUT_NAMES, OUTPUT_NAMES):
        found = [name for name in names if name in parameters]
        if not found or set(found) & set(given) or (names is INPUT_NAMES and are_inputs):
            continue
        if names is OUTPUT_NAMES:
            widths[found[0]] = n_classes
        elif found[0] == "n_channels" and len(row_shape) == 2:
            widths[found[0]] = 1
        else:
            channels = found[0] == "in_channels" or len(row_shape) > 2
            widths[found[0]] = row_shape[0 if channels else -1]
    missing = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and name not in {*given, *widths}
    ]
    if missing and are_inputs:
        raise StudentError(
            f"X is a dict of several inputs, and the student's module {module.__name__} needs "
            f"{missing}, a width that they do not have in common; expected a module whose forward "
            f"takes them by their names: student=StudentNet(YourModule). A dict of columns is a "
            f"table: pandas.DataFrame(X)."
        )
    if missing:
        raise StudentError(
            f"The student's module {module.__name__} needs {missing}, which are neither given nor "
            f"inferred from the data; give them: StudentNet({module.__name__}, "
            f"module__{missing[0]}=...). Inferred are {INPUT_NAMES} and {OUTPUT_NAMES}."
        )
    return widths
