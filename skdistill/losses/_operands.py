"""What losses can compare: tensors of floats, alike in shape, and settings in their ranges."""

from numbers import Real

import torch

from skdistill._compat import Interval, validate_parameter_constraints

POSITIVE = Interval(Real, 0, None, closed="neither")
NOT_NEGATIVE = Interval(Real, 0, None, closed="left")

LEAST_TEMPERATURE, GREATEST_TEMPERATURE = 1e-3, 1e4
TEMPERATURE = Interval(Real, LEAST_TEMPERATURE, GREATEST_TEMPERATURE, closed="both")
"""Below it logits overflow single precision once they are divided by T, or their gradients, of the
order of T, vanish; above it the differences of the probabilities are lost in rounding."""


def check_tensors(**tensors):
    """Refuse what is no tensor of floats.

    Parameters
    ----------
    **tensors : torch.Tensor
        By their names in the message.

    Raises
    ------
    TypeError
    """
    for name, tensor in tensors.items():
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(
                f"{name} is of type {type(tensor).__name__}; expected a torch.Tensor of floats. "
                f"Write torch.as_tensor({name}, dtype=torch.float32)."
            )
        if not tensor.is_floating_point():
            raise TypeError(f"{name} is of {tensor.dtype}; expected floats. Write {name}.float().")


def check_logits(student_logits, teacher_logits):
    """Refuse logits that are no floats, or not of one shape: they would be broadcast in silence.

    Parameters
    ----------
    student_logits, teacher_logits : torch.Tensor of shape (n_samples, n_classes)

    Raises
    ------
    TypeError or ValueError
    """
    check_tensors(student_logits=student_logits, teacher_logits=teacher_logits)
    shape = student_logits.shape
    if len(shape) != 2 or shape[1] == 0 or teacher_logits.shape != shape:
        raise _other_shapes(
            "logits", student_logits, teacher_logits, "the same (n_samples, n_classes) of both"
        )


def check_numbers(values, targets):
    """Refuse numbers that are no floats, or not of one shape.

    Parameters
    ----------
    values, targets : torch.Tensor of shape (n_samples, n_outputs)

    Raises
    ------
    TypeError or ValueError
    """
    check_tensors(values=values, targets=targets)
    if values.ndim == 0 or values.shape != targets.shape:
        raise ValueError(
            f"values has the shape {tuple(values.shape)} and targets {tuple(targets.shape)}; "
            f"expected the same (n_samples, n_outputs) of both, (n_samples, 1) for one output."
        )


def check_features(student_features, teacher_features, *, alike):
    """Refuse features that are no floats, or that cannot be compared.

    Parameters
    ----------
    student_features, teacher_features : torch.Tensor of shape (n_samples, ...)
    alike : bool
        Whether their shapes must agree in all axes, and not in the first alone.

    Raises
    ------
    TypeError or ValueError
    """
    check_tensors(student_features=student_features, teacher_features=teacher_features)
    shape, other = student_features.shape, teacher_features.shape
    if alike and (len(shape) < 2 or shape != other):
        expected = "the same (n_samples, ...) of both, which HintLoss(...).adapter brings about"
        raise _other_shapes("features", student_features, teacher_features, expected)
    if min(len(shape), len(other)) < 2 or shape[0] != other[0]:
        expected = "as many rows (n_samples, ...) of both"
        raise _other_shapes("features", student_features, teacher_features, expected)


def check_row_weight(row_weight, n_samples):
    """Refuse weights that are not one for each row; None is none.

    Parameters
    ----------
    row_weight : torch.Tensor of shape (n_samples,) or None
    n_samples : int

    Raises
    ------
    ValueError
    """
    if row_weight is not None and row_weight.shape != (n_samples,):
        raise ValueError(
            f"row_weight has the shape {tuple(row_weight.shape)}; expected ({n_samples},): one "
            f"weight for each row."
        )


def check_labels(labels, n_samples, n_classes=None):
    """Refuse labels that are no columns of logits.

    Parameters
    ----------
    labels : torch.Tensor of shape (n_samples,), int64
    n_samples : int
    n_classes : int, default=None
        None leaves the values unread, which on a GPU would be waited for.

    Raises
    ------
    TypeError or ValueError
    """
    if not isinstance(labels, torch.Tensor):
        came = "None" if labels is None else f"of type {type(labels).__name__}"
        raise TypeError(
            f"labels is {came}; expected a torch.Tensor of shape ({n_samples},), int64: the column "
            f"of each row's class, -1 for a row without a label."
        )
    if labels.shape != (n_samples,) or labels.dtype != torch.int64:
        raise ValueError(
            f"labels has the shape {tuple(labels.shape)} and type {labels.dtype}; expected "
            f"({n_samples},) and torch.int64, the column of each row's class."
        )
    if n_classes is None or n_samples == 0:
        return
    least, greatest = labels.min().item(), labels.max().item()
    if least < -1 or greatest >= n_classes:
        raise ValueError(
            f"The labels lie between {least} and {greatest}; expected -1 to {n_classes - 1}, the "
            f"columns of {n_classes} classes, -1 for none."
        )


def check_temperature(temperature, owner):
    """Refuse a temperature that no logits survive.

    Parameters
    ----------
    temperature : float or torch.Tensor
        The values of a tensor are believed: one for each of several students.
    owner : str
        The loss or function that is asked.

    Raises
    ------
    ValueError
    """
    if isinstance(temperature, torch.Tensor):
        return
    try:
        is_fine = LEAST_TEMPERATURE <= temperature <= GREATEST_TEMPERATURE
    except TypeError:
        is_fine = False
    if not is_fine:
        given = {"temperature": temperature}
        validate_parameter_constraints({"temperature": [TEMPERATURE]}, given, owner)


def check_not_both_zero(loss, first, second):
    """Refuse a loss whose two parts are both weighted with nothing.

    Parameters
    ----------
    loss : Loss
    first, second : str
        The parameters that weigh them.

    Raises
    ------
    ValueError
    """
    if getattr(loss, first) == getattr(loss, second) == 0:
        raise ValueError(
            f"The {first!r} and {second!r} parameters of {type(loss).__name__} are both 0, which "
            f"leaves no loss; expected one of them to be greater. alpha=0 leaves the teacher out."
        )


def _other_shapes(what, student, teacher, expected):
    return ValueError(
        f"student_{what} has the shape {tuple(student.shape)} and teacher_{what} "
        f"{tuple(teacher.shape)}; expected {expected}."
    )
