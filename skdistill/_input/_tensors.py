"""Tensors of torch as arrays, without an import of torch."""

from skdistill._words import one_line


def array_of(tensor, source):
    """Return the numbers of a tensor, wherever it is.

    Parameters
    ----------
    tensor : torch.Tensor
        Not changed.
    source : str
        What it is called in errors.

    Returns
    -------
    ndarray
        Of the same dtype; float32 for floats that NumPy does not have, such as bfloat16.

    Raises
    ------
    TypeError
        For a tensor that is sparse, quantized, nested or without numbers.
    """
    try:
        return _as_array(tensor.detach())
    except (TypeError, RuntimeError) as error:  # NotImplementedError is one too
        raise TypeError(
            f"{source} is a tensor of {tensor.dtype} and layout {tensor.layout} on "
            f"{tensor.device}, which NumPy cannot read ({one_line(error, 100)}); expected dense "
            f"numbers in memory. Make it such a tensor, as to_dense() and dequantize() do."
        ) from error


def _as_array(tensor):
    try:
        return tensor.numpy(force=True)
    except TypeError:
        if not tensor.is_floating_point():
            raise
        return tensor.float().numpy(force=True)
